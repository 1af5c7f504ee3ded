package er

import (
	"slices"
	"time"
)

// calmTime is for how long an access point that said it is there is not asked again, whatever is
// announced of it.
const calmTime = 10 * time.Second

// doubt asks an access point whether it is still there. One that was not told yet, or is not used,
// is believed to be gone.
func (r *Registrar) doubt(now time.Time, a *ap, why Reason) {
	switch {
	case a.doubt != 0:
		a.Expires = now.Add(time.Minute) // it still waits for its turn
	case !a.told || a.Dropped:
		again := a.again
		r.remove(now, a, why)
		if again != nil {
			r.heard(now, *again)
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

// settle ends a doubt.
func (r *Registrar) settle(now time.Time, a *ap, there bool) {
	why, again := a.doubt, a.again
	a.doubt, a.again = 0, nil
	if !there {
		r.remove(now, a, why)
		if again != nil {
			r.heard(now, *again)
		}
		return
	}
	a.calm = now.Add(calmTime)
	r.answers(now, a)
	if again != nil {
		a.maxAge = again.MaxAge
	}
	a.Expires = now.Add(max(a.maxAge, time.Minute))
}

// missed asks those that did not answer. Some never answer a search: they are not asked every time.
func (r *Registrar) missed(now time.Time) {
	if r.watchAt.IsZero() || now.Before(r.watchAt) {
		return
	}
	for _, a := range r.sorted() {
		if !a.awaited {
			continue
		}
		r.forgo(a)
		if a.watched() {
			a.mutes++
			a.patience = now.Add(backoff(watchMute, a.mutes, watchNobody))
			a.want |= wantRenew
			r.pump(now, a)
		}
	}
}

// verify has those asked whether they are still there that say to be the same as a newcomer, and
// has that one wait for the answers.
func (r *Registrar) verify(now time.Time, a *ap) {
	for _, b := range slices.Clone(r.byUUID[a.UUID]) {
		if !b.counts() || !a.isRival(b) || now.Before(b.calm) {
			continue
		}
		if len(a.holds) == maxRivals {
			break
		}
		r.doubt(now, b, Unreachable)
		if r.aps[b.ID] == b {
			a.holds = append(a.holds, b)
		}
		r.pump(now, b)
	}
	if len(a.holds) > 0 {
		a.want &^= wantSubscribe
	}
}
