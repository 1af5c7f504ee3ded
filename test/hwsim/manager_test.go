//go:build hwsim

package hwsim

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"
)

// The network that a manager is in before wpsd comes, and what the one under test gives addresses
// from.
const (
	oldSSID       = "old-net"
	oldPassphrase = "before anything else"
	oldAddress    = "10.8.0."
	newAddress    = "10.9.0."
)

// manager is a real network manager that has the station.
type manager interface {
	name() string
	// associated waits until the manager itself says that it is connected to the network with this
	// name.
	connectedTo(ssid string)
	// knows reports whether the manager knows a network with this name and key.
	knows(ssid, key string) bool
}

// serveAddresses is a DHCP server behind an access point.
func (w *world) serveAddresses(a *hostapd, prefix string) {
	w.t.Helper()
	w.sh("ip addr add %s1/24 dev %s", prefix, a.ap.radio)
	file := w.write("udhcpd-"+a.ap.radio+".conf",
		fmt.Sprintf("start %s50\nend %s99\ninterface %s\nlease_file %s\noption subnet 255.255.255.0\noption lease 3600\n",
			prefix, prefix, a.ap.radio, filepath.Join(w.dir, "leases-"+a.ap.radio)))
	w.start("udhcpd-"+a.ap.radio, "busybox", "udhcpd", "-f", file)
}

// home is two access points: the old one, which the manager is connected to, and one with WPS.
func (w *world) home(extra ...string) (old, fresh *hostapd) {
	w.t.Helper()
	fresh = w.startAP(ap{extra: extra})
	old = w.startAP(ap{radio: "wlan2", channel: 6, ssid: oldSSID, passphrase: oldPassphrase})
	w.serveAddresses(fresh, newAddress)
	w.serveAddresses(old, oldAddress)
	return old, fresh
}

// hasAddress waits until the station has an address from there.
func (w *world) hasAddress(prefix string) {
	w.t.Helper()
	w.until(station+" has an address "+prefix+"x", 60*time.Second, func() bool {
		return strings.Contains(w.sh("ip -4 addr show dev %s", station), "inet "+prefix)
	})
}

// isIn waits until the kernel has the station in a network.
func (w *world) isIn(ssid string) {
	w.t.Helper()
	w.until(station+" is in "+ssid, 60*time.Second, func() bool {
		return strings.Contains(w.sh("iw dev %s link", station), "SSID: "+ssid+"\n")
	})
}

// networkManager is a running NetworkManager 1.42 with wpa_supplicant.
type networkManager struct {
	*process
	w      *world
	config string
}

// startNetworkManager starts it for the station alone, with the profile of the old network, and
// with more lines of its configuration.
func (w *world) startNetworkManager(settings ...string) *networkManager {
	w.t.Helper()
	w.startSupplicantService()
	return w.startNetworkManagerAlone(settings...)
}

// startNetworkManagerAlone is startNetworkManager without what speaks with the radio for it.
func (w *world) startNetworkManagerAlone(settings ...string) *networkManager {
	w.t.Helper()
	w.must(os.RemoveAll("/etc/NetworkManager"))
	w.must(os.RemoveAll("/var/lib/NetworkManager"))
	w.must(os.RemoveAll("/run/NetworkManager"))
	w.must(os.MkdirAll("/etc/NetworkManager/system-connections", 0o700))
	w.must(os.MkdirAll("/var/lib/NetworkManager", 0o700))
	polkit := "root-only"
	if sandboxed() {
		w.startPolkitd()
		polkit = "true"
	}
	config := w.write("NetworkManager.conf", "[main]\nplugins=keyfile\ndhcp=internal\ndns=none\nauth-polkit="+polkit+"\nno-auto-default=*\n"+
		"[keyfile]\nunmanaged-devices=*,except:interface-name:"+station+
		"\n[device]\nwifi.scan-rand-mac-address=yes\n[connectivity]\nenabled=false\n[logging]\nlevel=DEBUG\n"+strings.Join(append(settings, ""), "\n"))
	n := &networkManager{w.runNetworkManager(config), w, config}
	w.until("NetworkManager has the station", 30*time.Second, func() bool {
		return n.nmcli("-g", "GENERAL.STATE", "dev", "show", station).status == 0
	})
	n.mustNmcli("con", "add", "type", "wifi", "ifname", station, "con-name", oldSSID, "ssid",
		oldSSID, "wifi-sec.key-mgmt", "wpa-psk", "wifi-sec.psk", oldPassphrase,
		"ipv6.method", "disabled")
	n.mustNmcli("con", "add", "type", "wifi", "ifname", station, "con-name", "elsewhere", "ssid",
		"elsewhere", "wifi-sec.key-mgmt", "wpa-psk", "wifi-sec.psk", "not in reach",
		"ipv6.method", "disabled")
	return n
}

