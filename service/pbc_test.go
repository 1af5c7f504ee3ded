package service

import (
	"slices"
	"strings"
	"testing"
	"time"

	"wpsd/drivers/sim"
	"wpsd/engine/wsc"
	"wpsd/service/outcome"
	"wpsd/service/session"
	"wpsd/service/state"
)

func TestPushButton(t *testing.T) {
	t.Parallel()
	play(t, pushButtonScenes)
}

var pushButtonScenes = []scene{
	{"a button pressed before lets us in, and the network is stored", func(h *house) {
		h.press(h.ap(nil))
		s := h.end(h.pbc(nil))
		h.wantNetwork(s, "home", passphrase)
		if s.Peer != homeBSSID || s.Detail.AccessPointsTried != 1 ||
			string(s.Detail.SSID) != "home" {
			h.Errorf("%+v", s)
		}
	}},
	{"two buttons pressed right after a scan overlap, although all channels were just looked at",
		func(h *house) {
			one, two := h.ap(nil), h.next(nil)
			if err := h.svc.Scan(h.Context(), "wlan0"); err != nil {
				h.Fatal(err)
			}
			h.wait(func(e state.Event) bool { _, done := e.(state.ScanDone); return done })
			h.press(one)
			h.press(two)
			h.wantEnd(h.end(h.pbc(nil)), state.StateFailed, outcome.ReasonOverlap,
				wsc.ConfigErrorMultiplePBCSessions)
		}},
	{"a button pressed a minute later lets us in after one look at all channels", func(h *house) {
		ap := h.ap(nil)
		s := h.pbc(nil)
		time.Sleep(60 * time.Second)
		h.press(ap)
		h.received(s)
		if took := time.Since(s.Started); took > 65*time.Second {
			h.Errorf("it took %v", took)
		}
		h.wantNetwork(h.end(s), "home", passphrase)
	}},
	{"a button that nobody presses ends with the walk time, after 120 s", func(h *house) {
		h.ap(nil)
		s := h.pbc(nil)
		e := h.end(s)
		h.wantEnd(e, state.StateFailed, outcome.ReasonWalkTime, wsc.ConfigErrorMessageTimeout)
		if took := time.Since(s.Started); took < 120*time.Second || took > 121*time.Second ||
			!s.Deadline.Equal(s.Started.Add(120*time.Second)) {
			h.Errorf("after %v", took)
		}
	}},
	{"without any access point the reason says so", func(h *house) {
		h.wantEnd(h.end(h.pbc(nil)), state.StateFailed, outcome.ReasonNoAccessPoint,
			wsc.ConfigErrorMessageTimeout)
	}},
	{"with WPA3 networks only the reason is wpa3-only", func(h *house) {
		h.ap(func(o *sim.APOptions) { o.Security, o.NoWPS = sim.WPA3, true })
		h.wantEnd(h.end(h.pbc(nil)), state.StateFailed, outcome.ReasonWPA3Only, 0)
	}},
	{"buttons pressed on two access points are an overlap, and the reason names both",
		func(h *house) {
			h.press(h.ap(nil))
			h.press(h.next(nil))
			s := h.end(h.pbc(nil))
			h.wantEnd(s, state.StateFailed, outcome.ReasonOverlap,
				wsc.ConfigErrorMultiplePBCSessions)
			if !slices.Equal(s.Detail.BSSIDs(), []wsc.MAC{homeBSSID, nextBSSID}) ||
				s.Detail.AccessPointsTried != 0 {
				h.Errorf("%+v", s.Detail)
			}
		}},
	{"an overlap on the last channel is found too", func(h *house) {
		h.press(h.ap(nil))
		h.press(h.next(func(o *sim.APOptions) { o.BSSs[0].Frequency = 5700 }))
		h.wantEnd(h.end(h.pbc(nil)), state.StateFailed, outcome.ReasonOverlap,
			wsc.ConfigErrorMultiplePBCSessions)
	}},
	{"with the BSSID named, the other pressed button does not count", func(h *house) {
		h.press(h.ap(nil))
		h.press(h.next(nil))
		s := h.end(h.pbc(func(r *session.StartRequest) { r.BSSID = nextBSSID }))
		h.wantNetwork(s, "next door", passphrase)
	}},
	{"one access point on two bands is no overlap", func(h *house) {
		h.press(h.ap(func(o *sim.APOptions) {
			o.BSSs = append(o.BSSs, sim.BSS{BSSID: homeBSSID5, Frequency: 5180, Signal: -40})
		}))
		h.wantNetwork(h.end(h.pbc(nil)), "home", passphrase)
	}},
	{"a second device that presses its button is an overlap that the access point sees",
		func(h *house) {
			h.press(h.ap(nil))
			h.stranger()
			s := h.end(h.pbc(nil))
			h.wantEnd(s, state.StateFailed, outcome.ReasonOverlap,
				wsc.ConfigErrorMultiplePBCSessions)
			if s.Peer != homeBSSID || len(s.Detail.Overlap) != 0 {
				h.Errorf("%+v", s)
			}
		}},
	{"two interfaces of ours that look at the same time are one device", func(h *house) {
		h.plug("wlan1", wsc.MAC{2, 0, 0, 0, 0, 9})
		h.press(h.ap(nil))
		other := h.pbc(func(r *session.StartRequest) { r.Interface, r.BSSID = "wlan1", farBSSID })
		time.Sleep(5 * time.Second)
		h.wantNetwork(h.end(h.pbc(nil)), "home", passphrase)
		if err := h.svc.Cancel(h.Context(), other.ID); err != nil {
			h.Error(err)
		}
		h.end(other)
	}},
	{"an access point that refuses us to the end is told with its last status", func(h *house) {
		h.press(h.ap(func(o *sim.APOptions) { o.Personality.RefuseStatus = 17 }))
		s := h.pbc(nil)
		e := h.end(s)
		h.wantEnd(e, state.StateFailed, outcome.ReasonAssociationFailed,
			wsc.ConfigErrorNetworkAssociationFailure)
		if took := time.Since(s.Started); e.Detail.LinkStatus != 17 || took < 120*time.Second ||
			!strings.Contains(e.Sentence, "is full") {
			h.Errorf("after %v: %s, %+v", took, e.Sentence, e.Detail)
		}
		if n := e.Detail.AccessPointsTried; n < 30 || n > 70 {
			h.Errorf("tried %d times in two minutes", n)
		}
	}},
	{"of a router that begins nothing on its strongest link the other one is tried after ten seconds", func(h *house) {
		one := h.ap(func(o *sim.APOptions) { o.Personality.Silent = true })
		two := h.next(func(o *sim.APOptions) {
			o.SSID, o.Device.UUID = "home", wsc.UUIDFromMAC(homeBSSID)
		})
		h.press(one)
		h.press(two)
		s := h.pbc(nil)
		if took := h.received(s); took < 10*time.Second || took > 15*time.Second {
			h.Errorf("after %v", took)
		}
		h.wantNetwork(h.end(s), "home", passphrase)
		if got := h.tried(s.ID); !slices.Equal(got, []wsc.MAC{homeBSSID, nextBSSID}) {
			h.Errorf("tried %v", got)
		}
	}},
	{"while one BSS of a router is full the other one is tried at once", func(h *house) {
		one := h.ap(func(o *sim.APOptions) { o.Personality.RefuseStatus = 17 })
		two := h.next(func(o *sim.APOptions) {
			o.SSID, o.Device.UUID = "home", wsc.UUIDFromMAC(homeBSSID)
		})
		h.press(one)
		h.press(two)
		e := h.end(h.pbc(nil))
		h.wantNetwork(e, "home", passphrase)
		if got := h.tried(e.ID); !slices.Equal(got, []wsc.MAC{homeBSSID, nextBSSID}) {
			h.Errorf("tried %v", got)
		}
	}},
	{"a router that has no room at first lets us in as soon as it has", func(h *house) {
		for _, status := range []uint16{1, 17, 30} {
			ap := h.ap(func(o *sim.APOptions) { o.Personality.RefuseStatus = status })
			h.press(ap)
			s := h.pbc(nil)
			time.Sleep(20 * time.Second)
			ap.SetPersonality(sim.Personality{})
			room := time.Now()
			h.received(s)
			if took := time.Since(room); took > 3*time.Second {
				h.Errorf("status %d: %v after there was room", status, took)
			}
			h.wantNetwork(h.end(s), "home", passphrase)
			h.world.RemoveAP(ap)
			time.Sleep(10 * time.Second)
		}
	}},
	{"a named access point that has no room is waited for, too", func(h *house) {
		ap := h.ap(func(o *sim.APOptions) { o.Personality.RefuseStatus = 17 })
		h.press(ap)
		s := h.pbc(func(r *session.StartRequest) { r.BSSID = homeBSSID })
		time.Sleep(20 * time.Second)
		ap.SetPersonality(sim.Personality{})
		h.wantNetwork(h.end(s), "home", passphrase)
	}},
	{"the network for guests of the same radio is the same router", func(h *house) {
		h.press(h.ap(func(o *sim.APOptions) {
			o.BSSs = append(o.BSSs, sim.BSS{BSSID: homeBSSID5, Frequency: 2437, SSID: "guests"})
		}))
		h.wantNetwork(h.end(h.pbc(nil)), "home", passphrase)
	}},
	{"an association that is not answered is tried again: no run has begun", func(h *house) {
		ap := h.ap(func(o *sim.APOptions) { o.Personality.Deaf = true })
		h.press(ap)
		s := h.pbc(nil)
		for s.Detail.AccessPointsTried < 2 {
			time.Sleep(100 * time.Millisecond)
			s, _ = h.svc.Published().Session(s.ID)
		}
		time.Sleep(100 * time.Millisecond)
		ap.SetPersonality(sim.Personality{})
		s = h.end(s)
		h.wantNetwork(s, "home", passphrase)
		if s.Detail.AccessPointsTried != 3 {
			h.Errorf("%+v", s.Detail)
		}
	}},
	{"an access point that never answers an association is told as that", func(h *house) {
		h.press(h.ap(func(o *sim.APOptions) { o.Personality.Deaf = true }))
		s := h.end(h.pbc(nil))
		h.wantEnd(s, state.StateFailed, outcome.ReasonAssociationFailed,
			wsc.ConfigErrorNetworkAssociationFailure)
	}},
	{"a link that is lost is not the end: the button is still shown as pressed", func(h *house) {
		ap := h.ap(func(o *sim.APOptions) { o.Personality.LeaveBefore = wsc.MsgM4 })
		h.press(ap)
		s := h.pbc(nil)
		h.wait(func(e state.Event) bool {
			f, ok := e.(state.RunFailed)
			return ok && f.Session == s.ID
		})
		ap.SetPersonality(sim.Personality{})
		lost := time.Now()
		h.received(s)
		if took := time.Since(lost); took > time.Second {
			h.Errorf("in again after %v", took)
		}
		h.wantNetwork(h.end(s), "home", passphrase)
	}},
	{"an access point that leaves in the middle each time ends with the walk time: link lost",
		func(h *house) {
			h.press(h.ap(func(o *sim.APOptions) { o.Personality.LeaveBefore = wsc.MsgM4 }))
			s := h.end(h.pbc(nil))
			h.wantEnd(s, state.StateFailed, outcome.ReasonLinkLost, 0)
			if s.Detail.LinkReason != 3 || s.Message != wsc.MsgM3 {
				h.Errorf("%+v", s)
			}
		}},
	{"an access point that falls silent ends the session: message timeout", func(h *house) {
		h.press(h.ap(func(o *sim.APOptions) {
			o.Personality.Message = func(t wsc.MessageType, msg []byte) []byte {
				if t == wsc.MsgM6 {
					return nil
				}
				return msg
			}
		}))
		h.wantEnd(h.end(h.pbc(nil)), state.StateFailed, outcome.ReasonMessageTimeout,
			wsc.ConfigErrorMessageTimeout)
	}},
	{"an access point that never says a word ends the session: message timeout", func(h *house) {
		h.press(h.ap(func(o *sim.APOptions) { o.Personality.Silent = true }))
		h.wantEnd(h.end(h.pbc(nil)), state.StateFailed, outcome.ReasonMessageTimeout,
			wsc.ConfigErrorMessageTimeout)
	}},
	{"an M8 without a usable credential ends the session: bad credential", func(h *house) {
		h.press(h.ap(func(o *sim.APOptions) {
			o.Credentials = []wsc.Credential{{NetworkIndex: 1, SSID: []byte("x"),
				AuthType: wsc.AuthWPA2PSK, EncrType: wsc.EncrAES}}
		}))
		h.wantEnd(h.end(h.pbc(nil)), state.StateFailed, outcome.ReasonBadCredential, 0)
	}},
	{"an open network is received without a key", func(h *house) {
		h.press(h.ap(func(o *sim.APOptions) {
			o.Security = sim.Open
			o.Key.Wipe()
			o.Key = o.APPIN
		}))
		h.wantNetwork(h.end(h.pbc(nil)), "home", "")
	}},
	{"a 1.0 access point lets us in as well", func(h *house) {
		h.press(h.ap(func(o *sim.APOptions) { o.Version10 = true }))
		h.wantNetwork(h.end(h.pbc(nil)), "home", passphrase)
	}},
	{"one on a channel for listening only is found", func(h *house) {
		h.press(h.ap(func(o *sim.APOptions) { o.BSSs[0].Frequency = 5500 }))
		h.wantNetwork(h.end(h.pbc(nil)), "home", passphrase)
	}},
}
