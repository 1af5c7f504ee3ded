package service

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/drivers/sim"
	"wpsd/engine/ndef"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/nfc"
	"wpsd/service/outcome"
	"wpsd/service/state"
	"wpsd/service/store"
)

// given is a Credential as an access point sends it.
func given(ssid, key string, auth wsc.AuthType) wsc.Credential {
	return wsc.Credential{NetworkIndex: 1, SSID: []byte(ssid), AuthType: auth,
		EncrType: wsc.EncrAES, NetworkKey: secret.FromString(key), MAC: laptop}
}

// gives makes an access point give these to stations.
func gives(cs ...wsc.Credential) func(*sim.APOptions) {
	return func(o *sim.APOptions) { o.Credentials = cs }
}

// shows makes an access point say this of itself to who has its PIN.
func shows(c wsc.Credential) func(*sim.APOptions) {
	return func(o *sim.APOptions) { withPIN(o); o.Shown = &c }
}

const (
	personal   = wsc.AuthWPA2PSK
	enterprise = wsc.AuthWPA2
)

// TestOneBadCredentialDoesNotSpoilAGoodOne: wpa_supplicant keeps the good one, in either order.
func TestOneBadCredentialDoesNotSpoilAGoodOne(t *testing.T) {
	t.Parallel()
	good := given("home", passphrase, personal)
	for name, bad := range map[string]wsc.Credential{
		"a key that is too short": given("guest", "tiny", personal),
		"a line break in the key": given("guest", "12345678\nx", personal),
		"an enterprise network":   given("guest", "", enterprise),
		"no name":                 given("", passphrase, personal),
		"a zero in the name":      given("gu\x00est", passphrase, personal),
		"authentication type 0":   given("guest", passphrase, 0),
		"WEP": {NetworkIndex: 1, SSID: []byte("guest"), AuthType: wsc.AuthOpen,
			EncrType: wsc.EncrWEP, NetworkKey: secret.FromString("12345"), MAC: laptop},
		"encryption type 0": {NetworkIndex: 1, SSID: []byte("guest"), AuthType: personal,
			NetworkKey: secret.FromString(passphrase), MAC: laptop},
	} {
		for order, both := range map[string][]wsc.Credential{"first": {bad, good},
			"last": {good, bad}} {
			play(t, []scene{{name + " comes " + order, func(h *house) {
				e := h.enrol(h.ap(gives(both...)))
				h.wantNetwork(e, "home", passphrase)
				if len(e.Detail.LeftOut) != 1 ||
					!strings.Contains(e.Sentence, "Left out was "+e.Detail.LeftOut[0].String()) {
					h.Errorf("left out: %q; %s", e.Detail.LeftOut, e.Sentence)
				}
			}}})
		}
	}
}

// TestUnknownBitsBesideWPA2Personal: an access point with WPA3 or another kind sets bits that WSC
// has no name for.
func TestUnknownBitsBesideWPA2Personal(t *testing.T) {
	t.Parallel()
	for name, auth := range map[string]wsc.AuthType{"0x0060": 0x0060, "0x0023": 0x0023,
		"0xffe0": 0xffe0, "0x0082": 0x0082} {
		play(t, []scene{
			{name + " in M8", func(h *house) {
				h.wantNetwork(h.enrol(h.ap(gives(given("home", passphrase, auth)))),
					"home", passphrase)
			}},
			{name + " in M7", func(h *house) {
				h.ap(shows(given("home", passphrase, auth)))
				h.wantNetwork(h.end(h.learn(labelPIN)), "home", passphrase)
			}},
		})
	}
}

// TestNothingUsableIsAFailure: with a reason and a sentence of its own, and the interface is given
// back to its manager, whatever the run was.
func TestNothingUsableIsAFailure(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		ap    func(*sim.APOptions)
		learn bool
		why   string // in the sentence
	}{
		{"an enterprise network in M8", gives(given("office", "", enterprise)), false,
			`"office" (its kind of security`},
		{"two networks of no use in M8", gives(given("office", "", enterprise),
			given("home", "tiny", personal)), false, `"home" (its key`},
		{"settings of authentication type 0", shows(given("home", passphrase, 0)), true,
			"showed settings that make no network"},
		{"settings of an enterprise network", shows(given("office", passphrase, enterprise)), true,
			"showed settings that make no network"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inManagedHouse(t, nil, func(h *house, m *fakeManager, _ *store.Journal) {
				ap := h.ap(c.ap)
				var s state.Session
				if c.learn {
					s = h.end(h.learn(labelPIN))
				} else {
					h.press(ap)
					s = h.end(h.pbc(nil))
				}
				h.wantEnd(s, state.StateFailed, outcome.ReasonUnsupported, 0)
				if !strings.Contains(s.Sentence, c.why) || len(s.Networks) != 0 ||
					s.Detail.Credentials != 0 || len(h.store.Networks()) != 0 {
					h.Errorf("%+v", s)
				}
				if m.network != "before" ||
					!slices.Equal(m.told, []string{"release", "restore true"}) {
					h.Errorf("the manager is in %q and was told %q", m.network, m.told)
				}
			})
		})
	}
	t.Run("settings without a name are refused", func(t *testing.T) {
		inManagedHouse(t, nil, func(h *house, m *fakeManager, _ *store.Journal) {
			h.ap(shows(given("\x00\x00", passphrase, personal)))
			h.wantEnd(h.end(h.learn(labelPIN)), state.StateFailed, outcome.ReasonBadCredential, 0)
			if m.network != "before" {
				h.Errorf("the manager is in %q and was told %q", m.network, m.told)
			}
		})
	})
	t.Run("with external processing an agent may have use for it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			inHouse(t, func(c *Config) { c.Processing = state.ProcessingExternal }, func(h *house) {
				p := h.agent(":1.9", nil)
				if e := h.enrol(h.ap(gives(given("office", "",
					enterprise)))); e.State != state.StateSucceeded {
					h.Errorf("%+v", e)
				}
				p.want(h, 0, "office")
			})
		})
	})
}

