package wsccrypto

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"io"
	"testing"

	"wpsd/engine/wsc"
)

// encrypt makes Encrypted Settings of a plaintext as it is, padding and all.
func encrypt(t testing.TB, k *Keys, iv, plain []byte) []byte {
	t.Helper()
	block, err := aes.NewCipher(k.keyWrap.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	out := append(bytes.Clone(iv), plain...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(out[aes.BlockSize:], plain)
	return out
}

func TestUnwrap(t *testing.T) {
	t.Parallel()
	v := readVectors(t)
	k := v.keys()
	iv := v["iv"]
	// signed is plaintext with a Key Wrap Authenticator: 20 bytes with 8 of content.
	content := []byte("contents")
	signed := func(content []byte) []byte {
		kwa := k.keyWrapAuthenticator(content)
		return wsc.AppendAttribute(bytes.Clone(content), wsc.AttrKeyWrapAuthenticator, kwa[:])
	}
	pad := func(b []byte, n int, value byte) []byte {
		return append(bytes.Clone(b), bytes.Repeat([]byte{value}, n)...)
	}
	good := signed(content)
	full := signed([]byte("twenty bytes of text"))
	other := signed([]byte("twenty bytes of tex!"))
	for _, c := range []struct {
		name string
		data []byte
		want string
		ok   bool
	}{
		{"twelve bytes of padding", encrypt(t, k, iv, pad(good, 12, 12)), "contents", true},
		{"a whole block of padding", encrypt(t, k, iv, pad(full, 16, 16)),
			"twenty bytes of text", true},
		{"no content but the authenticator", encrypt(t, k, iv, pad(signed(nil), 4, 4)), "", true},
		{"no padding", encrypt(t, k, iv, full), "", false},
		{"padding of zeros", encrypt(t, k, iv, pad(good, 12, 0)), "", false},
		{"padding that says 17",
			encrypt(t, k, iv, pad(signed(bytes.Repeat([]byte{1}, 19)), 17, 17)), "", false},
		{"padding that says 28, all of it", encrypt(t, k, iv, pad(good, 28, 28)), "", false},
		{"padding that says 255", encrypt(t, k, iv, pad(good, 12, 255)), "", false},
		{"padding of different bytes", encrypt(t, k, iv, append(pad(good, 11, 11), 12)), "", false},
		{"padding that says more than there is", encrypt(t, k, iv, pad(nil, 16, 16)), "", false},
		{"no room for the authenticator",
			encrypt(t, k, iv, pad([]byte("12345678901"), 5, 5)), "", false},
		{"no authenticator", encrypt(t, k, iv, pad([]byte("sixteen bytes ok"), 16, 16)), "", false},
		{"the authenticator of other content",
			encrypt(t, k, iv, pad(append([]byte("twenty bytes of text"), other[20:]...), 16,
				16)), "", false},
		{"something behind the authenticator",
			encrypt(t, k, iv, pad(append(bytes.Clone(good), 0x10, 0x4a, 0, 1, 0x10), 7,
				7)), "", false},
		{"the authenticator under another type",
			encrypt(t, k, iv, pad(append(append(bytes.Clone(content), 0x10, 0x1f), good[10:]...),
				12, 12)), "", false},
		{"the authenticator with another length",
			encrypt(t, k, iv, pad(append(append(bytes.Clone(content), 0x10, 0x1e, 0, 9),
				good[12:]...), 12, 12)), "", false},
		{"nothing", nil, "", false},
		{"an IV only", iv, "", false},
		{"less than two blocks", make([]byte, 31), "", false},
		{"no whole blocks", append(encrypt(t, k, iv, pad(good, 12, 12)), 0), "", false},
		{"more than an attribute holds", make([]byte, 65536), "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := v.keys().Unwrap(c.data)
			if c.ok != (err == nil) || string(got) != c.want || err != nil &&
				!errors.Is(err, ErrEncryptedSettings) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

// TestUnwrapEveryBit: no bit of Encrypted Settings can change unnoticed. Bits of the IV change the
// first block, which the Key Wrap Authenticator covers.
func TestUnwrapEveryBit(t *testing.T) {
	t.Parallel()
	v := readVectors(t)
	k := v.keys()
	for _, name := range []string{"wrapped-0", "wrapped-4", "wrapped-20"} {
		for i := range 8 * len(v[name]) {
			b := bytes.Clone(v[name])
			b[i/8] ^= 1 << (i % 8)
			if got, err := k.Unwrap(b); err == nil {
				t.Errorf("%s with bit %d changed gives %x", name, i, got)
			}
		}
	}
}

func TestWrapRefuses(t *testing.T) {
	t.Parallel()
	v := readVectors(t)
	k := v.keys()
	if _, err := k.Wrap(bytes.NewReader(make([]byte, 15)), nil); !errors.Is(err,
		io.ErrUnexpectedEOF) {
		t.Errorf("a source that ends: %v", err)
	}
	if _, err := k.Wrap(bytes.NewReader(v["iv"]), make([]byte, maxPlain+1)); err == nil {
		t.Error("more than fits an attribute is wrapped")
	}
	b, err := k.Wrap(bytes.NewReader(v["iv"]), make([]byte, maxPlain))
	if err != nil || len(b) > 0xFFFF {
		t.Errorf("the most that fits: %d bytes, %v", len(b), err)
	}
	if got, err := k.Unwrap(b); err != nil || len(got) != maxPlain {
		t.Errorf("the most that fits comes back as %d bytes, %v", len(got), err)
	}
}

func TestCheckAuthenticator(t *testing.T) {
	t.Parallel()
	v := readVectors(t)
	k := v.keys()
	auth := [8]byte(v["authenticator"])
	msg := wsc.AppendAuthenticator(bytes.Clone(v["body"]), auth)
	flipped := bytes.Clone(msg)
	flipped[len(flipped)-1] ^= 1
	for _, c := range []struct {
		name          string
		previous, msg []byte
		ok            bool
	}{
		{"the right one", v["previous"], msg, true},
		{"a flipped bit", v["previous"], flipped, false},
		{"a flipped bit in the message", v["previous"],
			append([]byte{msg[0] ^ 1}, msg[1:]...), false},
		{"after another message", v["body"], msg, false},
		{"a bit more in the message before", append(bytes.Clone(v["previous"]), 0), msg, false},
		{"none", v["previous"], v["body"], false},
		{"not in the last place", v["previous"],
			append(bytes.Clone(msg), 0x10, 0x4a, 0, 1, 0x10), false},
		{"nothing at all", nil, nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := v.keys().CheckAuthenticator(c.previous, c.msg); got != c.ok {
				t.Errorf("got %v", got)
			}
		})
	}
	k.Wipe()
	if k.CheckAuthenticator(v["previous"], msg) {
		t.Error("verifies after Wipe")
	}
}

// TestWipedKeysDoNothing: with keys of zeros, which everybody knows, nothing may go on.
func TestWipedKeysDoNothing(t *testing.T) {
	t.Parallel()
	v := readVectors(t)
	zero, wiped := v.keys(), v.keys()
	for _, key := range [][]byte{zero.auth.Bytes(), zero.keyWrap.Bytes()} {
		clear(key)
	}
	wiped.Wipe()
	forged, err := zero.Wrap(bytes.NewReader(v["iv"]), []byte("forged"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wiped.Unwrap(forged); !errors.Is(err, ErrWiped) {
		t.Errorf("Unwrap: %v", err)
	}
	if _, err := wiped.Wrap(bytes.NewReader(v["iv"]), nil); !errors.Is(err, ErrWiped) {
		t.Errorf("Wrap: %v", err)
	}
	if wiped.CheckAuthenticator(nil, wsc.AppendAuthenticator(nil, zero.Authenticator(nil, nil))) {
		t.Error("a forged Authenticator verifies")
	}
	if !bytes.Equal(wiped.EMSK().Bytes(), make([]byte, emskSize)) {
		t.Error("EMSK is left")
	}
}

// FuzzUnwrap: what unwraps, wraps again to the same bytes.
func FuzzUnwrap(f *testing.F) {
	v := readVectors(f)
	k := v.keys()
	for _, n := range []string{"0", "3", "4", "20", "150"} {
		f.Add(v["wrapped-"+n], false)
		f.Add(v["plain-"+n], true)
	}
	f.Fuzz(func(t *testing.T, data []byte, isPlain bool) {
		if isPlain && len(data) <= maxPlain {
			b, err := k.Wrap(bytes.NewReader(v["iv"]), data)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := k.Unwrap(b); err != nil || !bytes.Equal(got, data) {
				t.Fatalf("%x comes back as %x, %v", data, got, err)
			}
			return
		}
		plain, err := k.Unwrap(data)
		if err != nil {
			return
		}
		if again, err := k.Wrap(bytes.NewReader(data[:aes.BlockSize]), plain); err != nil ||
			!bytes.Equal(again, data) {
			t.Errorf("%x unwraps to %x, which wraps to %x", data, plain, again)
		}
	})
}
