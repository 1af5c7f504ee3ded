package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"wpsd/introspection"
)

// pages makes both.
func pages(t *testing.T) (dir, conf, api string) {
	t.Helper()
	dir = t.TempDir()
	if err := run("../wpsd.conf", dir); err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	return dir, read("man5/wpsd.conf.5"), read("man7/fi.w1.wps.7")
}

// TestComplete: each setting, and all of the API, has its place.
func TestComplete(t *testing.T) {
	t.Parallel()
	_, conf, api := pages(t)
	text, err := os.ReadFile("../wpsd.conf")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		if m := setting.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			n++
			if !strings.Contains(conf, "\n\\fB"+m[1]+"=") {
				t.Errorf("wpsd.conf(5) has no %s", m[1])
			}
		}
	}
	if n < 15 {
		t.Errorf("only %d settings in wpsd.conf", n)
	}
	all, err := introspection.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range all {
		if !strings.HasPrefix(i.Name, "fi.w1.wps.") {
			continue
		}
		_, section, ok := strings.Cut(api, ".SH \"Interface "+i.Name+"\"\n")
		if !ok {
			t.Errorf("fi.w1.wps(7) has no %s", i.Name)
			continue
		}
		section, _, _ = strings.Cut(section, "\n.SH ")
		var items []string
		for _, m := range i.Methods {
			items = append(items, "\n\\fB"+m.Name+"(")
		}
		for _, s := range i.Signals {
			items = append(items, "\n\\fB"+s.Name+"(")
		}
		for _, p := range i.Properties {
			items = append(items, "\n\\fB"+p.Type+" "+p.Name)
		}
		for _, item := range items {
			if !strings.Contains(section, item) {
				t.Errorf("fi.w1.wps(7), %s: no %q", i.Name, item)
			}
		}
	}
}

// TestLint has mandoc look at the pages, which is stricter.
func TestLint(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("mandoc"); err != nil {
		t.Skip("needs mandoc:", err)
	}
	dir, _, _ := pages(t)
	out, err := exec.Command("mandoc", "-T", "lint", "-W", "style",
		filepath.Join(dir, "man5/wpsd.conf.5"), filepath.Join(dir, "man7/fi.w1.wps.7"),
		"../wpsd.8").CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestFormatter lets man complain.
func TestFormatter(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("man"); err != nil {
		t.Skip("needs man (package man-db):", err)
	}
	dir, _, _ := pages(t)
	for _, name := range []string{filepath.Join(dir, "man5/wpsd.conf.5"),
		filepath.Join(dir, "man7/fi.w1.wps.7"), "../wpsd.8"} {
		cmd := exec.Command("man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", name)
		cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "MANROFFSEQ=")
		var complaints strings.Builder
		cmd.Stderr = &complaints
		if err := cmd.Run(); err != nil || complaints.Len() > 0 {
			t.Errorf("%s: %v\n%s", name, err, complaints.String())
		}
	}
}
