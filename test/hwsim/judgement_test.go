//go:build hwsim

package hwsim

import (
	"fmt"
	"strings"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"
)

// Whom to try, and when to give up: what a real wpa_supplicant gets into we get into, sooner. Both
// are stations of the same scenario, on radios of their own, one after the other: together they
// would be two devices whose buttons are pressed, which is session overlap for the access point.

const rivalRadio = "wlan3"

// contender is one of the two.
type contender struct {
	name string
	mac  string
	// begin starts a session: push button, or with a PIN. credential waits for what came of it, and
	// says when it came.
	begin func(pin, bssid string) (credential func(timeout time.Duration) (at time.Time,
		reason string))
	// cancel ends what runs, and forgets what came of it.
	cancel func()
}

// contenders starts wpsd and wpa_supplicant.
func (w *world) contenders() []contender {
	w.t.Helper()
	d := w.startDaemon()
	s := w.startSupplicant(rivalRadio)
	ours := contender{name: "wpsd", mac: w.mac(station)}
	ours.begin = func(pin, bssid string) func(time.Duration) (time.Time, string) {
		var pairs []any
		if bssid != "" {
			pairs = append(pairs, "bssid", bssid)
		}
		run := func() *session {
			if pin != "" {
				return d.startPIN(append(pairs, "pin", pin)...)
			}
			return d.startPBC(pairs...)
		}()
		return func(timeout time.Duration) (time.Time, string) {
			w.t.Helper()
			got := d.client.wait(run.from, timeout, "credential or end", func(g signal) bool {
				return g.Path == run.path && (g.Name == busName+".Session.CredentialReceived" ||
					g.Name == busName+".Session.Failed")
			})
			if strings.HasSuffix(got.Name, "Failed") {
				return got.at, fmt.Sprintf("%v: %v", got.Body[0], got.Body[2])
			}
			return got.at, ""
		}
	}
	ours.cancel = func() {
		// none may run
		_ = d.conn.Object(busName, d.iface()).Call(busName+".Interface.Cancel", 0).Err
		d.givenBack()
		for _, n := range d.networks() {
			d.mustCall(n, "Network.Delete")
		}
	}
	rival := contender{name: "wpa_supplicant", mac: w.mac(rivalRadio)}
	rival.begin = func(pin, bssid string) func(time.Duration) (time.Time, string) {
		mark := s.mark()
		if bssid == "" {
			bssid = "any"
		}
		if pin != "" {
			s.ask("WPS_PIN %s %s", bssid, pin)
		} else {
			s.mustOK("WPS_PBC %s", bssid)
		}
		return func(timeout time.Duration) (time.Time, string) {
			ends := []string{"WPS-CRED-RECEIVED", "WPS-TIMEOUT", "WPS-OVERLAP-DETECTED"}
			got, ok := s.events.wait(mark, patience(timeout), func(e event) bool {
				for _, prefix := range ends {
					if strings.HasPrefix(e.text, prefix) {
						return true
					}
				}
				return false
			})
			switch {
			case !ok:
				return time.Now(), "nothing"
			case !strings.HasPrefix(got.text, "WPS-CRED-RECEIVED"):
				return got.at, got.text
			}
			return got.at, ""
		}
	}
	rival.cancel = func() {
		s.ask("WPS_CANCEL")
		s.mustOK("REMOVE_NETWORK all")
		s.ask("BSS_FLUSH 0")
	}
	return []contender{ours, rival}
}

// race has one contender after the other in the same situation, and compares: seconds from when it
// can succeed until it has the credential. play returns that moment; its error text says why there
// was none.
func (w *world) race(play func(c contender) (time.Duration, string)) {
	w.t.Helper()
	var took [2]time.Duration
	var reasons [2]string
	for i, c := range w.contenders() {
		if i > 0 {
			time.Sleep(130 * time.Second) // an access point counts who pressed a button for two minutes
		}
		took[i], reasons[i] = play(c)
		c.cancel()
		w.t.Logf("%s: %.3f s %s", c.name, took[i].Seconds(), reasons[i])
	}
	switch {
	case reasons[0] != "" && reasons[1] == "":
		w.t.Errorf("wpa_supplicant gets in, wpsd does not: %s", reasons[0])
	case reasons[0] != "":
		w.t.Errorf("wpsd does not get in: %s", reasons[0])
	case reasons[1] == "" && took[0] > took[1]:
		w.t.Errorf("wpa_supplicant is in sooner")
	}
}

