package er

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"wpsd/engine/wsc"
)

// Anybody in the network can say to be an access point that is there already: the UUID and the
// BSSID are in its announcements and its M1. Whoever was heard first is not the right one for that,
// and nothing that a device says can prove it, since it could pass on what the right one says. So
// all of them are published and marked (AP.Also); what names several is ambiguous, and users name
// the address. What is to be given to Enrollees belongs to the address where it was learned or set,
// as long as there is more than one.
//
// An access point that got another address looks the same at first. So before the second one is
// published, the first one is asked whether it is still there: one that moved does not answer.

// isNamed reports whether an announcement with this UUID is an access point's.
func (a *ap) isNamed(u wsc.UUID) bool { return a.UUID == u || slices.Contains(a.names, u) }

// maxNames is how many UUIDs one description may be announced under: a router's root device has
// one, its WFADevice another.
const maxNames = 4

// identity is who an access point says to be, besides what is published of that.
type identity struct {
	// names are the UUIDs of its announcements; the description may have another one.
	names    []wsc.UUID
	noInfo   string // why it gives no M1; empty: it does
	waitsFor []*ap  // have to answer before it is subscribed to; see verify
}

// identities finds out which access points say to be the same one, and what follows from that.
type identities struct{ dispatcher }

// maxRivals bounds how many addresses are named, and how many access points are asked, because of
// one claim.
const maxRivals = 8

// counts reports whether what an access point says to be is to be held against others'.
func (a *ap) counts() bool { return a.published && !a.Dropped }

// isRival reports whether two access points say to be the same one. One that gives no M1 does not
// say which BSSID it has.
func (a *ap) isRival(b *ap) bool {
	return a != b && a.Addr != b.Addr && a.UUID == b.UUID &&
		(a.BSSID == b.BSSID || a.BSSID.IsZero() || b.BSSID.IsZero())
}

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

// onAPM1 takes the M1 of an access point.
func (r *identities) onAPM1(now time.Time, a *ap, message []byte) error {
	m1, err := wsc.ParseM1(message)
	if err != nil {
		return err
	}
	a.Device, a.HasDevice = slim(m1.Device), true
	if a.BSSID != m1.MAC {
		a.BSSID = m1.MAC
		if a.counts() {
			r.compare(now, a.UUID, a)
		}
	}
	return nil
}

// compare finds out anew who of those with a UUID says to be whom. joining counts, too, though it
// was not published yet; it may be nil.
func (r *identities) compare(now time.Time, uuid wsc.UUID, joining *ap) {
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
		r.setRivals(now, a, addresses(a, rivals))
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

// setRivals notes who else says to be an access point, and what follows for what it gives to
// Enrollees.
func (r *identities) setRivals(now time.Time, a *ap, also []netip.Addr) {
	same := slices.Equal(a.Also, also)
	a.Also = also
	has := r.settings.of(&a.AP) != nil
	if same && a.HasSettings == has {
		return
	}
	a.HasSettings = has
	r.publishChange(a)
	if a.published {
		r.reselect(now, a)
		r.pump(now, a)
	}
}

// resume lets go on who waited for an access point: it is known whether that is still there.
func (r *identities) resume(now time.Time, b *ap) {
	for _, a := range slices.Clone(r.byUUID[b.UUID]) {
		n := slices.Index(a.waitsFor, b)
		if n < 0 {
			continue
		}
		if a.waitsFor = slices.Delete(a.waitsFor, n, n+1); len(a.waitsFor) == 0 {
			a.want |= wantSubscribe
			r.pump(now, a)
		}
	}
}

// setSettings takes c over: what Enrollees of an access point are given from now on.
func (r *identities) setSettings(now time.Time, a *ap, c wsc.Credential) error {
	if err := r.settings.set(&a.AP, c); err != nil {
		return err
	}
	if !a.HasSettings {
		a.HasSettings = true
		r.publishChange(a)
	}
	r.reselect(now, a)
	return nil
}

// unindex takes an access point off the list of those with its UUID.
func (r *identities) unindex(now time.Time, a *ap) {
	same := slices.DeleteFunc(r.byUUID[a.UUID], func(o *ap) bool { return o == a })
	if len(same) == 0 {
		delete(r.byUUID, a.UUID)
	} else {
		r.byUUID[a.UUID] = same
	}
	a.Also, a.waitsFor = nil, nil
	r.resume(now, a)
}
