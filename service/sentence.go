package service

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"wpsd/engine/credential"
	"wpsd/service/search"
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
	if text := f.arrivalSentence(s); text != "" {
		return text
	}
	switch {
	case errors.Is(f.err, ErrShutdown):
		return "wpsd was stopped: start again when it runs."
	}
	if text := f.replacedSentence(s); text != "" {
		return text
	}
	if s.Method == MethodNFC {
		if text := f.nfcSentence(s); text != "" {
			return text
		}
	}
	if f.reason == ReasonBadCredential && errors.Is(f.err, credential.ErrSSID) {
		return fmt.Sprintf("The access point %s sent a network whose name cannot be used (it is empty, or has a zero byte in it): give it another name in its settings, then start again.", peer(s))
	}
	if s.Role != RoleEnrollee {
		if text := f.registrarSentence(s); text != "" {
			return text
		}
	}
	if errors.Is(f.err, credential.ErrWPA3Only) {
		return f.wpa3Sentence(s)
	}
	if failed, ok := errors.AsType[*HandoverError](f.err); ok && !failed.Run.IsZero() {
		return fmt.Sprintf("The network is %s, but %s did not connect to it (%s). Its key may be tied to the address %s, with which it was received: "+
			"allow this computer's other addresses at the access point, too, or connect by hand.",
			kept(s), managerName(failed.Manager), oneLine(failed.Err), failed.Run)
	} else if ok {
		return fmt.Sprintf("The network is %s, but %s did not connect to it (%s): try again, or connect by hand.", kept(s), managerName(failed.Manager), oneLine(failed.Err))
	}
	switch f.reason {
	case ReasonOverlap:
		return f.overlapSentence(s)
	case ReasonWrongPINFirst, ReasonWrongPINSecond:
		return f.wrongPINSentence(s)
	case ReasonNoAccessPoint:
		if errors.Is(f.err, search.ErrNoWPS) {
			return fmt.Sprintf("The access point %s is there, but it does not offer WPS: switch WPS on in its settings.", wanted(s))
		}
		if name := wanted(s); name != "" {
			return fmt.Sprintf("The access point %s was not found: see whether it is switched on, and WPS in its settings, or move closer.", name)
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
		return fmt.Sprintf("The access point %s ended the setup%s. Start again; if it happens again, restart the access point.", peer(s), because(f.configError))
	}
	if f.reason == ReasonAssociationFailed {
		return f.associationSentence(s)
	}
	if known, ok := errors.AsType[advised](f.err); ok {
		return known.Advice()
	}
	if text, ok := sentences[f.reason]; ok {
		if strings.Contains(text, "%s") && s.Peer.IsZero() {
			return strings.ReplaceAll(text, " %s", "")
		}
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
	ReasonSetupLocked:    "The access point %s has locked its WPS setup after too many wrong PINs: restart it, or unlock WPS in its settings.",
	ReasonNoCredential:   "The access point %s sent no network: look at its settings, then start again.",
	ReasonBadCredential:  "The access point %s sent a network that cannot be used: set it to WPA2-Personal with a passphrase of 8 to 63 characters.",
	ReasonWPA3Only:       "The access point %s takes WPA3 only, which WPS cannot set up: use its passphrase, or set it to WPA2/WPA3.",
	ReasonHidden:         "The access point %s hides the name of its network, which WPS needs: let it show its name in its settings, or join with name and passphrase.",
	ReasonRadioBlocked:   "The radio is switched off: use the hardware switch, or rfkill unblock wifi, then start again.",
	ReasonInterfaceBusy:  "Another program uses the network interface, perhaps a wpa_supplicant without a control socket: stop it, or have it give up the interface, then start again.",
	ReasonInterfaceGone:  "The network interface is gone: plug it in again, then start again.",
	ReasonLinkLost:       "The connection to the access point %s was lost: move closer, then start again.",
	ReasonMessageTimeout: "The access point %s stopped answering: move closer, then start again.",
	ReasonProtocolError:  "The access point %s did not keep to the protocol: start again; if it happens again, update its firmware.",
	ReasonNotSupported:   "This network interface cannot do that: use another one.",
	ReasonSuspended:      "The computer went to sleep: start again.",
	ReasonOwnerLeft:      "The program that started this ended before it was done: start again.",
	ReasonCanceled:       "Canceled.",
	ReasonHandoverFailed: "The network is stored, but the network manager did not take it: try again, or connect by hand.",
	ReasonNotStored:      "The network was received, but it could not be stored: fetch it now; then see whether the disk is full or read-only, and wpsd's log (journalctl -u wpsd).",
	ReasonUnsupported:    "The access point %s has a kind of security that cannot be used here: set it to WPA2-Personal.",
	ReasonInternal:       "Something went wrong inside wpsd, which is a mistake in it: its log tells more (journalctl -u wpsd).",
}

// registrarSentence is for what reads otherwise when the PIN is the access point's; "" where it
// does not.
func (f failure) registrarSentence(s *Session) string {
	switch f.reason {
	case ReasonWrongPINFirst, ReasonWrongPINSecond:
		half := halves[f.reason]
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
			return fmt.Sprintf("The access point %s refused the new settings%s.", peer(s),
				because(f.configError))
		}
	case ReasonWalkTime, ReasonNoAccessPoint:
		if errors.Is(f.err, search.ErrNoWPS) {
			break
		}
		return fmt.Sprintf("The access point %s was not found: see whether it is switched on, and WPS in its settings, or move closer.", wanted(s))
	default:
	}
	return ""
}

