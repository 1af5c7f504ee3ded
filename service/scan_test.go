package service

import (
	"errors"
	"slices"
	"testing"
	"time"

	"wpsd/drivers/sim"
	"wpsd/service/state"
)

func TestScan(t *testing.T) {
	t.Parallel()
	play(t, []scene{
		{"a scan tells the access points with WPS, and its end", func(h *house) {
			h.press(h.ap(nil))
			h.next(func(o *sim.APOptions) { o.NoWPS = true })
			if err := h.svc.Scan(h.Context(), "wlan0"); err != nil {
				h.Fatal(err)
			}
			if err := h.svc.Scan(h.Context(), "wlan0"); !errors.Is(err, state.ErrBusy) {
				h.Errorf("a second one: %v", err)
			}
			e := h.wait(func(e state.Event) bool {
				_, ok := e.(state.ScanDone)
				return ok
			}).(state.ScanDone)
			snap, sub := h.svc.Published().Subscribe()
			sub.Close()
			if !e.Success || len(snap.AccessPoints) != 1 ||
				snap.AccessPoints[0].Class.String() != "WPS-PBC" ||
				count[state.AccessPointAdded](h) != 1 {
				h.Errorf("%+v", snap.AccessPoints)
			}
		}},
		{"a flag that changes is told as such", func(h *house) {
			ap := h.ap(nil)
			h.scan()
			h.press(ap)
			h.scan()
			if !slices.ContainsFunc(h.events, func(e state.Event) bool {
				c, ok := e.(state.AccessPointChanged)
				return ok && c.FlagsChanged
			}) {
				h.Error("it was not")
			}
		}},
		{"one that is off the air is removed, but not because of one lost frame", func(h *house) {
			ap := h.ap(nil)
			h.scan()
			h.world.RemoveAP(ap)
			h.scan()
			if count[state.AccessPointRemoved](h) != 0 {
				h.Error("removed after one scan")
			}
			time.Sleep(20 * time.Second)
			h.scan()
			if count[state.AccessPointRemoved](h) != 1 {
				h.Error("not removed")
			}
		}},
		{"a session ends a scan that somebody asked for", func(h *house) {
			h.press(h.ap(nil))
			if err := h.svc.Scan(h.Context(), "wlan0"); err != nil {
				h.Fatal(err)
			}
			time.Sleep(time.Second)
			s := h.pbc(nil)
			if e := h.wait(func(e state.Event) bool {
				_, ok := e.(state.ScanDone)
				return ok
			}).(state.ScanDone); e.Success {
				h.Error("the scan succeeded")
			}
			h.wantNetwork(h.end(s), "home", passphrase)
		}},
	})
}

func (h *house) scan() {
	h.Helper()
	if err := h.svc.Scan(h.Context(), "wlan0"); err != nil {
		h.Fatal(err)
	}
	h.wait(func(e state.Event) bool { _, ok := e.(state.ScanDone); return ok })
	h.wait(func(e state.Event) bool {
		c, ok := e.(state.InterfaceChanged)
		return ok && !c.Interface.Scanning
	})
}
