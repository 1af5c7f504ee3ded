package service

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"wpsd/drivers"
	"wpsd/service/state"
)

// maxBSSs bounds how many BSSs of an interface are kept with their elements.
const maxBSSs = 512

// BSS is any access point as last heard, also one without WPS, under a number that it keeps while
// it is heard.
type BSS struct {
	ID uint32
	drivers.BSS
}

// air is all that an interface's scans have heard. Service.mu guards it. AccessPoint events tell of
// those with WPS only; this is for who wants to see everything.
type air struct {
	bsss map[[6]byte]BSS
	next uint32
}

// heard takes in what a scan returned, and forgets what was not heard for long.
func (a *air) heard(found []drivers.BSS, now time.Time) {
	if a.bsss == nil {
		a.bsss = make(map[[6]byte]BSS)
	}
	for _, b := range found {
		old, known := a.bsss[b.BSSID]
		switch {
		case known && !b.Seen.After(old.Seen), now.Sub(b.Seen) > staleAfter:
		case known:
			a.bsss[b.BSSID] = BSS{ID: old.ID, BSS: b}
		case len(a.bsss) < maxBSSs:
			a.bsss[b.BSSID] = BSS{ID: a.next, BSS: b}
			a.next++
		}
	}
	maps.DeleteFunc(a.bsss, func(_ [6]byte, b BSS) bool { return now.Sub(b.Seen) > staleAfter })
}

// BSSs lists every access point that was heard on an interface within the last three minutes, in
// the order in which they were heard first. Their elements are shared: not to be changed.
func (s *Service) BSSs(ifname string) ([]BSS, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, ok := s.interfaces[ifname]
	if !ok {
		return nil, fmt.Errorf("%w (%q)", state.ErrNoInterface, ifname)
	}
	return slices.SortedFunc(maps.Values(i.air.bsss), func(a, b BSS) int {
		return cmp.Compare(a.ID, b.ID)
	}), nil
}
