//go:build clients

package clients

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// files are those of the API, as they are installed.
func files(t *testing.T) []string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join(*programs, "share/man/interfaces"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := filepath.Glob(filepath.Join(dir, "fi.w1.wps.*.xml"))
	if err != nil || len(list) < 9 {
		t.Fatalf("%s has %v (%v)", dir, list, err)
	}
	return list
}

// must runs a program in a directory, and returns all that it printed.
func must(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// TestGDBusCodegen makes C, and pages with what the files say.
func TestGDBusCodegen(t *testing.T) {
	dir, all := t.TempDir(), files(t)
	for _, kind := range [][]string{{"--generate-c-code", "wps"}, {"--generate-docbook", "doc"},
		{"--generate-rst", "rst"}} {
		must(t, dir, "gdbus-codegen", append(kind, all...)...)
	}
	for _, pattern := range []string{"doc-fi.w1.wps.*.xml", "rst-fi.w1.wps.*"} {
		pages, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(pages) != len(all) {
			t.Fatalf("%d files make %v (%v)", len(all), pages, err)
		}
		var text strings.Builder
		for _, name := range pages {
			page, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			text.Write(page)
		}
		for _, part := range []string{"One WPS run from its start to its end.",
			"that no other button is pressed"} {
			if !strings.Contains(text.String(), part) {
				t.Errorf("the pages %s say nothing of %q", pattern, part)
			}
		}
		if strings.HasSuffix(pattern, ".xml") {
			must(t, dir, "xmllint", append([]string{"--noout", "--nonet"}, pages...)...)
		}
	}
}

// TestQt makes proxies and adaptors for Qt.
func TestQt(t *testing.T) {
	for _, file := range files(t) {
		dir := t.TempDir()
		for _, kind := range []string{"-p", "-a"} {
			out := must(t, dir, "qdbusxml2cpp", kind, "wps", file)
			if strings.Contains(out, "skipping") || strings.Contains(out, "unknown type") {
				t.Errorf("%s: %s", file, out)
			}
		}
	}
}

// python reads every property of every object, and checks a PIN.
var python = map[string]string{
	"dbus": `
import dbus
bus = dbus.SystemBus()
root = bus.get_object("fi.w1.wps", "/fi/w1/wps")
objects = dbus.Interface(root, "org.freedesktop.DBus.ObjectManager").GetManagedObjects()
for path, faces in objects.items():
    for face in faces:
        if face.startswith("fi.w1"):
            dbus.Interface(bus.get_object("fi.w1.wps", path), "org.freedesktop.DBus.Properties").GetAll(face)
print(dbus.Interface(root, "fi.w1.wps.Manager").CheckPin("1234-5670"), len(objects))`,
	"dasbus": `
from dasbus.connection import SystemMessageBus
bus = SystemMessageBus()
root = bus.get_proxy("fi.w1.wps", "/fi/w1/wps")
objects = root.GetManagedObjects()
for path, faces in objects.items():
    proxy = bus.get_proxy("fi.w1.wps", path)
    for face, properties in faces.items():
        if face.startswith("fi.w1"):
            for name in properties:
                getattr(bus.get_proxy("fi.w1.wps", path, face), name)
print(root.CheckPin("1234-5670"), len(objects))`,
}

func TestPythonLibraries(t *testing.T) {
	n := newNeighbourhood(t)
	for name, text := range python {
		out, err := n.run("/usr/bin/python3", "-c", text)
		if err != nil || !strings.HasPrefix(out, "12345670 ") || strings.HasPrefix(out, "12345670 0") {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}