// wpa3Sentence is for a network that came, and cannot be joined by SAE, which is the only way in.
func (f failure) wpa3Sentence(s *Session) string {
	if failed, ok := errors.AsType[*HandoverError](f.err); ok {
		return fmt.Sprintf("The network is %s, but its access point takes WPA3 only, and %s has no WPA3 (SAE) here: update it, or set the access point to WPA2/WPA3.", kept(s), managerName(failed.Manager))
	}
	return fmt.Sprintf("The access point %s takes WPA3 only, and what it gave is no passphrase, which WPA3 needs: set it to WPA2/WPA3, or use its passphrase.", peer(s))
}

func (f failure) overlapSentence(s *Session) string {
	if !isOverlap(f.err) {
		return fmt.Sprintf("The access point %s says that a second device pressed its button at the same time: wait two minutes, then press both buttons again.", peer(s))
	}
	seen := make([]namedAP, len(s.Detail.BSSIDs))
	for i, m := range s.Detail.BSSIDs {
		seen[i] = namedAP{BSSID: m}
		if i < len(s.Detail.Overlap) {
			seen[i] = s.Detail.Overlap[i]
		}
	}
	names := routerNames(seen)
	return fmt.Sprintf("The buttons of %d routers are pressed at once, and nobody can tell which one is meant: %s. Name yours, or wait two minutes and press one button only.",
		len(names), allOf(names))
}

// wrongPINSentence is for a device that joins with its own PIN. An access point that nobody named
// may be a stranger's, whose owner waits for another device: there is nothing to be typed there.
func (f failure) wrongPINSentence(s *Session) string {
	half := halves[f.reason]
	if s.Wanted.IsZero() {
		return fmt.Sprintf("The access point %s expects a device with another PIN; the %s half of ours is not its. If it is yours, compare the PIN that was typed there with this device's; if it is a neighbor's, name yours. Then start again.", peer(s), half)
	}
	return fmt.Sprintf("The PIN is wrong: its %s half is not the one that was typed at the access point %s. Compare them, type it there again, then start again.", half, peer(s))
}

// halves names the half of a PIN that was wrong.
var halves = map[Reason]string{ReasonWrongPINFirst: "first", ReasonWrongPINSecond: "second"}

// kept says what became of the network that a session received.
func kept(s *Session) string {
	if len(s.Networks) == 0 {
		return "received"
	}
	return "stored"
}

func walkTimeSentence(s *Session) string {
	name := wanted(s)
	switch {
	case name != "" && s.Method == MethodPBC:
		return fmt.Sprintf("Nobody pressed the button of the access point %s within two minutes: start again, and press it then.", name)
	case name != "":
		return fmt.Sprintf("The access point %s did not ask for this PIN within two minutes: start again, and type the PIN in there then.", name)
	}
	if s.Method == MethodPBC {
		return "Nobody pressed the button of an access point within two minutes: start again, and press it then."
	}
	return "No access point asked for this PIN within two minutes: start again, and type the PIN into the access point then."
}

// peer names the access point for a person: its SSID if that is text, and its BSSID.
func peer(s *Session) string {
	switch {
	case s.ERAPName != "" && s.Purpose != PurposeAdmit && nameText(s.Detail.SSID) == "":
		return s.ERAPName // what it calls itself says more than its BSSID
	case s.Peer.IsZero():
		return "that was tried"
	}
	return accessPointName(s.Detail.SSID, s.Peer)
}

// wanted names the access point that whoever started the session named; "" if he named none.
func wanted(s *Session) string {
	if s.Wanted.IsZero() {
		return ""
	}
	return accessPointName(s.Detail.WantedSSID, s.Wanted)
}

// oneLine is an error's text as a part of a sentence.
func oneLine(err error) string {
	if err == nil {
		return "it gave no reason"
	}
	text := strings.Join(strings.FieldsFunc(strings.ToValidUTF8(err.Error(), "?"),
		unicode.IsControl), "; ")
	for _, manager := range []string{"networkmanager: ", "wpa_supplicant: ", "iwd: "} {
		text = strings.TrimPrefix(text, manager) // the sentence has named it
	}
	if text == "" {
		return "it gave no reason"
	}
	return text
}
