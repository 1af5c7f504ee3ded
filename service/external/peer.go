package external

import (
	"errors"
	"fmt"
	"net/netip"

	"wpsd/engine/er"
	"wpsd/engine/wsc"
	"wpsd/service/state"
)

// ERPeer names an access point or an Enrollee by its UUID or its MAC address, an access point by
// its IPv4 address as well. The zero ERPeer is anybody.
type Peer struct {
	UUID wsc.UUID
	MAC  wsc.MAC
	IP   netip.Addr
}

// IsAny reports whether nobody in particular is meant.
func (p Peer) IsAny() bool { return p == Peer{} }

// String gives what ParseERPeer reads.
func (p Peer) String() string {
	switch {
	case p.UUID != wsc.UUID{}:
		return p.UUID.String()
	case !p.MAC.IsZero():
		return p.MAC.String()
	case p.IP.IsValid():
		return p.IP.String()
	}
	return "any"
}

// ParseERPeer reads a UUID, a MAC address, the IPv4 address of an access point, or "any".
func ParsePeer(text string) (Peer, error) {
	if text == "any" {
		return Peer{}, nil
	}
	if mac, err := wsc.ParseMAC(text); err == nil && !mac.IsZero() && !mac.IsMulticast() {
		return Peer{MAC: mac}, nil
	}
	if uuid, err := wsc.ParseUUID(text); err == nil && uuid != (wsc.UUID{}) {
		return Peer{UUID: uuid}, nil
	}
	if ip, err := netip.ParseAddr(text); err == nil && ip.Is4() && !ip.IsUnspecified() &&
		!ip.IsMulticast() {
		return Peer{IP: ip}, nil
	}
	return Peer{}, fmt.Errorf("%w: %.40q is neither a UUID nor an address such as 02:00:00:00:03:00 or 192.0.2.1", state.ErrInvalid, text)
}

// findAny finds an access point; 0: any.
func (e *externalRegistrar) findAny(p Peer) (er.APID, error) {
	if p.IsAny() {
		return 0, nil
	}
	ap, err := e.findAP(p)
	return ap.ID, err
}

// findAP finds an access point by its UUID, its BSSID or its address.
func (e *externalRegistrar) findAP(p Peer) (er.AP, error) {
	if p.IsAny() {
		return er.AP{}, fmt.Errorf("%w: name the access point by its UUID, its BSSID or its address", state.ErrInvalid)
	}
	ap, err := e.registrar.FindAP(er.Name{UUID: p.UUID, BSSID: p.MAC, Addr: p.IP})
	if several, ok := errors.AsType[*er.Ambiguous](err); ok {
		return er.AP{}, fmt.Errorf("%w by %s: %s: name the one that is meant by its address, and make sure that it is the right one", state.ErrERAmbiguous, p, several.Names())
	}
	if err != nil {
		return er.AP{}, fmt.Errorf("%w (%s)", erError(err), p)
	}
	return ap, nil
}

// erErrors gives errors of the engine the sentences that callers get.
var erErrors = []struct{ is, as error }{
	{er.ErrNotRunning, state.ErrERStopped},
	{er.ErrUnknownAP, state.ErrNoERAP},
	{er.ErrAmbiguous, state.ErrERAmbiguous},
	{er.ErrDropped, state.ErrERDropped},
	{er.ErrBusy, state.ErrERBusy},
	{er.ErrNoSettings, state.ErrNoERSettings},
	{er.ErrOverlap, state.ErrEROverlap},
	{er.ErrTooMany, state.ErrTooMany},
}

func erError(err error) error {
	for _, row := range erErrors {
		if errors.Is(err, row.is) {
			return row.as
		}
	}
	return err
}
