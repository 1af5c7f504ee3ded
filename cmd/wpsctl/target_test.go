package main

import (
	"errors"
	"iter"
	"strings"
	"testing"

	godbus "github.com/godbus/dbus/v5"
	"github.com/spf13/cobra"
)

// What people type for an access point, a network or a device, and what is meant.
func TestNamesOfAccessPoints(t *testing.T) {
	t.Parallel()
	ap := func(bssid, ssid, uuid, flags string) accessPoint {
		return accessPoint{BSSID: bssid, SSID: ssid, ssid: []byte(ssid), UUID: uuid, Flags: flags,
			Maker: "Maker", Signal: -50}
	}
	heard := []accessPoint{
		ap("02:00:00:00:00:01", "Haus", "u1", "WPS"),
		ap("02:00:00:00:00:02", "Haus", "u1", "WPS-PBC"),
		ap("02:00:00:00:00:03", "Café", "u2", "WPS"),
		ap("02:00:00:00:00:04", "Café", "u3", "WPS-PBC"),
		ap("02:00:00:00:00:05", "silent", "", "WPS"),
		ap("02:00:00:00:00:06", "silent", "", "WPS"),
		ap("02:00:00:00:00:07", "\xff\x1b", "u4", "WPS"),
		ap("02:00:00:00:00:08", "", "u5", "WPS"),
		ap("02:00:00:00:00:09", "10:20", "u6", "WPS"),
		ap("02:00:00:00:00:0a", "03:00:00:00:00:01", "u7", "WPS"),
	}
	tests := []struct {
		name, typed, want string
		exit              int
		tells             string
	}{
		{"a BSSID is taken as it is", "02:00:00:00:00:FF", "02:00:00:00:00:ff", 0, ""},
		{"a BSSID with dashes", "02-00-00-00-00-FF", "02:00:00:00:00:ff", 0, ""},
		{"a BSSID that is also somebody's name", "03:00:00:00:00:01", "03:00:00:00:00:01", 0, ""},
		{"two BSSs of one router are one: the one whose button is pressed", "Haus",
			"02:00:00:00:00:02", 0, ""},
		{"two routers with one name are listed", "Café", "", exitUsage,
			`2 access points have the name "Café": say which one|02:00:00:00:00:03 (Maker, -50 dBm)|02:00:00:00:00:04 (Maker, -50 dBm, WPS-PBC)`},
		{"those that do not tell a UUID are each their own", "silent", "", exitUsage,
			"2 access points"},
		{"a name as we print it", `\xff\x1b`, "02:00:00:00:00:07", 0, ""},
		{"a name as it is", "\xff\x1b", "02:00:00:00:00:07", 0, ""},
		{"a name that looks like a part of an address", "10:20", "02:00:00:00:00:09", 0, ""},
		{"a part of an address", "02:00:00", "", exitUsage, `"02:00:00" is not a BSSID`},
		{"the hidden one has no name", "(hidden)", "", exitNotFound,
			"no access point with WPS in range has the name"},
		{"another case is another name", "haus", "", exitNotFound, `"haus"`},
		{"controls are not sent to the terminal", "a\x1b[2J", "", exitNotFound, `"a\x1b[2J"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := pickBSSID(heard, tt.typed)
			holdTarget(t, got, err, tt.want, tt.exit, tt.tells)
		})
	}
}

// holdTarget compares what a name became; tells are texts of the message, separated by "|".
func holdTarget(t *testing.T, got string, err error, want string, exit int, tells string) {
	t.Helper()
	if got != want || (err == nil) != (exit == 0) {
		t.Fatalf("%q, %v; want %q", got, err, want)
	}
	var f *failure
	if !errors.As(err, &f) {
		return
	}
	for _, text := range strings.Split(tells, "|") {
		if f.Exit != exit || !strings.Contains(f.Text+" "+f.Hint, text) {
			t.Errorf("%+v; want exit code %d and %q", f, exit, text)
		}
	}
	if strings.Contains(f.Text+f.Hint, "/fi/w1") {
		t.Errorf("it speaks of object paths: %+v", f)
	}
}

func TestNamesOfNetworks(t *testing.T) {
	t.Parallel()
	stored := func(id, ssid string) network {
		return network{Path: rootPath + "/networks/" + godbus.ObjectPath(id), ID: id,
			ssid: []byte(ssid), Auth: "WPA2PSK", Encryption: "CCMP"}
	}
	all := &tree{Networks: []network{stored("1", "Haus"), stored("2", "Haus"), stored("3", "1"),
		stored("4", "Café")}}
	tests := []struct {
		name, typed, want string
		exit              int
		tells             string
	}{
		{"a number", "2", "2", 0, ""},
		{"a number before a name", "1", "1", 0, ""},
		{"an object path", "/fi/w1/wps/networks/4", "4", 0, ""},
		{"a name", "Café", "4", 0, ""},
		{"a name of two", "Haus", "", exitUsage, "number 1 (WPA2, CCMP); number 2 (WPA2, CCMP)"},
		{"a number that is none", "99", "", exitNotFound,
			`no stored network has the number or the name "99"|"wpsctl networks"`},
		{"a name that is none", "1 2", "", exitNotFound, `"1 2"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n, err := all.network(tt.typed)
			holdTarget(t, n.ID, err, tt.want, tt.exit, tt.tells)
		})
	}
}

