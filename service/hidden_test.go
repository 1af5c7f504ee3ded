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

// TestHiddenNetwork: an access point that hides its name is asked by it where it is known; else the
// reason is its own.
func TestHiddenNetwork(t *testing.T) {
	t.Parallel()
	hide := func(o *sim.APOptions) { o.BSSs[0].Hidden = true }
	stored := func(h *house, ssid string) {
		h.Helper()
		settings := session.Settings{SSID: []byte(ssid), Auth: wsc.AuthWPA2PSK,
			Encryption: wsc.EncrAES,
			Key:        secret.FromString("an old passphrase")}
		if _, err := h.svc.AddNetwork(h.Context(), settings, homeBSSID); err != nil {
			h.Fatal(err)
		}
	}
	soon := func(h *house, s state.Session) {
		h.Helper()
		h.wantEnd(h.end(s), state.StateFailed, outcome.ReasonHidden, 0)
		if took := time.Since(s.Started); took > 5*time.Second {
			h.Errorf("after %v", took)
		}
	}
	play(t, []scene{
		{"the only button that is pressed is of a hidden network", func(h *house) {
			h.press(h.ap(hide))
			soon(h, h.pbc(nil))
		}},
		{"the same with the access point named", func(h *house) {
			h.press(h.ap(hide))
			soon(h, h.pbc(func(r *session.StartRequest) { r.BSSID = homeBSSID }))
		}},
		{"a PIN for an access point that was named", func(h *house) {
			h.enter(h.ap(hide), labelPIN)
			soon(h, h.pin(labelPIN, homeBSSID))
		}},
		{"the settings of one are to be read", func(h *house) {
			h.ap(func(o *sim.APOptions) { o.APPIN = secret.FromString(labelPIN); hide(o) })
			s, err := h.svc.Learn(h.Context(),
				session.StartRequest{Interface: "wlan0", BSSID: homeBSSID,
					PIN: secret.FromString(labelPIN)})
			if err != nil {
				h.Fatal(err)
			}
			soon(h, s)
		}},
		{"a PIN for any: others are waited for, and the reason is told when time is over",
			func(h *house) {
				h.enter(h.ap(hide), labelPIN)
				h.wantEnd(h.end(h.pin(labelPIN, wsc.MAC{})), state.StateFailed,
					outcome.ReasonHidden, 0)
			}},
		{"a PIN for any: one that shows its name is tried", func(h *house) {
			h.enter(h.ap(hide), labelPIN)
			h.enter(h.next(nil), labelPIN)
			h.wantNetwork(h.end(h.pin(labelPIN, wsc.MAC{})), "next door", passphrase)
		}},
		{"another BSS of the router that shows its name is a way in", func(h *house) {
			h.press(h.ap(func(o *sim.APOptions) {
				o.BSSs = append(o.BSSs, sim.BSS{BSSID: homeBSSID5, Frequency: 5180, Signal: -70})
				hide(o)
			}))
			h.wantNetwork(h.end(h.pbc(nil)), "home", passphrase)
		}},
		{"a name that is known is what it answers to", func(h *house) {
			stored(h, "home")
			h.press(h.ap(hide))
			s := h.end(h.pbc(nil))
			if s.State != state.StateSucceeded {
				h.Errorf("%s: %s", s.Reason, s.Sentence)
			}
		}},
		{"the same with a PIN", func(h *house) {
			stored(h, "home")
			h.enter(h.ap(hide), labelPIN)
			if s := h.end(h.pin(labelPIN, homeBSSID)); s.State != state.StateSucceeded {
				h.Errorf("%s: %s", s.Reason, s.Sentence)
			}
		}},
		{"a name that is no longer its own is no help", func(h *house) {
			stored(h, "what it was called")
			h.press(h.ap(hide))
			soon(h, h.pbc(nil))
		}},
	})
}
