//go:build hwsim

package hwsim

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"
)

// In these scenarios wpsd steers an access point on wlan0, and a real wpa_supplicant is the
// Enrollee.
const apRadio = "wlan0"

// startHotspot starts an access point and a wpsd that steers it.
func (w *world) startHotspot(a ap) (*hostapd, *daemon) {
	w.t.Helper()
	h := w.startAP(a)
	return h, w.startSteering(h.ap.controlDir())
}

// startSteering starts wpsd for the access point whose control socket is in a directory.
func (w *world) startSteering(controlDir string) *daemon {
	w.t.Helper()
	w.startBus()
	d := w.startDaemonOn(apRadio, "hostapd_ctrl_interface="+controlDir)
	if mode := d.property(d.iface(), "Interface", "Mode"); mode != "ap" {
		w.t.Fatalf("wpsd takes %s for %v, not ap", apRadio, mode)
	}
	return d
}

// admits waits until the session has let the device on a radio in.
func (s *session) admits(radio string, timeout time.Duration) {
	t := s.d.w.t
	t.Helper()
	o := s.end(timeout)
	if o.networks == nil {
		t.Fatalf("the session failed: %s (configuration error %d): %s", o.reason,
			o.configError, o.sentence)
	}
	if peer, state, role := s.property("Peer"), s.property("State"),
		s.property("Role"); peer != s.d.w.mac(radio) || state != "succeeded" ||
		role != "registrar" {
		t.Errorf("Peer %v, State %v, Role %v", peer, state, role)
	}
}

// joins waits until wpa_supplicant has been enrolled and is connected with what it got.
func (s *supplicant) joins(mark int, timeout time.Duration) {
	s.w.t.Helper()
	s.wait(mark, "WPS-SUCCESS", timeout)
	s.wait(mark, "CTRL-EVENT-CONNECTED", 20*time.Second)
}

// refused tries with a PIN and has to be told no.
func (s *supplicant) refused(bssid, pin string) {
	s.w.t.Helper()
	mark := s.mark()
	if got := s.ask("WPS_PIN %s %s", bssid, pin); got != pin {
		s.w.t.Fatalf("WPS_PIN: %q", got)
	}
	s.wait(mark, "WPS-M2D", 30*time.Second)
	s.mustOK("WPS_CANCEL")
	if s.saw(mark, "WPS-SUCCESS") || s.saw(mark, "WPS-CRED-RECEIVED") {
		s.w.t.Error("a device was let in that should have been refused")
	}
}

// enrollee is the device that a signal of the access point tells of.
func (d *daemon) enrollee(from int, name, mac string) map[string]godbus.Variant {
	d.w.t.Helper()
	g := d.client.wait(from, 30*time.Second, name+" of "+mac, func(g signal) bool {
		return g.Name == busName+".Interface."+name && g.Path == d.iface() && g.Body[1] == mac
	})
	if uuid := g.Body[0].(string); len(uuid) != 36 {
		d.w.t.Errorf("%s has the UUID %q", name, uuid)
	}
	return g.Body[2].(map[string]godbus.Variant)
}

func TestAPModePINLetsASupplicantInWithinItsTime(t *testing.T) {
	w := newWorld(t)
	a, d := w.startHotspot(ap{})
	e := w.startSupplicant(station, "device_name=Camera")
	s := d.startPIN("pin", labelPIN, "timeout", uint32(60), "mac", w.mac(station))
	if deadline := time.UnixMicro(int64(s.property("Deadline").(uint64))).Sub(
		s.began); deadline < 59*time.Second || deadline > 61*time.Second {
		t.Errorf("the session gives up after %v", deadline)
	}
	time.Sleep(40 * time.Second)
	mark := e.mark()
	e.ask("WPS_PIN any %s", labelPIN)
	s.admits(station, oneRun)
	e.joins(mark, 10*time.Second)
	a.wait(0, "WPS-REG-SUCCESS "+w.mac(station), time.Second)
	// The PIN is used up.
	e.mustOK("DISCONNECT")
	e.refused(a.bssid, labelPIN)
}

