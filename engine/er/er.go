// Package er is an External Registrar: it finds access points over UPnP, learns and configures
// them, hears through them what devices want in, and lets in those that users allowed.
//
// It does no I/O: it is told what arrived and what time it is, and answers with Actions: search,
// send a request, publish an event. drivers/controlpoint carries them out. Each access point has at
// most one request under way, so that messages of a run cannot overtake each other; none waits for
// another one.
//
// An access point from the first announcement on:
//
//	Heard ── description ── GetDeviceInfo ── SUBSCRIBE ──▶ APAdded ── renewals, events, runs ──▶ APRemoved
//	              └───────────────┴── of no use ──▶ APAdded (Dropped, with the Problem)
//
// Everybody in the network can send announcements in everybody's name. So what an announcement says
// about an access point that we are subscribed to (it goes, it moved, it is silent) is only a
// reason to ask it: it is gone if it does not answer or does not know our subscription.
//
// Sources: WFAWLANConfig:1 and UPnP Device Architecture 1.0 (UDA below), and the behaviour of
// hostap's External Registrar.
package er

import (
	"container/heap"
	"net/netip"
	"time"

	"wpsd/engine"
)

// APs gives the access points that were published, in the order in which they came.
func (r *Registrar) APs() []AP {
	var all []AP
	for _, a := range r.sorted() {
		if a.published {
			all = append(all, a.snapshot())
		}
	}
	return all
}

// Enrollees gives the devices that were published, in no certain order between access points.
func (r *Registrar) Enrollees() []Enrollee {
	var all []Enrollee
	for _, a := range r.sorted() {
		for _, e := range a.enrolleesInOrder() {
			all = append(all, e.Enrollee)
		}
	}
	return all
}

// Start searches for access points: all, or the one with a certain address only. While it runs
// already it publishes everything that it knows once more.
func (r *Registrar) Start(now time.Time, only netip.Addr) []Action {
	r.only = only.Unmap()
	r.search.begin(now)
	if !r.running {
		r.running = true
		return r.done(now)
	}
	for _, a := range r.sorted() {
		switch {
		case r.only.IsValid() && a.Addr != r.only:
			r.remove(now, a, Filtered)
		case a.published:
			r.publish(APAdded{a.snapshot()})
			for _, e := range a.enrolleesInOrder() {
				r.publish(EnrolleeAdded{e.Enrollee})
			}
		}
	}
	return r.done(now)
}

// Stop ends everything. Access points are told, as long as Replied is called: see Idle.
func (r *Registrar) Stop(now time.Time) []Action {
	if !r.running {
		return nil
	}
	r.running, r.movedAt = false, time.Time{}
	r.search.stop()
	for _, a := range r.sorted() {
		r.endAPRun(now, a, ErrStopped)
	}
	for _, id := range r.grantsInOrder() {
		r.endGrant(now, r.grants[id], runEnd{err: ErrStopped})
	}
	for _, a := range r.sorted() {
		r.remove(now, a, Stopped)
	}
	r.reset()
	r.settings.wipe()
	return r.done(now)
}

// Idle reports whether nothing is left to say to anybody after Stop.
func (r *Registrar) Idle() bool { return len(r.leaving) == 0 }

// Moved says that our address changed: access points do not know where we are.
func (r *Registrar) Moved(now time.Time) []Action {
	switch {
	case !r.running:
		return nil
	case !r.movedAt.IsZero(): // it will be noticed
	case !r.mayMove(now):
		r.movedAt = now.Add(moveEvery)
	default:
		r.moved(now)
	}
	return r.done(now)
}

// moved searches and subscribes anew.
func (r *Registrar) moved(now time.Time) {
	r.movedAt = time.Time{}
	r.search.begin(now)
	for _, a := range r.sorted() {
		if r.unsubscribed(a) {
			a.want |= wantSubscribe
			a.failures, a.retryAt = 0, time.Time{}
		}
		r.pump(now, a)
	}
}

// Tick does what has become due.
func (r *Registrar) Tick(now time.Time) []Action {
	if !r.movedAt.IsZero() && !now.Before(r.movedAt) {
		r.mayMove(now)
		r.moved(now)
	}
	for len(r.timers) > 0 && !now.Before(r.timers[0].wake) {
		a := r.timers[0]
		r.due(now, a)
		r.pump(now, a)
		if a.index >= 0 && !a.wake.After(now) {
			a.wake = now.Add(time.Second) // whatever was due was done
			heap.Fix(&r.timers, a.index)
		}
	}
	r.missed(now)
	for _, id := range r.list.Expired(now) {
		r.endGrant(now, r.grants[RunID(id)], runEnd{err: ErrExpired})
	}
	return r.done(now)
}

// due does what an access point waited for.
func (r *Registrar) due(now time.Time, a *ap) {
	passed := func(t time.Time) bool { return !t.IsZero() && !now.Before(t) }
	if a.run != nil && passed(a.run.deadline) {
		r.apRunStep(now, a, a.run.machine.Timeout(now))
	}
	for _, s := range a.stationsInOrder() {
		if passed(s.deadline) {
			r.stationStep(now, s, s.machine.Timeout(now))
		}
	}
	for _, e := range a.enrolleesInOrder() {
		if passed(e.until) {
			r.removeEnrollee(e)
		}
	}
	if passed(a.renewAt) {
		a.renewAt = time.Time{}
		a.want |= wantRenew
	}
	if passed(a.selectAt) {
		a.selectAt = time.Time{}
		a.selectAgain = true
		r.reselect(now, a)
	}
	if passed(a.Expires) {
		r.doubt(now, a, Expired)
	}
}

// NextTick is when to call Tick; zero: not before something arrives.
func (r *Registrar) NextTick() time.Time {
	next := engine.Earlier(r.search.at, r.list.NextExpiry())
	next = engine.Earlier(engine.Earlier(next, r.search.missedAt), r.movedAt)
	if len(r.timers) > 0 {
		next = engine.Earlier(next, r.timers[0].wake)
	}
	return next
}
