package service

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"wpsd/engine/credential"
	"wpsd/engine/wsc"
)

// sentence tells a person what happened and what to do now.
func (f failure) sentence(s *Session) string {
	if s.Role == RoleExternalRegistrar && !errors.Is(f.err, ErrShutdown) {
		if text := f.erSentence(s); text != "" {
			return text
		}
	}
	if s.Purpose == PurposeAdmit && !errors.Is(f.err, ErrShutdown) {
		if text := f.admissionSentence(s); text != "" {
			return text
		}
	}
	switch {
	case f.state == StateSucceeded && s.Detail.NotStored:
		return "The network was received, but it could not be stored: fetch it now, before this session is forgotten, and look at the state directory and the log."
	case f.state == StateSucceeded && s.Detail.Credentials == 0:
		return fmt.Sprintf("The access point %s sent a network with a kind of security that cannot be used here: set it to WPA2-Personal.", peer(s))
	case f.state == StateSucceeded && s.Purpose == PurposeLearn:
		return fmt.Sprintf("The settings of the access point %s were learned.", peer(s))
	case f.state == StateSucceeded && s.Purpose == PurposeConfigure:
		return fmt.Sprintf("The access point %s took the new settings.", peer(s))
	case f.state == StateSucceeded:
		return "The network was received."
	case errors.Is(f.err, ErrShutdown):
		return "wpsd was stopped: start again when it runs."
	}
	if s.Method == MethodNFC {
		if text := f.nfcSentence(s); text != "" {
			return text
		}
	}
	if s.Role != RoleEnrollee {
		if text := f.registrarSentence(s); text != "" {
			return text
		}
	}
	if errors.Is(f.err, credential.ErrWPA3Only) {
		return f.wpa3Sentence(s)
	}
	if failed, ok := errors.AsType[*HandoverError](f.err); ok {
		return fmt.Sprintf("The network is stored, but %s did not connect to it (%s): activate it again, or connect by hand.", failed.Manager, oneLine(failed.Err))
	}
	switch f.reason {
	case ReasonOverlap:
		return f.overlapSentence(s)
	case ReasonWrongPINFirst, ReasonWrongPINSecond:
		half := map[Reason]string{ReasonWrongPINFirst: "first", ReasonWrongPINSecond: "second"}[f.reason]
		return fmt.Sprintf("The PIN is wrong: its %s half is not the one that %s was given. Type it again at the access point, or start again with the right one.", half, peer(s))
	case ReasonNoAccessPoint:
		if errors.Is(f.err, errNoWPS) {
			return "The access point is there, but it does not offer WPS: switch WPS on in its settings."
		}
		return "No access point with WPS was found: switch WPS on in its settings, or move closer."
	case ReasonWalkTime:
		return walkTimeSentence(s)
	case ReasonRegistrarBusy:
		if s.Method == MethodPBC {
			return fmt.Sprintf("The button of the access point %s is no longer active: press it again, then start again.", peer(s))
		}
		return fmt.Sprintf("The access point %s knows no PIN for this device yet: type the PIN shown here into it, then start again.", peer(s))
	case ReasonRejected:
		return fmt.Sprintf("The access point %s ended the run%s. Start again; if it happens again, restart the access point.", peer(s), because(f.configError))
	}
	if known, ok := errors.AsType[advised](f.err); ok {
		return known.Advice()
	}
	if text, ok := sentences[f.reason]; ok {
		if strings.Contains(text, "%s") {
			return fmt.Sprintf(text, peer(s))
		}
		return text
	}
	return string(f.reason)
}

// advised is an error of a Holder that knows what a person can do about it, in a sentence.
type advised interface {
	error
	Advice() string
}

// sentences are those that need no more than the access point's name.
var sentences = map[Reason]string{
	ReasonSetupLocked:       "The access point %s has locked its WPS setup after too many wrong PINs: restart it, or unlock WPS in its settings.",
	ReasonNoCredential:      "The access point %s sent no network: look at its settings, then start again.",
	ReasonBadCredential:     "The access point %s sent a network that cannot be used: set it to WPA2-Personal with a passphrase of 8 to 63 characters.",
	ReasonWPA3Only:          "The access point takes WPA3 only, which WPS cannot set up: use its passphrase, or set it to WPA2/WPA3.",
	ReasonRadioBlocked:      "The radio is switched off: use the hardware switch, or rfkill unblock wifi, then start again.",
	ReasonInterfaceBusy:     "Another program uses the network interface, perhaps a wpa_supplicant without a control socket: stop it, or let go of the interface there, then start again.",
	ReasonInterfaceGone:     "The network interface is gone: plug it in again, then start again.",
	ReasonAssociationFailed: "The access point %s did not let this device associate: move closer, look at its filter of MAC addresses, then start again.",
	ReasonLinkLost:          "The connection to the access point %s was lost: move closer, then start again.",
	ReasonMessageTimeout:    "The access point %s stopped answering: move closer, then start again.",
	ReasonProtocolError:     "The access point %s did not keep to the protocol: start again; if it happens again, update its firmware.",
	ReasonNotSupported:      "This network interface cannot do that: use another one.",
	ReasonSuspended:         "The computer went to sleep: start again.",
	ReasonOwnerLeft:         "The program that started this ended before it was done: start again.",
	ReasonCanceled:          "Canceled.",
	ReasonHandoverFailed:    "The network is stored, but the network manager did not take it: activate it again, or connect by hand.",
	ReasonInternal:          "Something went wrong inside wpsd: look at its log.",
}

