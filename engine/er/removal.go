package er

import (
	"time"
)

// rerank moves an access point to the list it belongs into now. If that is full, the one that was
// silent the longest goes.
func (r *Registrar) rerank(now time.Time, a *ap, to rank) {
	if oldest := r.enlist(a, to); oldest != nil && oldest != a {
		r.remove(now, oldest, Evicted)
	}
}

// remove ends what is left of an access point. One that may still be there hears so.
func (r *Registrar) remove(now time.Time, a *ap, why Reason) {
	if r.aps[a.ID] != a {
		return
	}
	r.endAPRun(now, a, ErrAPGone)
	for _, s := range a.stationsInOrder() {
		r.endStation(now, s, ErrAPGone)
	}
	for _, e := range a.enrolleesInOrder() {
		r.removeEnrollee(e)
	}
	r.extract(a)
	sid := a.sid
	r.unsubscribed(a)
	published := a.published
	if published || why == Byebye || why == Evicted || why == Expired || why == Unreachable {
		r.departed(now, a.Addr)
	}
	if published {
		a.published = false
		r.publish(APRemoved{a.snapshot(), why})
	}
	r.unindex(now, a)
	if published {
		r.compare(now, a.UUID, nil)
	}
	for _, id := range r.grantsInOrder() {
		if g := r.grants[id]; g.scope == a.ID {
			r.endGrant(now, g, runEnd{ap: a.ID, err: ErrAPGone})
		}
	}
	a.want, a.retryAt = 0, time.Time{}
	if why == Byebye || why == Expired || why == Unreachable || why == Replaced || sid == "" {
		a.messages = nil
		return
	}
	a.sid = sid
	a.want = wantUnsubscribe
	if a.selected != nil {
		a.want |= wantSelect
	}
	r.leaving[a] = struct{}{}
	r.pump(now, a)
}

// drop stops using a device that misbehaves, and keeps it to say why. It has another chance when it
// announces itself some time later.
func (r *Registrar) drop(now time.Time, a *ap, problem string) {
	if !a.published && !r.mayMisbehave(now) {
		// somebody announces ever new devices that misbehave: enough of them were published
		r.remove(now, a, Evicted)
		return
	}
	r.endAPRun(now, a, ErrDropped)
	for _, s := range a.stationsInOrder() {
		r.endStation(now, s, ErrDropped)
	}
	a.want = 0
	if a.sid != "" {
		sid := a.sid
		r.unsubscribed(a)
		a.sid, a.want = sid, wantUnsubscribe
	}
	a.refusals++
	a.askAgainAt = now.Add(backoff(time.Minute, a.refusals, 15*time.Minute))
	a.Dropped, a.Problem, a.failures = true, problem, 0
	a.doubt, a.meanwhile = 0, nil // nothing is asked any more
	r.rerank(now, a, dropped)
	r.publishAP(a)
	r.compare(now, a.UUID, nil)
	r.resume(now, a)
}
