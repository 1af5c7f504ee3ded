package networkmanager

import (
	"testing"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/engine/credential"
)

// TestChanges: what NetworkManager has, and what becomes another by Deliver. The played one says
// "the old key" of all.
func TestChanges(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		have   profile
		n      credential.Network
		ifname string
		want   bool
	}{
		{"another name", known("work", "wpa-psk", nil),
			network("home", "a new key", credential.KeyPassphrase), "wlan0", false},
		{"another key", known("home", "wpa-psk", nil),
			network("home", "a new key", credential.KeyPassphrase), "wlan0", true},
		{"the same key", known("home", "wpa-psk", nil),
			network("home", "the old key", credential.KeyPassphrase), "wlan0", false},
		{"the same name, and enterprise there", known("home", "wpa-eap", nil),
			network("home", "the old key", credential.KeyPassphrase), "wlan0", true},
		{"the same name, and open here", known("home", "wpa-psk", nil),
			network("home", "", credential.KeyNone), "wlan0", true},
		{"open on both sides", known("home", "", nil), network("home", "", credential.KeyNone),
			"wlan0", false},
		{"for another interface", bound(known("home", "wpa-psk", nil), "wlan7"),
			network("home", "a new key", credential.KeyPassphrase), "wlan0", false},
		{"an interface that nobody knows", known("home", "wpa-psk", nil),
			network("home", "a new key", credential.KeyPassphrase), "wlan9", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m, p := play(t)
			p.Lock()
			p.profiles = map[godbus.ObjectPath]profile{homeSet: c.have}
			p.Unlock()
			if got, err := m.Changes(t.Context(), c.ifname, c.n); err != nil || got != c.want {
				t.Errorf("%v, %v; want %v", got, err, c.want)
			}
			if len(p.Calls) > 0 {
				t.Errorf("something was changed: %v", p.Calls)
			}
		})
	}
}

func bound(p profile, ifname string) profile {
	p[connection]["interface-name"] = godbus.MakeVariant(ifname)
	return p
}
