package hotspot

import (
	"context"
	"fmt"
	"log/slog"

	"wpsd/drivers"
	"wpsd/engine/secret"
	"wpsd/service/session"
	"wpsd/service/state"
)

// Hub is what the access points of this machine need of the service. Its methods are called
// without a lock held.
type Hub interface {
	// Steering finds the connection to the software of an interface that is an access point; an
	// error: there is none.
	Steering(ifname string) (*Steering, error)
	// SetupLocked tells whether the access point takes its own PIN no more.
	SetupLocked(k *Steering, locked bool)
	// Sighted tells of a device that was heard there, unless the interface is another by now.
	Sighted(k *Steering, e state.Event)
	// Forgotten tells that one is not heard any more, whatever the interface is by now.
	Forgotten(e state.Event)
}

// Hotspots are the access points of this machine. Its methods are safe for concurrent use.
type Hotspots struct {
	hub      Hub
	software drivers.AccessPoints
	log      *slog.Logger
}

// New makes Hotspots; software may be nil: nobody steers any.
func New(hub Hub, software drivers.AccessPoints, log *slog.Logger) *Hotspots {
	return &Hotspots{hub: hub, software: software, log: log}
}

// Possible reports whether somebody steers access points.
func (h *Hotspots) Possible() bool { return h.software != nil }

// Check refuses a request that no access point can meet.
func Check(r session.StartRequest) error {
	switch {
	case !r.BSSID.IsZero():
		return fmt.Errorf("%w: %s is an access point itself: name the device that is to join with mac, not with bssid", state.ErrInvalid, r.Interface)
	case r.MAC.IsMulticast():
		return fmt.Errorf("%w: %s is not the address of a device", state.ErrInvalid, r.MAC)
	case r.Timeout < 0 || r.Timeout > session.MaxPINTimeout:
		return fmt.Errorf("%w: a PIN may be good for 1 second to %d hours", state.ErrInvalid,
			int(session.MaxPINTimeout.Hours()))
	}
	return nil
}

// Ask asks the software of an access point for something that is a secret.
func (h *Hotspots) Ask(ctx context.Context, ifname string,
	ask func(drivers.AccessPoint) (secret.Value, error)) (secret.Value, error) {
	return h.ask(ctx, session.StartRequest{Interface: ifname}, ask)
}

// ask is Ask for a request that an access point can meet.
func (h *Hotspots) ask(ctx context.Context, r session.StartRequest,
	ask func(drivers.AccessPoint) (secret.Value, error)) (secret.Value, error) {
	k, err := h.hub.Steering(r.Interface)
	if err != nil {
		return secret.Value{}, err
	}
	if err := Check(r); err != nil {
		return secret.Value{}, err
	}
	ap, release, err := k.use(ctx, nil)
	if err != nil {
		return secret.Value{}, inOurWords(err)
	}
	defer release()
	v, err := ask(ap)
	return v, inOurWords(err)
}
