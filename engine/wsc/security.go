package wsc

import (
	"fmt"
	"strings"
)

// AuthType is an Authentication Type, or in Authentication Type Flags several.
type AuthType uint16

// The authentication types. Shared and WEP are deprecated and only named here.
const (
	AuthOpen    AuthType = 0x0001
	AuthWPAPSK  AuthType = 0x0002
	AuthShared  AuthType = 0x0004
	AuthWPA     AuthType = 0x0008
	AuthWPA2    AuthType = 0x0010
	AuthWPA2PSK AuthType = 0x0020

	// AuthCapabilities is what M1, M2 and M2D say we can, whatever is configured (as hostap does).
	AuthCapabilities = AuthOpen | AuthWPAPSK | AuthWPA2PSK
)

// EncrType is an Encryption Type, or in Encryption Type Flags several.
type EncrType uint16

// The encryption types.
const (
	EncrNone EncrType = 0x0001
	EncrWEP  EncrType = 0x0002
	EncrTKIP EncrType = 0x0004
	EncrAES  EncrType = 0x0008

	// EncrCapabilities is what M1, M2 and M2D say we can, whatever is configured (as hostap does).
	EncrCapabilities = EncrNone | EncrTKIP | EncrAES
)

// word is a bit and its name in configuration files and on D-Bus.
type word struct {
	bits uint16
	text string
}

var authWords = []word{
	{uint16(AuthOpen), "OPEN"}, {uint16(AuthWPAPSK), "WPAPSK"}, {uint16(AuthShared), "SHARED"},
	{uint16(AuthWPA), "WPA"}, {uint16(AuthWPA2), "WPA2"}, {uint16(AuthWPA2PSK), "WPA2PSK"},
}

var encrWords = []word{
	{uint16(EncrNone), "NONE"}, {uint16(EncrWEP), "WEP"}, {uint16(EncrTKIP), "TKIP"},
	{uint16(EncrAES), "CCMP"},
}

// String gives "OPEN", "WPA2PSK", "WPAPSK|WPA2PSK"; bits without name are shown in hex.
func (t AuthType) String() string { return join(uint16(t), authWords) }

// String gives "NONE", "CCMP", "TKIP|CCMP"; bits without name are shown in hex.
func (t EncrType) String() string { return join(uint16(t), encrWords) }

// ParseAuthType reads what String gives, as wpa_supplicant spells it.
func ParseAuthType(s string) (AuthType, error) {
	v, ok := split(s, authWords)
	if !ok {
		return 0, fmt.Errorf("wsc: %q is not an authentication type (OPEN, WPAPSK, WPA2PSK)", s)
	}
	return AuthType(v), nil
}

// ParseEncrType reads what String gives, as wpa_supplicant spells it.
func ParseEncrType(s string) (EncrType, error) {
	v, ok := split(s, encrWords)
	if !ok {
		return 0, fmt.Errorf("wsc: %q is not an encryption type (NONE, WEP, TKIP, CCMP)", s)
	}
	return EncrType(v), nil
}

func join(v uint16, words []word) string {
	var parts []string
	for _, w := range words {
		if v&w.bits != 0 {
			parts = append(parts, w.text)
			v &^= w.bits
		}
	}
	if v != 0 || parts == nil {
		parts = append(parts, fmt.Sprintf("0x%04x", v))
	}
	return strings.Join(parts, "|")
}

func split(s string, words []word) (uint16, bool) {
	var v uint16
	for part := range strings.SplitSeq(s, "|") {
		bits := lookup(part, words)
		if bits == 0 {
			return 0, false
		}
		v |= bits
	}
	return v, true
}

func lookup(s string, words []word) uint16 {
	for _, w := range words {
		if w.text == s {
			return w.bits
		}
	}
	return 0
}
