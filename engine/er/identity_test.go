package er

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
)

// impostor makes an access point that says to be another one.
func (w *world) impostor(n int, of *fakeAP) *fakeAP {
	p := w.newAP(n)
	p.uuid, p.mac = of.uuid, of.mac
	return p
}

// wantMarks checks which addresses are told to be where others say to be the same.
func (w *world) wantMarks(p *fakeAP, also ...*fakeAP) {
	w.t.Helper()
	var want []netip.Addr
	for _, o := range also {
		want = append(want, o.addr)
	}
	ap, err := w.r.FindAP(Name{Addr: p.addr})
	if err != nil || !slices.Equal(ap.Also, want) ||
		(len(want) > 0) != strings.Contains(ap.Problem, "says to be the same") {
		w.t.Errorf("%v: %v, %q, %v, not %v", p.addr, ap.Also, ap.Problem, err, want)
	}
	if err := w.r.check(); err != nil {
		w.t.Error(err)
	}
}

// wantAmbiguous checks that neither UUID nor BSSID is enough, and that the error names all
// addresses.
func (w *world) wantAmbiguous(all ...*fakeAP) {
	w.t.Helper()
	for _, name := range []Name{{UUID: all[0].uuid}, {BSSID: all[0].mac},
		{UUID: all[0].uuid, BSSID: all[0].mac}} {
		_, err := w.r.FindAP(name)
		if !errors.Is(err, ErrAmbiguous) {
			w.t.Errorf("%v: %v", name, err)
			continue
		}
		for _, p := range all {
			if !strings.Contains(err.Error(), p.mac.String()+" at "+p.addr.String()) {
				w.t.Errorf("%v does not name %v", err, p.addr)
			}
		}
	}
}

func TestAnImpostorThatIsHeardFirst(t *testing.T) {
	t.Parallel()
	for name, later := range map[string]bool{"in the same search": false, "later": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			real := w.newAP(2)
			impostor := w.impostor(1, real)
			real.up = !later
			w.do(w.r.Start(w.now, netip.Addr{}))
			w.wait(20 * time.Second)
			if later {
				w.wantMarks(impostor)
				real.up = true
				real.announce(upnp.Alive)
			}
			w.wantMarks(real, impostor)
			w.wantMarks(impostor, real)
			w.wantAmbiguous(real, impostor)
			if real.sid == "" || impostor.sid == "" {
				t.Error("not subscribed to both")
			}

			w.did()
			ap, err := w.r.FindAP(Name{Addr: real.addr})
			if err != nil || ap.Addr != real.addr {
				t.Fatalf("%+v, %v", ap, err)
			}
			if e := w.mustEnd(w.learn(real, real.pin)); e.Err != nil || e.AP != ap.ID {
				t.Fatalf("%+v", e)
			}
			for _, call := range w.did() {
				if strings.HasPrefix(call, impostor.addr.String()+" ") {
					t.Errorf("the impostor heard of it: %q", call)
				}
			}

			w.wait(askAgainAfter)
			impostor.up = false
			impostor.announce(upnp.Byebye)
			w.wantMarks(real)
			if ap, err := w.r.FindAP(Name{UUID: real.uuid}); err != nil || ap.Addr != real.addr ||
				!ap.HasSettings {
				t.Errorf("alone again: %+v, %v", ap, err)
			}
		})
	}
}