// runNetworkManager starts the program. There is no udev: with a read-only /sys NetworkManager does
// not wait for it.
func (w *world) runNetworkManager(config string) *process {
	w.t.Helper()
	return w.start("NetworkManager", "busybox", "unshare", "-m", "--propagation",
		"slave", "sh", "-c",
		"mount -o remount,ro,bind /sys && exec NetworkManager --no-daemon --config "+config)
}

// startSupplicantService starts wpa_supplicant as Debian's unit does: on D-Bus, without interfaces.
func (w *world) startSupplicantService(args ...string) *process {
	w.t.Helper()
	p := w.start("wpa_supplicant", append([]string{"wpa_supplicant", "-u", "-t", "-d", "-K", "-O",
		"DIR=/run/wpa_supplicant GROUP=netdev"}, args...)...)
	p.waitLog("fi.w1.wpa_supplicant1", 10*time.Second)
	return p
}

func (n *networkManager) name() string { return "networkmanager" }

func (n *networkManager) nmcli(args ...string) result {
	return n.w.run(append([]string{"nmcli"}, args...)...)
}

func (n *networkManager) mustNmcli(args ...string) string {
	n.w.t.Helper()
	r := n.nmcli(args...)
	if r.status != 0 {
		n.w.t.Fatalf("nmcli %v: %s", args, r.stderr)
	}
	return strings.TrimSpace(r.stdout)
}

func (n *networkManager) connectedTo(ssid string) {
	n.w.t.Helper()
	n.w.until("NetworkManager is connected to "+ssid, 60*time.Second, func() bool {
		return n.mustNmcli("-g", "GENERAL.STATE,GENERAL.CONNECTION", "dev", "show",
			station) == "100 (connected)\n"+ssid
	})
}

func (n *networkManager) knows(ssid, key string) bool {
	n.w.t.Helper()
	// nmcli 1.58 leaves out a key that NetworkManager has, now and then (2 of 9 times in a row): an
	// empty answer is none.
	var r result
	for range 20 {
		r = n.nmcli("-s", "-g", "802-11-wireless-security.psk", "con", "show", ssid)
		if r.status != 0 || strings.TrimSpace(r.stdout) != "" {
			break
		}
	}
	if r.stdout != key+"\n" {
		n.w.t.Logf("nmcli con show %s: status %d\n%s%s", ssid, r.status, r.stdout, r.stderr)
	}
	return r.stdout == key+"\n"
}

// ends waits for the end of a session, without the look at the interface: that is the manager's.
func (s *session) ends(timeout time.Duration) outcome {
	s.d.w.t.Helper()
	got := s.owner.wait(s.from, timeout, "end of the session", func(g signal) bool {
		return g.Path == s.path &&
			(g.Name == busName+".Session.Succeeded" || g.Name == busName+".Session.Failed")
	})
	o := outcome{at: got.at}
	if strings.HasSuffix(got.Name, "Succeeded") {
		o.networks = networkPathsOf(got)
	} else {
		o.reason, o.configError, o.sentence = got.Body[0].(string), got.Body[1].(uint16),
			got.Body[2].(string)
	}
	return o
}

// nmName is NetworkManager's on the bus.
const nmName = "org.freedesktop.NetworkManager"

// NetworkManager 1.58 has a method in place of the property Managed, which can write onto the disk:
// what wpsd asks for is over with the session, or with NetworkManager. Before that there is the
// property alone.
func TestManagerNetworkManagerGetsTheNetwork(t *testing.T) {
	w := newWorld(t)
	_, fresh := w.home(transition...)
	w.startBus()
	nm := w.startNetworkManager()
	bus := "--address=unix:path=" + busSocket
	calls := w.start("busctl-monitor", "busctl", bus, "monitor", "--match="+
		"type='method_call',interface='"+nmName+".Device',member='SetManaged'", "--match="+
		"type='method_call',interface='org.freedesktop.DBus.Properties',member='Set'")
	calls.waitLog("Monitoring bus message stream", 10*time.Second)
	w.handsOver(nm, fresh)
	has := strings.Contains(w.sh("busctl %s introspect %s %s/Devices/2", bus, nmName,
		"/org/freedesktop/NetworkManager"), "SetManaged")
	said := calls.output()
	if property := strings.Contains(said, `STRING "Managed"`); property == has ||
		!strings.Contains(said, "Member=SetManaged") {
		t.Errorf("it has the method: %v; what it was told:\n%s", has, said)
	}
	if kept := w.sh("grep -rs managed /var/lib/NetworkManager || true"); kept != "" {
		t.Errorf("NetworkManager keeps after its end:\n%s", kept)
	}
}

