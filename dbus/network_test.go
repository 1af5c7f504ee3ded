package dbus

import (
	"slices"
	"strings"
	"testing"

	"wpsd/engine/wsc"
)

// TestAddNetwork: what it takes, what it asks of the service, and what it refuses.
func TestAddNetwork(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		c := w.client(0).listen()
		good := []any{"ssid", []byte("cabin\xff"), "auth", "WPA2PSK", "encryption", "CCMP", "key",
			[]byte(key)}
		const method = managerIface + ".AddNetwork"
		if got := c.must(rootPath, method, options(
			append(slices.Clone(good), "bssid",
				"02:00:00:00:01:00")...))[0]; got != networkPath(8) {
			t.Errorf("AddNetwork gives %v", got)
		}
		if s := w.svc.settings; string(s.SSID) != "cabin\xff" || s.Auth != wsc.AuthWPA2PSK ||
			s.Encryption != wsc.EncrAES || string(s.Key.Bytes()) != key {
			t.Errorf("the service was given %+v", s)
		}
		heard := c.heard()
		if len(heard) != 2 || !strings.HasPrefix(heard[0],
			" InterfacesAdded "+string(networkPath(8))) {
			t.Errorf("heard %v", heard)
		}
		c.must(rootPath, method, options(good...))
		if calls := w.svc.calls(); !slices.Equal(calls,
			[]string{"AddNetwork 02:00:00:00:01:00", "AddNetwork 00:00:00:00:00:00"}) {
			t.Errorf("calls %v", calls)
		}
		before := len(w.svc.calls())
		for _, bad := range []struct {
			pairs []any
			error string
			says  string
		}{
			{append(slices.Clone(good), "hidden", true), "InvalidArguments",
				`"hidden": there are auth, bssid, encryption, key, ssid`},
			{append(slices.Clone(good), "ssid", "text"), "InvalidArguments",
				`"ssid" is of type "ay", not "s"`},
			{append(slices.Clone(good), "key", "text"), "InvalidArguments",
				`"key" is of type "ay", not "s"`},
			{append(slices.Clone(good), "auth", uint16(32)), "InvalidArguments",
				`"auth" is of type "s", not "q"`},
			{append(slices.Clone(good), "encryption", []byte("x")), "InvalidArguments",
				`"encryption" is of type "s"`},
			{append(slices.Clone(good), "bssid", []byte{2, 0, 0, 0, 1, 0}), "InvalidArguments",
				`"bssid" is of type "s"`},
			{append(slices.Clone(good), "bssid", "cabin"), "InvalidArguments", `"cabin"`},
			{append(slices.Clone(good), "bssid", "00:00:00:00:00:00"), "UnknownBssid", "BSSID"},
			{append(slices.Clone(good), "auth", "WPA9"), "InvalidArguments", `"WPA9"`},
			{append(slices.Clone(good), "encryption", "ROT13"), "InvalidArguments", `"ROT13"`},
			{good[2:], "InvalidArguments", `"ssid" is missing`},
			{good[:4], "InvalidArguments", `"encryption" is missing`},
			{nil, "InvalidArguments", `"ssid" is missing`},
		} {
			if text := c.refused(bad.error, rootPath, method,
				options(bad.pairs...)); !strings.Contains(text,
				bad.says) || strings.Contains(text, key) {
				t.Errorf("%v: %s", bad.pairs, text)
			}
		}
		w.client(stranger).refused("NotAuthorized", rootPath, method, options(good...))
		if calls := w.svc.calls(); len(calls) != before {
			t.Errorf("the service was called: %v", calls[before:])
		}
	})
}