// fill fills the store up, but for room.
func (h *house) fill(room int) {
	h.Helper()
	for i := range store.MaxNetworks - room {
		n := store.Network{Created: time.Now(), Source: "pin"}
		n.SSID, n.Auth, n.Encryption, n.KeyKind = []byte{'a' + byte(i%26), 'a' + byte(i/26)},
			wsc.AuthOpen, wsc.EncrNone, "none"
		if _, _, err := h.store.Put(n); err != nil {
			h.Fatal(err)
		}
	}
}

// TestTwoNetworksAndRoomForOne: what fits is stored and told, whatever way they came.
func TestTwoNetworksAndRoomForOne(t *testing.T) {
	t.Parallel()
	both := []wsc.Credential{given("home", passphrase, personal),
		given("guest", passphrase, personal)}
	stored := func(h *house, ids []state.NetworkID) {
		h.Helper()
		h.drain()
		if len(ids) != 1 || count[state.NetworkAdded](h) != 1 ||
			string(h.told(ids[0]).SSID) != "home" {
			h.Errorf("stored %v, told of %d: %v", ids, count[state.NetworkAdded](h),
				h.svc.Published().Snapshot().Networks)
		}
	}
	play(t, []scene{
		{"a session", func(h *house) {
			h.fill(1)
			e := h.enrol(h.ap(gives(both...)))
			h.wantEnd(e, state.StateFailed, outcome.ReasonNotStored, 0)
			stored(h, e.Networks)
		}},
		{"a tag", func(h *house) {
			h.fill(1)
			token := ndef.ConfigurationToken{Credentials: both}
			got := h.reads(token.Append(nil))
			if !got.NotStored {
				h.Errorf("%+v", got)
			}
			stored(h, got.Networks)
		}},
		{"a tag and no room at all", func(h *house) {
			h.fill(0)
			token := ndef.ConfigurationToken{Credentials: both}
			if _, err := h.svc.NFC().NFCTagRead(h.Context(),
				nfc.TagRequest{Payload: token.Append(nil)}); !errors.Is(err, state.ErrStoreFull) {
				h.Error(err)
			}
		}},
		{"a tag with a good network and one of no use", func(h *house) {
			token := ndef.ConfigurationToken{Credentials: []wsc.Credential{given("x", "tiny",
				personal), both[0]}}
			stored(h, h.reads(token.Append(nil)).Networks)
		}},
		{"a network that is typed in, and no room", func(h *house) {
			h.fill(0)
			if _, err := h.svc.AddNetwork(h.Context(), wpa2("home", passphrase),
				wsc.MAC{}); !errors.Is(err, state.ErrStoreFull) {
				h.Error(err)
			}
		}},
	})
}

// TestNotStoredAndHandedOver: the manager gets the network all the same, and the sentence says
// where the key is.
func TestNotStoredAndHandedOver(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		deliver   error
		network   string
		sentences []string
	}{
		{"the manager connects", nil, "home",
			[]string{"first is connected to it", "wpsctl credentials 1", "as many as it can"}},
		{"the manager does not connect", errors.New("no such luck"), "before",
			[]string{"first did not connect", "wpsctl credentials 1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inManagedHouse(t, nil, func(h *house, m *fakeManager, _ *store.Journal) {
				h.fill(0)
				m.deliverErr = c.deliver
				h.press(h.ap(nil))
				s := h.end(h.pbc(nil))
				h.wantEnd(s, state.StateFailed, outcome.ReasonNotStored, 0)
				if m.network != c.network || s.Detail.HandedOver != (c.deliver == nil) {
					h.Errorf("the manager is in %q: %+v", m.network, s.Detail)
				}
				for _, part := range c.sentences {
					if !strings.Contains(s.Sentence, part) {
						h.Errorf("%q is not in %q", part, s.Sentence)
					}
				}
				if strings.Contains(s.Sentence, "is stored") {
					h.Error(s.Sentence)
				}
			})
		})
	}
}

// TestUselessSettingsOverUPnP: an External Registrar says it as a station does.
func TestUselessSettingsOverUPnP(t *testing.T) {
	t.Parallel()
	playER(t, map[string]func(h *erHouse){
		"authentication type 0": func(h *erHouse) {
			h.lan.settings.AuthType = 0
			s := h.end(h.learn(labelPIN))
			h.wantEnd(s, state.StateFailed, outcome.ReasonUnsupported, 0)
			if !strings.Contains(s.Sentence, "showed settings that make no network") ||
				len(h.networks()) != 0 {
				h.Error(s.Sentence)
			}
		},
		"a network that cannot be stored": func(h *erHouse) {
			h.fill(0)
			s := h.end(h.learn(labelPIN))
			h.wantEnd(s, state.StateFailed, outcome.ReasonNotStored, 0)
			if got, err := h.svc.Credentials(s.ID); err != nil || len(got) != 1 ||
				!strings.Contains(s.Sentence, "wpsctl credentials 1") {
				h.Errorf("%v, %v: %s", got, err, s.Sentence)
			}
		},
	})
}
