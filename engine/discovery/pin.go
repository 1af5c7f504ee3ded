package discovery

import (
	"bytes"
	"cmp"
	"slices"

	"wpsd/engine/wsc"
)

// OrderPIN returns the access points to offer a PIN, or another device password than the button,
// to, the most promising first: those that list our address, those that wait for anybody, then
// those with a selected Registrar, then the strongest.
//
// Without openToAll only access points that wait for us or for anybody are returned; a caller that
// has looked in vain a few times sets it to try all the others too (wpa_supplicant does after three
// scans and five seconds). With want set the user named the access point: it is returned, ready or
// not, because its Registrar may ask for our PIN only once it has seen us.
func OrderPIN(cs []Candidate, want wsc.MAC, openToAll bool) []Candidate {
	var order []Candidate
	for _, c := range newest(cs) {
		switch {
		case c.Class == None, c.Unreadable:
		case !want.IsZero():
			if c.BSSID == want {
				order = append(order, c)
			}
		case c.Authorized != NotAuthorized, openToAll:
			order = append(order, c)
		}
	}
	slices.SortStableFunc(order, func(a, b Candidate) int {
		return cmp.Or(
			cmp.Compare(b.Authorized, a.Authorized),
			cmp.Compare(selected(&b), selected(&a)),
			cmp.Compare(b.Signal, a.Signal),
			cmp.Compare(b.Frequency, a.Frequency),
			bytes.Compare(a.BSSID[:], b.BSSID[:]),
		)
	})
	return order
}

// selected ranks a selected Registrar above none, and one that waits for a password above one that
// waits for the button and lets anybody in with that alone.
func selected(c *Candidate) int {
	switch {
	case !c.Ad.SelectedRegistrar:
		return 0
	case c.Class == PBC:
		return 1
	}
	return 2
}
