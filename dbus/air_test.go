package dbus

import (
	"fmt"
	"testing"

	"wpsd/engine/ie"
	"wpsd/engine/wsc"
	"wpsd/service/state"
)

func TestBandAndChannel(t *testing.T) {
	t.Parallel()
	for frequency, want := range map[int]string{
		2412: "2.4 1", 2472: "2.4 13", 2484: "2.4 14", 5180: "5 36", 5825: "5 165", 5885: "5 177",
		5935: "6 2", 5955: "6 1", 7115: "6 233",
		58320: "60 1", 64800: "60 4", 0: " 0", -5: " 0", 900: " 0", 2400: " 0", 5900: " 0",
		1 << 30: " 0",
	} {
		band, channel := bandAndChannel(frequency)
		if got := fmt.Sprintf("%s %d", band, channel); got != want {
			t.Errorf("%d MHz: %q, want %q", frequency, got, want)
		}
	}
}

func TestSecurityList(t *testing.T) {
	t.Parallel()
	for s, want := range map[ie.Security]string{
		0: "[]", ie.Open: "[open]", ie.OWE: "[owe]", ie.WEP: "[wep]",
		ie.WPAPSK | ie.WPA2PSK: "[wpa wpa2]", ie.WPA2PSK | ie.SAE: "[wpa2 wpa3]",
		ie.Enterprise: "[enterprise]", ie.Other: "[other]",
		ie.SAE | ie.Enterprise: "[wpa3 enterprise]",
	} {
		if got := fmt.Sprint(securityList(s)); got != want {
			t.Errorf("%v: %s, want %s", s, got, want)
		}
	}
	for bit := ie.Security(1); bit <= ie.Other; bit <<= 1 {
		if len(securityList(bit)) != 1 {
			t.Errorf("%v has no word", bit)
		}
	}
}

func TestJoinable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ap     state.AccessPoint
		usable bool
		why    string
	}{
		{state.AccessPoint{SSID: []byte("home"), Security: ie.WPA2PSK}, true, ""},
		{state.AccessPoint{SSID: []byte("home"), Security: ie.Open}, true, ""},
		{state.AccessPoint{SSID: []byte("home")}, true, ""},
		{state.AccessPoint{SSID: []byte("home"), Security: ie.SAE, WPA3Only: true}, true,
			"wpa3-only"},
		{state.AccessPoint{SSID: []byte("home"), Security: ie.WPA2PSK,
			Ad: wsc.Advertisement{SetupLocked: true}}, true, "locked"},
		{state.AccessPoint{SSID: []byte("home"), Security: ie.WPA2PSK, Frequency: 2437}, true, ""},
		{state.AccessPoint{SSID: []byte("home"), Security: ie.SAE, WPA3Only: true, Frequency: 6135},
			false, "band"},
		{state.AccessPoint{Security: ie.WPA2PSK}, false, "hidden"},
		{state.AccessPoint{SSID: make([]byte, 4), Security: ie.WPA2PSK}, false, "hidden"},
		{state.AccessPoint{SSID: []byte("home"), Security: ie.WEP}, false, "wep"},
		{state.AccessPoint{SSID: []byte("home"), Security: ie.Enterprise}, false, "enterprise"},
		{state.AccessPoint{SSID: []byte("home"), Security: ie.Other}, false, "enterprise"},
		{state.AccessPoint{SSID: []byte("home"), Security: ie.Enterprise | ie.WPA2PSK}, true, ""},
	} {
		if usable, why := joinable(c.ap); usable != c.usable || why != c.why {
			t.Errorf("%+v: %v, %q; want %v, %q", c.ap, usable, why, c.usable, c.why)
		}
	}
}

func TestBSSsOfOneRouter(t *testing.T) {
	t.Parallel()
	uuid := wsc.UUIDFromMAC(bssid1)
	bss := func(last byte, change func(*wsc.Advertisement)) state.AccessPoint {
		ap := state.AccessPoint{BSSID: wsc.MAC{2, 0, 0, 0, 0, last}}
		if change != nil {
			change(&ap.Ad)
		}
		return ap
	}
	says := func(u wsc.UUID) func(*wsc.Advertisement) {
		return func(a *wsc.Advertisement) { a.HasUUIDE, a.UUIDE = true, u }
	}
	for _, c := range []struct {
		name string
		a, b state.AccessPoint
		same bool
	}{
		{"two bands with one UUID", bss(1, says(uuid)), bss(2, says(uuid)), true},
		{"two UUIDs", bss(1, says(uuid)), bss(2, says(wsc.UUIDFromMAC(enrollee1))), false},
		{"neither tells", bss(1, nil), bss(2, nil), false},
		{"both say nothing but zeros", bss(1, says(wsc.UUID{})), bss(2, says(wsc.UUID{})), false},
		{"one BSS", bss(1, nil), bss(1, nil), true},
	} {
		if same := routerOf(c.a) == routerOf(c.b); same != c.same || routerOf(c.a) == "" {
			t.Errorf("%s: %q and %q", c.name, routerOf(c.a), routerOf(c.b))
		}
	}
}
