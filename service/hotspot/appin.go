package hotspot

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wpsd/drivers"
	"wpsd/engine/secret"
	"wpsd/service/session"
	"wpsd/service/state"
)

// APPINCommand is what to do with an access point's own PIN.
type APPINCommand string

// The commands. The PIN is for External Registrars: who knows it can read and change the access
// point's settings.
const (
	APPINDisable APPINCommand = "disable"
	APPINRandom  APPINCommand = "random"
	APPINGet     APPINCommand = "get"
	APPINSet     APPINCommand = "set"
)

// APPINRequest is one such command. The PIN is the caller's.
type APPINRequest struct {
	Interface string
	Command   APPINCommand
	PIN       secret.Value // APPINSet
	Force     bool         // the PIN is set even if its check digit is wrong
	// APPINRandom, APPINSet: how long it is good for; 0: until it is disabled
	Timeout time.Duration
}

// APPIN manages the PIN of an interface that is an access point. It returns the PIN that is good
// now, empty if there is none; it is the caller's to wipe.
func (h *Hotspots) APPIN(ctx context.Context, r APPINRequest) (secret.Value, error) {
	request, err := r.check()
	if err != nil {
		return secret.Value{}, err
	}
	defer request.PIN.Wipe()
	meant := session.StartRequest{Interface: r.Interface, Timeout: r.Timeout}
	return h.ask(ctx, meant, func(ap drivers.AccessPoint) (secret.Value, error) {
		pin, err := ap.APPIN(ctx, request)
		if !errors.Is(err, drivers.ErrRefused) {
			return pin, err
		}
		settings, settingsErr := ap.Settings(ctx)
		settings.Key.Wipe()
		switch {
		case settingsErr == nil && !settings.WPS:
			return secret.Value{}, fmt.Errorf("%w: WPS is off at the access point",
				state.ErrNotSupported)
		case r.Command == APPINGet:
			return secret.Value{}, nil // that is how it says that there is none
		}
		return secret.Value{}, err
	})
}

// check refuses what makes no sense; the PIN of what it returns is a copy.
func (r *APPINRequest) check() (drivers.APPINRequest, error) {
	d := drivers.APPINRequest{Timeout: r.Timeout}
	switch r.Command {
	case APPINDisable:
		d.Command = drivers.APPINDisable
	case APPINRandom:
		d.Command = drivers.APPINRandom
	case APPINGet:
		d.Command = drivers.APPINGet
	case APPINSet:
		pin, err := session.ReadPIN(r.PIN, r.Force)
		if err != nil {
			return d, err
		}
		d.Command, d.PIN = drivers.APPINSet, pin
		return d, nil
	default:
		return d, fmt.Errorf("%w: there is no command %q for the access point's PIN: say disable, random, get or set", state.ErrInvalid, string(r.Command))
	}
	if !r.PIN.IsZero() {
		return d, fmt.Errorf("%w: a PIN is for the command set", state.ErrInvalid)
	}
	if r.Timeout != 0 && r.Command != APPINRandom {
		return d, fmt.Errorf("%w: a timeout is for the commands random and set", state.ErrInvalid)
	}
	return d, nil
}

// inOurWords says in our words what an access point's driver says.
func inOurWords(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, drivers.ErrUnreachable), errors.Is(err, drivers.ErrClosed):
		return fmt.Errorf("%w: %w", state.ErrUnreachable, err)
	case errors.Is(err, drivers.ErrRefused):
		return fmt.Errorf("%w: %w", state.ErrRefused, err)
	case errors.Is(err, drivers.ErrNotSupported):
		return fmt.Errorf("%w: %w", state.ErrNotSupported, err)
	case errors.Is(err, drivers.ErrInterfaceGone):
		return fmt.Errorf("%w: %w", state.ErrNoInterface, err)
	}
	return err
}