// guest makes the lines of a second BSS on an access point's radio.
func guest(radio, ssid string) []string {
	return []string{
		"bss=" + radio + "_1", "ssid=" + ssid, "wpa=2", "wpa_key_mgmt=WPA-PSK", "rsn_pairwise=CCMP",
		"wpa_passphrase=" + testPassphrase,
		"eap_server=1", "wps_state=2", "ap_setup_locked=1", "device_name=Test access point",
		"config_methods=virtual_display virtual_push_button keypad",
	}
}

func TestGuestNetworkOfTheSameRouterIsNoOverlap(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{ssid: "Haus", extra: guest("wlan0", "Haus Gast")})
	w.race(func(c contender) (time.Duration, string) {
		a.mustOK("WPS_PBC")
		began := time.Now()
		at, reason := c.begin("", "")(oneRun)
		return at.Sub(began), reason
	})
}

func TestAccessPointThatIsFullAtFirst(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{})
	w.raceOfTheRefused(a, func(contender) {
		a.mustOK("SET max_num_sta 0") // status 17
	}, func(contender) {
		a.mustOK("SET max_num_sta 10")
	})
}

// An access point that denies a station by its address answers with status 1.
func TestAccessPointThatDeniesUsAtFirst(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{})
	w.raceOfTheRefused(a, func(c contender) {
		a.mustOK("DENY_ACL ADD_MAC %s", c.mac)
	}, func(c contender) {
		a.mustOK("DENY_ACL DEL_MAC %s", c.mac)
	})
}

// refusedFor are how long an access point refuses. Whose next try is due when it does so no longer
// is luck; wpa_supplicant tries each 5 to 6 s, and these are spread over that.
var refusedFor = []time.Duration{25 * time.Second, 26900 * time.Millisecond, 28800 * time.Millisecond}

// raceOfTheRefused has each contender refused for a while, and compares what they need after it, all
// times together.
func (w *world) raceOfTheRefused(a *hostapd, refuse, admit func(contender)) {
	w.t.Helper()
	w.race(func(c contender) (all time.Duration, reason string) {
		for i, long := range refusedFor {
			if i > 0 {
				c.cancel()
				time.Sleep(130 * time.Second) // see race
			}
			refuse(c)
			a.mustOK("WPS_PBC")
			credential := c.begin("", "")
			time.Sleep(long)
			admit(c)
			admitted := time.Now()
			at, reason := credential(oneRun)
			if reason != "" {
				return all, reason
			}
			w.t.Logf("%s: refused for %v, then %v", c.name, long, at.Sub(admitted))
			all += at.Sub(admitted)
		}
		return all, ""
	})
}

func TestAccessPointThatStaysFullIsToldAsThat(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{})
	d := w.startDaemon()
	a.mustOK("SET max_num_sta 0")
	a.mustOK("WPS_PBC")
	s := d.startPBC()
	o := s.fails(125*time.Second, "association-failed")
	detail, _ := s.property("Detail").(map[string]godbus.Variant)
	if detail["link-status"].Value() != uint16(17) || !strings.Contains(o.sentence, "is full") ||
		o.at.Sub(s.began) < 119*time.Second {
		t.Errorf("after %v: %v: %s", o.at.Sub(s.began), detail, o.sentence)
	}
}

func TestLinkLostInTheMiddleOfARunByPushButton(t *testing.T) { loseLink(t, "") }

func TestLinkLostInTheMiddleOfARunByPIN(t *testing.T) { loseLink(t, otherPIN) }

// loseLink has the access point deauthenticate each contender in the middle of its first run.
func loseLink(t *testing.T, pin string) {
	w := newWorld(t)
	a := w.startAP(slow)
	w.race(func(c contender) (time.Duration, string) {
		if pin != "" {
			a.ask("WPS_PIN any %s", pin)
		} else {
			a.mustOK("WPS_PBC")
		}
		mark := a.mark()
		credential := c.begin(pin, "")
		a.wait(mark, "CTRL-EVENT-EAP-STARTED "+c.mac, oneRun)
		a.mustOK("DEAUTHENTICATE %s", c.mac)
		lost := time.Now()
		at, reason := credential(60 * time.Second)
		if reason == "" && at.Before(lost) {
			t.Fatal("the run was over before it was disturbed")
		}
		return at.Sub(lost), reason
	})
}

