package service

import (
	"slices"
	"testing"
	"time"

	"wpsd/engine/wsc"
)

func TestStepsAndProgress(t *testing.T) {
	t.Parallel()
	enrollee := func(state State, change func(*Session)) Session {
		s := Session{State: state, Role: RoleEnrollee}
		if change != nil {
			change(&s)
		}
		return s
	}
	message := func(m wsc.MessageType) func(*Session) { return func(s *Session) { s.Message = m } }
	for _, c := range []struct {
		name     string
		session  Session
		step     Step
		progress float64
	}{
		{"nobody was heard", enrollee(StateScanning, nil), StepLooking, 0},
		{"a button was heard", enrollee(StateScanning, func(s *Session) { s.Checking = true }),
			StepChecking, 0.1},
		{"one is tried", enrollee(StateAssociating, nil), StepJoining, 0.2},
		{"it has said nothing yet", enrollee(StateExchanging, nil), StepWaiting, 0.3},
		{"no device came to our access point", Session{State: StateExchanging, Role: RoleRegistrar},
			StepWaiting, 0},
		{"in the middle of a run", enrollee(StateExchanging, message(wsc.MsgM4)), StepExchanging,
			0.55},
		{"the last message", enrollee(StateExchanging, message(wsc.MsgM8)), StepExchanging, 0.8},
		{"behind the last message", enrollee(StateExchanging, message(wsc.MsgDone)),
			StepExchanging, 0.8},
		{"it has no password for us", enrollee(StateExchanging, message(wsc.MsgM2D)),
			StepExchanging, 0.3},
		{"a manager gets the network", enrollee(StateHandingOver, message(wsc.MsgM8)),
			StepHandingOver, 0.9},
		{"the manager did not connect", enrollee(StateFailed, func(s *Session) {
			s.Message, s.Detail.Manager = wsc.MsgM8, "iwd"
		}), StepEnded, 0.9},
		{"a failure in the middle", enrollee(StateFailed, message(wsc.MsgM4)), StepEnded, 0.55},
		{"success", enrollee(StateSucceeded, message(wsc.MsgM8)), StepEnded, 1},
	} {
		got := c.session.Progress()
		if step := c.session.Step(); step != c.step || got < c.progress-0.001 ||
			got > c.progress+0.001 {
			t.Errorf("%s: %s %v", c.name, step, got)
		}
	}
}

// TestStepsOfARun: who waits for a button sees that one was heard before it is answered.
func TestStepsOfARun(t *testing.T) {
	t.Parallel()
	inHouse(t, nil, func(h *house) {
		ap := h.ap(nil)
		h.next(nil) // has to be looked at once more, after the first one's button was seen
		s := h.pbc(nil)
		time.Sleep(20 * time.Second)
		h.press(ap)
		var steps []Step
		last := 0.0
		h.wait(func(e Event) bool {
			var now Session
			switch e := e.(type) {
			case SessionChanged:
				now = e.Session
			case SessionEnded:
				now = e.Session
			}
			if now.ID != s.ID {
				return false
			}
			if steps = append(steps, now.Step()); now.Progress() < last {
				h.Errorf("%s: %v after %v", now.Step(), now.Progress(), last)
			}
			last = now.Progress()
			return now.State.Ended()
		})
		want := []Step{StepChecking, StepJoining, StepExchanging, StepEnded}
		// that it waits for the first message is told only if that lasts
		steps = slices.DeleteFunc(steps, func(s Step) bool { return s == StepWaiting })
		if steps = slices.Compact(steps); !slices.Equal(steps, want) || last != 1 {
			h.Errorf("%v, %v", steps, last)
		}
	})
}
