// Package credential turns a WSC Credential into a network that one can connect to. A Credential
// comes from a peer that proved the device password, and still may hold anything: keys that are
// none, control characters for somebody's configuration file, security that nobody should use.
package credential

import (
	"bytes"
	"crypto/pbkdf2"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

// Why a Credential makes no network. No text shows a key.
var (
	// ErrNone means that a run gave no Credential, or none that can be used.
	ErrNone = errors.New("credential: none that can be used")
	// ErrSSID means that the network has no name, or one that no access point could have: the
	// Credential is invalid.
	ErrSSID = errors.New("credential: unusable network name")
	// ErrWEP means that the network is protected by WEP only. It is skipped, the rest of the run
	// counts.
	ErrWEP = errors.New("credential: WEP is not supported")
	// ErrEncryption means that the Encryption Type names nothing known; the Credential is invalid.
	ErrEncryption = errors.New("credential: unknown encryption type")
	// ErrKey means that the Network Key cannot be one for the network; the Credential is invalid.
	ErrKey = errors.New("credential: unusable network key")
	// ErrAuth means an Authentication Type other than open or WPA-Personal: the Credential is
	// valid, but there is nothing that one could configure from it.
	ErrAuth = errors.New("credential: authentication type without use here")
)

// ErrKeep is the cause of a context that ends while networks are handed to a manager which is to
// keep them, though nobody waits for the connection any more.
var ErrKeep = errors.New("credential: the manager keeps the network")

// KeyKind tells how Key is to be understood.
type KeyKind string

// The kinds of keys.
const (
	KeyPassphrase KeyKind = "passphrase" // 8 to 63 bytes
	KeyRawPSK     KeyKind = "raw-psk"    // 64 hex digits
	KeyWEP        KeyKind = "wep"
	KeyNone       KeyKind = "none" // an open network
)

// Network is a network that one can connect to.
type Network struct {
	SSID       []byte       // any bytes, at most 32; not always text
	Auth       wsc.AuthType // AuthOpen, AuthWPAPSK, AuthWPA2PSK or both of the latter
	Encryption wsc.EncrType // EncrNone; for a protected network EncrTKIP, EncrAES or both
	Key        secret.Value
	KeyKind    KeyKind
	// its access points take SAE only: Auth is what the Credential calls that (see RequireSAE)
	WPA3Only bool
	KeyIndex uint8 // Network Key Index, 0: none was given
	// as in the Credential: the station's by the book, some access points put their own
	MAC          wsc.MAC
	OwnMAC       bool // MAC is the station's
	NetworkIndex uint8
	// the Credential attribute as it came, several in a row if they were merged
	Raw secret.Value
}

// Credential is n as others are given it. The key is n's.
func (n *Network) Credential() wsc.Credential {
	return wsc.Credential{NetworkIndex: 1, SSID: n.SSID, AuthType: n.Auth, EncrType: n.Encryption,
		NetworkKey: n.Key, MAC: n.MAC}
}

// Wipe overwrites the secrets of n, in every copy of it.
func (n *Network) Wipe() {
	n.Key.Wipe()
	n.Raw.Wipe()
}

// Clone gives a copy of n with secrets of its own.
func (n Network) Clone() Network {
	n.Key = n.Key.Clone()
	n.Raw = n.Raw.Clone()
	return n
}

// CloneAll gives copies with secrets of their own.
func CloneAll(list []Network) []Network {
	clones := make([]Network, len(list))
	for i, n := range list {
		clones[i] = n.Clone()
	}
	return clones
}

// WipeAll overwrites the secrets of all.
func WipeAll(list []Network) {
	for i := range list {
		list[i].Wipe()
	}
}

// FromWSC makes a Network of a Credential that the station own received, with what hostap tolerates
// of deployed access points.
func FromWSC(c wsc.Credential, own wsc.MAC) (Network, error) {
	n := Network{
		// Some Registrars send 32 bytes whatever the length of the name. An empty name is one: the
		// stub Credential that some send first, which FromRun leaves out.
		SSID:         bytes.Clone(bytes.TrimRight(c.SSID, "\x00")),
		MAC:          c.MAC,
		OwnMAC:       c.MAC == own,
		NetworkIndex: c.NetworkIndex,
		KeyKind:      KeyNone,
	}
	if c.NetworkKeyIndex != nil {
		n.KeyIndex = *c.NetworkKeyIndex
	}
	if c.EncrType&(wsc.EncrNone|wsc.EncrTKIP|wsc.EncrAES) == 0 {
		if c.EncrType&wsc.EncrWEP != 0 {
			return Network{}, ErrWEP
		}
		return Network{}, fmt.Errorf("%w: %v", ErrEncryption, c.EncrType)
	}
	switch {
	case c.AuthType == wsc.AuthOpen:
		n.Auth, n.Encryption = wsc.AuthOpen, wsc.EncrNone
	// The better of both in mixed mode (hostap behaviour). An access point that offers more than we
	// have names for (WPA3 has no bit in WSC 2.0.8) sets bits of its own beside the one that
	// counts.
	case c.AuthType&wsc.AuthWPA2PSK != 0:
		n.Auth = wsc.AuthWPA2PSK
	case c.AuthType&wsc.AuthWPAPSK != 0:
		n.Auth = wsc.AuthWPAPSK
	default:
		return Network{}, fmt.Errorf("%w: %v", ErrAuth, c.AuthType)
	}
	if n.Auth != wsc.AuthOpen {
		n.Encryption = c.EncrType & (wsc.EncrTKIP | wsc.EncrAES)
		if n.Encryption == 0 { // "none" with a key: whatever the access point takes
			n.Encryption = wsc.EncrTKIP | wsc.EncrAES
		}
		var err error
		if n.Key, n.KeyKind, err = personalKey(c.NetworkKey.Bytes(), n.SSID); err != nil {
			return Network{}, err
		}
	}
	n.Raw = raw(c)
	return n, nil
}

// personalKey makes the key of a WPA-Personal network. Some access points count the terminating
// zero of a passphrase. Control characters are refused: in a configuration file, a line break in
// the key would begin a line of the sender's choice (CVE-2016-4476).
//
// A passphrase that is not UTF-8 (umlauts that were typed on a page in Latin-1) is one that no
// network manager takes as text. All of them take what 802.11 makes of it, so that is what the
// network gets.
func personalKey(key, ssid []byte) (secret.Value, KeyKind, error) {
	if n := len(key); n >= 9 && n <= 63 && key[n-1] == 0 {
		key = key[:n-1]
	}
	switch {
	case len(key) < 8:
		return secret.Value{}, "", fmt.Errorf("%w: shorter than 8 bytes", ErrKey)
	case len(key) > 64:
		return secret.Value{}, "", fmt.Errorf("%w: longer than 64 bytes", ErrKey)
	case bytes.ContainsFunc(key, func(r rune) bool { return r < 0x20 || r == 0x7f }):
		return secret.Value{}, "", fmt.Errorf("%w: a control character in it", ErrKey)
	case len(key) < 64 && utf8.Valid(key):
		return secret.New(key), KeyPassphrase, nil
	case len(key) < 64:
		return pskOf(key, ssid)
	}
	if !IsRawPSK(key) {
		return secret.Value{}, "", fmt.Errorf("%w: 64 bytes that are not hex digits", ErrKey)
	}
	return secret.New(key), KeyRawPSK, nil
}

// IsRawPSK reports whether a key is a PSK as it is written, in 64 hex digits. It makes no copy:
// what stands on a stack is copied when the stack grows.
func IsRawPSK(key []byte) bool {
	return len(key) == 64 && !bytes.ContainsFunc(key, func(r rune) bool {
		return !strings.ContainsRune("0123456789abcdefABCDEF", r)
	})
}

// pskOf derives the PSK from a passphrase (IEEE 802.11-2020, J.4.1), as the hex digits that it is
// written with.
func pskOf(passphrase, ssid []byte) (secret.Value, KeyKind, error) {
	// crypto/pbkdf2 wants a string; it is not UTF-8, and goes with the next collection
	text := string(passphrase)
	psk, err := pbkdf2.Key(sha1.New, text, ssid, 4096, 32)
	if err != nil {
		return secret.Value{}, "", fmt.Errorf("%w: %w", ErrKey, err)
	}
	defer clear(psk)
	digits := hex.AppendEncode(nil, psk)
	defer clear(digits)
	return secret.New(digits), KeyRawPSK, nil
}

// raw returns the Credential as it came, or as it would have come if it was not in a Credential
// attribute but learned from an access point's settings.
func raw(c wsc.Credential) secret.Value {
	if !c.Raw.IsZero() {
		return c.Raw.Clone()
	}
	b := c.Append(nil)
	defer clear(b)
	return secret.New(b)
}