// TestAnImpostorGetsNoSettings: what was learned of one is not given to whom another one brings.
func TestAnImpostorGetsNoSettings(t *testing.T) {
	t.Parallel()
	w, aps := start(t, 1)
	real := aps[0]
	w.mustEnd(w.learn(real, real.pin))
	impostor := w.impostor(2, real)
	impostor.announce(upnp.Alive)
	w.wantMarks(impostor, real)
	_, actions, err := w.r.AllowPBC(w.now, PBCGrant{})
	if err != nil {
		t.Fatal(err)
	}
	w.do(actions)
	if real.selected == nil || impostor.selected != nil {
		t.Errorf("invited: the real one %v, the impostor %v", real.selected, impostor.selected)
	}
	if s := impostor.join(wsc.MAC{2, 0, 0, 1, 0, 1}, pin("")); s.got() != "" {
		t.Errorf("the impostor got %q", s.got())
	}
	w.give(impostor, "its own")
	w.give(real, "home")
	for p, want := range map[*fakeAP]string{real: "home", impostor: "its own"} {
		if c, ok := w.r.Settings(p.id()); !ok || string(c.SSID) != want {
			t.Errorf("%v has %q", p.addr, c.SSID)
		}
	}
	if err := w.r.check(); err != nil {
		t.Error(err)
	}
}

func TestAnImpostorThatGivesNoM1(t *testing.T) {
	t.Parallel()
	w, aps := start(t, 1)
	w.mustEnd(w.learn(aps[0], aps[0].pin))
	impostor := w.impostor(2, aps[0])
	impostor.noPIN = true
	impostor.announce(upnp.Alive)
	w.wantMarks(impostor, aps[0])
	w.wantMarks(aps[0], impostor)
	if _, err := w.r.FindAP(Name{UUID: aps[0].uuid}); !errors.Is(err, ErrAmbiguous) ||
		!strings.Contains(err.Error(), "one at 10.0.0.2") {
		t.Errorf("by UUID: %v", err)
	}
	if ap, err := w.r.FindAP(Name{UUID: aps[0].uuid, BSSID: aps[0].mac}); err != nil ||
		ap.Addr != aps[0].addr {
		t.Errorf("by both: %+v, %v", ap, err)
	}
	if _, ok := w.r.Settings(impostor.id()); ok {
		t.Error("it has the settings")
	}
}

// TestAnAccessPointThatGotAnotherAddress: one that moved is known again, with its settings, and
// nobody is in doubt.
func TestAnAccessPointThatGotAnotherAddress(t *testing.T) {
	t.Parallel()
	for name, noEvents := range map[string]bool{"subscribed": false,
		"one that does not tell what it hears": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			old := w.newAP(1)
			refuse := func(call string, _ upnp.Request) (upnp.Response, error, bool) {
				return upnp.Response{Status: 500}, nil, noEvents && call == "SUBSCRIBE"
			}
			old.wrong = refuse
			w.do(w.r.Start(w.now, netip.Addr{}))
			w.mustEnd(w.learn(old, old.pin))
			w.wait(20 * time.Second)
			w.told()
			old.up = false
			moved := w.impostor(2, old)
			moved.wrong = refuse
			moved.announce(upnp.Alive)
			told := w.told()
			for n := range told {
				told[n], _, _ = strings.Cut(told[n], ": does")
			}
			if want := []string{"AP 10.0.0.1 removed: unreachable",
				"AP 10.0.0.2 added"}; !slices.Equal(told, want) {
				t.Errorf("told %q, not %q", told, want)
			}
			w.wantMarks(moved)
			if ap, err := w.r.FindAP(Name{UUID: old.uuid}); err != nil || ap.Addr != moved.addr ||
				!ap.HasSettings {
				t.Errorf("%+v, %v", ap, err)
			}
			if e := w.mustEnd(w.learn(moved, moved.pin)); e.Err != nil {
				t.Error(e.Err)
			}

			t.Log("somebody comes to the old address: the settings are those of the new one")
			old.up, old.sid = true, ""
			w.wait(20 * time.Second)
			old.announce(upnp.Alive)
			w.wantMarks(moved, old)
			if _, ok := w.r.Settings(old.id()); ok {
				t.Error("the newcomer has settings")
			}
			if _, ok := w.r.Settings(moved.id()); !ok {
				t.Error("the one that moved lost its settings")
			}
		})
	}
}