func TestAPModePINIsGoodNoMoreAfterItsTime(t *testing.T) {
	w := newWorld(t)
	a, d := w.startHotspot(ap{})
	e := w.startSupplicant(station, "device_name=Camera", "manufacturer=Maker")
	s := d.startPIN("pin", labelPIN, "timeout", uint32(20))
	o := s.fails(25*time.Second, "walk-time-expired")
	if took := o.at.Sub(s.began); took < 19*time.Second || took > 22*time.Second {
		t.Errorf("the session took %v, not 20 s", took)
	}
	from := d.signals.len()
	e.refused(a.bssid, labelPIN)
	device := d.enrollee(from, "PinNeeded", w.mac(station))
	if device["name"].Value() != "Camera" || device["manufacturer"].Value() != "Maker" {
		t.Errorf("PinNeeded tells of %v", device)
	}
	// Who comes later finds it.
	asking := d.property(d.iface(), "Interface", "Enrollees").([]godbus.ObjectPath)
	if len(asking) != 1 || d.property(asking[0], "Enrollee", "MacAddress") != w.mac(station) ||
		d.property(asking[0], "Enrollee", "PinNeeded") != true {
		t.Errorf("these ask: %v", asking)
	}
	// It needs one: this one is made here and typed in there.
	s = d.startPIN()
	mark := e.mark()
	e.ask("WPS_PIN any %s", s.pin)
	s.admits(station, oneRun)
	e.joins(mark, 10*time.Second)
	w.until("nobody asks any more", 10*time.Second, func() bool {
		return len(d.property(d.iface(), "Interface", "Enrollees").([]godbus.ObjectPath)) == 0
	})
}

func TestAPModePINIsAnnouncedForItsWholeTimeAndCanBeCanceledLate(t *testing.T) {
	w := newWorld(t)
	a, d := w.startHotspot(ap{})
	e := w.startSupplicant(station)
	// hostapd announces a PIN for 120 s.
	s := d.startPIN("pin", labelPIN, "timeout", uint32(600))
	time.Sleep(290 * time.Second)
	mark := e.mark()
	e.mustOK("SCAN freq=2412")
	e.wait(mark, "CTRL-EVENT-SCAN-RESULTS", 10*time.Second)
	if bss := e.ask("BSS %s", a.bssid); !strings.Contains(bss, "wps_selected_registrar=1") {
		t.Errorf("after 290 s the access point does not announce the PIN: %s", bss)
	}
	mark = e.mark()
	e.ask("WPS_PIN any %s", labelPIN)
	s.admits(station, oneRun)
	e.joins(mark, 10*time.Second)
	e.mustOK("DISCONNECT")

	s = d.startPIN("pin", labelPIN, "timeout", uint32(600))
	time.Sleep(150 * time.Second)
	d.mustCall(d.iface(), "Interface.Cancel")
	s.fails(5*time.Second, "canceled")
	e.refused(a.bssid, labelPIN)

	// One that was used once with a wrong first half is announced no more, and can be canceled all
	// the same.
	s = d.startPIN("pin", labelPIN, "timeout", uint32(600))
	mark = e.mark()
	e.ask("WPS_PIN %s %s", a.bssid, otherPIN)
	e.wait(mark, "WPS-FAIL msg=8 config_error=18", oneRun)
	e.mustOK("WPS_CANCEL")
	s.reaches("Message", time.Second, "M4")
	if state, code := s.property("State"), s.property("ConfigError"); state != "exchanging" ||
		code != uint16(18) {
		t.Errorf("after a wrong PIN the session is %v, configuration error %v", state, code)
	}
	time.Sleep(200 * time.Second)
	d.mustCall(d.iface(), "Interface.Cancel")
	s.fails(5*time.Second, "canceled")
	e.refused(a.bssid, labelPIN)
}

func TestAPModeWrongPINsEndTheSession(t *testing.T) {
	w := newWorld(t)
	a, d := w.startHotspot(ap{})
	e := w.startSupplicant(station)
	attempt := func(pin, fails string) {
		t.Helper()
		mark := e.mark()
		e.ask("WPS_PIN %s %s", a.bssid, pin)
		e.wait(mark, fails, oneRun)
		e.mustOK("WPS_CANCEL")
	}
	s := d.startPIN("pin", labelPIN, "timeout", uint32(300))
	attempt(firstHalfPIN, "WPS-FAIL msg=10 config_error=18")
	if o := s.fails(5*time.Second, "wrong-pin-second-half"); o.configError != 18 {
		t.Errorf("configuration error %d", o.configError)
	}
	e.refused(a.bssid, labelPIN)

	s = d.startPIN("pin", labelPIN, "timeout", uint32(300))
	attempt(otherPIN, "WPS-FAIL msg=8 config_error=18")
	attempt(otherPIN, "WPS-FAIL msg=8 config_error=18")
	s.fails(5*time.Second, "wrong-pin-first-half")
	e.refused(a.bssid, labelPIN)

	// A wrong one and then the right one.
	s = d.startPIN("pin", labelPIN, "timeout", uint32(300))
	attempt(otherPIN, "WPS-FAIL msg=8 config_error=18")
	mark := e.mark()
	e.ask("WPS_PIN %s %s", a.bssid, labelPIN)
	s.admits(station, oneRun)
	e.joins(mark, 10*time.Second)
}

