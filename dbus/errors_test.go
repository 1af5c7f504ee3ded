package dbus

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"wpsd/engine/ndef"
	"wpsd/service/outcome"
	"wpsd/service/state"
)

// TestTextsAreElsewhere: package outcome has every sentence that callers read.
func TestTextsAreElsewhere(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	sentence := regexp.MustCompile("^[\"`]([A-Z][^ ]*|%[sqd]|%w: [a-z]{2,}) .*[a-z%][.:]?[\"`]$")
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING &&
				sentence.MatchString(text.Value) {
				t.Errorf("%s says %s", name, text.Value)
			}
			return true
		})
	}
}

// TestTextsOfErrors: what callers read, who may be people in front of wpsctl or any other program.
func TestTextsOfErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		err  error
		want string
	}{
		{"an invalid value says at once what is wrong",
			fmt.Errorf("%w: a passphrase has 8 to 63 characters, this one 5", state.ErrInvalid),
			"A passphrase has 8 to 63 characters, this one 5."},
		{"what is not supported, too",
			fmt.Errorf("%w: wlan0 is not an access point (mode station)", state.ErrNotSupported),
			"wlan0 is not an access point (mode station)."},
		{"not supported without more", state.ErrNotSupported,
			"This interface or this version cannot do that."},
		{"no package stands in a sentence", fmt.Errorf("%w: %w", state.ErrBadTag,
			ndef.ErrTruncated), "This is no NFC tag of Wi-Fi Protected Setup: truncated."},
		{"a line break does not break a sentence",
			fmt.Errorf("%w: a\nb\x1b[2J", state.ErrInvalid), "A b [2J."},
		{"bytes that are no text", fmt.Errorf("%w: a\xff", state.ErrInvalid), "A?."},
	} {
		if _, got := errorReply(c.err); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	// Words of the command line are not for programs, words of the API not for people: both read
	// these.
	for _, err := range outcome.Calls() {
		_, text := errorReply(err)
		for _, word := range []string{" of the Manager", " of the interface for", "call Learn",
			"see its property", "nobody called", "wpsctl "} {
			if strings.Contains(text, word) {
				t.Errorf("%v: %q says %q", err, text, word)
			}
		}
	}
}
