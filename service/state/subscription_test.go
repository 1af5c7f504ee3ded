package state

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestSubscription(t *testing.T) {
	t.Parallel()
	fresh := func() (*Published, *Subscription) {
		s := New(Manager{})
		_, sub := s.Subscribe()
		return s, sub
	}
	tell := func(s *Published, n int) {
		for i := range n {
			s.Publish(SessionRemoved{SessionID(i)})
		}
	}
	t.Run("events come in order, to each subscriber", func(t *testing.T) {
		t.Parallel()
		s, one := fresh()
		_, two := s.Subscribe()
		tell(s, maxQueued)
		for _, sub := range []*Subscription{one, two} {
			for i := range maxQueued {
				if e, err := sub.Next(t.Context()); err != nil ||
					e != (SessionRemoved{SessionID(i)}) {
					t.Fatalf("%v, %v", e, err)
				}
			}
			if e, ok := sub.TryNext(); ok {
				t.Errorf("one more: %v", e)
			}
		}
	})
	t.Run("one event too many fails a subscriber for good, and no other", func(t *testing.T) {
		t.Parallel()
		s, slow := fresh()
		tell(s, maxQueued)
		_, quick := s.Subscribe()
		tell(s, 1)
		for range 2 {
			if _, err := slow.Next(t.Context()); !errors.Is(err, ErrSubscriberTooSlow) {
				t.Error(err)
			}
		}
		if _, ok := quick.TryNext(); !ok {
			t.Error("the quick one got nothing")
		}
		if len(s.subscriptions) != 1 {
			t.Errorf("%d subscribers", len(s.subscriptions))
		}
	})
	t.Run("Next waits for an event, for the end of its context, or for Close", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s, sub := fresh()
			time.AfterFunc(time.Hour, func() { tell(s, 1) })
			if _, err := sub.Next(t.Context()); err != nil {
				t.Error(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			if _, err := sub.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
			time.AfterFunc(time.Hour, sub.Close)
			if _, err := sub.Next(t.Context()); !errors.Is(err, ErrShutdown) {
				t.Error(err)
			}
		})
	})
	t.Run("Ready tells that there is something", func(t *testing.T) {
		t.Parallel()
		s, sub := fresh()
		tell(s, 3)
		<-sub.Ready()
		n := 0
		for _, ok := sub.TryNext(); ok; _, ok = sub.TryNext() {
			n++
		}
		if n != 3 {
			t.Errorf("%d", n)
		}
	})
	t.Run("a snapshot and the events after it are everything, once", func(t *testing.T) {
		t.Parallel()
		p := New(Manager{Version: "1"})
		p.Publish(InterfaceAdded{Interface{Name: "wlan0"}})
		p.Publish(SessionAdded{Session{ID: 7, State: StateScanning}})
		snap, sub := p.Subscribe()
		p.Publish(SessionEnded{Session{ID: 7, State: StateSucceeded}})
		if len(snap.Sessions) != 1 || len(snap.Interfaces) != 1 ||
			snap.Sessions[0].State != StateScanning || snap.Manager.Version != "1" {
			t.Errorf("%+v", snap)
		}
		if e, _ := sub.TryNext(); e.(SessionEnded).Session.ID != 7 {
			t.Errorf("told first: %v", e)
		}
		if e, more := sub.TryNext(); more {
			t.Errorf("told as well: %v", e)
		}
	})
}
