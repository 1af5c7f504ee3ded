//go:build hwsim

package hwsim

import (
	"strings"
	"testing"
	"time"
)

const (
	backhaulSSID       = "backhaul"
	backhaulPassphrase = "between access points"
)

// A Multi-AP repeater gets the network that links access points; anybody else the one for devices.
// wpa_supplicant does it first, then wpsd hands it to the same wpa_supplicant.
func TestManagerSupplicantGetsTheBackhaul(t *testing.T) {
	w := newWorld(t)
	fronthaul := w.startAP(ap{extra: []string{"multi_ap=2",
		"multi_ap_backhaul_ssid=\"" + backhaulSSID + "\"",
		"multi_ap_backhaul_wpa_passphrase=" + backhaulPassphrase}})
	link := w.startAP(ap{radio: "wlan2", channel: 6, ssid: backhaulSSID,
		passphrase: backhaulPassphrase, extra: []string{"multi_ap=1", "wps_state=0"}})

	rival := w.startSupplicant(station)
	fronthaul.mustOK("WPS_PBC")
	mark := rival.mark()
	rival.mustOK("WPS_PBC multi_ap=1")
	rival.wait(mark, "CTRL-EVENT-CONNECTED - Connection to "+link.bssid, time.Minute)
	rival.stop()
	time.Sleep(10 * time.Second) // hostapd takes no notice of who has just pushed a button for 5 s

	w.startBus()
	s := w.startSupplicantManager("")
	d := w.startDaemonAgain()
	fronthaul.mustOK("WPS_PBC")
	if o := d.startPBC("multi-ap", true).ends(2 * time.Minute); o.networks == nil {
		t.Fatalf("the session failed: %s: %s", o.reason, o.sentence)
	}
	s.connectedTo(backhaulSSID)
	if set := s.cli("get_network", "0", "multi_ap_backhaul_sta"); !strings.HasPrefix(set, "1") {
		t.Errorf("wpa_supplicant joins it like any other station: %q", set)
	}
	// In the run the access point takes us for what it took wpa_supplicant for.
	for _, says := range []string{"Backhaul STA tries to associate",
		"Use backhaul STA credentials"} {
		if n := strings.Count(fronthaul.output(), says); n != 2 {
			t.Errorf("the access point says %d times that %q", n, says)
		}
	}
	time.Sleep(10 * time.Second)
	fronthaul.mustOK("WPS_PBC")
	if o := d.startPBC().ends(2 * time.Minute); o.networks == nil {
		t.Fatalf("the session failed: %s: %s", o.reason, o.sentence)
	}
	s.connectedTo(testSSID)
}
