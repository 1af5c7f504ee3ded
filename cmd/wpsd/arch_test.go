package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// arrows is the table of ARCHITECTURE.md: which packages of ours each package may import. A package
// that is not in it fails the test: say where a new one belongs before writing it. Some that are in
// it do not exist yet. "engine/..." stands for everything below engine.
var arrows = map[string][]string{
	"engine":            {},
	"engine/secret":     {},
	"engine/ie":         {},
	"introspection":     {},
	"dbus/bus":          {"service/fence", "engine/secret"},
	"service/fence":     {},
	"service/helper":    {"service/fence"},
	"engine/wsc":        {"engine/secret"},
	"engine/wsccrypto":  {"engine/wsc", "engine/secret"},
	"engine/devpass":    {"engine/wsc", "engine/secret"},
	"engine/credential": {"engine/ie", "engine/wsc", "engine/secret"},
	"engine/registration": {"engine", "engine/wsc", "engine/wsccrypto",
		"engine/devpass", "engine/secret"},
	"engine/eapwsc":    {"engine", "engine/wsc"},
	"engine/eapol":     {"engine"},
	"engine/discovery": {"engine/wsc", "engine/ie"},
	"engine/ndef":      {"engine/wsc", "engine/secret"},
	"engine/admission": {"engine/wsc", "engine/devpass", "engine/secret"},
	"engine/upnp":      {},
	"engine/er": {"engine", "engine/wsc", "engine/wsccrypto",
		"engine/registration", "engine/admission", "engine/devpass", "engine/upnp",
		"engine/secret"},
	"engine/enginetest":     {"engine", "engine/..."},
	"drivers":               {"engine/secret"},
	"drivers/controlsocket": {"drivers"},
	"drivers/hostapd": {"service/fence", "drivers", "drivers/controlsocket",
		"engine/secret"},
	"drivers/drivertest": {"drivers", "engine", "engine/..."},
	"drivers/nl80211":    {"service/fence", "drivers"},
	"drivers/none":       {"drivers"},
	"drivers/sim": {"drivers", "drivers/wfadevice", "engine", "engine/admission",
		"engine/..."},
	"drivers/ssdp":         {"engine/upnp"},
	"drivers/controlpoint": {"service/fence", "drivers/ssdp", "engine/upnp"},
	"drivers/controlpoint/controlpointtest": {"drivers/ssdp", "drivers/wfadevice", "engine/upnp",
		"engine/wsc"},
	"drivers/controlpoint/remote":    {"service/fence", "service/helper", "drivers/controlpoint", "engine/upnp"},
	"drivers/wfadevice":              {"drivers/ssdp", "engine/upnp"},
	"drivers/managerbus":             {"service/fence", "dbus/bus", "drivers"},
	"drivers/managerbus/managertest": {"drivers/managerbus", "test/testbus"},
	"drivers/logind":                 {"dbus/bus"},
	"drivers/hostnamed":              {"dbus/bus", "engine/wsc"},
	"drivers/neard":                  {"dbus/bus"},
	"drivers/networkmanager": {"drivers/managerbus", "engine/credential", "engine/ie",
		"engine/wsc", "engine/secret"},
	"drivers/iwd": {"dbus/bus", "drivers/managerbus", "engine/credential", "engine/ie",
		"engine/wsc", "engine/secret"},
	"drivers/connman": {"dbus/bus", "drivers/managerbus", "engine/credential", "engine/wsc",
		"engine/secret"},
	"drivers/wpasupplicant": {"drivers", "drivers/controlsocket", "drivers/managerbus",
		"engine/credential",
		"engine/ie", "engine/wsc", "engine/secret"},
	"service/store": {"engine/credential", "engine/secret", "engine/wsc"},
	"service/state": {"drivers", "engine/credential", "engine/discovery", "engine/er",
		"engine/ie", "engine/wsc", "service/outcome"},
	"service/ending": {"drivers", "engine/credential", "engine/discovery", "engine/er",
		"engine/registration", "engine/upnp", "engine/wsc", "service/outcome", "service/receive",
		"service/search", "service/state", "service/store"},
	"service/session": {"service/fence", "drivers", "engine/credential", "engine/devpass",
		"engine/secret", "engine/wsc", "service/ending", "service/outcome", "service/state"},
	"service/keypair":   {"service/fence", "engine/wsccrypto"},
	"service/listening": {"drivers"},
	"service/radio":     {"drivers"},
	"service/settings":  {"engine/devpass", "engine/secret", "engine/wsc", "service/state", "service/store"},
	"service/air": {"drivers", "engine/credential", "engine/discovery", "engine/ie",
		"engine/wsc", "service/search", "service/state"},
	"service/external": {"service/fence", "drivers", "engine/devpass", "engine/er",
		"engine/registration", "engine/secret", "engine/upnp", "engine/wsc", "service/arrival",
		"service/ending", "service/keypair", "service/receive", "service/session", "service/state", "service/tags"},
	"service/tags": {"service/fence", "engine/devpass", "engine/ndef", "engine/registration",
		"engine/wsc", "service/state"},
	"service/station": {"service/fence", "drivers", "engine", "engine/credential",
		"engine/devpass", "engine/discovery", "engine/eapol", "engine/eapwsc", "engine/ie",
		"engine/registration", "engine/wsc", "engine/wsccrypto", "service/air",
		"service/arrival", "service/ending", "service/keypair", "service/lending",
		"service/outcome", "service/radio", "service/receive", "service/search",
		"service/session", "service/state", "service/store", "service/tags"},
	"service/nfc": {"service/fence", "drivers", "engine/credential", "engine/devpass",
		"engine/er", "engine/ndef", "engine/registration", "engine/secret", "engine/wsc",
		"engine/wsccrypto", "service/arrival", "service/ending", "service/external",
		"service/lending", "service/outcome",
		"service/receive", "service/session", "service/state", "service/store", "service/tags"},
	"service/hotspot": {"service/fence", "drivers", "engine/secret", "engine/wsc",
		"service/ending", "service/outcome", "service/session", "service/state"},
	"service/hotspot/hotspottest": {"drivers", "engine/ndef", "engine/secret", "engine/wsc"},
	"service/arrival": {"engine/credential", "engine/secret", "engine/wsc", "service/agents", "service/ending",
		"service/outcome", "service/receive", "service/session", "service/state",
		"service/store"},
	"service/lending": {"service/fence", "drivers", "engine/credential", "engine/ie", "service/ending",
		"service/session", "service/state", "service/store"},
	"service/agents":  {"service/fence", "service/outcome", "service/state", "engine/credential"},
	"service/receive": {"engine/credential", "engine/secret", "engine/wsc", "service/store"},
	"service/search":  {"drivers", "engine/discovery", "engine/wsc"},
	"service/outcome": {"engine/devpass", "engine/wsc"},
	"service": {"service/fence", "drivers", "engine", "engine/...", "service/agents",
		"service/air", "service/arrival", "service/ending", "service/external", "service/hotspot",
		"service/keypair", "service/lending", "service/listening", "service/nfc",
		"service/outcome", "service/radio",
		"service/receive", "service/search",
		"service/session", "service/settings", "service/state", "service/station",
		"service/store", "service/tags"},
	"service/control": {"service/fence", "service", "service/air", "service/ending", "service/external",
		"service/hotspot", "service/lending", "service/nfc", "service/outcome", "service/session",
		"service/state", "service/control/reply", "drivers", "engine", "engine/..."},
	"service/control/reply": {"service/helper"},
	"dbus": {"service/fence", "dbus/bus", "service", "service/agents", "service/external",
		"service/lending",
		"service/hotspot", "service/listening", "service/nfc", "service/outcome",
		"service/session", "service/settings", "service/state", "introspection", "engine/..."},
	"dbus/dbustest":       {"dbus", "service", "introspection", "engine/..."},
	"drivers/simmanager":  {"drivers/sim", "engine/credential", "engine/secret", "engine/wsc"},
	"cmd/wpsd/simulation": {"drivers", "drivers/sim", "drivers/simmanager", "service/lending"},
	"cmd/wpsd": {"cmd/wpsd/simulation", "service/fence", "dbus/bus", "engine",
		"engine/...", "drivers",
		"drivers/...", "service", "service/...", "dbus", "introspection"},
	"cmd/internal/nmagent": {"dbus/bus", "engine/secret"},
	"cmd/internal/evkey":   {},
	"cmd/internal/led":     {},
	"cmd/wpsctl": {"cmd/internal/...", "dbus/bus", "engine/secret", "packaging/commandpage",
		"service/outcome"},
	"cmd/wps-applet": {"service/fence", "engine/secret", "cmd/wps-applet/background",
		"cmd/wps-applet/gtk",
		"cmd/wps-applet/model"},
	"cmd/wps-applet/gtk": {},
	"cmd/wps-applet/background": {"service/fence", "dbus/bus", "cmd/wps-applet/model",
		"cmd/internal/nmagent"},
	"cmd/wps-applet/model":  {"service/fence", "dbus/bus", "engine/secret"},
	"cmd/nfc-pw-token":      {"engine/ndef", "engine/wsccrypto", "packaging/commandpage"},
	"packaging":             {},
	"packaging/manual":      {"introspection", "packaging/roff"},
	"packaging/roff":        {},
	"packaging/commandpage": {"packaging/roff"},
	"packaging/sbom":        {},
	"test/dhcompare":        {"engine/wsccrypto", "engine/secret"},
	"test/erscale": {"drivers/wfadevice", "engine/...", "test/testbus", "test/figures",
		"dbus/bus"},
	"test/figures":    {},
	"test/shape":      {},
	"test/clients":    {"test/testbus"},
	"test/tally":      {},
	"test/testbus":    {},
	"test/scripttest": {"test/testbus"},
	"test/hostile":    {"dbus/bus"},
	"test/unitfile":   {},
	"test/hwsim": {"test/hostile", "test/figures", "test/testbus", "test/unitfile",
		"test/atspi"},
	"po/catalog":  {},
	"test/applet": {"test/testbus", "test/atspi"},
	"test/atspi":  {},
}

