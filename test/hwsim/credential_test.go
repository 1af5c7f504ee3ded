//go:build hwsim

package hwsim

import (
	"bytes"
	"fmt"
	"strings"

	godbus "github.com/godbus/dbus/v5"
)

// credential is one Credential as the D-Bus API shows it.
type credential struct {
	ssid       []byte
	auth       string // "OPEN", "WPA2PSK", …
	encryption string // "NONE", "CCMP", …
	key        []byte
	keyKind    string // "passphrase", "raw-psk", "wep", "none"
}

func newCredential(m map[string]godbus.Variant) credential {
	text := func(name string) string { s, _ := m[name].Value().(string); return s }
	octets := func(name string) []byte { b, _ := m[name].Value().([]byte); return b }
	return credential{octets("ssid"), text("auth"), text("encryption"), octets("key"),
		text("key-kind")}
}

func (c credential) equal(d credential) bool {
	return bytes.Equal(c.ssid, d.ssid) && c.auth == d.auth && c.encryption == d.encryption &&
		bytes.Equal(c.key, d.key) && c.keyKind == d.keyKind
}

// String may show the key: it is a test's.
func (c credential) String() string {
	return fmt.Sprintf("%q %s/%s %s %q", c.ssid, c.auth, c.encryption, c.keyKind, c.key)
}

// gives checks that the credential is what the access point is configured with.
func (h *hostapd) gives(c credential) {
	t := h.w.t
	t.Helper()
	want := credential{[]byte(h.ap.ssid), "WPA2PSK", "CCMP", []byte(h.ap.passphrase), "passphrase"}
	switch {
	case h.ap.security == "open":
		want = credential{[]byte(h.ap.ssid), "OPEN", "NONE", nil, "none"}
	case h.ap.psk != "":
		want.key, want.keyKind = []byte(h.ap.psk), "raw-psk"
	}
	// A mixed access point may name both generations.
	if h.ap.security == "mixed" && strings.Contains(c.auth, want.auth) &&
		strings.Contains(c.encryption, want.encryption) {
		want.auth, want.encryption = c.auth, c.encryption
	}
	if !c.equal(want) {
		t.Errorf("credential is %v, want %v", c, want)
	}
}
