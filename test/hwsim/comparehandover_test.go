//go:build hwsim

package hwsim

import (
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/test/figures"
)

// Until the network manager is connected, from the call or from the press: what a person waits for.
// Beside it, how long the manager takes that does WPS itself. Everything is started anew for each
// run, and nothing is known of any access point.

// handover is one row.
type handover struct {
	name    string
	pin     bool // a PIN, and the BSSID is named
	manager func(w *world) (connected func() bool)
	// the manager by itself; nil: it has no way that a program can start
	own func(w *world, a *hostapd, pin bool) time.Duration
	aim float64 // of our share of the own; 0: none

	scanned  bool          // a dialog has called Scan when it opened, 5 s before the call
	walk     time.Duration // the button is pressed so long after the call, and time counts from then on
	settings bool          // the access point takes settings of its own from the run
}

const walkOfHandovers = 15 * time.Second

var handovers = []handover{
	{name: "wpa_supplicant, push button", manager: quietSupplicant, own: ownSupplicant, aim: 1.0},
	{name: "wpa_supplicant, PIN with BSSID", pin: true, manager: quietSupplicant,
		own: ownSupplicant, aim: 0.15},
	{name: "wpa_supplicant on D-Bus alone, PIN with BSSID", pin: true, manager: busSupplicant,
		own: ownSupplicant, aim: 1.0},
	{name: "wpa_supplicant, PIN, new settings", pin: true, manager: quietSupplicant,
		own: ownSupplicant, aim: 1.0, settings: true},
	{name: "iwd, push button", manager: quietIwd, own: ownIwd, aim: 0.6},
	{name: "iwd, push button after a scan", manager: quietIwd, own: ownIwd, aim: 0.6,
		scanned: true},
	{name: "NetworkManager, push button", manager: quietNetworkManager, own: ownNetworkManager,
		aim: 0.6},
	{name: "NetworkManager, push button after a scan", manager: quietNetworkManager,
		own: ownNetworkManager, aim: 0.6, scanned: true},
	{name: "NetworkManager, PIN with BSSID", pin: true, manager: quietNetworkManager},
	{name: "NetworkManager, PIN, new settings", pin: true, manager: quietNetworkManager,
		settings: true},
	{name: "iwd, PIN, new settings", pin: true, manager: quietIwd, settings: true},
}

// besides are how long the station has no connection when it had one before, and a button is pressed
// some time after the call.
var besides = []handover{
	{name: "wpa_supplicant, without a connection", manager: connectedSupplicant,
		own: ownSupplicantBefore, aim: 0.1, walk: walkOfHandovers},
	{name: "NetworkManager, without a connection", manager: connectedNetworkManager,
		walk: walkOfHandovers},
	{name: "iwd, without a connection", manager: connectedIwd, walk: walkOfHandovers},
}

// handoverRuns is how many runs the median is of.
const handoverRuns = 3

func TestCompareHandOver(t *testing.T) {
	table := figures.Table{Rival: "by itself", Title: fmt.Sprintf(
		"Hand-over in virtual time, medians of %d; from the call until the manager is connected.",
		handoverRuns)}
	for _, h := range append(slices.Clone(handovers), besides...) {
		var own, ours []time.Duration
		for range handoverRuns {
			if h.own != nil {
				own = append(own, h.measure(t, h.own))
			}
			ours = append(ours, h.measure(t, func(w *world, a *hostapd, pin bool) time.Duration {
				return h.byWpsd(w, a)
			}))
		}
		slices.Sort(ours)
		row := figures.Row{Name: h.name, Unit: "s", Own: ours[handoverRuns/2].Seconds(), Aim: h.aim}
		if h.own != nil {
			slices.Sort(own)
			row.Rival = own[handoverRuns/2].Seconds()
		}
		table.Add(row)
	}
	printFigures(t, &table, "handover")
}

// measure has a house of its own for one run.
func (h handover) measure(t *testing.T,
	join func(w *world, a *hostapd, pin bool) time.Duration) (took time.Duration) {
	t.Run(strings.ReplaceAll(h.name, " ", "-"), func(t *testing.T) {
		w := newQuietWorld(t)
		var a *hostapd
		if h.walk > 0 {
			_, a = w.home()
		} else if h.settings { // WPS state: not configured
			a = w.startAP(ap{extra: []string{"wps_state=1"}})
		} else {
			a = w.startAP(ap{})
		}
		if h.pin {
			a.ask("WPS_PIN any %s", otherPIN)
		} else if h.walk == 0 {
			a.mustOK("WPS_PBC")
		}
		took = join(w, a, h.pin)
	})
	return took
}

