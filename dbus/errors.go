package dbus

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"wpsd/engine/devpass"
	"wpsd/service"
	"wpsd/service/agents"
)

// Names of errors: those that every D-Bus service has, and our own.
const (
	errFailed           = "org.freedesktop.DBus.Error.Failed"
	errInvalidArgs      = "org.freedesktop.DBus.Error.InvalidArgs"
	errLimits           = "org.freedesktop.DBus.Error.LimitsExceeded"
	errReadOnly         = "org.freedesktop.DBus.Error.PropertyReadOnly"
	errUnknownInterface = "org.freedesktop.DBus.Error.UnknownInterface"
	errUnknownMethod    = "org.freedesktop.DBus.Error.UnknownMethod"
	errUnknownObject    = "org.freedesktop.DBus.Error.UnknownObject"
	errUnknownProperty  = "org.freedesktop.DBus.Error.UnknownProperty"
	errInteractive      = "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"

	errorPrefix         = "fi.w1.wps.Error."
	errInvalidArguments = errorPrefix + "InvalidArguments"
)

// busError is an error with its name on the bus and the sentence that goes with it.
type busError struct{ name, text string }

// Error implements error.
func (e *busError) Error() string { return e.text }

var (
	// ErrNotAuthorized is what an Authorizer says no with.
	ErrNotAuthorized = errors.New("dbus: not authorized")
	// ErrDismissed is an ErrNotAuthorized: the user was asked for a password and closed the dialog.
	ErrDismissed = fmt.Errorf("%w: the dialog was dismissed", ErrNotAuthorized)
	// ErrInteractionRequired is an ErrNotAuthorized: the user would have to be asked, which the
	// caller did not allow.
	ErrInteractionRequired = fmt.Errorf("%w: a password is required", ErrNotAuthorized)

	errNoAuthenticationAgent = fmt.Errorf("%w: nobody to ask for a password", ErrNotAuthorized)

	errNoCredentials = errors.New("dbus: the session received no credential")
	errCallerLeft    = errors.New("dbus: the caller left the bus")
)

