// Package wsccrypto is the cryptography of the Registration Protocol: Diffie-Hellman in group 5,
// the keys of a run, Authenticators, Encrypted Settings, and the proofs of the device password.
//
// Whatever depends on a secret takes a time that does not depend on its value. Secrets are wiped
// where Go lets us; what bigmod keeps on the stack during an exponentiation is overwritten by later
// calls only.
package wsccrypto

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"

	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

// kdfLabel is the personalization string of the key derivation function, without a final NUL (WSC,
// "Derivation of AuthKey, KeyWrapKey and EMSK").
const kdfLabel = "Wi-Fi Easy and Secure Key Derivation"

// The lengths of the derived keys in bytes.
const (
	authKeySize    = 32
	keyWrapKeySize = 16
	emskSize       = 32
	keysSize       = authKeySize + keyWrapKeySize + emskSize
)

// Keys are the keys of one run. They are for one goroutine.
type Keys struct {
	auth, keyWrap, emsk secret.Value
	wiped               bool
}

// DeriveKeys derives the keys from the Diffie-Hellman shared secret (192 bytes, padded) and what
// names the run. The MAC address is the one that M1 tells, whatever the frames' source was.
func DeriveKeys(shared secret.Value, enrolleeNonce wsc.Nonce, enrolleeMAC wsc.MAC,
	registrarNonce wsc.Nonce) *Keys {
	dhKey := sha256.Sum256(shared.Bytes())
	defer clear(dhKey[:])
	kdk := mac(dhKey[:], enrolleeNonce[:], enrolleeMAC[:], registrarNonce[:])
	defer clear(kdk[:])
	var out [(keysSize + sha256.Size - 1) / sha256.Size * sha256.Size]byte
	defer clear(out[:])
	var bits [4]byte
	binary.BigEndian.PutUint32(bits[:], 8*keysSize)
	for i := 0; i*sha256.Size < len(out); i++ {
		var counter [4]byte
		binary.BigEndian.PutUint32(counter[:], uint32(i+1))
		block := mac(kdk[:], counter[:], []byte(kdfLabel), bits[:])
		copy(out[i*sha256.Size:], block[:])
		clear(block[:])
	}
	return &Keys{
		auth:    secret.New(out[:authKeySize]),
		keyWrap: secret.New(out[authKeySize : authKeySize+keyWrapKeySize]),
		emsk:    secret.New(out[authKeySize+keyWrapKeySize : keysSize]),
	}
}

// EMSK returns the third key, which no message uses; it is the Keys' own: Wipe wipes it.
func (k *Keys) EMSK() secret.Value { return k.emsk }

// Wipe overwrites the keys. Afterwards nothing verifies and nothing unwraps.
func (k *Keys) Wipe() {
	k.wiped = true
	k.auth.Wipe()
	k.keyWrap.Wipe()
	k.emsk.Wipe()
}

// Authenticator computes the Authenticator of a message (WSC, attribute "Authenticator"): over the
// whole message before it, M2D, WSC_ACK and WSC_NACK not counted, and over body, the message itself
// up to its Authenticator attribute.
func (k *Keys) Authenticator(previous, body []byte) [8]byte {
	full := mac(k.auth.Bytes(), previous, body)
	return [8]byte(full[:8])
}

// CheckAuthenticator reports whether msg ends with the right Authenticator. One that is missing or
// not in the last place is wrong: what comes behind it would not be covered.
func (k *Keys) CheckAuthenticator(previous, msg []byte) bool {
	body, got, ok := wsc.SplitAuthenticator(msg)
	if !ok || k.wiped {
		return false
	}
	want := k.Authenticator(previous, body)
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1
}

// PSK computes PSK1 or PSK2 from a half of the device password (WSC, "Proof-of-possession of Device
// Password"). It is as secret as the password.
func (k *Keys) PSK(half []byte) [16]byte {
	full := mac(k.auth.Bytes(), half)
	defer clear(full[:])
	return [16]byte(full[:16])
}

// Hash computes E-Hash1, E-Hash2, R-Hash1 or R-Hash2: the commitment to a half of the device
// password. pkE and pkR are the public keys with the very bytes that M1 and M2 carried, not padded
// anew (hostap behaviour), or devices that send short keys would not verify.
func (k *Keys) Hash(snonce wsc.Nonce, psk [16]byte, pkE, pkR []byte) [32]byte {
	return mac(k.auth.Bytes(), snonce[:], psk[:], pkE, pkR)
}

// PublicKeyHash is what NFC tags announce a public key by: the first 160 bits of its SHA-256 (WSC,
// attribute "Out-of-Band Device Password").
func PublicKeyHash(key []byte) [20]byte {
	full := sha256.Sum256(key)
	return [20]byte(full[:20])
}

// mac is HMAC-SHA-256 over the parts one after the other.
func mac(key []byte, parts ...[]byte) (sum [sha256.Size]byte) {
	h := hmac.New(sha256.New, key)
	for _, p := range parts {
		h.Write(p)
	}
	h.Sum(sum[:0])
	return sum
}
