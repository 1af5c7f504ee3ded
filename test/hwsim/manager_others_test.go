//go:build hwsim

package hwsim

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"
)

// supplicantManager is wpa_supplicant on D-Bus with a configuration file of its own, and a DHCP
// client.
type supplicantManager struct {
	*process
	w       *world
	config  string
	sockets string // where its control sockets are; "": in the usual place
	dhcp    *process
}

// dhcpScript does what udhcpc's usual script does, as far as it matters here.
const dhcpScript = `#!/bin/bash
case $1 in
  deconfig) ip -4 addr flush dev $interface ;;
  bound | renew) ip -4 addr flush dev $interface; ip addr add $ip/24 dev $interface ;;
esac
`

func (w *world) startSupplicantManager(networks string, more ...string) *supplicantManager {
	w.t.Helper()
	s := &supplicantManager{w: w}
	s.config = w.write("manager.conf", "update_config=1\nctrl_interface=/run/wpa_supplicant\n"+
		networks+strings.Join(more, "\n")+"\n")
	s.process = w.startSupplicantService("-i", station, "-D", "nl80211", "-c", s.config)
	s.leases()
	w.until("wpa_supplicant has the station", 20*time.Second, func() bool {
		return strings.HasPrefix(s.cli("ping"), "PONG")
	})
	return s
}

// leases starts a DHCP client that asks anew whenever it is told.
func (s *supplicantManager) leases() {
	script := s.w.write("udhcpc.sh", dhcpScript)
	s.w.must(os.Chmod(script, 0o755))
	s.dhcp = s.w.start("udhcpc", "busybox", "udhcpc", "-f", "-i", station, "-s", script, "-t",
		"1000", "-T", "1")
}

// block is a network block.
func block(ssid, passphrase string) string {
	return fmt.Sprintf("network={\n\tssid=\"%s\"\n\tpsk=\"%s\"\n}\n", ssid, passphrase)
}

func (s *supplicantManager) name() string { return "wpa_supplicant" }

func (s *supplicantManager) cli(command ...string) string {
	s.w.t.Helper()
	r := s.w.run(append([]string{"wpa_cli", "-p", cmp.Or(s.sockets, "/run/wpa_supplicant"), "-i",
		station}, command...)...)
	return r.stdout
}

func (s *supplicantManager) connectedTo(ssid string) {
	s.w.t.Helper()
	s.w.until("wpa_supplicant is connected to "+ssid, 60*time.Second, func() bool {
		status := s.cli("status")
		return strings.Contains(status, "\nssid="+ssid+"\n") &&
			strings.Contains(status, "wpa_state=COMPLETED")
	})
	// A real client watches the link; this one is told.
	s.dhcp.signal(syscall.SIGUSR2)
	s.dhcp.signal(syscall.SIGUSR1)
}

func (s *supplicantManager) knows(ssid, key string) bool {
	s.w.t.Helper()
	text, err := os.ReadFile(s.config)
	s.w.must(err)
	for _, b := range strings.Split(string(text), "network={")[1:] {
		if strings.Contains(b, fmt.Sprintf("ssid=%q", ssid)) &&
			strings.Contains(b, fmt.Sprintf("psk=%q", key)) {
			return strings.Contains(s.cli("list_networks"), "\t"+ssid+"\t") &&
				!strings.Contains(b, "disabled=1")
		}
	}
	return false
}

func TestManagerSupplicantGetsTheNetwork(t *testing.T) {
	w := newWorld(t)
	_, fresh := w.home(transition...)
	w.startBus()
	w.handsOver(w.startSupplicantManager(block(oldSSID, oldPassphrase)+
		block("elsewhere", "not in reach")), fresh)
}

func TestManagerSupplicantIsBackInItsNetworkAfterACancel(t *testing.T) {
	w := newWorld(t)
	_, fresh := w.home("fragment_size=100")
	w.startBus()
	w.comesBack(w.startSupplicantManager(block(oldSSID, oldPassphrase)+
		block("elsewhere", "not in reach")), fresh, false)
}

