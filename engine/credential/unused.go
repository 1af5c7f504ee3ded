package credential

import (
	"bytes"
	"errors"

	"wpsd/engine/wsc"
)

// Unused makes a Network of a Credential that FromWSC has refused with ErrAuth, for a program that
// may have use for it: Auth and Encryption are as they came, and nothing was checked of the key. ok
// is false for any other error.
func Unused(c wsc.Credential, own wsc.MAC, err error) (n Network, ok bool) {
	if !errors.Is(err, ErrAuth) {
		return Network{}, false
	}
	n = Network{
		SSID: bytes.Clone(bytes.TrimRight(c.SSID, "\x00")), Auth: c.AuthType,
		Encryption: c.EncrType, Key: c.NetworkKey.Clone(),
		KeyKind: KeyNone, MAC: c.MAC, OwnMAC: c.MAC == own, NetworkIndex: c.NetworkIndex,
		Raw: raw(c),
	}
	if !n.Key.IsZero() {
		n.KeyKind = KeyPassphrase
	}
	if c.NetworkKeyIndex != nil {
		n.KeyIndex = *c.NetworkKeyIndex
	}
	return n, true
}
