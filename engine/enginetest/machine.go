package enginetest

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"wpsd/engine"
)

// TestMachine proves what engine.Machine promises, with random calls: no panic, nothing sent after
// Done, no deadline in the past, Done stays, Abort ends, and what was sent belongs to the caller.
// make returns a new machine, and frames are good frames of a peer to begin the random ones from.
func TestMachine(t *testing.T, make func(t *testing.T) engine.Machine, frames [][]byte) {
	t.Helper()
	for seed := range uint64(200) {
		Exercise(t, make(t), frames, rand.New(rand.NewPCG(seed, 7)))
	}
}

// Exercise makes random calls on one machine and checks each Step.
func Exercise(t *testing.T, m engine.Machine, frames [][]byte, r *rand.Rand) {
	t.Helper()
	now, done := Epoch, false
	var deadline time.Time
	check := func(call string, s engine.Step) {
		t.Helper()
		switch {
		case done && len(s.Send) > 0:
			t.Fatalf("%s sends after Done", call)
		case done && !s.Done:
			t.Fatalf("%s: no longer Done", call)
		case s.Done && !s.Deadline.IsZero():
			t.Fatalf("%s is Done and has a deadline", call)
		case !s.Deadline.IsZero() && s.Deadline.Before(now):
			t.Fatalf("%s: deadline %v before now %v", call, s.Deadline, now)
		}
		for _, f := range s.Send {
			if len(bytes.Trim(f, "\x00")) == 0 {
				t.Fatalf("%s sends an empty frame, or one that it gave away before", call)
			}
			clear(f) // ours now: a machine that kept it would send zeros later
		}
		done, deadline = s.Done, s.Deadline
	}
	check("Start", m.Start(now))
	for range 30 {
		switch r.IntN(5) {
		case 0:
			if !deadline.IsZero() {
				now = deadline
			}
			check("Timeout", m.Timeout(now))
		case 1:
			check("early Timeout", m.Timeout(now))
		default:
			now = now.Add(time.Duration(r.IntN(3000)) * time.Millisecond)
			if !deadline.IsZero() && now.After(deadline) {
				now = deadline // a driver calls Timeout then; a frame may come first
			}
			frame := Mutate(r, frames)
			kept := bytes.Clone(frame)
			s := m.Handle(now, frame)
			if !bytes.Equal(frame, kept) {
				t.Fatal("Handle changes the frame")
			}
			clear(frame)
			check("Handle", s)
		}
	}
	check("Abort", m.Abort(now))
	if !done {
		t.Fatal("Abort does not end the machine")
	}
	check("Handle after Abort", m.Handle(now, Mutate(r, frames)))
	check("Timeout after Abort", m.Timeout(now.Add(time.Hour)))
	check("Abort after Abort", m.Abort(now))
}

// Mutate makes a frame: a good one, a good one with some bytes changed, cut or doubled, or noise.
func Mutate(r *rand.Rand, frames [][]byte) []byte {
	if len(frames) == 0 || r.IntN(8) == 0 {
		noise := make([]byte, r.IntN(64))
		for i := range noise {
			noise[i] = byte(r.IntN(256))
		}
		return noise
	}
	f := bytes.Clone(frames[r.IntN(len(frames))])
	switch r.IntN(4) {
	case 0:
		for range 1 + r.IntN(4) {
			if len(f) > 0 {
				f[r.IntN(len(f))] ^= byte(1 + r.IntN(255))
			}
		}
	case 1:
		f = f[:r.IntN(len(f)+1)]
	case 2:
		f = append(f, f...)
	}
	return f
}
