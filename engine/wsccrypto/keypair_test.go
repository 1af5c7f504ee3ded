package wsccrypto

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"math/big"
	"sync"
	"testing"

	"filippo.io/bigmod"

	"wpsd/engine/secret"
)

// prime is p.
func prime() *big.Int { return group5().limbs.big() }

// padded writes a number as a public key.
func padded(n *big.Int) []byte { return n.FillBytes(make([]byte, PublicKeySize)) }

func TestCheckPublicKey(t *testing.T) {
	t.Parallel()
	v := readVectors(t)
	minus := func(n int64) []byte { return padded(new(big.Int).Sub(prime(), big.NewInt(n))) }
	small := func(n int64) []byte { return padded(big.NewInt(n)) }
	for _, c := range []struct {
		name string
		key  []byte
		ok   bool
	}{
		{"a good key", v["public-e"], true},
		{"a good key with a zero in front", v["short-public"], true},
		{"the same without the zero", v["short-public"][1:], true},
		{"2 is g itself", small(2), true},
		{"4 is a square", small(4), true},
		{"0 gives everybody's secret", small(0), false},
		{"1 gives everybody's secret", small(1), false},
		{"p-1 is of order 2", minus(1), false},
		{"p-2 is no square", minus(2), false},
		{"31, the least number that is no square", small(31), false},
		{"30, a product of squares", small(30), true},
		{"p is not below p", minus(0), false},
		{"p+2 is not below p, good as 2 is", minus(-2), false},
		{"all bits set, as a test of hostap sends it",
			bytes.Repeat([]byte{0xff}, PublicKeySize), false},
		{"an empty key", nil, false},
		{"189 bytes", bytes.Repeat([]byte{1}, 189), false},
		{"193 bytes, though the first is zero", append([]byte{0}, v["public-e"]...), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := CheckPublicKey(c.key)
			if c.ok != (err == nil) || err != nil && !errors.Is(err, ErrPublicKey) {
				t.Errorf("got %v", err)
			}
			z, err := v.pair(t, "private-e").SharedSecret(c.key)
			if c.ok != (err == nil) || err != nil &&
				(!errors.Is(err, ErrPublicKey) || !z.IsZero()) {
				t.Errorf("SharedSecret: %v", err)
			}
		})
	}
}

// TestFirstKeyPairs: whether the table is there or not, the key is the same.
func TestFirstKeyPairs(t *testing.T) {
	t.Parallel()
	private := [privateSize]byte{1, 2, 3, 31: 4}
	want := powerOfG(&private)
	for n := range 2 * tableAfter {
		if publicOf(&private).Equal(want) != 1 {
			t.Errorf("pair %d is another one", n)
		}
	}
}

// TestFixedBase compares with bigmod's own exponentiation, with exponents that have all there is in
// one tooth, one block or one column, and the ends of the range.
func TestFixedBase(t *testing.T) {
	t.Parallel()
	m := group5().modulus
	check := func(x *big.Int) {
		t.Helper()
		b := [privateSize]byte(x.FillBytes(make([]byte, privateSize)))
		got, want := powerOfG(&b), bigmod.NewNat().Exp(natFor(m, generator), b[:], m)
		if got.Equal(want) != 1 {
			t.Errorf("g^%x is wrong", b)
		}
	}
	one, all := big.NewInt(1), new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 8*privateSize),
		big.NewInt(1))
	check(new(big.Int))
	check(all)
	for i := range uint(8 * privateSize) {
		check(new(big.Int).Lsh(one, i))
		check(new(big.Int).Rsh(all, i))
	}
	for range 200 {
		x, err := rand.Int(rand.Reader, all)
		if err != nil {
			t.Fatal(err)
		}
		check(x)
	}
}