func (h handover) byWpsd(w *world, a *hostapd) time.Duration {
	w.t.Helper()
	w.startBus()
	connected := h.manager(w)
	d := w.startDaemonAgain()
	d.isFollowed()
	time.Sleep(20 * time.Second)
	if h.scanned {
		(&ours{d}).scan()
		time.Sleep(5 * time.Second)
	}
	method, opts := "StartPbc", map[string]godbus.Variant{}
	if h.pin {
		method, opts = "StartPin", options("pin", otherPIN, "bssid", a.bssid)
	}
	left := func() time.Time { return time.Time{} }
	if h.walk > 0 {
		left = w.leaves()
	}
	s := d.call(d.client, method, opts)
	if h.walk > 0 {
		time.Sleep(h.walk)
		a.mustOK("WPS_PBC")
	}
	o := s.ends(2 * time.Minute)
	if o.networks == nil || !connected() {
		w.t.Fatalf("not connected: %s: %s", o.reason, o.sentence)
	}
	if h.walk > 0 {
		return o.at.Sub(left())
	}
	return o.at.Sub(s.began)
}

// leaves watches from now on, and tells when the station lost its connection.
func (w *world) leaves() func() time.Time {
	w.t.Helper()
	p := w.start("iw-event", "iw", "event", "-t")
	time.Sleep(time.Second)
	return func() time.Time {
		w.t.Helper()
		for line := range strings.Lines(p.output()) {
			at, text, _ := strings.Cut(line, ": ")
			seconds, err := strconv.ParseFloat(strings.TrimSpace(at), 64)
			if err == nil && strings.HasPrefix(text, station+" ") &&
				strings.Contains(text, "disconnected") {
				return time.UnixMicro(int64(seconds * 1e6))
			}
		}
		w.t.Fatal("the station never lost its connection:\n" + p.output())
		return time.Time{}
	}
}

