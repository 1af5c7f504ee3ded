package main

import (
	"errors"
	"strings"
	"testing"
)

func TestWhereTheExternalRegistrarStarts(t *testing.T) {
	t.Parallel()
	known := map[string]lan{"eth0": {"192.0.2.7", true}, "wlan0": {"198.51.100.7", false},
		"eth1": {"203.0.113.7", true}, "lan9": {"10.0.0.1", false}}
	look := func(ifname string) lan { return known[ifname] }
	for _, row := range []struct {
		name, interfaces, given string
		want, hint              string
	}{
		{"the one that is named, whatever it has", "eth0 wlan0 wlan1", "wlan1", "wlan1", ""},
		{"the only one, also without an address", "wlan1", "", "wlan1", ""},
		{"where it runs already", "eth0 wlan1* wlan2", "", "wlan1", ""},
		{"the only one with an address", "wlan0 wlan1 wlan2", "", "wlan0", ""},
		{"of two with an address that with the default route", "eth0 wlan0 wlan1", "", "eth0", ""},
		{"two with a default route", "eth0 eth1 wlan1", "", "",
			"eth0 (station, 192.0.2.7, default route), eth1 (station, 203.0.113.7, default route), wlan1 (station, no IPv4 address)"},
		{"two with an address and none with a default route", "lan9 wlan0", "", "",
			"lan9 (station, 10.0.0.1), wlan0 (station, 198.51.100.7)"},
		{"none with an address", "wlan1 wlan2", "", "", "wlan1 (station, no IPv4 address)"},
		{"it runs on two", "eth0* wlan0*", "", "", "It runs on eth0, wlan0."},
		{"one that wpsd does not have", "wlan0", "eth7", "",
			`There are: wlan0. One without a radio has to be added: "wpsctl interfaces add eth7".`},
		{"none at all", "", "", "", `"wpsctl interfaces add eth0"`},
	} {
		tr := &tree{}
		for _, n := range strings.Fields(row.interfaces) {
			ifname, runs := strings.CutSuffix(n, "*")
			tr.Interfaces = append(tr.Interfaces, netif{Name: ifname, Mode: "station", ER: runs})
		}
		got, err := tr.pickERStart(row.given, look)
		var f *failure
		switch {
		case row.want != "":
			if err != nil || got.Name != row.want {
				t.Errorf("%s: %q, %v", row.name, got.Name, err)
			}
		case !errors.As(err, &f) || !strings.Contains(f.Hint, row.hint) || f.Exit == exitOK:
			t.Errorf("%s: %q, %+v", row.name, got.Name, err)
		}
	}
}

func TestDefaultRoute(t *testing.T) {
	t.Parallel()
	// As Linux has it.
	table := "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n" +
		"eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n" +
		"eth0\t000200C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n" +
		"wlan0\t006433C6\t00000000\t0001\t0\t0\t600\t00FFFFFF\t0\t0\t0\n" +
		"tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0\nshort\t00000000\n"
	for ifname, want := range map[string]bool{"eth0": true, "wlan0": false, "tun0": false,
		"short": false, "eth": false, "": false} {
		if hasDefaultRoute(table, ifname) != want {
			t.Errorf("%q: not %v", ifname, want)
		}
	}
}

func TestTheKernelKnowsTheLoopbackInterface(t *testing.T) {
	t.Parallel()
	if l := lanOf("lo"); l.address != "" && (!strings.HasPrefix(l.address, "127.") || l.route) {
		t.Errorf("%+v", l)
	}
	if l := lanOf("no such one"); l != (lan{}) {
		t.Errorf("%+v", l)
	}
}