// registrarSentence is for what reads otherwise when the PIN is the access point's; "" where it does not.
func (f failure) registrarSentence(s *Session) string {
	switch f.reason {
	case ReasonWrongPINFirst, ReasonWrongPINSecond:
		half := map[Reason]string{ReasonWrongPINFirst: "first", ReasonWrongPINSecond: "second"}[f.reason]
		return fmt.Sprintf("The PIN is not the one of the access point %s: its %s half is wrong. Read it again from its label or its settings; after a few wrong ones it locks its setup.", peer(s), half)
	case ReasonSetupLocked:
		if errors.Is(f.err, errLockedAlready) {
			return fmt.Sprintf("The access point %s says that its setup is locked, so the PIN was not tried: restart it, or unlock WPS in its settings.", peer(s))
		}
		return fmt.Sprintf("The access point %s does not let itself be set up with a PIN: its setup is locked, it has no PIN, or it takes no new settings. Look at its WPS settings.", peer(s))
	case ReasonRegistrarBusy:
		return fmt.Sprintf("The access point %s does not offer to be set up with a PIN: look at its WPS settings.", peer(s))
	case ReasonBadCredential, ReasonNoCredential:
		return fmt.Sprintf("The access point %s showed settings that make no network for this computer: set it to WPA2-Personal in its own settings.", peer(s))
	case ReasonRejected:
		if s.Purpose == PurposeConfigure {
			return fmt.Sprintf("The access point %s refused the new settings%s.", peer(s), because(f.configError))
		}
	case ReasonWalkTime, ReasonNoAccessPoint:
		return "The access point was not found: look at its BSSID, switch WPS on in its settings, or move closer."
	default:
	}
	return ""
}

// wpa3Sentence is for a network that came, and cannot be joined by SAE, which is the only way in.
func (f failure) wpa3Sentence(s *Session) string {
	if failed, ok := errors.AsType[*HandoverError](f.err); ok {
		return fmt.Sprintf("The network is stored, but its access point takes WPA3 only, and %s has no WPA3 (SAE) here: update it, or set the access point to WPA2/WPA3.", failed.Manager)
	}
	return fmt.Sprintf("The access point %s takes WPA3 only, and what it gave is no passphrase, which WPA3 needs: set it to WPA2/WPA3, or use its passphrase.", peer(s))
}

func (f failure) overlapSentence(s *Session) string {
	if !isOverlap(f.err) {
		return fmt.Sprintf("The access point %s says that a second device pressed its button at the same time: wait two minutes, then press both buttons again.", peer(s))
	}
	list := make([]string, len(s.Detail.BSSIDs))
	for i, m := range s.Detail.BSSIDs {
		list[i] = m.String()
	}
	return "The button is pressed on several access points (" + strings.Join(list, ", ") + "), and nobody can tell which one is meant: name one of them, or wait two minutes and press one button only."
}

func walkTimeSentence(s *Session) string {
	if s.Method == MethodPBC {
		return "Nobody pressed the button of an access point within two minutes: start again, and press it then."
	}
	return "No access point asked for this PIN within two minutes: start again, and type the PIN into the access point then."
}

// peer names the access point for a person: its SSID if that is text, and its BSSID.
func peer(s *Session) string {
	name := s.Detail.SSID
	printable := utf8.Valid(name) && strings.IndexFunc(string(name), func(r rune) bool { return !unicode.IsPrint(r) }) < 0
	switch {
	case s.Peer.IsZero():
		return "that was tried"
	case len(name) == 0 || !printable:
		return s.Peer.String()
	}
	return fmt.Sprintf("%q (%s)", name, s.Peer)
}

// oneLine is an error's text as a part of a sentence.
func oneLine(err error) string {
	text := strings.Join(strings.FieldsFunc(strings.ToValidUTF8(err.Error(), "?"), unicode.IsControl), "; ")
	if text == "" {
		return "it gave no reason"
	}
	return text
}

func because(e wsc.ConfigError) string {
	if e == wsc.ConfigErrorNone {
		return " without giving a reason"
	}
	return fmt.Sprintf(": %v (%d)", e, uint16(e))
}