func TestAPModePushButtonLetsASupplicantIn(t *testing.T) {
	w := newWorld(t)
	a, d := w.startHotspot(ap{})
	e := w.startSupplicant(station, "device_name=Camera")
	from, mark := d.signals.len(), e.mark()
	s := d.startPBC()
	time.Sleep(30 * time.Second)
	e.mustOK("WPS_PBC")
	s.admits(station, oneRun)
	e.joins(mark, 10*time.Second)
	a.wait(0, "WPS-PBC-DISABLE", time.Second)
	if device := d.enrollee(from, "EnrolleeSeen",
		w.mac(station)); device["name"].Value() != "Camera" || device["password-id"].Value() != uint16(4) {
		t.Errorf("EnrolleeSeen tells of %v", device)
	}
	e.mustOK("DISCONNECT")

	// And nobody comes.
	s = d.startPBC()
	o := s.fails(125*time.Second, "walk-time-expired")
	if took := o.at.Sub(s.began); took < 119*time.Second || took > 122*time.Second {
		t.Errorf("the walk time was %v", took)
	}
	if !strings.HasPrefix(a.ask("WPS_GET_STATUS"), "PBC Status: Timed-out") &&
		!strings.HasPrefix(a.ask("WPS_GET_STATUS"), "PBC Status: Disabled") {
		t.Errorf("hostapd still waits: %s", a.ask("WPS_GET_STATUS"))
	}

	// And it is canceled, and told by somebody else at the access point.
	s = d.startPBC()
	a.wait(0, "WPS-PBC-ACTIVE", time.Second)
	d.mustCall(s.path, "Session.Cancel")
	s.fails(5*time.Second, "canceled")
	s = d.startPBC()
	s.reaches("State", time.Second, "exchanging")
	time.Sleep(time.Second)
	a.mustOK("WPS_CANCEL")
	s.fails(5*time.Second, "canceled")
}

func TestAPModeTwoEnrolleesInPushButtonOverlap(t *testing.T) {
	w := newWorld(t)
	a, d := w.startHotspot(ap{})
	first, second := w.startSupplicant(station), w.startSupplicant("wlan2")
	s := d.startPBC()
	// Both press their buttons; the second one's probe requests are the overlap.
	heard := []int{first.mark(), second.mark()}
	second.mustOK("WPS_PBC")
	first.mustOK("WPS_PBC")
	o := s.end(oneRun)
	if o.reason != "pbc-overlap" {
		// The first one may have been quicker than the second one's first probe request: then it is
		// in.
		t.Logf("no overlap: %+v", o)
		s = d.startPBC()
		o = s.end(oneRun)
	}
	if o.reason != "pbc-overlap" || o.configError != 12 {
		t.Fatalf("the session ended with %+v", o)
	}
	// Both devices are told why, not only that it does not work.
	for i, device := range []*supplicant{first, second} {
		if e := device.wait(heard[i], "WPS-M2D ", 60*time.Second); !strings.HasSuffix(e.text, "config_error=12") {
			t.Errorf("device %d was told %s", i, e.text)
		}
	}
	// While the overlap lasts the button is refused, and told for what it is.
	d.startPBC().fails(10*time.Second, "pbc-overlap")
	if strings.Contains(a.ask("WPS_GET_STATUS"), "PBC Status: Active") {
		t.Error("hostapd's button is still pressed")
	}
	first.mustOK("WPS_CANCEL")
	second.mustOK("WPS_CANCEL")
	time.Sleep(125 * time.Second)
	mark := second.mark()
	s = d.startPBC()
	second.mustOK("WPS_PBC")
	s.admits("wlan2", oneRun)
	second.joins(mark, 10*time.Second)
}

