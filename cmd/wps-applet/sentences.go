package main

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"wpsd/cmd/wps-applet/model"
)

// remedy is the one action that helps after a failure.
type remedy int

// The remedies.
const (
	again     remedy = iota // begin once more
	pick                    // say which router is meant
	retype                  // type the PIN again
	radio                   // switch the radio on
	elsewhere               // look at the routers, and take another
	stop                    // end what is in the way, and begin once more
	look                    // look at what was stored
	ask                     // ask who administers the computer: here, go back
	nothing                 // nothing but to go back
)

// sentence is how an end is told.
type sentence struct {
	title, body string
	helps       remedy
}

// text marks a text that is translated when it is shown. The program that collects the texts looks
// for its name.
func text(s string) string { return s }

// reasons has a sentence for each Reason of a session.
var reasons = map[string]sentence{
	"pbc-overlap": {text("Two Buttons Are Pressed"),
		text("The buttons of two routers are active at once, so it cannot be told which one is yours. Choose it here."), pick},
	"walk-time-expired": {text("Nobody Pressed"),
		text("Two minutes went by and no router took part. Start again, and press the button on the router, or type the PIN there, within two minutes."), again},
	"no-access-point": {text("No Router Found"),
		text("No router with WPS was heard. Go nearer to it, and see whether WPS is switched on in its settings."), again},
	"setup-locked": {text("The Router Has Locked WPS"),
		text("After wrong PINs a router takes no more of them for a while. Use its button, or restart it."), again},
	"wrong-pin-first-half": {text("The First Half of the PIN Is Wrong"),
		text("The first four digits differ already. Compare the PIN and type it again."), retype},
	"wrong-pin-second-half": {text("The Second Half of the PIN Is Wrong"),
		text("The first four digits are right, the last four are not. Compare the PIN and type it again."), retype},
	"registrar-busy": {text("The Router Does Not Expect This Device Yet"),
		text("Type the PIN on the WPS page of the router first, then start again."), again},
	"no-credential": {text("The Router Gave No Network"),
		text("The router ended the setup without giving a network. Try it once more."), again},
	"bad-credential": {text("The Network Cannot Be Used"),
		text("What the router sent is not a usable network. Look at its wireless settings."), elsewhere},
	"wpa3-only": {text("The Network Takes WPA3 Only"),
		text("WPS cannot set up such a network. Join it with its password in the Wi-Fi settings, or allow WPA2 beside WPA3 on the router."), elsewhere},
	"band-without-wps": {text("No WPS in This Band"),
		text("The router's network in 6 GHz cannot be joined by WPS. Take its network in 2.4 or 5 GHz."), elsewhere},
	"hidden-network": {text("The Network Hides Its Name"),
		text("Let the router show the name of its network, or join with name and password in the Wi-Fi settings."), elsewhere},
	"radio-blocked": {text("Wi-Fi Is Switched Off"),
		text("The radio is off, by airplane mode or by a switch of this computer."), radio},
	"interface-busy": {text("The Adapter Is in Use"),
		text("Another program uses the Wi-Fi adapter. End it, and try again."), again},
	"interface-gone": {text("The Adapter Is Gone"),
		text("The Wi-Fi adapter went away. Plug it in again, and start once more."), again},
	"association-failed": {text("The Router Did Not Let This Device In"),
		text("It may be full, or allow certain devices only. Go nearer and try again."), again},
	"link-lost": {text("The Connection Broke Off"),
		text("The link to the router was lost during setup. Go nearer and try again."), again},
	"message-timeout": {text("The Router Stopped Answering"),
		text("Nothing came from the router for too long. Go nearer and try again."), again},
	"protocol-error": {text("The Router Did Not Keep to the Rules"),
		text("What it sent makes no sense. Restart the router if it happens again."), again},
	"rejected": {text("The Router Refused"),
		text("Its WPS page may say why. Try once more, or try the other way: its button, or a PIN."), again},
	"not-supported": {text("This Adapter Cannot Do That"),
		text("Its driver does not offer what this needs. Try another way, or another adapter."), elsewhere},
	"suspended": {text("The Computer Was Asleep"),
		text("The setup ended when the computer was suspended. Start again."), again},
	"owner-left": {text("The Setup Was Given Up"),
		text("The program that started it is gone. Start again."), again},
	"canceled": {text("Canceled"),
		text("The setup was canceled by another program. Nothing was changed."), again},
	"handover-failed": {text("Received, but Not Connected"),
		text("The network is stored, but the network manager could not connect to it. It may be out of reach."), look},
	"not-stored": {text("Received, but Not Stored"),
		text("The network was received and could not be stored: the disk may be full. Copy its password now, it is shown here once."), again},
	"unsupported-security": {text("No Network That This Computer Could Use"),
		text("Set the router to WPA2 with a password, then start again."), again},
	"internal": {text("Something Went Wrong in the Service"),
		text("This is a mistake in the service: please report it, with its log (journalctl -u wpsd)."), again},
}

