package er

import (
	"container/heap"
	"time"

	"wpsd/engine"
)

// alarm is when an access point has something to do, and where it stands in the heap.
type alarm struct {
	index int // in the heap; -1: not there
	wake  time.Time
}

// timers is a heap of the access points by when they have something to do.
type timers []*ap

// Len implements heap.Interface.
func (t timers) Len() int { return len(t) }

// Less implements heap.Interface.
func (t timers) Less(i, j int) bool { return t[i].wake.Before(t[j].wake) }

// Swap implements heap.Interface.
func (t timers) Swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].index, t[j].index = i, j
}

// Push implements heap.Interface.
func (t *timers) Push(x any) {
	a := x.(*ap)
	a.index = len(*t)
	*t = append(*t, a)
}

// Pop implements heap.Interface.
func (t *timers) Pop() any {
	last := len(*t) - 1
	a := (*t)[last]
	(*t)[last] = nil
	*t = (*t)[:last]
	a.index = -1
	return a
}

// set puts an access point where it belongs in the heap.
func (t *timers) set(a *ap, wake time.Time) {
	switch {
	case a.index < 0 && wake.IsZero():
	case a.index < 0:
		a.wake = wake
		heap.Push(t, a)
	case wake.IsZero():
		heap.Remove(t, a.index)
		a.wake = time.Time{}
	case !wake.Equal(a.wake):
		a.wake = wake
		heap.Fix(t, a.index)
	}
}

// nextWake is the earliest of all that an access point waits for.
func (a *ap) nextWake() time.Time {
	next := engine.Earlier(a.Expires, a.renewAt)
	next = engine.Earlier(next, a.selectAt)
	if a.busy == nil && !a.queued && a.want != 0 {
		next = engine.Earlier(next, a.retryAt)
	}
	if a.run != nil {
		next = engine.Earlier(next, a.run.deadline)
	}
	for _, s := range a.stations {
		next = engine.Earlier(next, s.deadline)
	}
	for _, e := range a.enrollees {
		next = engine.Earlier(next, e.until)
	}
	return next
}
