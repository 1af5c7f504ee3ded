package service

import (
	"strings"
	"testing"
	"time"

	"wpsd/drivers"
	"wpsd/drivers/sim"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/nfc"
	"wpsd/service/outcome"
	"wpsd/service/session"
	"wpsd/service/state"
)

// TestNamedIn6GHz: whoever names the access point that a router has in 6 GHz is told so, by every
// way in, and which other one to name. That one still works.
func TestNamedIn6GHz(t *testing.T) {
	t.Parallel()
	six := wsc.MAC{2, 0, 0, 0, 1, 6}
	// radio is one that hears 6 GHz, too.
	radio := func(h *house) {
		h.Helper()
		mac := wsc.MAC{2, 0, 0, 0, 0, 6}
		channels := []drivers.Channel{{Frequency: 2437}, {Frequency: 5180}, {Frequency: 906},
			{Frequency: 5955, Passive: true}, {Frequency: 6135}}
		err := h.world.AddRadio(sim.Radio{Name: "wlan6", MAC: mac, Channels: channels})
		if err != nil {
			h.Fatal(err)
		}
		h.wait(func(e state.Event) bool {
			a, ok := e.(state.InterfaceAdded)
			return ok && a.Interface.Name == "wlan6"
		})
	}
	// home is a router with a BSS in each of three bands.
	home := func(h *house, change func(*sim.APOptions)) *sim.AP {
		h.ap(func(o *sim.APOptions) {
			o.BSSs, o.NoWPS, o.Security = []sim.BSS{{BSSID: six, Frequency: 6135}}, true, sim.WPA3
		})
		return h.ap(func(o *sim.APOptions) {
			o.BSSs = append(o.BSSs, sim.BSS{BSSID: homeBSSID5, Frequency: 5180, Signal: -40})
			if change != nil {
				change(o)
			}
		})
	}
	request := session.StartRequest{Interface: "wlan6", Owner: ":1.1", BSSID: six,
		PIN: secret.FromString(labelPIN)}
	told := func(h *house, s state.Session, within time.Duration) {
		h.Helper()
		e := h.end(s)
		h.wantEnd(e, state.StateFailed, outcome.ReasonBand, 0)
		if took := time.Since(s.Started); took > within {
			h.Errorf("after %v", took)
		}
		if e.Detail.AccessPointsTried != 0 || e.Detail.Frequency != 6135 ||
			string(e.Detail.Wanted.SSID) != "home" || e.Detail.Instead.BSSID != homeBSSID5 ||
			!strings.Contains(e.Sentence, `instead, "home" (`+homeBSSID5.String()+")") {
			h.Errorf("%+v: %s", e.Detail, e.Sentence)
		}
	}
	ways := map[string]func(*house) (state.Session, error){
		"the button": func(h *house) (state.Session, error) {
			return h.svc.StartPBC(h.Context(), request)
		},
		"a PIN": func(h *house) (state.Session, error) {
			s, _, err := h.svc.StartPIN(h.Context(), request)
			return s, err
		},
		"a tag": func(h *house) (state.Session, error) {
			if _, err := h.svc.NFC().NFCPasswordToken(h.Context(), "wlan6", nfc.FormatWPS); err != nil {
				return state.Session{}, err
			}
			return h.svc.NFC().StartNFC(h.Context(), request)
		},
		"its settings are read": func(h *house) (state.Session, error) {
			return h.svc.Learn(h.Context(), request)
		},
		"its settings are changed": func(h *house) (state.Session, error) {
			return h.svc.Configure(h.Context(), request, session.Settings{SSID: []byte("home"),
				Auth: wsc.AuthWPA2PSK, Encryption: wsc.EncrAES, Key: secret.FromString(passphrase)})
		},
	}
	scenes := []scene{
		{"the 5 GHz member of the same router is tried where nobody is named", func(h *house) {
			radio(h)
			h.press(home(h, nil))
			s := h.end(h.pbc(func(r *session.StartRequest) { r.Interface = "wlan6" }))
			h.wantNetwork(s, "home", passphrase)
			if s.Peer != homeBSSID5 {
				h.Errorf("tried %v", s.Peer)
			}
		}},
		{"a radio without 6 GHz does not find it", func(h *house) {
			home(h, nil)
			s := h.pbc(func(r *session.StartRequest) { r.BSSID = six })
			h.wantEnd(h.end(s), state.StateFailed, outcome.ReasonNoAccessPoint,
				wsc.ConfigErrorMessageTimeout)
		}},
	}
	for name, start := range ways {
		scenes = append(scenes, scene{name, func(h *house) {
			radio(h)
			home(h, nil)
			for _, within := range []time.Duration{5 * time.Second, 0} { // the second time it is known
				s, err := start(h)
				if err != nil {
					h.Fatal(err)
				}
				told(h, s, within)
			}
		}})
	}
	play(t, scenes)
}
