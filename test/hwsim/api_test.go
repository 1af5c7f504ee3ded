//go:build hwsim

package hwsim

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"
)

func TestBadArgumentsHaveTheirNamedErrors(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{})
	d := w.startDaemon()
	i := d.iface()
	none := options()
	d.refused("InvalidPinChecksum", i, "Interface.StartPin", options("pin", "12345671"))
	d.refused("InvalidPin", i, "Interface.StartPin", options("pin", "123"))
	d.refused("InvalidPin", rootPath, "Manager.CheckPin", "none")
	d.refused("InvalidPinChecksum", rootPath, "Manager.CheckPin", "1234-5671")
	d.refused("InvalidArguments", i, "Interface.StartPbc", options("no-such-option", true))
	d.refused("InvalidArguments", i, "Interface.StartPbc", options("bssid", uint32(7)))
	d.refused("InvalidArguments", i, "Interface.StartPbc", options("bssid", "not a MAC address"))
	d.refused("UnknownBssid", i, "Interface.StartPin", options("bssid", "01:00:5e:00:00:01"))
	d.refused("NotSupported", i, "Interface.StartPin", options("timeout", uint32(60)))
	d.refused("InvalidArguments", i, "Interface.Scan", options("no-such-option", "x"))
	d.refused("org.freedesktop.DBus.Error.InvalidArgs", i, "Interface.StartPbc",
		"a string in place of the options")
	d.refused("org.freedesktop.DBus.Error.InvalidArgs", i, "Interface.StartPbc")
	d.refused("org.freedesktop.DBus.Error.UnknownMethod", i, "Interface.NoSuchMethod", none)
	d.refused("org.freedesktop.DBus.Error.UnknownObject", rootPath+"/interfaces/wlan9",
		"Interface.StartPbc", none)
	d.refused("org.freedesktop.DBus.Error.UnknownObject", rootPath+"/sessions/99", "Session.Cancel")
	d.stillWorks(a)
}

func TestSecondSessionIsRefusedWhileOneRuns(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{})
	d := w.startDaemon()
	s := d.startPBC()
	d.refused("Busy", d.iface(), "Interface.StartPbc", options())
	d.refused("Busy", d.iface(), "Interface.StartPin", options())
	d.refused("Busy", d.iface(), "Interface.Scan", options())
	a.mustOK("WPS_PBC")
	a.gives(s.succeeds(oneRun))
}

func TestUnknownAccessPointIsNotFound(t *testing.T) {
	w := newWorld(t)
	w.startAP(ap{})
	d := w.startDaemon()
	d.startPIN("bssid", "02:00:00:00:99:00", "pin", otherPIN).fails(125*time.Second,
		"no-access-point", "walk-time-expired")
}

// TestFloodOfCallsDoesNoHarm sends 20,000 calls as fast as the bus takes them while a session runs
// for somebody else, half of them nonsense.
func TestFloodOfCallsDoesNoHarm(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{})
	d := w.startDaemon()
	d.stillWorks(a)
	before := d.memory()
	a.mustOK("WPS_PBC")
	s := d.startPBC()
	flood := w.connect()
	for n := range 20_000 {
		object, method, args := rootPath, "Manager.GeneratePin", []any(nil)
		if n%2 == 1 {
			object, method, args = d.iface(), "Interface.StartPin",
				[]any{options("pin", fmt.Sprint(n))}
		}
		flood.conn.Object(busName, object).Go(busName+"."+method, godbus.FlagNoReplyExpected,
			nil, args...)
	}
	// Whoever floods waits behind his own calls; everybody else does not notice.
	began := time.Now()
	d.mustCall(rootPath, "Manager.GeneratePin")
	t.Logf("another client's call took %v during the flood", time.Since(began))
	a.gives(s.succeeds(60 * time.Second))
	d.stillWorks(a)
	if after := d.memory(); after > before+64<<10 {
		t.Errorf("resident memory went from %d to %d KiB", before, after)
	}
}

// memory is the resident set in KiB.
func (d *daemon) memory() (kib int) {
	d.w.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.pid()))
	d.w.must(err)
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		d.w.t.Fatal(err)
	}
	return kib
}

// TestOthersThanRootAreRefused: without polkit only root passes, and nobody gets a key.
func TestOthersThanRootAreRefused(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{})
	d := w.startDaemon()
	d.stillWorks(a)
	network := string(d.networks()[0])
	for _, call := range [][]string{
		{string(d.iface()), "Interface", "StartPbc", "a{sv}", "0"},
		{string(d.iface()), "Interface", "Scan", "a{sv}", "0"},
		{network, "Network", "GetSecrets"},
		{network, "Network", "Delete"},
	} {
		args := append([]string{"--system", "call", busName, call[0], busName + "." + call[1]},
			call[2:]...)
		cmd := exec.Command("busctl", args...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534,
			Gid: 65534}}
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			t.Errorf("%v: %v, want a refusal: %s", call, err, out)
		}
		if strings.Contains(string(out), testPassphrase) {
			t.Errorf("%v shows the key", call)
		}
		t.Logf("%s: %s", call[2], strings.TrimSpace(string(out)))
	}
	if len(d.networks()) != 1 {
		t.Error("the network is gone")
	}
}
