package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"
	"rsc.io/qr"

	"wpsd/dbus/bus"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/introspection"
	"wpsd/service/outcome"
)

func TestPrintable(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"text stays as it is", `Café "☕" \o/`, `Café "☕" \o/`},
		{"an escape sequence is shown, not sent", "a\x1b[2Jb", `a\x1b[2Jb`},
		{"line ends and tabs do not break a table", "a\nb\tc\r", `a\x0ab\x09c\x0d`},
		{"bytes that are no UTF-8", "a\xff\xc3", `a\xff\xc3`},
		{"what turns the direction of writing", "a\u202eb", `a\xe2\x80\xaeb`},
		{"the replacement character itself is text", "a\ufffdb", "a\ufffdb"},
		{"eight bit controls", "a\u009bb", `a\xc2\x9bb`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := printable(tt.in); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestSSIDText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"": "(hidden)", "\x00\x00": "(hidden)",
		"a\x00b": `a\x00b`, "home": "home"} {
		if got := ssidText([]byte(in)); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestClockBeginsAtTwoMinutes(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		2 * time.Minute: "2:00", 2*time.Minute - time.Millisecond: "2:00",
		119 * time.Second: "1:59",
		time.Millisecond:  "0:01", 0: "0:00", -time.Second: "0:00",
	} {
		if got := clock(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

// Every Reason of the contract has an exit code here, and there is none that the contract lacks.
func TestReasonsAreComplete(t *testing.T) {
	t.Parallel()
	known := map[outcome.Reason]bool{}
	for _, r := range outcome.Reasons() {
		known[r] = true
		if entry, ok := reasons[r]; !ok || entry.exit == exitOK {
			t.Errorf("reason %s: %+v", r, entry)
		}
	}
	for name := range reasons {
		if !known[name] {
			t.Errorf("reason %s is none", name)
		}
	}
}

// Every error that the D-Bus API names has an exit code of its own here.
func TestErrorsAreComplete(t *testing.T) {
	t.Parallel()
	all, err := introspection.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range all {
		for _, m := range i.Methods {
			for _, name := range m.Doc.Errors {
				if _, ok := busErrors[name]; !ok {
					t.Errorf("%s.%s: error %s has no exit code", i.Name, m.Name, name)
				}
			}
		}
	}
}

func TestExitCodesAreExplainedOnce(t *testing.T) {
	t.Parallel()
	seen := map[int]bool{}
	for _, e := range exitCodes {
		if seen[e.code] || e.text == "" {
			t.Errorf("%d: %q", e.code, e.text)
		}
		seen[e.code] = true
	}
	for name, e := range busErrors {
		if !seen[e.exit] || e.exit == exitOK {
			t.Errorf("%s: exit code %d is not explained", name, e.exit)
		}
	}
	for name, r := range reasons {
		if !seen[r.exit] {
			t.Errorf("%s: exit code %d is not explained", name, r.exit)
		}
	}
}

func TestFromBus(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		err  error
		want failure
	}{
		{"wpsd's own text is for people",
			godbus.Error{Name: "fi.w1.wps.Error.Busy", Body: []any{"A session runs."}},
			failure{Exit: exitBusy, Name: "fi.w1.wps.Error.Busy", Text: "A session runs.",
				Hint: `"wpsctl cancel" ends a session.`}},
		{"nobody owns the name",
			godbus.Error{Name: "org.freedesktop.DBus.Error.ServiceUnknown", Body: []any{"x"}},
			failure{Exit: exitNoService, Name: "org.freedesktop.DBus.Error.ServiceUnknown",
				Text: "x", Hint: startHint}},
		{"an error of a newer wpsd",
			godbus.Error{Name: "fi.w1.wps.Error.Novel", Body: []any{"a\x1bb"}},
			failure{Exit: exitFailure, Name: "fi.w1.wps.Error.Novel", Text: `a\x1bb`}},
		{"the bus is gone", fmt.Errorf("call: %w: EOF", bus.ErrLost),
			failure{Exit: exitNoService, Text: "the connection to the bus is lost",
				Hint: startHint}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var f *failure
			if !errors.As(fromBus(tt.err), &f) || *f != tt.want {
				t.Errorf("%+v, want %+v", f, tt.want)
			}
		})
	}
	if fromBus(nil) != nil {
		t.Error("no error became one")
	}
}

func TestSessionFailure(t *testing.T) {
	t.Parallel()
	variants := func(v any) map[string]godbus.Variant {
		return map[string]godbus.Variant{"bssids": godbus.MakeVariant(v),
			"case": godbus.MakeVariant("overlap-of-routers")}
	}
	two := []string{"02:00:00:00:00:01", "02:00:00:00:00:02"}
	tests := []struct {
		name, sentence string
		in             session
		exit           int
		text           string
	}{
		{"wpsd's sentence is preferred", "Two buttons: b.",
			session{State: "failed", Reason: "pbc-overlap"}, exitOverlap, "Two buttons: b."},
		{"without one it is made of the details", "",
			session{State: "failed", Reason: "pbc-overlap", Detail: variants(two)}, exitOverlap,
			outcome.Sentence("pbc-overlap", outcome.Detail{Case: outcome.RoutersOverlap,
				Overlap: []outcome.AccessPoint{{BSSID: wsc.MAC{5: 1, 0: 2}},
					{BSSID: wsc.MAC{5: 2, 0: 2}}}})},
		{"details of another type are left out", "",
			session{State: "failed", Reason: "setup-locked",
				Detail: map[string]godbus.Variant{"peer": godbus.MakeVariant(uint32(1))}},
			exitRefused, outcome.Sentence("setup-locked", outcome.Detail{})},
		{"a reason of a newer wpsd", "Something new.", session{State: "failed", Reason: "novel"},
			exitFailure, "Something new."},
		{"neither reason nor sentence", "", session{State: "failed"}, exitFailure,
			outcome.Sentence("", outcome.Detail{})},
		{"canceled by another", "", session{State: "canceled"}, exitCanceled,
			"Canceled."},
		{"canceled as its owner left", "", session{State: "canceled", Reason: "owner-left"},
			exitCanceled, outcome.Sentence("owner-left", outcome.Detail{})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := sessionFailure(tt.in, tt.sentence)
			if f.Exit != tt.exit || f.Text != tt.text {
				t.Errorf("%d %q, want %d %q", f.Exit, f.Text, tt.exit, tt.text)
			}
		})
	}
}

