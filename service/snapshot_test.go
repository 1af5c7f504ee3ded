package service

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/service/state"
)

// TestSnapshotAndEvents: a snapshot and the events after it are everything, once.
func TestSnapshotAndEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		inHouse(t, nil, func(h *house) {
			h.press(h.ap(nil))
			s := h.pbc(nil)
			time.Sleep(time.Second)
			snap, sub := h.svc.Published().Subscribe()
			defer sub.Close()
			if len(snap.Sessions) != 1 || len(snap.Interfaces) != 1 ||
				snap.Interfaces[0].Session != s.ID ||
				snap.Sessions[0].State != state.StateScanning {
				t.Errorf("%+v", snap)
			}
			h.end(s)
			synctest.Wait()
			for e, ok := sub.TryNext(); ok; e, ok = sub.TryNext() {
				switch e.(type) {
				case state.SessionAdded, state.InterfaceAdded:
					t.Errorf("told twice: %v", e)
				}
			}
		})
	})
}

// TestReceivedOfNobody: a session that there is not has received nothing.
func TestReceivedOfNobody(t *testing.T) {
	t.Parallel()
	s, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Received(1); !errors.Is(err, state.ErrNoSession) {
		t.Error(err)
	}
}
