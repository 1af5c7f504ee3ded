//go:build hwsim

package hwsim

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// scratch is where everything that a scenario makes lies: a tmpfs, since a write to the host's disk
// takes any amount of time on the virtual machine's clock. The run script copies what is left of
// logs to the host.
const (
	scratch  = "/run/hwsim"
	logs     = scratch + "/logs"
	station  = "wlan1" // the interface under test
	keptHost = "WPSD_HWSIM_LOGS"
)

// world is what one scenario plays in: clean radios, a recording of the air, and a folder for logs.
type world struct {
	t      *testing.T
	dir    string // logs and configurations; kept when the scenario fails
	quiet  bool   // peers log little
	byHand bool   // root starts wpsd, outside of its sandbox (see sandbox_test.go)
}

// newWorld gives the scenario radios as they are after boot, and starts the recording of the air.
// It skips the test outside of the virtual machine.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := newQuietWorld(t)
	w.quiet = false
	w.settle()
	w.recordAir()
	return w
}

// newQuietWorld is newWorld for measuring: nobody records the air or writes long logs, and the
// channels are those that the kernel knows without a regulatory database.
func newQuietWorld(t *testing.T) *world {
	t.Helper()
	requireSimulatedRadios(t)
	w := &world{t: t, quiet: true, dir: filepath.Join(logs, strings.ReplaceAll(t.Name(), "/", "-"))}
	w.must(os.RemoveAll(w.dir))
	w.must(os.MkdirAll(w.dir, 0o755))
	w.must(os.RemoveAll(w.stateDir()))
	os.Truncate(upnpLog, 0)
	t.Cleanup(w.keepOrForget)
	w.cleanRadios()
	return w
}

// requireSimulatedRadios skips unless every radio is one of mac80211_hwsim: the scenarios take
// interfaces down and change their regulatory domain, which no real one should suffer.
func requireSimulatedRadios(t *testing.T) {
	t.Helper()
	radios, _ := filepath.Glob("/sys/class/net/wlan*")
	if os.Getuid() != 0 || len(radios) < 3 {
		t.Skip("needs root and simulated radios: run test/hwsim/run")
	}
	for _, r := range radios {
		driver, err := os.Readlink(filepath.Join(r, "device/driver"))
		if err != nil || filepath.Base(driver) != "mac80211_hwsim" {
			t.Skipf("%s is a real radio: run test/hwsim/run", filepath.Base(r))
		}
	}
}

// cleanRadios takes every radio down and makes the station's scan cache forget: a scan of one
// channel with the flush flag drops all that was heard before it, also on other channels. It is
// before each scenario, where every program that is run costs the emulated processor more than what
// it does: all radios share them.
func (w *world) cleanRadios() {
	w.t.Helper()
	switches, err := filepath.Glob("/sys/class/rfkill/*/soft")
	w.must(err)
	for _, s := range switches {
		w.must(os.WriteFile(s, []byte("0"), 0))
	}
	radios := w.radios()
	var down, up strings.Builder
	var types, scans []string
	for _, r := range radios {
		fmt.Fprintf(&down, "link set %s down\naddr flush dev %[1]s\n", r)
		fmt.Fprintf(&up, "link set %s up\n", r)
		types = append(types, "iw dev "+r+" set type managed")
		scans = append(scans, scanOfNothing(r))
	}
	w.sh("ip -batch - <<< '%s' && %s && ip -batch - <<< '%slink set hwsim0 up' && %s && ip -batch - <<< '%s'",
		down.String(), strings.Join(types, " && "), up.String(), strings.Join(scans, " && "),
		down.String())
}

// scanOfNothing makes the kernel forget what a radio has heard. Nobody is ever on channel 12. With
// two processors iw was once seen reading results for ever, when the scan was over: it is given a
// limit.
func scanOfNothing(radio string) string {
	return "timeout 30 iw dev " + radio + " scan freq 2467 flush > /dev/null"
}

// forgetScans empties the kernel's scan cache of a radio that is down, and leaves it down.
func (w *world) forgetScans(radio string) {
	w.t.Helper()
	w.sh("ip link set %s up && %s; ip link set %[1]s down", radio, scanOfNothing(radio))
}