func TestScreenDrawsOver(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	s := &screen{w: &b, width: 40, live: true}
	s.status("Looking for a router whose button is pressed", "1:59 left")
	s.clear()
	s.clear()
	want := "\rLooking for a router whose… · 1:59 left\x1b[K\r\x1b[K"
	if got := b.String(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	b.Reset()
	s = &screen{w: &b}
	s.status("Looking", "1:59 left")
	s.status("Looking", "1:58 left")
	s.status("Talking", "1:57 left")
	s.clear()
	if got := b.String(); got != "Looking\nTalking\n" {
		t.Errorf("no terminal: %q", got)
	}
}

// Properties of the wrong type, or none, must not bring wpsctl down: they come from another
// program.
func TestTreeTakesAnything(t *testing.T) {
	t.Parallel()
	bad := props{"Name": godbus.MakeVariant(7), "Ssid": godbus.MakeVariant("text"),
		"Signal": godbus.MakeVariant("x"), "Created": godbus.MakeVariant(uint64(1) << 63)}
	tree := newTree(map[godbus.ObjectPath]map[string]props{
		"/fi/w1/wps":                {managerIface: bad},
		"/fi/w1/wps/interfaces/x":   {interfaceIface: bad, "something.else": nil},
		"/fi/w1/wps/interfaces/x/a": {accessPointIface: bad},
		"/fi/w1/wps/sessions/1":     {sessionIface: bad},
		"/fi/w1/wps/networks/1":     {networkIface: bad},

		"/fi/w1/wps/interfaces/x/er/aps/u":       {erAccessPointIface: bad},
		"/fi/w1/wps/interfaces/x/er/enrollees/u": {erEnrolleeIface: bad},
		"/":                                      {},
	})
	if len(tree.Interfaces) != 1 || len(tree.AccessPoints) != 1 || len(tree.Sessions) != 1 ||
		len(tree.Networks) != 1 ||
		len(tree.ERAccessPoints) != 1 || len(tree.EREnrollees) != 1 {
		t.Errorf("%+v", tree)
	}
	if err := writeStatus(&bytes.Buffer{}, tree, time.Now()); err != nil {
		t.Error(err)
	}
	for _, f := range []func() error{
		func() error { return writeAccessPoints(&bytes.Buffer{}, tree.AccessPoints) },
		func() error { return writeNetworks(&bytes.Buffer{}, tree.Networks) },
		func() error { return writeERAccessPoints(&bytes.Buffer{}, tree.ERAccessPoints) },
		func() error { return writeEREnrollees(&bytes.Buffer{}, tree.EREnrollees) },
	} {
		if err := f(); err != nil {
			t.Error(err)
		}
	}
}

// Signals of any shape must not either.
func TestSignalTextTakesAnything(t *testing.T) {
	t.Parallel()
	names := []string{objectManager + ".InterfacesAdded", objectManager + ".InterfacesRemoved",
		propertiesIface + ".PropertiesChanged",
		interfaceIface + ".ScanDone", sessionIface + ".Failed", sessionIface + ".Succeeded",
		interfaceIface + ".AccessPointAvailable",
		sessionIface + ".CredentialReceived", erIface + ".AccessPointAdded",
		erIface + ".EnrolleeRemoved", erIface + ".ApSettings",
		"org.freedesktop.DBus.NameOwnerChanged", "novel.Signal", "bare"}
	bodies := [][]any{nil, {1}, {1, 2}, {1, 2, 3},
		{"x", map[string]godbus.Variant{"Z": godbus.MakeVariant("\x1b")}, []string{}},
		{godbus.ObjectPath("/x"), map[string]map[string]godbus.Variant{}}, {busName, "", ""}}
	for _, name := range names {
		for _, body := range bodies {
			s := &godbus.Signal{Path: "/fi/w1/wps/interfaces/wlan0/aps/02_00",
				Name: name, Body: body}
			for _, line := range signalText(s) {
				if strings.ContainsAny(line, "\x1b\n") {
					t.Errorf("%s %v: %q", name, body, line)
				}
			}
			if _, err := json.Marshal(signalJSON(s, time.Now())); err != nil {
				t.Errorf("%s %v: %v", name, body, err)
			}
		}
	}
}

func TestMonitorNeverShowsKeys(t *testing.T) {
	t.Parallel()
	secret := props{"key": godbus.MakeVariant([]byte("swordfish"))}
	for _, s := range []*godbus.Signal{
		{Path: "/fi/w1/wps/sessions/1", Name: sessionIface + ".CredentialReceived",
			Body: []any{secret, []byte("swordfish")}},
		{Path: "/fi/w1/wps/interfaces/wlan0", Name: erIface + ".ApSettings",
			Body: []any{godbus.ObjectPath("/x"), secret}},
	} {
		shown := strings.Join(signalText(s), " ") + fmt.Sprint(signalJSON(s, time.Now()))
		if strings.Contains(shown, "swordfish") ||
			strings.Contains(shown, fmt.Sprint([]byte("swordfish"))) {
			t.Error(shown)
		}
	}
}

func TestObjectName(t *testing.T) {
	t.Parallel()
	const er = "/fi/w1/wps/interfaces/eth0/er/"
	const registrar, device = er + "aps/12345678_9abc_def0_1234_56789abcdef0",
		er + "enrollees/12345678_9abc_def0_1234_56789abcdef0_02_00_00_00_00_09"
	const registrarName = "eth0 access point 12345678-9abc-def0-1234-56789abcdef0"
	for path, want := range map[godbus.ObjectPath]string{
		"/fi/w1/wps": "wpsd", "/fi/w1/wps/interfaces/wlan0": "wlan0",
		"/fi/w1/wps/sessions/3": "session 3", "/fi/w1/wps/networks/1": "network 1",
		"/fi/w1/wps/interfaces/wlan0/aps/02_00_00_00_01_00": "wlan0 access point 02:00:00:00:01:00",
		registrar: registrarName, registrar + "_2": registrarName,
		device: "eth0 device 02:00:00:00:00:09", device + "_1": "eth0 device 02:00:00:00:00:09",
		er + "aps/1": "eth0 aps/1",
	} {
		if got := objectName(path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

func TestPublicCredentialHasNoKey(t *testing.T) {
	t.Parallel()
	c := credential{ssid: []byte("x"), key: secret.FromString("swordfish"),
		wifiURI: secret.FromString("WIFI:swordfish")}
	if shown := fmt.Sprint(c.public(false)); strings.Contains(shown, "swordfish") {
		t.Error(shown)
	}
	if shown := fmt.Sprint(c.public(true)); !strings.Contains(shown, "swordfish") {
		t.Error(shown)
	}
}

// What is drawn can be read back: light modules, quiet zone included, are where they belong.
func TestQRRoundTrip(t *testing.T) {
	t.Parallel()
	code, err := qr.Encode("WIFI:T:WPA;S:home;P:swordfish;;", qr.M)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := drawQR(&b, code.Size, code.Black, false); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	for row, line := range lines {
		cells := []rune(line)
		if len(cells) != code.Size+2*quietZone {
			t.Fatalf("line %d has %d columns", row, len(cells))
		}
		for column, cell := range cells {
			upper, lower := cell == '▀' || cell == '█', cell == '▄' || cell == '█'
			for half, light := range []bool{upper, lower} {
				x, y := column-quietZone, 2*row+half-quietZone
				inside := x >= 0 && y >= 0 && x < code.Size && y < code.Size
				if light == (inside && code.Black(x, y)) {
					t.Fatalf("module %d,%d is wrong", x, y)
				}
			}
		}
	}
	if len(lines) < (code.Size+2*quietZone)/2 {
		t.Errorf("%d lines", len(lines))
	}
}

func TestGroupPIN(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"12345670": "1234 5670", "1234": "1234", "": ""} {
		if got := groupPIN(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
