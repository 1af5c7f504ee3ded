package control

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"wpsd/drivers/sim"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service"
	"wpsd/service/state"
)

// TestRunsAreToldAsByWpaSupplicant: the events, their order and their text are those that
// wpa_supplicant 2.10 was seen to send for the same runs with hostapd.
func TestRunsAreToldAsByWpaSupplicant(t *testing.T) {
	t.Parallel()
	play(t, nil, map[string]func(h *house){
		"a push button, from the command to the credential": func(h *house) {
			if err := h.ap(nil).PressButton(); err != nil {
				h.Fatal(err)
			}
			h.want([2]string{"WPS_PBC", "OK\n"})
			h.over()
			h.tells(slices.Concat(found("WPS-PBC-ACTIVE ", "WPS-AP-AVAILABLE-PBC "),
				exchange("CTRL-EVENT-NETWORK-ADDED 0", "WPS-CRED-RECEIVED ",
					"WPS-SUCCESS "), apart)...)
		},
		"a PIN at a named access point": func(h *house) {
			ap := h.ap(nil)
			if err := ap.SetPIN(secret.FromString(labelPIN)); err != nil {
				h.Fatal(err)
			}
			h.want([2]string{"WPS_PIN 02:00:00:00:01:00 " + labelPIN, labelPIN})
			h.over()
			h.tells(slices.Concat(found("WPS-PIN-ACTIVE ", "WPS-AP-AVAILABLE-AUTH "),
				exchange("CTRL-EVENT-NETWORK-ADDED 0", "WPS-CRED-RECEIVED ",
					"WPS-SUCCESS "), apart)...)
		},
		"a wrong PIN": func(h *house) {
			if err := h.ap(nil).SetPIN(secret.FromString(labelPIN)); err != nil {
				h.Fatal(err)
			}
			h.want([2]string{"WPS_PIN 02:00:00:00:01:00 98765430", "98765430"})
			h.over()
			h.tells(slices.Concat(found("WPS-PIN-ACTIVE ", "WPS-AP-AVAILABLE-AUTH "),
				exchange("WPS-FAIL msg=8 config_error=18"), apart, []string{"WPS-FAIL "})...)
		},
		"a PIN whose second half is wrong": func(h *house) {
			if err := h.ap(nil).SetPIN(secret.FromString(labelPIN)); err != nil {
				h.Fatal(err)
			}
			h.want([2]string{"WPS_PIN 02:00:00:00:01:00 12340002", "12340002"})
			h.over()
			h.tells(slices.Concat(found("WPS-PIN-ACTIVE ", "WPS-AP-AVAILABLE-AUTH "),
				exchange("WPS-FAIL msg=10 config_error=18"), apart, []string{"WPS-FAIL "})...)
		},
		"an access point's settings are learned, which ends as a failure does": func(h *house) {
			h.ap(func(o *sim.APOptions) { o.APPIN = secret.FromString(labelPIN) })
			h.want([2]string{"WPS_REG 02:00:00:00:01:00 " + labelPIN, "OK\n"})
			h.over()
			end := slices.Clone(apart)
			h.tells(slices.Concat(found("", "WPS-AP-AVAILABLE "),
				exchange("CTRL-EVENT-NETWORK-ADDED 0", "WPS-CRED-RECEIVED ",
					"WPS-FAIL msg=11 config_error=0"),
				slices.Insert(end, 2, "WPS-FAIL "))...)
		},
		"an access point that is locked is not tried, and told as if it had said so": func(h *house) {
			ap := h.ap(func(o *sim.APOptions) { o.APPIN = secret.FromString(labelPIN) })
			ap.SetLocked(true)
			h.want([2]string{"WPS_REG 02:00:00:00:01:00 " + labelPIN, "OK\n"})
			h.over()
			h.tells("CTRL-EVENT-SCAN-STARTED ", "CTRL-EVENT-SCAN-RESULTS ", "WPS-AP-AVAILABLE ",
				"WPS-FAIL msg=5 config_error=15", "WPS-FAIL ")
		},
		"an access point is configured": func(h *house) {
			h.ap(func(o *sim.APOptions) { o.APPIN = secret.FromString(labelPIN) })
			h.want([2]string{fmt.Sprintf("WPS_REG 02:00:00:00:01:00 %s %x WPA2PSK CCMP %x",
				labelPIN, "new", "newpassphrase"), "OK\n"})
			h.over()
			h.tells(slices.Concat(found("", "WPS-AP-AVAILABLE "),
				exchange("CTRL-EVENT-NETWORK-ADDED 0", "WPS-CRED-RECEIVED ",
					"WPS-SUCCESS "), apart)...)
		},
		"two buttons": func(h *house) {
			for i, bssid := range []wsc.MAC{homeBSSID, farBSSID} {
				ap := h.ap(func(o *sim.APOptions) {
					o.SSID, o.BSSs = fmt.Sprint("home", i),
						[]sim.BSS{{BSSID: bssid, Frequency: 2437}}
				})
				if err := ap.PressButton(); err != nil {
					h.Fatal(err)
				}
			}
			h.want([2]string{"WPS_PBC any", "OK\n"})
			h.over()
			h.tells("WPS-PBC-ACTIVE ", "CTRL-EVENT-SCAN-STARTED ", "CTRL-EVENT-SCAN-RESULTS ",
				"WPS-AP-AVAILABLE-PBC ",
				"WPS-OVERLAP-DETECTED PBC session overlap", "WPS-CANCEL ")
		},
		"nobody presses the button": func(h *house) {
			h.ap(nil)
			h.want([2]string{"WPS_PBC", "OK\n"})
			h.over()
			got := h.told()
			if last := got[len(got)-1]; last != "<3>WPS-TIMEOUT Requested operation timed out" {
				h.Errorf("the end is %q", last)
			}
			if !slices.Equal(got[:4], []string{"<3>WPS-PBC-ACTIVE ", "<3>CTRL-EVENT-SCAN-STARTED ",
				"<3>CTRL-EVENT-SCAN-RESULTS ", "<3>WPS-AP-AVAILABLE "}) {
				h.Errorf("the beginning is %q", got[:4])
			}
			for i, text := range got[1 : len(got)-1] {
				if want := []string{"<3>CTRL-EVENT-SCAN-STARTED ", "<3>CTRL-EVENT-SCAN-RESULTS ",
					"<3>WPS-AP-AVAILABLE "}[i%3]; text != want {
					h.Fatalf("event %d is %q, not %q", i+1, text, want)
				}
			}
		},
		"it is canceled": func(h *house) {
			h.ap(nil)
			h.want([2]string{"WPS_PBC", "OK\n"}, [2]string{"WPS_CANCEL", "OK\n"})
			h.over()
			got := h.told()
			if got[len(got)-1] != "<3>WPS-CANCEL " || slices.Contains(got, "<3>WPS-FAIL ") {
				h.Errorf("told: %q", got)
			}
		},
		"nothing is canceled, which is told all the same": func(h *house) {
			h.want([2]string{"WPS_CANCEL", "OK\n"})
			h.tells("WPS-CANCEL ")
		},
		"a scan that somebody asked for": func(h *house) {
			h.ap(nil)
			h.want([2]string{"SCAN", "OK\n"}, [2]string{"SCAN", "FAIL-BUSY\n"},
				[2]string{"STATUS", "wpa_state=SCANNING\naddress=02:00:00:00:00:01\nuuid=" +
					wsc.UUIDFromMAC(laptop).String() + "\n"})
			time.Sleep(10 * time.Second)
			h.tells("CTRL-EVENT-SCAN-STARTED ", "CTRL-EVENT-SCAN-RESULTS ", "WPS-AP-AVAILABLE ")
		},
		"the end of the daemon": func(h *house) {
			h.told()
			h.T.Cleanup(func() {
				h.mu.Lock()
				defer h.mu.Unlock()
				if !slices.Contains(h.events, "<3>CTRL-EVENT-TERMINATING ") {
					h.Errorf("the end was not told: %q", h.events)
				}
			})
		},
	})
}

