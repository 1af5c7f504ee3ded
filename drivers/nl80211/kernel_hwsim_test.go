//go:build hwsim

package nl80211

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"wpsd/drivers"
	"wpsd/drivers/drivertest"
)

// What the kernel and hostapd do beyond what every driver is asked for.

var onAir = drivertest.APConfig{SSID: "on air", Frequency: 2412}

// hwsimStation takes our interface.
func hwsimStation(t *testing.T, d *Driver) drivers.Station {
	t.Helper()
	s, err := d.Station(t.Context(), ours)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestHostapdHearsWhatWeSend(t *testing.T) {
	needHwsim(t)
	h := startHostapd(t, onAir)
	s := hwsimStation(t, hwsimDriver(t, false))
	r := find(t, s, h)
	start := time.Now()
	link, err := s.Associate(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(start)
	t.Logf("an association takes %v", took)
	// A look at the channel would take 30 ms and more: with BSSID and frequency given and the
	// access point in the kernel's list there is none.
	if os.Getenv("WPSD_HWSIM_REALTIME") == "" && took > 15*time.Millisecond {
		t.Error("that is enough for a scan")
	}
	if _, err := link.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := link.Send(t.Context(), []byte{1, 1, 0, 0}); err != nil {
		t.Fatal(err)
	}
	await(t, "hostapd to get EAPOL-Start", func() bool {
		return h.said("received EAPOL-Start from STA")
	})
	if err := link.Send(t.Context(), append([]byte{1, 0, 0, 6, 2, 99, 0, 6}, 1, 'x')); err != nil {
		t.Fatal(err)
	}
	await(t, "hostapd to get an EAP response", func() bool {
		return h.said("EAP packet (code=2 id=99 len=6) from STA")
	})
	if err := link.Close(); err != nil {
		t.Fatal(err)
	}
	await(t, "hostapd to hear that we leave", func() bool { return h.said("reason_code=3") })
}

func TestARefusalTellsItsStatus(t *testing.T) {
	needHwsim(t)
	h := startHostapd(t, onAir)
	mac := address(t, ours)
	if answer := h.ask(t, "DENY_ACL ADD_MAC "+net.HardwareAddr(mac[:]).String()); answer != "OK\n" {
		t.Fatalf("hostapd: %q", answer)
	}
	s := hwsimStation(t, hwsimDriver(t, false))
	// hostapd does not answer the probes of a station that it denies; its beacons are heard when we
	// listen longer.
	r := drivers.AssociateRequest{BSSID: h.BSSID(), SSID: []byte(onAir.SSID), Frequency: 2412,
		Privacy: true, IEs: drivertest.WSCElement()}
	var lost *drivers.LostError
	for range 20 {
		_, err := s.Associate(t.Context(), r)
		if !errors.As(err, &lost) || !errors.Is(err, drivers.ErrAssociation) {
			t.Fatalf("Associate: %v", err)
		}
		if lost.Status != 0 {
			break
		}
	}
	if lost.Status == 0 {
		t.Errorf("Associate: %+v, without a status", lost)
	}
}

func TestAnAccessPointThatFallsSilentIsALostLink(t *testing.T) {
	needHwsim(t)
	h := startHostapd(t, onAir)
	s := hwsimStation(t, hwsimDriver(t, false))
	link, err := s.Associate(t.Context(), find(t, s, h))
	if err != nil {
		t.Fatal(err)
	}
	h.process.Process.Kill() // no farewell
	h.process.Wait()
	h.stopped = true
	run(t, "ip", "link", "set", h.radio, "down")
	start := time.Now()
	for err == nil {
		_, err = link.Receive(t.Context())
	}
	var lost *drivers.LostError
	if !errors.As(err, &lost) || !errors.Is(err, drivers.ErrLinkLost) || lost.ByPeer {
		t.Errorf("Receive: %#v", err)
	}
	t.Logf("noticed after %v: %v", time.Since(start), err)
}

func TestARenamedInterfaceIsGone(t *testing.T) {
	needHwsim(t)
	d := hwsimDriver(t, false)
	s := hwsimStation(t, d)
	if _, err := s.Channels(t.Context()); err != nil {
		t.Fatal(err)
	}
	setUp(t, false)
	run(t, "ip", "link", "set", ours, "name", "renamed0")
	defer run(t, "ip", "link", "set", "renamed0", "name", ours)
	await(t, "the Station to end", func() bool {
		_, err := s.Channels(t.Context())
		return errors.Is(err, drivers.ErrInterfaceGone)
	})
	select {
	case <-d.Changed():
	case <-time.After(5 * time.Second):
		t.Error("Changed did not tell")
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	other, err := d.Station(t.Context(), "renamed0")
	if err != nil {
		t.Fatalf("Station under the new name: %v", err)
	}
	other.Close()
}

func TestAScanWaitsForSomebodyElses(t *testing.T) {
	needHwsim(t)
	h := startHostapd(t, onAir)
	theirs, mine := hwsimStation(t, hwsimDriver(t, false)), hwsimStation(t, hwsimDriver(t, false))
	find(t, mine, h)
	done := make(chan time.Time)
	go func() {
		if _, err := theirs.Scan(t.Context(), drivers.ScanRequest{}); err != nil {
			t.Errorf("the other program's scan: %v", err)
		}
		done <- time.Now()
	}()
	scans := theirs.(*Station).scans
	await(t, "the other program's scan to run", func() bool {
		scans.mu.Lock()
		defer scans.mu.Unlock()
		return scans.running
	})
	if _, err := mine.Scan(t.Context(), drivers.ScanRequest{Frequencies: []int{2412}}); err != nil {
		t.Fatalf("Scan: %v", err)
	}
	mineEnded := time.Now()
	if after := mineEnded.Sub(<-done); after < 0 || after > time.Second {
		t.Errorf("ours ended %v after theirs", after)
	} else {
		t.Logf("ours ended %v after theirs", after)
	}
}

// helperVariable makes the test binary the program that is killed while it is associated.
const helperVariable = "NL80211_TEST_ASSOCIATE"

func TestMain(m *testing.M) {
	if bssid := os.Getenv(helperVariable); bssid != "" {
		associateForever(bssid)
	}
	os.Exit(m.Run())
}

func associateForever(bssid string) {
	mac, err := net.ParseMAC(bssid)
	if err != nil {
		panic(err)
	}
	d, err := New(slog.New(slog.DiscardHandler))
	if err != nil {
		panic(err)
	}
	s, err := d.Station(context.Background(), ours)
	if err != nil {
		panic(err)
	}
	_, err = s.Associate(context.Background(), drivers.AssociateRequest{
		BSSID: [6]byte(mac), SSID: []byte(onAir.SSID), Frequency: 2412, Privacy: true,
		IEs: drivertest.WSCElement(),
	})
	if err != nil {
		panic(err)
	}
	os.Stdout.WriteString("associated\n")
	select {}
}

func TestTheKernelDisconnectsAKilledDaemon(t *testing.T) {
	needHwsim(t)
	h := startHostapd(t, onAir)
	find(t, hwsimStation(t, hwsimDriver(t, false)), h)
	setUp(t, true)
	defer setUp(t, false)
	mac := h.BSSID()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), helperVariable+"="+net.HardwareAddr(mac[:]).String())
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 32)
	if n, _ := out.Read(line); string(line[:n]) != "associated\n" {
		t.Fatalf("the program said %q", line[:n])
	}
	if !isAssociated(t) {
		t.Fatal("it is not associated")
	}
	c.Process.Kill()
	c.Wait()
	await(t, "the kernel to disconnect", func() bool { return !isAssociated(t) })
	await(t, "hostapd to hear of it", func() bool { return h.said("reason_code=3") })
}

