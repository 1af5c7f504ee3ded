package service

import (
	"errors"
	"fmt"
	"strings"

	"wpsd/service/receive"
)

// arrivalSentence is for sessions that received something; "" for others.
func (f failure) arrivalSentence(s *Session) string {
	lost, notStored := errors.AsType[*notStoredError](f.err)
	switch {
	case notStored:
		return f.notStoredSentence(s, lost)
	case errors.Is(f.err, receive.ErrUseless):
		return uselessSentence(s)
	case f.state != StateSucceeded:
		return ""
	case s.Purpose == PurposeLearn:
		return fmt.Sprintf("The settings of the access point %s were learned.", peer(s))
	case s.Purpose == PurposeConfigure:
		return fmt.Sprintf("The access point %s took the new settings.", peer(s))
	case len(s.Detail.LeftOut) > 0:
		return fmt.Sprintf("The network was received. Left out was %s.",
			strings.Join(s.Detail.LeftOut, ", "))
	}
	return "The network was received."
}

// notStoredSentence says where the network is now: with its session alone, which is not for long,
// and perhaps with a network manager.
func (f failure) notStoredSentence(s *Session, lost *notStoredError) string {
	why := "its state directory cannot be written: " + oneLine(lost.err)
	if errors.Is(lost, ErrStoreFull) {
		why = "it has as many as it can store: delete some"
	}
	manager := ""
	if failed, ok := errors.AsType[*HandoverError](f.err); ok {
		manager = fmt.Sprintf(", and %s did not connect to it (%s)", managerName(failed.Manager),
			oneLine(failed.Err))
	} else if s.Detail.HandedOver {
		manager = fmt.Sprintf(", but %s is connected to it", managerName(s.Detail.Manager))
	}
	return fmt.Sprintf("The network was received, and wpsd could not store it (%s)%s. Its key is kept for %d minutes: \"wpsctl credentials %d\" shows it, and Session.GetCredentials gives it to programs.",
		why, manager, int(keepEnded.Minutes()), s.ID)
}

// uselessSentence says of what kind the networks are that came.
func uselessSentence(s *Session) string {
	what := "sent no network that this computer can use"
	if s.Role != RoleEnrollee {
		what = "showed settings that make no network for this computer"
	}
	if len(s.Detail.LeftOut) > 0 {
		what += ": " + strings.Join(s.Detail.LeftOut, ", ")
	}
	return fmt.Sprintf("The access point %s %s. Set it to WPA2-Personal in its own settings, or join it without WPS.", peer(s), what)
}
