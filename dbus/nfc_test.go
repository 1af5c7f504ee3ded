package dbus

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"wpsd/engine/ndef"
	"wpsd/service/nfc"
	"wpsd/service/state"

	godbus "github.com/godbus/dbus/v5"
)

// TestNfc: what the NFC methods take, what they ask of the service, and what they give.
func TestNfc(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		w.svc.answer = w.svc.pretend
		c := w.client(0).listen()
		for _, row := range []struct {
			path   godbus.ObjectPath
			method string
			args   []any
			call   string // NAME stands for the caller
			want   any
		}{
			{wlan0, ".StartNfc", []any{options("bssid", "02:00:00:00:03:00", "detach", true)},
				"Start nfc wlan0", session1},
			{wlan0, ".NfcPasswordToken", []any{"NDEF"}, "NFCPasswordToken wlan0 NDEF",
				[]byte("interface.nfcpasswordtoken")},
			{wlan0, ".NfcConfigToken", []any{"WPS", options()}, "NFCConfigToken wlan0 WPS 0",
				[]byte("interface.nfcconfigtoken")},
			{wlan0, ".NfcConfigToken", []any{"NDEF", options("network", networkPath(3))},
				"NFCConfigToken wlan0 NDEF 3", []byte("interface.nfcconfigtoken")},
			{wlan0, ".NfcHandoverRequest", []any{"NDEF", "WPS-CR"},
				"NFCHandoverRequest wlan0 NDEF WPS-CR", []byte("interface.nfchandoverrequest")},
			{wlan0, ".NfcHandoverSelect", []any{"NDEF", "WPS", options()},
				"NFCHandoverSelect wlan0 NDEF WPS", []byte("interface.nfchandoverselect")},
			{wlan0, ".NfcReportHandover", []any{"INIT", "WPS", []byte("r"), []byte("s"), options()},
				"NFCReportHandover wlan0 true r s NAME", nil},
			{wlan0, ".NfcReportHandover", []any{"RESP", "WPS", []byte("r"), []byte("s"), options()},
				"NFCReportHandover wlan0 false r s NAME", nil},
		} {
			got := c.must(row.path, interfaceIface+row.method, row.args...)
			if row.want == nil && len(got) != 0 || row.want != nil &&
				fmt.Sprint(got[0]) != fmt.Sprint(row.want) {
				t.Errorf("%s %v gives %v", row.method, row.args, got)
			}
			if call := strings.Replace(row.call, "NAME", c.conn.Names()[0],
				1); !slices.Contains(w.svc.calls(), call) {
				t.Errorf("%s: the service was asked %q, not %q", row.method, w.svc.calls(), call)
			}
		}
		c.must(wlan0, learnMethod, "02:00:00:00:03:00", "nfc-pw", options())
		if r := w.svc.last; !r.NFC || !r.PIN.IsZero() {
			t.Errorf("Learn with nfc-pw: %+v", r)
		}
		before := len(w.svc.calls())
		for _, row := range []struct {
			method string
			args   []any
			says   string
		}{
			{".NfcConfigToken", []any{"NDEF",
				options("network",
					godbus.ObjectPath("/fi/w1/wps/networks/03"))}, "Networks of the Manager"},
			{".NfcConfigToken", []any{"NDEF",
				options("network",
					godbus.ObjectPath("/fi/w1/wps/sessions/3"))}, "Networks of the Manager"},
			{".NfcConfigToken", []any{"NDEF", options("network", "3")},
				`"network" is of type "o", not "s"`},
			{".NfcHandoverSelect", []any{"NDEF", "WPS", options("ap", "x")}, "there are none here"},
			{".NfcReportHandover", []any{"BOTH", "WPS", []byte{}, []byte{}, options()}, "INIT"},
			{".NfcReportHandover", []any{"INIT", "P2P", []byte{}, []byte{}, options()}, "say WPS"},
			{".StartNfc", []any{options("pin", "12345670")}, `no option "pin"`},
		} {
			if text := c.refused("InvalidArguments", wlan0, interfaceIface+row.method,
				row.args...); !strings.Contains(text, row.says) {
				t.Errorf("%s %v: %s", row.method, row.args, text)
			}
		}
		if calls := w.svc.calls(); len(calls) != before {
			t.Errorf("the service was asked %v", calls[before:])
		}
		w.svc.answer = nil
		if text := c.refused("NoToken", wlan0, interfaceIface+".StartNfc",
			options()); !strings.HasPrefix(text, "There is no NFC token for this: make one") {
			t.Error(text)
		}
	})
}

