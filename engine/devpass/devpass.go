// Package devpass has device passwords: what a user reads off one device and types into another
// (a PIN), what two pressed buttons stand for, and what an NFC tag carries.
package devpass

import (
	"encoding/hex"
	"errors"
	"fmt"

	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

// ErrNFC means that a password from an NFC tag has a length or an id that none can have.
var ErrNFC = errors.New("devpass: not a device password of an NFC tag")

// The lengths that a binary device password can have (WSC, attribute "Out-of-Band Device
// Password").
const (
	minNFC = 16
	maxNFC = 32
)

// pushButtonValue is the password of every push-button run: eight ASCII zeros (WSC, push button
// configuration). It proves nothing; the walk time and the overlap check are its protection.
const pushButtonValue = "00000000"

// Password is a device password with the id that tells the peer which one is meant. The zero
// Password is an empty PIN. Copies share the secret; Wipe it when no run needs it any more.
type Password struct {
	ID    wsc.DevicePasswordID
	Value secret.Value
}

// Halves returns the parts that PSK1 and PSK2 are made of (WSC, Registration Protocol, proof of
// possession): the first is longer by one byte if the length is odd. Both are parts of the secret:
// do not change them, and do not keep them longer than the Password.
func (p Password) Halves() (first, second []byte) {
	b := p.Value.Bytes()
	n := (len(b) + 1) / 2
	return b[:n:n], b[n:]
}

// Wipe overwrites the secret, in every copy of p.
func (p Password) Wipe() { p.Value.Wipe() }

// FromPIN makes the Password of a PIN. Any text is taken: what a user may type is CheckPIN's
// business, and deployed registrars run with PINs whose checksum is wrong (hostap behaviour).
func FromPIN(pin secret.Value) Password {
	return Password{ID: wsc.PasswordIDDefault, Value: pin}
}

// PushButton makes the Password of a push-button run.
func PushButton() Password {
	return Password{ID: wsc.PasswordIDPushButton, Value: secret.FromString(pushButtonValue)}
}

// FromNFC makes the Password of a password token. raw is what the tag holds; the password of the
// protocol is its hexadecimal form in upper case (hostap does so on both sides).
func FromNFC(id wsc.DevicePasswordID, raw []byte) (Password, error) {
	if id < wsc.PasswordIDFirstToken {
		return Password{}, fmt.Errorf("%w: %v", ErrNFC, id)
	}
	if len(raw) < minNFC || len(raw) > maxNFC {
		return Password{}, fmt.Errorf("%w: %d bytes", ErrNFC, len(raw))
	}
	password := secret.Zeros(hex.EncodedLen(len(raw)))
	text := password.Bytes()
	hex.Encode(text, raw)
	for i, c := range text {
		if c >= 'a' {
			text[i] = c - 'a' + 'A'
		}
	}
	return Password{ID: id, Value: password}, nil
}