func TestManagerSupplicantIsBackInItsNetworkAfterAKill(t *testing.T) {
	w := newWorld(t)
	_, fresh := w.home("fragment_size=100")
	w.startBus()
	w.comesBack(w.startSupplicantManager(block(oldSSID, oldPassphrase)+
		block("elsewhere", "not in reach")), fresh, true)
}

// Without a connection there is nothing that wpa_supplicant could leave: the interface itself is
// removed from it.
func TestManagerSupplicantWithoutAConnectionGetsTheNetwork(t *testing.T) {
	w := newWorld(t)
	fresh := w.startAP(ap{})
	w.serveAddresses(fresh, newAddress)
	w.startBus()
	s := w.startSupplicantManager(block("elsewhere", "not in reach"))
	d := w.startDaemonAgain()
	fresh.mustOK("WPS_PBC")
	o := d.startPBC().ends(2 * time.Minute)
	if o.networks == nil {
		t.Fatalf("the session failed: %s: %s", o.reason, o.sentence)
	}
	s.connectedTo(testSSID)
	w.hasAddress(newAddress)
	if !s.knows(testSSID, testPassphrase) || !s.knows("elsewhere", "not in reach") {
		t.Error("wpa_supplicant has lost a network")
	}
	w.owesNothing()
}

// What was added at run time is in no file, and its key cannot be read: the interface stays, and we
// are apart.
func TestManagerSupplicantKeepsNetworksOfItsRunTime(t *testing.T) {
	w := newWorld(t)
	fresh := w.startAP(ap{})
	w.serveAddresses(fresh, newAddress)
	w.startBus()
	s := w.startSupplicantManager("")
	s.cli("add_network")
	s.cli("set_network", "0", "ssid", `"run time"`)
	s.cli("set_network", "0", "psk", `"only in memory"`)
	s.cli("enable_network", "0")
	d := w.startDaemonAgain()
	fresh.mustOK("WPS_PBC")
	o := d.startPBC("apply", "none").ends(2 * time.Minute)
	if o.networks == nil {
		t.Fatalf("the session failed: %s: %s", o.reason, o.sentence)
	}
	if list := s.cli("list_networks"); !strings.Contains(list, "\trun time\t") {
		t.Errorf("wpa_supplicant has lost a network:\n%s", list)
	}
	if strings.Contains(w.sh("ip link"), "wps0") {
		t.Error("our own interface is still there")
	}
}

// iwdManager is iwd 2.3, which looks after addresses itself.
type iwdManager struct {
	*process
	w *world
}

const iwdDirectory = "/var/lib/iwd"

func (w *world) startIwd() *iwdManager {
	w.t.Helper()
	return w.startIwdWith("true")
}

// startIwdWith starts iwd; ownAddresses says whether it asks for addresses itself.
func (w *world) startIwdWith(ownAddresses string) *iwdManager {
	w.t.Helper()
	w.must(os.RemoveAll(iwdDirectory))
	w.must(os.MkdirAll(iwdDirectory, 0o700))
	w.must(os.MkdirAll("/etc/iwd", 0o755))
	w.must(os.WriteFile("/etc/iwd/main.conf",
		[]byte("[General]\nUseDefaultInterface=true\nEnableNetworkConfiguration="+ownAddresses+
			"\n[Network]\nNameResolvingService=none\n"), 0o600))
	for ssid, key := range map[string]string{oldSSID: oldPassphrase, "elsewhere": "not in reach"} {
		w.must(os.WriteFile(filepath.Join(iwdDirectory, ssid+".psk"),
			[]byte("# mine\n[Security]\nPassphrase="+key+
				"\n\n[Settings]\nAutoConnect=true\n"), 0o600))
	}
	w.sh("ip link set %s down", station)
	p := w.start("iwd", "/usr/libexec/iwd", "-d", "-i", station)
	return &iwdManager{p, w}
}

func (i *iwdManager) name() string { return "iwd" }

