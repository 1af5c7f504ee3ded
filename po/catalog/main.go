// Command catalog collects the texts of the applet and keeps the catalogs of their translations.
//
//	catalog            writes po/wps-applet.pot, and brings each po/LANGUAGE.po up to date with it
//	catalog --mo DIR   compiles the catalogs: DIR/LANGUAGE/LC_MESSAGES/wps-applet.mo
//
// xgettext of Debian 12 reads neither Go nor GtkBuilder's XML, so this does. Compiling is here, too,
// as whoever builds the applet may have no gettext; a test holds both against gettext's own msgfmt
// where that is installed.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// domain is the gettext domain.
const domain = "wps-applet"

func main() {
	if err := run(os.Args[1:]); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "catalog:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	languages, err := filepath.Glob("po/*.po")
	if err != nil {
		return err
	}
	if len(languages) == 0 {
		return errors.New("there is no po/*.po: run it at the top of the tree")
	}
	if len(args) == 2 && args[0] == "--mo" {
		for _, name := range languages {
			if err := compileInto(args[1], name); err != nil {
				return err
			}
		}
		return nil
	}
	if len(args) > 0 {
		return errors.New("usage: catalog [--mo DIR]")
	}
	texts, err := collect("cmd/wps-applet")
	if err != nil {
		return err
	}
	if err := os.WriteFile("po/"+domain+".pot", format(header(""), texts, nil), 0o644); err != nil {
		return err
	}
	for _, name := range languages {
		c, err := read(name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(name, format(c.header, texts, c.texts), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// compileInto compiles one catalog.
func compileInto(dir, name string) error {
	c, err := read(name)
	if err != nil {
		return err
	}
	language := strings.TrimSuffix(filepath.Base(name), ".po")
	at := filepath.Join(dir, language, "LC_MESSAGES")
	if err := os.MkdirAll(at, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(at, domain+".mo"), compile(c), 0o644)
}
