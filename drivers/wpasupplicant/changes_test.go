package wpasupplicant

import (
	"testing"

	"wpsd/engine/credential"
)

// TestChanges: on D-Bus, and over the control socket. "home" is WPA2 in both; "off" is open, and
// known at the socket only.
func TestChanges(t *testing.T) {
	t.Parallel()
	onBus, p := play(t)
	onSocket, s := playSocket(t)
	for _, c := range []struct {
		name    string
		manager *Manager
		ifname  string
		n       credential.Network
		want    bool
	}{
		{"another name", onBus, "wlan0",
			received("new", "a new key", credential.KeyPassphrase), false},
		{"a key that it does not tell", onBus, "wlan0",
			received("home", "a new key", credential.KeyPassphrase), true},
		{"the same name, and open here", onBus, "wlan0",
			received("work", "", credential.KeyNone), true},
		{"an interface that it does not have", onBus, "wlan7",
			received("home", "a new key", credential.KeyPassphrase), false},
		{"another name at the socket", onSocket, "wlan0",
			received("new", "a new key", credential.KeyPassphrase), false},
		{"a key that it does not tell at the socket", onSocket, "wlan0",
			received("home", "a new key", credential.KeyPassphrase), true},
		{"open on both sides", onSocket, "wlan0", received("off", "", credential.KeyNone), false},
		{"open there, and secured here", onSocket, "wlan0",
			received("off", "a new key", credential.KeyPassphrase), true},
		{"an interface that has no socket", onSocket, "wlan7",
			received("home", "a new key", credential.KeyPassphrase), false},
	} {
		if got, err := c.manager.Changes(t.Context(), c.ifname, c.n); err != nil || got != c.want {
			t.Errorf("%s: %v, %v; want %v", c.name, got, err, c.want)
		}
	}
	s.wantTold(t)
	p.locked(func() {
		if len(p.Calls) > 0 {
			t.Errorf("something was changed: %v", p.Calls)
		}
	})
}