// TestERNfc: the same of the External Registrar.
func TestERNfc(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		c := w.client(0)
		w.svc.answer = w.svc.pretend
		for _, row := range []struct {
			method string
			args   []any
			call   string // NAME stands for the caller
			want   any
		}{
			{".NfcConfigToken", []any{"02:00:00:00:03:00", "NDEF"},
				"ERNFCConfigToken wlan0 02:00:00:00:03:00 NDEF", []byte("er.nfcconfigtoken")},
			{".NfcHandoverSelect", []any{erUUID.String(), "NDEF", "WPS"},
				"ERNFCHandoverSelect wlan0 " + erUUID.String() + " NDEF WPS", []byte("er.nfchandoverselect")},
			{".NfcTagRead", []any{[]byte("tag"), options()},
				`ERNFCTagRead "wlan0" tag NAME auto`, nil},
		} {
			got := c.must(wlan0, erIface+row.method, row.args...)
			if row.want != nil && fmt.Sprint(got[0]) != fmt.Sprint(row.want) {
				t.Errorf("%s gives %v", row.method, got)
			}
			if call := strings.Replace(row.call, "NAME", c.conn.Names()[0],
				1); !slices.Contains(w.svc.calls(), call) {
				t.Errorf("%s: the service was asked %q, not %q", row.method, w.svc.calls(), call)
			}
			before := len(w.svc.calls())
			w.client(stranger).refused("NotAuthorized", wlan0, erIface+row.method, row.args...)
			if made := w.svc.calls(); len(made) != before {
				t.Errorf("%s: the service was asked %v", row.method, made[before:])
			}
		}
		for _, bad := range [][]any{{"any", "NDEF"}, {"02:00", "NDEF"}} {
			c.refused("InvalidArguments", wlan0, erIface+".NfcConfigToken", bad...)
			c.refused("InvalidArguments", wlan0, erIface+".NfcHandoverSelect",
				append(bad, "WPS")...)
		}
	})
}

// TestNfcTagRead: what came of a tag, on an interface and on none.
func TestNfcTagRead(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		c := w.client(0)
		for _, row := range []struct {
			tag  nfc.Tag
			want map[string]any
		}{
			{nfc.Tag{Kind: nfc.TagConfiguration, Networks: []state.NetworkID{3, 4}},
				map[string]any{
					"kind": "configuration", "network": networkPath(3),
					"networks": []godbus.ObjectPath{networkPath(3), networkPath(4)},
				}},
			{nfc.Tag{Kind: nfc.TagConfiguration},
				map[string]any{"kind": "configuration"}},
			{nfc.Tag{Kind: nfc.TagConfiguration, NotStored: true},
				map[string]any{"kind": "configuration", "not-stored": true}},
			{nfc.Tag{Kind: nfc.TagPassword, PasswordID: 0x1234, Session: 9},
				map[string]any{
					"kind": "password", "password-id": uint16(0x1234), "session": sessionPath(9),
				}},
		} {
			w.svc.answer = func(string, any) []any { return []any{tagValues(row.tag)} }
			for _, on := range []struct {
				path godbus.ObjectPath
				call string
				args []any
			}{
				{wlan0, `NFCTagRead "wlan0" tag ` + c.conn.Names()[0] + " auto",
					[]any{[]byte("tag"), options()}},
				{rootPath, `NFCTagRead "" tag ` + c.conn.Names()[0] + " none",
					[]any{[]byte("tag"), options("apply", "none")}},
			} {
				iface := interfaceIface
				if on.path == rootPath {
					iface = managerIface
				}
				got, _ := c.must(on.path, iface+".NfcTagRead",
					on.args...)[0].(map[string]godbus.Variant)
				plain := map[string]any{}
				for key, v := range got {
					plain[key] = v.Value()
				}
				if fmt.Sprint(plain) != fmt.Sprint(row.want) {
					t.Errorf("%s: %v, want %v", on.path, plain, row.want)
				}
				if !slices.Contains(w.svc.calls(), on.call) {
					t.Errorf("the service was asked %q, not %q", w.svc.calls(), on.call)
				}
			}
		}
		c.refused("InvalidArguments", rootPath, managerIface+".NfcTagRead", []byte("tag"),
			options("apply", "me"))
		w.svc.answer = nil
		c.refused("InvalidTag", wlan0, interfaceIface+".NfcTagRead", []byte("tag"), options())
	})
}

