package state

import (
	"errors"

	"wpsd/service/outcome"
)

// What calls return, found with errors.Is. devpass.ErrPIN and devpass.ErrPINChecksum come from
// StartPIN as well. Package outcome has their sentences.
var (
	ErrHandover        = outcome.ErrHandover
	ErrBusy            = outcome.ErrBusy
	ErrInterfaceExists = outcome.ErrInterfaceExists
	ErrNoInterface     = outcome.ErrNoInterface
	ErrUnknownBSSID    = outcome.ErrUnknownBSSID
	ErrRadioBlocked    = outcome.ErrRadioBlocked
	ErrNoSession       = outcome.ErrNoSession
	ErrNoNetwork       = outcome.ErrNoNetwork
	ErrUnreachable     = outcome.ErrUnreachable
	ErrRefused         = outcome.ErrRefused
	ErrERStopped       = outcome.ErrERStopped
	ErrERSockets       = outcome.ErrERSockets
	ErrERBusy          = outcome.ErrERBusy
	ErrERDropped       = outcome.ErrERDropped
	ErrERAmbiguous     = outcome.ErrERAmbiguous
	ErrEROverlap       = outcome.ErrEROverlap
	ErrNoERAP          = outcome.ErrNoERAP
	ErrNoERSettings    = outcome.ErrNoERSettings
	ErrTooMany         = outcome.ErrTooMany
	ErrSuspended       = outcome.ErrSuspended
	ErrShutdown        = outcome.ErrShutdown
	ErrStoreFull       = outcome.ErrStoreFull
	ErrStore           = outcome.ErrStore
	ErrNoToken         = outcome.ErrNoToken
	ErrBadTag          = outcome.ErrBadTag
	ErrChanged         = outcome.ErrChanged
	ErrNotSupported    = outcome.ErrNotSupported
	ErrInvalid         = outcome.ErrInvalid

	// ErrSubscriberTooSlow ends a subscription that nobody reads.
	ErrSubscriberTooSlow = errors.New("state: the subscriber lags more than 4096 events behind")
)

// ErrUselessTag is an ErrBadTag: the tag is one of Wi-Fi Protected Setup, and nothing can be made
// of it here.
var ErrUselessTag error = uselessTag{}

// uselessTag is the type of ErrUselessTag, which has a text of its own: the tag is one of Wi-Fi
// Protected Setup.
type uselessTag struct{}

// Error implements error.
func (uselessTag) Error() string {
	return "state: this NFC tag of Wi-Fi Protected Setup has nothing that can be used here"
}

// Unwrap lets callers who know ErrBadTag only know what to do.
func (uselessTag) Unwrap() error { return ErrBadTag }