// onlyIn says which of our packages may import a library, by the beginning of its import path. What
// is not listed may not be imported at all: a new dependency needs a decision in
// .architecture/decisions.md first. Test files may import everything that is listed.
var onlyIn = map[string][]string{
	"github.com/google/uuid": {"engine/wsc"},
	"filippo.io/bigmod":      {"engine/wsccrypto"},
	"github.com/mdlayher/":   {"drivers/nl80211", "drivers/controlpoint"},
	"golang.org/x/sys/unix": {"drivers/...", "cmd/internal/evkey", "service/store",
		"service/control",
		"service/control/reply", "dbus", "cmd/wpsd", "cmd/wpsctl", "cmd/wps-applet/model"},
	"golang.org/x/term":            {"cmd/wpsctl", "cmd/nfc-pw-token"},
	"github.com/fsnotify/fsnotify": {"drivers/hostapd"},
	"github.com/godbus/dbus/v5": {"dbus/bus", "cmd/internal/nmagent", "test/hostile",
		"test/erscale", "test/atspi", "dbus", "dbus/...",
		"cmd/wpsctl", "cmd/wps-applet/model", "cmd/wps-applet/background", "drivers/logind", "drivers/hostnamed",
		"drivers/neard", "drivers/managerbus",
		"drivers/managerbus/...", "drivers/networkmanager", "drivers/connman", "drivers/iwd",
		"drivers/wpasupplicant"},
	"github.com/coreos/go-systemd/": {"cmd/wpsd", "service/helper"},
	"github.com/spf13/cobra":        {"cmd/wpsctl", "cmd/nfc-pw-token", "packaging/commandpage"},
	"github.com/spf13/pflag": {"cmd/wpsd/simulation", "cmd/wpsctl", "cmd/nfc-pw-token",
		"packaging/commandpage",
		"cmd/wpsd"},
	"rsc.io/qr":                       {"cmd/wpsctl", "cmd/wps-applet"},
	"github.com/ebitengine/purego":    {"cmd/wps-applet/gtk"},
	"github.com/rogpeppe/go-internal": {"test/scripttest"},
}

