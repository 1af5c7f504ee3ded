package service

import (
	"slices"
	"testing"
	"time"

	"wpsd/drivers/sim"
	"wpsd/engine/wsc"
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
		if s.Peer != homeBSSID || s.Detail.AccessPointsTried != 1 || string(s.Detail.SSID) != "home" {
			h.Errorf("%+v", s)
		}
	}},
	{"two buttons pressed right after a scan overlap, although all channels were just looked at", func(h *house) {
		one, two := h.ap(nil), h.next(nil)
		if err := h.svc.Scan(h.Context(), "wlan0"); err != nil {
			h.Fatal(err)
		}
		h.wait(func(e Event) bool { _, done := e.(ScanDone); return done })
		h.press(one)
		h.press(two)
		h.wantEnd(h.end(h.pbc(nil)), StateFailed, ReasonOverlap, wsc.ConfigErrorMultiplePBCSessions)
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
		h.wantEnd(e, StateFailed, ReasonWalkTime, wsc.ConfigErrorMessageTimeout)
		if took := time.Since(s.Started); took < 120*time.Second || took > 121*time.Second || !s.Deadline.Equal(s.Started.Add(120*time.Second)) {
			h.Errorf("after %v", took)
		}
	}},
	{"without any access point the reason says so", func(h *house) {
		h.wantEnd(h.end(h.pbc(nil)), StateFailed, ReasonNoAccessPoint, wsc.ConfigErrorMessageTimeout)
	}},
	{"with WPA3 networks only the reason is wpa3-only", func(h *house) {
		h.ap(func(o *sim.APOptions) { o.Security, o.NoWPS = sim.WPA3, true })
		h.wantEnd(h.end(h.pbc(nil)), StateFailed, ReasonWPA3Only, 0)
	}},
	{"buttons pressed on two access points are an overlap, and the reason names both", func(h *house) {
		h.press(h.ap(nil))
		h.press(h.next(nil))
		s := h.end(h.pbc(nil))
		h.wantEnd(s, StateFailed, ReasonOverlap, wsc.ConfigErrorMultiplePBCSessions)
		if !slices.Equal(s.Detail.BSSIDs, []wsc.MAC{homeBSSID, nextBSSID}) || s.Detail.AccessPointsTried != 0 {
			h.Errorf("%+v", s.Detail)
		}
	}},
	{"an overlap on the last channel is found too", func(h *house) {
		h.press(h.ap(nil))
		h.press(h.next(func(o *sim.APOptions) { o.BSSs[0].Frequency = 5700 }))
		h.wantEnd(h.end(h.pbc(nil)), StateFailed, ReasonOverlap, wsc.ConfigErrorMultiplePBCSessions)
	}},
	{"with the BSSID named, the other pressed button does not count", func(h *house) {
		h.press(h.ap(nil))
		h.press(h.next(nil))
		s := h.end(h.pbc(func(r *StartRequest) { r.BSSID = nextBSSID }))
		h.wantNetwork(s, "next door", passphrase)
	}},
	{"one access point on two bands is no overlap", func(h *house) {
		h.press(h.ap(func(o *sim.APOptions) {
			o.BSSs = append(o.BSSs, sim.BSS{BSSID: homeBSSID5, Frequency: 5180, Signal: -40})
		}))
		h.wantNetwork(h.end(h.pbc(nil)), "home", passphrase)
	}},
	{"a second device that presses its button is an overlap that the access point sees", func(h *house) {
		h.press(h.ap(nil))
		h.stranger()
		s := h.end(h.pbc(nil))
		h.wantEnd(s, StateFailed, ReasonOverlap, wsc.ConfigErrorMultiplePBCSessions)
		if s.Peer != homeBSSID || len(s.Detail.BSSIDs) != 0 {
			h.Errorf("%+v", s)
		}
	}},
	{"two interfaces of ours that look at the same time are one device", func(h *house) {
		h.plug("wlan1", wsc.MAC{2, 0, 0, 0, 0, 9})
		h.press(h.ap(nil))
		other := h.pbc(func(r *StartRequest) { r.Interface, r.BSSID = "wlan1", farBSSID })
		time.Sleep(5 * time.Second)
		h.wantNetwork(h.end(h.pbc(nil)), "home", passphrase)
		if err := h.svc.Cancel(h.Context(), other.ID); err != nil {
			h.Error(err)
		}
		h.end(other)
	}},
	{"a refused association ends the session: push button does not try again", func(h *house) {
		h.press(h.ap(func(o *sim.APOptions) { o.Personality.RefuseStatus = 17 }))
		s := h.end(h.pbc(nil))
		h.wantEnd(s, StateFailed, ReasonAssociationFailed, wsc.ConfigErrorNetworkAssociationFailure)
		if s.Detail.LinkStatus != 17 || s.Detail.AccessPointsTried != 1 {
			h.Errorf("%+v", s.Detail)
		}
	}},
	{"an association that is not answered is tried again: no run has begun", func(h *house) {
		ap := h.ap(func(o *sim.APOptions) { o.Personality.Deaf = true })
		h.press(ap)
		s := h.pbc(nil)
		for s.Detail.AccessPointsTried < 2 {
			time.Sleep(100 * time.Millisecond)
			s, _ = h.svc.Session(s.ID)
		}
		time.Sleep(100 * time.Millisecond)
		ap.SetPersonality(sim.Personality{})
		s = h.end(s)
		h.wantNetwork(s, "home", passphrase)
		if s.Detail.AccessPointsTried != 3 {
			h.Errorf("%+v", s.Detail)
		}
	}},
	{"an access point that never answers an association ends the session after three", func(h *house) {
		h.press(h.ap(func(o *sim.APOptions) { o.Personality.Deaf = true }))
		s := h.end(h.pbc(nil))
		h.wantEnd(s, StateFailed, ReasonAssociationFailed, wsc.ConfigErrorNetworkAssociationFailure)
		if s.Detail.AccessPointsTried != 3 {
			h.Errorf("%+v", s.Detail)
		}
	}},
	{"an access point that leaves in the middle ends the session: link lost", func(h *house) {
		h.press(h.ap(func(o *sim.APOptions) { o.Personality.LeaveBefore = wsc.MsgM4 }))
		s := h.end(h.pbc(nil))
		h.wantEnd(s, StateFailed, ReasonLinkLost, 0)
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
		h.wantEnd(h.end(h.pbc(nil)), StateFailed, ReasonMessageTimeout, wsc.ConfigErrorMessageTimeout)
	}},
	{"an access point that never says a word ends the session: message timeout", func(h *house) {
		h.press(h.ap(func(o *sim.APOptions) { o.Personality.Silent = true }))
		h.wantEnd(h.end(h.pbc(nil)), StateFailed, ReasonMessageTimeout, wsc.ConfigErrorMessageTimeout)
	}},
	{"an M8 without a usable credential ends the session: bad credential", func(h *house) {
		h.press(h.ap(func(o *sim.APOptions) {
			o.Credentials = []wsc.Credential{{NetworkIndex: 1, SSID: []byte("x"), AuthType: wsc.AuthWPA2PSK, EncrType: wsc.EncrAES}}
		}))
		h.wantEnd(h.end(h.pbc(nil)), StateFailed, ReasonBadCredential, 0)
	}},
	{"an open network is received without a key", func(h *house) {
		h.press(h.ap(func(o *sim.APOptions) { o.Security = sim.Open; o.Key.Wipe(); o.Key = o.APPIN }))
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
