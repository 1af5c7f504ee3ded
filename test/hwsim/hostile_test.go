//go:build hwsim

package hwsim

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	ossignal "os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"wpsd/test/hostile"
)

// attackFrom is set in the process that attacks: it is the process that is spared.
const attackFrom = "WPSD_HWSIM_ATTACK_FROM"

// TestMain is also the programs that attack.
func TestMain(m *testing.M) {
	if os.Getenv(askWithoutReading) != "" {
		fmt.Println(neverReads())
		return
	}
	from, err := strconv.Atoi(os.Getenv(attackFrom))
	if err != nil {
		os.Exit(m.Run())
	}
	ctx, stop := ossignal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	// Less fast than it could, and 30 MiB for wpsd only: 55,000 messages in 27 s, and copies of 30
	// MiB for eighteen connections, kept the emulated processor busy for 200 s.
	attacker := hostile.Attacker{SpareProcess: from, Huge: 30 << 20, HugeTimes: 1, HugeTo: busName,
		Pause: 100 * time.Millisecond,
		Names: []string{busName,
			nmName, "fi.w1.wpa_supplicant1", "net.connman.iwd",
			"org.freedesktop.PolicyKit1", "org.freedesktop.login1", "org.neard"}}
	sent, victims, err := attacker.Run(ctx, "unix:path="+busSocket)
	fmt.Printf("sent %d messages to %d connections: %v\n", sent, victims, err)
}

// attack lets a user without rights (65534) send everybody on the bus, but the scenario itself,
// what nobody asked for, as soon as they are there, until stop is called. That checks that it did.
func (w *world) attack() (stop func()) {
	w.t.Helper()
	p := &process{w: w, name: "attacker", log: filepath.Join(w.dir, "attacker.log"),
		done: make(chan struct{})}
	out, err := os.Create(p.log)
	w.must(err)
	defer out.Close()
	p.cmd = exec.Command("/proc/self/exe")
	p.cmd.Env = append(os.Environ(), attackFrom+"="+strconv.Itoa(os.Getpid()))
	p.cmd.Stdout, p.cmd.Stderr = out, out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uidNobody,
		Gid: uidNobody}}
	w.must(p.cmd.Start())
	p.handle = p.cmd.Process
	go func() {
		p.cmd.Wait()
		close(p.done)
	}()
	w.t.Cleanup(p.stop)
	return func() {
		w.t.Helper()
		p.signal(syscall.SIGTERM)
		select {
		case <-p.done:
		case <-time.After(patience(time.Minute)): // it may be in the middle of 30 MiB
		}
		var sent, victims int
		said := p.output()
		if _, err := fmt.Sscanf(said, "sent %d messages to %d connections: <nil>", &sent,
			&victims); err != nil || sent < 1000 || victims < 3 {
			w.t.Errorf("there was no attack: %v: %s", err, said)
		}
		w.t.Log(strings.TrimSpace(said))
	}
}

// peak is the largest resident set that wpsd has had, in KiB.
func (d *daemon) peak() (kib int) {
	d.w.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.pid()))
	d.w.must(err)
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		d.w.t.Fatal(err)
	}
	return kib
}

