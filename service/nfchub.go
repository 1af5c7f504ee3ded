package service

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"wpsd/drivers"
	"wpsd/engine/credential"
	"wpsd/engine/wsc"
	"wpsd/service/arrival"
	"wpsd/service/lending"
	"wpsd/service/nfc"
	"wpsd/service/receive"
	"wpsd/service/session"
	"wpsd/service/state"
)

// nfcHub is what NFC needs of the service: nfc.Hub, and nfc.Networks.
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

// Network implements nfc.Networks.
func (h nfcHub) Network(id state.NetworkID) (credential.Network, error) {
	return h.s.NetworkSecrets(id)
}

// Processing implements nfc.Networks.
func (h nfcHub) Processing() state.Processing { return h.s.published.Manager().Processing }

// Convert implements nfc.Networks.
func (h nfcHub) Convert(ifname string, cs []wsc.Credential,
	own wsc.MAC) (*receive.Credentials, error) {
	return h.s.arrivals.Convert(ifname, cs, own)
}

// Arrived implements nfc.Networks.
func (h nfcHub) Arrived(c *receive.Credentials, from receive.Origin,
	may func(credential.Network) error) nfc.Arrival {
	came := h.s.arrivals.Take(arrival.Arrival{Credentials: c, From: from, May: may})
	return nfc.Arrival{Processing: came.Processing, Stored: came.Stored, Err: came.Err}
}

// CheckApply implements nfc.Networks.
func (h nfcHub) CheckApply(apply string) error { return h.s.lenders.CheckApply(apply) }

// ManagerChanges implements nfc.Networks.
func (h nfcHub) ManagerChanges(ctx context.Context, r nfc.TagRequest,
	networks []credential.Network) bool {
	return h.s.lenders.HasOthers(ctx, touch(r, h.Processing()), networks)
}

// HandOver implements nfc.Networks.
func (h nfcHub) HandOver(r nfc.TagRequest, p state.Processing, networks []credential.Network) {
	h.s.lenders.HandOver(touch(r, p), networks)
}

// touch is what the managers need to know of a tag that was read.
func touch(r nfc.TagRequest, p state.Processing) lending.Touch {
	return lending.Touch{Interface: r.Interface, Apply: r.Apply, Processing: p,
		AddsOnly: r.Allowed == nfc.TagAdds}
}
