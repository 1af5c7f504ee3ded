package search

import (
	"time"

	"wpsd/engine/discovery"
	"wpsd/engine/wsc"
)

// Outcome is how an attempt failed.
type Outcome uint8

// The outcomes.
const (
	Refused   Outcome = iota + 1 // the association was refused, or not answered: there was no run
	Silent                       // associated, and no run began
	Broken                       // a run began, and the link was lost or nothing more came
	Dismissed                    // the access point ended it, and gave no reason
	// the access point ended it with a reason, or has no password for us (M2D)
	Declined
	WrongFirst  // the first half of the password was proved wrong
	WrongSecond // the second half was
)

const (
	// maxBroken is how often a run that an access point breaks off, or dismisses, is begun again
	// where it is the access point's own PIN that is tried: it may count that as a guess.
	maxBroken = 3
	// maxDismissed is the same for an access point whose button is pressed, and which says no each
	// time.
	maxDismissed = 3
	// maxWrong bounds how many routers may prove themselves wrong about a PIN: each could be an
	// attacker's, and has had one guess at the first half. After as many again of those that list
	// our own address it is over.
	maxWrong = 3
	// maxPauses bounds the list: an attacker may show a new BSSID at every try.
	maxPauses = 256
)

// pauses are how long an access point that did not let us in is left alone, by the number of
// failures: not long, since it may have room in a moment. wpa_supplicant 2.10 waits 0.1, 0.5, 1, 5
// and then 10 s, and scans all channels between.
var pauses = []time.Duration{200 * time.Millisecond, 500 * time.Millisecond, time.Second,
	2 * time.Second}

// brokenPauses are those after a run with a password that broke off: hostapd's Registrar lets a PIN
// for anybody be tried twice only, so the second time should be a good one. wpa_supplicant waits 5
// to 10 s.
var brokenPauses = []time.Duration{3 * time.Second, 10 * time.Second}

// pause is what attempts with one access point that may be tried again have come to.
type pause struct {
	count  int
	failed time.Time // the newest
	until  time.Time
}

// attempts remembers failed attempts.
type attempts struct {
	pauses    map[wsc.MAC]pause
	ignored   discovery.Ignored // who has no password for us
	wrong     map[wsc.MAC]bool  // who has another password than ours: never tried again
	routers   map[wsc.UUID]bool // the same, for their other BSSs
	guesses   int               // routers that are wrong
	broken    int
	dismissed int
	silent    bool // an access point let us associate, and no run began
}

func newAttempts() attempts {
	return attempts{pauses: make(map[wsc.MAC]pause), wrong: make(map[wsc.MAC]bool),
		routers: make(map[wsc.UUID]bool)}
}

// Failed takes in how the attempt with an access point failed, and reports whether the search is
// over with that.
//
// Whoever was not let in, or lost the link, tries again until the walk time ends, as long as the
// button is shown as pressed or the PIN was not proved wrong: full access points get room, and
// frames get lost. A push button is answered once: what the access point says in that run is the
// end. A PIN is known to one Registrar, which may be behind any access point, so others are tried;
// not after a wrong second half, since the first is known over there by then.
func (s *Search) Failed(now time.Time, m wsc.MAC, o Outcome) (over bool) {
	s.queue, s.closed = nil, false // the next look begins with what is known
	t, named := &s.tries, !s.goal.BSSID.IsZero()
	switch o {
	case Refused, Silent:
		t.silent = t.silent || o == Silent
		t.pause(now, m, pauses)
	case Broken:
		t.broken++
		if s.goal.Button {
			t.pause(now, m, pauses)
		} else {
			t.pause(now, m, brokenPauses)
		}
		return s.goal.Registrar && t.broken >= maxBroken
	case Dismissed:
		t.dismissed++
		if !s.goal.Button {
			return s.declined(now, m)
		}
		t.pause(now, m, pauses)
		return t.dismissed >= maxDismissed
	case Declined:
		return s.declined(now, m)
	case WrongFirst:
		t.mistake(m, s.heard[m].Ad)
		return s.goal.Button || named || t.guesses >= 2*maxWrong
	case WrongSecond:
		return true
	}
	return false
}

func (s *Search) declined(now time.Time, m wsc.MAC) (over bool) {
	if s.goal.Button || s.goal.Registrar {
		return true
	}
	s.tries.ignored.Fail(now, m)
	return false
}

// pause leaves an access point alone for a moment.
func (t *attempts) pause(now time.Time, m wsc.MAC, pauses []time.Duration) {
	if _, known := t.pauses[m]; !known && len(t.pauses) >= maxPauses {
		clear(t.pauses)
	}
	p := t.pauses[m]
	p.until = now.Add(pauses[min(p.count, len(pauses)-1)])
	p.count++
	p.failed = now
	t.pauses[m] = p
}

// next is when the first pause ends, or else the given time.
func (t *attempts) next(now, until time.Time) time.Time {
	for _, p := range t.pauses {
		if p.until.After(now) && p.until.Before(until) {
			until = p.until
		}
	}
	return until
}

// mistake notes that an access point has another password than ours.
func (t *attempts) mistake(m wsc.MAC, ad *wsc.Advertisement) {
	t.wrong[m] = true
	if ad != nil && ad.HasUUIDE {
		if t.routers[ad.UUIDE] {
			return
		}
		t.routers[ad.UUIDE] = true
	}
	t.guesses++
}

// ready takes an access point off the list of those without a password for us: it waits for
// somebody now.
func (t *attempts) ready(m wsc.MAC) { t.ignored.Forget(m) }

// allowed reports whether an access point may have our password at all. One that lists our own
// address is exempt from the bounds that are for strangers: anybody can send the UUID of another
// router.
func (t *attempts) allowed(c *discovery.Candidate) bool {
	switch {
	case t.wrong[c.BSSID]:
		return false
	case c.Authorized == discovery.SelfAuthorized:
		return true
	}
	return t.guesses < maxWrong && !(c.Ad.HasUUIDE && t.routers[c.Ad.UUIDE])
}

// due reports whether an access point may be tried now: its pause is over, and it was heard since.
func (s *Search) due(now time.Time, k *sighting) bool {
	p := s.tries.pauses[k.BSSID]
	return !now.Before(p.until) && !k.look.Before(p.failed) &&
		!s.tries.ignored.Blocked(now, k.BSSID)
}
