package service

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"wpsd/drivers"
	"wpsd/engine/credential"
	"wpsd/engine/wsc"
)

// activateTime bounds Activate, whose caller waits: D-Bus libraries give up after 25 s.
const activateTime = 20 * time.Second

// ActivateRequest says who is to connect which interface; both may be left out.
type ActivateRequest struct {
	Interface string // "": the only one, or the only one that a manager has
	Apply     string // as in StartRequest
}

// Activate hands a stored network over, and returns when the manager is connected to it. A
// *HandoverError tells that it is not; then it is in the network where it was.
func (s *Service) Activate(ctx context.Context, id NetworkID, r ActivateRequest) error {
	if err := s.checkApply(r.Apply); err != nil {
		return err
	}
	n, err := s.NetworkSecrets(id)
	if err != nil {
		return err
	}
	defer n.Wipe()
	ctx, cancel := context.WithTimeout(ctx, activateTime)
	defer cancel()
	i, claim, err := s.placeToActivate(ctx, r)
	if err != nil {
		return err
	}
	sink := s.sinkFor(r.Apply, claim.owner)
	if sink == nil {
		return fmt.Errorf("%w: no network manager has %s: say which is to have the network (apply)",
			ErrNotSupported, i.Name)
	}
	return s.withRadio(ctx, i, func() error {
		offers := locked(&s.mu, func() []credential.Offer {
			return i.air.offers([]credential.Network{n}, wsc.MAC{})
		})
		s.refresh(ctx, i.Name, offers)
		err := s.deliver(ctx, sink, i.Name, offers)
		if err != nil {
			claim.restore(ctx)
		}
		return err
	})
}

// claimed is how an interface is now.
type claimed struct {
	owner   string // the manager that has it; "": nobody
	restore func(context.Context)
}

// placeToActivate finds the interface, which nobody of us may be using.
func (s *Service) placeToActivate(ctx context.Context, r ActivateRequest) (*iface, claimed, error) {
	stations, err := s.freeStations(r.Interface)
	if err != nil {
		return nil, claimed{}, err
	}
	if len(stations) == 1 {
		return stations[0], s.claim(ctx, stations[0].Name), nil
	}
	var found *iface
	var best claimed
	for _, i := range stations {
		c := s.claim(ctx, i.Name)
		if c.owner == "" {
			continue
		}
		if found != nil {
			return nil, claimed{}, fmt.Errorf(
				"%w: network managers have %s and %s: say which one is meant (interface)",
				ErrInvalid, found.Name, i.Name)
		}
		found, best = i, c
	}
	if found == nil {
		return nil, claimed{}, fmt.Errorf("%w: no network manager has an interface: say which one is meant (interface)", ErrInvalid)
	}
	return found, best, nil
}

// freeStations lists the interface of this name, or all that come into question.
func (s *Service) freeStations(ifname string) ([]*iface, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ifname != "" {
		i, err := s.station(ifname)
		if err != nil {
			return nil, err
		}
		if i.session != nil {
			return nil, fmt.Errorf("%w (%s)", ErrBusy, ifname)
		}
		return []*iface{i}, nil
	}
	var list []*iface
	for _, name := range slices.Sorted(maps.Keys(s.interfaces)) {
		if i := s.interfaces[name]; i.Mode == drivers.ModeStation && !i.blocked() &&
			i.session == nil {
			list = append(list, i)
		}
	}
	return list, nil
}

// claim asks the managers, and makes nobody let go.
func (s *Service) claim(ctx context.Context, ifname string) claimed {
	c := claimed{restore: func(context.Context) {}}
	for _, m := range s.holders {
		debt, err := m.Claim(ctx, ifname)
		if err != nil || debt == nil {
			continue
		}
		c.owner = m.Name()
		c.restore = func(ctx context.Context) {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), restoreTime)
			defer cancel()
			if err := m.Restore(ctx, ifname, debt, true); err != nil {
				s.log.Warn("the connection that was there does not come back", "interface", ifname,
					"manager", m.Name(), "err", err)
			}
		}
		return c
	}
	return c
}
