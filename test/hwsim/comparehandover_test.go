//go:build hwsim

package hwsim

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"
)

// Until the network manager is connected, from the call: what a person waits for. Beside it, how
// long the manager takes that does WPS itself. Everything is started anew for each run, and nothing
// is known of any access point.

// handover is one row.
type handover struct {
	name    string
	pin     bool // a PIN, and the BSSID is named
	manager func(w *world) (connected func() bool)
	// the manager by itself; nil: it has no way that a program can start
	own func(w *world, a *hostapd, pin bool) time.Duration
	aim float64 // of our share of the own; 0: none
}

var handovers = []handover{
	{"wpa_supplicant, push button", false, quietSupplicant, ownSupplicant, 1.0},
	{"wpa_supplicant, PIN with BSSID", true, quietSupplicant, ownSupplicant, 0.15},
	{"iwd, push button", false, quietIwd, ownIwd, 0.6},
	{"NetworkManager, push button", false, quietNetworkManager, nil, 0},
	{"NetworkManager, PIN with BSSID", true, quietNetworkManager, nil, 0},
}

// handoverRuns is how many runs the median is of.
const handoverRuns = 3

func TestCompareHandOver(t *testing.T) {
	fmt.Printf("\nHand-over in virtual time, medians of %d; from the call until the manager is connected.\n", handoverRuns)
	fmt.Printf("%-40s %12s %12s %7s %6s\n", "", "by itself", "with wpsd", "ratio", "aim")
	for _, h := range handovers {
		var own, ours []time.Duration
		for range handoverRuns {
			if h.own != nil {
				own = append(own, h.measure(t, h.own))
			}
			ours = append(ours, h.measure(t, func(w *world, a *hostapd, pin bool) time.Duration {
				return h.byWpsd(w, a)
			}))
		}
		slices.Sort(own)
		slices.Sort(ours)
		took := ours[handoverRuns/2].Seconds()
		if h.own == nil {
			fmt.Printf("%-40s %12s %10.4f s\n", h.name, "-", took)
			continue
		}
		rival, verdict := own[handoverRuns/2].Seconds(), ""
		if took/rival > h.aim {
			verdict = "  missed"
		}
		fmt.Printf("%-40s %10.4f s %10.4f s %7.3f %6s%s\n", h.name, rival, took, took/rival,
			fmt.Sprintf("≤ %.2g", h.aim), verdict)
	}
	fmt.Println()
}

// measure has a house of its own for one run.
func (h handover) measure(t *testing.T,
	join func(w *world, a *hostapd, pin bool) time.Duration) (took time.Duration) {
	t.Run(strings.ReplaceAll(h.name, " ", "-"), func(t *testing.T) {
		w := newQuietWorld(t)
		a := w.startAP(ap{})
		if h.pin {
			a.ask("WPS_PIN any %s", otherPIN)
		} else {
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
	time.Sleep(20 * time.Second)
	method, opts := "StartPbc", map[string]godbus.Variant{}
	if h.pin {
		method, opts = "StartPin", options("pin", otherPIN, "bssid", a.bssid)
	}
	s := d.call(d.client, method, opts)
	o := s.ends(2 * time.Minute)
	if o.networks == nil || !connected() {
		w.t.Fatalf("not connected: %s: %s", o.reason, o.sentence)
	}
	return o.at.Sub(s.began)
}

// quietSupplicant is as Debian starts it, with a network that is not in reach.
func quietSupplicant(w *world) func() bool {
	s := &supplicantManager{w: w,
		config: w.write("manager.conf", block("elsewhere", "not in reach"))}
	s.process = w.start("wpa_supplicant", "wpa_supplicant", "-u", "-O",
		"DIR=/run/wpa_supplicant GROUP=netdev", "-i", station, "-D", "nl80211", "-c", s.config)
	return func() bool { return strings.Contains(s.cli("status"), "wpa_state=COMPLETED") }
}

func ownSupplicant(w *world, a *hostapd, pin bool) time.Duration {
	dir := filepath.Join(scratch, "own")
	p := w.start("own", "wpa_supplicant", "-D", "nl80211", "-i", station, "-c",
		w.write("own.conf", "ctrl_interface="+dir+"\n"))
	c := w.dialControl(p, filepath.Join(dir, station))
	time.Sleep(20 * time.Second)
	mark, began := c.mark(), time.Now()
	if pin {
		c.ask("WPS_PIN %s %s", a.bssid, otherPIN)
	} else {
		c.mustOK("WPS_PBC")
	}
	return c.wait(mark, "CTRL-EVENT-CONNECTED", oneRun).at.Sub(began)
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
	path := strings.TrimSpace(w.sh(`busctl call net.connman.iwd / org.freedesktop.DBus.ObjectManager GetManagedObjects --json=short | grep -o '"/net/connman/iwd/[0-9]*/[0-9]*"' | head -n 1 | tr -d '"'`))
	began := time.Now()
	w.sh("busctl --timeout=150 call net.connman.iwd %s net.connman.iwd.SimpleConfiguration PushButton", path)
	took := time.Since(began)
	if !w.isAssociated(station) {
		w.t.Fatal("iwd is not connected")
	}
	return took
}

func quietNetworkManager(w *world) func() bool {
	w.startNetworkManager()
	return func() bool { return w.isAssociated(station) }
}
