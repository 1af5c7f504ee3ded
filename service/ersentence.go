package service

import (
	"errors"
	"fmt"
	"strings"

	"wpsd/drivers"
	"wpsd/engine/er"
	"wpsd/engine/registration"
	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
)

// erSentence tells a person how a session of the External Registrar ended, where it is not like
// others; "" where it is.
func (f failure) erSentence(s *Session) string {
	ap := "The access point"
	if s.ERAPName != "" {
		ap += " " + s.ERAPName
	}
	switch {
	case errors.Is(f.err, errERStopped):
		return "The External Registrar was stopped while this ran: start it, then start again."
	case errors.Is(f.err, drivers.ErrInterfaceGone):
		return "The network interface is gone, and the External Registrar with it: start both again."
	case errors.Is(f.err, er.ErrReplaced):
		return "A newer PIN for the same device took the place of this one."
	case errors.Is(f.err, er.ErrAPGone):
		return ap + " is gone from the network: see whether it is switched on, and start again once it is found."
	case errors.Is(f.err, er.ErrUnreachable):
		return ap + " does not answer over the network: see whether it is switched on, and start again."
	case errors.Is(f.err, er.ErrNonsense):
		return ap + " sent an answer that makes no sense: start again; if it happens again, update its firmware."
	}
	if refusal, ok := errors.AsType[*upnp.Fault](f.err); ok {
		return fmt.Sprintf("%s refused over the network (UPnP error %d): see whether its WPS is on and whether it lets itself be set up over the network.", ap, refusal.Code)
	}
	if s.Purpose == PurposeAdmit {
		return f.erAdmitSentence(s, ap)
	}
	if f.reason == ReasonWalkTime {
		return ap + " did not finish within two minutes: start again."
	}
	return ""
}

// erAdmitSentence is erSentence for sessions that let a device in.
func (f failure) erAdmitSentence(s *Session, ap string) string {
	device := "the device " + s.Peer.String()
	if s.Peer.IsZero() {
		device = "a device"
	}
	switch {
	case f.state == StateSucceeded:
		return fmt.Sprintf("The device %s was given the network.", s.Peer)
	case f.reason == ReasonNoCredential:
		return "The settings of the a" + strings.TrimPrefix(ap, "The a") +
			" are not known, so there is nothing to give: read them first with its PIN, or set a stored network for it."
	case errors.Is(f.err, er.ErrLocked), errors.Is(f.err, registration.ErrLocked):
		return fmt.Sprintf("The PIN is not that of %s, and is not tried again: compare it with the device's label or screen, then start again.", device)
	case f.reason == ReasonMessageTimeout:
		return fmt.Sprintf("The setup of %s failed, as it stopped answering: move it closer, then start again.", device)
	case f.reason == ReasonWalkTime && s.Method != MethodPBC:
		return fmt.Sprintf("No device with this PIN came within %s: start WPS with a PIN on the device, then start again.", lasting(s.Deadline.Sub(s.Started)))
	case f.reason == ReasonRejected && f.configError != wsc.ConfigErrorNone:
		return fmt.Sprintf("The setup of %s was ended there%s. Start again.", device,
			because(f.configError))
	}
	return "" // as at an access point of this machine
}