// registrarReasons are those that read otherwise where we have typed the router's own PIN, and
// admitReasons where a device is let in.
var registrarReasons = map[string]sentence{
	"wrong-pin-first-half": {text("The Router Has Another PIN"),
		text("The first four digits differ already. Compare them with the label of the router. After a few wrong PINs it takes no more of them."), retype},
	"wrong-pin-second-half": {text("The Router Has Another PIN"),
		text("The first four digits are right, the last four are not. Compare them with the label of the router."), retype},
	"setup-locked": {text("The Router Has Locked Its Settings"),
		text("After wrong PINs a router takes no more of them for a while. Restart the router to unlock it."), again},
	"walk-time-expired": {text("The Router Did Not Answer"),
		text("Go nearer to the router, and try again."), again},
	"rejected": {text("The Router Refused"),
		text("It may not allow that its settings are read or changed by WPS: look for “external registrar” in its settings."), elsewhere},
}

var admitReasons = map[string]sentence{
	"pbc-overlap": {text("Two Devices Want In"),
		text("The buttons of two devices are pressed at once. Wait two minutes, and press the button of one only."), again},
	"walk-time-expired": {text("No Device Came"),
		text("Two minutes went by and no device took part. Start again, and press the button of the device, or start its setup, within two minutes."), again},
	"wrong-pin-first-half": {text("The Device Has Another PIN"),
		text("The first four digits differ already. Compare the PIN with the device and type it again."), retype},
	"wrong-pin-second-half": {text("The Device Has Another PIN"),
		text("The first four digits are right, the last four are not. Compare the PIN with the device and type it again."), retype},
	"message-timeout": {text("The Device Stopped Answering"),
		text("Bring it nearer, and try again."), again},
	"link-lost": {text("The Device Went Away"), text("Bring it nearer, and try again."), again},
	"rejected":  {text("The Device Refused"), text("Start its setup anew, and try again."), again},
}

// interrupted is how a session ends whose service ended.
var interrupted = sentence{text("The Service Was Restarted"),
	text("The Wi-Fi setup service ended in the middle of the setup. It is back: start again."), again}

// callErrors has a sentence for each error of a call.
var callErrors = map[string]sentence{
	model.NoService: {text("The Service Did Not Answer"),
		text("The Wi-Fi setup service ended or hangs. Try again."), again},
	"NotAuthorized": {text("Not Allowed"),
		text("You may not do this on this computer. Ask who administers it."), ask},
	"org.freedesktop.DBus.Error.AccessDenied": {text("Not Allowed"),
		text("You may not do this on this computer. Ask who administers it."), ask},
	"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired": {text("Not Allowed Without a Password"),
		text("Nobody could ask you for the password: the desktop has no authentication agent."), ask},
	"AuthorizationDismissed": {text("No Password Was Given"),
		text("This needs the password of an administrator."), again},
	"Busy": {text("Another Setup Is Running"),
		text("Another program sets up a network with this adapter."), stop},
	"RadioBlocked": {text("Wi-Fi Is Switched Off"),
		text("The radio is off, by airplane mode or by a switch of this computer."), radio},
	"Suspended": {text("The Computer Was Asleep"), text("It has just woken up. Try again."), again},
	"UnknownInterface": {text("The Adapter Is Gone"),
		text("The Wi-Fi adapter went away. Plug it in again, and start once more."), again},
	"UnknownBssid": {text("The Router Is Out of Reach"),
		text("It is not heard any more. Go nearer to it, and try again."), again},
	"UnknownAccessPoint": {text("The Router Is Out of Reach"),
		text("It is not heard any more. Go nearer to it, and try again."), again},
	"NotSupported": {text("This Adapter Cannot Do That"),
		text("Its driver does not offer what this needs. Try another way, or another adapter."), nothing},
	"InvalidPin": {text("That Is Not a PIN"),
		text("A PIN has eight digits, or four."), retype},
	"InvalidPinChecksum": {text("A Digit Is Wrong"),
		text("The last digit does not fit the others. Compare the PIN with the label."), retype},
	"LimitsExceeded": {text("Too Much at Once"), text("Wait a moment, and try again."), again},
	"ShuttingDown":   {text("The Service Is Ending"), text("Wait a moment, and try again."), again},
	"Refused": {text("Refused"),
		text("The other side did not accept that."), again},
	"Unreachable": {text("It Does Not Answer"),
		text("The other side cannot be reached."), again},
	"HandoverFailed": {text("Could Not Connect"),
		text("The network manager could not connect to the network: it may be out of reach, or its password has changed."), again},
	"StoreFailed": {text("Could Not Store It"),
		text("The disk may be full or read-only."), again},
	"InvalidTag": {text("Not a Wi-Fi Tag"),
		text("There is nothing on the tag that WPS knows."), nothing},
	"NoToken": {text("No Tag Was Read"),
		text("Read the tag of the router first."), nothing},
	"NoSettings": {text("The Network of This Router Is Not Known"),
		text("Read its settings with its PIN first, then devices can be let in."), nothing},
	"Overlap": {text("Two Devices Want In"),
		text("The buttons of two devices are pressed at once. Wait two minutes, and press the button of one only."), again},
	"NotRunning": {text("The Search Has Ended"), text("Start it again."), again},
	"NoNetwork": {text("The Network Is Gone"),
		text("It was removed by another program."), nothing},
	"NoCredentials":    {text("The Password Is Gone"), text("It is kept for ten minutes only."), nothing},
	"NoSession":        {text("It Is Over Already"), text("The setup has ended."), nothing},
	"InvalidArguments": {text("That Cannot Be Done"), text("The service did not accept it."), nothing},
	"org.freedesktop.DBus.Error.LimitsExceeded": {text("Too Much at Once"),
		text("Wait a moment, and try again."), again},
}

