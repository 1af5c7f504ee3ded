package service

import (
	"sync"
)

// locked runs f with mu held, and gives it back whatever happens in f: a panic that a fence catches
// must not leave the others waiting.
func locked[T any](mu sync.Locker, f func() T) T {
	mu.Lock()
	defer mu.Unlock()
	return f()
}