func TestAPModeAccessPointsOwnPIN(t *testing.T) {
	w := newWorld(t)
	a, d := w.startHotspot(ap{})
	r := w.startSupplicant(station)
	apPIN := func(command string, pairs ...any) string {
		t.Helper()
		return d.mustCall(d.iface(), "Interface.ApPin", command, options(pairs...))[0].(string)
	}
	learn := func(pin, ends string) {
		t.Helper()
		mark := r.mark()
		r.mustOK("WPS_REG %s %s", a.bssid, pin)
		r.wait(mark, ends, 60*time.Second)
		r.ask("WPS_CANCEL")
		r.ask("REMOVE_NETWORK all")
	}
	if got := apPIN("get"); got != "" {
		t.Errorf("there is the PIN %q from the start", got)
	}
	random := apPIN("random")
	if len(random) != 8 || apPIN("get") != random || a.ask("WPS_AP_PIN get") != random {
		t.Fatalf("random gives %q, get %q, hostapd has %q", random, apPIN("get"), a.ask("WPS_AP_PIN get"))
	}
	learn(random, "WPS-CRED-RECEIVED")
	if got := apPIN("disable"); got != "" || apPIN("get") != "" {
		t.Errorf("after disable there is the PIN %q", got)
	}
	learn(random, "WPS-FAIL")
	if got := apPIN("set", "pin", "1234-5670", "timeout", uint32(120)); got != labelPIN {
		t.Errorf("set gives %q", got)
	}
	learn(labelPIN, "WPS-CRED-RECEIVED")
	time.Sleep(125 * time.Second)
	if got := apPIN("get"); got != "" {
		t.Error("the PIN is good after its time")
	}
	learn(labelPIN, "WPS-FAIL")

	// Wrong ones lock the setup, and a new PIN unlocks it.
	apPIN("set", "pin", labelPIN)
	for range 3 {
		learn(otherPIN, "WPS-FAIL")
	}
	locked := func(want bool) {
		t.Helper()
		w.until(fmt.Sprintf("SetupLocked is %v", want), 2*time.Second, func() bool {
			return d.property(d.iface(), "Interface", "SetupLocked") == want
		})
	}
	locked(true)
	random = apPIN("random")
	locked(false)
	learn(random, "WPS-CRED-RECEIVED")

	d.refused("InvalidPinChecksum", d.iface(), "Interface.ApPin", "set", options("pin", "12345671"))
	d.refused("InvalidArguments", d.iface(), "Interface.ApPin", "show", options())
	d.refused("InvalidArguments", d.iface(), "Interface.ApPin", "get", options("timeout", uint32(5)))
	if strings.Contains(d.output(), random) {
		t.Error("wpsd's log has the access point's PIN")
	}
}

func TestAPModeHostapdIsKilledAndStartedAgain(t *testing.T) {
	w := newWorld(t)
	a, d := w.startHotspot(ap{})
	e := w.startSupplicant(station)
	s := d.startPIN("pin", labelPIN, "timeout", uint32(300))
	time.Sleep(3 * time.Second)
	a.kill()
	o := s.fails(15*time.Second, "link-lost", "interface-gone")
	t.Logf("%s: %s", o.reason, o.sentence)
	// Without it nothing works, and says so.
	d.startPBC().fails(5*time.Second, "link-lost")
	d.refused("Unreachable", d.iface(), "Interface.ApPin", "get", options())

	a = w.startAP(ap{})
	time.Sleep(time.Second)
	mark := e.mark()
	s = d.startPIN("pin", labelPIN)
	e.ask("WPS_PIN any %s", labelPIN)
	s.admits(station, oneRun)
	e.joins(mark, 10*time.Second)
	e.mustOK("DISCONNECT")

	// Killed and started again before anybody looks: what was granted is lost with it.
	s = d.startPBC()
	time.Sleep(time.Second)
	a.kill()
	a = w.startAP(ap{})
	s.fails(15*time.Second, "link-lost", "interface-gone")

	// Stopped in good order it is no access point any more, and then one again.
	s = d.startPIN("pin", labelPIN)
	time.Sleep(time.Second)
	a.stop()
	s.fails(15*time.Second, "link-lost", "interface-gone")
	w.startAP(ap{})
	w.until("wpsd knows the access point", 10*time.Second, func() bool {
		_, err := d.client.call(d.iface(), "Interface.ApPin", "get", options())
		return err == nil
	})
	mark = e.mark()
	s = d.startPBC()
	e.mustOK("WPS_PBC")
	s.admits(station, oneRun)
	e.joins(mark, 10*time.Second)
}

// TestAPModeHostapdHangs: a process that is stopped has a socket that takes commands.
func TestAPModeHostapdHangs(t *testing.T) {
	w := newWorld(t)
	a, d := w.startHotspot(ap{})
	s := d.startPIN("pin", labelPIN, "timeout", uint32(300))
	time.Sleep(time.Second)
	a.signal(syscall.SIGSTOP)
	s.fails(30*time.Second, "link-lost")
	a.goOn()
}

