package dbus

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/drivers"
	"wpsd/service/nfc"
	"wpsd/service/state"
)

// TestActionByWhatTheCallDoes: one method, and the action that it needs in each case.
func TestActionByWhatTheCallDoes(t *testing.T) {
	t.Parallel()
	tag := []any{[]byte("tag"), options()}
	handover := func(role string) []any {
		return []any{role, "WPS", []byte("r"), []byte("s"), options()}
	}
	for _, c := range []struct {
		path   godbus.ObjectPath
		method string
		args   []any
		mode   drivers.Mode
		effect nfc.TagEffect
		erUser string
		want   Action
	}{
		{wlan0, interfaceIface + ".StartPbc", []any{options()}, drivers.ModeStation, "", "",
			ActionEnroll},
		{wlan0, interfaceIface + ".StartPbc", []any{options()}, drivers.ModeAP, "", "",
			ActionRegister},
		{wlan0, interfaceIface + ".StartPin", []any{options()}, drivers.ModeStation, "", "",
			ActionEnroll},
		{wlan0, interfaceIface + ".StartPin", []any{options()}, drivers.ModeAP, "", "",
			ActionRegister},
		{wlan0, interfaceIface + ".StartNfc", []any{options()}, drivers.ModeStation, "", "",
			ActionEnroll},
		{wlan0, interfaceIface + ".StartNfc", []any{options()}, drivers.ModeAP, "", "",
			ActionRegister},
		{wlan0, interfaceIface + ".StartPbc", []any{options()}, drivers.ModeNone, "", "",
			ActionEnroll},
		{wlan0, interfaceIface + ".NfcReportHandover", handover("INIT"), drivers.ModeStation, "",
			"", ActionEnroll},
		// by the External Registrar
		{wlan0, interfaceIface + ".NfcReportHandover", handover("RESP"), drivers.ModeStation, "",
			"", ActionRegister},
		{wlan0, interfaceIface + ".NfcReportHandover", handover("INIT"), drivers.ModeAP, "", "",
			ActionRegister},
		{wlan0, interfaceIface + ".NfcReportHandover", handover("RESP"), drivers.ModeAP, "", "",
			ActionRegister},
		{wlan0, interfaceIface + ".NfcHandoverSelect", []any{"NDEF", "WPS", options()},
			drivers.ModeAP, "", "", ActionRegister},
		{wlan0, interfaceIface + ".NfcTagRead", tag, drivers.ModeStation, nfc.TagAdds, "",
			ActionEnroll},
		{wlan0, interfaceIface + ".NfcTagRead", tag, drivers.ModeStation, nfc.TagChanges, "",
			ActionManage},
		{wlan0, interfaceIface + ".NfcTagRead", tag, drivers.ModeStation, nfc.TagAdmits, "",
			ActionRegister},
		{wlan0, interfaceIface + ".NfcTagRead", tag, drivers.ModeAP, nfc.TagAdmits, "",
			ActionRegister},
		{rootPath, managerIface + ".NfcTagRead", tag, drivers.ModeStation, nfc.TagAdds, "",
			ActionEnroll},
		{rootPath, managerIface + ".NfcTagRead", tag, drivers.ModeStation, nfc.TagChanges,
			"", ActionManage},
		{rootPath, managerIface + ".NfcTagRead", tag, drivers.ModeStation, nfc.TagAdmits, "",
			ActionRegister},
		{wlan0, erIface + ".NfcTagRead", tag, drivers.ModeNone, nfc.TagAdds, "",
			ActionEnroll},
		{wlan0, erIface + ".NfcTagRead", tag, drivers.ModeNone, nfc.TagChanges, "",
			ActionManage},
		{wlan0, erIface + ".NfcTagRead", tag, drivers.ModeNone, nfc.TagAdmits, "",
			ActionRegister},
		{wlan0, erIface + ".Stop", nil, drivers.ModeNone, "", "1001", ActionScan},
		{wlan0, erIface + ".Stop", nil, drivers.ModeNone, "", "1002", ActionManage},
	} {
		t.Run(fmt.Sprintf("%s %v %s%s %v", c.method, c.args, c.effect, c.erUser, c.mode),
			func(t *testing.T) {
				t.Parallel()
				auth := &asking{allow: map[Action]bool{}}
				inBubble(t, Options{Authorizer: auth}, func(w *world) {
					i := w.svc.snapshot.Interfaces[0]
					i.Mode = c.mode
					w.svc.tell(state.InterfaceChanged{Interface: i})
					w.svc.effect, w.svc.erUser = c.effect, c.erUser
					synctest.Wait()
					caller := w.client(1001)
					caller.refused("NotAuthorized", c.path, c.method, c.args...)
					if calls := w.svc.calls(); len(calls) > 0 {
						t.Errorf("before the answer the service was asked %v", calls)
					}
					auth.allow[c.want] = true
					caller.must(c.path, c.method, c.args...)
					if len(w.svc.calls()) != 1 {
						t.Errorf("the service was asked %v", w.svc.calls())
					}
					for _, asked := range auth.asked {
						if !strings.HasPrefix(asked,
							strings.TrimPrefix(string(c.want), "fi.w1.wps.")+" ") {
							t.Errorf("asked %s", asked)
						}
					}
				})
			})
	}
}

