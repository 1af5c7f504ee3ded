package er

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"wpsd/engine/wsc"
)

// Name names an access point by all that is set of it.
type Name struct {
	UUID  wsc.UUID
	BSSID wsc.MAC
	Addr  netip.Addr
}

// fits reports whether an access point is meant.
func (n Name) fits(a *ap) bool {
	return n != Name{} && (n.UUID == wsc.UUID{} || a.UUID == n.UUID) &&
		(n.BSSID.IsZero() || a.BSSID == n.BSSID) && (!n.Addr.IsValid() || a.Addr == n.Addr)
}

// usable finds an access point that can be used.
func (r *registry) usable(id APID) (*ap, error) {
	a := r.aps[id]
	switch {
	case !r.running:
		return nil, ErrNotRunning
	case a == nil || !a.published:
		return nil, ErrUnknownAP
	case a.Dropped:
		return nil, fmt.Errorf("%w: %s", ErrDropped, a.Problem)
	}
	return a, nil
}

// find finds an access point. The error is ErrUnknownAP, or an *Ambiguous.
func (r *registry) find(name Name) (AP, error) {
	var used, dropped []*ap
	for _, a := range r.sorted() {
		switch {
		case !a.published || !name.fits(a):
		case a.Dropped:
			dropped = append(dropped, a)
		default:
			used = append(used, a)
		}
	}
	switch {
	case len(used) == 1:
		return used[0].snapshot(), nil
	case len(used) > 1:
		err := &Ambiguous{}
		for _, a := range used {
			err.APs = append(err.APs, a.snapshot())
		}
		return AP{}, err
	case len(dropped) > 0:
		return dropped[len(dropped)-1].snapshot(), nil
	}
	return AP{}, ErrUnknownAP
}

// Ambiguous is ErrAmbiguous with those that are meant.
type Ambiguous struct{ APs []AP }

// Error implements error.
func (e *Ambiguous) Error() string { return ErrAmbiguous.Error() + ": " + e.Names() }

// Unwrap is ErrAmbiguous.
func (*Ambiguous) Unwrap() error { return ErrAmbiguous }

// Names gives what tells them apart: "02:00:00:00:01:00 at 192.0.2.1, one at 192.0.2.2".
func (e *Ambiguous) Names() string {
	var names []string
	for n, ap := range e.APs {
		if n == maxRivals {
			names = append(names, fmt.Sprintf("and %d more", len(e.APs)-n))
			break
		}
		who := "one"
		if !ap.BSSID.IsZero() {
			who = ap.BSSID.String()
		}
		names = append(names, who+" at "+ap.Addr.String())
	}
	return strings.Join(names, ", ")
}

// ErrAmbiguous means that several access points have this UUID, BSSID or address.
var ErrAmbiguous = errors.New("er: this names several access points")
