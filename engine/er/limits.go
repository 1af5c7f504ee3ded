package er

import (
	"net/netip"
	"time"
)

// Bounds. Whatever is above them, the oldest silent one goes first.
const (
	maxAPs          = 4096 // that are ready; controlpoint has as many subscriptions
	maxStrangers    = 2048 // that were announced and did not answer yet
	maxDropped      = 256  // that are kept only to say why they are not used
	maxPerHost      = 8    // of one address
	maxEnrollees    = 2048 // in all
	maxAPEnrollees  = 32   // of one access point
	maxStations     = 8    // runs with Enrollees of one access point at a time
	maxOutbox       = 16   // messages that wait for one access point
	maxSettings     = 1024 // access points whose settings are kept, here or not
	maxBackground   = 192  // requests under way besides those of runs; controlpoint has 256
	maxSuspects     = 96   // of these to addresses that did not answer before
	maxHostRequests = 2    // of these to one address; controlpoint lets the others wait
)

// allowance is how many of something may come: a number at once, and so many each second. The zero
// allowance is full.
type allowance struct {
	left float64
	at   time.Time
}

func (l *allowance) allow(now time.Time, burst, perSecond float64) bool {
	if l.at.IsZero() {
		l.left = burst
	}
	l.left, l.at = min(burst, l.left+now.Sub(l.at).Seconds()*perSecond), now
	if l.left < 1 {
		return false
	}
	l.left--
	return true
}

// backoff doubles a time with every failure after the first.
func backoff(first time.Duration, failures int, most time.Duration) time.Duration {
	for ; failures > 1 && first < most; failures-- {
		first *= 2
	}
	return min(first, most)
}

// limits bounds what everybody in the network together can have us do or publish.
type limits struct {
	newcomers   allowance                // Enrollees that look for access points
	beginners   allowance                // Enrollees that begin to enrol
	moves       allowance                // of our address
	misbehaving allowance                // devices that are of no use from the start
	departures  map[netip.Addr]allowance // addresses whose access point went
}

// maxDepartures bounds the addresses whose coming and going is counted.
const maxDepartures = 1024

// departed notes that an access point which was published is no longer. Who goes and comes all the
// time keeps all busy that listen, and costs four requests each time: an address is back eight
// times at once, and once in ten seconds in the long run. It is heard again at the next search
// after that.
func (l *limits) departed(now time.Time, at netip.Addr) {
	if _, known := l.departures[at]; !known && len(l.departures) >= maxDepartures {
		for other, d := range l.departures {
			if now.Sub(d.at) >= 80*time.Second {
				delete(l.departures, other) // it has its whole allowance again
			}
		}
		if len(l.departures) >= maxDepartures {
			return
		}
	}
	d := l.departures[at]
	d.allow(now, 8, 0.1)
	l.departures[at] = d
}

// returnsTooOften reports whether an address has come back so often that it has to wait.
func (l *limits) returnsTooOften(now time.Time, at netip.Addr) bool {
	d, known := l.departures[at]
	return known && d.left+now.Sub(d.at).Seconds()*0.1 < 1
}

// mayAppear bounds how many devices appear or change only because they looked for access points, so
// that nobody who makes up addresses keeps all that follow them busy. hostapd passes on five Probe
// Requests a second.
func (l *limits) mayAppear(now time.Time, at *hearing) bool {
	return at.newcomers.allow(now, maxAPEnrollees, 5) && l.newcomers.allow(now, 512, 100)
}

// mayEnrol bounds how many begin to enrol: an allowance of their own, which no real access point
// uses up, since each takes seconds.
func (l *limits) mayEnrol(now time.Time, at *hearing) bool {
	return at.beginners.allow(now, maxAPEnrollees, 10) && l.beginners.allow(now, 512, 100)
}

// mayMove bounds how often a change of our address is acted on.
func (l *limits) mayMove(now time.Time) bool {
	return l.moves.allow(now, 4, 1/moveEvery.Seconds())
}

// moveEvery is how often a change of our address is acted on in the long run: each has all access
// points subscribed to anew.
const moveEvery = 10 * time.Second

// mayMisbehave bounds how many devices are published only to say that they are of no use.
func (l *limits) mayMisbehave(now time.Time) bool { return l.misbehaving.allow(now, 64, 1) }
