//go:build hwsim

package nl80211

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"wpsd/drivers"
	"wpsd/drivers/drivertest"
)

// These tests run as root in the virtual machine of test/hwsim: wlan1 is ours, hostapd plays on the
// others.

const ours = "wlan1"

// needHwsim skips the test on a machine whose radios are real.
func needHwsim(t *testing.T) {
	t.Helper()
	if _, err := os.Stat("/sys/class/mac80211_hwsim"); err != nil || os.Getuid() != 0 {
		t.Skip("needs root and the simulated radios of mac80211_hwsim: see test/hwsim")
	}
}

// run runs a program and returns its output.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// read reads a small file of sysfs.
func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

// address is the hardware address of an interface.
func address(t *testing.T, name string) [6]byte {
	t.Helper()
	mac, err := net.ParseMAC(read(t, "/sys/class/net/"+name+"/address"))
	if err != nil {
		t.Fatal(err)
	}
	return [6]byte(mac)
}

// hostapd is a running access point and its control socket.
type hostapd struct {
	radio   string
	process *exec.Cmd
	log     string // its file
	control *net.UnixConn
	stopped bool
}

var hostapds atomic.Int64

// startHostapd starts an access point on the first free radio. It belongs to the test.
func startHostapd(t *testing.T, c drivertest.APConfig) *hostapd {
	t.Helper()
	radio := map[int]string{2412: "wlan0", 2437: "wlan2"}[c.Frequency]
	if radio == "" {
		t.Fatalf("no radio is set aside for %d MHz", c.Frequency)
	}
	// Not t.TempDir: the path of a Unix socket has room for 107 bytes.
	dir, err := os.MkdirTemp("/run", "nl80211-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	config := []string{
		"driver=nl80211", "interface=" + radio, "ctrl_interface=" + dir, "ssid=" + c.SSID,
		"hw_mode=g", fmt.Sprintf("channel=%d", (c.Frequency-2407)/5),
		"wpa=2", "wpa_key_mgmt=WPA-PSK", "rsn_pairwise=CCMP", "wpa_passphrase=correct horse",
		"eap_server=1", "wps_state=2", "device_name=Test access point", "manufacturer=wpsd",
		"model_name=hwsim",
		"config_methods=label virtual_push_button",
	}
	file := filepath.Join(dir, "hostapd.conf")
	if err := os.WriteFile(file, []byte(strings.Join(config, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	h := &hostapd{radio: radio, log: filepath.Join(dir, "log")}
	h.process = exec.Command("hostapd", "-t", "-d", "-f", h.log, file)
	if err := h.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		h.Stop(t)
		if t.Failed() {
			log, _ := os.ReadFile(h.log)
			t.Logf("hostapd on %s said:\n%s", radio, log[max(0, len(log)-6000):])
		}
	})
	h.dial(t, filepath.Join(dir, radio))
	return h
}

// dial connects to the control socket and waits until the access point is on the air.
func (h *hostapd) dial(t *testing.T, path string) {
	t.Helper()
	await(t, "hostapd's control socket", func() bool {
		_, err := os.Stat(path)
		return err == nil
	})
	client := fmt.Sprintf("%s-client%d", path, hostapds.Add(1))
	var err error
	h.control, err = net.DialUnix("unixgram", &net.UnixAddr{Name: client, Net: "unixgram"},
		&net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	await(t, "hostapd to be enabled", func() bool {
		return strings.Contains(h.ask(t, "STATUS"), "state=ENABLED")
	})
}

// ask sends a command to hostapd and returns the answer.
func (h *hostapd) ask(t *testing.T, command string) string {
	t.Helper()
	if _, err := h.control.Write([]byte(command)); err != nil {
		t.Fatalf("hostapd: %s: %v", command, err)
	}
	answer := make([]byte, 8192)
	h.control.SetReadDeadline(time.Now().Add(10 * time.Second))
	n, err := h.control.Read(answer)
	if err != nil {
		t.Fatalf("hostapd: %s: %v", command, err)
	}
	return string(answer[:n])
}

// said tells whether hostapd has logged the text.
func (h *hostapd) said(text string) bool {
	log, err := os.ReadFile(h.log)
	return err == nil && strings.Contains(string(log), text)
}

// BSSID implements drivertest.AP.
func (h *hostapd) BSSID() [6]byte {
	i, err := net.InterfaceByName(h.radio)
	if err != nil {
		panic(err)
	}
	return [6]byte(i.HardwareAddr)
}

// Deauthenticate implements drivertest.AP.
func (h *hostapd) Deauthenticate(t *testing.T, reason uint16) {
	t.Helper()
	mac := address(t, ours)
	command := fmt.Sprintf("DEAUTHENTICATE %s reason=%d", net.HardwareAddr(mac[:]), reason)
	if answer := h.ask(t, command); answer != "OK\n" {
		t.Fatalf("hostapd: %s: %q", command, answer)
	}
}

// Stop implements drivertest.AP.
func (h *hostapd) Stop(t *testing.T) {
	t.Helper()
	if h.stopped {
		return
	}
	h.stopped = true
	if err := h.process.Process.Signal(os.Interrupt); err != nil {
		t.Errorf("stop hostapd: %v", err)
	}
	h.process.Wait()
	if h.control != nil {
		h.control.Close()
	}
}

// await waits for something that another process does.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func setUp(t *testing.T, up bool) {
	t.Helper()
	run(t, "ip", "link", "set", ours, map[bool]string{true: "up", false: "down"}[up])
}

func isUp(t *testing.T) bool {
	t.Helper()
	i, err := net.InterfaceByName(ours)
	if err != nil {
		t.Fatal(err)
	}
	return i.Flags&net.FlagUp != 0
}

func isAssociated(t *testing.T) bool {
	t.Helper()
	return !strings.HasPrefix(run(t, "iw", "dev", ours, "link"), "Not connected")
}

// blockRadio does what a user does with rfkill.
func blockRadio(t *testing.T, blocked bool) {
	t.Helper()
	files, err := filepath.Glob("/sys/class/net/" + ours + "/phy80211/rfkill*/soft")
	if err != nil || len(files) != 1 {
		t.Fatalf("the switch of %s: %v, %v", ours, files, err)
	}
	if err := os.WriteFile(files[0], []byte(map[bool]string{true: "1", false: "0"}[blocked]),
		0); err != nil {
		t.Fatal(err)
	}
}

// unplugRadio removes the interface; the radio itself stays, so that it can come back as it was.
func unplugRadio(t *testing.T) func() {
	t.Helper()
	phy := read(t, "/sys/class/net/"+ours+"/phy80211/name")
	run(t, "iw", "dev", ours, "del")
	return func() { run(t, "iw", "phy", phy, "interface", "add", ours, "type", "managed") }
}

// hwsimLog gives a driver's log to the test.
func hwsimLog(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// hwsimDriver makes a driver that belongs to the test.
func hwsimDriver(t *testing.T, packetsOnly bool) *Driver {
	t.Helper()
	k := realKernel()
	k.packetsOnly = packetsOnly
	d, err := newDriver(hwsimLog(t), k)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// occupy associates the interface through a socket of its own, as any other program would.
func occupy(t *testing.T, ap drivertest.AP) func() {
	t.Helper()
	s, err := hwsimDriver(t, false).Station(t.Context(), ours)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Associate(t.Context(), find(t, s, ap)); err != nil {
		t.Fatal(err)
	}
	return func() { s.Close() }
}

// find scans until it has what it takes to associate with the access point.
func find(t *testing.T, s drivers.Station, ap drivertest.AP) drivers.AssociateRequest {
	t.Helper()
	for range 5 {
		found, err := s.Scan(t.Context(), drivers.ScanRequest{Frequencies: []int{2412}})
		if err != nil {
			t.Fatal(err)
		}
		for _, bss := range found {
			if bss.BSSID == ap.BSSID() {
				return drivers.AssociateRequest{
					BSSID: bss.BSSID, SSID: bss.IEs[2 : 2+bss.IEs[1]], Frequency: bss.Frequency,
					Privacy: bss.Privacy,
					IEs:     drivertest.WSCElement(),
				}
			}
		}
	}
	t.Fatal("five scans did not find the access point")
	panic("unreachable")
}

// conformance runs the suite that the simulated radio passes, too.
func conformance(t *testing.T, packetsOnly bool) {
	needHwsim(t)
	env := drivertest.Env{
		Driver:    func(t *testing.T) drivers.Driver { return hwsimDriver(t, packetsOnly) },
		Interface: ours,
		StartAP: func(t *testing.T, c drivertest.APConfig) drivertest.AP {
			return startHostapd(t, c)
		},
		SetUp:        setUp,
		IsUp:         isUp,
		IsAssociated: isAssociated,
		Block:        blockRadio,
		Unplug:       unplugRadio,
		Occupy:       occupy,
	}
	if os.Getenv("WPSD_HWSIM_REALTIME") == "" {
		env.OneChannel = 60 * time.Millisecond
	}
	drivertest.Run(t, env)
}

func TestConformance(t *testing.T) { conformance(t, false) }

func TestConformanceThroughPacketSockets(t *testing.T) { conformance(t, true) }
