// Package secret holds a byte string that never prints: keys, PINs, passphrases.
//
// The bytes sit behind two pointers on purpose. fmt and log/slog do not call methods on unexported
// struct fields, so a []byte type there would print its content, and fmt follows one pointer to a
// slice when the verb does not fit ("%s"); of a pointer to a pointer it prints the address.
package secret

import (
	"crypto/subtle"
	"fmt"
	"log/slog"
)

// redacted is what every way of printing gives.
const redacted = "[secret]"

// Value is a secret. The zero Value is empty. Copies share the bytes, so Wipe wipes all copies.
// Reading is safe for concurrent use; Wipe is not.
type Value struct{ p **[]byte }

// New makes a Value from a copy of b.
func New(b []byte) Value {
	v := Zeros(len(b))
	copy(v.Bytes(), b)
	return v
}

// FromString makes a Value from the bytes of s, for text that a user typed.
func FromString(s string) Value {
	v := Zeros(len(s))
	copy(v.Bytes(), s)
	return v
}

// Zeros makes a Value of n zeros, for its bytes to be filled. It is on the heap whatever its caller
// does with it: where the compiler sees that a slice stays in a function, it has up to 32 bytes of
// it on the stack (cmd/compile since Go 1.25), and a stack that grows leaves its old copy behind,
// which no Wipe reaches.
//
//go:noinline
func Zeros(n int) Value {
	c := make([]byte, n)
	p := &c
	return Value{&p}
}

// Bytes returns the secret itself, shared: do not change it, and do not keep it longer than the
// Value.
func (v Value) Bytes() []byte {
	if v.p == nil {
		return nil
	}
	return **v.p
}

// Len returns the number of bytes.
func (v Value) Len() int { return len(v.Bytes()) }

// IsZero reports whether v is empty.
func (v Value) IsZero() bool { return v.Len() == 0 }

// Equal compares in time that depends on the lengths only.
func (v Value) Equal(w Value) bool { return subtle.ConstantTimeCompare(v.Bytes(), w.Bytes()) == 1 }

// Clone returns a Value with bytes of its own, which a Wipe of v does not touch.
func (v Value) Clone() Value { return New(v.Bytes()) }

// Wipe overwrites the bytes with zeros, in every copy of v.
func (v Value) Wipe() { clear(v.Bytes()) }

// String implements fmt.Stringer and gives nothing away.
func (v Value) String() string { return redacted }

// Format implements fmt.Formatter: every verb and flag prints the same.
func (v Value) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte(redacted)) }

// LogValue implements slog.LogValuer.
func (v Value) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText implements encoding.TextMarshaler, which encoding/json uses too.
func (v Value) MarshalText() ([]byte, error) { return []byte(redacted), nil }
