package service

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/drivers/sim"
	"wpsd/engine/wsc"
	"wpsd/service/outcome"
	"wpsd/service/session"
	"wpsd/service/state"
)

// atRest checks that nobody has the interface, and that it is as it was.
func (h *house) atRest() {
	h.Helper()
	if state, _ := h.world.RadioState("wlan0"); state.Up || state.Taken ||
		!state.Associated.IsZero() {
		h.Errorf("the interface was not given back: %+v", state)
	}
}

// suspend suspends in time.
func (h *house) suspend() {
	h.Helper()
	began := time.Now()
	ctx, cancel := context.WithTimeout(h.Context(), 4*time.Second)
	defer cancel()
	if err := h.svc.Suspend(ctx); err != nil {
		h.Errorf("after %v: %v", time.Since(began), err)
	}
	h.atRest()
	if took := time.Since(began); took > time.Second {
		h.Errorf("the machine had to wait %v", took)
	}
}

func TestSuspend(t *testing.T) {
	t.Parallel()
	play(t, []scene{
		{"with nothing to end, the machine may sleep at once", func(h *house) {
			h.suspend()
			h.svc.Resume()
			h.press(h.ap(nil))
			h.wantNetwork(h.end(h.pbc(nil)), "home", passphrase)
		}},
		{"a session that looks for a button ends, and its interface is given back before the machine sleeps", func(h *house) {
			h.ap(nil)
			s := h.pbc(nil)
			time.Sleep(20 * time.Second)
			h.suspend()
			h.wantEnd(h.end(s), state.StateFailed, outcome.ReasonSuspended, 0)
			if _, err := h.svc.StartPBC(h.Context(),
				session.StartRequest{Interface: "wlan0"}); !errors.Is(err, state.ErrSuspended) {
				h.Errorf("a session begins while the machine goes to sleep: %v", err)
			}
			if err := h.svc.Scan(h.Context(), "wlan0"); !errors.Is(err, state.ErrSuspended) {
				h.Errorf("a scan begins: %v", err)
			}
			time.Sleep(time.Hour)
			h.svc.Resume()
			h.wantNetwork(h.end(h.pressed()), "home", passphrase)
		}},
		{"a session in the middle of a run ends: the access point is told", func(h *house) {
			ap := h.ap(func(o *sim.APOptions) {
				o.Personality.Message = func(t wsc.MessageType, msg []byte) []byte {
					if t == wsc.MsgM4 {
						return nil // it thinks long
					}
					return msg
				}
			})
			h.press(ap)
			s := h.pbc(nil)
			h.wait(func(e state.Event) bool {
				c, ok := e.(state.SessionChanged)
				return ok && c.Session.Message == wsc.MsgM3
			})
			h.suspend()
			h.wantEnd(h.end(s), state.StateFailed, outcome.ReasonSuspended, 0)
		}},
		{"what was received in the last moment is kept, and no failure", func(h *house) {
			h.press(h.ap(func(o *sim.APOptions) { o.Personality.StayAfter = true }))
			s := h.pbc(nil)
			h.received(s)
			h.suspend()
			h.wantNetwork(h.end(s), "home", passphrase)
		}},
		{"a scan is cut short, and begins anew when the machine wakes", func(h *house) {
			h.ap(nil)
			if err := h.svc.Scan(h.Context(), "wlan0"); err != nil {
				h.Fatal(err)
			}
			time.Sleep(time.Second)
			h.suspend()
			done := func(e state.Event) bool { _, ok := e.(state.ScanDone); return ok }
			if h.wait(done).(state.ScanDone).Success {
				h.Error("half a scan is told as a whole one")
			}
			h.svc.Resume()
			if !h.wait(done).(state.ScanDone).Success {
				h.Error("it did not begin anew")
			}
			h.drain()
			if n := count[state.ScanDone](h); n != 2 {
				h.Errorf("%d scans", n)
			}
		}},
		{"what does not end in time does not keep the machine awake", func(h *house) {
			h.ap(nil)
			s := h.pbc(nil)
			synctest.Wait()
			ctx, cancel := context.WithCancel(h.Context())
			cancel()
			if err := h.svc.Suspend(ctx); !errors.Is(err, context.Canceled) {
				h.Errorf("%v", err)
			}
			h.wantEnd(h.end(s), state.StateFailed, outcome.ReasonSuspended, 0)
			h.svc.Resume()
		}},
		{"an interface that is gone when the machine wakes is not scanned", func(h *house) {
			if err := h.svc.Scan(h.Context(), "wlan0"); err != nil {
				h.Fatal(err)
			}
			h.suspend()
			h.world.RemoveRadio("wlan0")
			h.wait(func(e state.Event) bool { _, ok := e.(state.InterfaceRemoved); return ok })
			h.svc.Resume()
			h.drain()
			if slices.ContainsFunc(h.events, func(e state.Event) bool {
				d, ok := e.(state.ScanDone)
				return ok && d.Success
			}) {
				h.Error("it was")
			}
		}},
	})
}

