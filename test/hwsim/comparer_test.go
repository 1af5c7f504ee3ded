//go:build hwsim

package hwsim

import (
	"cmp"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"

	report "wpsd/test/figures"
)

// Side by side with wpa_supplicant as External Registrar (-Dnone), without a radio both: the same
// hostapd over the loopback interface, the same wpa_supplicant as Enrollee. Times are from the call
// to what a client is told; of an Enrollee, from its own command until it has the credential.

// externalRegistrar is a daemon under comparison.
type externalRegistrar interface {
	pid() int
	begin() time.Duration     // from the start until the access point is found
	end()                     // and forgets
	learn() time.Duration     // until its settings are told
	configure() time.Duration // with the settings that it has
	allowPIN(pin string)
	// allowPBC presses the button for a device: before the device does, or once it is seen, as
	// wpa_supplicant has it.
	allowPBC(first bool, press func())
	stop()
}

// erOperation is one row of the table.
type erOperation struct {
	name    string
	prepare func(c *erContest) // not measured; nil: nothing
	run     func(c *erContest) time.Duration
	// rival is how wpa_supplicant does it, if it cannot do it like us.
	rival func(c *erContest) time.Duration
	aim   float64 // what the ratio of the times is to be at most; 0: 1
}

// keptER is the figures of an earlier run, as "compare er" prints them at its end.
//
//go:embed kept/er
var keptER string

// erContest is one daemon with its peers.
type erContest struct {
	w  *world
	er externalRegistrar
	e  *supplicant
}

var erOperations = []erOperation{
	{name: "Start until the access point is found", prepare: func(c *erContest) {
		c.er.end()
		time.Sleep(5 * time.Second)
	}, run: func(c *erContest) time.Duration { return c.er.begin() }},
	{name: "Learn for the first time", prepare: func(c *erContest) {
		c.er.end()
		time.Sleep(5 * time.Second)
		c.er.begin()
		time.Sleep(2 * time.Second)
	}, run: func(c *erContest) time.Duration { return c.er.learn() }},
	{name: "Learn at once after the access point is found", prepare: func(c *erContest) {
		c.er.end()
		time.Sleep(5 * time.Second)
		c.er.begin()
	}, run: func(c *erContest) time.Duration { return c.er.learn() }, aim: 1.2},
	{name: "Learn", run: func(c *erContest) time.Duration { return c.er.learn() }},
	{name: "Configure", run: func(c *erContest) time.Duration { return c.er.configure() }},
	{name: "Enrol by PIN", prepare: func(c *erContest) {
		c.er.allowPIN(otherPIN)
		time.Sleep(time.Second)
	}, run: func(c *erContest) time.Duration {
		return c.joins(func() { c.e.ask("WPS_PIN any %s", otherPIN) })
	}},
	{name: "Enrol by push button, the device's first", run: func(c *erContest) time.Duration {
		return c.joins(func() { c.er.allowPBC(false, func() { c.e.mustOK("WPS_PBC") }) })
	}},
	{name: "Enrol by push button, ours first", run: func(c *erContest) time.Duration {
		var began time.Time
		mark := c.e.mark()
		c.er.allowPBC(true, func() {
			began = time.Now()
			c.e.mustOK("WPS_PBC")
		})
		return c.e.wait(mark, "WPS-CRED-RECEIVED", oneRun).at.Sub(began)
	}, rival: func(c *erContest) time.Duration { // it knows only devices that it has heard
		return c.joins(func() { c.er.allowPBC(false, func() { c.e.mustOK("WPS_PBC") }) })
	}},
}

// joins has the Enrollee begin and says how long it took until it had the credential.
func (c *erContest) joins(begin func()) time.Duration {
	mark, began := c.e.mark(), time.Now()
	begin()
	return c.e.wait(mark, "WPS-CRED-RECEIVED", oneRun).at.Sub(began)
}

// median runs one operation and takes the middle of each figure.
func (c *erContest) median(o erOperation) medians {
	var seconds, cpu []float64
	for n := range measuredRuns + 1 {
		c.e.ask("WPS_CANCEL")
		c.e.mustOK("REMOVE_NETWORK all")
		// hostapd takes no notice of who has just pushed a button for 5 s
		time.Sleep(10 * time.Second)
		if o.prepare != nil {
			o.prepare(c)
		}
		before := c.w.cpu(c.er.pid())
		took := o.run(c)
		if spent := c.w.cpu(c.er.pid()) - before; n > 0 {
			seconds, cpu = append(seconds, took.Seconds()), append(cpu, spent.Seconds())
		}
	}
	slices.Sort(seconds)
	slices.Sort(cpu)
	return medians{seconds: seconds[measuredRuns/2], cpu: cpu[measuredRuns/2]}
}

