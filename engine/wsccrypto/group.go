package wsccrypto

import (
	"encoding/hex"
	"errors"
	"sync"

	"filippo.io/bigmod"
)

// ErrPublicKey means that a peer's public key is no element of the group that a run may use.
var ErrPublicKey = errors.New("wsccrypto: invalid public key")

// PublicKeySize is the length of p, of a public key and of a shared secret in bytes.
const PublicKeySize = 192

// minPublicKeySize is the shortest public key taken. Some devices send the number without its
// leading zeros; one key in 65,536 has two of them (hostap's parser draws the same line).
const minPublicKeySize = 190

// modulusText is p of the 1536-bit MODP group, number 5 (RFC 3526, section 2). p is a safe prime:
// (p-1)/2 is prime too.
const modulusText = "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74" +
	"020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437" +
	"4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED" +
	"EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF05" +
	"98DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB" +
	"9ED529077096966D670C354E4ABC9804F1746C08CA237327FFFFFFFFFFFFFFFF"

// generator is g. It is a square modulo p (p = 7 mod 8), so the powers of g are the subgroup of
// order (p-1)/2, and a public key made as it should be is a square as well.
const generator = 2

// group is p, made ready once.
type group struct {
	modulus *bigmod.Modulus
	limbs   limbs // p for computing with public values only
}

var group5 = sync.OnceValue(func() group {
	p, err := hex.DecodeString(modulusText)
	if err != nil {
		panic("wsccrypto: " + err.Error()) // a constant: cannot happen
	}
	m, err := bigmod.NewModulus(p)
	if err != nil {
		panic("wsccrypto: " + err.Error())
	}
	return group{modulus: m, limbs: limbsOf(p)}
})

// CheckPublicKey reports with ErrPublicKey a key that must not be used (SP 800-56A, public key
// validation): 0, 1, p-1 and what is not below p, which would make the shared secret known to
// everybody, and what is outside the subgroup that g spans, which would give away one bit of the
// private key. Its time depends on the key, which is public.
func CheckPublicKey(key []byte) error {
	_, err := parsePublicKey(key)
	return err
}

// parsePublicKey checks a public key and returns its number.
func parsePublicKey(key []byte) (*bigmod.Nat, error) {
	if len(key) < minPublicKeySize || len(key) > PublicKeySize {
		return nil, ErrPublicKey
	}
	g := group5()
	y, err := bigmod.NewNat().SetBytes(key, g.modulus) // fails for y >= p
	if err != nil {
		return nil, ErrPublicKey
	}
	if y.IsZero() == 1 || y.IsOne() == 1 || y.IsMinusOne(g.modulus) == 1 {
		return nil, ErrPublicKey
	}
	// y^((p-1)/2) = 1, the check of the specification, holds exactly for the squares, and that is
	// known a hundred times faster.
	if !isSquare(limbsOf(key), g.limbs) {
		return nil, ErrPublicKey
	}
	return y, nil
}
