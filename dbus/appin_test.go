package dbus

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/engine/wsc"
	"wpsd/service/state"
)

const apPinMethod = interfaceIface + ".ApPin"

func TestApPin(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		w.svc.answer = w.svc.pretend
		c := w.client(0)
		for _, row := range []struct {
			command, want, call string
			options             []any
		}{
			{"disable", "", "APPIN wlan0 disable 0s", nil},
			{"random", "12345670", "APPIN wlan0 random 1m0s", []any{"timeout", uint32(60)}},
			{"get", "12345670", "APPIN wlan0 get 0s", nil},
			{"set", "24681353", "APPIN wlan0 set 0s", []any{"pin", "24681353"}},
		} {
			if got := c.must(wlan0, apPinMethod, row.command,
				options(row.options...)); got[0] != row.want {
				t.Errorf("%s: %q, want %q", row.command, got[0], row.want)
			}
			if !slices.Contains(w.svc.calls(), row.call) {
				t.Errorf("%s: the service was asked %v", row.command, w.svc.calls())
			}
		}
		before := len(w.svc.calls())
		for _, row := range []struct {
			command, name, text string
			options             []any
		}{
			{"set", "InvalidPin", "empty", nil},
			{"set", "InvalidPin", "empty", []any{"pin", ""}},
			{"random", "InvalidArguments", "0 seconds", []any{"timeout", uint32(0)}},
			{"random", "InvalidArguments", `"timeout" is of type "u", not "i"`,
				[]any{"timeout", int32(7)}},
			{"get", "InvalidArguments", `no option "pn"`, []any{"pn", "x"}},
		} {
			if text := c.refused(row.name, wlan0, apPinMethod, row.command,
				options(row.options...)); !strings.Contains(text, row.text) {
				t.Errorf("%s %v: %q does not say %q", row.command, row.options, text, row.text)
			}
		}
		w.client(stranger).refused("NotAuthorized", wlan0, apPinMethod, "get", options())
		if calls := w.svc.calls(); len(calls) != before {
			t.Errorf("the service was asked %v", calls[before:])
		}
		w.svc.on = func(string) error { return fmt.Errorf("%w: 12345670", state.ErrRefused) }
		if text := c.refused("Refused", wlan0, apPinMethod, "get",
			options()); strings.Contains(text, "12345670") {
			t.Errorf("an error shows the PIN: %s", text)
		}
	})
}

func TestStartPinAtAnAccessPoint(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		w.svc.answer = w.svc.pretend
		c := w.client(0)
		c.must(wlan0, startPinMethod, options("timeout", uint32(90), "mac", "02:00:00:00:09:00"))
		if got := w.svc.last; got.Timeout != 90*time.Second ||
			got.MAC != (wsc.MAC{2, 0, 0, 0, 9, 0}) {
			t.Errorf("the service is told %+v", got)
		}
		for _, bad := range []string{"", "02:00", "00:00:00:00:00:00"} {
			c.refused("InvalidArguments", wlan0, startPinMethod, options("mac", bad))
		}
	})
}

func TestEnrolleesAreTold(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		c := w.client(stranger).listen()
		e := state.Enrollee{
			Interface: "wlan0", MAC: bssid1, UUID: "12345678-9abc-def0-1234-56789abcdef0",
			Name: "camera\x1b[2J\xff", DeviceType: "4-0050F204-2",
			Manufacturer: "maker", ConfigMethods: wsc.ConfigLabel,
			PasswordID: wsc.PasswordIDPushButton, PasswordIDKnown: true,
		}
		synctest.Wait()
		w.svc.tell(state.EnrolleeSeen{Enrollee: e})
		w.svc.tell(state.PINNeeded{Enrollee: state.Enrollee{Interface: "wlan0", MAC: bssid1,
			UUID: e.UUID}})
		expect(t, c.heard(),
			"/interfaces/wlan0 EnrolleeSeen 12345678-9abc-def0-1234-56789abcdef0 02:00:00:00:01:00 map[config-methods:[label] device-type:4-0050F204-2 manufacturer:maker name:camera\ufffd[2J\ufffd password-id:4]",
			"/interfaces/wlan0 PinNeeded 12345678-9abc-def0-1234-56789abcdef0 02:00:00:00:01:00 map[]",
		)
	})
}
