package er

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"wpsd/engine/wsc"
)

// Anybody in the network can say to be an access point that is there already: the UUID and the
// BSSID are in its announcements and its M1. Whoever was heard first is not the right one for that,
// and nothing that a device says can prove it, since it could pass on what the right one says. So
// all of them are told and marked (AP.Also); what names several is ambiguous, and users name the
// address. What is to be given to Enrollees belongs to the address where it was learned or set, as
// long as there is more than one.
//
// An access point that got another address looks the same at first. So before the second one is
// told, the first one is asked whether it is still there: one that moved does not answer.

// maxRivals bounds how many addresses are told, and how many access points are asked, because of
// one claim.
const maxRivals = 8

// counts reports whether what an access point says to be is to be held against others'.
func (a *ap) counts() bool { return a.told && !a.Dropped }

// isRival reports whether two access points say to be the same one. One that gives no M1 does not
// say which BSSID it has.
func (a *ap) isRival(b *ap) bool {
	return a != b && a.Addr != b.Addr && a.UUID == b.UUID &&
		(a.BSSID == b.BSSID || a.BSSID.IsZero() || b.BSSID.IsZero())
}

// compare finds out anew who of those with a UUID says to be whom. joining counts, too, though it
// was not told yet; it may be nil.
func (r *Registrar) compare(now time.Time, uuid wsc.UUID, joining *ap) {
	group := r.byUUID[uuid]
	if len(group) == 1 && len(group[0].Also) == 0 && group[0] != joining {
		return
	}
	// With indices, since somebody can announce two thousand of them.
	var all []*ap
	byBSSID := make(map[wsc.MAC][]*ap)
	for _, a := range group {
		if a.counts() || a == joining {
			all, byBSSID[a.BSSID] = append(all, a), append(byBSSID[a.BSSID], a)
		}
	}
	for _, a := range slices.Clone(group) {
		if !a.counts() && a != joining {
			a.Also = nil
			continue
		}
		rivals := [][]*ap{byBSSID[a.BSSID], byBSSID[wsc.MAC{}]}
		if a.BSSID.IsZero() {
			rivals = [][]*ap{all}
		}
		r.contend(now, a, addresses(a, rivals))
	}
}

// addresses gives where the rivals of an access point are, in order.
func addresses(a *ap, rivals [][]*ap) []netip.Addr {
	var at []netip.Addr
	for _, list := range rivals {
		for _, b := range list {
			if len(at) == maxRivals {
				break
			}
			if a.isRival(b) && !slices.Contains(at, b.Addr) {
				at = append(at, b.Addr)
			}
		}
	}
	slices.SortFunc(at, netip.Addr.Compare)
	return at
}

// contend notes who else says to be an access point, and what follows for what it gives to
// Enrollees.
func (r *Registrar) contend(now time.Time, a *ap, also []netip.Addr) {
	same := slices.Equal(a.Also, also)
	a.Also = also
	has := r.settingsOf(a) != nil
	if same && a.HasSettings == has {
		return
	}
	a.HasSettings = has
	r.changed(a)
	if a.told {
		r.reselect(now, a)
		r.pump(now, a)
	}
}

// verify has those asked whether they are still there that say to be the same as a newcomer, and
// has that one wait for the answers.
func (r *Registrar) verify(now time.Time, a *ap) {
	for _, b := range slices.Clone(r.byUUID[a.UUID]) {
		if !b.counts() || !a.isRival(b) || now.Before(b.calm) {
			continue
		}
		if len(a.holds) == maxRivals {
			break
		}
		r.doubt(now, b, Unreachable)
		if r.aps[b.ID] == b {
			a.holds = append(a.holds, b)
		}
		r.pump(now, b)
	}
	if len(a.holds) > 0 {
		a.want &^= wantSubscribe
	}
}

// answers lets go on who waited for an access point: it is known whether that is still there.
func (r *Registrar) answers(now time.Time, b *ap) {
	for _, a := range slices.Clone(r.byUUID[b.UUID]) {
		n := slices.Index(a.holds, b)
		if n < 0 {
			continue
		}
		if a.holds = slices.Delete(a.holds, n, n+1); len(a.holds) == 0 {
			a.want |= wantSubscribe
			r.pump(now, a)
		}
	}
}

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

// FindAP finds an access point. The error is ErrUnknownAP, or an *Ambiguous.
func (r *Registrar) FindAP(name Name) (AP, error) {
	var used, dropped []*ap
	for _, a := range r.sorted() {
		switch {
		case !a.told || !name.fits(a):
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

// contested says that there are others; empty: there are none.
func (a *ap) contested() string {
	if len(a.Also) == 0 {
		return ""
	}
	var at []string
	for _, addr := range a.Also {
		at = append(at, addr.String())
	}
	return "another device says to be the same access point, at " + strings.Join(at, ", ") +
		": name it by its address " + a.Addr.String()
}
