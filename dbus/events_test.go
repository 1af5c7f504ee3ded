package dbus

import (
	"strings"
	"testing"
	"testing/synctest"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/engine/discovery"
	"wpsd/service/outcome"
	"wpsd/service/state"
)

// eventCase is what the service tells, and the beginnings of the signals that it becomes.
type eventCase struct {
	name string
	tell []state.Event
	want []string
}

// eventCases are in the world of newFake. What changes or goes was there before.
func eventCases() []eventCase {
	quiet, loud, moved := accessPoint(), accessPoint(), accessPoint()
	loud.Class, loud.Signal = discovery.PBC, -41
	quiet.LastSeen = epoch.Add(1)
	moved.Frequency = 5180
	session := state.Session{ID: 1, Interface: "wlan0", State: state.StateScanning}
	failed, canceled := session, session
	failed.State, failed.Reason, failed.ConfigError, failed.Sentence = state.StateFailed,
		outcome.ReasonWrongPINFirst, 18, "The PIN is wrong."
	canceled.State, canceled.Reason, canceled.Sentence = state.StateCanceled,
		outcome.ReasonCanceled, "It was canceled."
	return []eventCase{
		{"an interface comes", []state.Event{state.InterfaceAdded{
			Interface: state.Interface{Name: "wlan0.1"}}}, []string{
			" InterfacesAdded /fi/w1/wps/interfaces/wlan0_2e1 map[fi.w1.wps.ER:… fi.w1.wps.Interface:…]",
			" PropertiesChanged fi.w1.wps.Manager map[Interfaces:[/fi/w1/wps/interfaces/wlan0 /fi/w1/wps/interfaces/wlan0_2e1]] []",
		}},
		{"an interface goes, and what was heard on it goes first",
			[]state.Event{state.AccessPointAdded{AccessPoint: quiet},
				state.InterfaceRemoved{Name: "wlan0"}}, []string{
				" InterfacesAdded " + string(ap1), "/interfaces/wlan0 AccessPointAvailable",
				"/interfaces/wlan0 PropertiesChanged fi.w1.wps.Interface map[AccessPoints:",
				" InterfacesRemoved " + string(ap1) + " [fi.w1.wps.AccessPoint]",
				" InterfacesRemoved /fi/w1/wps/interfaces/wlan0 [fi.w1.wps.ER fi.w1.wps.Interface]",
				" PropertiesChanged fi.w1.wps.Manager map[Interfaces:[]] []",
			}},
		{"a scan ends after its access points are listed",
			[]state.Event{state.AccessPointAdded{AccessPoint: quiet},
				state.ScanDone{Interface: "wlan0", Success: true}}, []string{
				" InterfacesAdded", "/interfaces/wlan0 AccessPointAvailable",
				"/interfaces/wlan0 PropertiesChanged fi.w1.wps.Interface map[AccessPoints:",
				"/interfaces/wlan0 ScanDone true",
			}},
		{"of the time it was heard nobody is told",
			[]state.Event{state.AccessPointChanged{AccessPoint: quiet}}, nil},
		{"a button is pressed: several properties in one signal",
			[]state.Event{state.AccessPointChanged{AccessPoint: loud,
				FlagsChanged: true}}, []string{
				"/interfaces/wlan0/aps/02_00_00_00_01_00 PropertiesChanged fi.w1.wps.AccessPoint map[Flags:WPS-PBC Signal:-41] []",
				"/interfaces/wlan0 AccessPointAvailable " + string(ap1) + " WPS-PBC",
			}},
		{"it moves to another channel, its flags stay",
			[]state.Event{state.AccessPointChanged{AccessPoint: moved}}, []string{
				"/interfaces/wlan0/aps/02_00_00_00_01_00 PropertiesChanged fi.w1.wps.AccessPoint map[Band:5 Channel:36 Frequency:5180] []",
			}},
		{"it is gone", []state.Event{state.AccessPointRemoved{Interface: "wlan0",
			BSSID: bssid1}}, []string{
			" InterfacesRemoved " + string(ap1),
			"/interfaces/wlan0 PropertiesChanged fi.w1.wps.Interface map[AccessPoints:[]] []",
		}},
		{"a session fails", []state.Event{state.SessionAdded{Session: session},
			state.SessionEnded{Session: failed}}, []string{
			" InterfacesAdded /fi/w1/wps/sessions/1",
			"/sessions/1 PropertiesChanged fi.w1.wps.Session map[ConfigError:18 Reason:wrong-pin-first-half State:failed Step:ended] []",
			"/sessions/1 Failed wrong-pin-first-half 18 The PIN is wrong.",
		}},
		{"a session is canceled, and dropped later",
			[]state.Event{state.SessionAdded{Session: session},
				state.SessionEnded{Session: canceled}, state.SessionRemoved{ID: 1}}, []string{
				" InterfacesAdded /fi/w1/wps/sessions/1",
				"/sessions/1 PropertiesChanged fi.w1.wps.Session map[Reason:canceled State:canceled Step:ended] []",
				"/sessions/1 Failed canceled 0 It was canceled.",
				" InterfacesRemoved /fi/w1/wps/sessions/1 [fi.w1.wps.Session]",
			}},
		{"a network is stored",
			[]state.Event{state.NetworkAdded{Network: state.Network{ID: 8}}}, []string{
				" InterfacesAdded /fi/w1/wps/networks/8",
				" PropertiesChanged fi.w1.wps.Manager map[Networks:[/fi/w1/wps/networks/7 /fi/w1/wps/networks/8]] []",
			}},
		{"a network is deleted", []state.Event{state.NetworkRemoved{ID: 7}}, []string{
			" InterfacesRemoved /fi/w1/wps/networks/7",
			" PropertiesChanged fi.w1.wps.Manager map[Networks:[]] []",
		}},
		{"a setting changes", []state.Event{state.ManagerChanged{Manager: state.Manager{Version: "0.1",
			Processing: state.ProcessingBoth}}}, []string{
			" PropertiesChanged fi.w1.wps.Manager map[ConfigMethods:[] CredentialProcessing:both",
		}},
		{"what is told of things that are gone is nothing", []state.Event{
			state.SessionChanged{Session: session}, state.SessionRemoved{ID: 5},
			state.NetworkRemoved{ID: 5}, state.AccessPointRemoved{Interface: "wlan9"},
			state.InterfaceRemoved{Name: "wlan9"},
			state.InterfaceChanged{Interface: state.Interface{Name: "wlan8"}},
			state.CredentialReceived{Session: 9},
		}, nil},
	}
}