// transition is a WPA2/WPA3 access point; who can do SAE has to use it there.
var transition = []string{"wpa_key_mgmt=WPA-PSK SAE", "ieee80211w=1"}

// usesSAE checks with which key management the station is in (IEEE 802.11, 9.4.2.24.3: suite 8).
func (h *hostapd) usesSAE() {
	h.w.t.Helper()
	if sta := h.ask("STA %s", h.w.mac(station)); !strings.Contains(sta,
		"AKMSuiteSelector=00-0f-ac-8\n") {
		h.w.t.Errorf("the station does not use SAE:\n%s", sta)
	}
}

// handsOver is the whole way: the manager is in its old network, a button is pressed, and it is in
// the new one.
func (w *world) handsOver(m manager, fresh *hostapd) {
	t := w.t
	t.Helper()
	m.connectedTo(oldSSID)
	w.hasAddress(oldAddress)
	d := w.startDaemonAgain()
	fresh.mustOK("WPS_PBC")
	s := d.startPBC()
	o := s.ends(2 * time.Minute)
	if o.networks == nil {
		t.Fatalf("the session failed: %s: %s", o.reason, o.sentence)
	}
	if manager := s.detail()["manager"].Value(); manager != m.name() {
		t.Errorf("Detail says that the network went to %v", manager)
	}
	made, _ := s.detail()["connection"].Value().(godbus.ObjectPath)
	uuid, _ := s.detail()["connection-uuid"].Value().(string)
	if named := m.name() == "networkmanager"; named != (uuid != "") || named !=
		strings.HasPrefix(string(made), "/org/freedesktop/NetworkManager/Settings/") {
		t.Errorf("it made %q, %q of it", made, uuid)
	}
	m.connectedTo(testSSID)
	w.isIn(testSSID)
	w.hasAddress(newAddress)
	fresh.usesSAE()
	if !m.knows(testSSID, testPassphrase) || !m.knows(oldSSID, oldPassphrase) ||
		!m.knows("elsewhere", "not in reach") {
		t.Error("the manager has lost a network")
	}
	w.owesNothing()
}

// A hand-over to somebody who is not there fails; the network is stored, and can be activated.
func TestManagerNetworkManagerAfterAFailedHandOver(t *testing.T) {
	w := newWorld(t)
	_, fresh := w.home()
	w.startBus()
	nm := w.startNetworkManager()
	nm.connectedTo(oldSSID)
	d := w.startDaemonAgain()
	fresh.mustOK("WPS_PBC")
	s := d.startPBC("apply", "iwd")
	if o := s.ends(2 * time.Minute); o.reason != "handover-failed" ||
		!strings.Contains(o.sentence, "stored") {
		t.Fatalf("the session ended with %q: %s", o.reason, o.sentence)
	}
	stored := s.property("Networks").([]godbus.ObjectPath)
	if len(stored) != 1 {
		t.Fatalf("stored are %v", stored)
	}
	nm.connectedTo(oldSSID)
	d.refused("HandoverFailed", stored[0], "Network.Activate", options("apply", "iwd"))
	d.mustCall(stored[0], "Network.Activate", options())
	nm.connectedTo(testSSID)
	w.hasAddress(newAddress)
	// A second time, and a second credential, make no second profile.
	d.mustCall(stored[0], "Network.Activate", options())
	if list := nm.mustNmcli("-g", "NAME", "con", "show"); strings.Count(list, testSSID) != 1 {
		t.Errorf("NetworkManager has the profiles:\n%s", list)
	}
	w.owesNothing()
}

// owesNothing checks that the journal of taken interfaces is empty.
func (w *world) owesNothing() {
	w.t.Helper()
	if left, _ := filepath.Glob(filepath.Join(w.stateDir(), "owed/*.json")); len(left) > 0 {
		w.t.Errorf("the journal still has %v", left)
	}
}

