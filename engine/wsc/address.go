package wsc

import (
	"encoding/hex"
	"fmt"

	"github.com/google/uuid"
)

// MAC is the address of a station or an access point (then also called BSSID).
type MAC [6]byte

// Broadcast stands for anybody in AuthorizedMACs.
var Broadcast = MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// ParseMAC reads the colon form, "02:00:00:00:03:00", in either case, and no other.
func ParseMAC(s string) (MAC, error) {
	var m MAC
	if len(s) != 17 {
		return MAC{}, fmt.Errorf("wsc: %q is not a MAC address", s)
	}
	for i := range m {
		if i > 0 && s[3*i-1] != ':' {
			return MAC{}, fmt.Errorf("wsc: %q is not a MAC address", s)
		}
		if _, err := hex.Decode(m[i:i+1], []byte(s[3*i:3*i+2])); err != nil {
			return MAC{}, fmt.Errorf("wsc: %q is not a MAC address", s)
		}
	}
	return m, nil
}

// String gives the colon form in lower case.
func (m MAC) String() string {
	return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5])
}

// IsZero reports whether m is unset.
func (m MAC) IsZero() bool { return m == MAC{} }

// IsMulticast reports whether m is a group address, which no device has as its own.
func (m MAC) IsMulticast() bool { return m[0]&1 != 0 }

// UUID names a device: UUID-E of an Enrollee, UUID-R of a Registrar.
type UUID = uuid.UUID

// ParseUUID reads the 8-4-4-4-12 form, in either case, and no other.
func ParseUUID(s string) (UUID, error) {
	if len(s) != 36 { // the other forms that the library knows differ in length
		return UUID{}, fmt.Errorf("wsc: %q is not a UUID", s)
	}
	u, err := uuid.Parse(s)
	if err != nil {
		return UUID{}, fmt.Errorf("wsc: %q is not a UUID", s)
	}
	return u, nil
}

// uuidNamespace is the namespace of UUIDs made from MAC addresses; hostap and iwd agree on it.
var uuidNamespace = UUID{0x52, 0x64, 0x80, 0xf8, 0xc9, 0x9b, 0x4b, 0xe5, 0xa6, 0x55, 0x58, 0xed,
	0x5f, 0x5d, 0x60, 0x84}

// UUIDFromMAC gives the device with this address the UUID that hostap and iwd would give it
// (RFC 9562, version 5), so that a device keeps its identity under another supplicant.
func UUIDFromMAC(m MAC) UUID { return uuid.NewSHA1(uuidNamespace, m[:]) }

// Nonce is an Enrollee or Registrar Nonce, or one of the secret nonces E-SNonce and R-SNonce.
type Nonce [16]byte
