package state

import (
	"context"
	"sync"
)

// maxQueued is how many events a subscriber may lag behind.
const maxQueued = 4096

// Subscription receives every event since Subscribe, in order. No event is ever left out: a
// subscriber that cannot follow gets ErrSubscriberTooSlow instead, and none after that. It is safe
// for concurrent use, but events are handed out once, so one goroutine should read.
type Subscription struct {
	from  *Published
	ready chan struct{} // holds a value while there is something to take

	mu    sync.Mutex
	queue []Event
	err   error
}

// Next waits for the next event.
func (s *Subscription) Next(ctx context.Context) (Event, error) {
	for {
		e, err := s.take()
		if e != nil || err != nil {
			return e, err
		}
		select {
		case <-s.ready:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// TryNext returns the next event if there is one already.
func (s *Subscription) TryNext() (Event, bool) {
	e, _ := s.take()
	return e, e != nil
}

// Ready receives a value when there may be something for TryNext or Next: take until there is
// nothing.
func (s *Subscription) Ready() <-chan struct{} { return s.ready }

// Close ends the subscription. Next returns ErrShutdown from then on.
func (s *Subscription) Close() {
	s.from.mu.Lock()
	delete(s.from.subscriptions, s)
	s.from.mu.Unlock()
	s.fail(ErrShutdown)
}

func (s *Subscription) take() (Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		return nil, s.err
	}
	e := s.queue[0]
	s.queue[0] = nil
	s.queue = s.queue[1:]
	if len(s.queue) == 0 {
		s.queue = nil // an idle subscriber keeps no memory
	}
	return e, nil
}

// put queues e. It reports whether the subscriber still follows.
func (s *Subscription) put(e Event) bool {
	s.mu.Lock()
	if s.err == nil && len(s.queue) >= maxQueued {
		s.queue, s.err = nil, ErrSubscriberTooSlow
	}
	follows := s.err == nil
	if follows {
		s.queue = append(s.queue, e)
	}
	s.mu.Unlock()
	s.wake()
	return follows
}

func (s *Subscription) fail(err error) {
	s.mu.Lock()
	if s.err == nil {
		s.queue, s.err = nil, err
	}
	s.mu.Unlock()
	s.wake()
}

func (s *Subscription) wake() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}
