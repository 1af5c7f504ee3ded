package dbus

import (
	"slices"
	"strings"
	"testing"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/engine/wsc"
)

const (
	learnMethod     = interfaceIface + ".Learn"
	configureMethod = interfaceIface + ".Configure"
)

func TestLearnAndConfigure(t *testing.T) {
	t.Parallel()
	const bssid, pin = "02:00:00:00:03:00", "1234-5670"
	good := []any{"ssid", []byte("new"), "auth", "WPA2PSK", "encryption", "CCMP", "key",
		[]byte("new passphrase")}
	without := func(key string) map[string]godbus.Variant {
		o := options(good...)
		delete(o, key)
		return o
	}
	with := func(key string, v any) map[string]godbus.Variant {
		return options(append(slices.Clone(good), key, v)...)
	}
	inBubble(t, Options{}, func(w *world) {
		w.svc.answer = w.svc.pretend
		c := w.client(0)
		if got := c.must(wlan0, learnMethod, bssid, pin,
			options("detach", true)); got[0] != session1 {
			t.Errorf("Learn: %v", got)
		}
		if !slices.Contains(w.svc.calls(), "Start learn 1234-5670 wlan0") || !w.svc.last.Detach ||
			w.svc.last.BSSID != (wsc.MAC{2, 0, 0, 0, 3, 0}) {
			t.Errorf("Learn: %v, %+v", w.svc.calls(), w.svc.last)
		}
		c.must(wlan0, configureMethod, bssid, pin, options(good...))
		if s := w.svc.settings; string(s.SSID) != "new" || s.Auth != wsc.AuthWPA2PSK ||
			s.Encryption != wsc.EncrAES || string(s.Key.Bytes()) != "new passphrase" {
			t.Errorf("Configure: %+v", s)
		}
		for _, row := range []struct {
			method string
			args   []any
			name   string
			text   string
		}{
			{learnMethod, []any{"02:00", pin, options()}, "InvalidArguments", "not of the form"},
			{learnMethod, []any{bssid, "", options()}, "InvalidPin", "empty"},
			{learnMethod, []any{bssid, pin, options("bssid", bssid)}, "InvalidArguments",
				`no option "bssid"`},
			{learnMethod, []any{bssid, pin, options("apply", "me")}, "InvalidArguments",
				"No network manager"},
			{configureMethod, []any{bssid, pin, without("ssid")}, "InvalidArguments",
				`"ssid" is missing`},
			{configureMethod, []any{bssid, pin, without("auth")}, "InvalidArguments",
				`"auth" is missing`},
			{configureMethod, []any{bssid, pin, with("ssid", "text")}, "InvalidArguments",
				`"ssid" is of type "ay", not "s"`},
			{configureMethod, []any{bssid, pin, with("auth", "WPA3")},
				"InvalidArguments", "WPA2PSK"},
			{configureMethod, []any{bssid, pin, with("encryption", "ROT13")},
				"InvalidArguments", "CCMP"},
		} {
			err := c.refused(row.name, wlan0, row.method, row.args...)
			if !strings.Contains(err, row.text) {
				t.Errorf("%s %v: %s", row.method, row.args, err)
			}
		}
	})
}
