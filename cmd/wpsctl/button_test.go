package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestButtonSettings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		want       buttonSettings
		err        string
	}{
		{"nothing said", "", buttonSettings{key: 0x211}, ""},
		{"all of it", "# mine\nkey = BTN_0\n\nled=green:wps\ninterface=wlan1\n",
			buttonSettings{key: 0x100, light: "green:wps", ifname: "wlan1"}, ""},
		{"a key by its number", "key=0x211", buttonSettings{key: 0x211}, ""},
		{"a key that there is not", "key=KEY_ANY", buttonSettings{}, "f:1: \"KEY_ANY\" is no key"},
		{"a setting that there is not", "key=BTN_0\nlight=x", buttonSettings{}, "f:2: there is no setting"},
		{"no setting", "KEY_WPS_BUTTON", buttonSettings{}, "f:1: not of the form"},
	} {
		got, err := parseButtonSettings("f", c.text)
		switch {
		case c.err == "" && (err != nil || got != c.want):
			t.Errorf("%s: %+v, %v", c.name, got, err)
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%s: %v", c.name, err)
		}
	}
	long := filepath.Join(t.TempDir(), "long")
	if err := os.WriteFile(long, []byte(strings.Repeat("#", 2*maxConfig)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readButtonSettings(long); err == nil {
		t.Error("a file without end is read")
	}
	if _, err := readButtonSettings(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that is not there is read")
	}
	if _, err := readButtonSettings("../../packaging/button.conf"); err != nil {
		t.Errorf("the one that is installed: %v", err)
	}
}
