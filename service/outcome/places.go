package outcome

import (
	"bytes"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"wpsd/engine/wsc"
)

// Sentence tells a person how a session ended, of its reason and of what is known beyond that.
func Sentence(r Reason, d Detail) string {
	text, known := sentences[d.Case]
	if !known {
		text, known = sentences[Case(r)]
	}
	if !known {
		return fmt.Sprintf("It ended for a reason that is of another version of wpsd: %s.",
			oneLine(string(r)))
	}
	if d.PasswordHalf == 0 && r == ReasonWrongPINSecond {
		d.PasswordHalf = 2
	}
	return fill(text, func(place string) string {
		if render := places[place]; render != nil {
			return render(&d)
		}
		return ""
	})
}

// fill puts what stands in its places, as in "{half}", into a text.
func fill(text string, render func(place string) string) string {
	var b strings.Builder
	for {
		before, rest, open := strings.Cut(text, "{")
		place, after, closed := strings.Cut(rest, "}")
		b.WriteString(before)
		if !open || !closed {
			return b.String()
		}
		b.WriteString(render(place))
		text = after
	}
}

// places are what can stand in a sentence: how things are called by the names that a person knows,
// and by what tells them apart.
var places = map[string]func(*Detail) string{
	"access-point":         (*Detail).accessPoint,
	"network-access-point": func(d *Detail) string { return join("access point", d.networkName()) },
	"wanted": func(d *Detail) string {
		return join("access point", d.Wanted.name())
	},
	"band":         (*Detail).band,
	"instead":      func(d *Detail) string { return strings.TrimSuffix(", "+d.Instead.name(), ", ") },
	"peer":         func(d *Detail) string { return d.Peer.String() },
	"device":       (*Detail).device,
	"routers":      func(d *Detail) string { return allOf(routerNames(d.Overlap)) },
	"router-count": func(d *Detail) string { return fmt.Sprint(len(routerNames(d.Overlap))) },
	"half":         (*Detail).half,
	"error":        func(d *Detail) string { return because(d.ConfigError) },
	"status":       func(d *Detail) string { return fmt.Sprint(d.LinkStatus) },
	"upnp-error":   func(d *Detail) string { return fmt.Sprint(d.UPnPError) },
	"timeout":      func(d *Detail) string { return lasting(d.Timeout) },
	"interface":    func(d *Detail) string { return orElse(oneLine(d.Interface), "the interface") },
	"manager": func(d *Detail) string {
		return orElse(ManagerName(d.Manager), "the network manager")
	},
	"manager-error": func(d *Detail) string { return orElse(d.ManagerError, "it gave no reason") },
	"received-with": func(d *Detail) string { return d.ReceivedWith.String() },
	"connected":     (*Detail).connected,
	"kept":          (*Detail).kept,
	"store-error":   (*Detail).storeError,
	"session":       func(d *Detail) string { return fmt.Sprint(d.Session) },
	"left-out":      func(d *Detail) string { return ListLeftOut(d.LeftOut) },
	"flaws": func(d *Detail) string {
		return strings.TrimSuffix(": "+ListLeftOut(d.LeftOut), ": ")
	},
}

// join puts a name, if there is one, behind what it is the name of.
func join(what, name string) string { return strings.TrimSuffix(what+" "+name, " ") }

// accessPoint names the access point that was tried: by its SSID if that is text, and its BSSID.
func (d *Detail) accessPoint() string {
	switch {
	case d.Address != "" && nameText(d.SSID) == "": // what it calls itself says more than its BSSID
		return join("access point", d.networkName())
	case d.Peer.IsZero():
		return "access point"
	}
	return join("access point", AccessPoint{BSSID: d.Peer, SSID: d.SSID}.name())
}

// band is where the access point that was named is. 802.11ah's has its name from the lowest of its
// frequencies in most countries.
func (d *Detail) band() string {
	switch f := d.Frequency; {
	case wsc.In6GHz(f):
		return "the 6 GHz band"
	case f >= 750 && f < 1000:
		return "the 900 MHz band"
	case f > 0:
		return fmt.Sprintf("another band (%d MHz)", f)
	}
	return "another band"
}

// networkName is the name that an access point of the External Registrar gives itself, with its
// address in the network.
func (d *Detail) networkName() string {
	const most = 40 // runes: it can be as long as its owner likes
	name := []rune(nameText([]byte(d.FriendlyName)))
	if len(name) > most {
		name = append(name[:most], '…', '"')
	}
	switch {
	case len(name) == 0:
		return d.Address
	case d.Address == "":
		return string(name)
	}
	return fmt.Sprintf("%s (%s)", string(name), d.Address)
}

// device names a device that is let in.
func (d *Detail) device() string {
	if d.Peer.IsZero() {
		return "a device"
	}
	return "the device " + d.Peer.String()
}

func (d *Detail) half() string {
	if d.PasswordHalf == 2 {
		return "second"
	}
	return "first"
}

// kept says what became of the network that a session received.
func (d *Detail) kept() string {
	if d.Stored == 0 {
		return "received"
	}
	return "stored"
}

// orElse is a text, or what stands for it where nobody knows.
func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// connected says what a manager did with a network that is not stored.
func (d *Detail) connected() string {
	switch {
	case d.Manager == "":
		return ""
	case d.HandedOver:
		return fmt.Sprintf(", but %s is connected to it", ManagerName(d.Manager))
	case d.ManagerError == "":
		return ""
	}
	return fmt.Sprintf(", and %s did not connect to it (%s)", ManagerName(d.Manager),
		d.ManagerError)
}

func (d *Detail) storeError() string {
	switch {
	case d.StoreFull:
		return "it has as many as it can store: delete some"
	case d.StoreError == "":
		return "its state directory cannot be written"
	}
	return "its state directory cannot be written: " + d.StoreError
}