// errorNames gives each error its name on the bus, without our prefix if it is ours. The first row
// that fits counts. An empty text means the error's own: those tell more than could be said here,
// and never hold a secret.
var errorNames = []struct {
	err        error
	name, text string
}{
	{service.ErrHandover, "HandoverFailed", ""}, // first: it wraps the manager's own error
	{ErrDismissed, "AuthorizationDismissed",
		"The question for a password was closed without an answer: nothing was done."},
	{ErrInteractionRequired, errInteractive, "This needs a password: allow interactive authorization with the call, or run it as root (sudo)."},
	{errNoAuthenticationAgent, errInteractive,
		"This needs a password, and no authentication agent is there to ask for it: start one (pkttyagent in a terminal), or run it as root (sudo)."},
	{ErrNotAuthorized, "NotAuthorized", "You are not authorized to do this: run it as root (sudo), or have the administrator allow it by a rule of polkit."},
	{devpass.ErrPINChecksum, "InvalidPinChecksum",
		"The last digit of the PIN does not fit the others: compare it with the label or the screen."},
	{devpass.ErrPIN, "InvalidPin",
		"This is not a PIN: give 4 digits, or 8 with the check digit at the end."},
	{service.ErrBusy, "Busy", "A session or a scan runs on this interface: wait for its end, or cancel it."},
	{service.ErrInterfaceExists, "InterfaceExists",
		"This network interface is there already: nothing has to be added."},
	{service.ErrNoInterface, "UnknownInterface",
		"There is no such network interface, or no longer: compare it with the list of interfaces."},
	{service.ErrUnknownBSSID, "UnknownBssid",
		"No access point can have this BSSID: take one from the list of access points, or leave it out."},
	{service.ErrRadioBlocked, "RadioBlocked",
		"The radio is switched off: unblock it with its switch or with rfkill."},
	{service.ErrNoSession, "NoSession",
		"There is no such session, or it is over: nothing has to be ended."},
	{service.ErrNoNetwork, "NoNetwork",
		"This network is not stored, or no longer: compare it with the list of stored networks."},
	{errNoCredentials, "NoCredentials", "The session has received no network: if it still runs, wait for its end; if it has failed, its Reason says why."},
	{agents.ErrTooMany, "LimitsExceeded",
		"As many programs wait for received networks as can be (16): end one of them."},
	{agents.ErrExists, "AgentExists",
		"This object is registered already: unregister it first, or take another one."},
	{agents.ErrUnknown, "NoAgent",
		"This object is not registered, or no longer: register it first."},
	{service.ErrUnreachable, "Unreachable", "The access point's software does not answer: see whether hostapd or wpa_supplicant runs and has ctrl_interface set, with a group that wpsd is in (netdev)."},
	{service.ErrRefused, "Refused",
		"The access point refused: look at its WPS settings and its log."},
	{service.ErrERStopped, "NotRunning",
		"The External Registrar does not run on this interface: start it first."},
	{service.ErrERSockets, "Unreachable", "The network cannot be used on this interface: see whether the interface is up and has an address, and wpsd's log (journalctl -u wpsd)."},
	{service.ErrERBusy, "Busy", "This access point is being learned or configured: wait for the end of that session, or cancel it."},
	{service.ErrERDropped, "Refused", "This access point misbehaves and is not used: the list of the access points says why (Problem)."},
	{service.ErrERAmbiguous, "InvalidArguments", ""},
	{service.ErrEROverlap, "Overlap", "Two devices have pressed their buttons, and nobody can tell which one is meant: wait two minutes, then press one only."},
	{service.ErrNoERAP, "UnknownAccessPoint",
		"The External Registrar has found no such access point: compare it with the list of those that it found."},
	{service.ErrNoERSettings, "NoSettings", "The settings of the access point are not known, so there is nothing to give: read them first with its PIN (Learn), or set a stored network for it (SetConfig)."},
	{service.ErrTooMany, "LimitsExceeded",
		"There are too many sessions: wait for one to end, or cancel one."},
	{service.ErrSuspended, "Suspended",
		"The computer is about to sleep: try again when it is awake."},
	{service.ErrShutdown, "ShuttingDown",
		"The service is about to stop: try again once it has been started."},
	{service.ErrStoreFull, "LimitsExceeded",
		"As many networks are stored as can be: delete one first."},
	{service.ErrStore, "StoreFailed", "The state directory cannot be written: see whether the disk is full or read-only, and wpsd's log (journalctl -u wpsd)."},
	{service.ErrNoToken, "NoToken", ""},
	{service.ErrBadTag, "InvalidTag", ""},
	{service.ErrUselessTag, "InvalidTag", ""},
	{service.ErrChanged, "Busy",
		"What this call would do changes all the time: try again in a moment."},
	{service.ErrNotSupported, "NotSupported", ""},
	{service.ErrInvalid, "InvalidArguments", ""},
}

// errorReply gives the name and the text with which an error crosses the bus. An error that is not
// in the table is a mistake of ours: the caller is told no more than that.
func errorReply(err error) (name, text string) {
	var e *busError
	if errors.As(err, &e) {
		return e.name, e.text
	}
	for _, row := range errorNames {
		if errors.Is(err, row.err) {
			name := row.name
			if !strings.Contains(name, ".") {
				name = errorPrefix + name
			}
			if row.text == "" {
				return name, sentence(detail(err, row.err))
			}
			return name, row.text
		}
	}
	return errFailed, "This failed inside wpsd: its log tells why (journalctl -u wpsd)."
}

// packages are the beginnings of our own errors, which say nothing to who reads them inside of
// another.
var packages = strings.NewReplacer(": ndef: ", ": ", ": wsc: ", ": ", ": credential: ", ": ",
	": devpass: ", ": ", ": wsccrypto: ", ": ")

// detail is the text of an error without that of the sentinel which it wraps, where the sentinel
// says nothing that what follows does not: "invalid value: a passphrase has 8 to 63 characters".
func detail(err, sentinel error) string {
	text := packages.Replace(err.Error())
	if rest, ok := strings.CutPrefix(text, sentinel.Error()+": "); ok &&
		(sentinel == service.ErrInvalid || sentinel == service.ErrNotSupported) {
		return rest
	}
	return text
}

// expected reports whether an error is one that callers are meant to get, so that it need not be
// logged.
func expected(err error) bool {
	name, _ := errorReply(err)
	return name != errFailed
}

// sentence makes a sentence of an error's text: without the package in front, on one line, with a
// capital and a full stop.
func sentence(text string) string {
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
