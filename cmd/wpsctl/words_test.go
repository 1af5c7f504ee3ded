package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"
)

func TestProse(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"One.\nTwo.":         "One. Two.",
		"a\r\n\r\n  b\tc\n":  "a b c",
		"a\x1b[2Jb\nc":       `a\x1b[2Jb c`,
		"it's \"quoted\"":    `it's "quoted"`,
		"":                   "",
		"\n":                 "",
		"from right\u202e\n": `from right\xe2\x80\xae`,
	} {
		if got := prose(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// What the monitor shows of a property: quotation marks come in pairs, whatever is between them.
func TestValuesInTheMonitor(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 30, 12, 34, 56, 0, time.Local)
	for _, tt := range []struct {
		name, property string
		value          any
		want           string
	}{
		{"a word", "State", "scanning", "scanning"},
		{"more than a word", "DeviceName", "My box", `"My box"`},
		{"nothing", "Message", "", `""`},
		{"text that ends with a quotation mark", "DeviceName", `5" screen "new"`,
			`"5\" screen \"new\""`},
		{"text that is a quotation mark", "DeviceName", `"`, `"\""`},
		{"what looks like another property", "DeviceName", "a State=succeeded",
			`"a State=succeeded"`},
		{"text that begins with an at", "DeviceName", "@home", "@home"},
		{"a name in bytes", "Ssid", []byte("My \"net\""), `"My \"net\""`},
		{"bytes that are no text", "Ssid", []byte("a\x1b"), `a\x1b`},
		{"a list", "ConfigMethods", []string{"label", "a b"}, `[label, "a b"]`},
		{"an empty list", "ConfigMethods", []string{}, "[]"},
		{"an object", "Session", godbus.ObjectPath("/fi/w1/wps/sessions/3"), `"session 3"`},
		{"no object", "Session", godbus.ObjectPath("/"), "none"},
		{"objects", "Networks", []godbus.ObjectPath{"/fi/w1/wps/networks/1",
			"/fi/w1/wps/networks/2"}, `["network 1", "network 2"]`},
		{"a time", "Deadline", uint64(at.UnixMicro()), "12:34:56"},
		{"no time", "Deadline", uint64(0), "0"},
		{"a number", "Frequency", uint32(2437), "2437"},
		{"yes or no", "SetupLocked", true, "true"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := valueText(tt.property, tt.value); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
			s := &godbus.Signal{Name: propertiesIface + ".PropertiesChanged",
				Path: "/fi/w1/wps/sessions/1",
				Body: []any{sessionIface, map[string]godbus.Variant{"X" +
					tt.property: godbus.MakeVariant(tt.value)}, []string{}}}
			for _, line := range signalText(s) {
				if strings.Count(strings.ReplaceAll(line, `\"`, ""), `"`)%2 != 0 {
					t.Errorf("a quotation mark is lost: %s", line)
				}
			}
		})
	}
}

// What is said below the list of access points.
func TestScanHint(t *testing.T) {
	t.Parallel()
	ap := func(bssid, ssid, uuid, flags string) accessPoint {
		return accessPoint{BSSID: bssid, ssid: []byte(ssid), UUID: uuid, Flags: flags}
	}
	for _, tt := range []struct {
		name  string
		found []accessPoint
		want  string
	}{
		{"nobody pressed", []accessPoint{ap("1", "Haus", "u", "WPS")}, ""},
		{"one", []accessPoint{ap("1", "Haus", "u", "WPS-PBC")}, "The button of Haus is pressed"},
		{"two bands of one router", []accessPoint{ap("1", "Haus", "u", "WPS-PBC"),
			ap("2", "Haus", "u", "WPS-PBC")}, "The button of Haus is pressed"},
		{"a router with a guest network", []accessPoint{ap("1", "Haus", "u", "WPS-PBC"),
			ap("2", "Gast", "u", "WPS-PBC")}, "The button of Haus with Gast is pressed"},
		{"two routers", []accessPoint{ap("1", "Haus", "u", "WPS-PBC"),
			ap("2", "My net", "v", "WPS-PBC")},
			`The buttons of 2 routers are pressed: Haus, My net. Name yours, as in "wpsctl pbc Haus".`},
		{"a name with a space", []accessPoint{ap("1", "My net", "u", "WPS-PBC"),
			ap("2", "Haus", "v", "WPS-PBC")}, `as in "wpsctl pbc 'My net'"`},
		{"two of one name", []accessPoint{ap("02:00:00:00:00:01", "Haus", "u", "WPS-PBC"),
			ap("2", "Haus", "v", "WPS-PBC")}, `as in "wpsctl pbc 02:00:00:00:00:01"`},
		{"a name that a shell would act on", []accessPoint{ap("02:00:00:00:00:01", "$(x)", "u",
			"WPS-PBC"), ap("2", "Haus", "v", "WPS-PBC")}, `as in "wpsctl pbc 02:00:00:00:00:01"`},
		{"a name that is an option", []accessPoint{ap("02:00:00:00:00:01", "--help", "u",
			"WPS-PBC"), ap("2", "Haus", "v", "WPS-PBC")}, `as in "wpsctl pbc 02:00:00:00:00:01"`},
		{"a hidden one", []accessPoint{ap("02:00:00:00:00:01", "", "u", "WPS-PBC"),
			ap("2", "Haus", "v", "WPS-PBC")}, `as in "wpsctl pbc 02:00:00:00:00:01"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			if err := writeScanHint(&b, tt.found); err != nil ||
				!strings.Contains(b.String(), tt.want) || tt.want == "" && b.Len() > 0 {
				t.Errorf("%q, %v; want %q", b.String(), err, tt.want)
			}
		})
	}
}

func TestWordsForSecurity(t *testing.T) {
	t.Parallel()
	for want, ways := range map[string][]string{
		"open": {"open"}, "WPA2": {"wpa2"}, "WPA/WPA2": {"wpa", "wpa2"},
		"WPA2/WPA3": {"wpa2", "wpa3"}, "802.1X": {"enterprise"},
		"-": nil, "novel": {"novel"},
	} {
		if got := offered(ways); got != want {
			t.Errorf("%q: %s, want %s", ways, got, want)
		}
	}
}

// wps_cred_processing=1 is blamed where it is set, and nowhere else.
func TestWhyNotStored(t *testing.T) {
	t.Parallel()
	for mode, blamed := range map[string]bool{"external": true, "internal": false, "both": false,
		"": false} {
		if text := notStoredText(mode); strings.Contains(text, "wps_cred_processing") != blamed ||
			!strings.Contains(text, "--show-key") {
			t.Errorf("%s: %s", mode, text)
		}
	}
	for mode, what := range map[string]string{"internal": "wps_cred_processing=2", "external": "",
		"both": ""} {
		if text := inVain(mode); text != "" != (what != "") || !strings.Contains(text, what) {
			t.Errorf("%s: %s", mode, text)
		}
	}
}
