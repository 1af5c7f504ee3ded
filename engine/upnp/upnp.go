// Package upnp reads and writes what an External Registrar and an access point tell each other in
// the local network: SSDP datagrams (who is there), the device description, the SOAP actions of
// WFAWLANConfig:1 (messages of the Registration Protocol), and GENA (subscriptions to what the
// access point hears on the air).
//
// It is bytes to structs and back. Sockets, HTTP and time are the business of drivers/controlpoint.
// Everybody in the network can send us anything, so every reader has bounds of its own, whatever
// the sockets let through: the size of the whole, of a line and of a text, the depth and the number
// of elements. Addresses are numbers; a name is refused.
//
// Sources: UPnP Device Architecture 1.0 (UDA below), the WFAWLANConfig:1 service template, and the
// behaviour of hostap's access point and External Registrar as witness where they leave room.
package upnp

import (
	"errors"
	"strings"
)

// What the sockets may let through. The readers refuse more.
const (
	// MaxDatagram bounds an SSDP datagram. Real ones have 200 to 500 bytes.
	MaxDatagram = 2048
	// MaxDescription bounds a device description. hostap reads 10,000 bytes; a router that nests
	// the WFADevice in an InternetGatewayDevice needs more.
	MaxDescription = 64 << 10
	// MaxMessage bounds the body of a SOAP request or answer and of an event: a message of the
	// Registration Protocol has at most some 2,000 bytes, 2,700 in base64. hostap reads 8,000 and
	// 10,000 bytes.
	MaxMessage = 16 << 10
	// MaxAnswer bounds the bodies nobody reads: of answers to SUBSCRIBE and UNSUBSCRIBE.
	MaxAnswer = 4 << 10
)

// Request is an HTTP request ready to be sent. The address in URL is all there is to dial;
// redirects are not followed.
type Request struct {
	Method string
	URL    URL
	// Header holds everything but Host, Content-Length, Connection and, for a new subscription,
	// CALLBACK: only the sockets know where we listen.
	Header  Header
	Body    []byte
	MaxBody int // of the answer; more is an error
}

// Response is an answer that came whole and within its bounds.
type Response struct {
	Status int
	Header Header
	Body   []byte
}

// Field is one line of a header.
type Field struct{ Name, Value string }

// Header is the lines of a header in their order.
type Header []Field

// Get gives the value of the first line with this name, whatever its case; empty if there is none.
func (h Header) Get(name string) string {
	v, _ := h.Find(name)
	return v
}

// Find is Get that tells an empty line from none.
func (h Header) Find(name string) (string, bool) {
	for _, f := range h {
		if strings.EqualFold(f.Name, name) {
			return f.Value, true
		}
	}
	return "", false
}

// What can be wrong with received bytes. A *ParseError wraps one of them and tells where.
var (
	// ErrNotOurs is for what is well and is about another kind of device: most of what SSDP
	// carries.
	ErrNotOurs = errors.New("is not about Wi-Fi Protected Setup")
	// ErrMissing means that something required is absent.
	ErrMissing = errors.New("is missing")
	// ErrSyntax means that the form is not what it has to be.
	ErrSyntax = errors.New("is malformed")
	// ErrTooLong means that a bound of ours is exceeded.
	ErrTooLong = errors.New("is too long")
	// ErrTooDeep means that XML is nested deeper, or has more elements, than any description of a
	// device.
	ErrTooDeep = errors.New("has too many elements")
	// ErrDTD means that XML brings a document type, the place where entities are declared.
	ErrDTD = errors.New("has a document type declaration")
	// ErrValue means that a value is impossible in its place.
	ErrValue = errors.New("has an impossible value")
	// ErrAddress means that a URL is not http:// with a numeric unicast address.
	ErrAddress = errors.New("is not http:// with a numeric address")
	// ErrElsewhere means that a URL leads to another address than the announcer's.
	ErrElsewhere = errors.New("leads to another host")
)

// ParseError tells what is wrong with received bytes. It never shows them: they come from anybody.
type ParseError struct {
	What  string // what was being read: "SSDP", "description", "event"
	Field string // the part at fault; empty: the whole
	Err   error  // one of the errors above
}

// Error implements error: "upnp: description: controlURL leads to another host".
func (e *ParseError) Error() string {
	if e.Field == "" {
		return "upnp: " + e.What + " " + e.Err.Error()
	}
	return "upnp: " + e.What + ": " + e.Field + " " + e.Err.Error()
}

// Unwrap gives the cause to errors.Is.
func (e *ParseError) Unwrap() error { return e.Err }

func wrong(what, field string, err error) error { return &ParseError{what, field, err} }

// printable reports whether s is not empty, not longer than max and of visible ASCII only: then it
// can neither end a line of a header nor hide in one.
func printable(s string, max int) bool {
	if s == "" || len(s) > max {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
