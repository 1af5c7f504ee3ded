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
	"wpsd/service/fence"
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
	_ = fence.Do(s.log, "looking at the interfaces", func() error {
		s.lenders.AskNow(ctx)
		names := locked(&s.mu, func() []string { return slices.Collect(maps.Keys(s.interfaces)) })
		for _, name := range names {
			s.connectionNews(ctx, name, false)
		}
		return nil
	})
}

// Managers are the network managers of this machine.
func (s *Service) Managers() *lending.Managers { return s.lenders }

// lendingHub is what lending needs.
type lendingHub struct{ s *Service }

// LinkDown implements lending.Hub. Of an interface that is not known yet the first driver that can
// takes the link down.
func (h lendingHub) LinkDown(ctx context.Context, ifname string) error {
	asked := h.s.sources.drivers
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
		h.s.published.Publish(state.InterfaceChanged{Interface: i.snapshot()})
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

// Network implements lending.Hub.
func (h lendingHub) Network(id state.NetworkID) (credential.Network, error) {
	return h.s.NetworkSecrets(id)
}

// Receiver implements lending.Hub.
func (h lendingHub) Receiver(ifname string) string {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(h.s.interfaces)) {
		if h.s.interfaces[name].Mode == drivers.ModeStation && (ifname == "" || ifname == name) {
			return name
		}
	}
	return ""
}

// Begin implements lending.Hub.
func (h lendingHub) Begin(task func(ctx context.Context)) error {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	return h.s.life.begin(h.s.log, func() { task(h.s.life.ctx) })
}

// Altered implements lending.Hub.
func (h lendingHub) Altered() { h.s.settings.Alter() }
