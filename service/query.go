package service

import (
	"fmt"

	"wpsd/engine/wsc"
	"wpsd/service/air"
	"wpsd/service/external"
	"wpsd/service/state"
)

// The questions for one thing, where Snapshot is for all.

// Manager returns what the service says of itself.
func (s *Service) Manager() state.Manager { return s.published.Manager() }

// Interface returns an interface by its name.
func (s *Service) Interface(name string) (state.Interface, bool) {
	return s.published.Interface(name)
}

// Interfaces returns all interfaces, in the order of their names.
func (s *Service) Interfaces() []state.Interface { return s.published.Interfaces() }

// Network returns a stored network, without its key.
func (s *Service) Network(id state.NetworkID) (state.Network, bool) {
	return s.published.Network(id)
}

// ER returns the External Registrar on an interface, Running or not.
func (s *Service) ER(ifname string) state.ER { return s.published.ER(ifname) }

// KnowsERAccessPoint reports whether the External Registrar on an interface has found an access
// point.
func (s *Service) KnowsERAccessPoint(ifname string, p external.Peer) bool {
	return s.published.HasERAccessPoint(ifname, func(a *state.ERAccessPoint) bool {
		return p.UUID != wsc.UUID{} && a.UUID == p.UUID || !p.MAC.IsZero() && a.BSSID == p.MAC ||
			p.IP.IsValid() && a.Addr == p.IP
	})
}

// KnowsEREnrollee reports whether the External Registrar on an interface has heard of a device.
func (s *Service) KnowsEREnrollee(ifname string, p external.Peer) bool {
	return s.published.HasEREnrollee(ifname, func(e *state.EREnrollee) bool {
		return !p.MAC.IsZero() && e.MAC == p.MAC || p.UUID != wsc.UUID{} && e.Device.UUID == p.UUID
	})
}

// BSSs lists every access point that was heard on an interface within the last three minutes; see
// air.Air.
func (s *Service) BSSs(ifname string) ([]air.BSS, error) {
	i := s.interfaceOf(ifname)
	if i == nil {
		return nil, fmt.Errorf("%w (%q)", state.ErrNoInterface, ifname)
	}
	return i.air.BSSs(), nil
}
