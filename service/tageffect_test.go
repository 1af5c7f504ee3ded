package service

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/drivers/sim"
	"wpsd/engine/credential"
	"wpsd/engine/ndef"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/external"
	"wpsd/service/nfc"
	"wpsd/service/session"
	"wpsd/service/state"
	"wpsd/service/store"
)

// networkTag is a configuration token of a WPA2 network; without a key it is open.
func networkTag(ssid, key string) []byte {
	c := wsc.Credential{NetworkIndex: 1, SSID: []byte(ssid), AuthType: wsc.AuthWPA2PSK,
		EncrType: wsc.EncrAES, NetworkKey: secret.FromString(key)}
	if key == "" {
		c.AuthType, c.EncrType, c.NetworkKey = wsc.AuthOpen, wsc.EncrNone, secret.Value{}
	}
	return (&ndef.ConfigurationToken{Credentials: []wsc.Credential{c}}).AppendNDEF(nil)
}

// knowing is a manager that tells what it has: the network "work", with the passphrase.
type knowing struct {
	*fakeManager
	err error
}

func (k *knowing) Changes(_ context.Context, ifname string, n credential.Network) (bool, error) {
	return ifname == "wlan0" && string(n.SSID) == "work" &&
		string(n.Key.Bytes()) != passphrase, k.err
}

// TestNFCTagEffect: what a tag would do, before it does anything.
func TestNFCTagEffect(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		config  func(*Config)
		payload []byte
		apply   string
		trouble error // of the manager's answer
		want    nfc.TagEffect
		err     error
	}{
		{name: "a network that nobody knows", payload: networkTag("cabin", passphrase),
			want: nfc.TagAdds},
		{name: "a stored one with another key", payload: networkTag("home", "another passphrase"),
			want: nfc.TagChanges},
		{name: "a stored one without a key", payload: networkTag("home", ""), want: nfc.TagChanges},
		{name: "a stored one just so", payload: networkTag("home", passphrase), want: nfc.TagAdds},
		{name: "one of the manager's with another key",
			payload: networkTag("work", "another passphrase"), want: nfc.TagChanges},
		{name: "one of the manager's just so", payload: networkTag("work", passphrase),
			want: nfc.TagAdds},
		{name: "one of the manager's that nobody applies",
			payload: networkTag("work", "another passphrase"), apply: session.ApplyNone,
			want: nfc.TagAdds},
		{name: "a manager that does not say", payload: networkTag("cabin", passphrase),
			trouble: context.DeadlineExceeded, want: nfc.TagChanges},
		{name: "a manager that cannot tell", payload: networkTag("cabin", passphrase),
			apply: "second", want: nfc.TagChanges},
		{
			name: "a stored one where nothing is stored", config: func(c *Config) {
				c.Processing = state.ProcessingExternal
			},
			payload: networkTag("home", "another passphrase"), want: nfc.TagAdds,
		},
		{name: "no tag", payload: []byte("noise"), err: state.ErrBadTag},
	} {
		t.Run(c.name, func(t *testing.T) {
			var k *knowing
			change := func(conf *Config) {
				k = &knowing{conf.Managers.Sinks[0].(*fakeManager), c.trouble}
				conf.Managers.Sinks[0] = k
				if c.config != nil {
					c.config(conf)
				}
			}
			inManagedHouse(t, change, func(h *house, m *fakeManager, _ *store.Journal) {
				settings := session.Settings{SSID: []byte("home"), Auth: wsc.AuthWPA2PSK,
					Encryption: wsc.EncrAES, Key: secret.FromString(passphrase)}
				if _, err := h.svc.AddNetwork(h.Context(), settings, wsc.MAC{}); err != nil {
					h.Fatal(err)
				}
				r := nfc.TagRequest{Interface: "wlan0", Payload: c.payload, Apply: c.apply}
				got, err := h.svc.NFC().NFCTagEffect(h.Context(), r)
				if got != c.want || !errors.Is(err, c.err) {
					h.Errorf("%q, %v; want %q, %v", got, err, c.want, c.err)
				}
				if n := len(h.store.Networks()); n != 1 || len(m.told) > 0 {
					h.Errorf("%d networks are stored, the manager was told %v", n, m.told)
				}
				// And no tag does more than was allowed.
				if r.Allowed = nfc.TagAdds; c.want == nfc.TagChanges {
					before := h.store.Networks()[0].ID
					_, err := h.svc.NFC().NFCTagRead(h.Context(), r)
					time.Sleep(time.Minute)
					if len(m.told) > 0 || string(c.payload) == string(
						networkTag("home", "another passphrase")) && !errors.Is(err,
						state.ErrChanged) {
						h.Errorf("%v; the manager was told %v", err, m.told)
					}
					if n := h.store.Networks(); n[0].ID != before {
						h.Error("the stored network is another")
					}
				}
			})
		})
	}
}

