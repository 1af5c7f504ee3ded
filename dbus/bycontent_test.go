package dbus

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/drivers"
	"wpsd/engine/ndef"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/external"
	"wpsd/service/nfc"
	"wpsd/service/session"
	"wpsd/service/state"
)

// tagThat is one that has an effect, where the network home is stored.
func tagThat(effect nfc.TagEffect) []byte {
	if effect == nfc.TagAdmits {
		return (&ndef.PasswordToken{Version2: wsc.Version20, ID: 0x1234,
			PublicKeyHash: [20]byte{1}, Password: secret.FromString(
				"0123456789abcdef0123456789abcdef")}).AppendNDEF(nil)
	}
	ssid := map[nfc.TagEffect]string{nfc.TagAdds: "cabin", nfc.TagChanges: "home"}[effect]
	return (&ndef.ConfigurationToken{Credentials: []wsc.Credential{{NetworkIndex: 1,
		SSID: []byte(ssid), AuthType: wsc.AuthWPA2PSK, EncrType: wsc.EncrAES,
		NetworkKey: secret.FromString("what the tag has")}}}).AppendNDEF(nil)
}

// TestActionByWhatTheCallDoes: one method, and the action that it needs in each case.
func TestActionByWhatTheCallDoes(t *testing.T) {
	t.Parallel()
	tag := func(e nfc.TagEffect) []any { return []any{tagThat(e), options()} }
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
		{wlan0, interfaceIface + ".NfcTagRead", tag(nfc.TagAdds), drivers.ModeStation, nfc.TagAdds, "",
			ActionEnroll},
		{wlan0, interfaceIface + ".NfcTagRead", tag(nfc.TagChanges), drivers.ModeStation, nfc.TagChanges, "",
			ActionManage},
		{wlan0, interfaceIface + ".NfcTagRead", tag(nfc.TagAdmits), drivers.ModeStation, nfc.TagAdmits, "",
			ActionRegister},
		{wlan0, interfaceIface + ".NfcTagRead", tag(nfc.TagAdmits), drivers.ModeAP, nfc.TagAdmits, "",
			ActionRegister},
		{rootPath, managerIface + ".NfcTagRead", tag(nfc.TagAdds), drivers.ModeStation, nfc.TagAdds, "",
			ActionEnroll},
		{rootPath, managerIface + ".NfcTagRead", tag(nfc.TagChanges), drivers.ModeStation, nfc.TagChanges,
			"", ActionManage},
		{rootPath, managerIface + ".NfcTagRead", tag(nfc.TagAdmits), drivers.ModeStation, nfc.TagAdmits, "",
			ActionRegister},
		{wlan0, erIface + ".NfcTagRead", tag(nfc.TagAdds), drivers.ModeNone, nfc.TagAdds, "",
			ActionEnroll},
		{wlan0, erIface + ".NfcTagRead", tag(nfc.TagChanges), drivers.ModeNone, nfc.TagChanges, "",
			ActionManage},
		{wlan0, erIface + ".NfcTagRead", tag(nfc.TagAdmits), drivers.ModeNone, nfc.TagAdmits, "",
			ActionRegister},
		{wlan0, erIface + ".Stop", nil, drivers.ModeNone, "", "1001", ActionScan},
		{wlan0, erIface + ".Stop", nil, drivers.ModeNone, "", "1002", ActionManage},
	} {
		t.Run(fmt.Sprintf("%s %v %s%s %v", c.method, c.args[:0], c.effect, c.erUser, c.mode),
			func(t *testing.T) {
				t.Parallel()
				auth := &asking{allow: map[Action]bool{}}
				inBubble(t, Options{Authorizer: auth}, func(w *world) {
					w.svc.answer = w.svc.pretend
					i := w.svc.wlan0()
					i.Mode = c.mode
					w.svc.tell(state.InterfaceChanged{Interface: i})
					if c.erUser != "" {
						if err := w.svc.StartER(t.Context(), external.Start{Interface: "wlan0",
							User: c.erUser, Detach: true}); err != nil {
							t.Fatal(err)
						}
					}
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
			i := w.svc.wlan0()
			i.Mode = drivers.ModeAP
			w.svc.tell(state.InterfaceChanged{Interface: i})
		}
		w.svc.answer = w.svc.pretend
		w.client(1001).must(wlan0, startPbcMethod, options())
		auth.was(t, "enroll wlan0 false 1001")
		if w.svc.last.Purpose != state.PurposeEnroll || w.svc.last.User != "1001" {
			t.Errorf("the service was asked for %+v", w.svc.last)
		}
		auth.allow[ActionRegister] = true
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
		w.svc.on = func(string) error { // somebody stores another one of this name meanwhile
			w.svc.on = nil
			_, err := w.svc.AddNetwork(t.Context(), session.Settings{SSID: []byte("cabin"),
				Auth: wsc.AuthWPA2PSK, Encryption: wsc.EncrAES,
				Key: secret.FromString("another passphrase")}, wsc.MAC{})
			return err
		}
		tag := tagThat(nfc.TagAdds)
		c := w.client(1001)
		c.refused("NotAuthorized", wlan0, interfaceIface+".NfcTagRead", tag, options())
		auth.was(t, "enroll wlan0 false 1001", "manage wlan0 false 1001")
		if n := len(w.svc.calls()); n != 1 {
			t.Errorf("%d calls", n)
		}
		auth.allow[ActionManage] = true
		c.must(wlan0, interfaceIface+".NfcTagRead", tag, options())
		auth.was(t, "manage wlan0 false 1001")
		if calls := w.svc.calls(); !slices.Contains(calls,
			fmt.Sprintf(`NFCTagRead "wlan0" %s %s auto`, tag, c.conn.Names()[0])) {
			t.Errorf("the payload is another at the second time: %v", calls)
		}
		w.svc.on = func(string) error { return state.ErrChanged }
		c.refused("Busy", wlan0, interfaceIface+".NfcTagRead", tag, options())
	})
}
