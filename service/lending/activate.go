package lending

import (
	"context"
	"fmt"
	"time"

	"wpsd/engine/credential"
	"wpsd/service/state"
)

// activateTime bounds Activate, whose caller waits: D-Bus libraries give up after 25 s.
const activateTime = 20 * time.Second

// ActivateRequest says who is to connect which interface; both may be left out.
type ActivateRequest struct {
	Interface string // "": the only one, or the only one that a manager has
	Apply     string // as in session.StartRequest
}

// Activate hands a network that was received before over, and returns when the manager is connected
// to it. An *ending.HandoverError tells that it is not; then it is in the network where it was.
func (m *Managers) Activate(ctx context.Context, id state.NetworkID, r ActivateRequest) error {
	if err := m.CheckApply(r.Apply); err != nil {
		return err
	}
	n, err := m.hub.Network(id)
	if err != nil {
		return err
	}
	defer n.Wipe()
	ctx, cancel := context.WithTimeout(ctx, activateTime)
	defer cancel()
	ifname, owner, err := m.placeToActivate(ctx, r)
	if err != nil {
		return err
	}
	had := ""
	if owner.has() {
		had = owner.manager.Name()
	}
	sink := m.SinkFor(r.Apply, had)
	switch {
	case sink == nil && owner.err != nil:
		return owner.err
	case sink == nil:
		return fmt.Errorf("%w: no network manager has %s: say which is to have the network (apply)",
			state.ErrNotSupported, ifname)
	}
	return m.hub.WithRadio(ctx, ifname, func() error {
		err := m.Deliver(ctx, sink, ifname,
			m.hub.Offers(ifname, []credential.Network{n}))
		if err != nil {
			m.reconnect(ctx, ifname, owner)
		}
		return err
	})
}

// placeToActivate finds the interface, which nobody of us may be using, and who has it.
func (m *Managers) placeToActivate(ctx context.Context, r ActivateRequest) (string, answer, error) {
	stations, err := m.hub.Stations(r.Interface)
	if err != nil {
		return "", answer{}, err
	}
	if len(stations) == 1 {
		owner, _ := m.owner(ctx, stations[0]) // an error of it is said if it matters
		return stations[0], owner, nil
	}
	found, best := "", answer{}
	var unsure error
	for _, ifname := range stations {
		a, err := m.owner(ctx, ifname)
		if err != nil {
			unsure = err
		}
		if !a.has() {
			continue
		}
		if found != "" {
			return "", answer{}, fmt.Errorf(
				"%w: network managers have %s and %s: say which one is meant (interface)",
				state.ErrInvalid, found, ifname)
		}
		found, best = ifname, a
	}
	switch {
	case found == "" && unsure != nil:
		return "", answer{}, unsure
	case found == "":
		return "", answer{}, fmt.Errorf("%w: no network manager has an interface: say which one "+
			"is meant (interface)", state.ErrInvalid)
	}
	return found, best, nil
}

// reconnect has the manager that had an interface make the connection that was there.
func (m *Managers) reconnect(ctx context.Context, ifname string, owner answer) {
	if !owner.has() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), restoreTime)
	defer cancel()
	if err := owner.manager.Restore(ctx, ifname, owner.debt, true); err != nil {
		m.log.Warn("the connection that was there does not come back", "interface", ifname,
			"manager", owner.manager.Name(), "err", err)
	}
}
