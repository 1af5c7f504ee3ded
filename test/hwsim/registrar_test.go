//go:build hwsim

package hwsim

import (
	"strings"
	"testing"
	"time"
)

// wrongHalfPIN differs from labelPIN in its first half, and its check digit is right.
const wrongHalfPIN = "99995676"

// withAPPIN is an access point that can be learned and configured with labelPIN.
func withAPPIN(a ap, more ...string) ap {
	a.extra = append(append(a.extra, "ap_setup_locked=0", "ap_pin="+labelPIN), more...)
	return a
}

func (d *daemon) learn(a *hostapd, pin string) *session {
	d.w.t.Helper()
	return d.call(d.client, "Learn", a.bssid, pin, options())
}

func (d *daemon) configure(a *hostapd, pairs ...any) *session {
	d.w.t.Helper()
	return d.call(d.client, "Configure", a.bssid, labelPIN, options(pairs...))
}

// learns reads an access point's settings, which are right and work.
func learns(t *testing.T, a ap) {
	t.Helper()
	w := newWorld(t)
	h := w.startAP(withAPPIN(a))
	d := w.startDaemon()
	s := d.learn(h, labelPIN)
	c := s.succeeds(oneRun)
	h.gives(c)
	if role, purpose := s.property("Role"), s.property("Purpose"); role != "registrar" ||
		purpose != "learn" {
		t.Errorf("the session's role is %v, its purpose %v", role, purpose)
	}
	if h.saw(0, "WPS-NEW-AP-SETTINGS") {
		t.Error("the access point has new settings")
	}
	w.connects(station, c, h)
}

func TestRegistrarLearnsWPA2Settings(t *testing.T) { learns(t, ap{}) }
func TestRegistrarLearnsOpenSettings(t *testing.T) { learns(t, ap{security: "open"}) }
func TestRegistrarLearnsA64DigitKey(t *testing.T)  { learns(t, ap{psk: testPSK}) }
func TestRegistrarLearnsMixedSettings(t *testing.T) {
	learns(t, ap{security: "mixed"})
}

func TestRegistrarLearnsInFragments(t *testing.T) {
	w := newWorld(t)
	h := w.startAP(withAPPIN(ap{}, "fragment_size=50"))
	d := w.startDaemon("wps_fragment_size=50")
	h.gives(d.learn(h, labelPIN).succeeds(oneRun))
}

func TestRegistrarWithAWrongFirstHalfOfTheAPPIN(t *testing.T) {
	w := newWorld(t)
	h := w.startAP(withAPPIN(ap{}))
	d := w.startDaemon()
	o := d.learn(h, wrongHalfPIN).fails(oneRun, "wrong-pin-first-half")
	if o.configError != 18 || !strings.Contains(o.sentence, "label") {
		t.Errorf("configuration error %d: %s", o.configError, o.sentence)
	}
	if got := h.ask("STATUS"); !strings.Contains(got, "state=ENABLED") {
		t.Errorf("hostapd: %s", got)
	}
	// One try: hostapd would lock its setup after the third.
	time.Sleep(10 * time.Second)
	if h.saw(0, "WPS-AP-SETUP-LOCKED") {
		t.Error("the access point locked its setup after one wrong PIN of the user's")
	}
}

func TestRegistrarWithAWrongSecondHalfOfTheAPPIN(t *testing.T) {
	w := newWorld(t)
	h := w.startAP(withAPPIN(ap{}))
	d := w.startDaemon()
	if o := d.learn(h, firstHalfPIN).fails(oneRun, "wrong-pin-second-half"); o.configError != 18 {
		t.Errorf("configuration error %d", o.configError)
	}
}

