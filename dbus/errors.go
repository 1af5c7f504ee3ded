package dbus

import (
	"errors"
	"strings"

	"wpsd/service/outcome"
)

// errorPrefix begins the names of our own errors.
const errorPrefix = "fi.w1.wps.Error."

var (
	// ErrNotAuthorized is what an Authorizer says no with.
	ErrNotAuthorized = outcome.ErrNotAuthorized
	// ErrDismissed is an ErrNotAuthorized: the user was asked for a password and closed the dialog.
	ErrDismissed = outcome.ErrDismissed
	// ErrInteractionRequired is an ErrNotAuthorized: the user would have to be asked, which the
	// caller did not allow.
	ErrInteractionRequired = outcome.ErrInteractionRequired

	errCallerLeft = errors.New("dbus: the caller left the bus")
)

// errorReply gives the name and the text with which an error crosses the bus.
func errorReply(err error) (name, text string) {
	name, text = outcome.OfCall(err)
	if !strings.Contains(name, ".") {
		name = errorPrefix + name
	}
	return name, text
}

// expected reports whether an error is one that callers are meant to get, so that it need not be
// logged.
func expected(err error) bool {
	name, _ := errorReply(err)
	return name != outcome.NameFailed
}
