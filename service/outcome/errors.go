package outcome

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"wpsd/engine/devpass"
)

// callError is how a call can fail: the name that it has on D-Bus, without our prefix if it is
// ours; what it is called in logs and in other errors; and its sentence for a person, empty where
// the error that wraps it tells more than could be said here, and never holds a secret.
type callError struct {
	name, label, text string
	is                error // what it is a kind of
}

// Error implements error.
func (e *callError) Error() string { return "service: " + e.label }

// Unwrap gives what it is a kind of.
func (e *callError) Unwrap() error { return e.is }

// What calls return, found with errors.Is. devpass.ErrPIN and devpass.ErrPINChecksum come as well.
var (
	ErrHandover error = &callError{"HandoverFailed",
		"the network manager did not connect to the network", "", nil}
	ErrDismissed error = &callError{"AuthorizationDismissed", "the dialog was dismissed",
		"The question for a password was closed without an answer: nothing was done.",
		ErrNotAuthorized}
	ErrInteractionRequired error = &callError{NameInteractive, "a password is required",
		"This needs a password: allow interactive authorization with the call, or run it as root (sudo).", ErrNotAuthorized}
	ErrNoAuthenticationAgent error = &callError{NameInteractive, "nobody to ask for a password",
		"This needs a password, and no authentication agent is there to ask for it: start one (pkttyagent in a terminal), or run it as root (sudo).", ErrNotAuthorized}
	ErrNotAuthorized error = &callError{"NotAuthorized", "not authorized",
		"You are not authorized to do this: run it as root (sudo), or have the administrator allow it by a rule of polkit.", nil}
	ErrBusy error = &callError{"Busy", "a session or a scan is running on this interface",
		"A session or a scan runs on this interface: wait for its end, or cancel it.", nil}
	ErrInterfaceExists error = &callError{"InterfaceExists",
		"this network interface is there already",
		"This network interface is there already: nothing has to be added.", nil}
	ErrNoInterface error = &callError{"UnknownInterface", "there is no such network interface",
		"There is no such network interface, or no longer: compare it with the list of interfaces.", nil}
	ErrUnknownBSSID error = &callError{"UnknownBssid",
		"this BSSID cannot be one of an access point",
		"No access point can have this BSSID: take one from the list of access points, or leave it out.", nil}
	ErrRadioBlocked error = &callError{"RadioBlocked", "the radio is switched off",
		"The radio is switched off: unblock it with its switch or with rfkill.", nil}
	ErrNoSession error = &callError{"NoSession", "there is no such session",
		"There is no such session, or it is over: nothing has to be ended.", nil}
	ErrNoNetwork error = &callError{"NoNetwork", "there is no such stored network",
		"This network is not stored, or no longer: compare it with the list of stored networks.", nil}
	ErrNoCredentials error = &callError{"NoCredentials", "the session received no credential",
		"The session has received no network: if it still runs, wait for its end; if it has failed, its Reason says why.", nil}
	ErrTooManyAgents error = &callError{"LimitsExceeded", "too many agents",
		"As many programs wait for received networks as can be (16): end one of them.", nil}
	ErrAgentExists error = &callError{"AgentExists", "this agent is registered already",
		"This object is registered already: unregister it first, or take another one.", nil}
	ErrNoAgent error = &callError{"NoAgent", "this agent is not registered, or no longer",
		"This object is not registered, or no longer: register it first.", nil}
	ErrUnreachable error = &callError{"Unreachable", "the access point's software does not answer",
		"The access point's software does not answer: see whether hostapd or wpa_supplicant runs and has ctrl_interface set, with a group that wpsd is in (netdev).", nil}
	ErrRefused error = &callError{"Refused", "the access point refused",
		"The access point refused: look at its WPS settings and its log.", nil}
	ErrERStopped error = &callError{"NotRunning",
		"the External Registrar does not run on this interface",
		"The External Registrar does not run on this interface: start it first.", nil}
	ErrERSockets error = &callError{"Unreachable",
		"the External Registrar cannot use the network on this interface",
		"The network cannot be used on this interface: see whether the interface is up and has an address, and wpsd's log (journalctl -u wpsd).", nil}
	ErrERBusy error = &callError{"Busy", "this access point is being learned or configured",
		"This access point is being learned or configured: wait for the end of that session, or cancel it.", nil}
	ErrERDropped error = &callError{"Refused", "this access point misbehaves and is not used",
		"This access point misbehaves and is not used: the list of the access points says why (Problem).", nil}
	ErrERAmbiguous error = &callError{"InvalidArguments",
		"several access points are named", "", nil}
	ErrEROverlap error = &callError{"Overlap",
		"the buttons of two devices are pressed, and nobody can tell which one is meant",
		"Two devices have pressed their buttons, and nobody can tell which one is meant: wait two minutes, then press one only.", nil}
	ErrNoERAP error = &callError{"UnknownAccessPoint", "there is no such access point",
		"The External Registrar has found no such access point: compare it with the list of those that it found.", nil}
	ErrNoERSettings error = &callError{"NoSettings",
		"the settings of the access point are not known, so there is nothing to give",
		"The settings of the access point are not known, so there is nothing to give: read them first with its PIN (Learn), or set a stored network for it (SetConfig).", nil}
	ErrTooMany error = &callError{"LimitsExceeded", "too many sessions at once",
		"There are too many sessions: wait for one to end, or cancel one.", nil}
	ErrSuspended error = &callError{"Suspended", "the computer goes to sleep",
		"The computer is about to sleep: try again when it is awake.", nil}
	ErrShutdown error = &callError{"ShuttingDown", "shutting down",
		"The service is about to stop: try again once it has been started.", nil}
	ErrStoreFull error = &callError{"LimitsExceeded", "as many networks are stored as can be",
		"As many networks are stored as can be: delete one first.", nil}
	ErrStore error = &callError{"StoreFailed", "the state directory cannot be written",
		"The state directory cannot be written: see whether the disk is full or read-only, and wpsd's log (journalctl -u wpsd).", nil}
	ErrNoToken error = &callError{"NoToken", "there is no NFC token for this", "", nil}
	ErrBadTag  error = &callError{"InvalidTag",
		"this is no NFC tag of Wi-Fi Protected Setup", "", nil}
	ErrChanged error = &callError{"Busy", "what this would do has changed in this very moment",
		"What this call would do changes all the time: try again in a moment.", nil}
	ErrNotSupported error = &callError{"NotSupported",
		"this interface or this version cannot do that", "", nil}
	ErrInvalid error = &callError{"InvalidArguments", "invalid value", "", nil}
)