// ListLeftOut says which networks were left out, and why, as a part of a sentence.
func ListLeftOut(left []LeftOut) string {
	list := make([]string, len(left))
	for i, l := range left {
		list[i] = l.String()
	}
	return strings.Join(list, ", ")
}

// nameText is an SSID in quotation marks, "" if it is none that a person could read: hidden, or
// with bytes that no terminal shows.
func nameText(ssid []byte) string {
	unseen := func(r rune) bool { return !unicode.IsPrint(r) }
	if len(ssid) == 0 || !utf8.Valid(ssid) || strings.IndexFunc(string(ssid), unseen) >= 0 {
		return ""
	}
	return `"` + string(ssid) + `"`
}

// name is the SSID of an access point with its BSSID, or the BSSID alone; "" if it has none.
func (a AccessPoint) name() string {
	if a.BSSID.IsZero() {
		return ""
	}
	if name := nameText(a.SSID); name != "" {
		return fmt.Sprintf("%s (%s)", name, a.BSSID)
	}
	return a.BSSID.String()
}

// routerNames names routers: each by the SSIDs and the BSSIDs of those of its access points that
// are among the access points. Access points with one UUID-E are one router, which has one button.
func routerNames(seen []AccessPoint) []string {
	var routers [][]AccessPoint
	for _, s := range seen {
		at := -1
		for i, r := range routers {
			if s.UUID != (wsc.UUID{}) && r[0].UUID == s.UUID {
				at = i
			}
		}
		if at < 0 {
			routers = append(routers, []AccessPoint{s})
			continue
		}
		routers[at] = append(routers[at], s)
	}
	names := make([]string, len(routers))
	for i, r := range routers {
		names[i] = routerName(r)
	}
	return names
}

// routerName is one router's name: `"Haus" (02:00:00:00:01:00, 02:00:00:00:01:01)`, or that of each
// SSID.
func routerName(r []AccessPoint) string {
	one := nameText(r[0].SSID)
	addresses := make([]string, len(r))
	each := make([]string, len(r))
	for i, s := range r {
		addresses[i], each[i] = s.BSSID.String(), s.name()
		if !bytes.Equal(s.SSID, r[0].SSID) {
			one = ""
		}
	}
	if one == "" {
		return strings.Join(each, " with ")
	}
	return one + " (" + strings.Join(addresses, ", ") + ")"
}

// allOf joins names as a sentence does: "a, b and c".
func allOf(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// ManagerName is a network manager's name as it writes it itself.
func ManagerName(name string) string {
	switch name {
	case "networkmanager":
		return "NetworkManager"
	case "connman":
		return "ConnMan"
	}
	return oneLine(name)
}

// lasting is a time for a person: "two minutes", "90 seconds".
func lasting(d time.Duration) string {
	const walkTime = 2 * time.Minute // the usual one, in words
	d = d.Round(time.Second)
	switch {
	case d == walkTime:
		return "two minutes"
	case d >= 2*time.Hour && d%time.Hour == 0:
		return fmt.Sprintf("%d hours", d/time.Hour)
	case d >= 2*time.Minute && d%time.Minute == 0:
		return fmt.Sprintf("%d minutes", d/time.Minute)
	case d == time.Second:
		return "a second"
	}
	return fmt.Sprintf("%d seconds", d/time.Second)
}

// because gives the reason that the other side has for ending a run, as the rest of a sentence.
func because(e wsc.ConfigError) string {
	switch {
	case e == wsc.ConfigErrorNone:
		return " without giving a reason"
	case e == wsc.ConfigErrorDevicePasswordAuthFailure:
		return fmt.Sprintf(": it has another PIN (error %d)", uint16(e))
	case e > wsc.ConfigErrorPublicKeyHashMismatch:
		return fmt.Sprintf(" with the error %d, which nobody knows", uint16(e))
	}
	return fmt.Sprintf(": %v (error %d)", e, uint16(e))
}

// OneLine is an error's text as a part of a sentence; "" if there is none.
func OneLine(err error) string {
	if err == nil {
		return ""
	}
	return oneLine(err.Error())
}

func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "?"), unicode.IsControl), "; ")
}

// Flaw is why nothing was made of a network that came. The words are stable API.
type Flaw string

// The flaws.
const (
	FlawWPA3Key    Flaw = "wpa3-key"
	FlawName       Flaw = "name"
	FlawWEP        Flaw = "wep"
	FlawKey        Flaw = "key"
	FlawEncryption Flaw = "encryption"
	FlawAuth       Flaw = "auth"
	FlawOther      Flaw = "other"
)

// flaws say why nothing was made of a network, as a part of a sentence.
var flaws = map[Flaw]string{
	FlawWPA3Key:    "it takes WPA3 only, and its key is no passphrase",
	FlawName:       "its name cannot be a network's",
	FlawWEP:        "it uses WEP, which protects nothing",
	FlawKey:        "its key cannot be one",
	FlawEncryption: "its encryption is of no known kind",
	FlawAuth:       "its kind of security is not WPA2-Personal",
	FlawOther:      "it cannot be used",
}

// String says which network was left out, and why, as a part of a sentence.
func (l LeftOut) String() string {
	why := flaws[l.Why]
	if why == "" {
		why = flaws[FlawOther]
	}
	return l.Name() + " (" + why + ")"
}

// Name is the network's name as a part of a sentence.
func (l LeftOut) Name() string {
	ssid := bytes.TrimRight(l.SSID, "\x00")
	name := nameText(ssid)
	switch {
	case len(ssid) == 0:
		return "a network without a name"
	case name == "":
		return "a network whose name is not text"
	}
	return name
}