func (w *world) radios() []string {
	w.t.Helper()
	paths, err := filepath.Glob("/sys/class/net/wlan*")
	w.must(err)
	for i, p := range paths {
		paths[i] = filepath.Base(p)
	}
	return paths
}

// settle gives the kernel the regulatory database that a real machine has, and a country in which
// access points are allowed on 5 GHz. The database cannot be taken away again, so it is there for
// all scenarios or for none.
func (w *world) settle() {
	w.t.Helper()
	w.sh(`[ -e /lib/firmware/regulatory.db ] || { mkdir -p /lib/firmware && cp /in/regulatory.db* /lib/firmware/ && iw reg reload; }
iw reg set FI`)
}

// recordAir writes every frame on every channel to air.pcap.
func (w *world) recordAir() {
	w.t.Helper()
	p := w.start("tcpdump", "tcpdump", "-i", "hwsim0", "-s", "0", "-U", "-Z", "root", "-w",
		filepath.Join(w.dir, "air.pcap"))
	p.waitLog("listening on", 10*time.Second)
}

// keepOrForget runs last, after all processes have ended.
func (w *world) keepOrForget() {
	if !w.t.Failed() {
		os.RemoveAll(w.dir)
		return
	}
	if sandboxed() {
		w.sh("cp -r %s %s/state; cp %s %[2]s; true", w.stateDir(), w.dir, upnpLog)
	}
	place := w.dir
	if host := os.Getenv(keptHost); host != "" {
		place = filepath.Join(host, filepath.Base(w.dir))
	}
	w.t.Logf("logs and the recording of the air: %s", place)
}

// must ends the scenario on an error of the harness itself.
func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// sh runs a shell command that has to succeed and returns what it printed.
func (w *world) sh(format string, args ...any) string {
	w.t.Helper()
	command := fmt.Sprintf(format, args...)
	out, err := exec.Command("bash", "-c", command).CombinedOutput()
	if err != nil {
		w.t.Fatalf("%s: %v\n%s", command, err, out)
	}
	return string(out)
}

// patience is how long to wait for what should happen within timeout. In virtual time that is what
// it takes, however slow the machine; in real time it says nothing but that something hangs.
func patience(timeout time.Duration) time.Duration {
	if os.Getenv("WPSD_HWSIM_REALTIME") == "" {
		return timeout
	}
	return max(timeout, 2*time.Minute)
}

// until waits for a condition that nobody tells us about. It looks every 20 ms at first, less often
// the longer it waits, and where a look is a program's whole run: nmcli at that pace kept the
// emulated processor busier than all that it was asked about.
func (w *world) until(what string, timeout time.Duration, met func() bool) {
	w.t.Helper()
	timeout = patience(timeout)
	for began := time.Now(); ; {
		looked := time.Now()
		if met() {
			return
		}
		if time.Since(began) > timeout {
			w.t.Fatalf("not within %v: %s", timeout, what)
		}
		time.Sleep(min(max(20*time.Millisecond, 5*time.Since(looked), time.Since(began)/20),
			300*time.Millisecond))
	}
}

// write puts a file into the scenario's folder and returns its path.
func (w *world) write(name, content string) string {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	w.must(os.WriteFile(path, []byte(content), 0o600))
	return path
}

// isUp tells whether the link is administratively up.
func (w *world) isUp(radio string) bool {
	w.t.Helper()
	text, err := os.ReadFile("/sys/class/net/" + radio + "/flags")
	w.must(err)
	flags, err := strconv.ParseUint(strings.TrimSpace(string(text)), 0, 32)
	w.must(err)
	return flags&unix.IFF_UP != 0
}

// block switches a radio off or on by software, as rfkill does.
func (w *world) block(radio string, off bool) {
	w.t.Helper()
	w.sh("echo %d > $(echo /sys/class/net/%s/phy80211/rfkill*/soft)",
		map[bool]int{true: 1}[off], radio)
}

// isAssociated tells whether the kernel has the radio associated with anything.
func (w *world) isAssociated(radio string) bool {
	w.t.Helper()
	r := w.run("iw", "dev", radio, "link")
	if r.status != 0 {
		w.t.Fatalf("iw dev %s link: %s", radio, r.stderr)
	}
	return !strings.Contains(r.stdout, "Not connected")
}
