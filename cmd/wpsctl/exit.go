package main

import (
	"errors"
	"fmt"
	"strings"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/dbus/bus"
	"wpsd/service/outcome"
)

// Exit codes. They are documented and stay as they are: scripts depend on them.
const (
	exitOK            = 0
	exitFailure       = 1
	exitUsage         = 2
	exitNoService     = 3
	exitNotAuthorized = 4
	exitNoInterface   = 5
	exitBusy          = 6
	exitNoAccessPoint = 7
	exitOverlap       = 8
	exitTimeout       = 9
	exitWrongPIN      = 10
	exitBadPIN        = 11
	exitRefused       = 12
	exitLink          = 13
	exitRadio         = 14
	exitWPA3          = 15
	exitNotFound      = 16
	exitNotSupported  = 17
	exitCanceled      = 18
	exitNotHandedOver = 19
	exitNotStored     = 20
	exitInterrupted   = 130
)

// exitCodes explains the codes in the help text and the manual page.
var exitCodes = []struct {
	code int
	text string
}{
	{exitOK, "success"},
	{exitFailure, "another failure"},
	{exitUsage, "wrong usage: unknown command or option, bad argument"},
	{exitNoService, "no D-Bus, or wpsd is not there"},
	{exitNotAuthorized, "not authorized"},
	{exitNoInterface, "no such network interface, none that is a station, or it went away"},
	{exitBusy, "the interface is busy: another session or scan"},
	{exitNoAccessPoint, "no access point took part"},
	{exitOverlap, "push buttons of two access points are active at once"},
	{exitTimeout, "time ran out"},
	{exitWrongPIN, "the other side has another PIN"},
	{exitBadPIN, "not a PIN, or its check digit is wrong"},
	{exitRefused, "the access point refused, is locked or busy, or sent nothing usable"},
	{exitLink, "the association failed or was lost"},
	{exitRadio, "the radio is off (rfkill, or the system is suspended)"},
	{exitWPA3, "the network takes WPA3 only, which WPS cannot set up"},
	{exitNotFound, "no such network, session or access point"},
	{exitNotSupported, "not supported by this version, driver or interface"},
	{exitCanceled, "canceled by somebody else"},
	{exitNotHandedOver, "the network is stored, but the network manager did not take it"},
	{exitNotStored, "the network was received and could not be stored; wpsctl credentials shows its key now"},
	{exitInterrupted, "canceled with Ctrl-C"},
}

// exitCodeHelp is the table of exit codes as text.
func exitCodeHelp() string {
	var b strings.Builder
	b.WriteString("Exit codes:\n")
	for _, e := range exitCodes {
		fmt.Fprintf(&b, "  %-4d %s\n", e.code, e.text)
	}
	return strings.TrimRight(b.String(), "\n")
}

// failure is an error with an exit code and, where there is one, a hint what to do next.
type failure struct {
	Exit int    `json:"exit"`
	Name string `json:"name,omitempty"` // D-Bus error or Reason of a session
	Text string `json:"message"`
	Hint string `json:"hint,omitempty"`
	told bool   // printed already
}

// Error implements error.
func (f *failure) Error() string { return f.Text }

// usagef makes a failure about what the user typed.
func usagef(format string, args ...any) error {
	return &failure{Exit: exitUsage, Text: fmt.Sprintf(format, args...)}
}

// errorPrefix begins the names of wpsd's own errors.
const errorPrefix = "fi.w1.wps.Error."

// busErrors maps D-Bus error names to exit codes; wpsd's own without their prefix.
var busErrors = map[string]struct {
	exit int
	hint string
}{
	"org.freedesktop.DBus.Error.ServiceUnknown": {exitNoService, startHint},
	"org.freedesktop.DBus.Error.NameHasNoOwner": {exitNoService, startHint},
	"org.freedesktop.DBus.Error.NoReply": {exitNoService,
		"wpsd did not answer: " + logHint},
	"org.freedesktop.DBus.Error.Disconnected":     {exitNoService, startHint},
	"org.freedesktop.DBus.Error.NoServer":         {exitNoService, startHint},
	"org.freedesktop.DBus.Error.Spawn.ExecFailed": {exitNoService, startHint},
	"org.freedesktop.DBus.Error.Spawn.ChildExited": {exitNoService,
		"wpsd did not start: " + logHint},
	"org.freedesktop.DBus.Error.TimedOut": {exitNoService,
		"wpsd did not start in time: " + logHint},
	"org.freedesktop.DBus.Error.AccessDenied":  {exitNotAuthorized, rootHint},
	interactionRequired:                        {exitNotAuthorized, ""},
	"org.freedesktop.DBus.Error.UnknownObject": {exitNotFound, ""},
	"org.freedesktop.DBus.Error.UnknownMethod": {exitNotSupported,
		"wpsctl and wpsd may be of different versions."},
	"org.freedesktop.DBus.Error.UnknownInterface": {exitNotSupported,
		"wpsctl and wpsd may be of different versions."},
	"org.freedesktop.DBus.Error.InvalidArgs":    {exitUsage, ""},
	"org.freedesktop.DBus.Error.LimitsExceeded": {exitBusy, ""},
	"InvalidArguments":                          {exitUsage, ""},
	"InvalidPin":                                {exitBadPIN, ""},
	"InvalidPinChecksum": {exitBadPIN,
		`If the label really has it so: --force.`},
	"NotAuthorized":          {exitNotAuthorized, ""},
	"AuthorizationDismissed": {exitNotAuthorized, ""},
	"Busy":                   {exitBusy, `"wpsctl cancel" ends a session.`},
	"UnknownInterface":       {exitNoInterface, `"wpsctl status" lists the interfaces.`},
	"UnknownBssid":           {exitNotFound, scanHint},
	"NoSession":              {exitNotFound, ""},
	"NotRunning":             {exitNotFound, erStartHint},
	"UnknownAccessPoint":     {exitNotFound, erAPsHint},
	"NoSettings": {exitNotFound,
		`"wpsctl er learn" reads them with the PIN of the access point.`},
	"Overlap":         {exitOverlap, ""},
	"NoNetwork":       {exitNotFound, networksHint},
	"NoCredentials":   {exitNotFound, ""},
	"RadioBlocked":    {exitRadio, rfkillHint},
	"NotSupported":    {exitNotSupported, ""},
	"NoToken":         {exitNotFound, `"wpsctl nfc" has commands for tokens and tags.`},
	"InvalidTag":      {exitUsage, ""},
	"LimitsExceeded":  {exitBusy, ""},
	"Unreachable":     {exitRefused, ""},
	"Refused":         {exitRefused, ""},
	"HandoverFailed":  {exitNotHandedOver, ""},
	"StoreFailed":     {exitNotStored, ""},
	"Suspended":       {exitRadio, ""},
	"ShuttingDown":    {exitNoService, ""},
	"InterfaceExists": {exitBusy, ""},
	"AgentExists":     {exitBusy, ""},
	"NoAgent":         {exitNotFound, ""},
}

