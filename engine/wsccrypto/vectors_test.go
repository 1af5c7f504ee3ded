package wsccrypto

import (
	"bytes"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

// vectors are the known answers of testdata/vectors.txt, which testdata/vectors.py computes with
// Python's integers and the openssl command.
type vectors map[string][]byte

func readVectors(t testing.TB) vectors {
	t.Helper()
	text, err := os.ReadFile("testdata/vectors.txt")
	if err != nil {
		t.Fatal(err)
	}
	v := vectors{}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " = ")
		b, err := hex.DecodeString(value)
		if !ok || err != nil {
			t.Fatalf("vectors.txt: %q: %v", line, err)
		}
		v[name] = b
	}
	return v
}

// is compares with a known answer.
func (v vectors) is(t *testing.T, name string, got []byte) {
	t.Helper()
	want, ok := v[name]
	if !ok {
		t.Fatalf("no vector %s", name)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s:\n got %x\nwant %x", name, got, want)
	}
}

// keys derives the keys of the vectors' run.
func (v vectors) keys() *Keys {
	return DeriveKeys(secret.New(v["shared"]), wsc.Nonce(v["enrollee-nonce"]),
		wsc.MAC(v["enrollee-mac"]), wsc.Nonce(v["registrar-nonce"]))
}

func (v vectors) pair(t testing.TB, name string) *KeyPair {
	t.Helper()
	k, err := KeyPairFromPrivate(secret.New(v[name]))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestDiffieHellman(t *testing.T) {
	t.Parallel()
	v := readVectors(t)
	short := v["short-public"]
	for _, c := range []struct {
		name, private string
		peer          []byte
		shared        string
	}{
		{"a key of 32 bytes with one of 192", "private-e", v["public-r"], "shared"},
		{"a key of 192 bytes with one of 32", "private-r", v["public-e"], "shared"},
		{"a public key that begins with a zero byte", "private-e", short, "short-public-shared"},
		{"the same without the zero byte", "private-e", short[1:], "short-public-shared"},
		{"a shared secret that begins with a zero byte is padded", "short-shared-private",
			v["public-e"], "short-shared"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			z, err := v.pair(t, c.private).SharedSecret(c.peer)
			if err != nil {
				t.Fatal(err)
			}
			v.is(t, c.shared, z.Bytes())
		})
	}
	v.is(t, "public-e", v.pair(t, "private-e").Public())
	v.is(t, "public-r", v.pair(t, "private-r").Public())
	v.is(t, "short-public", v.pair(t, "short-public-private").Public())
}

func TestDerivedKeys(t *testing.T) {
	t.Parallel()
	v := readVectors(t)
	k := v.keys()
	v.is(t, "auth-key", k.auth.Bytes())
	v.is(t, "key-wrap-key", k.keyWrap.Bytes())
	v.is(t, "emsk", k.EMSK().Bytes())
	auth := k.Authenticator(v["previous"], v["body"])
	v.is(t, "authenticator", auth[:])
	for name, half := range map[string]string{"psk1": "1234", "psk2": "5670",
		"psk-of-nothing": ""} {
		psk := k.PSK([]byte(half))
		v.is(t, name, psk[:])
	}
	hash := func(pkE []byte) []byte {
		h := k.Hash(wsc.Nonce(v["snonce"]), [16]byte(v["psk1"]), pkE, v["public-r"])
		return h[:]
	}
	v.is(t, "hash", hash(v["public-e"]))
	v.is(t, "hash-of-short-key", hash(v["public-e"][1:]))
	announced := PublicKeyHash(v["public-e"])
	v.is(t, "public-key-hash", announced[:])
}

func TestKeyWrapVectors(t *testing.T) {
	t.Parallel()
	v := readVectors(t)
	k := v.keys()
	for _, n := range []string{"0", "3", "4", "20", "150"} {
		plain := bytes.Clone(v["plain-"+n])
		wrapped, err := k.Wrap(bytes.NewReader(v["iv"]), plain)
		if err != nil {
			t.Fatal(err)
		}
		v.is(t, "wrapped-"+n, wrapped)
		v.is(t, "plain-"+n, plain) // Wrap leaves it alone
		got, err := k.Unwrap(wrapped)
		if err != nil {
			t.Fatalf("%s bytes: %v", n, err)
		}
		v.is(t, "plain-"+n, got)
		v.is(t, "wrapped-"+n, wrapped) // and so does Unwrap
	}
}