// TestManagerNetworkManagerOnAHostileBus: beside somebody who sends a{gs} and lies to everybody,
// and 30 MiB to wpsd, a session of wpsctl's takes the interface from NetworkManager and hands the
// network over, another one gives it back, wpsctl monitor sees both, and nothing grows.
func TestManagerNetworkManagerOnAHostileBus(t *testing.T) {
	w := newWorld(t)
	_, fresh := w.home()
	w.startBus()
	nm := w.startNetworkManager()
	nm.connectedTo(oldSSID)
	w.hasAddress(oldAddress)
	d := w.startDaemonAgain()
	before := d.memory()
	stop := w.attack()
	monitor := w.start("monitor", "/in/wpsctl", "monitor")
	monitor.waitLog("watching wpsd", 30*time.Second)
	fresh.mustOK("WPS_PBC")
	if r := w.run("/in/wpsctl", "pbc"); r.status != 0 {
		t.Fatalf("wpsctl pbc: status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	nm.connectedTo(testSSID)
	w.hasAddress(newAddress)
	if !nm.knows(testSSID, testPassphrase) || !nm.knows(oldSSID, oldPassphrase) ||
		!nm.knows("elsewhere", "not in reach") {
		t.Error("NetworkManager has lost a network")
	}
	w.owesNothing()
	for range 3 {
		s := d.startPIN("bssid", fresh.bssid, "pin", otherPIN) // which nobody has let in
		w.until("NetworkManager has let go", 30*time.Second, func() bool {
			return strings.Contains(nm.mustNmcli("-g", "GENERAL.STATE", "dev", "show", station),
				"unmanaged")
		})
		d.mustCall(s.path, "Session.Cancel")
		if o := s.ends(30 * time.Second); o.reason != "canceled" {
			t.Errorf("the session ended with %s: %s", o.reason, o.sentence)
		}
		nm.connectedTo(testSSID)
		w.owesNothing()
	}
	w.hasAddress(newAddress)
	stop()
	said := monitor.output()
	if !monitor.running() || !strings.Contains(said, "succeeded") ||
		!strings.Contains(said, "session 4 failed") || strings.Contains(said, "a lie") {
		t.Errorf("wpsctl monitor, running %v, says:\n%s", monitor.running(), said)
	}
	if after, peak := d.memory(), d.peak(); after > before+16<<10 || peak > before+32<<10 {
		t.Errorf("resident memory went from %d to %d KiB, at most %d", before, after, peak)
	} else {
		t.Logf("resident memory went from %d to %d KiB, at most %d", before, after, peak)
	}
	d.stillThere()
}

// stillThere checks that wpsd is the process that was started, and answers.
func (d *daemon) stillThere() {
	d.w.t.Helper()
	if !d.running() {
		d.w.t.Fatal("wpsd has ended")
	}
	d.mustCall(rootPath, "Manager.GeneratePin")
}

// TestManagerNetworkManagerComesBackLate: NetworkManager is killed while a session has its
// interface, and started again three minutes after the session. Then it gets the interface back,
// and is in its network.
func TestManagerNetworkManagerComesBackLate(t *testing.T) {
	w := newWorld(t)
	_, fresh := w.home()
	w.startBus()
	nm := w.startNetworkManager()
	nm.connectedTo(oldSSID)
	d := w.startDaemonAgain("wps_fragment_size=100")
	mark := fresh.events.len()
	fresh.mustOK("WPS_PBC")
	s := d.startPBC()
	fresh.holdMidRun(mark, s)
	w.until("NetworkManager has let go", 30*time.Second, func() bool {
		return strings.Contains(nm.mustNmcli("-g", "GENERAL.STATE", "dev", "show", station),
			"unmanaged")
	})
	nm.process.signal(syscall.SIGKILL)
	<-nm.process.done
	d.mustCall(s.path, "Session.Cancel")
	if o := s.ends(30 * time.Second); o.reason != "canceled" {
		t.Errorf("the session ended with %s", o.reason)
	}
	fresh.signal(syscall.SIGCONT)
	time.Sleep(3 * time.Minute) // before, nobody tried any more after 82 s
	if left, _ := filepath.Glob(filepath.Join(w.stateDir(), "owed/*.json")); len(left) != 1 {
		t.Fatalf("the journal has %v", left)
	}
	nm.process = w.runNetworkManager(nm.config)
	w.until("the debt is paid", 60*time.Second, func() bool {
		left, _ := filepath.Glob(filepath.Join(w.stateDir(), "owed/*.json"))
		return len(left) == 0
	})
	nm.connectedTo(oldSSID)
	w.isIn(oldSSID)
	w.hasAddress(oldAddress)
}

// The same with wpa_supplicant, which is told to let go and gets the network over D-Bus.
func TestManagerSupplicantOnAHostileBus(t *testing.T) {
	w := newWorld(t)
	_, fresh := w.home(transition...)
	w.startBus()
	s := w.startSupplicantManager(block(oldSSID, oldPassphrase) +
		block("elsewhere", "not in reach"))
	stop := w.attack()
	w.handsOver(s, fresh)
	stop()
}
