package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// printable escapes what a terminal could act on or a reader could not see: control and format
// characters (also those that turn the direction of writing), and bytes that are not UTF-8. Names
// come from any radio in the neighbourhood.
func printable(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n <= 1 || !unicode.IsGraphic(r) {
			for _, c := range []byte(s[i : i+n]) {
				fmt.Fprintf(&b, `\x%02x`, c)
			}
		} else {
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

// prose is printable for sentences, which a line break only breaks: it becomes a space there, and
// is shown in names.
func prose(s string) string {
	lines := strings.FieldsFunc(s, func(r rune) bool {
		return r == '\n' || r == '\r' || r == '\t' || r == '\v' || r == '\f'
	})
	for i, l := range lines {
		lines[i] = strings.Trim(l, " ")
	}
	return printable(strings.Join(lines, " "))
}

// ssidText is an SSID for people.
func ssidText(ssid []byte) string {
	if len(strings.Trim(string(ssid), "\x00")) == 0 {
		return "(hidden)"
	}
	return printable(string(ssid))
}

// orDash shows an empty value in a table.
func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return printable(s)
}

// cut shortens s to width columns, counting a rune as one.
func cut(s string, width int) string {
	if utf8.RuneCountInString(s) <= width {
		return s
	}
	return string([]rune(s)[:width-1]) + "…"
}

// printJSON prints one object on one line.
func (a *app) printJSON(v any) error {
	e := json.NewEncoder(a.out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// printf prints a line or more for people.
func (a *app) printf(format string, args ...any) {
	_, _ = fmt.Fprintf(a.out, format, args...)
}
