package external

import (
	"wpsd/engine/wsc"
	"wpsd/service/state"
)

// KnowsERAccessPoint reports whether the External Registrar on an interface has found an access
// point.
func (r *Registrars) KnowsERAccessPoint(ifname string, p Peer) bool {
	return r.published.HasERAccessPoint(ifname, func(a *state.ERAccessPoint) bool {
		return p.UUID != wsc.UUID{} && a.UUID == p.UUID || !p.MAC.IsZero() && a.BSSID == p.MAC ||
			p.IP.IsValid() && a.Addr == p.IP
	})
}

// KnowsEREnrollee reports whether the External Registrar on an interface has heard of a device.
func (r *Registrars) KnowsEREnrollee(ifname string, p Peer) bool {
	return r.published.HasEREnrollee(ifname, func(e *state.EREnrollee) bool {
		return !p.MAC.IsZero() && e.MAC == p.MAC || p.UUID != wsc.UUID{} && e.Device.UUID == p.UUID
	})
}
