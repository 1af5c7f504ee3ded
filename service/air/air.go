package air

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"wpsd/drivers"
	"wpsd/engine/discovery"
	"wpsd/engine/wsc"
	"wpsd/service/search"
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

// Air is all that was heard on one interface, by our scans and by those of others. AccessPoint
// events tell of those with WPS only; BSSs is for who wants to see everything. Its methods are safe
// for concurrent use; its lock is taken before that of state.Published.
type Air struct {
	published *state.Published
	ifname    string

	mu           sync.Mutex
	gone         bool // the interface is: nothing is told any more
	bsss         map[[6]byte]BSS
	next         uint32
	accessPoints map[wsc.MAC]*accessPoint
	looked       map[int]time.Time // by frequency: when the newest look began
}

// New is of an interface on which nothing was heard yet.
func New(p *state.Published, ifname string) *Air {
	return &Air{published: p, ifname: ifname, bsss: make(map[[6]byte]BSS),
		accessPoints: make(map[wsc.MAC]*accessPoint), looked: make(map[int]time.Time)}
}

// CandidateOf is a BSS as the search sees it; false: it has no WPS. own is the address that asks.
func CandidateOf(b *drivers.BSS, own wsc.MAC) (search.Candidate, bool) {
	k, ok := discovery.FromBSS(b.BSSID, b.Frequency, b.Signal, b.Seen, b.IEs, b.Privacy, own)
	return search.Candidate{Candidate: k, Privacy: b.Privacy}, ok
}

// Heard takes in what was heard: list is all of it, found those with WPS that are news. The look at
// these frequencies began at start; without any nobody knows where somebody listened in vain, unless
// OthersLooked says so.
func (a *Air) Heard(list []drivers.BSS, frequencies []int, start time.Time,
	found []search.Candidate) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.gone { // while its session was still looking
		return
	}
	a.heardAll(list, time.Now())
	a.heardAccessPoints(frequencies, start, found)
}

// heardAll takes in what a scan returned, and forgets what was not heard for long. The caller holds
// mu.
func (a *Air) heardAll(list []drivers.BSS, now time.Time) {
	for _, b := range list {
		old, known := a.bsss[b.BSSID]
		switch {
		case known && !b.Seen.After(old.Seen), now.Sub(b.Seen) > StaleAfter:
		case known:
			a.bsss[b.BSSID] = BSS{ID: old.ID, BSS: b}
		case len(a.bsss) < maxBSSs:
			a.bsss[b.BSSID] = BSS{ID: a.next, BSS: b}
			a.next++
		}
	}
	maps.DeleteFunc(a.bsss, func(_ [6]byte, b BSS) bool { return now.Sub(b.Seen) > StaleAfter })
}

// BSSs lists every access point that was heard within the last three minutes, in the order in which
// they were heard first. Their elements are shared: not to be changed.
func (a *Air) BSSs() []BSS {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.SortedFunc(maps.Values(a.bsss), func(x, y BSS) int {
		return cmp.Compare(x.ID, y.ID)
	})
}

// Looked says by frequency when the newest look began.
func (a *Air) Looked() map[int]time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.looked)
}

// OthersLooked takes in when scans of others began that looked at channels, by frequency. What they
// heard there was taken in before.
func (a *Air) OthersLooked(looked map[int]time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for f, began := range looked {
		if began.After(a.looked[f]) {
			a.looked[f] = began
		}
	}
}

// ScanDone tells that everything was looked at, or that this failed.
func (a *Air) ScanDone(success bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.gone {
		a.published.Publish(state.ScanDone{Interface: a.ifname, Success: success})
	}
}

// End tells that all access points are gone, since the interface is, and tells nothing afterwards.
func (a *Air) End() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.gone = true
	for bssid := range a.accessPoints {
		a.removeAccessPoint(bssid)
	}
}
