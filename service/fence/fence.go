// Package fence keeps what goes wrong in one goroutine from ending the process, and with it
// everybody else's sessions. A panic is a mistake of ours; who meets it is a peer, and one peer's
// run is what it may end. Each goroutine that serves a peer is inside a fence: what goes wrong
// there is logged with its stack, and the caller ends that one, gives back what it had, and leaves
// the others alone.
//
// A fence unwinds: what was deferred inside has run by then. So a lock that is taken inside a fence
// is released by a defer, or with nothing between that could fail.
package fence

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"
)

// Error tells that a panic was caught. It was logged.
type Error struct {
	What  string // which part it was in
	Value any    // what the panic was given
	Stack []byte
}

// Error implements error. The stack is in the log.
func (e *Error) Error() string { return fmt.Sprintf("%s: panic: %v", e.What, e.Value) }

// Caught reports whether err comes of a panic.
func Caught(err error) bool {
	_, ok := errors.AsType[*Error](err)
	return ok
}

// Do runs f, and returns its error; a panic in it is logged, and returned as an *Error. log may be
// nil: then it is slog's default.
func Do(log *slog.Logger, what string, f func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			e := &Error{What: what, Value: value, Stack: debug.Stack()}
			if log == nil {
				log = slog.Default()
			}
			log.Error("something went wrong inside wpsd, which is a mistake in it: please report it; what it was about ends, the rest goes on",
				"part", what, "panic", fmt.Sprint(value), "stack", string(e.Stack))
			err = e
		}
	}()
	return f()
}

// Func is f inside a fence, for a go statement or a timer. failed, which may be nil, is told of a
// panic, inside a fence of its own.
func Func(log *slog.Logger, what string, f func(), failed func(error)) func() {
	return func() {
		err := Do(log, what, func() error { f(); return nil })
		if err != nil && failed != nil {
			_ = Do(log, what+", after a failure", func() error { failed(err); return nil })
		}
	}
}

// again is how long after a panic Keep waits.
const again = time.Second

// Keep is f inside a fence that runs it again, a second later, after a panic: for a loop that many
// depend on. It ends when f returns.
func Keep(log *slog.Logger, what string, f func()) func() {
	return func() {
		for Do(log, what, func() error { f(); return nil }) != nil {
			time.Sleep(again)
		}
	}
}

// Locked runs f with mu held, and gives it back whatever happens in f: a panic that a fence catches
// must not leave the others waiting.
func Locked[T any](mu sync.Locker, f func() T) T {
	mu.Lock()
	defer mu.Unlock()
	return f()
}
