//go:build hwsim

package hwsim

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"
)

// credentialOf is a Credential attribute, as hostapd's extra_cred takes it.
func credentialOf(ssid, auth, key string, mac []byte) string {
	return string(tlv(0x100e, string(tlv(0x1026, "\x01"))+string(tlv(0x1045, ssid))+
		string(tlv(0x1003, auth))+string(tlv(0x100f, "\x00\x08"))+
		string(tlv(0x1027, key))+string(tlv(0x1020, string(mac)))))
}

// TestOneBadCredentialDoesNotSpoilTheGoodOne: an access point gives its network and one whose key
// is none, in either order, and calls its own WPA2-Personal with a bit that has no name. A real
// wpa_supplicant 2.10 says WPS-FAIL and keeps a good one that comes first; we keep it in either
// order, succeed, and say what was left out.
func TestOneBadCredentialDoesNotSpoilTheGoodOne(t *testing.T) {
	for _, c := range []struct {
		name, auth string
		first      bool // the bad one
		joins      bool // wpa_supplicant 2.10, which takes exact types only
	}{
		{"the bad one first", "\x00\x20", true, false},
		{"the bad one last", "\x00\x20", false, true},
		{"a bit without a name", "\x00\x60", false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			mac, err := hex.DecodeString(strings.ReplaceAll(w.mac(station), ":", ""))
			w.must(err)
			good := credentialOf(testSSID, c.auth, testPassphrase, mac)
			both := good + credentialOf("guest", "\x00\x20", "tiny", mac)
			if c.first {
				both = credentialOf("guest", "\x00\x20", "tiny", mac) + good
			}
			a := w.startAP(ap{extra: []string{"skip_cred_build=1",
				"extra_cred=" + w.write("extra-cred", both)}})
			if c.joins {
				e := w.startSupplicant(station)
				mark := e.mark()
				a.mustOK("WPS_PBC")
				e.mustOK("WPS_PBC")
				e.wait(mark, "CTRL-EVENT-CONNECTED", 30*time.Second)
				e.stop()
			}
			d := w.startDaemon()
			a.mustOK("WPS_PBC")
			s := d.startPBC()
			a.gives(s.succeeds(oneRun))
			if detail := fmt.Sprint(s.property("Detail")); !strings.Contains(detail, "guest") {
				t.Errorf("what was left out is not told: %v", detail)
			}
		})
	}
}

// TestManagerLearnsSettingsOfNoUse: an access point with WPA-PSK-SHA256 alone shows settings of
// authentication type 0. The session fails with a reason of its own, wpsd lives, and NetworkManager
// is back in its network.
func TestManagerLearnsSettingsOfNoUse(t *testing.T) {
	w := newWorld(t)
	_, fresh := w.home("ap_setup_locked=0", "ap_pin="+labelPIN, "wpa_key_mgmt=WPA-PSK-SHA256",
		"ieee80211w=2")
	w.startBus()
	nm := w.startNetworkManager()
	nm.connectedTo(oldSSID)
	d := w.startDaemonAgain()
	// What NetworkManager does with the interface then is its own affair: ends does not look at it.
	for _, tt := range []struct{ pin, want string }{
		{labelPIN, "unsupported-security"}, {otherPIN, "wrong-pin-first-half"},
	} {
		if o := d.learn(fresh, tt.pin).ends(2 * time.Minute); o.reason != tt.want || o.sentence == "" {
			t.Errorf("the session ended with %q (%q), want %q", o.reason, o.sentence, tt.want)
		}
		nm.connectedTo(oldSSID)
	}
}

// TestANetworkKeepsItsNumber: received again, learned again, with another key: its object is the
// same one, also after a kill.
func TestANetworkKeepsItsNumber(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(withAPPIN(ap{}))
	d := w.startDaemon()
	a.gives(d.learn(a, labelPIN).succeeds(oneRun))
	first := d.networks()[0]
	a.gives(d.learn(a, labelPIN).succeeds(oneRun))
	d.configure(a, "ssid", []byte(testSSID), "auth", "WPA2PSK", "encryption", "CCMP", "key",
		[]byte(newPassphrase)).succeeds(oneRun)
	if list := d.networks(); len(list) != 1 || list[0] != first {
		t.Errorf("%v, not %v", list, first)
	}
}