// TestNFCTagOfADevice: a password admits.
func TestNFCTagOfADevice(t *testing.T) {
	t.Parallel()
	play(t, []scene{{"a device password", func(h *house) {
		tag, _ := tagOf(h)
		if got, err := h.svc.NFC().NFCTagEffect(h.Context(),
			nfc.TagRequest{Payload: tag.AppendNDEF(nil)}); got != nfc.TagAdmits || err != nil {
			h.Errorf("%q, %v", got, err)
		}
	}}})
}

// TestPurposeIsBound: who was allowed to join a network does not let somebody into his own, and the
// other way round.
func TestPurposeIsBound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		inHouse(t, func(c *Config) { c.AccessPoints = c.Drivers[0].(*sim.Driver) }, bindsPurpose)
	})
}

func bindsPurpose(h *house) {
	defer h.world.Close()
	if err := h.world.AddHotspot("uap0", h.ap(nil)); err != nil {
		h.Fatal(err)
	}
	time.Sleep(time.Second)
	for _, c := range []struct {
		ifname  string
		purpose state.Purpose
		err     error
	}{
		{"uap0", state.PurposeEnroll, state.ErrNotSupported},
		{"wlan0", state.PurposeAdmit, state.ErrNotSupported},
		{"uap0", state.PurposeAdmit, nil}, {"wlan0", state.PurposeEnroll, nil},
	} {
		r := session.StartRequest{Interface: c.ifname, Purpose: c.purpose, User: "1001"}
		for name, start := range map[string]func() (state.Session, error){
			"StartPBC": func() (state.Session, error) { return h.svc.StartPBC(h.Context(), r) },
			"StartPIN": func() (state.Session, error) {
				s, pin, err := h.svc.StartPIN(h.Context(), r)
				pin.Wipe()
				return s, err
			},
		} {
			s, err := start()
			if !errors.Is(err, c.err) {
				h.Errorf("%s on %s for %s: %v", name, c.ifname, c.purpose, err)
			}
			if err == nil {
				if s.User != "1001" {
					h.Errorf("the session is that of %q", s.User)
				}
				_ = h.svc.Cancel(h.Context(), s.ID)
				h.end(s)
			}
		}
	}
	if _, err := h.svc.NFC().StartNFC(h.Context(), session.StartRequest{Interface: "uap0",
		Purpose: state.PurposeEnroll}); !errors.Is(err, state.ErrNotSupported) && !errors.Is(err, state.ErrNoToken) {
		h.Errorf("StartNFC: %v", err)
	}
}

// TestERIsOfItsUsers: somebody else stops it only if he may.
func TestERIsOfItsUsers(t *testing.T) {
	t.Parallel()
	playER(t, map[string]func(h *erHouse){
		"it is one user's, then two's": func(h *erHouse) {
			if h.svc.Registrars().OwnsER("wlan0", "1001") ||
				!h.svc.Registrars().OwnsER("wlan0", "") ||
				!h.svc.Registrars().OwnsER("eth9", "1001") {
				h.Error("whose it is at first")
			}
			if err := h.svc.Registrars().StopOwnER(h.Context(), "wlan0", "1001"); !errors.Is(err,
				state.ErrChanged) ||
				!h.running() {
				h.Errorf("another's is stopped: %v", err)
			}
			if err := h.svc.Registrars().StartER(h.Context(),
				external.Start{Interface: "wlan0", User: "1001", Detach: true}); err != nil {
				h.Fatal(err)
			}
			if h.svc.Registrars().OwnsER("wlan0", "") {
				h.Error("it is not of one alone any more")
			}
			if err := h.svc.Registrars().StopER(h.Context(), "wlan0"); err != nil {
				h.Fatal(err)
			}
			time.Sleep(5 * time.Second)
			if err := h.svc.Registrars().StartER(h.Context(),
				external.Start{Interface: "wlan0", Owner: ":1.1", User: "1001"}); err != nil {
				h.Fatal(err)
			}
			if err := h.svc.Registrars().StopOwnER(h.Context(), "wlan0", "1001"); err != nil ||
				h.running() {
				h.Errorf("one's own: %v", err)
			}
		},
	})
}
