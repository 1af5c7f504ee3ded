package control

import (
	"path/filepath"
	"slices"
	"testing"

	"wpsd/drivers"
	"wpsd/engine/wsc"
	"wpsd/service/outcome"
	"wpsd/service/state"
)

// TestAnInterfaceThatBecomesAnAccessPointKeepsItsSocket: the service tells that it went and came;
// its clients stay.
func TestAnInterfaceThatBecomesAnAccessPointKeepsItsSocket(t *testing.T) {
	t.Parallel()
	dir, s, svc := start(t, nil)
	c := dial(t, filepath.Join(dir, "../me"), filepath.Join(dir, "eth7"))
	c.ask("ATTACH", "OK\n")
	tr := newTranslator(s.source())
	tr.reset(svc.Published().Snapshot())
	tr.interfaces["eth7"] = state.Interface{Name: "eth7", Mode: drivers.ModeStation}
	for _, step := range []struct {
		mode drivers.Mode
		told string
	}{{drivers.ModeAP, "<3>AP-ENABLED "}, {drivers.ModeStation,
		"<3>AP-DISABLED "}, {drivers.ModeStation, ""}} {
		s.heard(t.Context(), tr, state.InterfaceRemoved{Name: "eth7"})
		s.heard(t.Context(), tr,
			state.InterfaceAdded{Interface: state.Interface{Name: "eth7", Mode: step.mode}})
		c.say("PING")
		if step.told != "" {
			if got := c.hear(); got != step.told {
				t.Errorf("in mode %v: told %q, not %q", step.mode, got, step.told)
			}
		}
		if got := c.hear(); got != "PONG\n" {
			t.Errorf("in mode %v: %q", step.mode, got)
		}
	}
	if n := s.ports["eth7"].monitors.count(); n != 1 {
		t.Errorf("%d clients have attached", n)
	}
}

// TestConnectionsOfAManagerAreTold: what a network manager does by itself, and nothing twice.
func TestConnectionsOfAManagerAreTold(t *testing.T) {
	t.Parallel()
	a, b, none := wsc.MAC{2, 0, 0, 0, 1, 0}, wsc.MAC{2, 0, 0, 0, 2, 0}, wsc.MAC{}
	_, s, _ := start(t, nil)
	from := s.source()
	from.number = func(state.NetworkID) int { return 3 }
	tr := newTranslator(from)
	const toA = "CTRL-EVENT-CONNECTED - Connection to 02:00:00:00:01:00 completed [id=0 id_str=]"
	const toB = "CTRL-EVENT-CONNECTED - Connection to 02:00:00:00:02:00 completed [id=0 id_str=]"
	step := func(before, now wsc.MAC, want string) {
		t.Helper()
		got := ""
		for _, l := range tr.translate(state.ConnectionChanged{Interface: "wlan0", Before: before,
			BSSID: now}) {
			got += l.text
		}
		if got != want {
			t.Errorf("from %s to %s: %q, not %q", before, now, got, want)
		}
	}
	// it was there at the start
	step(b, none, "CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:02:00 reason=0")
	tr.connected(&run{Session: state.Session{Interface: "wlan0", Peer: a,
		Networks: []state.NetworkID{1}, Detail: outcome.Detail{Manager: "iwd"}}})
	if got := tr.lines[0].text; got != "CTRL-EVENT-CONNECTED - Connection to 02:00:00:00:01:00 completed [id=3 id_str=]" {
		t.Error(got)
	}
	step(none, a, "") // the run has told it
	step(a, b, toB)
	step(b, none, "CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:02:00 reason=0")
	step(none, b, toB)
	s.toldOf("wlan0", none) // DISCONNECT
	step(b, none, "")
	step(none, a, toA)
}

// TestHowAnAccessPointEndsARun: with EAP-Failure and no reason, or by ending the link
// (wpa_supplicant 2.10, heard beside us).
func TestHowAnAccessPointEndsARun(t *testing.T) {
	t.Parallel()
	ap := wsc.MAC{2, 0, 0, 0, 1, 0}
	failure := []string{"CTRL-EVENT-EAP-STATUS status='completion' parameter='failure'",
		"CTRL-EVENT-EAP-FAILURE EAP authentication failed"}
	for _, c := range []struct {
		name string
		e    state.RunFailed
		want []string
	}{
		{"EAP-Failure", state.RunFailed{Session: 1},
			append(slices.Clone(failure), "WPS-FAIL ",
				"CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:01:00 reason=3 locally_generated=1")},
		{"the link", state.RunFailed{Session: 1, Lost: 2},
			[]string{"CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:01:00 reason=2"}},
		{"a message that it refused", state.RunFailed{Session: 1, Message: wsc.MsgM4,
			ConfigError: wsc.ConfigErrorDevicePasswordAuthFailure},
			append(append([]string{"WPS-FAIL msg=8 config_error=18"}, failure...),
				"CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:01:00 reason=3 locally_generated=1")},
	} {
		tr := newTranslator(source{})
		r := &run{Session: state.Session{Interface: "wlan0", Peer: ap,
			Purpose: state.PurposeEnroll, Method: state.MethodPIN}, associated: true, eap: true}
		tr.runFailed(r, c.e)
		tr.leave(r)
		var got []string
		for _, l := range tr.lines {
			got = append(got, l.text)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: told %q, not %q", c.name, got, c.want)
		}
	}
}
