package service

import (
	"fmt"
	"time"

	"wpsd/drivers"
	"wpsd/engine/wsc"
	"wpsd/service/air"
	"wpsd/service/hotspot"
	"wpsd/service/search"
	"wpsd/service/session"
	"wpsd/service/state"
)

// Rooms know of the service what their Hubs say. These are the Hubs.

// registrarsHub is what External Registrars need.
type registrarsHub struct{ s *Service }

// Interface implements external.Hub.
func (h registrarsHub) Interface(ifname string) (wsc.MAC, error) {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	i, err := h.s.interfaceNamed(ifname)
	if err != nil {
		return wsc.MAC{}, err
	}
	return i.HardwareAddr, nil
}

// Device implements external.Hub.
func (h registrarsHub) Device(ifname string) (wsc.Device, error) {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	i, err := h.s.interfaceNamed(ifname)
	if err != nil {
		return wsc.Device{}, err
	}
	return h.s.settings.NamedDevice(i.HardwareAddr)
}

// Begin implements external.Hub.
func (h registrarsHub) Begin(ifname string, task func()) error {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	if _, err := h.s.interfaceNamed(ifname); err != nil {
		return err
	}
	return h.s.life.begin(h.s.log, task)
}

// Asleep implements external.Hub.
func (h registrarsHub) Asleep() bool {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	return h.s.life.rest.asleep
}

// arrivalHub is what arrivals need.
type arrivalHub struct{ s *Service }

// Processing implements arrival.Hub.
func (h arrivalHub) Processing() state.Processing { return h.s.settings.Processing() }

// SAEOnly implements arrival.Hub.
func (h arrivalHub) SAEOnly(ifname string, ssid []byte) bool {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	i := h.s.interfaces[ifname]
	return i != nil && i.air.WPA3Only(ssid)
}

// listeningHub is what takes in what others hear.
type listeningHub struct{ s *Service }

// Stations implements listening.Hub.
func (h listeningHub) Stations() []string {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	var names []string
	for name, i := range h.s.interfaces {
		if i.Mode == drivers.ModeStation {
			names = append(names, name)
		}
	}
	return names
}

// Wants implements listening.Hub. During a session or a scan of ours nobody needs it: they read the
// same list.
func (h listeningHub) Wants(ifname string) bool {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	i := h.s.interfaces[ifname]
	return i != nil && i.Mode == drivers.ModeStation && i.session == nil && i.cancelScan == nil
}

// Heard implements listening.Hub.
func (h listeningHub) Heard(ifname string, list []drivers.BSS, looked map[int]time.Time) {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	i := h.s.interfaces[ifname]
	if i == nil {
		return
	}
	var found []search.Candidate
	for _, b := range list {
		if k, ok := air.CandidateOf(&b, wsc.MAC(i.HardwareAddr)); ok {
			found = append(found, k)
		}
	}
	// Who was not heard by them is not gone: a session that looks by itself will tell.
	i.air.Heard(list, nil, time.Now(), found)
	i.air.OthersLooked(looked)
}

// interfaceOf finds an interface, whatever it is used as; nil: there is none.
func (s *Service) interfaceOf(ifname string) *iface {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.interfaces[ifname]
}

// interfaceNamed is interfaceOf while the service runs. The caller holds mu.
func (s *Service) interfaceNamed(ifname string) (*iface, error) {
	i, ok := s.interfaces[ifname]
	switch {
	case s.life.over() != nil:
		return nil, s.life.over()
	case !ok:
		return nil, fmt.Errorf("%w (%q)", state.ErrNoInterface, ifname)
	}
	return i, nil
}

// hotspotHub is what the access points of this machine need.
type hotspotHub struct{ s *Service }

// Steering implements hotspot.Hub.
func (h hotspotHub) Steering(ifname string) (*hotspot.Steering, error) {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	i, err := h.s.accessPoint(ifname)
	if err != nil {
		return nil, err
	}
	return i.steering, nil
}

// SetupLocked implements hotspot.Hub.
func (h hotspotHub) SetupLocked(k *hotspot.Steering, locked bool) {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	if i := h.steered(k); i != nil && i.setupLocked != locked {
		i.setupLocked = locked
		h.s.published.Publish(state.InterfaceChanged{Interface: i.snapshot()})
	}
}

// Sighted implements hotspot.Hub.
func (h hotspotHub) Sighted(k *hotspot.Steering, e state.Event) {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	if h.steered(k) != nil {
		h.s.published.Publish(e)
	}
}

// Forgotten implements hotspot.Hub.
func (h hotspotHub) Forgotten(e state.Event) {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	h.s.published.Publish(e)
}

// steered finds the interface that a connection is of; nil: it is gone. The caller holds mu.
func (h hotspotHub) steered(k *hotspot.Steering) *iface {
	if i := h.s.interfaces[k.Interface()]; i != nil && i.steering == k {
		return i
	}
	return nil
}

// accessPoint finds an interface that is an access point which is steered. The caller holds mu.
func (s *Service) accessPoint(ifname string) (*iface, error) {
	i, err := s.inMode(ifname, drivers.ModeAP)
	if err == nil && i.steering == nil {
		return nil, fmt.Errorf("%w: nobody steers access points here", state.ErrNotSupported)
	}
	return i, err
}

// purposeFor says what StartPIN and StartPBC mean on an interface.
func (s *Service) purposeFor(ifname string) state.Purpose {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.interfaces[ifname]; i != nil && i.Mode == drivers.ModeAP {
		return state.PurposeAdmit
	}
	return state.PurposeEnroll
}

// purposeOf is purposeFor, unless the caller has said which of the two it may be; place refuses an
// interface of the other kind, while nobody can change it.
func (s *Service) purposeOf(r session.StartRequest) state.Purpose {
	if r.Purpose != "" {
		return r.Purpose
	}
	return s.purposeFor(r.Interface)
}
