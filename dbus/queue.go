package dbus

import (
	"slices"
	"sync"

	"wpsd/dbus/bus"
)

// What waits at most: of one caller, and of all together. More is refused with LimitsExceeded.
const (
	maxLine      = 64
	maxLineBytes = 256 << 10
	maxQueue     = 1024
	maxBytes     = 4 << 20
)

// call is one method call, its body not decoded yet.
type call struct{ *bus.Message }

// line is one caller's calls.
type line struct {
	sender string
	calls  []*call
	bytes  int
	held   bool // one of the calls is being worked on: the others wait
}

// queue holds calls until the worker takes them: in order for each caller, and a call of each
// caller in turn. Who sends more than others waits behind its own calls. It is safe for concurrent
// use.
type queue struct {
	mu    sync.Mutex
	lines map[string]*line
	turns []*line // those with calls that may be taken, the next first
	calls int
	bytes int
	ready chan struct{} // holds a value while there may be something to take
}

func newQueue() *queue {
	return &queue{lines: map[string]*line{}, ready: make(chan struct{}, 1)}
}

// put adds a call. If there is no room it returns a call to be refused: this one, or, if somebody
// else has more in the queue than this caller, that one's newest.
func (q *queue) put(c *call) (refused *call) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lines[c.Sender]
	if l == nil {
		l = &line{sender: c.Sender}
		q.lines[c.Sender] = l
	}
	if len(l.calls) >= maxLine || l.bytes+len(c.Frame) > maxLineBytes {
		return c
	}
	if q.calls >= maxQueue || q.bytes+len(c.Frame) > maxBytes {
		longest := l
		for _, other := range q.lines {
			if len(other.calls) > len(longest.calls) {
				longest = other
			}
		}
		if len(longest.calls) <= len(l.calls)+1 {
			q.forget(l)
			return c
		}
		refused = q.dropNewest(longest)
	}
	l.calls = append(l.calls, c)
	l.bytes += len(c.Frame)
	q.calls++
	q.bytes += len(c.Frame)
	if len(l.calls) == 1 && !l.held {
		q.turns = append(q.turns, l)
	}
	q.wake()
	return refused
}

// dropNewest takes away the last call of a line that has at least two.
func (q *queue) dropNewest(l *line) *call {
	last := len(l.calls) - 1
	c := l.calls[last]
	l.calls = slices.Delete(l.calls, last, last+1)
	q.count(l, c)
	return c
}

// count takes a call off the counters.
func (q *queue) count(l *line, c *call) {
	l.bytes -= len(c.Frame)
	q.calls--
	q.bytes -= len(c.Frame)
}

// take returns the next call, nil if there is none. Until release the others of the same caller
// wait.
func (q *queue) take() *call {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.turns) == 0 {
		return nil
	}
	l := q.turns[0]
	q.turns = slices.Delete(q.turns, 0, 1)
	c := l.calls[0]
	l.calls = slices.Delete(l.calls, 0, 1)
	l.held = true
	q.count(l, c)
	if len(q.turns) > 0 {
		q.wake()
	}
	return c
}

// some reports whether there is a call to take.
func (q *queue) some() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.turns) > 0
}

// release lets the next call of a caller be taken.
func (q *queue) release(sender string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lines[sender]
	if l == nil {
		return
	}
	l.held = false
	if len(l.calls) > 0 {
		q.turns = append(q.turns, l)
		q.wake()
	}
	q.forget(l)
}

// drop throws away what a caller that left the bus has waiting.
func (q *queue) drop(sender string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lines[sender]
	if l == nil {
		return
	}
	for _, c := range l.calls {
		q.count(l, c)
		clear(c.Frame)
	}
	l.calls = nil
	q.turns = slices.DeleteFunc(q.turns, func(other *line) bool { return other == l })
	q.forget(l)
}

// forget removes a line that holds nothing.
func (q *queue) forget(l *line) {
	if len(l.calls) == 0 && !l.held {
		delete(q.lines, l.sender)
	}
}

func (q *queue) wake() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}
