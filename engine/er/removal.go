package er

import (
	"container/heap"
	"slices"
	"time"
)

// rerank moves an access point to the list it belongs into now. If that is full, the one that was
// silent the longest goes.
func (r *Registrar) rerank(now time.Time, a *ap, to rank) {
	if a.place != nil {
		r.lists[a.rank].Remove(a.place)
	}
	a.rank = to
	a.place = r.lists[to].PushBack(a)
	if r.lists[to].Len() <= bounds[to] {
		return
	}
	oldest := r.lists[to].Front().Value.(*ap)
	for e := r.lists[to].Front(); e != nil && oldest.run != nil; e = e.Next() {
		oldest = e.Value.(*ap) // one that is being learned is not silent, merely not heard
	}
	if oldest != a {
		r.remove(now, oldest, Evicted)
	}
}

// remove ends what is left of an access point. One that may still be there is told.
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
	delete(r.aps, a.ID)
	r.forgo(a)
	r.lists[a.rank].Remove(a.place)
	if a.index >= 0 {
		heap.Remove(&r.timers, a.index)
	}
	a.host.aps = slices.DeleteFunc(a.host.aps, func(o *ap) bool { return o == a })
	if len(a.host.aps) == 0 && a.host.busy == 0 {
		delete(r.hosts, a.host.addr)
	}
	sid := a.sid
	r.unsubscribed(a)
	told := a.told
	if told || why == Byebye || why == Evicted || why == Expired || why == Unreachable {
		r.gone(now, a.Addr)
	}
	if told {
		a.told = false
		r.tell(APRemoved{a.snapshot(), why})
	}
	r.unindex(now, a)
	if told {
		r.compare(now, a.UUID, nil)
	}
	for _, id := range r.grantsInOrder() {
		if g := r.grants[id]; g.scope == a.ID {
			r.endGrant(now, g, ended{ap: a.ID, err: ErrAPGone})
		}
	}
	a.want, a.retryAt = 0, time.Time{}
	if why == Byebye || why == Expired || why == Unreachable || why == Replaced || sid == "" {
		a.outbox = nil
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
	if !a.told && !r.droppings.take(now, 64, 1) {
		// somebody announces ever new devices that misbehave: enough is told of them
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
	a.calm = now.Add(backoff(time.Minute, a.refusals, 15*time.Minute))
	a.Dropped, a.Problem, a.failures = true, problem, 0
	a.doubt, a.again = 0, nil // nothing is asked any more
	r.rerank(now, a, dropped)
	r.say(a)
	r.compare(now, a.UUID, nil)
	r.answers(now, a)
}
