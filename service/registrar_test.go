package service

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/drivers/sim"
	"wpsd/engine/devpass"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/outcome"
	"wpsd/service/session"
	"wpsd/service/state"
)

// withPIN gives the access point an AP PIN of its own.
func withPIN(o *sim.APOptions) { o.APPIN = secret.FromString(labelPIN) }

func (h *house) learn(pin string) state.Session {
	h.Helper()
	s, err := h.svc.Learn(h.Context(), session.StartRequest{Interface: "wlan0", BSSID: homeBSSID,
		PIN: secret.FromString(pin), Owner: ":1.7"})
	if err != nil {
		h.Fatal(err)
	}
	return s
}

func (h *house) configure(settings session.Settings) state.Session {
	h.Helper()
	s, err := h.svc.Configure(h.Context(),
		session.StartRequest{Interface: "wlan0", BSSID: homeBSSID,
			PIN: secret.FromString(labelPIN), Owner: ":1.7"}, settings)
	if err != nil {
		h.Fatal(err)
	}
	return s
}

func wpa2(ssid, key string) session.Settings {
	return session.Settings{SSID: []byte(ssid), Auth: wsc.AuthWPA2PSK, Encryption: wsc.EncrAES,
		Key: secret.FromString(key)}
}

// README-WPS: "wpa_cli wps_reg <AP BSSID> <AP PIN> … is used to fetch the current AP settings
// instead of actually changing them", and with new settings "to change the AP configuration".
func TestRegistrar(t *testing.T) {
	t.Parallel()
	play(t, []scene{
		{"an access point that has no room at first is learned once it has", func(h *house) {
			ap := h.ap(func(o *sim.APOptions) { withPIN(o); o.Personality.RefuseStatus = 17 })
			s := h.learn(labelPIN)
			time.Sleep(20 * time.Second)
			ap.SetPersonality(sim.Personality{})
			h.wantNetwork(h.end(s), "home", passphrase)
			if took := time.Since(s.Started); took > 24*time.Second {
				h.Errorf("after %v", took)
			}
		}},
		{"a link that is lost in the middle is not the end", func(h *house) {
			ap := h.ap(func(o *sim.APOptions) { withPIN(o); o.Personality.LeaveBefore = wsc.MsgM3 })
			s := h.learn(labelPIN)
			h.wait(func(e state.Event) bool {
				f, ok := e.(state.RunFailed)
				return ok && f.Session == s.ID
			})
			ap.SetPersonality(sim.Personality{})
			h.wantNetwork(h.end(s), "home", passphrase)
		}},
		{"one that leaves in the middle each time is left alone after three: it may count guesses",
			func(h *house) {
				h.ap(func(o *sim.APOptions) { withPIN(o); o.Personality.LeaveBefore = wsc.MsgM3 })
				s := h.learn(labelPIN)
				e := h.end(s)
				h.wantEnd(e, state.StateFailed, outcome.ReasonLinkLost, 0)
				if took := time.Since(s.Started); e.Detail.AccessPointsTried != 3 ||
					took > 30*time.Second {
					h.Errorf("%d times, %v", e.Detail.AccessPointsTried, took)
				}
			}},
		{"an access point's settings are learned with its PIN, and stay as they are",
			func(h *house) {
				ap := h.ap(withPIN)
				e := h.end(h.learn(labelPIN))
				h.wantNetwork(e, "home", passphrase)
				if e.Role != state.RoleRegistrar || e.Purpose != state.PurposeLearn ||
					!strings.Contains(e.Sentence, "learned") {
					h.Errorf("%+v", e)
				}
				if n := h.told(e.Networks[0]); n.Source != "learn" || n.BSSID != homeBSSID {
					h.Errorf("stored as %+v", n)
				}
				got, err := h.svc.Credentials(e.ID)
				if err != nil || len(got) != 1 ||
					!bytes.HasPrefix(got[0].Raw.Bytes(), []byte{0x10, 0x0e}) {
					h.Errorf("credentials %v, %v", got, err)
				}
				if key := ap.Key(); !key.Equal(secret.FromString(passphrase)) {
					h.Error("the access point's key is another now")
				}
			}},
		{"an open access point's settings are learned", func(h *house) {
			h.ap(func(o *sim.APOptions) {
				withPIN(o)
				o.Security, o.Key = sim.Open, secret.Value{}
			})
			h.wantNetwork(h.end(h.learn(labelPIN)), "home", "")
		}},
		{"an access point takes new settings, which are then the stored network", func(h *house) {
			ap := h.ap(withPIN)
			e := h.end(h.configure(wpa2("new name", "new passphrase")))
			h.wantNetwork(e, "new name", "new passphrase")
			if e.Purpose != state.PurposeConfigure ||
				!strings.Contains(e.Sentence, "took the new settings") {
				h.Errorf("%+v", e)
			}
			time.Sleep(time.Second) // it restarts with them
			if key := ap.Key(); !key.Equal(secret.FromString("new passphrase")) {
				h.Error("the access point does not have the new key")
			}
		}},
		{"weak settings are sent as they are, and stored as the access point takes them",
			func(h *house) {
				h.ap(withPIN)
				weak := session.Settings{SSID: []byte("old printer"), Auth: wsc.AuthWPAPSK,
					Encryption: wsc.EncrTKIP, Key: secret.FromString("new passphrase")}
				e := h.end(h.configure(weak))
				h.wantNetwork(e, "old printer", "new passphrase")
				if n := h.told(e.Networks[0]); n.Auth != wsc.AuthWPA2PSK ||
					n.Encryption != wsc.EncrTKIP|wsc.EncrAES {
					h.Errorf("stored as %v, %v", n.Auth, n.Encryption)
				}
			}},
		{"an access point is opened", func(h *house) {
			h.ap(withPIN)
			h.wantNetwork(h.end(h.configure(session.Settings{SSID: []byte("clear"),
				Auth:       wsc.AuthOpen,
				Encryption: wsc.EncrNone})), "clear", "")
		}},
		{"a wrong first half of the AP PIN is told, and tried once", func(h *house) {
			h.ap(withPIN)
			e := h.end(h.learn("99995676"))
			h.wantEnd(e, state.StateFailed, outcome.ReasonWrongPINFirst,
				wsc.ConfigErrorDevicePasswordAuthFailure)
			if e.Detail.PasswordHalf != 1 || e.Detail.AccessPointsTried != 1 ||
				!strings.Contains(e.Sentence, "label") {
				h.Errorf("%+v", e)
			}
		}},
		{"a wrong second half of the AP PIN is told apart", func(h *house) {
			h.ap(withPIN)
			e := h.end(h.learn("12340002"))
			h.wantEnd(e, state.StateFailed, outcome.ReasonWrongPINSecond,
				wsc.ConfigErrorDevicePasswordAuthFailure)
		}},
		{"an access point that says it is locked is not tried", func(h *house) {
			h.ap(func(o *sim.APOptions) { withPIN(o); o.SetupLocked = true })
			e := h.end(h.learn(labelPIN))
			h.wantEnd(e, state.StateFailed, outcome.ReasonSetupLocked, wsc.ConfigErrorSetupLocked)
			if got := h.tried(e.ID); len(got) != 0 ||
				!strings.Contains(e.Sentence, "was not tried") {
				h.Errorf("tried %v: %s", got, e.Sentence)
			}
		}},
		{"an access point without an AP PIN refuses", func(h *house) {
			h.ap(nil)
			e := h.end(h.learn(labelPIN))
			h.wantEnd(e, state.StateFailed, outcome.ReasonSetupLocked, wsc.ConfigErrorSetupLocked)
			if !strings.Contains(e.Sentence, "it has no PIN") {
				h.Error(e.Sentence)
			}
		}},
		{"an access point that takes no new settings refuses, and can be learned", func(h *house) {
			h.ap(func(o *sim.APOptions) { withPIN(o); o.LearnOnly = true })
			h.wantEnd(h.end(h.configure(wpa2("new name", "new passphrase"))), state.StateFailed,
				outcome.ReasonSetupLocked, wsc.ConfigErrorSetupLocked)
			h.wantNetwork(h.end(h.learn(labelPIN)), "home", passphrase)
		}},
		{"an access point that is not there is waited for two minutes", func(h *house) {
			e := h.end(h.learn(labelPIN))
			h.wantEnd(e, state.StateFailed, outcome.ReasonNoAccessPoint,
				wsc.ConfigErrorMessageTimeout)
			if d := e.Deadline.Sub(e.Started); d != 2*time.Minute {
				h.Errorf("%v", d)
			}
		}},
		{"requests that cannot work are refused before anything is sent", func(h *house) {
			request := session.StartRequest{Interface: "wlan0", BSSID: homeBSSID,
				PIN: secret.FromString(labelPIN)}
			noBSSID, badPIN := request, request
			noBSSID.BSSID, badPIN.PIN = wsc.MAC{}, secret.FromString("12345678")
			if _, err := h.svc.Learn(h.Context(), noBSSID); !errors.Is(err, state.ErrUnknownBSSID) {
				h.Errorf("no BSSID: %v", err)
			}
			if _, err := h.svc.Learn(h.Context(), badPIN); !errors.Is(err, devpass.ErrPINChecksum) {
				h.Errorf("bad checksum: %v", err)
			}
			if _, err := h.svc.Configure(h.Context(), request,
				session.Settings{SSID: []byte("x"), Auth: wsc.AuthShared}); !errors.Is(err,
				state.ErrInvalid) {
				h.Errorf("WEP: %v", err)
			}
		}},
	})
}