func TestNamesAtTheExternalRegistrar(t *testing.T) {
	t.Parallel()
	const one, two, three = "11111111-2222-3333-4444-555555555501",
		"11111111-2222-3333-4444-555555555502", "11111111-2222-3333-4444-555555555503"
	at := netif{Name: "eth0", ER: true}
	all := &tree{
		ERAccessPoints: []erAccessPoint{
			{Interface: "eth0", UUID: one, BSSID: "02:00:00:00:00:01", Address: "192.0.2.1",
				FriendlyName: "Box"},
			{Interface: "eth0", UUID: two, Address: "192.0.2.2", FriendlyName: "Twin"},
			{Interface: "eth0", UUID: three, BSSID: "02:00:00:00:00:03", Address: "192.0.2.3",
				FriendlyName: "Twin"},
			{Interface: "eth0", UUID: one[:35] + "4", BSSID: "02:00:00:00:00:04",
				Address: "192.0.2.5", OtherAddresses: []string{"192.0.2.6"}, FriendlyName: "Alone"},
			{Interface: "eth1", UUID: "elsewhere", Address: "192.0.2.4", FriendlyName: "Elsewhere"},
		},
		AccessPoints: []accessPoint{{BSSID: "02:00:00:00:00:01", ssid: []byte("Haus")},
			{BSSID: "02:00:00:00:00:09", UUID: two, ssid: []byte("Hof")}},
		EREnrollees: []erEnrollee{{Interface: "eth0", MAC: "02:00:00:00:00:11",
			DeviceName: "camera"},
			{Interface: "eth0", MAC: "02:00:00:00:00:12", DeviceName: "lamp"},
			{Interface: "eth0", MAC: "02:00:00:00:00:13", DeviceName: "lamp"}},
	}
	tests := []struct {
		name, typed string
		find        func(n netif, name string) (string, error)
		want        string
		exit        int
		tells       string
	}{
		{"a UUID in capitals", strings.ToUpper(one), all.erAP, one, 0, ""},
		{"a BSSID", "02-00-00-00-00-AA", all.erAP, "02:00:00:00:00:aa", 0, ""},
		{"an address", "192.0.2.2", all.erAP, "192.0.2.2", 0, ""},
		{"the name in the list", "Box", all.erAP, "02:00:00:00:00:01", 0, ""},
		{"the SSID that a radio hears with its BSSID", "Haus", all.erAP,
			"02:00:00:00:00:01", 0, ""},
		{"the SSID that a radio hears with its UUID", "Hof", all.erAP, two, 0, ""},
		{"a name of two", "Twin", all.erAP, "", exitUsage,
			"2 access points|" + two + " (at 192.0.2.2); 02:00:00:00:00:03 (at 192.0.2.3)"},
		{"a name of one whose BSSID others have as well", "Alone", all.erAP, "192.0.2.5", 0, ""},
		{"a name on another interface", "Elsewhere", all.erAP, "", exitNotFound, "wpsctl er aps"},
		{"a UUID that nobody has, for wpsd to say", "99999999-2222-3333-4444-555555555501",
			all.erAP, "99999999-2222-3333-4444-555555555501", 0, ""},
		{"a device's name", "camera", all.enrollee, "02:00:00:00:00:11", 0, ""},
		{"any device", "any", all.enrollee, "any", 0, ""},
		{"two devices of one name", "lamp", all.enrollee, "", exitUsage,
			"2 devices|02:00:00:00:00:12; 02:00:00:00:00:13"},
		{"a device that is not there", "clock", all.enrollee, "", exitNotFound,
			"wpsctl er enrollees"},
		{"nobody is anybody", "", all.enrolleeOrAP, "any", 0, ""},
		{"an access point in place of a device", "Box", all.enrolleeOrAP,
			"02:00:00:00:00:01", 0, ""},
		{"neither", "nobody", all.enrolleeOrAP, "", exitNotFound, "no device"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := tt.find(at, tt.typed)
			holdTarget(t, got, err, tt.want, tt.exit, tt.tells)
		})
	}
}

// Every command's arguments are checked against its usage line, and each that is empty is refused.
func TestNoArgumentMayBeEmpty(t *testing.T) {
	t.Parallel()
	root := newRoot(&app{})
	for cmd := range everyCommand(root) {
		wanted := argumentsOf(cmd.Use)
		for i := range wanted {
			args := make([]string, i+1)
			for j := range i {
				args[j] = "x"
			}
			var f *failure
			if err := countArguments(cmd, args); !errors.As(err, &f) || f.Exit != exitUsage &&
				f.Exit != exitBadPIN || !strings.Contains(f.Text, "empty") {
				t.Errorf("%s %q: %v", cmd.CommandPath(), args, err)
			}
		}
	}
}

// everyCommand walks over a command and all below it.
func everyCommand(cmd *cobra.Command) iter.Seq[*cobra.Command] {
	return func(yield func(*cobra.Command) bool) {
		if !yield(cmd) {
			return
		}
		for _, below := range cmd.Commands() {
			for c := range everyCommand(below) {
				if !yield(c) {
					return
				}
			}
		}
	}
}
