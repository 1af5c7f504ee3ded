// Command manual writes the manual pages that are made of other files: wpsd.conf(5) of the
// installed configuration, and fi.w1.wps(7) of the D-Bus introspection data; and the files for
// generators of code, of these data, too.
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

// run writes both pages into a directory, and below it the files of the interfaces as they are
// installed.
func run(configuration, dir string) error {
	text, err := os.ReadFile(configuration)
	if err != nil {
		return err
	}
	all, err := introspection.All()
	if err != nil {
		return err
	}
	pages := map[string]string{"man5/wpsd.conf.5": confPage(string(text)),
		"man7/fi.w1.wps.7": apiPage(all)}
	for _, i := range all {
		if strings.HasPrefix(i.Name, "fi.w1.wps.") {
			pages["interfaces/"+i.Name+".xml"] = string(i.Documented())
		}
	}
	for name, page := range pages {
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