func TestSettings(t *testing.T) {
	t.Parallel()
	hexKey := strings.Repeat("0f", 32)
	cases := []struct {
		name string
		s    session.Settings
		want string // "": fine; otherwise part of the reason
	}{
		{"WPA2 with CCMP", wpa2("x", "12345678"), ""},
		{"a 64-digit key", wpa2("x", hexKey), ""},
		{"a mixed network", session.Settings{SSID: []byte("x"),
			Auth:       wsc.AuthWPAPSK | wsc.AuthWPA2PSK,
			Encryption: wsc.EncrTKIP | wsc.EncrAES, Key: secret.FromString("12345678")}, ""},
		{"an open network", session.Settings{SSID: []byte("x"), Auth: wsc.AuthOpen,
			Encryption: wsc.EncrNone, Key: secret.Value{}}, ""},
		{"TKIP alone", session.Settings{SSID: []byte("x"), Auth: wsc.AuthWPAPSK,
			Encryption: wsc.EncrTKIP,
			Key:        secret.FromString("12345678")}, ""},
		{"WPA alone", session.Settings{SSID: []byte("x"), Auth: wsc.AuthWPAPSK,
			Encryption: wsc.EncrAES,
			Key:        secret.FromString("12345678")}, ""},
		{"WPA2 with a mix of ciphers", session.Settings{SSID: []byte("x"), Auth: wsc.AuthWPA2PSK,
			Encryption: wsc.EncrTKIP | wsc.EncrAES, Key: secret.FromString("12345678")}, ""},
		{"WPA2 with TKIP", session.Settings{SSID: []byte("x"), Auth: wsc.AuthWPA2PSK,
			Encryption: wsc.EncrTKIP,
			Key:        secret.FromString("12345678")}, ""},
		{"WEP", session.Settings{SSID: []byte("x"), Auth: wsc.AuthOpen, Encryption: wsc.EncrWEP,
			Key: secret.FromString("12345")}, "WEP"},
		{"an open network with a key",
			session.Settings{SSID: []byte("x"), Auth: wsc.AuthOpen, Encryption: wsc.EncrNone,
				Key: secret.FromString("12345678")}, "no key"},
		{"an open network with CCMP",
			session.Settings{SSID: []byte("x"), Auth: wsc.AuthOpen, Encryption: wsc.EncrAES,
				Key: secret.Value{}}, "no encryption"},
		{"WPA2 without encryption",
			session.Settings{SSID: []byte("x"), Auth: wsc.AuthWPA2PSK, Encryption: wsc.EncrNone,
				Key: secret.FromString("12345678")}, "needs encryption"},
		{"an enterprise network",
			session.Settings{SSID: []byte("x"), Auth: wsc.AuthWPA2, Encryption: wsc.EncrAES,
				Key: secret.FromString("12345678")}, "authentication"},
		{"no SSID", wpa2("", "12345678"), "SSID"},
		{"33 bytes of SSID", wpa2(strings.Repeat("x", 33), "12345678"), "SSID"},
		{"7 characters", wpa2("x", "1234567"), "8 to 63"},
		{"65 characters", wpa2("x", strings.Repeat("a", 65)), "8 to 63"},
		{"64 characters that are no digits", wpa2("x", strings.Repeat("z", 64)), "hex"},
		{"a newline in the passphrase", wpa2("x", "1234567\n8"), "printable"},
	}
	for _, c := range cases {
		err := c.s.Check()
		if c.want == "" && err != nil || c.want != "" &&
			(!errors.Is(err, state.ErrInvalid) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, not %q", c.name, err, c.want)
		}
	}
}

