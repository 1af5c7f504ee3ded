//go:build hwsim

package hwsim

import (
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

// Side by side with wpa_supplicant: the same access point, the same radio, the same virtual
// machine. Times are from the call to the credential as a client of the daemon sees both, CPU is
// the daemon's own over that span. Figures mean something in virtual time only (see vm): one
// instruction is one nanosecond there.

// operation is one row of the table.
type operation struct {
	name    string
	pin     bool
	named   bool   // the BSSID is given
	scanned bool   // a full scan of the same daemon ended 2 s ago; otherwise nothing is known
	channel int    // of the access point
	as      string // "learn" or "configure": as a Registrar; otherwise as an Enrollee
	// The button is pressed so long after the call, from when on the time counts; 0: before. With
	// pressed it is pressed after the scan, and not before it.
	walk    time.Duration
	pressed bool
	aim     float64 // most that our time may be, as a share of wpa_supplicant's; 0: none
}

var operations = []operation{
	{name: "PIN with BSSID, cold", pin: true, named: true, channel: 1, aim: 0.5},
	{name: "PIN any, authorized, cold", pin: true, channel: 1, aim: 0.6},
	{name: "PIN with BSSID, after a scan", pin: true, named: true, scanned: true,
		channel: 1, aim: 1.0},
	{name: "PIN any, after a scan", pin: true, scanned: true, channel: 1, aim: 1.0},
	{name: "PBC, cold", channel: 1, aim: 1.0},
	{name: "PBC, after a full scan with one PBC AP", scanned: true, channel: 1, aim: 0.1},
	// The access point's own PIN: to its settings, and to the settings that it took.
	{name: "Learn, cold", as: "learn", named: true, channel: 1, aim: 0.5},
	{name: "Learn, after a scan", as: "learn", named: true, scanned: true, channel: 1, aim: 1.0},
	{name: "Configure, cold", as: "configure", named: true, channel: 1, aim: 0.5},
	{name: "Configure, after a scan", as: "configure", named: true, scanned: true,
		channel: 1, aim: 1.0},
	// Which channel the access point is on matters to whoever does not scan them all.
	{name: "PIN with BSSID, cold, channel 9", pin: true, named: true, channel: 9},
	{name: "PIN any, authorized, cold, channel 9", pin: true, channel: 9},
	{name: "PBC, cold, channel 9", channel: 9},
}

// walks are the usual way of push button: a click, a walk to the router, and the press, from when
// on the time counts. Where that falls in the scans of either matters: three phases.
var walks = []operation{
	{name: "PBC, pressed 14.0 s after the call", walk: 14 * time.Second, channel: 1, aim: 0.1},
	{name: "PBC, pressed 15.3 s after the call", walk: 15300 * time.Millisecond,
		channel: 1, aim: 0.1},
	{name: "PBC, pressed 16.7 s after the call", walk: 16700 * time.Millisecond,
		channel: 1, aim: 0.1},
	{name: "PBC, pressed after a scan, then the call", scanned: true, pressed: true,
		channel: 1, aim: 1.0},
}

// measuredRuns is how many runs the median is of; one before them fills caches and is told apart.
const measuredRuns = 5

// enrollee is a daemon under comparison.
type enrollee interface {
	pid() int
	// forget makes daemon and kernel know no access point and no network.
	forget()
	// scan does a full scan and returns when the daemon has its results.
	scan()
	// enrol starts the operation, has the button pressed if that is due after the call, and returns
	// how long it took to the credential.
	enrol(o operation, bssid string, press func()) time.Duration
	// rest waits until the daemon has nothing more to do.
	rest()
	stop()
}

// medians are what came of one operation with one daemon.
type medians struct{ seconds, cpu, first float64 }

func TestCompare(t *testing.T) { newQuietWorld(t).compare(operations, "station") }

func TestCompareWalk(t *testing.T) { newQuietWorld(t).compare(walks, "walk") }

// compare has wpa_supplicant and wpsd do the same, and prints the table beside the figures that are
// kept in a file.
func (w *world) compare(operations []operation, file string) {
	w.t.Helper()
	results := map[string][]medians{}
	idle := map[string]footprint{}
	contest := func(name string, e enrollee) {
		time.Sleep(5 * time.Second)
		idle[name] = w.footprint(e.pid())
		for _, o := range operations {
			results[name] = append(results[name], w.median(e, o))
		}
		idle[name+", after all runs"] = w.footprint(e.pid())
		e.stop()
	}
	contest("wpa_supplicant", w.startRival())
	names := []string{"wpa_supplicant"}
	if _, err := os.Stat("/in/wpsd"); err == nil {
		w.sh("ip link set %s down", station)
		contest("wpsd", &ours{w.startDaemon()})
		names = append(names, "wpsd")
	}
	w.print(operations, results, idle, names, file)
}

// median runs one operation and takes the middle of each figure.
func (w *world) median(e enrollee, o operation) medians {
	w.t.Helper()
	a := w.startAP(withAPPIN(ap{channel: o.channel}))
	defer a.stop()
	var seconds, cpu []float64
	var first float64
	for n := range measuredRuns + 1 {
		e.forget()
		switch {
		case o.as != "":
		case o.pin:
			a.ask("WPS_PIN any %s", otherPIN)
		case o.walk == 0 && !o.pressed:
			a.mustOK("WPS_PBC")
		}
		if o.scanned {
			e.scan()
			if o.pressed {
				a.mustOK("WPS_PBC")
			}
			time.Sleep(2 * time.Second)
		}
		before := w.cpu(e.pid())
		took := e.enrol(o, a.bssid, func() { a.mustOK("WPS_PBC") })
		spent := w.cpu(e.pid()) - before
		e.rest()
		a.ask("WPS_CANCEL")
		// hostapd takes no notice of who has just pushed a button for 5 s
		time.Sleep(10 * time.Second)
		if n == 0 {
			first = took.Seconds()
			continue
		}
		seconds, cpu = append(seconds, took.Seconds()), append(cpu, spent.Seconds())
	}
	slices.Sort(seconds)
	slices.Sort(cpu)
	return medians{seconds[measuredRuns/2], cpu[measuredRuns/2], first}
}

// cpuAim is the most that our processor time may be, as a share of wpa_supplicant's: who watches
// for a button wakes more often than who scans everything again and again.
func (o operation) cpuAim() float64 {
	if o.walk > 0 {
		return 2
	}
	return 1.3
}

// walks has the button pressed if that is due after the call, and returns from when on the time
// counts.
func (o operation) walks(began time.Time, press func()) time.Time {
	if o.walk == 0 {
		return began
	}
	time.Sleep(time.Until(began.Add(o.walk)))
	press()
	return time.Now()
}

// cpu is the time that all threads of a process have run.
func (w *world) cpu(pid int) (sum time.Duration) {
	for _, fields := range w.schedstat(pid) {
		sum += time.Duration(fields[0])
	}
	return sum
}

// schedstat has per thread: nanoseconds on the CPU, nanoseconds waiting for it, times put on it.
func (w *world) schedstat(pid int) (threads [][3]int64) {
	w.t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	w.must(err)
	for _, f := range files {
		text, err := os.ReadFile(f)
		w.must(err)
		var fields [3]int64
		if _, err := fmt.Sscan(string(text), &fields[0], &fields[1], &fields[2]); err != nil {
			w.t.Fatal(err)
		}
		threads = append(threads, fields)
	}
	return threads
}

// footprint is what a daemon costs while it does nothing.
type footprint struct {
	rss, pss, anonymous int   // KiB; few programs run here, so that libraries count wholly in pss
	wakeups             int64 // in 60 s
}

func (w *world) footprint(pid int) (f footprint) {
	w.t.Helper()
	woken := func() (n int64) {
		for _, fields := range w.schedstat(pid) {
			n += fields[2]
		}
		return n
	}
	before := woken()
	time.Sleep(60 * time.Second)
	f.wakeups = woken() - before
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	w.must(err)
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		switch fields[0] {
		case "Rss:":
			f.rss, _ = strconv.Atoi(fields[1])
		case "Pss:":
			f.pss, _ = strconv.Atoi(fields[1])
		case "Anonymous:":
			f.anonymous, _ = strconv.Atoi(fields[1])
		}
	}
	return f
}