func TestCompareER(t *testing.T) {
	w := newQuietWorld(t)
	w.sh("ip link set lo up")
	results := map[string][]medians{}
	idle := map[string]footprint{}
	names := []string{"wpa_supplicant", "wpsd"}
	for _, name := range names {
		h := w.startAP(withUPnP(ap{}))
		e := w.startSupplicant(station)
		var er externalRegistrar
		if name == "wpsd" {
			w.startBus()
			er = &ourER{w.startERDaemon(), h}
		} else {
			er = w.startRivalER()
		}
		c := &erContest{w, er, e}
		er.begin()
		er.learn()
		idle[name] = w.footprint(er.pid())
		for _, o := range erOperations {
			if name != "wpsd" && o.rival != nil {
				o.run = o.rival
			}
			results[name] = append(results[name], c.median(o))
		}
		time.Sleep(time.Minute)
		idle[name+", after all runs"] = w.footprint(er.pid())
		er.stop()
		e.stop()
		h.stop()
	}
	table := report.Table{Rival: "wpa_supplicant", Title: fmt.Sprintf(
		"As External Registrars in virtual time, medians of %d", measuredRuns)}
	for i, o := range erOperations {
		rival, own := results["wpa_supplicant"][i], results["wpsd"][i]
		table.Add(report.Row{Name: o.name, Unit: "ms", Rival: rival.seconds * 1e3,
			Own: own.seconds * 1e3, Aim: cmp.Or(o.aim, 1)})
		table.Add(report.Row{Name: o.name + ", CPU", Unit: "ms", Rival: rival.cpu * 1e3,
			Own: own.cpu * 1e3, Aim: 1})
	}
	for _, when := range []string{"", ", after all runs"} {
		table.Add(report.Row{Name: "Anonymous memory, one access point" + when, Unit: "KiB",
			Rival: float64(idle["wpa_supplicant"+when].anonymous),
			Own:   float64(idle["wpsd"+when].anonymous)})
	}
	kept, err := report.ReadKept(keptER)
	w.must(err)
	fmt.Println()
	table.Print(os.Stdout, kept)
	fmt.Printf("\ntest/hwsim/kept/er would be:\n%s", table.Keep())
	fmt.Printf("\n%-44s %10s %10s %14s %18s\n", "Idle, one access point", "RSS KiB", "PSS KiB",
		"anonymous KiB", "wake-ups in 60 s")
	for _, name := range names {
		for _, n := range []string{name, name + ", after all runs"} {
			fmt.Printf("%-44s %10d %10d %14d %18d\n", n, idle[n].rss, idle[n].pss,
				idle[n].anonymous, idle[n].wakeups)
		}
	}
	fmt.Println()
}

// rivalER is wpa_supplicant.
type rivalER struct{ *supplicant }

func (w *world) startRivalER() *rivalER {
	w.t.Helper()
	dir := filepath.Join(scratch, "rival-er")
	w.must(os.RemoveAll(dir))
	config := w.write("rival-er.conf",
		"ctrl_interface="+dir+"\ndevice_name=WPS External Registrar\n")
	p := w.start("rival-er", "wpa_supplicant", "-D", "none", "-i", "lo", "-c", config)
	return &rivalER{&supplicant{w, p, w.dialControl(p, filepath.Join(dir, "lo"))}}
}

func (r *rivalER) begin() time.Duration {
	mark, began := r.mark(), time.Now()
	r.mustOK("WPS_ER_START")
	return r.wait(mark, "WPS-ER-AP-ADD", oneRun).at.Sub(began)
}

func (r *rivalER) end() { r.mustOK("WPS_ER_STOP") }

func (r *rivalER) learn() time.Duration {
	mark, began := r.mark(), time.Now()
	r.mustOK("WPS_ER_LEARN %s %s", upnpUUID, labelPIN)
	return r.wait(mark, "WPS-ER-AP-SETTINGS", oneRun).at.Sub(began)
}

// configure: it does not say when it is done, but does after the access point took them.
func (r *rivalER) configure() time.Duration {
	mark, began := r.mark(), time.Now()
	r.mustOK("WPS_ER_CONFIG %s %s %x WPA2PSK CCMP %x", upnpUUID, labelPIN, testSSID, testPassphrase)
	return r.wait(mark, "WPS-SUCCESS", oneRun).at.Sub(began)
}

func (r *rivalER) allowPIN(pin string) { r.mustOK("WPS_ER_PIN any %s", pin) }

func (r *rivalER) allowPBC(_ bool, press func()) {
	mark := r.mark()
	press()
	added := r.wait(mark, "WPS-ER-ENROLLEE-ADD", oneRun)
	r.mustOK("WPS_ER_PBC %s", strings.Fields(added.text)[1])
}

// ourER is wpsd.
type ourER struct {
	*registrar
	h *hostapd
}

func (r *ourER) told(from int, name string) time.Time {
	return r.client.wait(from, oneRun, name, func(g signal) bool {
		return g.Name == busName+"."+name
	}).at
}

func (r *ourER) begin() time.Duration {
	from, began := r.signals.len(), time.Now()
	r.mustCall(r.iface(), "ER.Start", options())
	return r.told(from, "ER.AccessPointAdded").Sub(began)
}

func (r *ourER) end() { r.mustCall(r.iface(), "ER.Stop") }

func (r *ourER) learn() time.Duration {
	from, began := r.signals.len(), time.Now()
	r.mustCall(r.iface(), "ER.Learn", upnpUUID, labelPIN, options())
	return r.told(from, "ER.ApSettings").Sub(began)
}

func (r *ourER) configure() time.Duration {
	from, began := r.signals.len(), time.Now()
	r.mustCall(r.iface(), "ER.Configure", upnpUUID, labelPIN,
		options("ssid", []byte(testSSID), "auth", "WPA2PSK", "encryption", "CCMP", "key",
			[]byte(testPassphrase)))
	return r.told(from, "Session.CredentialReceived").Sub(began)
}

func (r *ourER) allowPIN(pin string) {
	r.mustCall(r.iface(), "ER.EnrollPin", "any", pin, options())
}

func (r *ourER) allowPBC(first bool, press func()) {
	if first {
		r.mustCall(r.iface(), "ER.EnrollPbc", "any", options())
		time.Sleep(time.Second)
		press()
		return
	}
	from := r.signals.len()
	press()
	added := r.client.wait(from, oneRun, "EnrolleeAdded", func(g signal) bool {
		return g.Name == busName+".ER.EnrolleeAdded"
	})
	mac := strings.ReplaceAll(string(added.Body[0].(godbus.ObjectPath)), "_", ":")
	r.mustCall(r.iface(), "ER.EnrollPbc", mac[len(mac)-17:], options())
}
