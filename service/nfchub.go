package service

import (
	"fmt"
	"maps"
	"slices"

	"wpsd/drivers"
	"wpsd/engine/wsc"
	"wpsd/service/session"
	"wpsd/service/state"
)

// nfcHub is what NFC needs of the service.
type nfcHub struct{ s *Service }

// Known implements nfc.Hub.
func (h nfcHub) Known(ifname string) error {
	if ifname != "" && h.s.interfaceOf(ifname) == nil {
		return fmt.Errorf("%w (%q)", state.ErrNoInterface, ifname)
	}
	return nil
}

// IsAccessPoint implements nfc.Hub.
func (h nfcHub) IsAccessPoint(ifname string) bool {
	return h.s.purposeFor(ifname) == state.PurposeAdmit
}

// AccessPoint implements nfc.Hub.
func (h nfcHub) AccessPoint() string {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(h.s.interfaces)) {
		if i := h.s.interfaces[name]; i.Mode == drivers.ModeAP && i.steering != nil {
			return name
		}
	}
	return ""
}

// Address implements nfc.Hub.
func (h nfcHub) Address(ifname string) wsc.MAC {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	if i := h.s.interfaces[ifname]; i != nil {
		return i.HardwareAddr
	}
	return wsc.MAC{}
}

// UUID implements nfc.Hub.
func (h nfcHub) UUID(ifname string) (wsc.UUID, error) {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	i, err := h.s.station(ifname)
	if err != nil {
		return wsc.UUID{}, err
	}
	return h.s.settings.Device(i.HardwareAddr).UUID, nil
}

// Start implements nfc.Hub.
func (h nfcHub) Start(r session.StartRequest, t session.Task) (state.Session, error) {
	return h.s.start(r, t)
}
