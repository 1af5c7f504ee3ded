package outcome

import (
	"strings"
	"testing"
	"time"

	"wpsd/engine/wsc"
)

var (
	home      = wsc.MAC{2, 0, 0, 0, 1, 0}
	guest     = wsc.MAC{2, 0, 0, 0, 3, 1}
	neighbors = wsc.MAC{2, 0, 0, 0, 9, 9}
	router    = wsc.UUID{1}
)

func TestRouterNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		in   []AccessPoint
		want string
	}{
		{"one with a name", []AccessPoint{{home, []byte("Haus"), router}},
			`"Haus" (02:00:00:00:01:00)`},
		{"two bands of one router", []AccessPoint{{home, []byte("Haus"), router},
			{guest, []byte("Haus"), router}},
			`"Haus" (02:00:00:00:01:00, 02:00:00:00:03:01)`},
		{"a guest network is the same router",
			[]AccessPoint{{home, []byte("Haus"), router},
				{guest, []byte("Haus Gast"), router}},
			`"Haus" (02:00:00:00:01:00) with "Haus Gast" (02:00:00:00:03:01)`},
		{"two routers", []AccessPoint{{home, []byte("Haus"), router},
			{neighbors, []byte("Hof"), wsc.UUID{2}}},
			`"Haus" (02:00:00:00:01:00) and "Hof" (02:00:00:00:09:09)`},
		{"without a UUID each is its own", []AccessPoint{{home, []byte("Haus"), wsc.UUID{}},
			{guest, []byte("Haus"), wsc.UUID{}}},
			`"Haus" (02:00:00:00:01:00) and "Haus" (02:00:00:00:03:01)`},
		{"a name that nobody can read is left out",
			[]AccessPoint{{home, []byte("a\nb\x1b[2J"), router}}, "02:00:00:00:01:00"},
		{"what turns the direction of writing is no name",
			[]AccessPoint{{home, []byte("a\u202eb"), router}}, "02:00:00:00:01:00"},
		{"hidden", []AccessPoint{{BSSID: home}}, "02:00:00:00:01:00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := allOf(routerNames(c.in)); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestLasting(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		2 * time.Minute: "two minutes", 90 * time.Second: "90 seconds",
		10 * time.Minute: "10 minutes", time.Hour: "60 minutes",
		3 * time.Hour: "3 hours", time.Second: "a second",
		5*time.Minute - time.Millisecond: "5 minutes",
	} {
		if got := lasting(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

func TestNameInTheNetwork(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Box": `"Box" (192.0.2.1)`, "": "192.0.2.1", "a\x1b[2J": "192.0.2.1", "a\nb": "192.0.2.1",
		strings.Repeat("é", 100): `"` + strings.Repeat("é", 39) + `…" (192.0.2.1)`,
	} {
		d := Detail{FriendlyName: in, Address: "192.0.2.1"}
		if got := d.networkName(); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

// TestBandSentences: who named an access point in a band without WPS reads which band that is, and
// what to name instead where that is known.
func TestBandSentences(t *testing.T) {
	t.Parallel()
	wanted := AccessPoint{BSSID: home, SSID: []byte("Haus")}
	const end = ", where WPS is not used: name the 2.4 or 5 GHz network of the same router instead"
	for _, c := range []struct {
		d    Detail
		want string
	}{
		{Detail{Wanted: wanted, Frequency: 6135,
			Instead: AccessPoint{BSSID: guest, SSID: []byte("Haus")}},
			`The access point "Haus" (02:00:00:00:01:00) is in the 6 GHz band` + end +
				`, "Haus" (02:00:00:00:03:01).`},
		{Detail{Wanted: AccessPoint{BSSID: home}, Frequency: 5955},
			"The access point 02:00:00:00:01:00 is in the 6 GHz band" + end + "."},
		{Detail{Wanted: wanted, Frequency: 906},
			`The access point "Haus" (02:00:00:00:01:00) is in the 900 MHz band` + end + "."},
		{Detail{Wanted: wanted, Frequency: 45000},
			`The access point "Haus" (02:00:00:00:01:00) is in another band (45000 MHz)` + end + "."},
		{Detail{}, "The access point is in another band" + end + "."},
	} {
		if got := Sentence(ReasonBand, c.d); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestStatusSentences(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status uint16
		want   string
	}{
		{17, `The access point "home" (02:00:00:00:01:00) is full (status 17): disconnect another device from it, then start again.`},
		{30, `The access point "home" (02:00:00:00:01:00) asked again and again to try later (status 30): wait a minute, then start again.`},
		{1, `The access point "home" (02:00:00:00:01:00) refused this device without a reason (status 1): look at its filter of MAC addresses and at how many devices it takes, then start again.`},
		{99, `The access point "home" (02:00:00:00:01:00) refused this device (status 99): look at its filter of MAC addresses, then start again.`},
		{0, `The access point "home" (02:00:00:00:01:00) did not answer when this device tried to associate: move closer, then start again.`},
	} {
		d := Detail{Case: RefusedWith(c.status), LinkStatus: c.status, Peer: home,
			SSID: []byte("home")}
		if got := Sentence(ReasonAssociationFailed, d); got != c.want {
			t.Errorf("status %d: %s", c.status, got)
		}
	}
}