func TestAPModeOfWPASupplicant(t *testing.T) {
	w := newWorld(t)
	a := w.startSupplicant(apRadio, "network={", "mode=2", fmt.Sprintf("ssid=%x", testSSID), "frequency=2412",
		"key_mgmt=WPA-PSK", "proto=RSN", "pairwise=CCMP", fmt.Sprintf("psk=%q", testPassphrase), "}")
	a.wait(0, "CTRL-EVENT-CONNECTED", 20*time.Second)
	d := w.startSteering(scratch + "/supplicant-" + apRadio)
	e := w.startSupplicant(station)

	s := d.startPIN("pin", labelPIN, "timeout", uint32(300))
	time.Sleep(150 * time.Second)
	mark := e.mark()
	e.ask("WPS_PIN any %s", labelPIN)
	s.admits(station, oneRun)
	e.joins(mark, 10*time.Second)
	e.mustOK("DISCONNECT")

	s = d.startPIN("pin", labelPIN, "timeout", uint32(20))
	s.fails(25*time.Second, "walk-time-expired")
	e.refused(w.mac(apRadio), labelPIN)

	mark = e.mark()
	s = d.startPBC()
	e.mustOK("WPS_PBC")
	s.admits(station, oneRun)
	e.joins(mark, 10*time.Second)
	e.mustOK("DISCONNECT")

	pin := d.mustCall(d.iface(), "Interface.ApPin", "random", options())[0].(string)
	mark = e.mark()
	e.mustOK("WPS_REG %s %s", w.mac(apRadio), pin)
	e.wait(mark, "WPS-CRED-RECEIVED", 60*time.Second)
}

// TestAPModeWpsctl is what a person does at a router.
func TestAPModeWpsctl(t *testing.T) {
	w := newWorld(t)
	a, d := w.startHotspot(ap{})
	e := w.startSupplicant(station, "device_name=Camera")
	monitor := w.start("monitor", "/in/wpsctl", "monitor")
	monitor.waitLog("watching", 10*time.Second)

	mark := e.mark()
	e.mustOK("WPS_PBC")
	r := w.run("/in/wpsctl", "pbc")
	if r.status != 0 || !strings.Contains(r.stdout, "the device that is to join") ||
		!strings.Contains(r.stdout, w.mac(station)+" was let into the network") {
		t.Errorf("wpsctl pbc: status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	e.joins(mark, 10*time.Second)
	e.mustOK("DISCONNECT")
	monitor.waitLog("(Camera) has its button pressed", 5*time.Second)

	// The PIN is in a file, not on the command line. The option alone says that an access point is
	// meant.
	file := w.write("pin", labelPIN+"\n")
	mark = e.mark()
	e.ask("WPS_PIN any %s", labelPIN)
	r = w.run("/in/wpsctl", "--json", "pin", "--pin-file", file, "--timeout", "5m", "--mac", w.mac(station))
	if r.status != 0 || !strings.Contains(r.stdout, `"event":"succeeded"`) || strings.Contains(r.stdout, labelPIN) {
		t.Errorf("wpsctl pin: status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	e.joins(mark, 10*time.Second)
	e.mustOK("DISCONNECT")

	e.refused(a.bssid, otherPIN)
	monitor.waitLog("the PIN of "+w.mac(station)+" (Camera", 5*time.Second)
	r = w.run("/in/wpsctl", "pin", "--pin-file", file, "--timeout", "10")
	if r.status != 9 || !strings.Contains(r.stderr, "within 10 seconds") {
		t.Errorf("wpsctl pin, nobody comes: status %d\n%s%s", r.status, r.stdout, r.stderr)
	}

	r = w.run("/in/wpsctl", "ap-pin", "random", "--timeout", "60")
	pin := strings.TrimSpace(r.stdout)
	if r.status != 0 || len(pin) != 8 || a.ask("WPS_AP_PIN get") != pin {
		t.Errorf("wpsctl ap-pin random: status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	r = w.run("/in/wpsctl", "ap-pin", "set", "--pin-file", file)
	if r.status != 0 || strings.TrimSpace(r.stdout) != labelPIN {
		t.Errorf("wpsctl ap-pin set: status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	r = w.run("/in/wpsctl", "--json", "ap-pin", "get")
	if r.status != 0 || strings.TrimSpace(r.stdout) != `{"pin":"`+labelPIN+`"}` {
		t.Errorf("wpsctl ap-pin get: status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	if r = w.run("/in/wpsctl", "ap-pin", "disable"); r.status != 0 || !strings.Contains(r.stdout, "has no PIN") {
		t.Errorf("wpsctl ap-pin disable: status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	if r = w.run("/in/wpsctl", "ap-pin", "get", labelPIN); r.status != 2 {
		t.Errorf("wpsctl ap-pin get with a PIN: status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	d.kill()
}