func TestKeyPairFromPrivate(t *testing.T) {
	t.Parallel()
	order := new(big.Int).Rsh(prime(), 1)
	for _, c := range []struct {
		name    string
		private []byte
		ok      bool
	}{
		{"one byte", []byte{7}, true},
		{"32 bytes", bytes.Repeat([]byte{0xff}, 32), true},
		{"33 bytes", bytes.Repeat([]byte{0xff}, 33), true},
		{"192 bytes, more than p (hostap draws such)", bytes.Repeat([]byte{0xff}, 192), true},
		{"nothing", nil, false},
		{"193 bytes", bytes.Repeat([]byte{1}, 193), false},
		{"zero, which broken randomness gives", make([]byte, 32), false},
		{"zero in 192 bytes", make([]byte, 192), false},
		{"the order of g, which is as good as zero", padded(order), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			k, err := KeyPairFromPrivate(secret.New(c.private))
			if !c.ok {
				if !errors.Is(err, ErrPrivateKey) {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := new(big.Int).Exp(big.NewInt(generator),
				new(big.Int).SetBytes(c.private), prime())
			if !bytes.Equal(k.Public(), padded(want)) {
				t.Error("another public key")
			}
			if err := CheckPublicKey(k.Public()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestGenerateKeyPair(t *testing.T) {
	t.Parallel()
	v := readVectors(t)
	source := bytes.NewReader(append(bytes.Clone(v["private-e"]), 1))
	k, err := GenerateKeyPair(source)
	if err != nil || source.Len() != 1 || !bytes.Equal(k.Private().Bytes(), v["private-e"]) {
		t.Fatalf("it does not draw 32 bytes: %v, %d left", err, source.Len())
	}
	v.is(t, "public-e", k.Public())
	if _, err := GenerateKeyPair(bytes.NewReader(make([]byte, 31))); !errors.Is(err,
		io.ErrUnexpectedEOF) {
		t.Errorf("a source that ends: %v", err)
	}
	if _, err := GenerateKeyPair(bytes.NewReader(make([]byte, 32))); !errors.Is(err,
		ErrPrivateKey) {
		t.Errorf("a source of zeros: %v", err)
	}
}

func TestKeyPairKeepsItsOwn(t *testing.T) {
	t.Parallel()
	v := readVectors(t)
	given := secret.New(v["private-e"])
	k, err := KeyPairFromPrivate(given)
	if err != nil {
		t.Fatal(err)
	}
	clear(k.Public())
	given.Wipe()
	if z, err := k.SharedSecret(v["public-r"]); err != nil || !bytes.Equal(z.Bytes(), v["shared"]) {
		t.Errorf("it shares bytes with its caller: %v", err)
	}
	private := k.Private()
	k.Wipe()
	if !bytes.Equal(private.Bytes(), make([]byte, 32)) {
		t.Error("Wipe leaves the private key")
	}
	// With the exponent wiped every shared secret would be 1.
	if _, err := k.SharedSecret(v["public-r"]); !errors.Is(err, ErrWiped) {
		t.Errorf("after Wipe: %v", err)
	}
	v.is(t, "public-e", k.Public())
}

// TestBothSidesAgree, from many goroutines at once: the tables are shared.
func TestBothSidesAgree(t *testing.T) {
	t.Parallel()
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			a, errA := GenerateKeyPair(rand.Reader)
			b, errB := GenerateKeyPair(rand.Reader)
			if err := errors.Join(errA, errB); err != nil {
				t.Error(err)
				return
			}
			za, errA := a.SharedSecret(b.Public())
			zb, errB := b.SharedSecret(a.Public())
			if errA != nil || errB != nil || !za.Equal(zb) || za.Len() != PublicKeySize {
				t.Errorf("%v, %v, equal %v", errA, errB, za.Equal(zb))
			}
		})
	}
	wait.Wait()
}

// FuzzPublicKey: what the check takes is what the definition says.
func FuzzPublicKey(f *testing.F) {
	v := readVectors(f)
	for _, name := range []string{"public-e", "public-r", "short-public"} {
		f.Add(v[name])
	}
	f.Add(padded(prime()))
	p := prime()
	order := new(big.Int).Rsh(p, 1)
	f.Fuzz(func(t *testing.T, key []byte) {
		y := new(big.Int).SetBytes(key)
		want := len(key) >= 190 && len(key) <= 192 && y.Cmp(big.NewInt(1)) > 0 && y.Cmp(p) < 0
		if want {
			want = y.Exp(y, order, p).Cmp(big.NewInt(1)) == 0
		}
		if err := CheckPublicKey(key); (err == nil) != want {
			t.Errorf("%x: %v", key, err)
		}
	})
}
