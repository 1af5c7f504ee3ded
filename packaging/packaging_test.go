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
	if err := os.WriteFile(filepath.Join(dir, "wpsctl"), []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	units, _ := filepath.Glob("wpsd*.service")
	sockets, _ := filepath.Glob("wpsd*.socket")
	if err := os.Mkdir(filepath.Join(dir, "user"), 0o755); err != nil {
		t.Fatal(err)
	}
	users, _ := filepath.Glob("user/*.service")
	units = append(units, users...)
	for _, name := range append(units, sockets...) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name),
			[]byte(strings.NewReplacer("@SBINDIR@", dir, "@BINDIR@", dir).Replace(string(text))), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// What ours needs besides, which a machine without D-Bus does not have.
	if err := os.WriteFile(filepath.Join(dir, "dbus.socket"),
		[]byte("[Socket]\nListenStream=/run/dbus/system_bus_socket\nService=dbus.service\n"),
		0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "dbus.service"),
		[]byte("[Service]\nExecStart=/bin/true\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestExposure: what systemd thinks of the sandboxes, in tenths. wpa_supplicant's unit has 96,
// NetworkManager's 80.
func TestExposure(t *testing.T) {
	t.Parallel()
	dir := install(t)
	for unit, most := range map[string]string{"wpsd.service": "14", "wpsd-upnp.service": "10",
		"wpsd-reply.service": "10", "wpsd-button.service": "10",
		"wpsd-onboard.service": "10"} {
		out, err := exec.Command("systemd-analyze", "security", "--offline=yes", "--no-pager",
			"--threshold="+most, filepath.Join(dir, unit)).CombinedOutput()
		if err != nil {
			t.Errorf("%s is more exposed than %s tenths: %v\n%s", unit, most, err, out)
		}
	}
}

func TestUnitsAreWellFormed(t *testing.T) {
	t.Parallel()
	dir := install(t)
	names, _ := filepath.Glob(filepath.Join(dir, "wpsd*.*"))
	users, _ := filepath.Glob(filepath.Join(dir, "user/*.service"))
	for _, args := range [][]string{names, append([]string{"--user"}, users...)} {
		cmd := exec.Command("systemd-analyze",
			append([]string{"verify", "--man=no"}, args...)...)
		cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+dir)
		out, err := cmd.CombinedOutput()
		if err != nil || strings.Contains(string(out), "wpsd") {
			t.Errorf("systemd-analyze verify: %v\n%s", err, out)
		}
	}
}

// loosened are the directives that give something, in the units and in what is to be added to one.
// Each has its reason in a comment above it.
var loosened = regexp.MustCompile(`^(CapabilityBoundingSet=.|AmbientCapabilities=|RestrictAddressFamilies=|IPAddressAllow=|DeviceAllow=|BindReadOnlyPaths=|StateDirectory=|RuntimeDirectory=|User=|PrivateTmp=no|ReadWritePaths=|SupplementaryGroups=)`)

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

// TestUnitsAreBounded: no fault in wpsd, and nobody who finds one, takes the machine's memory or
// its processes.
func TestUnitsAreBounded(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob("wpsd*.service")
	users, _ := filepath.Glob("user/*.service")
	files = append(files, users...)
	if len(files) < 4 {
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

// TestNeedGo: whose Go is too old, or not there, is told which it takes and where it is.
func TestNeedGo(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, version, module, says string }{
		{"the one that is needed", "go1.26.0", "", ""},
		{"a newer one", "go1.27.3", "", ""},
		{"another major version", "go2.0", "", ""},
		{"a development version", "devel", "", ""},
		{"one that gets a newer one by itself", "go1.21.5", "go version go1.26.8 linux/amd64", ""},
		{"one that cannot", "go1.22.2", "", "Go 1.26 or newer; "},
		{"one that never could", "go1.19.8", "go version go1.19.8 linux/amd64", "is Go 1.19.8"},
		{"none", "", "", "there is no go command"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for _, program := range []string{"sh", "sed", "dirname"} {
				path, err := exec.LookPath(program)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink(path, filepath.Join(dir, program)); err != nil {
					t.Fatal(err)
				}
			}
			if tt.version != "" {
				// Like go itself: "env" outside of the module, "version" inside.
				script := "#!/bin/sh\ncase $1 in env) echo " + tt.version + ";; version) [ -n '" +
					tt.module + "' ] && echo '" + tt.module + "';; esac\n"
				if err := os.WriteFile(filepath.Join(dir, "go"), []byte(script),
					0o755); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.Command("./need-go")
			cmd.Env = []string{"PATH=" + dir}
			out, err := cmd.CombinedOutput()
			if (err != nil) != (tt.says != "") || !strings.Contains(string(out), tt.says) ||
				tt.says == "" && len(out) > 0 {
				t.Errorf("%v, %q; want %q", err, out, tt.says)
			}
		})
	}
}

// TestSpecMakesTheUsers: the RPM makes its users before there is a file that says which, so the spec
// has the lines of wpsd.sysusers.
func TestSpecMakesTheUsers(t *testing.T) {
	t.Parallel()
	spec, err := os.ReadFile("wpsd.spec")
	if err != nil {
		t.Fatal(err)
	}
	users, err := os.ReadFile("wpsd.sysusers")
	if err != nil {
		t.Fatal(err)
	}
	want := regexp.MustCompile(`(?m)^#.*\n`).ReplaceAllString(string(users), "")
	_, list, _ := strings.Cut(string(spec), "/wpsd.conf - <<END || :\n")
	if got, _, _ := strings.Cut(list, "END\n"); got != want {
		t.Errorf("the spec makes\n%s\nwpsd.sysusers says\n%s", got, want)
	}
}
