//go:build hwsim

package hwsim

import (
	"os"
	"strings"
	"testing"
	"time"
)

// A wpa_supplicant that is not connected is asked to be quiet over its control socket, where wpsd may open that; else its
// interface is removed. Either way it is told where the network is.
func TestManagerSupplicantLooksWhereTheNetworkWasHeard(t *testing.T) {
	for name, socket := range map[string]string{"as Debian starts it": "DIR=/run/wpa_supplicant GROUP=netdev", "on D-Bus only": "DIR=/run/wpa_supplicant"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			fresh := w.startAP(ap{channel: 9})
			w.startBus()
			s := &supplicantManager{w: w}
			s.config = w.write("manager.conf", "update_config=1\n"+block("elsewhere", "not in reach"))
			w.must(os.Chmod(s.config, 0o644))
			s.process = w.startSupplicantService("-O", socket, "-i", station, "-D", "nl80211", "-c", s.config)
			w.until("wpa_supplicant has the station", 20*time.Second, func() bool { return strings.HasPrefix(s.cli("ping"), "PONG") })
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
