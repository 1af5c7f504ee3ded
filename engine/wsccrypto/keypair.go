package wsccrypto

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"filippo.io/bigmod"

	"wpsd/engine/secret"
)

// Errors of making and using a KeyPair.
var (
	ErrPrivateKey = errors.New("wsccrypto: unusable private key")
	ErrWiped      = errors.New("wsccrypto: the key was wiped")
)

// KeyPair is one side's Diffie-Hellman key of a run. It can be made ahead of time, while there is
// nothing else to do, and is meant for a single run: a pair that is used again lets the runs be
// linked, and a password guessed in one be tried in another. The exception is a pair whose hash an
// NFC tag has announced (WSC, NFC), which must be used once more, by the run that it was made for.
//
// Any number of goroutines may read a KeyPair; Wipe must not meet other calls.
type KeyPair struct {
	private secret.Value
	public  []byte
	wiped   bool
}

// GenerateKeyPair makes a KeyPair from 32 bytes drawn from rand.
func GenerateKeyPair(rand io.Reader) (*KeyPair, error) {
	x := secret.Zeros(privateSize)
	defer x.Wipe()
	if _, err := io.ReadFull(rand, x.Bytes()); err != nil {
		return nil, fmt.Errorf("wsccrypto: randomness: %w", err)
	}
	return newKeyPair(x.Bytes())
}

// KeyPairFromPrivate makes the KeyPair of a private key of up to 192 bytes, big-endian: one that is
// kept for an NFC tag, or that hostap made (192 bytes). The KeyPair has its own copy.
func KeyPairFromPrivate(private secret.Value) (*KeyPair, error) {
	return newKeyPair(private.Bytes())
}

func newKeyPair(private []byte) (*KeyPair, error) {
	m := group5().modulus
	var y *bigmod.Nat
	switch {
	case len(private) == 0 || len(private) > PublicKeySize:
		return nil, fmt.Errorf("%w: %d bytes", ErrPrivateKey, len(private))
	case len(private) <= privateSize:
		// not on the stack, of which an old copy stays when it grows
		padded := secret.Zeros(privateSize)
		defer padded.Wipe()
		x := (*[privateSize]byte)(padded.Bytes())
		copy(x[privateSize-len(private):], private)
		y = publicOf(x)
	default:
		y = bigmod.NewNat().Exp(natFor(m, generator), private, m)
	}
	// g^x = 1 for x = 0 and the multiples of g's order, and g for x = 1. The first is what a broken
	// source of randomness gives. No other x can leave the subgroup.
	if y.IsOne() == 1 {
		return nil, fmt.Errorf("%w: it gives the public key 1", ErrPrivateKey)
	}
	return &KeyPair{private: secret.New(private), public: y.Bytes(m)}, nil
}

// Public returns a copy of the public key, 192 bytes.
func (k *KeyPair) Public() []byte { return bytes.Clone(k.public) }

// Private returns the private key, which is the KeyPair's own: Wipe wipes it.
func (k *KeyPair) Private() secret.Value { return k.private }

// SharedSecret computes what both sides have in common, padded to 192 bytes. It checks the peer's
// public key (ErrPublicKey), of 190 to 192 bytes as received. The time does not depend on the
// private key or the result.
func (k *KeyPair) SharedSecret(peerPublic []byte) (secret.Value, error) {
	if k.wiped {
		return secret.Value{}, ErrWiped
	}
	y, err := parsePublicKey(peerPublic)
	if err != nil {
		return secret.Value{}, err
	}
	m := group5().modulus
	z := bigmod.NewNat().Exp(y, k.private.Bytes(), m)
	// of m's size: leading zeros stay (WSC, Diffie-Hellman key agreement; hostap pads)
	b := z.Bytes(m)
	defer clear(b)
	defer clear(z.Bits())
	return secret.New(b), nil
}

// Wipe overwrites the private key; nothing but Public works afterwards.
func (k *KeyPair) Wipe() {
	k.wiped = true
	k.private.Wipe()
}
