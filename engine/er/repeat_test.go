package er

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"wpsd/engine/registration"
	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
)

// count is how many of the requests since the last call fit.
func (w *world) count(fits string) int {
	return len(slices.DeleteFunc(w.did(), func(call string) bool {
		return !strings.Contains(call, fits)
	}))
}

// TestAnAccessPointThatRepeatsItself: whatever message it answers once more, the run ends at once.
func TestAnAccessPointThatRepeatsItself(t *testing.T) {
	t.Parallel()
	for n, again := range []wsc.MessageType{wsc.MsgM1, wsc.MsgM3, wsc.MsgM5} {
		t.Run(again.String(), func(t *testing.T) {
			t.Parallel()
			w, aps := start(t, 1)
			var kept []byte
			aps[0].wrong = func(name string, q upnp.Request) (upnp.Response, error, bool) {
				if name != "PutMessage" && name != "GetDeviceInfo" {
					return upnp.Response{}, nil, false
				}
				if kept == nil {
					a, _ := upnp.ParseAction(q.Header.Get("SOAPACTION"), q.Body)
					m, err := aps[0].act(a)
					if err != nil {
						t.Error(err)
					}
					if kind, err := wsc.PeekMessageType(m); err == nil && kind == again {
						kept = m
					}
					return upnp.Response{Status: 200, Body: a.Name.AppendReply(nil, m)}, nil, true
				}
				return upnp.Response{Status: 200,
					Body: upnp.ActionName(name).AppendReply(nil, kept)}, nil, true
			}
			w.limit = 1000
			w.did()
			run := w.learn(aps[0], aps[0].pin)
			if e := w.mustEnd(run); !errors.Is(e.Err, ErrNonsense) {
				t.Errorf("%v", e.Err)
			}
			// the messages up to the repetition, and a NACK
			if sent := w.count("PutMessage"); sent != n+2 {
				t.Errorf("%d messages were sent", sent)
			}
		})
	}
}

// TestAStationThatRepeatsItself: messages that take turns, so that none is the repetition of the
// one before.
func TestAStationThatRepeatsItself(t *testing.T) {
	t.Parallel()
	w, aps := start(t, 1)
	w.give(aps[0], "home")
	run, actions, err := w.r.AllowPIN(w.now, PINGrant{PIN: pin("12345670").Value})
	if err != nil {
		t.Fatal(err)
	}
	w.do(actions)
	mac := wsc.MAC{2, 0, 0, 1, 0, 1}
	s := aps[0].joinDeaf(mac, pin("12345670"), 2)
	if s.heard == 0 {
		t.Fatal("nothing was said to the station")
	}
	w.did()
	w.limit = 1000
	for n := range 2000 {
		// Frames of another run are ignored by the machine and count all the same.
		aps[0].event(upnp.WLANEvent{Type: upnp.EventMessage, MAC: mac,
			Message: (&wsc.Nack{Version2: wsc.Version20,
				EnrolleeNonce: wsc.Nonce{byte(n), byte(n >> 8)}}).Append(nil)})
		aps[0].flush()
	}
	if len(w.r.aps[aps[0].id()].stations) != 0 {
		t.Error("the run goes on")
	}
	if sent := w.count("PutWLANResponse"); sent > 2 {
		t.Errorf("%d messages were sent", sent)
	}
	if _, over := w.ended(run); over {
		t.Error("nothing of the PIN was used, and it is taken no more")
	}
	if s := aps[0].join(wsc.MAC{2, 0, 0, 1, 0, 2},
		pin("12345670")); s.got() != "home/correct horse" {
		t.Errorf("another one got %q", s.got())
	}
}

// TestBeginningsWithoutEnd: stations that begin again and again, through many access points of one
// hostile device.
func TestBeginningsWithoutEnd(t *testing.T) {
	t.Parallel()
	w, aps := start(t, 60)
	for _, p := range aps {
		w.give(p, "home")
	}
	if _, actions, err := w.r.AllowPIN(w.now, PINGrant{PIN: pin("12345670").Value}); err != nil {
		t.Fatal(err)
	} else {
		w.do(actions)
	}
	w.did()
	m, err := registration.NewEnrollee(registration.EnrolleeConfig{Device: device("station",
		wsc.MAC{2, 0, 0, 1, 0, 1}), Password: pin("12345670")})
	if err != nil {
		t.Fatal(err)
	}
	m1, err := wsc.ParseM1(m.Start(w.now).Send[0])
	if err != nil {
		t.Fatal(err)
	}
	w.limit = 1 << 20
	for n := range 100 {
		for _, p := range aps {
			m1.EnrolleeNonce[0], m1.EnrolleeNonce[1] = byte(n), p.addr.As4()[3]
			p.event(upnp.WLANEvent{Type: upnp.EventMessage, MAC: m1.MAC, Message: m1.Append(nil)})
			p.flush()
		}
	}
	if answers := w.count("PutWLANResponse"); answers > 2*512+100 {
		t.Errorf("%d answers to 6000 beginnings at once", answers)
	}
}

// TestOurAddressChangesAllTheTime: everybody is subscribed to anew at a pace, and at the end once
// more.
func TestOurAddressChangesAllTheTime(t *testing.T) {
	t.Parallel()
	w, aps := start(t, 20)
	w.did()
	for range 600 {
		w.do(w.r.Moved(w.now))
		w.wait(100 * time.Millisecond)
	}
	if n, most := w.count("SUBSCRIBE"), 20*(4+6+1); n > most || n < 20*6 {
		t.Errorf("%d subscriptions in a minute, not up to %d", n, most)
	}
	w.do(w.r.Moved(w.now))
	w.wait(moveEvery)
	if n := w.count("SUBSCRIBE"); n < 20 {
		t.Errorf("%d subscriptions after the last change", n)
	}
	w.wait(time.Hour)
	for _, p := range aps {
		if ap := w.r.aps[p.id()]; !ap.Subscribed || ap.sid != p.sid {
			t.Fatalf("%v is not subscribed", p.addr)
		}
	}
}

// TestStrangersWithoutEnd: what never becomes an access point costs requests at a pace, too.
func TestStrangersWithoutEnd(t *testing.T) {
	t.Parallel()
	for name, wrong := range map[string]func(p *fakeAP){
		"it says goodbye before it is told": func(p *fakeAP) {
			p.w.do(p.w.r.Heard(p.w.now, p.announcement(upnp.Byebye)))
		},
		"it has no description": func(*fakeAP) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.do(w.r.Start(w.now, netip.Addr{}))
			p := w.newAP(1)
			p.wrong = func(string, upnp.Request) (upnp.Response, error, bool) {
				return upnp.Response{Status: 404}, nil, true
			}
			asked := 0
			for n := range 6000 { // ten minutes of ten announcements a second
				p.uuid = wsc.UUIDFromMAC(wsc.MAC{2, 9, 0, 0, byte(n >> 8), byte(n)})
				w.do(w.r.Heard(w.now, p.announcement(upnp.Alive)))
				wrong(p)
				w.wait(100 * time.Millisecond)
				asked += w.count("GET")
			}
			if asked > 600/10+8+64+2 {
				t.Errorf("%d requests in ten minutes", asked)
			}
			t.Log(fmt.Sprint(asked, " requests"))
		})
	}
}