func (i *iwdManager) connectedTo(ssid string) {
	i.w.t.Helper()
	i.w.until("iwd is connected to "+ssid, 90*time.Second, func() bool {
		r := i.w.run("busctl", "call", "net.connman.iwd", "/", "org.freedesktop.DBus.ObjectManager",
			"GetManagedObjects", "--json=short")
		for _, network := range strings.Split(r.stdout, `"net.connman.iwd.Network"`)[1:] {
			if strings.Contains(network, fmt.Sprintf(`"Name":{"type":"s","data":"%s"}`, ssid)) &&
				strings.Contains(network, `"Connected":{"type":"b","data":true}`) {
				return strings.Contains(r.stdout, `"State":{"type":"s","data":"connected"}`)
			}
		}
		return false
	})
}

func (i *iwdManager) knows(ssid, key string) bool {
	i.w.t.Helper()
	text, _ := os.ReadFile(filepath.Join(iwdDirectory, ssid+".psk"))
	return strings.Contains(string(text), "Passphrase="+key+"\n")
}

func TestManagerIwdGetsTheNetwork(t *testing.T) {
	w := newWorld(t)
	w.byHand = true // root may write to iwd's directory
	_, fresh := w.home(transition...)
	w.startBus()
	w.handsOver(w.startIwd(), fresh)
}

// Where wpsd may not write to iwd's directory, as in its own unit, iwd asks it for the passphrase.
func TestManagerIwdAsksForThePassphrase(t *testing.T) {
	w := newWorld(t)
	fresh := w.startAP(ap{})
	w.serveAddresses(fresh, newAddress)
	w.startBus()
	i := w.startIwd()
	w.until("iwd is there", 20*time.Second, func() bool {
		return w.run("busctl", "call", "net.connman.iwd", "/", "org.freedesktop.DBus.ObjectManager",
			"GetManagedObjects").status == 0
	})
	d := w.startDaemonAgain()
	fresh.mustOK("WPS_PBC")
	if o := d.startPBC().ends(2 * time.Minute); o.networks == nil {
		t.Fatalf("the session failed: %s: %s", o.reason, o.sentence)
	}
	i.connectedTo(testSSID)
	w.hasAddress(newAddress)
	if !i.knows(testSSID, testPassphrase) || !i.knows("elsewhere", "not in reach") {
		t.Error("iwd has lost a network")
	}
	w.owesNothing()
}

// iwd has WPS of its own (net.connman.iwd.SimpleConfiguration). wpsd keeps out of that, and takes
// the interface afterwards as ever.
func TestManagerIwdRunsItsOwnPushButton(t *testing.T) {
	w := newWorld(t)
	_, fresh := w.home()
	w.startBus()
	i := w.startIwd()
	i.connectedTo(oldSSID)
	d := w.startDaemonAgain()
	fresh.mustOK("WPS_PBC")
	w.ownPushButtonOfIwd()
	i.connectedTo(testSSID)
	if got := d.property(d.iface(), "Interface", "Session"); got != godbus.ObjectPath("/") {
		t.Errorf("wpsd has a session: %v", got)
	}
	if n := len(d.networks()); n != 0 || !i.knows(testSSID, testPassphrase) {
		t.Errorf("wpsd has %d networks, iwd's is kept: %v", n, i.knows(testSSID, testPassphrase))
	}
	s := d.startPIN("bssid", fresh.bssid)
	fresh.ask("WPS_PIN any %s", s.pin)
	if o := s.ends(2 * time.Minute); o.networks == nil {
		t.Fatalf("the session failed: %s: %s", o.reason, o.sentence)
	}
	i.connectedTo(testSSID)
	w.owesNothing()
}

func TestManagerIwdIsBackInItsNetworkAfterACancel(t *testing.T) {
	w := newWorld(t)
	_, fresh := w.home("fragment_size=100")
	w.startBus()
	w.comesBack(w.startIwd(), fresh, false)
}

func TestManagerIwdIsBackInItsNetworkAfterAKill(t *testing.T) {
	w := newWorld(t)
	_, fresh := w.home("fragment_size=100")
	w.startBus()
	w.comesBack(w.startIwd(), fresh, true)
}
