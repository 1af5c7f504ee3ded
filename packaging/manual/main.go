// Command manual writes the manual pages that are made of other files: wpsd.conf(5) of the installed configuration, and
// fi.w1.wps(7) of the D-Bus introspection data.
//
//	manual CONFIGURATION DIR
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"wpsd/introspection"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: manual CONFIGURATION DIR")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "manual:", err)
		os.Exit(1)
	}
}

// run writes both pages into a directory.
func run(configuration, dir string) error {
	text, err := os.ReadFile(configuration)
	if err != nil {
		return err
	}
	all, err := introspection.All()
	if err != nil {
		return err
	}
	for name, page := range map[string]string{"man5/wpsd.conf.5": confPage(string(text)), "man7/fi.w1.wps.7": apiPage(all)} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// escape makes text of a manual page: nothing in it is a request of roff.
func escape(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`, `"`, `\(dq`).Replace(s)
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, ".") {
			lines[i] = `\&` + l
		}
	}
	return strings.Join(lines, "\n")
}

// page is a manual page that grows.
type page struct{ strings.Builder }

func newPage(name, section, what string) *page {
	p := &page{}
	fmt.Fprintf(p, ".TH %s %s \"\" wpsd wpsd\n.SH NAME\n%s \\- %s\n", escape(name), section, escape(name), escape(what))
	return p
}

func (p *page) section(title string)    { fmt.Fprintf(p, ".SH %q\n", escape(title)) }
func (p *page) subsection(title string) { fmt.Fprintf(p, ".SS %q\n", escape(title)) }

// item begins something that is explained; the explanation follows.
func (p *page) item(name string) { fmt.Fprintf(p, ".TP\n.B %s\n", escape(name)) }

// text adds the paragraphs of a section, below those of an item.
func (p *page) text(s string)  { p.paragraphs(".PP", s) }
func (p *page) below(s string) { p.paragraphs(".IP", s) }

func (p *page) paragraphs(between, s string) {
	for i, paragraph := range strings.Split(s, "\n\n") {
		if i > 0 {
			p.WriteString(between + "\n")
		}
		p.WriteString(escape(paragraph) + "\n")
	}
}

// also names related pages.
func (p *page) also(pages ...string) string {
	p.section("SEE ALSO")
	for i, name := range pages {
		comma := ","
		if i == len(pages)-1 {
			comma = ""
		}
		title, section, _ := strings.Cut(strings.TrimSuffix(name, ")"), "(")
		fmt.Fprintf(p, ".BR %s (%s)%s\n", escape(title), section, comma)
	}
	return p.String()
}
