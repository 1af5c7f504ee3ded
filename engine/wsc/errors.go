package wsc

import "errors"

// What can be wrong with received bytes. A *ParseError wraps one of them and tells where.
var (
	// ErrMissing means that a required attribute is absent.
	ErrMissing = errors.New("missing")
	// ErrTruncated means that an attribute's header or value ends beyond the data.
	ErrTruncated = errors.New("truncated")
	// ErrLength means that an attribute's length is not one it may have.
	ErrLength = errors.New("has a wrong length")
	// ErrTooMany means that a repeatable attribute comes more often than anybody may send it.
	ErrTooMany = errors.New("comes too often")
	// ErrTooLong means that the data exceeds MaxMessage.
	ErrTooLong = errors.New("too long")
	// ErrValue means that a value is impossible in its place.
	ErrValue = errors.New("has an impossible value")
	// ErrNotLast means that the Authenticator is not the last attribute, where alone it can be
	// checked.
	ErrNotLast = errors.New("not at the end")
)

// ParseError tells what is wrong with received bytes.
type ParseError struct {
	// Message is what was being read: "M3", "Credential", "Probe Request".
	Message string
	// Attribute is the attribute at fault; zero when it is the data as a whole.
	Attribute AttributeID
	// Err is one of the errors above.
	Err error
}

// Error implements error: "wsc: M3: E-Hash1 missing". It never shows a value, which may be a key.
func (e *ParseError) Error() string {
	if e.Attribute == 0 {
		return "wsc: " + e.Message + ": " + e.Err.Error()
	}
	return "wsc: " + e.Message + ": " + e.Attribute.String() + " " + e.Err.Error()
}

// Unwrap gives the cause to errors.Is.
func (e *ParseError) Unwrap() error { return e.Err }
