// Package packaging holds the units and other files that are installed, and the checks of them.
package packaging

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// install copies the units into a directory as make install does, with a program that exists.
func install(t *testing.T) (dir string) {
	t.Helper()
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("needs systemd-analyze (package systemd):", err)
	}
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "wpsd"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	units, _ := filepath.Glob("wpsd*.service")
	sockets, _ := filepath.Glob("wpsd*.socket")
	for _, name := range append(units, sockets...) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.ReplaceAll(string(text), "@SBINDIR@", dir)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// What ours needs besides, which a machine without D-Bus does not have.
	if err := os.WriteFile(filepath.Join(dir, "dbus.socket"), []byte("[Socket]\nListenStream=/run/dbus/system_bus_socket\nService=dbus.service\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "dbus.service"), []byte("[Service]\nExecStart=/bin/true\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestExposure: what systemd thinks of the sandboxes, in tenths. wpa_supplicant's unit has 96, NetworkManager's 80.
func TestExposure(t *testing.T) {
	t.Parallel()
	dir := install(t)
	for unit, most := range map[string]string{"wpsd.service": "14", "wpsd-upnp.service": "10", "wpsd-reply.service": "10"} {
		out, err := exec.Command("systemd-analyze", "security", "--offline=yes", "--no-pager", "--threshold="+most, filepath.Join(dir, unit)).CombinedOutput()
		if err != nil {
			t.Errorf("%s is more exposed than %s tenths: %v\n%s", unit, most, err, out)
		}
	}
}

func TestUnitsAreWellFormed(t *testing.T) {
	t.Parallel()
	dir := install(t)
	names, _ := filepath.Glob(filepath.Join(dir, "wpsd*.*"))
	out, err := exec.Command("systemd-analyze", append([]string{"verify", "--man=no"}, names...)...).CombinedOutput()
	if err != nil || strings.Contains(string(out), "wpsd") {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}

// loosened are the directives that give something, in the units and in what is to be added to one. Each has its reason in
// a comment above it.
var loosened = regexp.MustCompile(`^(CapabilityBoundingSet=.|AmbientCapabilities=|RestrictAddressFamilies=|IPAddressAllow=|DeviceAllow=|BindReadOnlyPaths=|StateDirectory=|RuntimeDirectory=|User=|PrivateTmp=no|ReadWritePaths=)`)

// tight directives stand between those and their reason.
var tight = regexp.MustCompile(`^(DevicePolicy|PrivateDevices|IPAddressDeny)=`)

func TestWhatIsLoosenedHasItsReason(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob("wpsd*.service")
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		reason := false // whether a comment stands above this block of lines
		for n, line := range strings.Split(string(text), "\n") {
			switch {
			case strings.HasPrefix(line, "#"):
				reason = true
			case loosened.MatchString(line) && !reason:
				t.Errorf("%s:%d: %s has no reason", name, n+1, line)
			case !loosened.MatchString(line) && !tight.MatchString(line):
				reason = false
			}
		}
	}
}

// TestUnitsAreBounded: no fault in wpsd, and nobody who finds one, takes the machine's memory or its processes.
func TestUnitsAreBounded(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob("wpsd*.service")
	if len(files) < 3 {
		t.Fatalf("units %q", files)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, bound := range []string{`(?m)^MemoryMax=\d+M$`, `(?m)^TasksMax=\d+$`} {
			if !regexp.MustCompile(bound).Match(text) {
				t.Errorf("%s has no line %s", name, bound)
			}
		}
	}
}