func TestRegistrarAfterTheAccessPointLockedItsSetup(t *testing.T) {
	w := newWorld(t)
	h := w.startAP(withAPPIN(ap{}))
	d := w.startDaemon()
	for range 3 {
		d.learn(h, wrongHalfPIN).fails(oneRun, "wrong-pin-first-half")
	}
	h.wait(0, "WPS-AP-SETUP-LOCKED", 5*time.Second)
	mark := h.mark()
	o := d.learn(h, labelPIN).fails(oneRun, "setup-locked")
	if o.configError != 15 || !strings.Contains(o.sentence, "was not tried") {
		t.Errorf("configuration error %d: %s", o.configError, o.sentence)
	}
	if h.saw(mark, "CTRL-EVENT-EAP-STARTED") {
		t.Error("a locked access point was contacted")
	}
	// It opens again after a minute, and then the PIN is good.
	h.wait(0, "WPS-AP-SETUP-UNLOCKED", 90*time.Second)
	h.gives(d.learn(h, labelPIN).succeeds(oneRun))
}

func TestRegistrarWithAnAccessPointWithoutAPIN(t *testing.T) {
	w := newWorld(t)
	h := w.startAP(ap{extra: []string{"ap_setup_locked=0"}})
	d := w.startDaemon()
	o := d.learn(h, labelPIN).fails(oneRun, "setup-locked")
	if o.configError != 15 || !strings.Contains(o.sentence, "no PIN") {
		t.Errorf("configuration error %d: %s", o.configError, o.sentence)
	}
}

func TestRegistrarWithAnAccessPointThatCanOnlyBeLearned(t *testing.T) {
	w := newWorld(t)
	h := w.startAP(withAPPIN(ap{}, "ap_setup_locked=2"))
	d := w.startDaemon()
	o := d.configure(h, "ssid", []byte("new"), "auth", "WPA2PSK", "encryption", "CCMP", "key",
		[]byte("new passphrase")).fails(oneRun, "setup-locked")
	if o.configError != 15 {
		t.Errorf("configuration error %d: %s", o.configError, o.sentence)
	}
	h.gives(d.learn(h, labelPIN).succeeds(oneRun))
}

func TestRegistrarWithAnAccessPointThatIsNotThere(t *testing.T) {
	w := newWorld(t)
	d := w.startDaemon()
	d.call(d.client, "Learn", "02:00:00:00:99:00", labelPIN, options()).fails(130*time.Second,
		"no-access-point")
}

// configures gives an access point new settings; hostapd must have them, and a station must get in.
func configures(t *testing.T, settings ap, pairs ...any) {
	t.Helper()
	w := newWorld(t)
	h := w.startAP(withAPPIN(ap{}))
	d := w.startDaemon()
	s := d.configure(h, append([]any{"ssid", []byte(settings.ssid)}, pairs...)...)
	c := s.succeeds(oneRun)
	if purpose := s.property("Purpose"); purpose != "configure" {
		t.Errorf("purpose %v", purpose)
	}
	h.wait(0, "WPS-NEW-AP-SETTINGS", 5*time.Second)
	w.until("hostapd has the new name", 10*time.Second, func() bool {
		return strings.Contains(h.ask("GET_CONFIG"), "\nssid="+settings.ssid+"\n")
	})
	config := h.ask("GET_CONFIG")
	if key := "\npassphrase=" + settings.passphrase + "\n"; settings.security != "open" &&
		!strings.Contains(config, key) {
		t.Errorf("hostapd has not the new key:\n%s", config)
	}
	if settings.security == "open" && strings.Contains(config, "passphrase=") {
		t.Errorf("hostapd is not open:\n%s", config)
	}
	h.ap.ssid, h.ap.passphrase, h.ap.security = settings.ssid, settings.passphrase,
		settings.security
	h.gives(c)
	w.until("hostapd beacons again", 20*time.Second, func() bool {
		return strings.Contains(h.ask("STATUS"), "state=ENABLED")
	})
	w.connects(station, c, h)
}

func TestRegistrarConfiguresWPA2(t *testing.T) {
	configures(t, ap{ssid: "new name", passphrase: "new passphrase"},
		"auth", "WPA2PSK", "encryption", "CCMP", "key", []byte("new passphrase"))
}

func TestRegistrarConfiguresAnOpenNetwork(t *testing.T) {
	configures(t, ap{ssid: "clear", security: "open"}, "auth", "OPEN", "encryption", "NONE")
}
