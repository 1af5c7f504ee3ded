package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"wpsd/cmd/wps-applet/model"
	"wpsd/service/outcome"
)

// Every reason that a session can have is told, with something that helps.
func TestEveryReasonHasASentence(t *testing.T) {
	t.Parallel()
	known, titles := map[string]bool{}, map[string]outcome.Reason{}
	for _, r := range outcome.Reasons() {
		known[string(r)] = true
		s, ok := reasons[string(r)]
		if !ok || s.title == "" || s.body == "" {
			t.Errorf("%s has no sentence", r)
		}
		if other, taken := titles[s.title]; taken {
			t.Errorf("%s and %s are one page, %q", r, other, s.title)
		}
		titles[s.title] = r
		if s.helps == nothing {
			t.Errorf("%s: nothing helps", r)
		}
	}
	for _, table := range []map[string]sentence{reasons, registrarReasons, admitReasons} {
		for r := range table {
			if !known[r] {
				t.Errorf("%s is no reason of a session", r)
			}
		}
	}
}

// Every error that a method of the API can have is told.
func TestEveryErrorHasASentence(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("..", "..", "introspection", "fi.w1.wps.*.xml"))
	if err != nil || len(files) == 0 {
		t.Fatal("no introspection", err)
	}
	list := regexp.MustCompile(`(?s)Errors: (.*?)\s*-->`)
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range list.FindAllSubmatch(text, -1) {
			for _, e := range bytes.Split(m[1], []byte(",")) {
				name := strings.TrimSpace(string(e))
				switch name {
				case "AgentExists", "NoAgent", "InterfaceExists":
					continue // of methods that the applet has no use for
				}
				if _, ok := callErrors[name]; !ok {
					t.Errorf("error %s has no sentence", name)
				}
			}
		}
	}
}

// What another end is called depends on what was done.
func TestWhosePIN(t *testing.T) {
	t.Parallel()
	for purpose, want := range map[string]string{
		"enroll":    "The Second Half of the PIN Is Wrong",
		"learn":     "The Router Has Another PIN",
		"configure": "The Router Has Another PIN",
		"admit":     "The Device Has Another PIN",
	} {
		got := explain(model.Session{Purpose: purpose, Reason: "wrong-pin-second-half"})
		if got.title != want || got.helps != retype {
			t.Errorf("%s: %q", purpose, got.title)
		}
	}
	if got := explain(model.Session{Reason: "a-new-word"}); got.title == "" || got.helps != again {
		t.Errorf("a reason of a newer service: %+v", got)
	}
}

// What comes from the air cannot break lines or turn the direction of a text.
func TestNamesFromTheAir(t *testing.T) {
	t.Parallel()
	for ssid, want := range map[string]string{
		"":                 "Hidden network",
		"Haus":             "Haus",
		"Café ☕":           "Café ☕",
		"a\nb":             "a\uFFFDb",
		"\xff\xfe":         "\uFFFD",
		"left\u202eright":  "left\uFFFDright",
		"<b>bold</b> & so": "<b>bold</b> & so",
	} {
		if got := ssidText([]byte(ssid)); got != want {
			t.Errorf("%q: %q, want %q", ssid, got, want)
		}
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args string
		fine bool
	}{
		{"", true},
		{"--background", true},
		{"--page routers --size 360x720", true},
		{"--bus unix:path=/run/x", true},
		{"--bus nonsense", false},
		{"--size big", false},
		{"--size 1x1", false},
		{"--unknown", false},
		{"more", false},
	} {
		var out bytes.Buffer
		if _, err := parseOptions(strings.Fields(tt.args), &out); (err == nil) != tt.fine {
			t.Errorf("%q: %v", tt.args, err)
		}
	}
}

// Digits and times as people read them.
func TestSmallTexts(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		clock(120): "2:00", clock(61): "1:01", clock(0): "0:00",
		pinText("12345670"): "1234 5670", pinText("1234"): "1234",
		securityText([]string{"wpa2", "wpa3"}): "WPA2/WPA3", securityText(nil): "",
		authText("SAE"): "WPA3", authText("novel"): "novel",
		arrow("old", "new"): "new, so far old", arrow("same", "same"): "same (unchanged)",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if digits("1234-5670") != 8 || digits("none") != 0 {
		t.Error("digits are counted wrong")
	}
}

// A file with a password replaces one that others could read, and is its owner's alone.
func TestTokensArePrivate(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(name, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := writePrivate(name, []byte("new")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	content, err := readTag(name)
	if err != nil || string(content) != "new" {
		t.Errorf("%q, %v", content, err)
	}
	if err := os.WriteFile(name, make([]byte, maxTag+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readTag(name); err == nil {
		t.Error("a file that is longer than any tag was read")
	}
}
