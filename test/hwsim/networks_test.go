//go:build hwsim

package hwsim

import (
	"strings"
	"testing"
)

// enrols runs a PIN enrolment against one access point and connects with what came of it.
func enrols(t *testing.T, a ap, config ...string) (*world, *hostapd) {
	t.Helper()
	w := newWorld(t)
	h := w.startAP(a)
	d := w.startDaemon(config...)
	h.ask("WPS_PIN any %s", otherPIN)
	c := d.startPIN("pin", otherPIN).succeeds(oneRun)
	h.gives(c)
	w.connects(station, c, h)
	return w, h
}

func TestEnrolsWithAMixedWPAAndWPA2AccessPoint(t *testing.T) {
	enrols(t, ap{security: "mixed"})
}

func TestEnrolsWithAnOpenAccessPoint(t *testing.T) {
	enrols(t, ap{security: "open"})
}

func TestEnrolsWithA64DigitKey(t *testing.T) {
	enrols(t, ap{psk: testPSK})
}

func TestEnrolsWithA63CharacterPassphrase(t *testing.T) {
	enrols(t, ap{passphrase: strings.Repeat(`p"a\s $`, 9)})
}

func TestEnrolsWithAnSSIDWithSpaces(t *testing.T) {
	enrols(t, ap{ssid: "  my  home net "})
}

func TestEnrolsWithAnSSIDInUTF8(t *testing.T) {
	enrols(t, ap{ssid: "Kahvila Ääkkönen ☕", extra: []string{"utf8_ssid=1"}})
}

func TestEnrolsWithAnSSIDOf32Bytes(t *testing.T) {
	enrols(t, ap{ssid: "0123456789abcdef0123456789abcdef"})
}

func TestEnrolsWithAnSSIDOfAnyBytes(t *testing.T) {
	enrols(t, ap{ssid: "\x01\xff\xc0\n\x7f\"'\\;:"})
}

// Nobody means a zero byte within a name: it comes of a wrong length.
func TestAnSSIDWithAZeroByteIsRefused(t *testing.T) {
	w := newWorld(t)
	h := w.startAP(ap{ssid: "in\x00between"})
	d := w.startDaemon()
	h.mustOK("WPS_PBC")
	if o := d.startPBC().ends(oneRun); o.reason != "bad-credential" ||
		!strings.Contains(o.sentence, "zero byte") {
		t.Errorf("%s: %s", o.reason, o.sentence)
	}
	if n := d.networks(); len(n) != 0 {
		t.Errorf("stored: %v", n)
	}
}

func TestEnrolsOnFiveGHz(t *testing.T) {
	enrols(t, ap{channel: 36})
}

func TestEnrolsWithFragmentsBothWays(t *testing.T) {
	_, h := enrols(t, ap{extra: []string{"fragment_size=50"}}, "wps_fragment_size=60")
	// hostapd tells when it sends a message in pieces, and when it waits for more of ours.
	for _, sign := range []string{"EAP-WSC: Sending out", "EAP-WSC: Received"} {
		if !strings.Contains(h.output(), sign) {
			t.Errorf("hostapd's log has no %q: nothing was fragmented", sign)
		}
	}
}

func TestTwoNetworksAreKeptApart(t *testing.T) {
	w := newWorld(t)
	a, b := w.startAP(ap{}), w.startAP(ap{radio: "wlan2", channel: 6, ssid: "neighbour",
		passphrase: "another key"})
	d := w.startDaemon()
	for _, h := range []*hostapd{a, b} {
		h.ask("WPS_PIN any %s", otherPIN)
		h.gives(d.startPIN("pin", otherPIN, "bssid", h.bssid).succeeds(oneRun))
	}
	if n := d.networks(); len(n) != 2 {
		t.Errorf("%d networks are stored, want 2", len(n))
	}
}

// The next two run against a hostapd that says it is of WPS 1.0: no WFA extension in any element or
// message, hence no AuthorizedMACs, and EAP begins as old access points have it.

func TestEnrolsByPINWithAnAccessPointOfWPS10(t *testing.T) {
	_, h := enrols(t, ap{version: "1.0"})
	_, after, forced := strings.Cut(h.output(), "force WPS version 1.0")
	if !forced || strings.Contains(after, "Version2 (0x20)") {
		t.Error("hostapd did not take part as WPS 1.0")
	}
}

func TestEnrolsByPushButtonWithAnAccessPointOfWPS10(t *testing.T) {
	w := newWorld(t)
	h := w.startAP(ap{version: "1.0"})
	d := w.startDaemon()
	h.mustOK("WPS_PBC")
	h.gives(d.startPBC().succeeds(oneRun))
}
