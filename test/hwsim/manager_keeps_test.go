//go:build hwsim

package hwsim

import (
	"testing"
	"time"
)

// TestManagerKeepsItsConnectionUntilSomebodyIsToBeTried: while nobody has pressed, and while an
// access point that was named is out of reach, the station stays in its network: the access point
// there does not see it leave, and the manager knows of nothing. It is in there again soon after a
// session that leaves it there.
func TestManagerKeepsItsConnectionUntilSomebodyIsToBeTried(t *testing.T) {
	both := block(oldSSID, oldPassphrase) + block("elsewhere", "not in reach")
	for name, start := range map[string]func(w *world) manager{
		"NetworkManager":            func(w *world) manager { return w.startNetworkManager() },
		"wpa_supplicant":            func(w *world) manager { return w.startSupplicantManager(both) },
		"wpa_supplicant, off D-Bus": func(w *world) manager { return w.startSupplicantAlone(both) },
		"iwd":                       func(w *world) manager { return w.startIwd() },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			old, fresh := w.home()
			w.startBus()
			m := start(w)
			m.connectedTo(oldSSID)
			w.hasAddress(oldAddress)
			d := w.startDaemonAgain()
			mark := old.mark()

			s := d.startPIN("bssid", "02:00:00:00:77:77", "pin", otherPIN)
			old.staysWith(mark, 10*time.Second)
			d.mustCall(s.path, "Session.Cancel")
			if o := s.ends(10 * time.Second); o.reason != "canceled" {
				t.Errorf("the session ended with %s: %s", o.reason, o.sentence)
			}
			old.staysWith(mark, time.Second)
			s = d.startPBC("apply", "none")
			old.staysWith(mark, 13*time.Second)
			m.connectedTo(oldSSID)
			w.owesNothing()

			fresh.mustOK("WPS_PBC")
			pressed := time.Now()
			o := s.ends(30 * time.Second)
			if o.networks == nil {
				t.Fatalf("the session failed: %s: %s", o.reason, o.sentence)
			}
			left := old.wait(mark, "AP-STA-DISCONNECTED", time.Second).at
			m.connectedTo(oldSSID)
			w.isIn(oldSSID)
			back := time.Since(left)
			t.Logf("from the press to the end %v, without the connection %v", o.at.Sub(pressed), back)
			if back > 5*time.Second {
				t.Errorf("the connection was away for %v", back)
			}
			w.owesNothing()
		})
	}
}

// staysWith fails if the station leaves the access point within a while, or has left since mark.
func (h *hostapd) staysWith(mark int, d time.Duration) {
	h.w.t.Helper()
	time.Sleep(d)
	if h.saw(mark, "AP-STA-DISCONNECTED") {
		h.w.t.Fatal("the station has left")
	}
	if h.ask("STA %s", h.w.mac(station)) == "FAIL" {
		h.w.t.Fatal("the station is not there")
	}
}