// engineBans are standard packages that no code in engine/ may import: what a peer can attack does
// no I/O, has no clock and does not log. engine/secret has log/slog for its LogValue; net/netip is
// a number and its text, not a network.
var engineBans = []string{"net", "os", "log", "context", "syscall", "testing", "runtime/debug",
	"math/rand"}

// engineMay are exceptions from engineBans: values without I/O.
var engineMay = []string{"net/netip", "net/url"}

// goPackage is what we read of go list's answer.
type goPackage struct {
	ImportPath, Dir                     string
	GoFiles, Imports                    []string
	TestImports, XTestImports           []string
	TestGoFiles, XTestGoFiles, CgoFiles []string
}

// ourPackages asks the go command, with the build tags that some files need.
func ourPackages(t *testing.T) []goPackage {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("needs the go command:", err)
	}
	cmd := exec.Command("go", "list", "-e", "-tags=hwsim,applet,sim",
		"-json=ImportPath,Dir,GoFiles,CgoFiles,Imports,TestImports,XTestImports", "./...")
	cmd.Dir = filepath.Join("..", "..")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var all []goPackage
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// allowed reports whether name is in list, where "x/..." stands for everything below x.
func allowed(list []string, name string) bool {
	return slices.ContainsFunc(list, func(pattern string) bool {
		if dir, ok := strings.CutSuffix(pattern, "..."); ok {
			return strings.HasPrefix(name, dir)
		}
		return name == pattern
	})
}

