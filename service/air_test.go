package service

import (
	"errors"
	"testing"

	"wpsd/drivers/sim"
	"wpsd/engine/wsc"
	"wpsd/service/state"
)

func TestWhatOthersShow(t *testing.T) {
	t.Parallel()
	play(t, []scene{
		{"a scan shows access points without WPS as well", func(h *house) {
			h.ap(nil)
			h.next(func(o *sim.APOptions) { o.NoWPS = true })
			if err := h.svc.Scan(h.Context(), "wlan0"); err != nil {
				h.Fatal(err)
			}
			h.wait(func(e state.Event) bool { _, ok := e.(state.ScanDone); return ok })
			list, err := h.svc.BSSs("wlan0")
			if err != nil || len(list) != 2 {
				h.Fatalf("%+v, %v", list, err)
			}
			if snap := h.svc.Published().Snapshot(); len(snap.AccessPoints) != 1 || len(snap.Interfaces) != 1 {
				h.Errorf("%+v", snap)
			}
			if _, err := h.svc.BSSs("eth7"); !errors.Is(err, state.ErrNoInterface) {
				h.Error(err)
			}
		}},
		{"a run with a wrong PIN is told with the message that was at fault", func(h *house) {
			h.enter(h.ap(nil), labelPIN)
			s := h.pin("98765430", homeBSSID)
			e := h.wait(func(e state.Event) bool {
				_, ok := e.(state.RunFailed)
				return ok
			}).(state.RunFailed)
			if want := (state.RunFailed{Session: s.ID, Peer: homeBSSID, Message: wsc.MsgM4,
				ConfigError: wsc.ConfigErrorDevicePasswordAuthFailure}); e != want {
				h.Errorf("%+v, not %+v", e, want)
			}
			h.end(s)
		}},
		{"a run that succeeded is none that failed", func(h *house) {
			h.press(h.ap(nil))
			h.end(h.pbc(nil))
			h.drain()
			if n := count[state.RunFailed](h); n != 0 {
				h.Errorf("%d failed", n)
			}
		}},
	})
}