func TestManagerNetworkManagerIsBackInItsNetworkAfterACancel(t *testing.T) {
	w := newWorld(t)
	_, fresh := w.home("fragment_size=100")
	w.startBus()
	w.comesBack(w.startNetworkManager(), fresh, false)
}

func TestManagerNetworkManagerIsBackInItsNetworkAfterAKill(t *testing.T) {
	w := newWorld(t)
	_, fresh := w.home("fragment_size=100")
	w.startBus()
	nm := w.startNetworkManager()
	nm.connectedTo(oldSSID)
	// A profile that is volatile NetworkManager deletes as soon as it is not active: it has to come
	// back, too.
	profile := godbus.ObjectPath(nm.mustNmcli("-g", "DBUS-PATH", "con", "show", "--active"))
	const settings = "org.freedesktop.NetworkManager.Settings.Connection"
	// in memory only, volatile
	w.sh("busctl call org.freedesktop.NetworkManager %s %s Update2 'a{sa{sv}}ua{sv}' 0 24 0",
		profile, settings)
	w.comesBack(nm, fresh, true)
	if flags := w.sh("busctl get-property org.freedesktop.NetworkManager %s %s Flags", profile,
		settings); flags != "u 5\n" {
		t.Errorf("the profile's flags are %s, not those of an unsaved, volatile one", flags)
	}
}

// comesBack ends a run in its middle, by Cancel or by a kill that wpsd --restore follows.
func (w *world) comesBack(m manager, fresh *hostapd, kill bool) {
	t := w.t
	t.Helper()
	m.connectedTo(oldSSID)
	d := w.startDaemonAgain("wps_fragment_size=100")
	mark := fresh.events.len()
	fresh.mustOK("WPS_PBC")
	s := d.startPBC()
	fresh.holdMidRun(mark, s)
	if kill {
		d.kill()
		if left, _ := filepath.Glob(filepath.Join(w.stateDir(), "owed/*.json")); len(left) != 1 {
			t.Errorf("the journal of a killed wpsd has %v", left)
		}
		w.restore()
	} else {
		d.mustCall(s.path, "Session.Cancel")
		if o := s.ends(30 * time.Second); o.reason != "canceled" {
			t.Errorf("the session ended with %s", o.reason)
		}
	}
	fresh.signal(syscall.SIGCONT)
	m.connectedTo(oldSSID)
	w.isIn(oldSSID)
	w.hasAddress(oldAddress)
	if !m.knows(oldSSID, oldPassphrase) || !m.knows("elsewhere", "not in reach") ||
		m.knows(testSSID, testPassphrase) {
		t.Error("the manager's networks are not what they were")
	}
	w.owesNothing()
}

// TestManagerKeepsANetworkThatNobodyWaitsFor: the access point goes after it has given its network,
// so the hand-over does not end; a new session begins at once, and the manager has the network all
// the same.
func TestManagerKeepsANetworkThatNobodyWaitsFor(t *testing.T) {
	for _, start := range []func(w *world) manager{
		func(w *world) manager { return w.startNetworkManager() },
		func(w *world) manager { return w.startSupplicantManager(block(oldSSID, oldPassphrase)) },
		func(w *world) manager { return w.startIwd() },
	} {
		t.Run("", func(t *testing.T) {
			w := newWorld(t)
			_, fresh := w.home()
			w.startBus()
			m := start(w)
			m.connectedTo(oldSSID)
			d := w.startDaemonAgain()
			mark := fresh.mark()
			fresh.mustOK("WPS_PBC")
			s := d.startPBC()
			fresh.wait(mark, "WPS-SUCCESS", oneRun)
			fresh.ask("DISABLE")
			w.until("the network is handed over", 20*time.Second, func() bool {
				return s.property("State") == "handing-over"
			})
			next := d.begin(d.client, "StartPin")
			if o := s.ends(20 * time.Second); o.reason != "canceled" ||
				!strings.Contains(o.sentence, "another session began") {
				t.Errorf("the first session: %+v", o)
			}
			time.Sleep(2 * time.Second)
			d.mustCall(next.path, "Session.Cancel")
			if o := next.ends(30 * time.Second); o.reason != "canceled" {
				t.Errorf("the second session: %+v", o)
			}
			// To iwd the key is given when it asks, at the access point: from its sandbox wpsd
			// cannot write to iwd's directory.
			if !m.knows(testSSID, testPassphrase) && m.name() != "iwd" {
				t.Errorf("%s does not know the network", m.name())
			}
			fresh.mustOK("ENABLE")
			w.owesNothing()
		})
	}
}