// TestActionIsBoundToTheAct: while somebody types his password the interface becomes an access
// point. What he was asked is what the service is told to do.
func TestActionIsBoundToTheAct(t *testing.T) {
	t.Parallel()
	auth := &asking{allow: map[Action]bool{ActionEnroll: true}}
	inBubble(t, Options{Authorizer: auth}, func(w *world) {
		auth.during = func() {
			w.svc.mu.Lock()
			i := &w.svc.snapshot.Interfaces[0]
			i.Mode = drivers.ModeAP
			changed := state.InterfaceChanged{Interface: *i}
			w.svc.mu.Unlock()
			w.svc.tell(changed)
		}
		w.client(1001).must(wlan0, startPbcMethod, options())
		auth.was(t, "enroll wlan0 false 1001")
		if w.svc.last.Purpose != state.PurposeEnroll || w.svc.last.User != "1001" {
			t.Errorf("the service was asked for %+v", w.svc.last)
		}
		auth.allow[ActionRegister] = true
		w.svc.on = nil
		w.client(1001).must(wlan0, startPinMethod, options())
		auth.was(t, "register wlan0 false 1001")
		if w.svc.last.Purpose != state.PurposeAdmit {
			t.Errorf("the service was asked for %+v", w.svc.last)
		}
	})
}

// TestWhatHasChangedIsAskedAnew: the service says that a tag would do more by now than what
// somebody was asked for.
func TestWhatHasChangedIsAskedAnew(t *testing.T) {
	t.Parallel()
	auth := &asking{allow: map[Action]bool{ActionEnroll: true}}
	inBubble(t, Options{Authorizer: auth}, func(w *world) {
		w.svc.on = func(string) error {
			w.svc.mu.Lock()
			defer w.svc.mu.Unlock()
			if w.svc.effect != nfc.TagChanges {
				w.svc.effect = nfc.TagChanges
				return state.ErrChanged
			}
			return nil
		}
		c := w.client(1001)
		c.refused("NotAuthorized", wlan0, interfaceIface+".NfcTagRead", []byte("tag"), options())
		auth.was(t, "enroll wlan0 false 1001", "manage wlan0 false 1001")
		if n := len(w.svc.calls()); n != 1 {
			t.Errorf("%d calls", n)
		}
		auth.allow[ActionManage] = true
		c.must(wlan0, interfaceIface+".NfcTagRead", []byte("tag"), options())
		auth.was(t, "manage wlan0 false 1001")
		if calls := w.svc.calls(); !slices.Contains(calls,
			fmt.Sprintf(`NFCTagRead "wlan0" tag %s auto`, c.conn.Names()[0])) {
			t.Errorf("the payload is another at the second time: %v", calls)
		}
		w.svc.on = func(string) error { return state.ErrChanged }
		c.refused("Busy", wlan0, interfaceIface+".NfcTagRead", []byte("tag"), options())
	})
}