// TestIdle counts how often the process wakes up in a minute with a driver that has nothing to do,
// and without one.
func TestIdle(t *testing.T) {
	needHwsim(t)
	alone := wakeUps(t)
	d := hwsimDriver(t, false)
	hwsimStation(t, d)
	if _, err := d.Interfaces(t.Context()); err != nil {
		t.Fatal(err)
	}
	// Go's own (timers of the runtime, this test's sleep) differ from minute to minute, once in a
	// while by more than a few; what the driver does it would do in every one.
	together := wakeUps(t)
	for n := 0; n < 2 && together > alone+10; n++ {
		together = min(together, wakeUps(t))
	}
	t.Logf("wake-ups in a minute: %d without a driver, %d with", alone, together)
	if together > alone+10 {
		t.Error("the driver wakes up while it is idle")
	}
}

// wakeUps counts how often threads of this process were put to sleep within a minute.
func wakeUps(t *testing.T) int {
	t.Helper()
	runtime.GC() // now rather than meanwhile
	time.Sleep(2 * time.Second)
	before := switches(t)
	time.Sleep(time.Minute)
	return switches(t) - before
}

// switches adds up the voluntary context switches of all threads.
func switches(t *testing.T) int {
	t.Helper()
	files, err := filepath.Glob("/proc/self/task/*/status")
	if err != nil {
		t.Fatal(err)
	}
	sum := 0
	pattern := regexp.MustCompile(`(?m)^voluntary_ctxt_switches:\s*(\d+)`)
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			continue // a thread that has ended
		}
		if m := pattern.FindStringSubmatch(strings.TrimSpace(string(b))); m != nil {
			n, _ := strconv.Atoi(m[1])
			sum += n
		}
	}
	return sum
}
