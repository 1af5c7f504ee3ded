package wsccrypto

import (
	"crypto/rand"
	"testing"

	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

func BenchmarkKeyPair(b *testing.B) {
	fixedBase()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := GenerateKeyPair(rand.Reader); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSharedSecret(b *testing.B) {
	own, peer := newPair(b), newPair(b)
	public := peer.Public()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := own.SharedSecret(public); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheckPublicKey(b *testing.B) {
	public := newPair(b).Public()
	for b.Loop() {
		if err := CheckPublicKey(public); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFixedBaseTable is what the first key pair of a process costs more.
func BenchmarkFixedBaseTable(b *testing.B) {
	for b.Loop() {
		makeCombTable()
	}
}

func BenchmarkDeriveKeys(b *testing.B) {
	z := secret.New(make([]byte, PublicKeySize))
	b.ReportAllocs()
	for b.Loop() {
		DeriveKeys(z, wsc.Nonce{1}, wsc.MAC{2}, wsc.Nonce{3})
	}
}

func BenchmarkWrap(b *testing.B) {
	k := DeriveKeys(secret.New(make([]byte, PublicKeySize)), wsc.Nonce{1}, wsc.MAC{2}, wsc.Nonce{3})
	plain := make([]byte, 120)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Wrap(rand.Reader, plain); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUnwrap(b *testing.B) {
	k := DeriveKeys(secret.New(make([]byte, PublicKeySize)), wsc.Nonce{1}, wsc.MAC{2}, wsc.Nonce{3})
	wrapped, err := k.Wrap(rand.Reader, make([]byte, 120))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Unwrap(wrapped); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAuthenticator(b *testing.B) {
	k := DeriveKeys(secret.New(make([]byte, PublicKeySize)), wsc.Nonce{1}, wsc.MAC{2}, wsc.Nonce{3})
	previous, body := make([]byte, 453), make([]byte, 112)
	b.ReportAllocs()
	for b.Loop() {
		k.Authenticator(previous, body)
	}
}

func newPair(t testing.TB) *KeyPair {
	t.Helper()
	k, err := GenerateKeyPair(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}
