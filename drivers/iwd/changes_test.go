package iwd

import (
	"os"
	"path/filepath"
	"testing"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/engine/credential"
	"wpsd/engine/secret"
)

// TestChanges: iwd says which networks it knows; the key is in its file, if that can be read.
func TestChanges(t *testing.T) {
	t.Parallel()
	m, p := play(t)
	p.Lock()
	for path, kind := range map[string]string{"home": "psk", "shut": "psk", "cafe": "open"} {
		p.Put(godbus.ObjectPath("/net/connman/iwd/known_"+path), knownI, "Name", path)
		p.Put(godbus.ObjectPath("/net/connman/iwd/known_"+path), knownI, "Type", kind)
	}
	p.Unlock()
	psk := func(ssid, key string) credential.Network {
		return credential.Network{SSID: []byte(ssid), Key: secret.FromString(key),
			KeyKind: credential.KeyPassphrase}
	}
	text, err := profile(nil, psk("home", "the old key"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(m.Directory, "home.psk"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		n    credential.Network
		want bool
	}{
		{"another name", psk("new", "a new key"), false},
		{"another key", psk("home", "a new key"), true},
		{"the same key", psk("home", "the old key"), false},
		{"a file that cannot be read", psk("shut", "the old key"), true},
		{"the same name, and open here",
			credential.Network{SSID: []byte("home"), KeyKind: credential.KeyNone}, true},
		{"open on both sides", credential.Network{SSID: []byte("cafe"),
			KeyKind: credential.KeyNone}, false},
	} {
		if got, err := m.Changes(t.Context(), "wlan0", c.n); err != nil || got != c.want {
			t.Errorf("%s: %v, %v; want %v", c.name, got, err, c.want)
		}
	}
}