// explain says how a session ended that did not succeed.
func explain(s model.Session) sentence {
	found, ok := reasons[s.Reason]
	special := reasons
	switch s.Purpose {
	case "learn", "configure":
		special = registrarReasons
	case "admit":
		special = admitReasons
	}
	if better, has := special[s.Reason]; has {
		found, ok = better, true
	}
	if !ok { // a word of a newer service
		found = sentence{text("It Did Not Work"), text("The setup ended without success."), again}
	}
	return sentence{T(found.title), T(found.body), found.helps}
}

// explainError says why a call failed. fine is what wpsd says itself, where we know less.
func explainError(err error) (s sentence, fine string) {
	e, ok := errors.AsType[*model.Error](err)
	if !ok {
		return sentence{T("It Did Not Work"), T("The setup ended without success."), again},
			err.Error()
	}
	s, ok = callErrors[e.Name]
	if !ok {
		s = sentence{text("It Did Not Work"), text("The service reported an error."), again}
	}
	switch e.Name {
	case "NotAuthorized", "AuthorizationDismissed", "RadioBlocked", model.NoService, "InvalidPin",
		"InvalidPinChecksum", "Busy":
	default:
		fine = e.Text
	}
	return sentence{T(s.title), T(s.body), s.helps}, fine
}

// explainConnect is explainError for connecting to a stored network. Where no network manager has
// the adapter wpsd wants to be told which one is meant, which a person cannot know.
func explainConnect(err error) (s sentence, fine string) {
	switch errorName(err) {
	case "InvalidArguments", "NotSupported":
		return sentence{T("No Network Manager Has the Adapter"),
			T("Show the password, and type it where this computer's networks are set up."), look}, ""
	}
	return explainError(err)
}

// errorName is the name of a call's error; empty: there is none.
func errorName(err error) string {
	if e, ok := errors.AsType[*model.Error](err); ok {
		return e.Name
	}
	return ""
}

// securityText names what protects a network, as people know it.
func securityText(ways []string) string {
	names := map[string]string{"open": T("Open"), "owe": "OWE", "wep": "WEP", "wpa": "WPA",
		"wpa2": "WPA2", "wpa3": "WPA3", "enterprise": T("Enterprise"), "other": T("Other")}
	var list []string
	for _, w := range ways {
		list = append(list, cmp.Or(names[w], printable(w)))
	}
	return strings.Join(list, "/")
}

// authText is securityText for a stored network.
func authText(auth string) string {
	names := map[string]string{"OPEN": T("Open"), "WPAPSK": "WPA", "WPA2PSK": "WPA2",
		"WPAPSK|WPA2PSK": "WPA/WPA2", "SAE": "WPA3"}
	return cmp.Or(names[auth], printable(auth))
}

// signalText says in words how strong a signal is.
func signalText(dBm int32) string {
	switch {
	case dBm >= -55:
		return T("Excellent signal")
	case dBm >= -67:
		return T("Good signal")
	case dBm >= -77:
		return T("Fair signal")
	}
	return T("Weak signal")
}

// signalIcon shows the same.
func signalIcon(dBm int32) string {
	level := "weak"
	switch {
	case dBm >= -55:
		level = "excellent"
	case dBm >= -67:
		level = "good"
	case dBm >= -77:
		level = "ok"
	}
	return "network-wireless-signal-" + level + "-symbolic"
}

// ssidText is the name of a network as it can be shown: what comes from the air has no line breaks,
// no control characters and nothing that turns the direction of the text here.
func ssidText(ssid []byte) string {
	if len(ssid) == 0 {
		return T("Hidden network")
	}
	return printable(string(ssid))
}

// printable replaces what is no text.
func printable(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsPrint(r) {
			return r
		}
		return '\uFFFD'
	}, s)
}

// managerText is how a network manager writes its name.
func managerText(name string) string {
	switch name {
	case "networkmanager":
		return "NetworkManager"
	case "connman":
		return "ConnMan"
	}
	return printable(name)
}

// clock shows a time that is left.
func clock(seconds int) string { return fmt.Sprintf("%d:%02d", seconds/60, seconds%60) }

// pinText shows a PIN in two groups, as labels do.
func pinText(pin string) string {
	if len(pin) == 8 {
		return pin[:4] + " " + pin[4:]
	}
	return pin
}