// TestAnAccessPointMovesBesideAnImpostor: the old address does not stay in the list.
func TestAnAccessPointMovesBesideAnImpostor(t *testing.T) {
	t.Parallel()
	w, aps := start(t, 1)
	impostor := w.impostor(2, aps[0])
	impostor.announce(upnp.Alive)
	w.wait(20 * time.Second)
	aps[0].up = false
	moved := w.impostor(3, aps[0])
	moved.announce(upnp.Alive)
	w.wantMarks(moved, impostor)
	w.wantMarks(impostor, moved)
	w.wantAmbiguous(impostor, moved)
	if _, err := w.r.FindAP(Name{Addr: aps[0].addr}); !errors.Is(err, ErrUnknownAP) {
		t.Errorf("at the old address: %v", err)
	}
}

// TestOneThatWaitsIsNotForgotten: whatever becomes of the access point that was asked.
func TestOneThatWaitsIsNotForgotten(t *testing.T) {
	t.Parallel()
	for name, then := range map[string]func(w *world, old *fakeAP){
		"it answers": func(w *world, _ *fakeAP) { w.release() },
		"it says goodbye": func(w *world, old *fakeAP) {
			old.up = false
			old.announce(upnp.Byebye)
			w.release()
		},
		"our address moves": func(w *world, _ *fakeAP) { w.do(w.r.Moved(w.now)); w.release() },
		"it sends nonsense": func(w *world, old *fakeAP) { w.nonsense(old); w.release() },
		"it never answers": func(w *world, old *fakeAP) {
			old.up = false
			w.wait(31 * time.Second)
			w.release()
		},
		"it is filtered out": func(w *world, _ *fakeAP) {
			w.do(w.r.Start(w.now, netip.MustParseAddr("10.0.0.2")))
			w.release()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, aps := start(t, 1)
			w.wait(20 * time.Second)
			newcomer := w.impostor(2, aps[0])
			w.silent = func(at netip.Addr) bool { return at == aps[0].addr }
			newcomer.announce(upnp.Alive)
			if _, err := w.r.FindAP(Name{Addr: newcomer.addr}); !errors.Is(err, ErrUnknownAP) {
				t.Errorf("told before the other one has answered: %v", err)
			}
			w.silent = nil
			then(w, aps[0])
			w.wait(time.Minute)
			if _, err := w.r.FindAP(Name{Addr: newcomer.addr}); err != nil || newcomer.sid == "" {
				t.Errorf("%v", err)
			}
			if err := w.r.check(); err != nil {
				t.Error(err)
			}
		})
	}
}

// nonsense has an access point send events until it is dropped.
func (w *world) nonsense(p *fakeAP) {
	for n := range uint32(maxUnreadable) {
		w.do(w.r.Notified(w.now, upnp.Notification{From: p.addr, SID: p.sid, Seq: n,
			Err: upnp.ErrSyntax}))
	}
}

// TestClaimsWithoutEnd: who says again and again, at ever new addresses, to be an access point has
// that asked at a pace, and takes no more of our time than others.
func TestClaimsWithoutEnd(t *testing.T) {
	t.Parallel()
	w, aps := start(t, 1)
	w.wait(20 * time.Second)
	w.did()
	began := w.now
	for n := range 600 {
		w.impostor(n+2, aps[0]).announce(upnp.Alive)
		w.wait(100 * time.Millisecond)
	}
	asked := 0
	for _, call := range w.did() {
		if strings.HasPrefix(call, aps[0].addr.String()+" ") {
			asked++
		}
	}
	if most := int(w.now.Sub(began)/askAgainAfter) + 2; asked > most {
		t.Errorf("the access point was asked %d times in %v", asked, w.now.Sub(began))
	}
	if _, err := w.r.FindAP(Name{UUID: aps[0].uuid}); !errors.Is(err, ErrAmbiguous) ||
		len(err.Error()) > 500 || !strings.Contains(err.Error(), "593 more") {
		t.Errorf("%.700v", err)
	}
	if err := w.r.check(); err != nil {
		t.Error(err)
	}
}
