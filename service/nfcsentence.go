package service

import (
	"errors"
	"fmt"

	"wpsd/drivers"
	"wpsd/engine/registration"
	"wpsd/engine/wsc"
)

// nfcSentence is for what reads otherwise when the password is on a tag, or none is needed; ""
// where it does not.
func (f failure) nfcSentence(s *Session) string {
	registrar := s.Role == RoleRegistrar || s.Role == RoleExternalRegistrar &&
		s.Purpose != PurposeAdmit
	switch {
	case f.configError == wsc.ConfigErrorPublicKeyHashMismatch,
		errors.Is(f.err, registration.ErrPublicKey):
		if registrar {
			return fmt.Sprintf("The access point %s has another key than its tag says: read its tag again, or write it anew.", peer(s))
		}
		if isOtherKey(f.err) {
			return fmt.Sprintf("The access point %s has another key than it told over NFC, so nothing was taken from it: touch again.", peer(s))
		}
		return fmt.Sprintf("The access point %s has read a tag of another device, or an old one of this device: let it read this device's tag again, then start again.", peer(s))
	case f.reason == ReasonWrongPINFirst, f.reason == ReasonWrongPINSecond:
		if registrar {
			return fmt.Sprintf("The access point %s has another password than its tag says: read its tag again, or write it anew.", peer(s))
		}
		return fmt.Sprintf("The access point %s has read another password than this device's: write this device's tag anew, and let the access point read it.", peer(s))
	case f.reason == ReasonRegistrarBusy && registrar:
		return fmt.Sprintf("The access point %s does not wait for the password of the tag that was read: read its own tag, or use its PIN.", peer(s))
	case f.reason == ReasonRegistrarBusy, f.reason == ReasonSetupLocked && !registrar: // hostapd says both of an unknown token
		return fmt.Sprintf("The access point %s has not read this device's tag: touch it with the tag, then start again.", peer(s))
	case f.reason == ReasonWalkTime && !registrar:
		return "No access point waited for this device's tag within two minutes: let the access point read the tag, then start again."
	}
	return ""
}

// nfcAdmissionSentence is that for a device that an access point of this machine was to let in by
// its tag.
func (f failure) nfcAdmissionSentence(s *Session) string {
	switch {
	case errors.Is(f.err, drivers.ErrNotSupported):
		return "The access point's software cannot be told of a tag: it takes a hostapd that was built with NFC. Use a PIN or the button."
	case f.reason == ReasonWalkTime:
		return "The device whose tag was read did not come within two minutes: start WPS on it, and read its tag again."
	case f.reason == ReasonRejected && s.Peer.IsZero():
		return "The access point did not take the tag: look at its WPS settings and its log."
	}
	return ""
}
