package er

import (
	"time"
)

// An access point that loses its power says no goodbye, and its subscription would be renewed a
// quarter of an hour later. So everybody is searched for now and then, with one datagram, and the
// subscription of who does not answer is renewed at once. With up to 160 access points one that is
// off is noticed within two minutes: the time between searches, watchAnswer, and what two requests
// may take, 31 s. Where nobody loses datagrams that costs one timer and an answer from each, 45 to
// 51 times an hour.

// searchAgain is after which times a search is repeated, since datagrams get lost. From then on see
// watch.
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
	// watchMute is for how long one is not asked again that is there and did not answer, and twice
	// that the next time.
	watchMute = 5 * time.Minute
)

// watched reports whether an access point is to answer searches.
func (a *ap) watched() bool { return a.told && a.sid != "" && !a.Dropped && a.doubt == 0 }

// watch notes, at a search, whose answers are awaited, and says when the next search is.
func (r *Registrar) watch(now time.Time) time.Time {
	r.awaited = 0
	for _, a := range r.aps {
		if a.awaited = a.watched() && !now.Before(a.patience); a.awaited {
			r.awaited++
		}
	}
	r.rounds++
	next := max(watchEvery, watchEach*time.Duration(r.lists[proven].Len()))
	if r.lists[proven].Len() > 0 {
		r.alone = 0
	} else {
		r.alone++
		next = backoff(watchEvery, r.alone, watchNobody)
	}
	r.watchAt = time.Time{}
	if r.awaited > 0 {
		r.watchAt = now.Add(watchAnswer)
	}
	// Many External Registrars that started with the same power failure shall not search together
	// for ever.
	spread := time.Duration(r.c.Device.UUID[r.rounds%len(r.c.Device.UUID)])
	return now.Add(next - next/8*spread/256)
}

// answeredSearch notes that an access point was heard: whatever it said, it is there.
func (r *Registrar) answeredSearch(a *ap) {
	a.mutes, a.patience = 0, time.Time{}
	r.forgo(a)
}

// forgo waits no longer for the answer of an access point.
func (r *Registrar) forgo(a *ap) {
	if !a.awaited {
		return
	}
	a.awaited = false
	if r.awaited--; r.awaited == 0 {
		r.watchAt = time.Time{}
	}
}
