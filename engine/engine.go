// Package engine is the contract between protocol machines and whoever drives them.
//
// A machine does no I/O: it has no socket, no clock, no goroutine and no log. It is told what
// arrived and what time it is, and answers with a Step that says everything there is to do.
// Machines stack like io.Readers: an eapol.Supplicant wraps an eapwsc.Peer, which wraps a
// registration.Enrollee, and the one pump in package service drives whatever is outermost.
package engine

import "time"

// Machine is one side of a conversation. It is not safe for concurrent use: one goroutine owns it.
//
// How a run ended is asked of the concrete machine, the only one that knows: an access point ends
// a good enrolment with EAP-Failure, so neither EAP's code nor the link's fate tells success.
type Machine interface {
	// Start is called once, before anything else.
	Start(now time.Time) Step
	// Handle takes one frame of the peer. The frame is only valid during the call. A bad frame
	// is never a panic: it is ignored, answered, or the end, and the protocol decides which.
	Handle(now time.Time, frame []byte) Step
	// Timeout says that the latest Deadline has passed.
	Timeout(now time.Time) Step
	// Abort says that our side gives up. The Step may carry one last frame (WSC_NACK) and is Done.
	Abort(now time.Time) Step
}

// Step is all there is to do after a call.
type Step struct {
	// Send holds frames for the peer, in order. The caller may keep them; the machine does not.
	Send [][]byte
	// Deadline is when to call Timeout, unless another call comes before; zero means never.
	Deadline time.Time
	// Done means that no further call has any effect.
	Done bool
}

// Earlier returns the earlier of two deadlines, of which either may be zero (none).
func Earlier(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}