// TestCredentialsAreForThoseWhoMaySeeThem: with external processing the Credential attribute goes
// along, byte for byte, but not to who may only look.
func TestCredentialsAreForThoseWhoMaySeeThem(t *testing.T) {
	t.Parallel()
	for processing, whole := range map[state.Processing]bool{state.ProcessingInternal: false,
		state.ProcessingExternal: true, state.ProcessingBoth: true} {
		play(t, func(c *service.Config, _ *Options) { c.Processing = processing },
			map[string]func(h *house){
				string(processing): func(h *house) {
					if err := h.ap(nil).PressButton(); err != nil {
						h.Fatal(err)
					}
					h.want([2]string{"WPS_PBC", "OK\n"})
					h.over()
					want := "<3>WPS-CRED-RECEIVED "
					if whole {
						key := fmt.Sprintf("%04x%x", len(passphrase), passphrase)
						want += "100e0040" + "10260001" + "01" + "10450004" + "686f6d65" +
							"100300020020" + "100f00020008" + "1027" + key + "10200006020000000001"
						want = strings.Replace(want, "100e0040",
							fmt.Sprintf("100e%04x",
								(len(want)-len("<3>WPS-CRED-RECEIVED 100e0040"))/2), 1)
					}
					if got := h.told(); !slices.Contains(got, want) {
						h.Errorf("told %q, not %q", got, want)
					}
					h.mu.Lock()
					defer h.mu.Unlock()
					if !slices.Contains(h.public, "<3>WPS-CRED-RECEIVED ") ||
						strings.Contains(strings.Join(h.public, "\n"),
							fmt.Sprintf("%x", passphrase)) {
						h.Errorf("those who may only look were told %q", h.public)
					}
				},
			})
	}
}

// TestStatusOfARun: STATUS has the lines that wpa_gui shows.
func TestStatusOfARun(t *testing.T) {
	t.Parallel()
	play(t, nil, map[string]func(h *house){
		"it shows whom it is with": func(h *house) {
			ap := h.ap(func(o *sim.APOptions) {
				o.Personality.Message = func(m wsc.MessageType, msg []byte) []byte {
					if m == wsc.MsgM4 {
						time.Sleep(3 * time.Second)
					}
					return msg
				}
			})
			if err := ap.PressButton(); err != nil {
				h.Fatal(err)
			}
			h.want([2]string{"WPS_PBC", "OK\n"})
			if got := h.ask("STATUS"); !strings.HasPrefix(got, "wpa_state=SCANNING\n") {
				h.Errorf("%q", got)
			}
			for range 100 {
				time.Sleep(100 * time.Millisecond)
				if s := h.svc.Published().Snapshot().Sessions[0]; s.Message == wsc.MsgM3 {
					break
				}
			}
			want := "bssid=02:00:00:00:01:00\nfreq=2437\nssid=home\nmode=station\nkey_mgmt=WPS\nwpa_state=ASSOCIATED\n"
			if got := h.ask("STATUS"); !strings.HasPrefix(got, want) {
				h.Errorf("%q", got)
			}
			h.over()
			if got := h.ask("STATUS"); !strings.HasPrefix(got, "wpa_state=DISCONNECTED\n") {
				h.Errorf("%q", got)
			}
		},
	})
}