// printFigures prints a table beside the figures that the repository keeps, and leaves those of this
// run in the log folder's terms: what to put into the file.
func printFigures(t *testing.T, table *figures.Table, name string) {
	t.Helper()
	text, err := keptFigures.ReadFile("figures/" + name + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	kept, err := figures.ReadKept(string(text))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println()
	table.Print(os.Stdout, kept)
	fmt.Printf("\nThe figures of this run, for test/hwsim/figures/%s.txt:\n%s\n", name, table.Keep())
}

//go:embed figures/*.txt
var keptFigures embed.FS

// quietSupplicant is as Debian starts it, with a network that is not in reach.
func quietSupplicant(w *world) func() bool {
	s := &supplicantManager{w: w,
		config: w.write("manager.conf", block("elsewhere", "not in reach"))}
	s.process = w.start("wpa_supplicant", "wpa_supplicant", "-u", "-O",
		"DIR=/run/wpa_supplicant GROUP=netdev", "-i", station, "-D", "nl80211", "-c", s.config)
	return func() bool { return strings.Contains(s.cli("status"), "wpa_state=COMPLETED") }
}

// busSupplicant has no control socket: its interface is removed and made again.
func busSupplicant(w *world) func() bool {
	w.start("wpa_supplicant", "wpa_supplicant", "-u", "-i", station, "-D", "nl80211", "-c",
		w.write("manager.conf", block("elsewhere", "not in reach")))
	return func() bool { return w.isAssociated(station) }
}

// connectedSupplicant is in the old network.
func connectedSupplicant(w *world) func() bool {
	s := w.startSupplicantManager(block(oldSSID, oldPassphrase))
	s.connectedTo(oldSSID)
	return func() bool { return strings.Contains(s.cli("status"), "ssid="+testSSID) }
}

func connectedNetworkManager(w *world) func() bool {
	w.startNetworkManager().connectedTo(oldSSID)
	return func() bool { return w.isAssociated(station) }
}

func connectedIwd(w *world) func() bool {
	w.byHand = true
	w.startIwd().connectedTo(oldSSID)
	return func() bool { return w.isAssociated(station) }
}

func ownSupplicant(w *world, a *hostapd, pin bool) time.Duration {
	c := w.ownSupplicant("")
	time.Sleep(20 * time.Second)
	mark, began := c.mark(), time.Now()
	if pin {
		c.ask("WPS_PIN %s %s", a.bssid, otherPIN)
	} else {
		c.mustOK("WPS_PBC")
	}
	return c.wait(mark, "CTRL-EVENT-CONNECTED", oneRun).at.Sub(began)
}

func (w *world) ownSupplicant(networks string) *control {
	w.t.Helper()
	dir := filepath.Join(scratch, "own")
	p := w.start("own", "wpa_supplicant", "-D", "nl80211", "-i", station, "-c",
		w.write("own.conf", "ctrl_interface="+dir+"\n"+networks))
	return w.dialControl(p, filepath.Join(dir, station))
}

// ownSupplicantBefore is in the old network, and tells how long it is in none.
func ownSupplicantBefore(w *world, a *hostapd, _ bool) time.Duration {
	c := w.ownSupplicant(block(oldSSID, oldPassphrase))
	c.wait(0, "CTRL-EVENT-CONNECTED", oneRun)
	time.Sleep(20 * time.Second)
	mark := c.mark()
	c.mustOK("WPS_PBC")
	time.Sleep(walkOfHandovers)
	a.mustOK("WPS_PBC")
	left := c.wait(mark, "CTRL-EVENT-DISCONNECTED", oneRun).at
	c.wait(mark, "WPS-SUCCESS", oneRun)
	return c.wait(c.mark(), "CTRL-EVENT-CONNECTED", oneRun).at.Sub(left)
}

func quietIwd(w *world) func() bool {
	w.byHand = true // root may write to iwd's directory
	w.startIwd()
	return func() bool { return w.isAssociated(station) }
}

// ownIwd is iwd's own WPS (net.connman.iwd.SimpleConfiguration): its method returns when iwd is
// connected.
func ownIwd(w *world, _ *hostapd, _ bool) time.Duration {
	w.startBus()
	w.startIwd()
	time.Sleep(20 * time.Second)
	began := time.Now()
	w.ownPushButtonOfIwd()
	took := time.Since(began)
	if !w.isAssociated(station) {
		w.t.Fatal("iwd is not connected")
	}
	return took
}

// ownPushButtonOfIwd returns when iwd is connected by it.
func (w *world) ownPushButtonOfIwd() {
	w.t.Helper()
	path := strings.TrimSpace(w.sh(`busctl call net.connman.iwd / org.freedesktop.DBus.ObjectManager GetManagedObjects --json=short | grep -o '"/net/connman/iwd/[0-9]*/[0-9]*"' | head -n 1 | tr -d '"'`))
	w.sh("busctl --timeout=150 call net.connman.iwd %s net.connman.iwd.SimpleConfiguration PushButton", path)
}

func quietNetworkManager(w *world) func() bool {
	w.startNetworkManager()
	return func() bool { return w.isAssociated(station) }
}

// ownNetworkManager presses the button by itself where it needs the key of a network, while it asks
// its agent for that (NetworkManager 1.42): one that never answers.
func ownNetworkManager(w *world, a *hostapd, _ bool) time.Duration {
	w.startBus()
	nm := w.startNetworkManager()
	nm.mustNmcli("con", "add", "type", "wifi", "ifname", station, "con-name", testSSID, "ssid",
		testSSID, "wifi-sec.key-mgmt", "wpa-psk", "autoconnect", "no", "ipv6.method", "disabled")
	w.start("agent", "sh", "-c", "sleep 1000 | nmcli agent secret")
	time.Sleep(20 * time.Second)
	began := time.Now()
	nm.mustNmcli("--wait", "0", "con", "up", testSSID)
	w.until("NetworkManager asks for an address", 2*time.Minute, func() bool {
		state := nm.mustNmcli("-g", "GENERAL.STATE", "dev", "show", station)
		return strings.HasPrefix(state, "70 ") || strings.HasPrefix(state, "100 ")
	})
	return time.Since(began)
}