func TestAddNetwork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		inHouse(t, nil, func(h *house) {
			first, err := h.svc.AddNetwork(h.Context(), wpa2("cabin", "12345678"), wsc.MAC{})
			if err != nil || first.Source != "added" || string(first.SSID) != "cabin" {
				h.Fatalf("%+v, %v", first, err)
			}
			n, err := h.svc.NetworkSecrets(first.ID)
			if err != nil || string(n.Key.Bytes()) != "12345678" ||
				!bytes.HasPrefix(n.Raw.Bytes(), []byte{0x10, 0x0e}) {
				h.Errorf("%+v, %v", n, err)
			}
			h.drain()
			added := slices.ContainsFunc(h.events, func(e state.Event) bool {
				a, ok := e.(state.NetworkAdded)
				return ok && a.Network.ID == first.ID
			})
			if !added {
				h.Error("no NetworkAdded")
			}
			if _, err := h.svc.AddNetwork(h.Context(), wpa2("cabin", "short"),
				wsc.MAC{}); !errors.Is(err, state.ErrInvalid) {
				h.Errorf("a short key: %v", err)
			}
			if _, err := h.svc.AddNetwork(h.Context(), wpa2("cabin", "12345678"),
				wsc.Broadcast); !errors.Is(err, state.ErrUnknownBSSID) {
				h.Errorf("a multicast BSSID: %v", err)
			}
		})
	})
}
