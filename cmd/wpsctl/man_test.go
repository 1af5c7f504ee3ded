package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// The manual has a page for every command, and wpsctl(1) has what people look for: each command
// with its meaning, options as they are typed, every exit code, the environment, examples, and
// where to read on.
func TestManual(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := &app{out: io.Discard, errOut: io.Discard}
	root := newRoot(a)
	root.SetArgs([]string{"man", dir})
	if err := root.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
		}
		return string(text)
	}
	page := read("wpsctl.1")
	for _, section := range []string{"NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "OPTIONS",
		`"EXIT STATUS"`, "ENVIRONMENT", "FILES", "EXAMPLES", `"SEE ALSO"`} {
		if !strings.Contains(page, "\n.SH "+section+"\n") {
			t.Errorf("wpsctl(1) has no section %s", section)
		}
	}
	plain := strings.NewReplacer(`\fB`, "", `\fI`, "", `\fR`, "", `\-`, "-", `\(dq`, `"`,
		`\(aq`, "'")
	for _, want := range []string{"-i, --interface IFNAME", "er pin DEVICE|any [PIN|-]",
		"DBUS_SYSTEM_BUS_ADDRESS", "wpsctl networks show --key", ".BR wpsd (8)"} {
		if !strings.Contains(plain.Replace(page), want) {
			t.Errorf("wpsctl(1) has no %q", want)
		}
	}
	if strings.Contains(page, "=false") || strings.Contains(page, "Exit codes:") {
		t.Error("wpsctl(1) shows how it is made")
	}
	for cmd := range everyCommand(root) {
		if cmd.Hidden || cmd.Name() == "help" ||
			strings.Contains(cmd.CommandPath(), " completion") {
			continue
		}
		path := strings.TrimPrefix(cmd.CommandPath(), "wpsctl ")
		if cmd != root && !strings.Contains(plain.Replace(page), "\n"+path) {
			t.Errorf("wpsctl(1) has no command %q", path)
		}
		own := plain.Replace(read(strings.ReplaceAll(cmd.CommandPath(), " ", "-") + ".1"))
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if value, _ := pflag.UnquoteUsage(f); value != "" && value != strings.ToUpper(value) {
				t.Errorf("%s --%s: its value has no name, but %q", cmd.CommandPath(), f.Name, value)
			}
			if !f.Hidden && f.Name != "help" && f.Name != "version" &&
				!strings.Contains(own, "--"+f.Name) {
				t.Errorf("the page of %s has no --%s", cmd.CommandPath(), f.Name)
			}
		})
	}
	holdManual(t, dir)
}

// holdManual has mandoc look at the pages.
func holdManual(t *testing.T, dir string) {
	if _, err := exec.LookPath("mandoc"); err != nil {
		t.Log("not linted, that needs mandoc:", err)
		return
	}
	pages, err := filepath.Glob(filepath.Join(dir, "*.1"))
	if err != nil || len(pages) < 40 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	if out, err := exec.Command("mandoc", append([]string{"-T", "lint", "-W", "style"},
		pages...)...).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
}
