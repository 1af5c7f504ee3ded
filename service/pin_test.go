package service

import (
	"errors"
	"slices"
	"testing"
	"time"

	"wpsd/drivers/sim"
	"wpsd/engine/devpass"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/outcome"
	"wpsd/service/session"
	"wpsd/service/state"
)

func TestPIN(t *testing.T) {
	t.Parallel()
	play(t, pinScenes)
}

const (
	wrongFirst  = "99995670"
	wrongSecond = "12349995"
)

var pinScenes = []scene{
	{"a PIN that the access point was given lets us in", func(h *house) {
		h.enter(h.ap(nil), labelPIN)
		h.wantNetwork(h.end(h.pin(labelPIN, wsc.MAC{})), "home", passphrase)
	}},
	{"the same with the BSSID named", func(h *house) {
		h.enter(h.ap(nil), labelPIN)
		h.enter(h.next(nil), labelPIN)
		h.wantNetwork(h.end(h.pin(labelPIN, nextBSSID)), "next door", passphrase)
	}},
	{"a PIN that we make up is good, and is returned to be typed in", func(h *house) {
		ap := h.ap(nil)
		s, pin, err := h.svc.StartPIN(h.Context(), session.StartRequest{Interface: "wlan0"})
		if err != nil {
			h.Fatal(err)
		}
		if _, err := devpass.CheckPIN(string(pin.Bytes())); err != nil {
			h.Fatal(err)
		}
		time.Sleep(40 * time.Second) // somebody walks over and types
		h.enter(ap, string(pin.Bytes()))
		h.received(s)
		if took := time.Since(s.Started); took > 43*time.Second {
			h.Errorf("it took %v", took)
		}
		h.wantNetwork(h.end(s), "home", passphrase)
	}},
	{"a PIN with blanks is taken, one with a wrong checksum or length is refused", func(h *house) {
		start := func(pin string) error {
			s, _, err := h.svc.StartPIN(h.Context(),
				session.StartRequest{Interface: "wlan0", PIN: secret.FromString(pin)})
			if err == nil {
				err = h.svc.Cancel(h.Context(), s.ID)
				h.end(s)
			}
			return err
		}
		if err := start("1234 5670"); err != nil {
			h.Error(err)
		}
		if err := start("12345678"); !errors.Is(err, devpass.ErrPINChecksum) {
			h.Errorf("wrong checksum: %v", err)
		}
		if err := start("123"); !errors.Is(err, devpass.ErrPIN) {
			h.Errorf("three digits: %v", err)
		}
	}},
	{"a wrong first half fails with config error 18, and the access point is tried once only",
		func(h *house) {
			h.enter(h.ap(nil), wrongFirst)
			s := h.pin(labelPIN, wsc.MAC{})
			e := h.end(s)
			h.wantEnd(e, state.StateFailed, outcome.ReasonWrongPINFirst,
				wsc.ConfigErrorDevicePasswordAuthFailure)
			if e.Detail.PasswordHalf != 1 || e.Detail.AccessPointsTried != 1 {
				h.Errorf("%+v", e.Detail)
			}
			if took := time.Since(s.Started); took < 120*time.Second {
				h.Errorf("it was not waited for the one that has this PIN: %v", took)
			}
		}},
	{"a neighbour who waits for another device does not end the session: the right one may come later", func(h *house) {
		neighbour := h.ap(nil)
		h.enter(neighbour, wrongFirst)
		s := h.pin(labelPIN, wsc.MAC{})
		time.Sleep(40 * time.Second)
		h.enter(neighbour, wrongFirst) // waits again: he is not offered our PIN again
		time.Sleep(20 * time.Second)
		h.enter(h.next(nil), labelPIN)
		h.wantNetwork(h.end(s), "next door", passphrase)
		if got := h.tried(s.ID); !slices.Equal(got, []wsc.MAC{homeBSSID, nextBSSID}) {
			h.Errorf("tried %v", got)
		}
	}},
	{"nor do three of them, if the right one lists our address", func(h *house) {
		h.enter(h.ap(nil), wrongFirst)
		for i := range 4 {
			h.enter(h.next(func(o *sim.APOptions) { o.BSSs[0].BSSID[5] = byte(i + 1) }), wrongFirst)
		}
		s := h.pin(labelPIN, wsc.MAC{})
		time.Sleep(30 * time.Second)
		right := h.ap(func(o *sim.APOptions) { o.SSID, o.BSSs[0].BSSID = "right", farBSSID })
		if err := right.AllowPIN(sim.PINGrant{PIN: secret.FromString(labelPIN),
			MAC: laptop}); err != nil {
			h.Fatal(err)
		}
		e := h.end(s)
		h.wantNetwork(e, "right", passphrase)
		if e.Detail.AccessPointsTried != 4 {
			h.Errorf("%+v", e.Detail)
		}
	}},
	{"a neighbour's other radio is not offered our PIN either", func(h *house) {
		h.enter(h.ap(func(o *sim.APOptions) {
			o.BSSs = append(o.BSSs, sim.BSS{BSSID: homeBSSID5, Frequency: 5180, Signal: -40})
		}), wrongFirst)
		if e := h.end(h.pin(labelPIN, wsc.MAC{})); e.Reason != outcome.ReasonWrongPINFirst ||
			e.Detail.AccessPointsTried != 1 {
			h.Errorf("%s, %+v", e.Reason, e.Detail)
		}
	}},
	{"a wrong second half fails at once, since the first is known over there", func(h *house) {
		h.enter(h.ap(nil), wrongSecond)
		h.enter(h.next(nil), labelPIN)
		e := h.end(h.pin(labelPIN, wsc.MAC{}))
		h.wantEnd(e, state.StateFailed, outcome.ReasonWrongPINSecond,
			wsc.ConfigErrorDevicePasswordAuthFailure)
		if e.Detail.PasswordHalf != 2 || e.Detail.AccessPointsTried != 1 {
			h.Errorf("%+v", e.Detail)
		}
	}},
	{"after a wrong PIN the next access point is tried, and lets us in", func(h *house) {
		h.enter(h.ap(nil), wrongFirst)
		h.enter(h.next(nil), labelPIN)
		s := h.pin(labelPIN, wsc.MAC{})
		e := h.end(s)
		h.wantNetwork(e, "next door", passphrase)
		if got := h.tried(s.ID); !slices.Equal(got, []wsc.MAC{homeBSSID, nextBSSID}) {
			h.Errorf("tried %v", got)
		}
	}},
	{"after three wrong PINs nobody else gets a guess", func(h *house) {
		h.enter(h.ap(nil), wrongFirst)
		h.enter(h.next(nil), wrongFirst)
		for i := range 3 {
			h.enter(h.next(func(o *sim.APOptions) { o.BSSs[0].BSSID[5] = byte(i + 1) }), wrongFirst)
		}
		e := h.end(h.pin(labelPIN, wsc.MAC{}))
		h.wantEnd(e, state.StateFailed, outcome.ReasonWrongPINFirst,
			wsc.ConfigErrorDevicePasswordAuthFailure)
		if e.Detail.AccessPointsTried != 3 {
			h.Errorf("%+v", e.Detail)
		}
	}},
	{"a named access point with a wrong PIN ends the session at once", func(h *house) {
		h.enter(h.ap(nil), wrongFirst)
		h.enter(h.next(nil), labelPIN)
		s := h.pin(labelPIN, homeBSSID)
		h.wantEnd(h.end(s), state.StateFailed, outcome.ReasonWrongPINFirst,
			wsc.ConfigErrorDevicePasswordAuthFailure)
		if took := time.Since(s.Started); took > 3*time.Second {
			h.Errorf("after %v", took)
		}
	}},
	{"one that lists our address is preferred to a stronger one that lists anybody",
		func(h *house) {
			h.enter(h.ap(nil), wrongFirst)
			ap := h.next(nil)
			if err := ap.AllowPIN(sim.PINGrant{PIN: secret.FromString(labelPIN),
				MAC: laptop}); err != nil {
				h.Fatal(err)
			}
			s := h.pin(labelPIN, wsc.MAC{})
			h.wantNetwork(h.end(s), "next door", passphrase)
			if got := h.tried(s.ID); !slices.Equal(got, []wsc.MAC{nextBSSID}) {
				h.Errorf("tried %v", got)
			}
		}},
	{"access points that do not wait for a PIN are tried after three scans and five seconds, and learn of us that way", func(h *house) {
		ap := h.ap(nil)
		s := h.pin(labelPIN, wsc.MAC{})
		h.wait(func(e state.Event) bool {
			c, ok := e.(state.SessionChanged)
			return ok && c.Session.Detail.AccessPointsTried == 1
		})
		if took := time.Since(s.Started); took < 5*time.Second || took > 10*time.Second {
			h.Errorf("after %v", took)
		}
		h.wait(func(e state.Event) bool {
			c, ok := e.(state.SessionChanged)
			return ok && c.Session.Message == wsc.MsgAck
		})
		if !ap.Happened(sim.PINNeeded) {
			h.Error("the access point does not know that a PIN is needed")
		}
		h.enter(ap, labelPIN) // now it waits for us: the time of being ignored is over
		start := time.Now()
		h.received(s)
		if took := time.Since(start); took > 6*time.Second {
			h.Errorf("%v after the PIN was typed in", took)
		}
		h.end(s)
	}},
	{"a Registrar that never knows our PIN is tried now and then, and the reason is that it is busy", func(h *house) {
		h.ap(nil)
		s := h.pin(labelPIN, wsc.MAC{})
		e := h.end(s)
		h.wantEnd(e, state.StateFailed, outcome.ReasonRegistrarBusy, 0)
		if n := e.Detail.AccessPointsTried; n < 3 || n > 5 {
			h.Errorf("tried %d times in two minutes", n)
		}
		if took := time.Since(s.Started); took < 120*time.Second {
			h.Errorf("after %v", took)
		}
	}},
	{"a named access point is asked at once, whether it waits for us or not", func(h *house) {
		ap := h.ap(nil)
		s := h.pin(labelPIN, homeBSSID)
		time.Sleep(time.Second)
		if !ap.Happened(sim.PINNeeded) {
			h.Error("it does not know of us")
		}
		h.enter(ap, labelPIN)
		h.received(s)
		if took := time.Since(s.Started); took > 5*time.Second {
			h.Errorf("it took %v", took)
		}
		h.end(s)
	}},
	{"a named access point that is switched on later is found", func(h *house) {
		s := h.pin(labelPIN, homeBSSID)
		time.Sleep(30 * time.Second)
		h.enter(h.ap(nil), labelPIN)
		h.received(s)
		h.wantNetwork(h.end(s), "home", passphrase)
	}},
	{"a named access point without WPS that takes WPA3 only ends the session at once",
		func(h *house) {
			h.ap(func(o *sim.APOptions) { o.Security, o.NoWPS = sim.WPA3, true })
			s := h.pin(labelPIN, homeBSSID)
			h.wantEnd(h.end(s), state.StateFailed, outcome.ReasonWPA3Only, 0)
			if took := time.Since(s.Started); took > time.Second {
				h.Errorf("after %v", took)
			}
		}},
	{"a named access point without WPS is told after the first look", func(h *house) {
		h.ap(func(o *sim.APOptions) { o.NoWPS = true })
		s := h.pin(labelPIN, homeBSSID)
		h.wantEnd(h.end(s), state.StateFailed, outcome.ReasonNoAccessPoint, 0)
		if took := time.Since(s.Started); took > time.Second {
			h.Errorf("after %v", took)
		}
	}},
	{"with a PIN, a lost link is made good at the next access point", func(h *house) {
		h.enter(h.ap(func(o *sim.APOptions) { o.Personality.LeaveBefore = wsc.MsgM4 }), labelPIN)
		h.enter(h.next(nil), labelPIN)
		h.wantNetwork(h.end(h.pin(labelPIN, wsc.MAC{})), "next door", passphrase)
	}},
	{"an access point that was gone for a moment is tried again", func(h *house) {
		ap := h.ap(func(o *sim.APOptions) { o.Personality.LeaveBefore = wsc.MsgM4 })
		h.enter(ap, labelPIN)
		s := h.pin(labelPIN, homeBSSID)
		time.Sleep(2 * time.Second)
		ap.SetPersonality(sim.Personality{})
		h.received(s)
		if took := time.Since(s.Started); took > 15*time.Second {
			h.Errorf("it took %v", took)
		}
		h.wantNetwork(h.end(s), "home", passphrase)
	}},
	{"an access point that says M2D for ever does not use up the time of the next", func(h *house) {
		h.enter(h.ap(func(o *sim.APOptions) { o.Personality.M2DForever = true }), labelPIN)
		h.enter(h.next(nil), labelPIN)
		h.wantNetwork(h.end(h.pin(labelPIN, wsc.MAC{})), "next door", passphrase)
	}},
	{"long messages come in fragments, both ways", func(h *house) {
		h.enter(h.ap(func(o *sim.APOptions) { o.FragmentSize = 100 }), labelPIN)
		h.wantNetwork(h.end(h.pin(labelPIN, wsc.MAC{})), "home", passphrase)
	}},
}
