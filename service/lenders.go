package service

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"wpsd/drivers"
	"wpsd/engine/credential"
	"wpsd/engine/wsc"
	"wpsd/service/lending"
	"wpsd/service/radio"
	"wpsd/service/state"
)

// firstLook bounds the look at all interfaces before anybody is answered: a manager that hangs must
// not keep us from starting.
const firstLook = time.Second

// lookAtInterfaces learns who has each interface, and whether it is connected, before the first
// caller is answered.
func (s *Service) lookAtInterfaces(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, firstLook)
	defer cancel()
	_ = s.fenced("looking at the interfaces", func() {
		s.lenders.AskNow(ctx)
		for _, i := range s.ifaces() {
			s.connectionNews(ctx, i.Name, false)
		}
	})
}

// ifaces are those that there are.
func (s *Service) ifaces() []*iface {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.interfaces))
}

// Disconnect has the network manager that has an interface end its connection. Without one it does
// nothing.
func (s *Service) Disconnect(ctx context.Context, ifname string) error {
	return s.lenders.Disconnect(ctx, ifname)
}

// ActivateRequest says who is to connect which interface.
type ActivateRequest = lending.ActivateRequest

// Activate hands a stored network over, and returns when the manager is connected to it. A
// *HandoverError tells that it is not; then it is in the network where it was.
func (s *Service) Activate(ctx context.Context, id state.NetworkID, r ActivateRequest) error {
	if err := s.lenders.CheckApply(r.Apply); err != nil {
		return err
	}
	n, err := s.NetworkSecrets(id)
	if err != nil {
		return err
	}
	defer n.Wipe()
	return s.lenders.Activate(ctx, n, r)
}

// SetPriority says by what managers are to rank networks that are received from now on, where they
// can; 0: they rank by themselves. It lasts until the daemon ends.
func (s *Service) SetPriority(n int) {
	s.lenders.SetPriority(n)
	s.alter()
}

// SetAddSAE says whether networks of WPA2 that are received from now on are joined by WPA3 where
// radio, manager and access point have it. Unless somebody says otherwise they are. It lasts until
// the daemon ends.
func (s *Service) SetAddSAE(add bool) {
	s.lenders.SetAddSAE(add)
	s.alter()
}

// alter notes that a setting is another than the configuration's.
func (s *Service) alter() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.altered = true
	s.emit(state.ManagerChanged{Manager: s.manager}) // the bus looks at who needs the daemon
}

// lendingHub is what lending needs.
type lendingHub struct{ s *Service }

// LinkDown implements lending.Hub. Of an interface that is not known yet the first driver that can
// takes the link down.
func (h lendingHub) LinkDown(ctx context.Context, ifname string) error {
	asked := h.s.drivers
	if i := h.s.interfaceOf(ifname); i != nil {
		asked = []drivers.Driver{i.driver}
	}
	for _, d := range asked {
		if err := d.LinkDown(ctx, ifname); !errors.Is(err, drivers.ErrNotSupported) {
			return err
		}
	}
	return drivers.ErrNotSupported
}

// WithRadio implements lending.Hub.
func (h lendingHub) WithRadio(ctx context.Context, ifname string, use func() error) error {
	return h.s.radios.Of(ifname).With(ctx, use)
}

// WithStation implements lending.Hub.
func (h lendingHub) WithStation(ctx context.Context, ifname string,
	use func(drivers.Station) error) error {
	i := h.s.interfaceOf(ifname)
	if i == nil {
		return fmt.Errorf("%w (%q)", state.ErrNoInterface, ifname)
	}
	return radio.Use(ctx, h.s.log, i.driver, ifname, false, use)
}

// Idle implements lending.Hub.
func (h lendingHub) Idle() (names []string) {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	for name, i := range h.s.interfaces {
		if i.session == nil && i.Mode != drivers.ModeNone {
			names = append(names, name)
		}
	}
	return names
}

// ManagerIs implements lending.Hub.
func (h lendingHub) ManagerIs(ifname, manager string) {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	if i := h.s.interfaces[ifname]; i != nil && i.session == nil && i.manager != manager {
		i.manager = manager
		h.s.emit(state.InterfaceChanged{Interface: i.snapshot()})
	}
}

// Stations implements lending.Hub.
func (h lendingHub) Stations(ifname string) (list []string, err error) {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	if ifname != "" {
		i, err := h.s.station(ifname)
		if err != nil {
			return nil, err
		}
		if i.session != nil {
			return nil, fmt.Errorf("%w (%s)", state.ErrBusy, ifname)
		}
		return []string{ifname}, nil
	}
	for _, name := range slices.Sorted(maps.Keys(h.s.interfaces)) {
		if i := h.s.interfaces[name]; i.Mode == drivers.ModeStation && !i.blocked() &&
			i.session == nil {
			list = append(list, name)
		}
	}
	return list, nil
}

// Offers implements lending.Hub.
func (h lendingHub) Offers(ifname string, networks []credential.Network) []credential.Offer {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	i := h.s.interfaces[ifname]
	if i == nil {
		return nil
	}
	return i.air.Offers(networks, wsc.MAC{})
}

// Hold implements lending.Hub.
func (h lendingHub) Hold(why string) (release func()) { return h.s.Hold(why) }