func TestArrows(t *testing.T) {
	t.Parallel()
	for _, p := range ourPackages(t) {
		name := strings.TrimPrefix(p.ImportPath, "wpsd/")
		may, known := arrows[name]
		if !known {
			t.Errorf("package %s is not in the table of arrows: say in ARCHITECTURE.md and here what it may import", name)
			continue
		}
		for _, imported := range p.Imports {
			checkImport(t, name, imported, may)
		}
		for _, imported := range slices.Concat(p.TestImports, p.XTestImports) {
			if library(imported) && findLibrary(imported) == nil {
				t.Errorf("tests of %s import %s, which is not among our dependencies",
					name, imported)
			}
		}
		if len(p.CgoFiles) > 0 {
			t.Errorf("%s uses cgo", name)
		}
		if slices.Contains([]string{"util", "utils", "common", "helpers", "types", "misc",
			"models"}, path.Base(name)) {
			t.Errorf("%s: a package is named after what it gives", name)
		}
	}
}

// checkImport judges one import of a package's own (not test) files.
func checkImport(t *testing.T, name, imported string, may []string) {
	t.Helper()
	ours, isOurs := strings.CutPrefix(imported, "wpsd/")
	switch {
	case isOurs:
		testOnly := strings.HasSuffix(ours, "test") && !strings.HasSuffix(name, "test")
		if !allowed(may, ours) || testOnly {
			t.Errorf("%s may not import %s", name, ours)
		}
	case library(imported):
		in := findLibrary(imported)
		if in == nil {
			t.Errorf("%s imports %s: a new dependency needs a decision in .architecture/decisions.md, and a line here", name, imported)
		} else if !allowed(in, name) {
			t.Errorf("%s may not import %s, only %v may", name, imported, in)
		}
	case name == "engine" || strings.HasPrefix(name, "engine/"):
		if name == "engine/secret" && imported == "log/slog" || name == "engine/enginetest" ||
			imported == "net/netip" {
			return
		}
		for _, ban := range engineBans {
			if (imported == ban || strings.HasPrefix(imported, ban+"/")) &&
				!slices.Contains(engineMay, imported) {
				t.Errorf("%s may not import %s: the engine does no I/O, has no clock and no log",
					name, imported)
			}
		}
	}
}

// library reports whether an import path is neither ours nor in the standard library.
func library(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return strings.Contains(first, ".")
}

// findLibrary gives the packages that may import a library, nil if it is not one of our
// dependencies.
func findLibrary(imported string) []string {
	for prefix, in := range onlyIn {
		if strings.HasPrefix(imported, prefix) {
			return in
		}
	}
	return nil
}

// engineCalls are functions of package time that look at the clock or wait for it.
var engineCalls = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick",
	"NewTimer", "NewTicker"}

// TestEngineIsPassive reads the engine's source for what imports do not show: the clock, goroutines
// and init functions.
func TestEngineIsPassive(t *testing.T) {
	t.Parallel()
	for _, p := range ourPackages(t) {
		name := strings.TrimPrefix(p.ImportPath, "wpsd/")
		inEngine := (name == "engine" || strings.HasPrefix(name, "engine/")) &&
			name != "engine/enginetest"
		for _, file := range p.GoFiles {
			fset := token.NewFileSet()
			f, err := parser.ParseFile(fset, filepath.Join(p.Dir, file), nil,
				parser.SkipObjectResolution)
			if err != nil {
				t.Error(err)
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.FuncDecl:
					if n.Recv == nil && n.Name.Name == "init" {
						t.Errorf("%s: init(): main wires things, in the open",
							fset.Position(n.Pos()))
					}
				case *ast.GoStmt:
					if inEngine {
						t.Errorf("%s: the engine starts no goroutine", fset.Position(n.Pos()))
					}
				case *ast.SelectorExpr:
					if x, ok := n.X.(*ast.Ident); ok && inEngine && x.Name == "time" &&
						slices.Contains(engineCalls, n.Sel.Name) {
						t.Errorf("%s: time.%s: the engine is told the time",
							fset.Position(n.Pos()), n.Sel.Name)
					}
				}
				return true
			})
		}
	}
}
