//go:build hwsim

package hwsim

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A wpa_supplicant that is not connected is asked to be quiet over its control socket, where wpsd
// may open that; else its interface is removed. Either way it is told where the network is.
func TestManagerSupplicantLooksWhereTheNetworkWasHeard(t *testing.T) {
	for name, socket := range map[string]string{
		"as Debian starts it": "DIR=/run/wpa_supplicant GROUP=netdev",
		"on D-Bus only":       "DIR=/run/wpa_supplicant",
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			fresh := w.startAP(ap{channel: 9})
			w.startBus()
			s := &supplicantManager{w: w}
			s.config = w.write("manager.conf",
				"update_config=1\n"+block("elsewhere", "not in reach"))
			w.must(os.Chmod(s.config, 0o644))
			s.process = w.startSupplicantService("-O", socket, "-i", station, "-D", "nl80211",
				"-c", s.config)
			w.until("wpa_supplicant has the station", 20*time.Second, func() bool {
				return strings.HasPrefix(s.cli("ping"), "PONG")
			})
			d := w.startDaemonAgain()
			time.Sleep(10 * time.Second)
			fresh.ask("WPS_PIN any %s", otherPIN)
			run := d.startPIN("bssid", fresh.bssid, "pin", otherPIN)
			o := run.ends(2 * time.Minute)
			if o.networks == nil {
				t.Fatalf("the session failed: %s: %s", o.reason, o.sentence)
			}
			took := o.at.Sub(run.began)
			t.Logf("from the call until connected: %v", took)
			if took > 1500*time.Millisecond {
				t.Errorf("it took %v: it scans channels on which the network was not heard", took)
			}
			if text := s.cli("get_network", "1", "scan_freq"); strings.Contains(text, "24") {
				t.Errorf("it goes on looking there only: %s", text)
			}
			w.owesNothing()
		})
	}
}

// One Credential is for a network that is not in reach, as of a router whose other band is out of
// range: wpa_supplicant by itself, and by us, is in the other network in seconds, and knows both.
func TestManagerSupplicantGetsSeveralNetworks(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{extra: []string{"skip_cred_build=1", "extra_cred=" + w.severalCredentials()}})
	rival := w.startSupplicant(station)
	rival.mustOK("SET wps_cred_processing 0")
	a.mustOK("WPS_PBC")
	mark, began := rival.mark(), time.Now()
	rival.mustOK("WPS_PBC")
	theirs := rival.wait(mark, "CTRL-EVENT-CONNECTED - Connection to "+a.bssid,
		time.Minute).at.Sub(began)
	rival.stop()
	time.Sleep(10 * time.Second) // hostapd takes no notice of who has just pushed a button for 5 s

	w.startBus()
	s := w.startSupplicantManager("")
	d := w.startDaemonAgain()
	a.mustOK("WPS_PBC")
	run := d.startPBC()
	o := run.ends(2 * time.Minute)
	if o.networks == nil {
		t.Fatalf("the session failed: %s: %s", o.reason, o.sentence)
	}
	ours := o.at.Sub(run.began)
	t.Logf("connected after %v, wpa_supplicant by itself after %v", ours, theirs)
	if ours > theirs*3/2 {
		t.Error("it takes much longer than wpa_supplicant")
	}
	s.connectedTo(testSSID)
	for _, ssid := range []string{"other band", testSSID} {
		if !s.knows(ssid, testPassphrase) {
			t.Errorf("wpa_supplicant does not know %q:\n%s", ssid, s.cli("list_networks"))
		}
	}
}

// severalCredentials is a file for extra_cred: a network that is not in reach, and the one under
// test.
func (w *world) severalCredentials() string {
	w.t.Helper()
	one := func(ssid string) string {
		mac := strings.Split(w.mac(station), ":")
		var raw []byte
		for _, part := range mac {
			n, err := strconv.ParseUint(part, 16, 8)
			w.must(err)
			raw = append(raw, byte(n))
		}
		return string(tlv(0x100e, string(tlv(0x1026, "\x01"))+string(tlv(0x1045, ssid))+
			string(tlv(0x1003, "\x00\x20"))+
			string(tlv(0x100f, "\x00\x08"))+string(tlv(0x1027, testPassphrase))+
			string(tlv(0x1020, string(raw)))))
	}
	return w.write("extra-cred", one("other band")+one(testSSID))
}