// TestNfcSecretsGoToTheCaller: tokens are answers to checked calls and nothing else.
func TestNfcSecretsGoToTheCaller(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		w.svc.answer = w.svc.pretend
		c, other := w.client(0).listen(), w.client(stranger).listen()
		for _, call := range []struct {
			path   godbus.ObjectPath
			method string
			args   []any
		}{
			{wlan0, interfaceIface + ".NfcPasswordToken", []any{"NDEF"}},
			{wlan0, interfaceIface + ".NfcConfigToken",
				[]any{"NDEF", options("network", networkPath(3))}},
			{wlan0, interfaceIface + ".NfcTagRead", []any{[]byte("the tag"), options()}},
			{rootPath, managerIface + ".NfcTagRead", []any{[]byte("the tag"), options()}},
			{wlan0, interfaceIface + ".StartNfc", []any{options()}},
			{wlan0, interfaceIface + ".NfcHandoverRequest", []any{"NDEF", "WPS"}},
			{wlan0, interfaceIface + ".NfcHandoverSelect", []any{"NDEF", "WPS", options()}},
			{wlan0, interfaceIface + ".NfcReportHandover",
				[]any{"INIT", "WPS", []byte{}, []byte{}, options()}},
		} {
			before := len(w.svc.calls())
			other.refused("NotAuthorized", call.path, call.method, call.args...)
			if made := w.svc.calls(); len(made) != before {
				t.Errorf("%s: the service was asked %v", call.method, made[before:])
			}
			c.must(call.path, call.method, call.args...)
		}
		for _, heard := range append(c.heard(), other.heard()...) {
			if strings.Contains(heard, "token") || strings.Contains(heard, "tag") {
				t.Errorf("everybody hears %s", heard)
			}
		}
	})
}

// TestNfcOfTheService: what the methods give is what a device or an access point can read.
func TestNfcOfTheService(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		c := w.client(0)
		read := func(method string, args ...any) *ndef.Tag {
			text, _ := c.must(wlan0, interfaceIface+method, args...)[0].([]byte)
			m, err := ndef.Parse(text)
			if err != nil {
				t.Fatalf("%s gives %q: %v", method, text, err)
			}
			return m
		}
		if m := read(".NfcPasswordToken", "NDEF"); m.Password == nil {
			t.Errorf("a password token is %+v", m)
		}
		m := read(".NfcConfigToken", "NDEF", options("network", network7))
		if m.Configuration == nil || string(m.Configuration.Credentials[0].SSID) != "home" ||
			string(m.Configuration.Credentials[0].NetworkKey.Bytes()) != key {
			t.Errorf("a configuration token is %+v", m)
		}
		carrier, _ := c.must(wlan0, interfaceIface+".NfcHandoverRequest", "NDEF",
			"WPS-CR")[0].([]byte)
		if _, err := ndef.ParseHandoverRequest(carrier); err != nil {
			t.Errorf("a handover request is %q: %v", carrier, err)
		}
		got, _ := c.must(rootPath, managerIface+".NfcTagRead", tagThat(nfc.TagAdds),
			options())[0].(map[string]godbus.Variant)
		if plain(got) != "map[kind:configuration network:/fi/w1/wps/networks/8 networks:[/fi/w1/wps/networks/8]]" {
			t.Errorf("a configuration token has become %v", plain(got))
		}
		if e, _ := c.call(wlan0, interfaceIface+".NfcHandoverSelect", "NDEF", "WPS",
			options()).Err.(godbus.Error); e.Name != errorPrefix+"NotSupported" {
			t.Errorf("a station's answer to a handover request: %v", e)
		}
		c.refused("NotRunning", wlan0, erIface+".NfcHandoverSelect", bssid1.String(), "NDEF", "WPS")
		c.refused("NotRunning", wlan0, erIface+".NfcConfigToken", bssid1.String(), "NDEF")
	})
}
