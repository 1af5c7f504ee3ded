package enginetest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"wpsd/engine"
)

// Epoch is when every loopback starts.
var Epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// Channel decides what becomes of a frame: it returns what arrives, in order. n counts the frames
// of both directions from 0; fromA tells the direction. nil is a perfect channel.
type Channel func(n int, fromA bool, frame []byte) [][]byte

// Loopback runs two machines against each other in virtual time.
type Loopback struct {
	A, B    engine.Machine
	Channel Channel
	// Describe turns a frame into a line of the transcript; nil leaves frames out.
	Describe func(frame []byte) string
	// Limit bounds the frames of a run; 0 means 10,000.
	Limit int

	now        time.Time
	queue      []flight
	deadline   [2]time.Time
	done       [2]bool
	count      int
	transcript strings.Builder
}

type flight struct {
	toA   bool
	frame []byte
}

// Run runs until both machines are done or nothing can happen any more, and returns the transcript.
// The error tells a run that did not end.
func (l *Loopback) Run() (string, error) {
	limit := l.Limit
	if limit == 0 {
		limit = 10_000
	}
	l.now = Epoch
	l.step(0, l.A.Start(l.now))
	l.step(1, l.B.Start(l.now))
	for range limit {
		switch {
		case l.done[0] && l.done[1]:
			return l.transcript.String(), nil
		case len(l.queue) > 0:
			l.deliver()
		case !l.wait():
			return l.transcript.String(),
				fmt.Errorf("enginetest: both wait for ever (done: %v)", l.done)
		}
	}
	return l.transcript.String(), fmt.Errorf("enginetest: no end after %d steps", limit)
}

// Now is the virtual time.
func (l *Loopback) Now() time.Time { return l.now }

func (l *Loopback) deliver() {
	f := l.queue[0]
	l.queue = l.queue[1:]
	side, m := 1, l.B
	if f.toA {
		side, m = 0, l.A
	}
	if l.done[side] {
		return
	}
	frame := bytes.Clone(f.frame)
	s := m.Handle(l.now, frame)
	clear(frame) // a machine that kept the frame now holds zeros
	l.step(side, s)
}

// wait moves the clock to the next deadline.
func (l *Loopback) wait() bool {
	next := time.Time{}
	for side := range l.deadline {
		if !l.done[side] {
			next = engine.Earlier(next, l.deadline[side])
		}
	}
	if next.IsZero() {
		return false
	}
	if next.After(l.now) {
		l.now = next
	}
	for side, m := range []engine.Machine{l.A, l.B} {
		if d := l.deadline[side]; !l.done[side] && !d.IsZero() && !d.After(l.now) {
			l.line("%s  timeout at +%v", name(side), l.now.Sub(Epoch))
			l.step(side, m.Timeout(l.now))
		}
	}
	return true
}

func (l *Loopback) step(side int, s engine.Step) {
	for _, frame := range s.Send {
		if l.Describe != nil {
			l.line("%s  %s", name(side), l.Describe(frame))
		}
		arriving := [][]byte{frame}
		if l.Channel != nil {
			arriving = l.Channel(l.count, side == 0, bytes.Clone(frame))
		}
		l.count++
		for _, f := range arriving {
			l.queue = append(l.queue, flight{toA: side == 1, frame: f})
		}
	}
	l.deadline[side], l.done[side] = s.Deadline, s.Done
	if s.Done {
		l.line("%s  done", name(side))
	}
}

func (l *Loopback) line(format string, args ...any) {
	fmt.Fprintf(&l.transcript, format+"\n", args...)
}

func name(side int) string { return []string{"A →", "← B"}[side] }

// Lossy makes a channel from a seed that drops, doubles, delays by one, cuts and flips frames, each
// with the probability p.
func Lossy(seed uint64, p float64) Channel {
	r := rand.New(rand.NewPCG(seed, 1))
	var held []byte
	return func(_ int, _ bool, frame []byte) [][]byte {
		var out [][]byte
		if r.Float64() < p && len(frame) > 0 { // flip one bit
			frame[r.IntN(len(frame))] ^= 1 << r.IntN(8)
		}
		if r.Float64() < p { // cut short
			frame = frame[:r.IntN(len(frame)+1)]
		}
		switch x := r.Float64(); {
		case x < p: // lost
		case x < 2*p: // twice
			out = append(out, frame, bytes.Clone(frame))
		case x < 3*p && held == nil: // after the next one
			held = frame
			return nil
		default:
			out = append(out, frame)
		}
		if held != nil {
			out, held = append(out, held), nil
		}
		return out
	}
}
