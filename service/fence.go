package service

import (
	"sync"

	"wpsd/service/fence"
)

// fence runs f so that a panic in it ends what it is for, and nothing else: it is logged, and
// returned as an error, for which ReasonInternal stands. Locks that f takes are given back by its
// defers.
func (s *Service) fence(what string, f func() error) error { return fence.Do(s.log, what, f) }

// fenced is fence for what gives no error.
func (s *Service) fenced(what string, f func()) error {
	return s.fence(what, func() error { f(); return nil })
}

// locked runs f with mu held, and gives it back whatever happens in f: a panic that a fence catches
// must not leave the others waiting.
func locked[T any](mu sync.Locker, f func() T) T {
	mu.Lock()
	defer mu.Unlock()
	return f()
}
