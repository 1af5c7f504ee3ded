//go:build hwsim

package hwsim

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"wpsd/engine/ndef"
)

// A Credential that protects a network with WEP, as hostapd's extra_cred wants it: with its header.
const wepCredential = "\x10\x0e\x00\x2b" + "\x10\x26\x00\x01\x01" + "\x10\x45\x00\x03wep" +
	"\x10\x03\x00\x02\x00\x01" + "\x10\x0f\x00\x02\x00\x02" +
	"\x10\x27\x00\x05abcde" + "\x10\x20\x00\x06\x02\x00\x00\x00\x01\x00"

// failingRun is one that an access point ends, or that brings nothing.
type failingRun struct {
	name  string
	ap    func(w *world) ap
	start func(w *world, h *hostapd, c wpaCli) string // gives the reply
	reply string
	then  func(w *world, h *hostapd, events *control, mark int) // once it has started; nil: nothing
}

var failingRuns = []failingRun{
	{
		"a Credential with WEP",
		func(w *world) ap {
			return ap{extra: []string{"skip_cred_build=1",
				"extra_cred=" + w.write("wep.bin", wepCredential)}}
		},
		func(_ *world, h *hostapd, c wpaCli) string {
			h.mustOK("WPS_PBC")
			return c.run("wps_pbc", h.bssid)
		}, "OK\n", nil,
	},
	{
		"a PIN that nobody has typed in",
		func(*world) ap { return ap{} },
		func(_ *world, h *hostapd, c wpaCli) string { return c.run("wps_pin", h.bssid, labelPIN) },
		labelPIN, nil,
	},
	{
		"an access point whose tag has another key",
		func(*world) ap { return withAPPIN(ap{}) },
		func(w *world, h *hostapd, c wpaCli) string {
			tag := h.hex("WPS_NFC_TOKEN NDEF")
			h.ask("WPS_NFC_TOKEN enable")
			forged := bytes.Clone(tag)
			forged[bytes.Index(forged, []byte{0x10, 0x2c})+4] ^= 1
			c.must("wps_nfc_tag_read", fmt.Sprintf("%x", forged))
			return c.run("wps_reg", h.bssid, "nfc-pw")
		}, "OK\n", nil,
	},
	{
		"a device whose tag has another key",
		func(*world) ap { return ap{} },
		func(w *world, h *hostapd, c wpaCli) string {
			payload, err := hex.DecodeString(strings.TrimSpace(c.run("wps_nfc_token", "NDEF")))
			w.must(err)
			tag, err := ndef.Parse(payload)
			w.must(err)
			tag.Password.PublicKeyHash[7] ^= 0x40
			h.mustOK("WPS_NFC_TAG_READ %x", tag.Password.AppendNDEF(nil))
			return c.run("wps_nfc", h.bssid)
		}, "OK\n", nil,
	},
	{
		"a deauthentication in the middle",
		func(*world) ap { return ap{extra: []string{"fragment_size=50"}} },
		func(w *world, h *hostapd, c wpaCli) string {
			h.ask("WPS_PIN any %s", labelPIN)
			return c.run("wps_pin", h.bssid, labelPIN)
		}, labelPIN,
		func(w *world, h *hostapd, events *control, mark int) {
			events.wait(mark, "CTRL-EVENT-EAP-METHOD", 60*time.Second)
			h.mustOK("DEAUTHENTICATE %s", w.mac(station))
		},
	},
}

// compareFailing does a run with wpa_supplicant and with wpsd, and gives what each told.
func compareFailing(t *testing.T, run *failingRun, until string) (got, want []string) {
	w := newWorld(t)
	h := w.startAP(run.ap(w))
	const methods = "config_methods=display keypad virtual_push_button nfc_interface"
	do := func(c wpaCli, events *control) []string {
		t.Helper()
		mark := events.mark()
		if got := run.start(w, h, c); got != run.reply {
			t.Errorf("the reply is %q, not %q", got, run.reply)
		}
		if run.then != nil {
			run.then(w, h, events, mark)
		}
		events.wait(mark, until, 60*time.Second)
		time.Sleep(time.Second)
		list := events.events.all(mark)
		c.run("wps_cancel")
		h.ask("WPS_CANCEL")
		return toldOf(list)
	}
	s, c := w.startCompared(methods, "wps_cred_processing=2")
	want = do(c, s.control)
	s.stop()
	time.Sleep(6 * time.Second) // hostapd does not listen to a device right after its push button
	w.forgetScans(station)
	_, c, events := w.startControlled(methods, "wps_cred_processing=2")
	return do(c, events), want
}

// TestWpaCliTellsWhyRunsFail: the events of a run that fails, up to its end, are those of
// wpa_supplicant; what it does then is another matter.
func TestWpaCliTellsWhyRunsFail(t *testing.T) {
	for _, run := range failingRuns {
		t.Run(run.name, func(t *testing.T) {
			got, want := compareFailing(t, &run, "CTRL-EVENT-DISCONNECTED")
			first := func(list []string) []string {
				return list[:1+slices.IndexFunc(list, func(s string) bool {
					return strings.HasPrefix(s, "CTRL-EVENT-DISCONNECTED")
				})]
			}
			if got, want := first(got), first(want); !slices.Equal(got, want) {
				t.Errorf("wpsd tells\n\t%s\nwpa_supplicant\n\t%s", strings.Join(got, "\n\t"),
					strings.Join(want, "\n\t"))
			}
		})
	}
}

// TestWpaCliTellsOfALockedAccessPoint: one whose Beacon says so is not tried, and told as if it had
// been.
func TestWpaCliTellsOfALockedAccessPoint(t *testing.T) {
	got, want := compareFailing(t, &failingRun{
		ap: func(*world) ap {
			return ap{extra: []string{"ap_setup_locked=1", "ap_pin=" + labelPIN}}
		},
		start: func(_ *world, h *hostapd, c wpaCli) string {
			return c.run("wps_reg", h.bssid, labelPIN)
		}, reply: "OK\n",
	}, "WPS-FAIL")
	fails := func(list []string) []string {
		list = slices.DeleteFunc(list, func(s string) bool {
			return !strings.HasPrefix(s, "WPS-FAIL")
		})
		return list[:min(len(list), 2)]
	}
	if got, want := fails(got), fails(want); !slices.Equal(got, want) || len(got) != 2 ||
		got[0] != "WPS-FAIL msg=5 config_error=15" {
		t.Errorf("wpsd tells %q, wpa_supplicant %q", got, want)
	}
}