func TestNeighbourWhoWaitsForAnotherDeviceDoesNotEndAPINSession(t *testing.T) {
	w := newWorld(t)
	neighbour := w.startAP(ap{ssid: "neighbour"})
	b := w.startAP(ap{radio: "wlan2", channel: 6})
	w.sh("iw dev wlan2 set txpower fixed 300")
	w.race(func(c contender) (time.Duration, string) {
		neighbour.ask("WPS_PIN any %s", otherPIN)
		mark := neighbour.mark()
		credential := c.begin(labelPIN, "")
		neighbour.wait(mark, "WPS-FAIL msg=8 config_error=18", oneRun)
		time.Sleep(30 * time.Second)
		b.ask("WPS_PIN any %s", labelPIN)
		typed := time.Now()
		at, reason := credential(60 * time.Second)
		neighbour.ask("WPS_CANCEL")
		b.ask("WPS_CANCEL")
		return at.Sub(typed), reason
	})
}

func TestRouterThatAnswersOnOneLinkOnly(t *testing.T) {
	w := newWorld(t)
	both := w.startAPs(ap{testing: true}, ap{radio: "wlan2", channel: 36})
	w.sh("iw dev wlan2 set txpower fixed 300")
	// what the stronger one has to say goes nowhere, as with multi-link access points
	both[0].mustOK("SET ext_eapol_frame_io 1")
	w.race(func(c contender) (time.Duration, string) {
		mark := both[0].mark()
		both[0].mustOK("WPS_PBC")
		began := time.Now()
		at, reason := c.begin("", "")(120 * time.Second)
		if !both[0].saw(mark, "EAPOL-TX "+c.mac) {
			t.Errorf("%s did not try the one that does not answer", c.name)
		}
		return at.Sub(began), reason
	})
}

func TestNamedAccessPointWithoutWPSIsToldAtOnce(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{extra: []string{"wps_state=0"}})
	both := w.contenders()
	for _, pin := range []string{"", labelPIN} {
		began := time.Now()
		if at, reason := both[0].begin(pin, a.bssid)(20 * time.Second); at.Sub(
			began) > 5*time.Second || !strings.HasPrefix(reason,
			"no-access-point: ") || !strings.Contains(reason, "does not offer WPS") {
			t.Errorf("after %v: %s", at.Sub(began), reason)
		}
	}
	began := time.Now()
	at, reason := both[1].begin("", a.bssid)(125 * time.Second)
	t.Logf("wpa_supplicant: %.3f s %s", at.Sub(began).Seconds(), reason)
}

func TestAccessPointOfWPA3AloneIsKeptAsThat(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{extra: []string{"wpa_key_mgmt=SAE", "ieee80211w=2", "sae_require_mfp=1"}})
	d := w.startDaemon()
	a.mustOK("WPS_PBC")
	c := d.startPBC().succeeds(oneRun)
	if c.auth != "SAE" || string(c.key) != testPassphrase || c.keyKind != "passphrase" {
		t.Errorf("%v", c)
	}
	if auth := d.property(d.networks()[0], "Network", "Auth"); auth != "SAE" {
		t.Errorf("stored as %v", auth)
	}
}

func TestHiddenNetworkHasAReasonOfItsOwn(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{})
	// hostapd does without WPS in a hidden network; other access points do not.
	a.mustOK("SET ignore_broadcast_ssid 1")
	a.mustOK("UPDATE_BEACON")
	both := w.contenders()
	for _, run := range []struct{ pin, bssid string }{{"", ""}, {"", a.bssid},
		{labelPIN, a.bssid}} {
		if run.pin == "" {
			a.mustOK("WPS_PBC")
		}
		began := time.Now()
		if at, reason := both[0].begin(run.pin,
			run.bssid)(oneRun); at.Sub(began) > 10*time.Second || !strings.HasPrefix(reason,
			"hidden-network: ") {
			t.Errorf("%v: after %v: %q", run, at.Sub(began), reason)
		}
	}
	at, reason := both[1].begin("", "")(125 * time.Second)
	t.Logf("wpa_supplicant: %v %s", at, reason)
}

func TestHiddenNetworkWhoseNameIsKnown(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{})
	a.mustOK("SET ignore_broadcast_ssid 1")
	a.mustOK("UPDATE_BEACON")
	d := w.startDaemon()
	d.mustCall(rootPath, "Manager.AddNetwork",
		options("ssid", []byte(testSSID), "auth", "WPA2PSK", "encryption", "CCMP", "key",
			[]byte("an old passphrase"), "bssid", a.bssid))
	a.mustOK("WPS_PBC")
	s := d.startPBC()
	a.gives(s.succeeds(oneRun))
}
