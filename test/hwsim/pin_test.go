//go:build hwsim

package hwsim

import (
	"crypto/pbkdf2"
	"crypto/sha1"
	"encoding/hex"
	"testing"
	"time"
)

func TestGeneratedPINEnrolsWithAnyAccessPointAndTheNetworkWorks(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{})
	d := w.startDaemon()
	s := d.startPIN()
	if len(s.pin) != 8 || a.ask("WPS_CHECK_PIN %s", s.pin) != s.pin {
		t.Fatalf("StartPin returned the PIN %q, which hostapd does not take", s.pin)
	}
	// As a person does: read the PIN here, type it there.
	time.Sleep(15 * time.Second)
	a.ask("WPS_PIN any %s", s.pin)
	c := s.succeeds(oneRun)
	a.gives(c)
	a.wait(0, "WPS-REG-SUCCESS "+w.mac(station), time.Second)
	w.connects(station, c, a)
}

func TestPINEnrolsWithTheNamedAccessPoint(t *testing.T) {
	w := newWorld(t)
	a, b := w.startAP(ap{}), w.startAP(ap{radio: "wlan2", channel: 6, ssid: "neighbour"})
	d := w.startDaemon()
	b.ask("WPS_PIN any %s", otherPIN)
	s := d.startPIN("bssid", b.bssid, "pin", otherPIN)
	if s.pin != otherPIN {
		t.Errorf("StartPin returned %q, not the PIN it was given", s.pin)
	}
	c := s.succeeds(oneRun)
	b.gives(c)
	if a.saw(0, "CTRL-EVENT-EAP-STARTED") {
		t.Error("the other access point was contacted")
	}
	w.connects(station, c, b)
}

func TestPINOfALabelEnrols(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{})
	d := w.startDaemon("config_methods=label")
	a.ask("WPS_PIN any %s", labelPIN)
	c := d.startPIN("pin", labelPIN).succeeds(oneRun)
	// To a device without a display hostapd gives the key that the passphrase stands for.
	key, err := pbkdf2.Key(sha1.New, testPassphrase, []byte(testSSID), 4096, 32)
	w.must(err)
	a.ap.psk = hex.EncodeToString(key)
	a.gives(c)
	w.connects(station, c, a)
}

func TestPINForThisStationAlone(t *testing.T) {
	w := newWorld(t)
	a, b := w.startAP(ap{}), w.startAP(ap{radio: "wlan2", channel: 6, ssid: "neighbour"})
	d := w.startDaemon()
	// Somebody else is expected at the first one: its AuthorizedMACs name another station.
	a.ask("WPS_PIN any %s 60 02:00:00:00:99:00", otherPIN)
	b.ask("WPS_PIN any %s 60 %s", labelPIN, w.mac(station))
	b.gives(d.startPIN("pin", labelPIN).succeeds(oneRun))
	if a.saw(0, "CTRL-EVENT-EAP-STARTED") {
		t.Error("an access point that expects another station was contacted")
	}
}

func TestPINIsTriedWithAccessPointsThatDoNotAnnounceIt(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{})
	d := w.startDaemon()
	// The window of Selected Registrar closes after 120 s; the PIN itself stays.
	a.ask("WPS_PIN any %s", labelPIN)
	time.Sleep(125 * time.Second)
	a.gives(d.startPIN("pin", labelPIN).succeeds(60 * time.Second))
}

func TestWrongFirstHalfOfThePINFailsWithItsReason(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{})
	d := w.startDaemon()
	a.ask("WPS_PIN any %s", labelPIN)
	o := d.startPIN("bssid", a.bssid, "pin", otherPIN).fails(130*time.Second,
		"wrong-pin-first-half")
	if o.configError != 18 {
		t.Errorf("configuration error %d, want 18 (Device Password Auth Failure)", o.configError)
	}
	// hostapd says it, too: its M4 was answered with a Nack.
	a.wait(0, "WPS-FAIL msg=8 config_error=18", time.Second)
}

func TestWrongSecondHalfOfThePINFailsWithItsReason(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{})
	d := w.startDaemon()
	a.ask("WPS_PIN any %s", labelPIN)
	o := d.startPIN("bssid", a.bssid, "pin", firstHalfPIN).fails(130*time.Second,
		"wrong-pin-second-half")
	if o.configError != 18 {
		t.Errorf("configuration error %d, want 18 (Device Password Auth Failure)", o.configError)
	}
	a.wait(0, "WPS-FAIL msg=10 config_error=18", time.Second)
}

func TestAfterAWrongPINTheNextAccessPointIsTried(t *testing.T) {
	w := newWorld(t)
	a, b := w.startAP(ap{}), w.startAP(ap{radio: "wlan2", channel: 6, ssid: "neighbour"})
	// Both announce a PIN; the nearer one, which is tried first, has another than ours.
	w.sh("iw dev wlan2 set txpower fixed 300")
	d := w.startDaemon()
	a.ask("WPS_PIN any %s", labelPIN)
	b.ask("WPS_PIN any %s", otherPIN)
	s := d.startPIN("pin", otherPIN)
	b.gives(s.succeeds(100 * time.Second))
	a.wait(0, "WPS-FAIL msg=8 config_error=18", time.Second)
}

func TestAccessPointWithoutOurPINIsLeftForOneThatHasIt(t *testing.T) {
	w := newWorld(t)
	w.startAP(ap{})
	b := w.startAP(ap{radio: "wlan2", channel: 6, ssid: "neighbour"})
	w.sh("iw dev wlan2 set txpower fixed 300")
	d := w.startDaemon()
	// Neither announces anything at first: the nearer one answers with M2D.
	s := d.startPIN("pin", otherPIN)
	time.Sleep(40 * time.Second)
	b.ask("WPS_PIN any %s", otherPIN)
	b.gives(s.succeeds(80 * time.Second))
}
