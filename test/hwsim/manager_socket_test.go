//go:build hwsim

package hwsim

import (
	"strings"
	"testing"
	"time"
)

// startSupplicantAlone starts wpa_supplicant as ifupdown, dhcpcd and wpa_supplicant@.service do:
// not on D-Bus.
func (w *world) startSupplicantAlone(networks string) *supplicantManager {
	w.t.Helper()
	return w.startSupplicantWith("DIR=/run/wpa_supplicant GROUP=netdev", networks)
}

func (w *world) startSupplicantWith(socket, networks string) *supplicantManager {
	w.t.Helper()
	s := &supplicantManager{w: w}
	s.config = w.write("alone.conf", "update_config=1\nctrl_interface="+socket+"\n"+networks)
	s.process = w.start("wpa_supplicant", "wpa_supplicant", "-t", "-d", "-K", "-i", station, "-D",
		"nl80211", "-c", s.config)
	s.leases()
	w.until("wpa_supplicant has the station", 20*time.Second, func() bool {
		return strings.HasPrefix(s.cli("ping"), "PONG")
	})
	return s
}

func TestManagerSupplicantOffTheBusIsBackAfterAKillAndGetsTheNetwork(t *testing.T) {
	w := newWorld(t)
	_, fresh := w.home(append([]string{"fragment_size=100"}, transition...)...)
	w.startBus()
	s := w.startSupplicantAlone(block(oldSSID, oldPassphrase) + block("elsewhere", "not in reach"))
	w.comesBack(s, fresh, true)
	fresh.mustOK("WPS_CANCEL")
	w.handsOver(s, fresh)
}

// Without a connection it looks for one all the time: DISCONNECT keeps it quiet, and from ending
// ours.
func TestManagerSupplicantOffTheBusWithoutAConnection(t *testing.T) {
	w := newWorld(t)
	fresh := w.startAP(ap{})
	w.serveAddresses(fresh, newAddress)
	w.startBus()
	s := w.startSupplicantAlone("")
	s.cli("add_network")
	s.cli("set_network", "0", "ssid", `"run time"`)
	s.cli("set_network", "0", "psk", `"only in memory"`)
	s.cli("enable_network", "0")
	d := w.startDaemonAgain()
	fresh.mustOK("WPS_PBC")
	if o := d.startPBC().ends(2 * time.Minute); o.networks == nil {
		t.Fatalf("the session failed: %s: %s", o.reason, o.sentence)
	}
	s.connectedTo(testSSID)
	w.hasAddress(newAddress)
	if list := s.cli("list_networks"); !strings.Contains(list, "\trun time\t") ||
		strings.Contains(list, "[DISABLED]") {
		t.Errorf("wpa_supplicant has lost a network:\n%s", list)
	}
	w.owesNothing()
}

// Its control sockets may be in another place: a line of the configuration says where.
func TestManagerSupplicantOffTheBusWithItsSocketElsewhere(t *testing.T) {
	w := newWorld(t)
	fresh := w.startAP(ap{})
	w.serveAddresses(fresh, newAddress)
	w.startBus()
	const elsewhere = "/run/hwsim-wpa"
	s := &supplicantManager{w: w, sockets: elsewhere}
	s.config = w.write("alone.conf",
		"ctrl_interface=DIR="+elsewhere+" GROUP=netdev\n"+block("elsewhere", "not in reach"))
	s.process = w.start("wpa_supplicant", "wpa_supplicant", "-t", "-d", "-K", "-i", station, "-D",
		"nl80211", "-c", s.config)
	s.leases()
	w.until("wpa_supplicant has the station", 20*time.Second, func() bool {
		return strings.HasPrefix(s.cli("ping"), "PONG")
	})
	d := w.startDaemonAgain("wpa_supplicant_ctrl_interface=" + elsewhere)
	fresh.mustOK("WPS_PBC")
	if o := d.startPBC().ends(2 * time.Minute); o.networks == nil {
		t.Fatalf("the session failed: %s: %s", o.reason, o.sentence)
	}
	s.connectedTo(testSSID)
	w.hasAddress(newAddress)
	w.owesNothing()
}