const (
	logHint      = `"journalctl -u wpsd" shows its log.`
	startHint    = `Is wpsd running? Start it with "systemctl start wpsd", or look at --bus.`
	erStartHint  = `"wpsctl er start" starts the External Registrar.`
	rootHint     = "Run wpsctl as root (sudo)."
	networksHint = `"wpsctl networks" lists the stored networks.`
	erAPsHint    = `"wpsctl er aps" lists the access points.`
	scanHint     = `"wpsctl scan" lists the access points.`
	rfkillHint   = `"rfkill list" shows by what; "rfkill unblock wlan" switches it on.`
)

// fromBus turns an error of a D-Bus call into a failure. The text of wpsd's own errors is made for
// people.
func fromBus(err error) error {
	if err == nil {
		return nil
	}
	var e godbus.Error
	if !errors.As(err, &e) {
		for _, known := range []error{bus.ErrLost, bus.ErrTooMany} {
			if errors.Is(err, known) {
				return &failure{Exit: exitNoService, Text: known.Error(), Hint: startHint}
			}
		}
		return err
	}
	text := e.Error() // the message if there is one, else the name
	known, ok := busErrors[strings.TrimPrefix(e.Name, errorPrefix)]
	if !ok {
		return &failure{Exit: exitFailure, Name: e.Name, Text: prose(text)}
	}
	return &failure{Exit: known.exit, Name: e.Name, Text: prose(text), Hint: known.hint}
}

// reason is what the Reason of a failed session means here: an exit code, and a command of ours
// that helps on.
type reason struct {
	exit int
	hint string
}

// reasons has every Reason.
var reasons = map[outcome.Reason]reason{
	outcome.ReasonOverlap: {exitOverlap,
		"To name yours: wpsctl pbc SSID, or wpsctl pbc BSSID."},
	outcome.ReasonWalkTime:          {exitTimeout, ""},
	outcome.ReasonNoAccessPoint:     {exitNoAccessPoint, scanHint},
	outcome.ReasonSetupLocked:       {exitRefused, ""},
	outcome.ReasonWrongPINFirst:     {exitWrongPIN, ""},
	outcome.ReasonWrongPINSecond:    {exitWrongPIN, ""},
	outcome.ReasonRegistrarBusy:     {exitRefused, ""},
	outcome.ReasonNoCredential:      {exitRefused, ""},
	outcome.ReasonBadCredential:     {exitRefused, ""},
	outcome.ReasonWPA3Only:          {exitWPA3, ""},
	outcome.ReasonBand:              {exitNoAccessPoint, scanHint},
	outcome.ReasonHidden:            {exitNoAccessPoint, ""},
	outcome.ReasonRadioBlocked:      {exitRadio, rfkillHint},
	outcome.ReasonInterfaceBusy:     {exitBusy, ""},
	outcome.ReasonInterfaceGone:     {exitNoInterface, ""},
	outcome.ReasonAssociationFailed: {exitLink, ""},
	outcome.ReasonLinkLost:          {exitLink, ""},
	outcome.ReasonMessageTimeout:    {exitTimeout, ""},
	outcome.ReasonProtocolError:     {exitRefused, ""},
	outcome.ReasonRejected:          {exitRefused, ""},
	outcome.ReasonNotSupported:      {exitNotSupported, ""},
	outcome.ReasonSuspended:         {exitRadio, ""},
	outcome.ReasonOwnerLeft:         {exitCanceled, ""},
	outcome.ReasonCanceled:          {exitCanceled, ""},
	outcome.ReasonHandoverFailed: {exitNotHandedOver,
		`"wpsctl networks show" has what it needs.`},
	outcome.ReasonNotStored: {exitNotStored,
		`"wpsctl credentials" shows its key for the next ten minutes.`},
	outcome.ReasonUnsupported: {exitRefused, ""},
	outcome.ReasonInternal:    {exitFailure, logHint},
}
