package upnp

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
)

// EventType tells what a WLANEvent carries.
type EventType uint8

// The types of event that WFAWLANConfig:1 knows.
const (
	EventProbe   EventType = 1 // the attributes of a Probe Request
	EventMessage EventType = 2 // a message of the Registration Protocol, without EAP around it
)

// WLANEvent is what an access point heard on the air from one station.
type WLANEvent struct {
	Type    EventType
	MAC     [6]byte // zero in the dummy that hostapd sends to a new subscriber
	Message []byte  // attributes of WSC
}

// textMAC is how long the address is in an event.
const textMAC = len("00:00:00:00:00:00")

// ParseWLANEvent reads the value of the variable, base64 already undone: type, address as text,
// attributes. An address without separators has five zeros or spaces after it, or nothing.
func ParseWLANEvent(b []byte) (*WLANEvent, error) {
	if len(b) < 1+textMAC {
		return nil, wrong("WLANEvent", "", ErrSyntax)
	}
	e := &WLANEvent{Type: EventType(b[0])}
	if e.Type != EventProbe && e.Type != EventMessage {
		return nil, wrong("WLANEvent", "type", ErrValue)
	}
	text, rest := b[1:1+textMAC], b[1+textMAC:]
	var err error
	if e.MAC, err = ParseMAC(string(text[:12])); err == nil {
		// a WSC attribute starts with 0x10: no confusion
		if len(bytes.Trim(text[12:], "\x00 ")) > 0 {
			rest = b[13:]
		}
	} else if e.MAC, err = ParseMAC(string(text)); err != nil {
		return nil, wrong("WLANEvent", "MAC", ErrSyntax)
	}
	e.Message = bytes.Clone(rest)
	if e.Message == nil {
		e.Message = []byte{}
	}
	return e, nil
}

// Append appends the value.
func (e *WLANEvent) Append(b []byte) []byte {
	b = append(b, byte(e.Type))
	b = append(b, FormatMAC(e.MAC)...)
	return append(b, e.Message...)
}

// ParseMAC reads an address with colons, with dots (Intel's External Registrar writes them), with
// hyphens or with nothing between the bytes.
func ParseMAC(s string) (m [6]byte, err error) {
	digits := []byte(s)
	if len(s) == textMAC {
		digits = digits[:0]
		for i := range len(s) {
			if i%3 != 2 {
				digits = append(digits, s[i])
			} else if s[i] != s[2] || s[i] != ':' && s[i] != '.' && s[i] != '-' {
				return m, wrong("MAC", "", ErrSyntax)
			}
		}
	}
	if len(digits) != 12 {
		return m, wrong("MAC", "", ErrSyntax)
	}
	if _, err := hex.Decode(m[:], digits); err != nil {
		return [6]byte{}, wrong("MAC", "", ErrSyntax)
	}
	return m, nil
}

// FormatMAC gives the form with colons, in lower case.
func FormatMAC(m [6]byte) string {
	b := make([]byte, 0, textMAC)
	for i := range m {
		if i > 0 {
			b = append(b, ':')
		}
		b = hex.AppendEncode(b, m[i:i+1])
	}
	return string(b)
}

// decode64 undoes base64. hostap breaks lines after 72 characters, others indent; padding may be
// missing.
func decode64(s string) ([]byte, error) {
	digits := make([]byte, 0, len(s))
	for i := range len(s) {
		switch s[i] {
		case ' ', '\t', '\r', '\n':
		default:
			digits = append(digits, s[i])
		}
	}
	if len(digits)%4 == 0 {
		digits = bytes.TrimSuffix(bytes.TrimSuffix(digits, []byte("=")), []byte("="))
	}
	out := make([]byte, base64.RawStdEncoding.DecodedLen(len(digits)))
	n, err := base64.RawStdEncoding.Decode(out, digits)
	if err != nil {
		return nil, ErrSyntax
	}
	return out[:n], nil
}

func encode64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
