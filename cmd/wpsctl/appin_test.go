package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/engine/secret"
)

func TestSecondsFlag(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]uint32{"90": 90, "10m": 600, "1h30m": 5400, "0.5": 1,
		"1500ms": 2} {
		var s seconds
		if err := s.Set(text); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if n, err := wholeSeconds(time.Duration(s)); text != "0.5" && (err != nil || n != want) {
			t.Errorf("%s: %d, %v", text, n, err)
		}
	}
	for _, bad := range []string{"", "soon", "10 m", "1d"} {
		if err := new(seconds).Set(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	for _, bad := range []time.Duration{0, -time.Second, time.Millisecond, 1 << 62} {
		if _, err := wholeSeconds(bad); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
}

func TestLastsText(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "two minutes", 2 * time.Minute: "two minutes", 10 * time.Minute: "10 minutes",
		90 * time.Second: "90 seconds", 5 * time.Hour: "5 hours", time.Minute: "60 seconds",
	} {
		if got := lastsText(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

// TestWordsForAnAccessPoint: what is said before a session, and what monitor says of devices.
func TestWordsForAnAccessPoint(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	a := &app{out: &out}
	said := func(say func()) string {
		out.Reset()
		say()
		return out.String()
	}
	ap, pin := netif{Name: "wlan0", Mode: "ap"}, secret.FromString("12345670")
	for name, row := range map[string]struct{ got, want string }{
		"push button": {said(func() { a.tellPBC(ap) }), "the device that is to join"},
		"a PIN that was made": {said(func() { a.tellPIN(ap, pin, false, 10*time.Minute) }),
			"PIN: 1234 5670\nStart WPS on the device that is to join, and type this PIN in there, within 10 minutes."},
		"a device's PIN": {said(func() { a.tellPIN(ap, secret.Value{}, false, 0) }),
			"within two minutes"},
		"detached": {said(func() { a.tellPIN(ap, pin, true, 0) }), "1234 5670"},
		"a station": {said(func() { a.tellPIN(netif{Mode: "station"}, pin, false, 0) }),
			"WPS page of your router"},
		"the end": {said(func() { _ = a.showAdmitted(session{Peer: "02:00:00:00:09:01"}) }),
			"02:00:00:00:09:01 was let into the network."},
	} {
		if !strings.Contains(row.got, row.want) {
			t.Errorf("%s: %q does not say %q", name, row.got, row.want)
		}
	}
	if got := said(func() { a.tellPIN(ap, secret.Value{}, true, 0) }); got != "" {
		t.Errorf("a given PIN, detached: %q", got)
	}

	device := map[string]godbus.Variant{"name": godbus.MakeVariant("camera\x1b[2J"),
		"password-id": godbus.MakeVariant(uint16(4))}
	for name, want := range map[string]string{
		"EnrolleeSeen": `wlan0: 02:00:00:00:09:01 (camera\x1b[2J) has its button pressed`,
		"PinNeeded":    `wlan0: the PIN of 02:00:00:00:09:01 (camera\x1b[2J) is needed: "wpsctl pin"`,
	} {
		s := &godbus.Signal{Path: rootPath + "/interfaces/wlan0", Name: interfaceIface + "." + name,
			Body: []any{"uuid", "02:00:00:00:09:01", device}}
		if got := strings.Join(signalText(s), "\n"); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		s.Body = []any{"x"}
		if got := signalText(s); got != nil {
			t.Errorf("%s without arguments: %q", name, got)
		}
	}
}

func TestPickForAnAccessPoint(t *testing.T) {
	t.Parallel()
	tr := &tree{Interfaces: []netif{{Name: "ap0", Mode: "ap"}, {Name: "sta0", Mode: "station"}}}
	for _, row := range []struct {
		name  string
		modes []string
		want  string
	}{
		{"", []string{"station", "ap"}, "sta0"}, {"", []string{"ap"}, "ap0"},
		{"ap0", []string{"station"}, "ap0"}, {"sta0", []string{"ap"}, "sta0"},
		{"x", []string{"ap"}, ""},
	} {
		if n, _ := tr.pick(row.name, row.modes...); n.Name != row.want {
			t.Errorf("%q of %v: %q, want %q", row.name, row.modes, n.Name, row.want)
		}
	}
	only := &tree{Interfaces: tr.Interfaces[:1]}
	if n, _ := only.pick("", "station", "ap"); n.Name != "ap0" {
		t.Errorf("where there is no station: %q", n.Name)
	}
}
