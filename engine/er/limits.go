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

func (l *allowance) take(now time.Time, burst, perSecond float64) bool {
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

// maxFlappers bounds the addresses whose coming and going is counted.
const maxFlappers = 1024

// gone notes that an access point which was told is not told any more. Who goes and comes all the
// time keeps all busy that listen, and costs four requests each time: an address is back eight
// times at once, and once in ten seconds in the long run. It is heard again at the next search
// after that.
func (r *Registrar) gone(now time.Time, at netip.Addr) {
	if _, known := r.flappers[at]; !known && len(r.flappers) >= maxFlappers {
		for other, l := range r.flappers {
			if now.Sub(l.at) >= 80*time.Second {
				delete(r.flappers, other) // it has its whole allowance again
			}
		}
		if len(r.flappers) >= maxFlappers {
			return
		}
	}
	l := r.flappers[at]
	l.take(now, 8, 0.1)
	r.flappers[at] = l
}

// flaps reports whether an address has come back so often that it has to wait.
func (r *Registrar) flaps(now time.Time, at netip.Addr) bool {
	l, known := r.flappers[at]
	return known && l.left+now.Sub(l.at).Seconds()*0.1 < 1
}

// mayAppear bounds how many devices appear or change only because they looked for access points, so
// that nobody who makes up addresses keeps all that are told of them busy. hostapd passes on five
// Probe Requests a second. Those that begin to enrol have an allowance of their own, which no real
// access point uses up: each takes seconds.
func (r *Registrar) mayAppear(now time.Time, a *ap) bool {
	return a.newcomers.take(now, maxAPEnrollees, 5) && r.newcomers.take(now, 512, 100)
}
