package state

import "wpsd/engine/wsc"

// Step is where a session is, in more words than its State has: what a person waits for.
type Step string

// The steps. StepEnded is that of every session that is over.
const (
	StepLooking     Step = "looking"      // nobody to try was heard yet
	StepChecking    Step = "checking"     // a button is pressed: is another one, too?
	StepJoining     Step = "joining"      // one is tried, and not associated with yet
	StepWaiting     Step = "waiting"      // the other side has said nothing yet
	StepExchanging  Step = "exchanging"   // the Registration Protocol runs
	StepHandingOver Step = "handing-over" // a network manager gets the network, and connects
	StepEnded       Step = "ended"
)

// Step says where the session is.
func (s Session) Step() Step {
	switch {
	case s.State.Ended():
		return StepEnded
	case s.State == StateScanning && s.Checking:
		return StepChecking
	case s.State == StateScanning:
		return StepLooking
	case s.State == StateAssociating:
		return StepJoining
	case s.State == StateHandingOver:
		return StepHandingOver
	case s.Message == 0:
		return StepWaiting
	}
	return StepExchanging
}

// Progress is how much of the way to a network a session has behind it, from 0 to 1: for a bar that
// moves with what happens, not with the time. M8 is the last message of a run (WSC 2.0.8, 7.2), so
// the exchange is the part of the bar from the first to that one. A session that fails stays where
// it came to.
func (s Session) Progress() float64 {
	const checking, joining, waiting, exchanged = 0.1, 0.2, 0.3, 0.8
	if s.State == StateSucceeded {
		return 1
	}
	switch {
	case s.State == StateHandingOver, s.Detail.Manager != "" && s.State.Ended():
		return 0.9
	case s.Message != 0:
		return waiting + (exchanged-waiting)*messagePart(s.Message)
	case s.State == StateExchanging && s.Role == RoleEnrollee:
		return waiting
	case s.State == StateAssociating:
		return joining
	case s.State == StateScanning && s.Checking:
		return checking
	}
	return 0
}

// messagePart is how much of a run of the Registration Protocol a message has behind it.
func messagePart(m wsc.MessageType) float64 {
	order := []wsc.MessageType{wsc.MsgM1, wsc.MsgM2, wsc.MsgM3, wsc.MsgM4, wsc.MsgM5, wsc.MsgM6,
		wsc.MsgM7, wsc.MsgM8}
	for n, other := range order {
		if m == other {
			return float64(n+1) / float64(len(order))
		}
	}
	if m == wsc.MsgDone || m == wsc.MsgAck {
		return 1
	}
	return 0 // M2D, Nack and others lead nowhere
}
