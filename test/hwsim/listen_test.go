//go:build hwsim

package hwsim

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"
)

// scanTrace has the kernel write down who asks a radio to scan: the function returns what it wrote,
// a line each with the name of the process.
func (w *world) scanTrace() (read func() string) {
	w.t.Helper()
	const dir = "/sys/kernel/tracing"
	if _, err := os.Stat(filepath.Join(dir, "trace")); err != nil {
		w.sh("mount -t tracefs nodev %s", dir)
	}
	enable := filepath.Join(dir, "events/cfg80211/rdev_scan/enable")
	w.must(os.WriteFile(filepath.Join(dir, "trace"), nil, 0o600))
	w.must(os.WriteFile(enable, []byte("1"), 0o600))
	w.t.Cleanup(func() { _ = os.WriteFile(enable, []byte("0"), 0o600) })
	return func() string {
		text, err := os.ReadFile(filepath.Join(dir, "trace"))
		w.must(err)
		var scans []string
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, "rdev_scan:") {
				scans = append(scans, strings.TrimSpace(line))
			}
		}
		return strings.Join(scans, "\n")
	}
}

// TestManagerNetworkManagerScansForUs: whoever follows wpsd's objects hears of a button as soon as
// NetworkManager has scanned. wpsd itself sends nothing, and the connection stays. It also knows who
// has the interface.
func TestManagerNetworkManagerScansForUs(t *testing.T) {
	w := newWorld(t)
	_, fresh := w.home()
	w.startBus()
	nm := w.startNetworkManager()
	nm.connectedTo(oldSSID)
	d := w.startDaemonAgain()
	for name, want := range map[string]any{"Manager": "networkmanager", "Connected": true,
		"Disconnects": true} {
		w.until(name, 30*time.Second, func() bool {
			return d.property(d.iface(), "Interface", name) == want
		})
	}
	w.must(d.conn.Object(busName, rootPath).Call(
		"org.freedesktop.DBus.ObjectManager.GetManagedObjects", 0).Err)
	scans := w.scanTrace()
	fresh.mustOK("WPS_PBC")
	from := d.signals.len()
	pressed := func(s signal) bool {
		return s.Name == busName+".Interface.AccessPointAvailable" &&
			strings.HasSuffix(string(s.Body[0].(godbus.ObjectPath)),
				strings.ReplaceAll(fresh.bssid, ":", "_")) && s.Body[1] == "WPS-PBC"
	}
	if r := nm.nmcli("dev", "wifi", "rescan", "ifname", station); r.status != 0 {
		t.Logf("it scans by itself just now: %s", r.stderr)
	}
	d.client.wait(from, 30*time.Second, "word of the button", pressed)
	seen := scans()
	if !strings.Contains(seen, "wpa_supplicant") || strings.Contains(seen, "wpsd") {
		t.Errorf("who scanned:\n%s", seen)
	}
	if n := strings.Count(seen, "\n"); n > 0 {
		t.Logf("the button was pressed while NetworkManager scanned: it took %d scans", n+1)
	}
	nm.connectedTo(oldSSID)
	w.owesNothing()

	nm.mustNmcli("dev", "disconnect", station)
	nm.mustNmcli("dev", "set", station, "managed", "no")
	for name, want := range map[string]any{"Manager": "", "Connected": false,
		"Disconnects": false} {
		w.until(name+" afterwards", 30*time.Second, func() bool {
			return d.property(d.iface(), "Interface", name) == want
		})
	}
}
