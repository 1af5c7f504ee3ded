package service

import (
	"errors"
	"fmt"

	"wpsd/engine/wsc"
	"wpsd/service/store"
)

// notStoredError tells that a network that came is not in the store: it is with its session only.
type notStoredError struct{ err error }

// Error implements error.
func (e *notStoredError) Error() string { return fmt.Sprintf("service: not stored: %v", e.err) }

// Unwrap gives the error of the store, and ErrStoreFull or ErrStore as callers know them.
func (e *notStoredError) Unwrap() []error {
	if errors.Is(e.err, store.ErrFull) {
		return []error{ErrStoreFull, e.err}
	}
	return []error{ErrStore, e.err}
}

// HandoverError tells that a manager did not take a network, which is stored all the same.
type HandoverError struct {
	Manager string
	Err     error
	// Run is the address that the network was received with, where the manager has another: some
	// access points have a key for each address. Zero: it is the same, or nobody knows.
	Run wsc.MAC
}

// Error implements error.
func (e *HandoverError) Error() string {
	return fmt.Sprintf("service: %s did not connect to the network: %v", e.Manager, e.Err)
}

// Unwrap gives ErrHandover and the manager's own error to errors.Is.
func (e *HandoverError) Unwrap() []error { return []error{ErrHandover, e.Err} }
