package er

import (
	"time"

	"wpsd/engine/wsc"
)

// An access point that loses its power says no goodbye, and its subscription would be renewed a
// quarter of an hour later. So everybody is searched for now and then, with one datagram, and the
// subscription of who does not answer is renewed at once. With up to 160 access points one that is
// off is noticed within two minutes: the time between searches, watchAnswer, and what two requests
// may take, 31 s. Where nobody loses datagrams that costs one timer and an answer from each, 45 to
// 51 times an hour.

// search is when everybody is searched for, and who has not answered.
type search struct {
	at        time.Time // of the next one; zero: there is none
	repeats   int       // of the first one so far; see searchAgain
	rounds    int       // that watch
	fruitless int       // of these, in a row, with nobody there
	awaited   int       // answers to the latest one
	missedAt  time.Time // when these are missed; zero: none is awaited
}

// begin searches now, and repeats that.
func (s *search) begin(now time.Time) { s.repeats, s.at = 0, now }

// stop ends searching.
func (s *search) stop() { s.at, s.missedAt = time.Time{}, time.Time{} }

// due reports whether it is time to search.
func (s *search) due(now time.Time) bool { return !s.at.IsZero() && !now.Before(s.at) }

// searchAgain is after which times a search is repeated, since datagrams get lost. From then on see
// next.
var searchAgain = []time.Duration{1500 * time.Millisecond, 4 * time.Second}

const (
	// watchEvery is the longest time between two searches of a few access points, and watchEach
	// what each takes in a larger network: the answers of a thousand are eight thousand datagrams
	// (hostap sends eight each).
	watchEvery = 80 * time.Second
	watchEach  = 500 * time.Millisecond
	// watchNobody is the longest time between two searches while there is nobody to watch.
	watchNobody = 15 * time.Minute
	// watchAnswer is by when an answer came: we ask for it within a second (MX), which not all
	// keep.
	watchAnswer = 3 * time.Second
	// watchExcused is for how long one is not asked again that is there and did not answer, and
	// twice that the next time.
	watchExcused = 5 * time.Minute
)

// next begins the round that follows a search, and says when the next search is. ready is how many
// access points have answered something so far, self is us.
func (s *search) next(now time.Time, ready int, self wsc.UUID) time.Time {
	s.rounds++
	next := max(watchEvery, watchEach*time.Duration(ready))
	if ready > 0 {
		s.fruitless = 0
	} else {
		s.fruitless++
		next = backoff(watchEvery, s.fruitless, watchNobody)
	}
	s.missedAt = time.Time{}
	if s.awaited > 0 {
		s.missedAt = now.Add(watchAnswer)
	}
	// Many External Registrars that started with the same power failure shall not search together
	// for ever.
	spread := time.Duration(self[s.rounds%len(self)])
	return now.Add(next - next/8*spread/256)
}

// answered notes that an access point was heard: whatever it said, it is there.
func (s *search) answered(l *liveness) {
	l.unanswered, l.excusedUntil = 0, time.Time{}
	s.stopAwaiting(l)
}

// stopAwaiting waits no longer for the answer of an access point.
func (s *search) stopAwaiting(l *liveness) {
	if !l.awaited {
		return
	}
	l.awaited = false
	if s.awaited--; s.awaited == 0 {
		s.missedAt = time.Time{}
	}
}
