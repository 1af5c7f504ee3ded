package search

import (
	"slices"
	"time"

	"wpsd/drivers"
	"wpsd/engine/discovery"
)

// Where to look first for whom a password can be offered to, and for whoever was named, and when to
// stop looking.
//
// A scan of all channels takes 4 to 8 s, of which a run of M1 to M8 takes 0.1 s: what a user waits
// for is the scan. So we look in slices, the most likely channels first, and stop when what was
// asked for was found:
//
//   - With a BSSID named, at the slice that shows it (PIN), or shows its button pressed (push button). The
//     user made the choice, there is nothing to compare it with.
//   - PIN with any: at the slice that shows an access point which lists our own address: its Registrar
//     was told of us. One that lists anybody (hostapd's wps_pin any, and every 1.0 access point with
//     a selected Registrar) is a weaker hint, since it may be a neighbour's that waits for somebody
//     else: it is taken once all likely channels were looked at, so that one nearby that knows us is
//     preferred. The limit: one that knows us on an unlikely channel comes second then. That costs an
//     attempt which ends before we prove anything (M2D, or a wrong first half).
//
// What was known before is only ever a hint where to look first: whom we try was heard in this
// operation, answering a request of ours.

// nextPassword is Next for everything but the button of any access point.
func (s *Search) nextPassword(now time.Time) Step {
	if step, ok := s.offer(now); ok {
		return step
	}
	return s.nextLook(now)
}

// offer finds whom to try now.
func (s *Search) offer(now time.Time) (Step, bool) {
	recent := s.sweep.Add(-Fresh)
	if recent.Before(s.began) {
		recent = s.began
	}
	recent = recent.Add(-seenSlack)
	openToAll := s.sweeps >= openSweeps && now.Sub(s.began) >= openAfter
	for _, c := range discovery.OrderPIN(s.list(), s.goal.BSSID, openToAll) {
		k := s.heard[c.BSSID]
		switch {
		case c.Seen.Before(recent), !s.tries.allowed(&c), !s.due(now, &k):
			continue
		case !s.goal.BSSID.IsZero(), c.Authorized == discovery.SelfAuthorized:
		case c.Authorized == discovery.AnyAuthorized && s.coveredLikely(now):
		case s.covered(now, func(drivers.Channel) bool { return true }):
		default:
			return Step{}, false // a weaker one than this is not taken before it either
		}
		ask, hides := s.hides(c.BSSID)
		switch {
		case ask != nil:
			return *ask, true
		case hides && s.goal.BSSID == c.BSSID:
			return Step{Err: ErrHidden}, true
		case !hides && !s.otherNetwork(&c):
			return s.try(c.BSSID), true
		}
	}
	return Step{}, false
}

func (s *Search) coveredLikely(now time.Time) bool {
	return s.covered(now, func(c drivers.Channel) bool { return likely(c, s.channels) })
}

// nextLook goes through the slices of a sweep, and pauses after it.
func (s *Search) nextLook(now time.Time) Step {
	if now.Before(s.rest) {
		return Step{Wait: s.tries.next(now, s.rest).Sub(now)}
	}
	if len(s.queue) == 0 {
		if look, ok := s.elsewhere.next(); ok && s.sweeps > 0 && s.missing() {
			return Step{Look: look}
		}
		s.queue, s.whole = s.plan()
		s.sweep = now
	}
	return Step{Look: Look{Frequencies: s.queue[0]}}
}

// missing reports whether the access point that was named was not heard, now or before.
func (s *Search) missing() bool {
	return !s.goal.BSSID.IsZero() && !s.Heard() &&
		!slices.ContainsFunc(s.hints, func(c discovery.Candidate) bool {
			return c.BSSID == s.goal.BSSID
		})
}

// plan cuts the next sweep into slices; all reports whether they cover everything.
func (s *Search) plan() (looks [][]int, all bool) {
	if len(s.channels) == 0 {
		return [][]int{nil}, true // the driver does not say: everything at once
	}
	frequencies := knownFrequencies(s.known(), s.goal.Button, s.goal.BSSID)
	if s.goal.Hint != 0 {
		frequencies = append([]int{s.goal.Hint},
			slices.DeleteFunc(frequencies, func(f int) bool { return f == s.goal.Hint })...)
	}
	frequencies = open(s.channels, frequencies)
	_, heard := s.heard[s.goal.BSSID]
	if len(frequencies) > 0 && s.narrow < narrowLooks &&
		(heard || !s.goal.BSSID.IsZero() && s.sweeps > 0) {
		return [][]int{frequencies[:1]}, false // we wait for it on its channel
	}
	return slicesOf(s.channels, frequencies), true
}

// dequeue takes in that a slice was looked at, and reports whether that was the last of everything.
func (s *Search) dequeue(now time.Time, look Look) (swept bool) {
	if len(look.SSID) > 0 || len(s.queue) == 0 {
		return false // a question of its own
	}
	s.queue = s.queue[1:]
	if len(s.queue) > 0 {
		return false
	}
	s.rest = now.Add(s.restTime(now))
	k, heard := s.heard[s.goal.BSSID]
	switch {
	case s.whole:
		s.sweeps++
		s.closed, s.narrow = true, 0
	case heard && now.Sub(k.Seen) < time.Second:
		s.narrow = 0
	default:
		s.narrow++
	}
	return s.whole
}

// restTime is how long to wait after a sweep in vain: for the button of an access point that was
// named as long as for that of any.
func (s *Search) restTime(now time.Time) time.Duration {
	if s.goal.Button {
		return min(s.pace(now), rescanPause)
	}
	return rescanPause
}
