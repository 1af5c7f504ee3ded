package service

import (
	"bytes"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"wpsd/engine/er"
	"wpsd/engine/wsc"
)

// How things are called in sentences for a person: by the names that he knows, and by what tells
// them apart.

// namedAP is an access point as a sentence names it.
type namedAP struct {
	BSSID wsc.MAC
	SSID  []byte
	UUID  wsc.UUID // zero: it does not tell
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

// accessPointName is the SSID of an access point with its BSSID, or the BSSID alone.
func accessPointName(ssid []byte, bssid wsc.MAC) string {
	if name := nameText(ssid); name != "" {
		return fmt.Sprintf("%s (%s)", name, bssid)
	}
	return bssid.String()
}

// erAPName is the name that an access point of the External Registrar gives itself, with its
// address in the network.
func erAPName(ap er.AP) string {
	const most = 40 // runes: it can be as long as its owner likes
	name := []rune(nameText([]byte(ap.Description.FriendlyName)))
	if len(name) > most {
		name = append(name[:most], '…', '"')
	}
	if len(name) == 0 {
		return ap.Addr.String()
	}
	return fmt.Sprintf("%s (%s)", string(name), ap.Addr)
}

// routerNames names routers: each by the SSIDs and the BSSIDs of those of its access points that
// are among the access points. Access points with one UUID-E are one router, which has one button.
func routerNames(seen []namedAP) []string {
	var routers [][]namedAP
	for _, s := range seen {
		at := -1
		for i, r := range routers {
			if s.UUID != (wsc.UUID{}) && r[0].UUID == s.UUID {
				at = i
			}
		}
		if at < 0 {
			routers = append(routers, []namedAP{s})
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
func routerName(r []namedAP) string {
	one := nameText(r[0].SSID)
	addresses := make([]string, len(r))
	each := make([]string, len(r))
	for i, s := range r {
		addresses[i], each[i] = s.BSSID.String(), accessPointName(s.SSID, s.BSSID)
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

// managerName is a network manager's name as it writes it itself.
func managerName(name string) string {
	if name == "networkmanager" {
		return "NetworkManager"
	}
	return name
}

// lasting is a time for a person: "two minutes", "90 seconds".
func lasting(d time.Duration) string {
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

// addNames puts the names that the interface has heard into what a session tells of its end. The
// caller holds Service.mu.
func (i *iface) addNames(s *Session) {
	if ap := i.accessPoints[s.Wanted]; ap != nil {
		s.Detail.WantedSSID = ap.SSID
	}
	s.Detail.Overlap = nil
	for _, m := range s.Detail.BSSIDs {
		seen := namedAP{BSSID: m}
		if ap := i.accessPoints[m]; ap != nil {
			seen.SSID, seen.UUID = ap.SSID, ap.Ad.UUIDE
		}
		s.Detail.Overlap = append(s.Detail.Overlap, seen)
	}
}
