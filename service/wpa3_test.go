package service

import (
	"testing"
	"time"

	"wpsd/drivers/sim"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/outcome"
	"wpsd/service/session"
	"wpsd/service/state"
)

// TestWPA3Only: an access point that takes SAE only calls its network WPA2-Personal, as WSC has no
// other word. The network is kept as what it is where its key is a passphrase; else the reason is
// told at once.
func TestWPA3Only(t *testing.T) {
	t.Parallel()
	wpa3 := func(o *sim.APOptions) { o.Security = sim.WPA3 }
	key := func(text string) func(*sim.APOptions) {
		return func(o *sim.APOptions) {
			o.Security = sim.WPA3
			o.Credentials = []wsc.Credential{{NetworkIndex: 1, SSID: []byte("home"),
				AuthType: wsc.AuthWPA2PSK, EncrType: wsc.EncrAES,
				NetworkKey: secret.FromString(text)}}
		}
	}
	const digits = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	isSAE := func(h *house, s state.Session, want bool) {
		h.Helper()
		got, err := h.svc.Credentials(s.ID)
		kept, keptErr := h.svc.NetworkSecrets(s.Networks[0])
		if err != nil || keptErr != nil || got[0].WPA3Only != want || kept.WPA3Only != want {
			h.Errorf("received %v, stored %v, want %v", got[0].WPA3Only, kept.WPA3Only, want)
		}
	}
	play(t, []scene{
		{"a network of WPA3 alone is kept as such", func(h *house) {
			h.press(h.ap(wpa3))
			s := h.end(h.pbc(nil))
			h.wantNetwork(s, "home", passphrase)
			isSAE(h, s, true)
		}},
		{"one that takes WPA2, too, is not", func(h *house) {
			h.press(h.ap(func(o *sim.APOptions) { o.Security = sim.WPA2WPA3 }))
			s := h.end(h.pbc(nil))
			h.wantNetwork(s, "home", passphrase)
			isSAE(h, s, false)
		}},
		{"another access point of the same network that takes WPA2 is a way in", func(h *house) {
			h.press(h.ap(wpa3))
			h.next(func(o *sim.APOptions) { o.SSID, o.NoWPS = "home", true })
			s := h.end(h.pbc(nil))
			h.wantNetwork(s, "home", passphrase)
			isSAE(h, s, false)
		}},
		{"a key of 64 digits is no way in, which is told at once", func(h *house) {
			h.press(h.ap(key(digits)))
			s := h.pbc(nil)
			h.wantEnd(h.end(s), state.StateFailed, outcome.ReasonWPA3Only, 0)
			if took := time.Since(s.Started); took > 10*time.Second {
				h.Errorf("after %v", took)
			}
		}},
		{"the same for a PIN", func(h *house) {
			h.enter(h.ap(key(digits)), labelPIN)
			s := h.pin(labelPIN, homeBSSID)
			h.wantEnd(h.end(s), state.StateFailed, outcome.ReasonWPA3Only, 0)
			if took := time.Since(s.Started); took > 10*time.Second {
				h.Errorf("after %v", took)
			}
		}},
		{"an access point whose settings are learned is kept as what it is", func(h *house) {
			h.ap(func(o *sim.APOptions) {
				o.Security, o.APPIN = sim.WPA3, secret.FromString(labelPIN)
			})
			l, err := h.svc.Learn(h.Context(),
				session.StartRequest{Interface: "wlan0", BSSID: homeBSSID,
					PIN: secret.FromString(labelPIN)})
			if err != nil {
				h.Fatal(err)
			}
			s := h.end(l)
			h.wantNetwork(s, "home", passphrase)
			isSAE(h, s, true)
		}},
	})
}
