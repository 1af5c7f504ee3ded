package discovery

import (
	"bytes"
	"cmp"
	"errors"
	"slices"
	"strings"

	"wpsd/engine/wsc"
)

// ErrNone means that no access point fits yet: look again.
var ErrNone = errors.New("discovery: no access point is ready")

// OverlapError means that more than one access point has its button pressed. It is not known which
// one the user meant, and one of them may be an attacker's: the run must end.
type OverlapError struct {
	BSSIDs []wsc.MAC // strongest signal first
}

// Error implements error.
func (e *OverlapError) Error() string {
	names := make([]string, len(e.BSSIDs))
	for i, m := range e.BSSIDs {
		names[i] = m.String()
	}
	return "discovery: session overlap: the button is pressed on " + strings.Join(names, " and ")
}

// PickPBC returns the BSSs of the access point whose button is pressed, strongest first: ErrNone if
// there is none yet, *OverlapError if there are several access points. With want set, the user
// named the access point and others are not looked at (hostap test pbc_overlap_2ap_specific_bssid).
//
// cs should hold everything heard since the run began: an overlap seen once stays one.
func PickPBC(cs []Candidate, want wsc.MAC) ([]Candidate, error) {
	active := pressed(cs, want)
	if len(active) == 0 {
		return nil, ErrNone
	}
	for i := range active {
		for j := range i {
			if !SameAP(&active[i], &active[j]) {
				return nil, overlap(active)
			}
		}
	}
	return active, nil
}

// pressed returns the candidates with an active button, the newest of each BSSID, strongest first.
// Of two equally strong the higher band is preferred, then the lower address, so that the same
// results give the same choice.
func pressed(cs []Candidate, want wsc.MAC) []Candidate {
	var active []Candidate
	for _, c := range newest(cs) {
		if c.Class == PBC && (want.IsZero() || c.BSSID == want) {
			active = append(active, c)
		}
	}
	slices.SortFunc(active, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(b.Signal, a.Signal), cmp.Compare(b.Frequency, a.Frequency),
			bytes.Compare(a.BSSID[:], b.BSSID[:]))
	})
	return active
}

// newest returns cs with only the newest entry of each BSSID, sorted by BSSID.
func newest(cs []Candidate) []Candidate {
	sorted := slices.Clone(cs)
	slices.SortStableFunc(sorted, func(a, b Candidate) int {
		return cmp.Or(bytes.Compare(a.BSSID[:], b.BSSID[:]), b.Seen.Compare(a.Seen))
	})
	return slices.CompactFunc(sorted, func(a, b Candidate) bool { return a.BSSID == b.BSSID })
}

// SameAP reports whether two BSSs are one access point, which has one button. They are if they have
// the same UUID-E (wpa_supplicant 2.10; one without UUID-E is different from all), whatever their
// band and their names: guest networks, radios with names of their own and the nodes of a mesh are
// one router. Anybody can send the UUID-E of somebody else, too, as they can send anything here: this
// is no authentication.
func SameAP(a, b *Candidate) bool {
	return a.Ad.HasUUIDE && b.Ad.HasUUIDE && a.Ad.UUIDE == b.Ad.UUIDE && a.Ad.UUIDE != (wsc.UUID{})
}

func overlap(active []Candidate) *OverlapError {
	e := &OverlapError{BSSIDs: make([]wsc.MAC, len(active))}
	for i, c := range active {
		e.BSSIDs[i] = c.BSSID
	}
	return e
}
