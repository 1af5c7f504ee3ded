package er

import (
	"slices"
	"time"

	"wpsd/engine/upnp"
)

// liveness is what is known about whether an access point is still there: by its announcements, by
// its answers to searches, and by what it says when it is asked.
//
//	trusted ── byebye, moved, silent ──▶ doubt ── answers ──▶ trusted
//	                                       └── does not answer ──▶ removed
type liveness struct {
	maxAge     time.Duration
	doubt      Reason             // why it is asked whether it is still there; 0: it is not
	meanwhile  *upnp.Announcement // what was announced during the doubt
	askAgainAt time.Time          // before that it is not asked, whatever is announced

	awaited      bool      // its answer to the latest search
	unanswered   int       // searches in a row that it did not answer and was there all the same
	excusedUntil time.Time // until then no answer is awaited
}

// askAgainAfter is for how long an access point that said it is there is not asked again, whatever
// is announced of it.
const askAgainAfter = 10 * time.Second

// announced takes over where the description is and how long that holds. The path is copied: it is
// part of a datagram.
func (a *ap) announced(now time.Time, n upnp.Announcement) {
	a.Location = copyURL(n.Location)
	a.maxAge = n.MaxAge
	a.Expires = now.Add(n.MaxAge)
}

// doubt asks an access point whether it is still there. One that was not published yet, or is not
// used, is believed to be gone.
func (r *Registrar) doubt(now time.Time, a *ap, why Reason) {
	switch {
	case a.doubt != 0:
		a.Expires = now.Add(time.Minute) // it still waits for its turn
	case !a.published || a.Dropped:
		again := a.meanwhile
		r.remove(now, a, why)
		if again != nil {
			r.onAnnouncement(now, *again)
		}
	default:
		a.doubt = why
		if a.want |= wantRenew; a.sid == "" {
			a.want = a.want&^wantRenew | wantInfo
		}
		a.Expires = now.Add(time.Minute) // it will be known by then
		a.retryAt = time.Time{}
		r.arm(a)
	}
}

// endDoubt ends a doubt.
func (r *Registrar) endDoubt(now time.Time, a *ap, there bool) {
	why, again := a.doubt, a.meanwhile
	a.doubt, a.meanwhile = 0, nil
	if !there {
		r.remove(now, a, why)
		if again != nil {
			r.onAnnouncement(now, *again)
		}
		return
	}
	a.askAgainAt = now.Add(askAgainAfter)
	r.resume(now, a)
	if again != nil {
		a.maxAge = again.MaxAge
	}
	a.Expires = now.Add(max(a.maxAge, time.Minute))
}

// missed asks those that did not answer. Some never answer a search: they are not asked every time.
func (r *Registrar) missed(now time.Time) {
	if at := r.search.missedAt; at.IsZero() || now.Before(at) {
		return
	}
	for _, a := range r.sorted() {
		if !a.awaited {
			continue
		}
		r.search.stopAwaiting(&a.liveness)
		if a.watched() {
			a.unanswered++
			a.excusedUntil = now.Add(backoff(watchExcused, a.unanswered, watchNobody))
			a.want |= wantRenew
			r.pump(now, a)
		}
	}
}

// verify has those asked whether they are still there that say to be the same as a newcomer, and
// has that one wait for the answers.
func (r *Registrar) verify(now time.Time, a *ap) {
	for _, b := range slices.Clone(r.byUUID[a.UUID]) {
		if !b.counts() || !a.isRival(b) || now.Before(b.askAgainAt) {
			continue
		}
		if len(a.waitsFor) == maxRivals {
			break
		}
		r.doubt(now, b, Unreachable)
		if r.aps[b.ID] == b {
			a.waitsFor = append(a.waitsFor, b)
		}
		r.pump(now, b)
	}
	if len(a.waitsFor) > 0 {
		a.want &^= wantSubscribe
	}
}
