//go:build hwsim

package hwsim

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"
)

// The journey: from the moment in which the router's button is pressed until this machine has an
// address in its network. NetworkManager's own WPS takes an agent that keeps its question for the
// password open, as a dialogue does that nobody types into.

// journeyRuns is how many runs the median is of.
const journeyRuns = 3

// leg is a part of a journey, with its end from the button on.
type leg struct {
	name string
	at   time.Duration
}

func TestCompareJourney(t *testing.T) {
	fmt.Printf("\nFrom the button until there is an address, in virtual time, medians of %d.\n",
		journeyRuns)
	fmt.Printf("%-46s %12s %12s %7s\n", "", "NM's own WPS", "with wpsd", "ratio")
	for _, late := range []time.Duration{0, 10 * time.Second} {
		var own, ours []time.Duration
		var legs [][]leg
		for range journeyRuns {
			own = append(own, journey(t, func(w *world, a *hostapd) time.Duration {
				return w.journeyOfNetworkManager(a, late)
			}))
			ours = append(ours, journey(t, func(w *world, a *hostapd) time.Duration {
				l := w.journeyWithWpsd(a, late)
				legs = append(legs, l)
				return l[len(l)-1].at
			}))
		}
		slices.Sort(own)
		slices.Sort(ours)
		name := "button and command at once"
		if late > 0 {
			name = fmt.Sprintf("button %.0f s after the command", late.Seconds())
		}
		theirs, took := own[journeyRuns/2].Seconds(), ours[journeyRuns/2].Seconds()
		fmt.Printf("%-46s %10.3f s %10.3f s %7.3f\n", name, theirs, took, took/theirs)
		for _, l := range legs[len(legs)-1] {
			fmt.Printf("    with wpsd, %-31s %23.3f s\n", l.name, l.at.Seconds())
		}
	}
	fmt.Println()
}

// journey has a house of its own for one run.
func journey(t *testing.T, travel func(*world, *hostapd) time.Duration) (took time.Duration) {
	t.Run("journey", func(t *testing.T) {
		w := newQuietWorld(t)
		a := w.startAP(ap{})
		w.serveAddresses(a, newAddress)
		w.startBus()
		took = travel(w, a)
	})
	if took == 0 {
		t.FailNow()
	}
	return took
}

// arrived waits until there is an address, and says how long after the button.
func (w *world) arrived(button time.Time) time.Duration {
	w.t.Helper()
	w.hasAddress(newAddress)
	return time.Since(button)
}

func (w *world) journeyOfNetworkManager(a *hostapd, late time.Duration) time.Duration {
	nm := w.startNetworkManager()
	nm.keyless(testSSID, "default")
	time.Sleep(20 * time.Second)
	r, open, err := os.Pipe()
	w.must(err)
	defer r.Close()
	defer open.Close()
	begin := func() {
		w.startReading(r, 0, "nmcli-up", "nmcli", "-w", "100", "--ask", "con",
			"up", testSSID)
	}
	return w.arrived(press(a, late, begin))
}

// press has somebody give the command, and press the button so long after it.
func press(a *hostapd, late time.Duration, command func()) (button time.Time) {
	if late == 0 {
		button = time.Now()
		a.mustOK("WPS_PBC")
		command()
		return button
	}
	command()
	time.Sleep(late)
	button = time.Now()
	a.mustOK("WPS_PBC")
	return button
}

// isFollowed has a client follow the objects, as the applet does: then wpsd hears what others scan.
func (d *daemon) isFollowed() {
	d.w.must(d.conn.Object(busName, rootPath).Call(
		"org.freedesktop.DBus.ObjectManager.GetManagedObjects", 0).Err)
}

func (w *world) journeyWithWpsd(a *hostapd, late time.Duration) []leg {
	w.t.Helper()
	w.startNetworkManager()
	d := w.startDaemonAgain()
	d.isFollowed()
	time.Sleep(20 * time.Second)
	from := d.signals.len()
	var s *session
	button := press(a, late, func() { s = d.startPBC() })
	address := w.arrived(button)
	var legs []leg
	for _, got := range d.signals.all(from) {
		if got.Path != s.path || !strings.HasSuffix(got.Name, ".PropertiesChanged") {
			continue
		}
		changed, _ := got.Body[1].(map[string]godbus.Variant)
		if state, ok := changed["State"].Value().(string); ok {
			legs = append(legs, leg{"until it is " + state, got.at.Sub(button)})
		}
	}
	return append(legs, leg{"until there is an address", address})
}