// print writes the tables, with ratios where there are two daemons.
func (w *world) print(operations []operation, results map[string][]medians,
	idle map[string]footprint, names []string, file string) {
	table := figures.Table{Rival: "wpa_supplicant", Title: fmt.Sprintf(
		"Side by side in virtual time, medians of %d; from the call to the credential.",
		measuredRuns)}
	rival, own := results["wpa_supplicant"], results[names[len(names)-1]]
	for i, o := range operations {
		table.Add(figures.Row{Name: o.name, Unit: "s", Rival: rival[i].seconds,
			Own: own[i].seconds, Aim: o.aim})
	}
	for i, o := range operations {
		table.Add(figures.Row{Name: o.name + ", CPU", Unit: "ms", Rival: rival[i].cpu * 1e3,
			Own: own[i].cpu * 1e3, Aim: o.cpuAim()})
	}
	for i, o := range operations { // what a cold cache costs is no news, and nobody's aim
		fmt.Printf("first run: %-44s %10.4f s %10.4f s\n", o.name, rival[i].first, own[i].first)
	}
	for n, name := range []string{"wpsd", "wpsd, after all runs"} {
		if f, ok := idle[name]; ok {
			table.Add(figures.Row{Name: "resident, " + name, Unit: "KiB", Own: float64(f.rss),
				Aim: []float64{12 << 10, 13 << 10}[n]})
			table.Add(figures.Row{Name: "anonymous, " + name, Unit: "KiB",
				Own: float64(f.anonymous), Aim: []float64{4 << 10, 5 << 10}[n]})
		}
	}
	printFigures(w.t, &table, file)
	fmt.Printf("\n%-40s %10s %10s %14s %18s\n", "Idle, one interface", "RSS KiB", "PSS KiB",
		"anonymous KiB", "wake-ups in 60 s")
	for _, name := range names {
		for _, n := range []string{name, name + ", after all runs"} {
			fmt.Printf("%-40s %10d %10d %14d %18d\n", n, idle[n].rss, idle[n].pss,
				idle[n].anonymous, idle[n].wakeups)
		}
	}
	fmt.Println()
}

