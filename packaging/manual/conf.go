package main

import (
	"regexp"
	"strings"

	"wpsd/packaging/roff"
)

// setting is a key with its value, commented out or not.
var setting = regexp.MustCompile(`^#?([a-z0-9_]+)=(.*)$`)

// confPage turns the configuration into its manual page. Blocks stand apart by empty lines: the
// first one is about the file, and each other one explains the keys below its comment.
func confPage(conf string) string {
	p := roff.NewPage("wpsd.conf", "5",
		"configuration of wpsd, the Wi-Fi Protected Setup service", "wpsd")
	for n, block := range strings.Split(strings.TrimSpace(conf), "\n\n") {
		comment, keys := takeApart(block)
		if n == 0 {
			p.Section("DESCRIPTION")
			_, text, _ := strings.Cut(comment, "\n\n") // the first paragraph is what NAME says
			p.Text(text)
			p.Section("SETTINGS")
			continue
		}
		p.Together(keys...)
		p.Below(comment)
	}
	p.Section("FILES")
	p.Markup(roff.Italic("/etc/wpsd/wpsd.conf"))
	p.Also("wpsd(8)", "wpsctl(1)", "wpa_supplicant.conf(5)")
	return p.String()
}

// takeApart gives the comment of a block as paragraphs, and its lines with keys.
func takeApart(block string) (comment string, keys []string) {
	var text []string
	for line := range strings.SplitSeq(block, "\n") {
		if setting.MatchString(line) {
			keys = append(keys, strings.TrimPrefix(line, "#"))
			continue
		}
		text = append(text, strings.TrimPrefix(strings.TrimPrefix(line, "#"), " "))
	}
	return strings.TrimSpace(strings.Join(text, "\n")), keys
}