// calls are all of them. The first that an error is counts: ErrHandover comes first, as it wraps
// the manager's own error.
var calls = []error{
	ErrHandover, ErrDismissed, ErrInteractionRequired, ErrNoAuthenticationAgent, ErrNotAuthorized,
	ErrBusy, ErrInterfaceExists, ErrNoInterface, ErrUnknownBSSID, ErrRadioBlocked, ErrNoSession,
	ErrNoNetwork, ErrNoCredentials, ErrTooManyAgents, ErrAgentExists, ErrNoAgent, ErrUnreachable,
	ErrRefused, ErrERStopped, ErrERSockets, ErrERBusy, ErrERDropped, ErrERAmbiguous, ErrEROverlap,
	ErrNoERAP, ErrNoERSettings, ErrTooMany, ErrSuspended, ErrShutdown, ErrStoreFull, ErrStore,
	ErrNoToken, ErrBadTag, ErrChanged, ErrNotSupported, ErrInvalid,
}

// Calls are the errors of calls, for manuals and tests.
func Calls() []error {
	all := slices.Clone(calls)
	for _, row := range pinErrors {
		all = append(all, row.is)
	}
	return all
}

// pinErrors are those of package devpass.
var pinErrors = []struct {
	is error
	Problem
}{
	{devpass.ErrPINChecksum, Problem{"InvalidPinChecksum",
		"The last digit of the PIN does not fit the others: compare it with the label or the screen."}},
	{devpass.ErrPIN, Problem{"InvalidPin",
		"This is not a PIN: give 4 digits, or 8 with the check digit at the end."}},
}

// internal is an error that nobody thought of, which is a mistake of ours: the caller is told no
// more than that.
const internal = "This failed inside wpsd: its log tells why (journalctl -u wpsd)."

// OfCall gives the name that the error of a call has on D-Bus, without our prefix if it is ours,
// and the sentence for a person.
func OfCall(err error) (name, sentence string) {
	if p, ok := errors.AsType[*problem](err); ok {
		return p.name, p.text
	}
	for _, row := range pinErrors {
		if errors.Is(err, row.is) {
			return row.name, row.text
		}
	}
	for _, known := range calls {
		if !errors.Is(err, known) {
			continue
		}
		e := known.(*callError)
		if e.text != "" {
			return e.name, e.text
		}
		return e.name, sentenceOf(detailOf(err, known))
	}
	return NameFailed, internal
}

// packages are the beginnings of our own errors, which say nothing to who reads them inside of
// another.
var packages = strings.NewReplacer(": ndef: ", ": ", ": wsc: ", ": ", ": credential: ", ": ",
	": devpass: ", ": ", ": wsccrypto: ", ": ")

// detailOf is the text of an error without that of the sentinel which it wraps, where the sentinel
// says nothing that what follows does not: "invalid value: a passphrase has 8 to 63 characters".
func detailOf(err, sentinel error) string {
	text := packages.Replace(err.Error())
	if rest, ok := strings.CutPrefix(text, sentinel.Error()+": "); ok &&
		(sentinel == ErrInvalid || sentinel == ErrNotSupported) {
		return rest
	}
	return text
}

// sentenceOf makes a sentence of an error's text: without the package in front, on one line, with a
// capital and a full stop.
func sentenceOf(text string) string {
	if prefix, rest, ok := strings.Cut(text, ": "); ok && !strings.ContainsAny(prefix, " \"") {
		text = rest
	}
	text = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "?"), unicode.IsControl), " ")
	if first, _, _ := strings.Cut(text, " "); strings.ContainsAny(first, "0123456789_") {
		// the name of an interface or a program stays as it is
		return strings.TrimRight(text, ".") + "."
	}
	r, n := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(r)) + strings.TrimRight(text[n:], ".") + "."
}

// NoSessionOn is ErrNoSession of an interface.
func NoSessionOn(ifname string) error {
	return fmt.Errorf("%w: none runs on %s", ErrNoSession, ifname)
}