// TestEvents: each event and the signals it becomes.
func TestEvents(t *testing.T) {
	t.Parallel()
	for _, c := range eventCases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, Options{}, func(w *world) {
				first, _ := c.tell[0].(state.AccessPointChanged)
				if _, gone := c.tell[0].(state.AccessPointRemoved); gone ||
					first.AccessPoint.Interface != "" {
					w.svc.tell(state.AccessPointAdded{AccessPoint: accessPoint()})
				}
				synctest.Wait()
				client := w.client(0).listen()
				w.svc.tell(c.tell...)
				expect(t, client.heard(), c.want...)
			})
		})
	}
}

// TestScanningOfASession: the interface scans while its session does, and tells each change once.
func TestScanningOfASession(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		c := w.client(0).listen()
		scanning := func() bool {
			return c.must(wlan0, get, interfaceIface,
				"Scanning")[0].(godbus.Variant).Value().(bool)
		}
		c.must(wlan0, startPbcMethod, options())
		if !scanning() {
			t.Error("a session scans, and the interface does not")
		}
		c.heard()
		s := state.Session{ID: 1, Interface: "wlan0", Owner: c.conn.Names()[0]}
		for _, step := range []struct {
			state   state.State
			changes string
		}{
			{state.StateAssociating, "map[Scanning:false]"}, {state.StateExchanging, ""},
			{state.StateScanning, "map[Scanning:true]"},
			{state.StateScanning, ""}, {state.StateHandingOver, "map[Scanning:false]"},
		} {
			s.State = step.state
			w.svc.tell(state.SessionChanged{Session: s})
			told := ""
			for _, heard := range c.heard() {
				if _, changes, ok := strings.Cut(heard,
					"/interfaces/wlan0 PropertiesChanged "+interfaceIface+" "); ok {
					told += strings.TrimSuffix(changes, " []")
				}
			}
			if told != step.changes || scanning() != (step.state == state.StateScanning) {
				t.Errorf("%s: told %q, Scanning %v", step.state, told, scanning())
			}
		}
		s.State = state.StateScanning
		w.svc.tell(state.SessionChanged{Session: s})
		s.State = state.StateCanceled
		w.svc.tell(state.SessionEnded{Session: s},
			state.InterfaceChanged{Interface: w.svc.wlan0()})
		c.heard()
		if scanning() {
			t.Error("it scans after the end")
		}
	})
}
