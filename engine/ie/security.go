package ie

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// Security is what a BSS offers, from its RSN and WPA elements: one bit for each way to get in.
type Security uint16

// The ways in. Open and WEP exclude all others; OWE is encrypted, but open to anybody.
const (
	Open       Security = 1 << iota
	WEP                 // privacy without RSN and WPA element
	WPAPSK              // WPA-Personal (the WPA element, TKIP by custom)
	WPA2PSK             // WPA2-Personal, fast transition and SHA-256 included
	SAE                 // WPA3-Personal
	Enterprise          // 802.1X, of any generation
	OWE                 // Enhanced Open
	Other               // an RSN or WPA element without any key management that we know
)

var securityNames = [...]string{"OPEN", "WEP", "WPAPSK", "WPA2PSK", "SAE", "ENTERPRISE",
	"OWE", "OTHER"}

// String gives "WPA2PSK|SAE".
func (s Security) String() string {
	if s == 0 {
		return "none"
	}
	return strings.Join(s.Names(), "|")
}

// Names gives the name of each way in: "WPA2PSK", "SAE". It is never nil.
func (s Security) Names() []string {
	names := []string{}
	for i, name := range securityNames {
		if s&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// WPA3Only reports whether a passphrase can be used with SAE only. WSC hands out WPA2-Personal
// credentials, so such a network must not offer it (WPA3 specification), and one that does gives a
// Credential that only a station which turns it into SAE can use.
func (s Security) WPA3Only() bool { return s&SAE != 0 && s&(WPAPSK|WPA2PSK) == 0 }

// wpaOUI begins the vendor element of WPA, version 1: Microsoft's OUI, type 1.
var wpaOUI = []byte{0x00, 0x50, 0xf2, 0x01}

// SecurityOf tells what the BSS with these elements offers; privacy is its capability bit.
func SecurityOf(ies []byte, privacy bool) Security {
	var s Security
	for id, v := range Elements(ies) {
		switch {
		case id == IDRSN:
			s |= keyManagement(v, rsnKeyManagement)
		case id == IDVendor && bytes.HasPrefix(v, wpaOUI):
			s |= keyManagement(v[len(wpaOUI):], wpaKeyManagement)
		}
	}
	switch {
	case s != 0:
		return s
	case privacy:
		return WEP
	}
	return Open
}

// suiteLen is the length of a suite selector: an OUI and a number.
const suiteLen = 4

// suites are the lists of an RSN or WPA element, parts of it. A list that the element ends before
// is nil: its defaults count.
type suites struct {
	group         []byte // one
	pairwise, akm []byte
	rest          []byte // behind the key management suites
}

// parseSuites reads an RSN or WPA element: version, group cipher, count and list of pairwise
// ciphers, count and list of key management suites. All numbers are little endian. Not ok: it is of
// another version, or a list runs over its end.
func parseSuites(v []byte) (s suites, ok bool) {
	if len(v) < 2 || binary.LittleEndian.Uint16(v) != 1 {
		return suites{}, false
	}
	v = v[2:]
	if len(v) < suiteLen {
		return suites{}, true
	}
	s.group, v = v[:suiteLen], v[suiteLen:]
	if len(v) < 2 {
		return s, true
	}
	if s.pairwise, v, ok = suiteList(v); !ok || len(v) == 0 {
		return s, ok
	}
	s.akm, s.rest, ok = suiteList(v)
	return s, ok
}

// suiteList reads a count and as many suites.
func suiteList(v []byte) (list, rest []byte, ok bool) {
	if len(v) < 2 {
		return nil, nil, false
	}
	n := suiteLen * int(binary.LittleEndian.Uint16(v))
	if v = v[2:]; n > len(v) {
		return nil, nil, false
	}
	return v[:n:n], v[n:], true
}

// keyManagement reads the key management suites of an RSN or WPA element.
func keyManagement(v []byte, name func(suite uint32) Security) Security {
	lists, ok := parseSuites(v)
	switch {
	case !ok:
		return Other // another version: whatever it says, it is protected
	case lists.akm == nil:
		// an element may end early; 802.1X is what is meant then (IEEE 802.11, RSNE)
		return Enterprise
	}
	var s Security
	for v = lists.akm; len(v) > 0; v = v[suiteLen:] {
		s |= name(binary.BigEndian.Uint32(v))
	}
	if s == 0 {
		return Other
	}
	return s
}

// rsnKeyManagement knows the suites of OUI 00-0F-AC (IEEE 802.11, "AKM suite selectors").
func rsnKeyManagement(suite uint32) Security {
	if suite>>8 != 0x000FAC {
		return 0
	}
	switch suite & 0xff {
	case 2, 4, 6, 19, 20: // PSK, FT, SHA-256, SHA-384
		return WPA2PSK
	case 8, 9, 24, 25: // SAE, FT, with group-dependent hash
		return SAE
	case 1, 3, 5, 11, 12, 13, 14, 15, 16, 17, 22, 23: // 802.1X, Suite B, FILS
		return Enterprise
	case 18:
		return OWE
	}
	return 0
}

// wpaKeyManagement knows the suites of OUI 00-50-F2.
func wpaKeyManagement(suite uint32) Security {
	switch suite {
	case 0x0050F201:
		return Enterprise
	case 0x0050F202:
		return WPAPSK
	}
	return 0
}
