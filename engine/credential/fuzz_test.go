package credential

import (
	"bytes"
	"testing"

	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

// FuzzFromRun: whatever M8 holds, the networks made of it are usable as they say, and what each
// says makes the same network again when it is given as a Credential.
func FuzzFromRun(f *testing.F) {
	good := wsc.Settings{Credentials: []wsc.Credential{withKey("12345678"),
		withTypes(wsc.AuthWPAPSK, wsc.EncrTKIP), withTypes(wsc.AuthOpen, wsc.EncrWEP)}}
	f.Add(good.Append(nil))
	f.Add((&wsc.Settings{Credentials: []wsc.Credential{withKey("12345678\x00"),
		withTypes(wsc.AuthWPA2, wsc.EncrAES)}}).Append(nil))
	f.Add((&wsc.Settings{Credentials: []wsc.Credential{withTypes(wsc.AuthOpen,
		wsc.EncrNone)}}).Append(nil))
	f.Fuzz(func(t *testing.T, plain []byte) {
		s, err := wsc.ParseSettings(plain)
		if err != nil {
			return
		}
		networks, leftOut, err := FromRun(s.Credentials, own)
		if err != nil {
			if networks != nil || len(leftOut) != len(s.Credentials) {
				t.Fatalf("an error and %v, %v", networks, leftOut)
			}
			return
		}
		if len(networks)+len(leftOut) > len(s.Credentials) || len(networks)+len(leftOut) == 0 {
			t.Fatalf("%d networks and %d left out of %d", len(networks), len(leftOut),
				len(s.Credentials))
		}
		good := 0
		for _, c := range s.Credentials {
			if n, err := fromPeer(c, own); err == nil {
				good++
				n.Wipe()
			}
		}
		if good+len(leftOut) != len(s.Credentials) {
			t.Fatalf("%d good ones and %d left out of %d", good, len(leftOut), len(s.Credentials))
		}
		for _, n := range networks {
			check(t, n)
		}
	})
}

// check verifies what sinks rely on.
func check(t *testing.T, n Network) {
	t.Helper()
	key := n.Key.Bytes()
	switch n.KeyKind {
	case KeyNone:
		if n.Auth != wsc.AuthOpen || n.Encryption != wsc.EncrNone || len(key) != 0 {
			t.Fatalf("open: %+v", n)
		}
	case KeyPassphrase, KeyRawPSK:
		if n.Auth&^(wsc.AuthWPAPSK|wsc.AuthWPA2PSK) != 0 || n.Auth == 0 ||
			n.Encryption&^(wsc.EncrTKIP|wsc.EncrAES) != 0 || n.Encryption == 0 {
			t.Fatalf("personal: %+v", n)
		}
		if len(key) < 8 || len(key) > 64 || (len(key) == 64) != (n.KeyKind == KeyRawPSK) ||
			bytes.ContainsAny(key, "\x00\n\r\x1b\x7f") {
			t.Fatalf("key %q of kind %v", key, n.KeyKind)
		}
	default:
		t.Fatalf("kind %v", n.KeyKind)
	}
	if len(n.SSID) == 0 || len(n.SSID) > 32 || bytes.IndexByte(n.SSID, 0) >= 0 || n.Raw.IsZero() ||
		n.WifiURI().IsZero() {
		t.Fatalf("got %+v", n)
	}
	c := wsc.Credential{NetworkIndex: n.NetworkIndex, SSID: n.SSID, AuthType: n.Auth,
		EncrType: n.Encryption, NetworkKey: secret.New(key), MAC: n.MAC}
	again, err := FromWSC(c, own)
	if err != nil || !again.Key.Equal(n.Key) || !bytes.Equal(again.SSID, n.SSID) ||
		again.KeyKind != n.KeyKind || again.Encryption != n.Encryption {
		t.Fatalf("given again: %+v, %v", again, err)
	}
}
