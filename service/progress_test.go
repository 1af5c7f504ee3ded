package service

import (
	"slices"
	"testing"
	"time"

	"wpsd/engine/wsc"
	"wpsd/service/state"
)

func TestStepsAndProgress(t *testing.T) {
	t.Parallel()
	enrollee := func(as state.State, change func(*state.Session)) state.Session {
		s := state.Session{State: as, Role: state.RoleEnrollee}
		if change != nil {
			change(&s)
		}
		return s
	}
	message := func(m wsc.MessageType) func(*state.Session) {
		return func(s *state.Session) { s.Message = m }
	}
	for _, c := range []struct {
		name     string
		session  state.Session
		step     state.Step
		progress float64
	}{
		{"nobody was heard", enrollee(state.StateScanning, nil), state.StepLooking, 0},
		{"a button was heard", enrollee(state.StateScanning, func(s *state.Session) {
			s.Checking = true
		}),
			state.StepChecking, 0.1},
		{"one is tried", enrollee(state.StateAssociating, nil), state.StepJoining, 0.2},
		{"it has said nothing yet", enrollee(state.StateExchanging, nil), state.StepWaiting, 0.3},
		{"no device came to our access point",
			state.Session{State: state.StateExchanging, Role: state.RoleRegistrar},
			state.StepWaiting, 0},
		{"in the middle of a run", enrollee(state.StateExchanging, message(wsc.MsgM4)),
			state.StepExchanging,
			0.55},
		{"the last message", enrollee(state.StateExchanging, message(wsc.MsgM8)),
			state.StepExchanging, 0.8},
		{"behind the last message", enrollee(state.StateExchanging, message(wsc.MsgDone)),
			state.StepExchanging, 0.8},
		{"it has no password for us", enrollee(state.StateExchanging, message(wsc.MsgM2D)),
			state.StepExchanging, 0.3},
		{"a manager gets the network", enrollee(state.StateHandingOver, message(wsc.MsgM8)),
			state.StepHandingOver, 0.9},
		{"the manager did not connect", enrollee(state.StateFailed, func(s *state.Session) {
			s.Message, s.Detail.Manager = wsc.MsgM8, "iwd"
		}), state.StepEnded, 0.9},
		{"a failure in the middle", enrollee(state.StateFailed, message(wsc.MsgM4)),
			state.StepEnded, 0.55},
		{"success", enrollee(state.StateSucceeded, message(wsc.MsgM8)), state.StepEnded, 1},
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
		var steps []state.Step
		last := 0.0
		h.wait(func(e state.Event) bool {
			var now state.Session
			switch e := e.(type) {
			case state.SessionChanged:
				now = e.Session
			case state.SessionEnded:
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
		want := []state.Step{state.StepChecking, state.StepJoining, state.StepExchanging,
			state.StepEnded}
		// that it waits for the first message is told only if that lasts
		steps = slices.DeleteFunc(steps, func(s state.Step) bool { return s == state.StepWaiting })
		if steps = slices.Compact(steps); !slices.Equal(steps, want) || last != 1 {
			h.Errorf("%v, %v", steps, last)
		}
	})
}