// TestSuspendAtAnAccessPoint: nobody is let in while the machine sleeps.
func TestSuspendAtAnAccessPoint(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		inHouse(t, func(c *Config) { c.AccessPoints = c.Drivers[0].(*sim.Driver) }, func(h *house) {
			defer h.world.Close()
			if err := h.world.AddHotspot("uap0", h.ap(nil)); err != nil {
				h.Fatal(err)
			}
			synctest.Wait()
			s := h.admit(button)
			synctest.Wait()
			h.suspend()
			h.wantEnd(h.end(s), state.StateFailed, outcome.ReasonSuspended, 0)
			device, err := h.world.AddEnrollee(sim.EnrolleeOptions{Name: "camera", MAC: camera})
			if err == nil {
				err = device.PressButton()
			}
			if err != nil {
				h.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(h.Context(), 3*time.Minute)
			defer cancel()
			if result, err := device.Wait(ctx); err == nil && result.Err == nil {
				h.Error("a device was let in")
			}
			h.svc.Resume()
		})
	})
}

// TestSuspendOfAnExternalRegistrar: its sessions end, and access points are told that nobody is let
// in any more. It stays, with what it knows, and subscribes again.
func TestSuspendOfAnExternalRegistrar(t *testing.T) {
	t.Parallel()
	playER(t, map[string]func(h *erHouse){
		"a device waits to be let in": func(h *erHouse) {
			h.wantNetwork(h.end(h.learn(labelPIN)), "home", passphrase)
			s := h.admit(nil)
			synctest.Wait()
			if !h.lan.announces() {
				h.Fatal("the access point does not announce the PIN")
			}
			h.suspend()
			h.wantEnd(h.end(s), state.StateFailed, outcome.ReasonSuspended, 0)
			if _, err := h.svc.Registrars().ERLearn(h.Context(),
				h.request(labelPIN)); !errors.Is(err,
				state.ErrSuspended) {
				h.Errorf("a session begins: %v", err)
			}
			time.Sleep(time.Second)
			if h.lan.announces() {
				h.Error("the access point announces the PIN still")
			}
			time.Sleep(10 * time.Minute)
			before := h.lan.called("SUBSCRIBE")
			h.svc.Resume()
			time.Sleep(time.Minute)
			if !h.running() || h.lan.called("SUBSCRIBE") != before+1 {
				h.Errorf("running %v, subscribed %d times more", h.running(),
					h.lan.called("SUBSCRIBE")-before)
			}
			h.admit(nil)
			synctest.Wait()
			if !h.lan.announces() {
				h.Error("the settings are forgotten")
			}
		},
	})
}

// announces reports whether the access point tells stations that somebody lets them in.
func (l *lan) announces() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.selected != nil && l.selected.Selected
}

// pressed presses the button of a new access point and starts a session.
func (h *house) pressed() state.Session {
	h.Helper()
	h.press(h.next(func(o *sim.APOptions) { o.SSID = "home" }))
	return h.pbc(nil)
}
