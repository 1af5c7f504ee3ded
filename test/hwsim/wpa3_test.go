//go:build hwsim

package hwsim

import (
	"strings"
	"testing"
	"time"
)

// WPS knows WPA2 at most; what access points of today have beside it.

// An access point that is set by a Registrar can add SAE to WPA2 (hostapd's wps_cred_add_sae, in
// 2.10 and 2.11): who joins it then uses SAE.
func TestManagerUsesTheSAEThatAnAccessPointAdded(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(withAPPIN(ap{}, "wps_cred_add_sae=1", "wps_independent=1"))
	w.startBus()
	m := w.startSupplicantManager(block("elsewhere", "not in reach"))
	d := w.startDaemonAgain()
	const ssid = "with SAE"
	d.configure(a, "ssid", []byte(ssid), "auth", "WPA2PSK", "encryption", "CCMP", "key",
		[]byte(testPassphrase)).ends(oneRun)
	w.until("the access point has added SAE", 20*time.Second, func() bool {
		config := a.ask("GET_CONFIG")
		return strings.Contains(config, "ssid="+ssid+"\n") &&
			strings.Contains(config, "key_mgmt=WPA-PSK SAE\n")
	})
	a.mustOK("WPS_PBC")
	if o := d.startPBC().ends(2 * time.Minute); o.networks == nil {
		t.Fatalf("the session failed: %s: %s", o.reason, o.sentence)
	}
	m.connectedTo(ssid)
	a.usesSAE()
}

// There is no WPS in 6 GHz, where WPA2 is not allowed (hostapd 2.10 and 2.11: "Invalid AKM suite
// for 6 GHz"): a router's access point there is not tried, whoever presses the router's button. Who
// names it is told which one to name, after one look that only listens there, and from then on at
// once.
func TestMemberOfARouterIn6GHzIsNotTried(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{})
	// channel 37 of operating class 131 (IEEE 802.11, annex E): 6135 MHz
	six := w.startAP(ap{radio: "wlan2", channel: 37, extra: []string{"wps_state=0",
		"op_class=131", "country_code=FI", "ieee80211ax=1", "wpa_key_mgmt=SAE", "ieee80211w=2",
		"sae_pwe=1"}})
	if freq := six.ask("STATUS"); !strings.Contains(freq, "\nfreq=6135\n") {
		t.Fatalf("the access point is not in 6 GHz:\n%s", freq)
	}
	d := w.startDaemon()
	named := func(s *session, within time.Duration) {
		t.Helper()
		o := s.fails(within, "band-without-wps")
		if !strings.Contains(o.sentence, "6 GHz band") ||
			!strings.HasSuffix(o.sentence, " instead, \""+testSSID+"\" ("+a.bssid+").") {
			t.Errorf("what to name is not told: %s", o.sentence)
		}
	}
	const atOnce = 3 * time.Second // within a scan of a band: the list of channels is longer
	named(d.startPBC("bssid", six.bssid), time.Minute)
	named(d.startPBC("bssid", six.bssid), atOnce)
	named(d.startPIN("bssid", six.bssid), atOnce)
	named(d.learn(six, labelPIN), atOnce)
	named(d.configure(six, "ssid", []byte("new"), "auth", "WPA2PSK", "encryption", "CCMP", "key",
		[]byte(testPassphrase)), atOnce)
	r := w.run("/in/wpsctl", "pbc", six.bssid)
	if r.status != 7 || !strings.Contains(r.stderr, a.bssid) {
		t.Errorf("wpsctl pbc: status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	asked := w.sh("tcpdump -r %s/air.pcap -nn -e subtype probe-req and ether src %s 2>&1", w.dir,
		w.mac(station))
	if strings.Contains(asked, " 6135 MHz ") || !strings.Contains(asked, " 2412 MHz ") {
		t.Errorf("whom it asked:\n%s", asked)
	}
	a.mustOK("WPS_PBC")
	a.gives(d.startPBC().succeeds(oneRun))
	if out := six.output(); strings.Contains(out, w.mac(station)) {
		t.Error("the station tried the one in 6 GHz")
	}
}
