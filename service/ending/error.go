package ending

import (
	"errors"
	"fmt"

	"wpsd/drivers"
	"wpsd/engine/wsc"
	"wpsd/service/state"
	"wpsd/service/store"
)

// NotStoredError tells that a network that came is not in the store: it is with its session only.
type NotStoredError struct{ Err error }

// Error implements error.
func (e *NotStoredError) Error() string { return fmt.Sprintf("ending: not stored: %v", e.Err) }

// Unwrap gives the error of the store, and ErrStoreFull or ErrStore as callers know them.
func (e *NotStoredError) Unwrap() []error {
	if errors.Is(e.Err, store.ErrFull) {
		return []error{state.ErrStoreFull, e.Err}
	}
	return []error{state.ErrStore, e.Err}
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
	return fmt.Sprintf("ending: %s did not connect to the network: %v", e.Manager, e.Err)
}

// Unwrap gives ErrHandover and the manager's own error to errors.Is.
func (e *HandoverError) Unwrap() []error { return []error{state.ErrHandover, e.Err} }

// NoRoomError means that a manager has the interface, is not to be asked to let go, and the radio
// has no room for another one beside it.
type NoRoomError struct{ Manager string }

func (e *NoRoomError) Error() string {
	return "ending: there is no room beside the interface that " + e.Manager + " has"
}

func (*NoRoomError) Unwrap() error { return drivers.ErrNotSupported }
