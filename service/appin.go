package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wpsd/drivers"
	"wpsd/engine/secret"
	"wpsd/service/session"
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
func (s *Service) APPIN(ctx context.Context, r APPINRequest) (secret.Value, error) {
	request, err := r.check()
	if err != nil {
		return secret.Value{}, err
	}
	defer request.PIN.Wipe()
	i, err := s.findAccessPoint(StartRequest{Interface: r.Interface, Timeout: r.Timeout})
	if err != nil {
		return secret.Value{}, err
	}
	ap, release, err := i.steering.use(ctx, nil)
	if err != nil {
		return secret.Value{}, apError(err)
	}
	defer release()
	pin, err := ap.APPIN(ctx, request)
	if !errors.Is(err, drivers.ErrRefused) {
		return pin, apError(err)
	}
	settings, settingsErr := ap.Settings(ctx)
	settings.Key.Wipe()
	switch {
	case settingsErr == nil && !settings.WPS:
		return secret.Value{}, fmt.Errorf("%w: WPS is off at the access point", ErrNotSupported)
	case r.Command == APPINGet:
		return secret.Value{}, nil // that is how it says that there is none
	}
	return secret.Value{}, apError(err)
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
		return d, fmt.Errorf("%w: there is no command %q for the access point's PIN: say disable, random, get or set", ErrInvalid, string(r.Command))
	}
	if !r.PIN.IsZero() {
		return d, fmt.Errorf("%w: a PIN is for the command set", ErrInvalid)
	}
	if r.Timeout != 0 && r.Command != APPINRandom {
		return d, fmt.Errorf("%w: a timeout is for the commands random and set", ErrInvalid)
	}
	return d, nil
}

// apError says in our words what an access point's driver says.
func apError(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, drivers.ErrUnreachable), errors.Is(err, drivers.ErrClosed):
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	case errors.Is(err, drivers.ErrRefused):
		return fmt.Errorf("%w: %w", ErrRefused, err)
	case errors.Is(err, drivers.ErrNotSupported):
		return fmt.Errorf("%w: %w", ErrNotSupported, err)
	case errors.Is(err, drivers.ErrInterfaceGone):
		return fmt.Errorf("%w: %w", ErrNoInterface, err)
	}
	return err
}