// rival is wpa_supplicant as an enrollee.
type rival struct{ *supplicant }

func (w *world) startRival() *rival {
	w.t.Helper()
	dir := filepath.Join(scratch, "rival")
	config := w.write("rival.conf", "ctrl_interface="+dir+"\n")
	// Without -d: it would be measured writing its log.
	p := w.start("rival", "wpa_supplicant", "-D", "nl80211", "-i", station, "-c", config)
	return &rival{&supplicant{w, p, w.dialControl(p, filepath.Join(dir, station))}}
}

func (r *rival) forget() {
	r.mustOK("REMOVE_NETWORK all")
	r.w.sh("iw dev %s scan freq 2467 flush >/dev/null", station)
	r.mustOK("BSS_FLUSH 0")
	time.Sleep(time.Second)
}

func (r *rival) scan() {
	mark := r.mark()
	r.mustOK("SCAN")
	r.wait(mark, "CTRL-EVENT-SCAN-RESULTS", oneRun)
}

func (r *rival) enrol(o operation, bssid string, press func()) time.Duration {
	if !o.named {
		bssid = "any"
	}
	mark, began := r.mark(), time.Now()
	switch {
	case o.as == "learn":
		r.mustOK("WPS_REG %s %s", bssid, labelPIN)
	case o.as == "configure": // what it has already, so that every run begins alike
		r.mustOK("WPS_REG %s %s %x WPA2PSK CCMP %x", bssid, labelPIN, testSSID, testPassphrase)
	case o.pin:
		r.ask("WPS_PIN %s %s", bssid, otherPIN)
	default:
		r.mustOK("WPS_PBC")
	}
	began = o.walks(began, press)
	return r.wait(mark, "WPS-CRED-RECEIVED", oneRun).at.Sub(began)
}

func (r *rival) rest() {
	time.Sleep(3 * time.Second)
	r.mustOK("REMOVE_NETWORK all")
	time.Sleep(time.Second)
}

// ours is wpsd as an enrollee.
type ours struct{ *daemon }

func (d *ours) forget() {
	d.w.forgetScans(station)
	// wpsd forgets an access point that was not heard for three minutes
	time.Sleep(190 * time.Second)
}

func (d *ours) scan() {
	from := d.signals.len()
	d.mustCall(d.iface(), "Interface.Scan", options())
	d.client.wait(from, oneRun, "ScanDone", func(g signal) bool {
		return g.Name == busName+".Interface.ScanDone"
	})
}

func (d *ours) enrol(o operation, bssid string, press func()) time.Duration {
	method, opts := "StartPbc", map[string]godbus.Variant{}
	if o.pin {
		method, opts = "StartPin", options("pin", otherPIN)
	}
	if o.named && o.as == "" {
		opts["bssid"] = godbus.MakeVariant(bssid)
	}
	args := []any{opts}
	switch o.as {
	case "learn":
		method, args = "Learn", []any{bssid, labelPIN, opts}
	case "configure":
		method, args = "Configure", []any{bssid, labelPIN,
			options("ssid", []byte(testSSID), "auth", "WPA2PSK", "encryption", "CCMP", "key",
				[]byte(testPassphrase))}
	}
	from, began := d.signals.len(), time.Now()
	d.mustCall(d.iface(), "Interface."+method, args...)
	began = o.walks(began, press)
	got := d.client.wait(from, oneRun, "credential", func(g signal) bool {
		return g.Name == busName+".Session.CredentialReceived"
	})
	return got.at.Sub(began)
}

func (d *ours) rest() {
	time.Sleep(3 * time.Second)
	d.givenBack()
}
