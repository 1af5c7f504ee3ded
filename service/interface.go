package service

import (
	"context"
	"fmt"

	"wpsd/drivers"
	"wpsd/engine/wsc"
	"wpsd/service/air"
	"wpsd/service/fence"
	"wpsd/service/hotspot"
	"wpsd/service/session"
	"wpsd/service/state"
	"wpsd/service/station"
)

// iface is an interface and what is known of the air around it. Service.mu guards it.
type iface struct {
	driver drivers.Driver
	drivers.Interface
	session     *session.Running // the running one
	manager     string           // who has it; see lendingHub.ManagerIs
	online      bool             // it is connected, by whomever
	connected   wsc.MAC          // as was last told; see connectionNews
	cancelScan  context.CancelFunc
	air         *air.Air
	steering    *hotspot.Steering // nil: no access point, or nobody can steer it
	setupLocked bool              // the access point takes its own PIN no more
	steered     bool              // it is an access point that can be steered
	registrar   bool              // an External Registrar can run here
}

// asStation is an interface as the procedures of a station have it.
func (s *Service) asStation(i *iface) station.Interface {
	return station.Interface{Name: i.Name, Driver: i.driver, Air: i.air, Turn: s.radios.Of(i.Name)}
}

// snapshot is what subscribers see of it.
func (i *iface) snapshot() state.Interface {
	out := state.Interface{
		Name: i.Name, Driver: i.driver.Name(), Mode: i.Mode, HardwareAddr: i.HardwareAddr,
		Blocked:  i.Blocked,
		Scanning: i.cancelScan != nil, SetupLocked: i.setupLocked, Steered: i.steered,
		Registrar: i.registrar, Manager: i.manager, Connected: i.online,
	}
	if i.session != nil {
		out.Session = i.session.ID
	}
	return out
}

// stopScan ends a scan that somebody asked for, if one runs.
func (i *iface) stopScan() {
	if i.cancelScan != nil {
		i.cancelScan()
	}
}

// follow lists the interfaces of d whenever the driver says that they changed.
func (s *Service) follow(ctx context.Context, d drivers.Driver) {
	for {
		select {
		case _, open := <-d.Changed():
			if !open {
				return
			}
		case <-ctx.Done():
			return
		}
		err := fence.Do(s.log, "listing the interfaces of "+d.Name(), func() error {
			return s.list(ctx, d)
		})
		if err != nil && ctx.Err() == nil { // the next change is another chance
			s.log.Warn("cannot list the interfaces", "driver", d.Name(), "err", err)
		}
	}
}

// list brings what we know of d's interfaces up to date.
func (s *Service) list(ctx context.Context, d drivers.Driver) error {
	all, err := d.Interfaces(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	there := make(map[string]bool)
	for _, info := range all {
		if !s.sources.uses(info.Name) {
			continue
		}
		there[info.Name] = true
		s.update(d, info)
	}
	for name, i := range s.interfaces {
		if i.driver == d && !there[name] {
			s.remove(i)
		}
	}
	return nil
}

// update adds an interface or notes what changed of it.
func (s *Service) update(d drivers.Driver, info drivers.Interface) {
	i, known := s.interfaces[info.Name]
	if known && i.driver != d {
		return // two drivers list it: the first one named has it
	}
	if known && (i.Index != info.Index || i.Mode != info.Mode) {
		s.remove(i) // another one under the same name, or one that is something else now
		known = false
	}
	if !known {
		i = &iface{
			driver: d, Interface: info,
			steered:   s.hotspots.Possible() && info.Mode == drivers.ModeAP,
			registrar: s.registrars.Possible(),
			air:       air.New(s.published, info.Name),
		}
		s.interfaces[info.Name] = i
		s.settings.Identify(info.HardwareAddr)
		s.published.Publish(state.InterfaceAdded{Interface: i.snapshot()})
		s.steer(i)
		s.lenders.AskSoon()
		return
	}
	if i.steering != nil {
		i.steering.TryAgain()
	}
	if i.Interface == info {
		return
	}
	if info.Blocked && !i.Blocked && i.session != nil && i.blocked() {
		i.session.Stop(drivers.ErrRadioBlocked)
	}
	// the name, the index and the mode stay, and are read without mu
	i.HardwareAddr, i.Blocked = info.HardwareAddr, info.Blocked
	s.settings.Identify(info.HardwareAddr)
	s.published.Publish(state.InterfaceChanged{Interface: i.snapshot()})
}

// steer begins to steer an interface, if somebody can. The caller holds mu.
func (s *Service) steer(i *iface) {
	if !i.steered {
		return
	}
	k, run := s.hotspots.Steer(s.life.ctx, i.Name)
	if err := s.life.begin(s.log, run); err != nil {
		k.End()
		return
	}
	i.steering = k
}

// remove ends what runs on an interface that is gone, and forgets it.
func (s *Service) remove(i *iface) {
	if i.session != nil {
		i.session.Stop(drivers.ErrInterfaceGone)
	}
	if i.steering != nil {
		i.steering.End()
	}
	s.registrars.InterfaceGone(i.Name)
	i.stopScan()
	i.air.End()
	delete(s.interfaces, i.Name)
	s.published.Publish(state.InterfaceRemoved{Name: i.Name})
}

// blocked tells whether rfkill blocks the radio now, where the driver can tell; else what was last
// heard.
func (i *iface) blocked() bool {
	if now, err := i.driver.Blocked(i.Name); err == nil {
		return now
	}
	return i.Blocked
}

// station finds an interface that can scan and enrol. The caller holds mu.
func (s *Service) station(ifname string) (*iface, error) {
	return s.inMode(ifname, drivers.ModeStation)
}

// inMode finds an interface that is used as mode says. The caller holds mu.
func (s *Service) inMode(ifname string, mode drivers.Mode) (*iface, error) {
	i, ok := s.interfaces[ifname]
	switch {
	case s.life.over() != nil:
		return nil, s.life.over()
	case s.life.rest.asleep:
		return nil, state.ErrSuspended
	case !ok:
		return nil, fmt.Errorf("%w (%q)", state.ErrNoInterface, ifname)
	case i.Mode != mode:
		name := map[drivers.Mode]string{drivers.ModeStation: "a station",
			drivers.ModeAP: "an access point"}[mode]
		return nil, fmt.Errorf("%w: %s is not %s (mode %s)", state.ErrNotSupported, ifname,
			name, i.Mode)
	case i.blocked():
		return nil, fmt.Errorf("%w (%s)", state.ErrRadioBlocked, ifname)
	}
	return i, nil
}
