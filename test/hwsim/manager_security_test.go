//go:build hwsim

package hwsim

import (
	"strings"
	"testing"
	"time"
)

// Ciphers that wpa_supplicant takes only if it is told.
func TestManagerSupplicantGetsTheCiphers(t *testing.T) {
	for _, c := range []struct{ pairwise, management string }{{"CCMP-256", "BIP-CMAC-256"},
		{"GCMP", "AES-128-CMAC"}, {"GCMP-256", "BIP-GMAC-256"}} {
		t.Run(c.pairwise, func(t *testing.T) {
			w := newWorld(t)
			a := w.startAP(ap{extra: []string{"rsn_pairwise=" + c.pairwise, "ieee80211w=1",
				"group_mgmt_cipher=" + c.management}})
			w.startBus()
			s := w.startSupplicantManager(block("elsewhere", "not in reach"))
			d := w.startDaemonAgain()
			a.mustOK("WPS_PBC")
			if o := d.startPBC().ends(2 * time.Minute); o.networks == nil {
				t.Fatalf("the session failed: %s: %s", o.reason, o.sentence)
			}
			s.connectedTo(testSSID)
			status := s.cli("status")
			for _, line := range []string{"pairwise_cipher=" + c.pairwise,
				"group_cipher=" + c.pairwise, "mgmt_group_cipher=" + map[string]string{
					"AES-128-CMAC": "BIP", "BIP-CMAC-256": "BIP-CMAC-256",
					"BIP-GMAC-256": "BIP-GMAC-256"}[c.management]} {
				if !strings.Contains(status, "\n"+line+"\n") {
					t.Errorf("no line %s in\n%s", line, status)
				}
			}
		})
	}
}

// NetworkManager has no setting for these: it says so, at once, and the network stays stored.
func TestManagerNetworkManagerWithoutTheCipher(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{extra: []string{"rsn_pairwise=GCMP-256", "ieee80211w=1",
		"group_mgmt_cipher=BIP-GMAC-256"}})
	w.startBus()
	w.startNetworkManager()
	d := w.startDaemonAgain()
	a.mustOK("WPS_PBC")
	if o := d.startPBC().ends(2 * time.Minute); o.reason != "handover-failed" ||
		!strings.Contains(o.sentence, "CCMP") {
		t.Errorf("the session ended with %q: %s", o.reason, o.sentence)
	}
	w.owesNothing()
}

// A network of WPA3 alone is joined by each manager that can.
func TestManagerJoinsANetworkOfWPA3Alone(t *testing.T) {
	for _, start := range []func(*world) manager{
		func(w *world) manager { return w.startNetworkManager() },
		func(w *world) manager {
			return w.startSupplicantManager(block("elsewhere", "not in reach"))
		},
	} {
		t.Run("", func(t *testing.T) {
			w := newWorld(t)
			a := w.startAP(ap{extra: []string{"wpa_key_mgmt=SAE", "ieee80211w=2",
				"sae_require_mfp=1"}})
			w.serveAddresses(a, newAddress)
			w.startBus()
			m := start(w)
			d := w.startDaemonAgain()
			a.mustOK("WPS_PBC")
			if o := d.startPBC().ends(2 * time.Minute); o.networks == nil {
				t.Fatalf("the session failed: %s: %s", o.reason, o.sentence)
			}
			m.connectedTo(testSSID)
			w.owesNothing()
		})
	}
}

// NetworkManager may be configured to use a random address for each connection: the key that an
// access point gave to the address of the run would not work with that.
func TestManagerNetworkManagerHasTheAddressThatTheKeyIsFor(t *testing.T) {
	w := newWorld(t)
	fresh := w.startAP(ap{security: "open", extra: []string{"wpa=2", "rsn_pairwise=CCMP",
		"wpa_key_mgmt=WPA-PSK", "wpa_psk_file=" + w.write("keys-of-stations", "")}})
	w.serveAddresses(fresh, newAddress)
	w.startBus()
	nm := w.startNetworkManager("[connection]", "wifi.cloned-mac-address=random")
	d := w.startDaemonAgain()
	fresh.mustOK("WPS_PBC")
	if o := d.startPBC().ends(2 * time.Minute); o.networks == nil {
		t.Fatalf("the session failed: %s: %s", o.reason, o.sentence)
	}
	nm.connectedTo(testSSID)
	w.hasAddress(newAddress)
	w.owesNothing()
}
