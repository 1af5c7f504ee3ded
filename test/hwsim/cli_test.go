//go:build hwsim

package hwsim

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestWpsctlEnrolsByPushButton(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{})
	d := w.startDaemon()
	a.mustOK("WPS_PBC")
	r := w.run("/in/wpsctl", "pbc", "--show-key")
	if r.status != 0 || !strings.Contains(r.stdout, testSSID) ||
		!strings.Contains(r.stdout, testPassphrase) {
		t.Errorf("wpsctl pbc: status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	d.givenBack()
	r = w.run("/in/wpsctl", "networks", "list")
	if r.status != 0 || !strings.Contains(r.stdout, testSSID) ||
		strings.Contains(r.stdout, testPassphrase) {
		t.Errorf("wpsctl networks list: status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	r = w.run("/in/wpsctl", "networks", "qr", "1")
	if r.status != 0 || strings.Count(r.stdout, "\n") < 10 {
		t.Errorf("wpsctl networks qr: status %d\n%s%s", r.status, r.stdout, r.stderr)
	}

	// What "networks show" prints is enough for another program.
	r = w.run("/in/wpsctl", "--json", "networks", "show", "1", "--key")
	var shown struct{ SSID, Key string }
	if err := json.Unmarshal([]byte(r.stdout), &shown); r.status != 0 || err != nil {
		t.Fatalf("wpsctl networks show: status %d, %v\n%s%s", r.status, err, r.stdout, r.stderr)
	}
	w.connects(station, credential{ssid: []byte(shown.SSID), auth: "WPA2PSK",
		key: []byte(shown.Key)}, a)
}

func TestWpsctlEnrolsByPIN(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{})
	d := w.startDaemon()
	a.ask("WPS_PIN any %s", otherPIN)
	r := w.run("/in/wpsctl", "--json", "pin", otherPIN, "--bssid", a.bssid)
	if r.status != 0 {
		t.Errorf("wpsctl pin: status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	d.givenBack()
	if len(d.networks()) != 1 {
		t.Error("no network is stored")
	}
}

func TestWpsctlTellsFailuresApart(t *testing.T) {
	w := newWorld(t)
	a, b := w.startAP(ap{}), w.startAP(ap{radio: "wlan2", channel: 6, ssid: "neighbour"})
	d := w.startDaemon()
	expect := func(status int, args ...string) {
		t.Helper()
		r := w.run(append([]string{"/in/wpsctl"}, args...)...)
		if r.status != status {
			t.Errorf("wpsctl %v: status %d, want %d\n%s%s", args, r.status, status,
				r.stdout, r.stderr)
		}
	}
	expect(11, "check-pin", "12345671")
	expect(0, "check-pin", "1234-5670")
	expect(2, "no-such-command")
	a.ask("WPS_PIN any %s", labelPIN)
	expect(10, "pin", otherPIN, "--bssid", a.bssid)
	a.mustOK("WPS_CANCEL")
	time.Sleep(5 * time.Second)
	a.mustOK("WPS_PBC")
	b.mustOK("WPS_PBC")
	expect(8, "pbc")
	w.block(station, true)
	expect(14, "pbc")
	w.block(station, false)
	d.kill()
	expect(3, "status")
}

// TestBusctlEnrols does it with nothing but the tool that every machine with systemd has. busctl
// leaves the bus when the call has returned, so the session has to be a detached one.
func TestBusctlEnrols(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{})
	d := w.startDaemon()
	a.mustOK("WPS_PBC")
	r := w.run("busctl", "--system", "call", busName, string(d.iface()), busName+".Interface",
		"StartPbc", "a{sv}", "1", "detach", "b", "true")
	var path string
	if _, err := fmt.Sscanf(r.stdout, "o %q", &path); err != nil {
		t.Fatalf("busctl: %v\n%s%s", err, r.stdout, r.stderr)
	}
	w.until("the session succeeds", oneRun, func() bool {
		time.Sleep(time.Second) // it is a slow way to ask
		r := w.run("busctl", "--system", "get-property", busName, path, busName+".Session", "State")
		return strings.TrimSpace(r.stdout) == `s "succeeded"`
	})
	r = w.run("busctl", "--system", "call", busName, string(d.networks()[0]), busName+".Network",
		"GetSecrets")
	if r.status != 0 {
		t.Errorf("GetSecrets: %s", r.stderr)
	}
	if r := w.run("busctl", "--system", "introspect", busName, string(d.iface())); r.status != 0 ||
		!strings.Contains(r.stdout, "StartPbc") {
		t.Errorf("introspect: %s%s", r.stdout, r.stderr)
	}
	d.givenBack()
}
