package service

import (
	"fmt"

	"wpsd/engine/registration"
	"wpsd/engine/wsc"
	"wpsd/service/receive"
	"wpsd/service/session"
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
	if err := h.s.identifyAnyway(i.HardwareAddr); err != nil {
		return wsc.Device{}, err
	}
	return h.s.deviceFor(i.HardwareAddr), nil
}

// Begin implements external.Hub.
func (h registrarsHub) Begin(ifname string, task func()) error {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	if _, err := h.s.interfaceNamed(ifname); err != nil {
		return err
	}
	return h.s.begin(task)
}

// Asleep implements external.Hub.
func (h registrarsHub) Asleep() bool { return h.s.asleep() }

// Network implements external.Hub.
func (h registrarsHub) Network(id NetworkID) (wsc.Credential, error) {
	n, err := h.s.NetworkSecrets(id)
	if err != nil {
		return wsc.Credential{}, err
	}
	n.Raw.Wipe()
	return wsc.Credential{NetworkIndex: 1, SSID: n.SSID, AuthType: n.Auth,
		EncrType: n.Encryption, NetworkKey: n.Key}, nil
}

// Arrived implements external.Hub.
func (h registrarsHub) Arrived(ses *session.Running, cs []wsc.Credential,
	from receive.Origin) error {
	c, err := receive.Convert(cs, from.Own, h.s.saeOnly(h.s.interfaceOf(ses.Interface)))
	if err != nil {
		return fmt.Errorf("%w: %w", registration.ErrCredential, err)
	}
	return h.s.arrived(ses, c, from, nil).err
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
	case s.closing || s.ctx == nil:
		return nil, ErrShutdown
	case !ok:
		return nil, fmt.Errorf("%w (%q)", ErrNoInterface, ifname)
	}
	return i, nil
}
