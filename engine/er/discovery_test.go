package er

import (
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
)

func (w *world) wantTold(want ...string) {
	w.t.Helper()
	if got := w.told(); !slices.Equal(got, want) {
		w.t.Errorf("told %q\nwant %q", got, want)
	}
}

func (w *world) wantDid(want ...string) {
	w.t.Helper()
	if got := w.did(); !slices.Equal(got, want) {
		w.t.Errorf("asked %q\nwant  %q", got, want)
	}
}

func TestAnAccessPointIsFoundAndAskedEverythingOnce(t *testing.T) {
	t.Parallel()
	w, aps := start(t, 1)
	w.wantDid("10.0.0.1 GET", "10.0.0.1 GetDeviceInfo", "10.0.0.1 SUBSCRIBE")
	w.wantTold("AP 10.0.0.1 added")
	ap := w.r.APs()[0]
	if ap.UUID != aps[0].uuid || ap.BSSID != aps[0].mac || !ap.Subscribed ||
		ap.Description.FriendlyName != "fake 10.0.0.1" ||
		ap.Device.State != wsc.Configured ||
		ap.Device.PrimaryDeviceType.String() != "6-0050F204-1" || ap.HasSettings {
		t.Errorf("%+v", ap)
	}
	aps[0].announce(upnp.Alive)
	w.wait(10 * time.Second)
	w.wantDid()
	w.wantTold()
	if w.searches != 3 {
		t.Errorf("%d searches", w.searches)
	}
}

func TestStartAgainTellsEverythingAgain(t *testing.T) {
	t.Parallel()
	w, aps := start(t, 2)
	aps[1].probe(phone, wsc.PasswordIDDefault)
	w.told()
	w.do(w.r.Start(w.now, netip.Addr{}))
	w.wantTold("AP 10.0.0.1 added", "AP 10.0.0.2 added", "Enrollee 02:00:00:01:00:01 added")
	if w.searches != 2 {
		t.Errorf("%d searches", w.searches)
	}
}

func TestOneAddressOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, two := w.newAP(1), w.newAP(2)
	w.do(w.r.Start(w.now, two.addr))
	two.announce(upnp.Alive)
	one.announce(upnp.Alive)
	w.wantTold("AP 10.0.0.2 added")
	w.do(w.r.Start(w.now, netip.Addr{}))
	w.wantTold("AP 10.0.0.2 added", "AP 10.0.0.1 added")
	w.do(w.r.Start(w.now, one.addr))
	w.wantTold("AP 10.0.0.2 removed: filtered", "AP 10.0.0.1 added")
	if two.sid != "" {
		t.Error("the other one is still subscribed to")
	}
}

func TestStopSaysGoodbye(t *testing.T) {
	t.Parallel()
	w, aps := start(t, 2)
	w.give(aps[0], "home")
	_, actions, err := w.r.AllowPIN(w.now, PINGrant{PIN: pin("12345670").Value})
	if err != nil {
		t.Fatal(err)
	}
	w.do(actions)
	w.did()
	w.told()
	w.do(w.r.Stop(w.now))
	w.wantTold("run 1 ended: er: the External Registrar was stopped",
		"AP 10.0.0.1 removed: stopped", "AP 10.0.0.2 removed: stopped")
	w.wantDid("10.0.0.1 SetSelectedRegistrar", "10.0.0.2 UNSUBSCRIBE", "10.0.0.1 UNSUBSCRIBE")
	if aps[0].sid != "" || aps[1].sid != "" || aps[0].selected != nil || !w.r.Idle() ||
		!w.r.NextTick().IsZero() {
		t.Errorf("something is left: idle %v, next %v", w.r.Idle(), w.r.NextTick())
	}
	aps[0].announce(upnp.Alive)
	w.wantDid()
	w.do(w.r.Start(w.now, netip.Addr{}))
	if all := w.r.APs(); len(all) != 2 || all[0].HasSettings {
		t.Errorf("after another start: %+v", all)
	}
}

func TestIdleWaitsForTheLastAnswer(t *testing.T) {
	t.Parallel()
	w, _ := start(t, 1)
	w.hold = true
	w.do(w.r.Stop(w.now))
	if w.r.Idle() {
		t.Error("idle with UNSUBSCRIBE under way")
	}
	w.release()
	if !w.r.Idle() {
		t.Error("not idle after the answer")
	}
}

func (w *world) give(p *fakeAP, ssid string) {
	w.t.Helper()
	actions, err := w.r.SetConfig(w.now, p.id(), network(ssid, "correct horse"))
	if err != nil {
		w.t.Fatal(err)
	}
	w.do(actions)
}

func TestHowAccessPointsGoAndComeBack(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		does func(w *world, p *fakeAP)
		told []string
		asks []string
	}{
		{"it says goodbye and is off", func(w *world, p *fakeAP) {
			p.up = false
			p.announce(upnp.Byebye)
		},
			[]string{"AP 10.0.0.1 removed: byebye"}, []string{"10.0.0.1 renew"}},
		{"somebody says goodbye in its name", func(w *world, p *fakeAP) {
			p.announce(upnp.Byebye)
			w.wait(2 * askAgainAfter)
			p.announce(upnp.Byebye)
		},
			nil, []string{"10.0.0.1 renew", "10.0.0.1 renew"}},
		{"it restarts", func(w *world, p *fakeAP) { p.restart() },
			[]string{"AP 10.0.0.1 removed: byebye", "AP 10.0.0.1 added"},
			[]string{"10.0.0.1 renew", "10.0.0.1 GET", "10.0.0.1 GetDeviceInfo",
				"10.0.0.1 SUBSCRIBE"}},
		{"it restarts while nobody listens to datagrams", func(w *world, p *fakeAP) {
			p.sid = ""
			w.wait(920 * time.Second)
		},
			[]string{"AP 10.0.0.1 changed"},
			[]string{"10.0.0.1 renew", "10.0.0.1 GetDeviceInfo", "10.0.0.1 SUBSCRIBE"}},
		{"it is switched off and on, and only says hello", func(w *world, p *fakeAP) {
			p.sid = ""
			w.wait(451 * time.Second)
			p.announce(upnp.Alive)
		},
			[]string{"AP 10.0.0.1 changed"},
			[]string{"10.0.0.1 renew", "10.0.0.1 GetDeviceInfo", "10.0.0.1 SUBSCRIBE"}},
		{"somebody says hello in its name again and again", func(w *world, p *fakeAP) {
			for range 910 {
				w.wait(time.Second)
				p.announce(upnp.Alive)
			}
		}, nil, []string{"10.0.0.1 renew", "10.0.0.1 renew"}},
		{"it is off without a word", func(w *world, p *fakeAP) {
			p.up = false
			w.wait(2 * time.Minute)
		},
			[]string{"AP 10.0.0.1 removed: unreachable"},
			[]string{"10.0.0.1 renew", "10.0.0.1 renew"}},
		{"it is silent for longer than announced, and off", func(w *world, p *fakeAP) {
			p.up = false
			w.now = w.now.Add(1801 * time.Second)
			p.w.do(w.r.Tick(w.now))
		},
			[]string{"AP 10.0.0.1 removed: expired"}, []string{"10.0.0.1 renew"}},
		{"it has another location, and the old one is gone", func(w *world, p *fakeAP) {
			p.path, p.sid = "/new.xml", ""
			p.announce(upnp.Alive)
		},
			[]string{"AP 10.0.0.1 removed: replaced", "AP 10.0.0.1 added"},
			[]string{"10.0.0.1 renew", "10.0.0.1 GET", "10.0.0.1 GetDeviceInfo",
				"10.0.0.1 SUBSCRIBE"}},
		{"somebody announces another location in its name", func(w *world, p *fakeAP) {
			p.path = "/trap.xml"
			p.announce(upnp.Alive)
		},
			nil, []string{"10.0.0.1 renew"}},
		{"it has another UUID after a restart", func(w *world, p *fakeAP) {
			p.announce(upnp.Byebye)
			w.wait(askAgainAfter)
			p.sid = ""
			p.announce(upnp.Byebye)
			p.uuid = wsc.UUIDFromMAC(phone)
			p.announce(upnp.Alive)
		}, []string{"AP 10.0.0.1 removed: byebye", "AP 10.0.0.1 added"},
			[]string{"10.0.0.1 renew", "10.0.0.1 renew", "10.0.0.1 GET", "10.0.0.1 GetDeviceInfo",
				"10.0.0.1 SUBSCRIBE"}},
		{"it announces a UUID that its description does not have", func(w *world, p *fakeAP) {
			n := p.announcement(upnp.Alive)
			n.UUID = wsc.UUID{1}
			w.do(w.r.Heard(w.now, n))
			w.do(w.r.Heard(w.now, n))
		}, nil, []string{"10.0.0.1 GET"}},
		{"our address changed", func(w *world, p *fakeAP) { w.do(w.r.Moved(w.now)) },
			[]string{"AP 10.0.0.1 changed"}, []string{"10.0.0.1 SUBSCRIBE"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w, aps := start(t, 1)
			w.did()
			w.told()
			c.does(w, aps[0])
			w.wantTold(c.told...)
			w.wantDid(c.asks...)
		})
	}
}

func TestRenewals(t *testing.T) {
	t.Parallel()
	w, aps := start(t, 3)
	w.did()
	w.told()
	w.wait(2 * time.Hour)
	for i := range aps {
		if n := count(w.log, aps[i].addr.String()+" renew"); n < 8 || n > 17 {
			t.Errorf("%d renewals in two hours", n)
		}
	}
	w.wantTold() // nobody announced himself again, and all answered
	if len(w.r.APs()) != 3 {
		t.Error("an access point that renews is gone")
	}
}

func count(all []string, one string) (n int) {
	for _, s := range all {
		if s == one {
			n++
		}
	}
	return n
}

func TestADeviceThatGrantsASecondIsNotAskedAllTheTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.newAP(1)
	p.granted = time.Second
	w.do(w.r.Start(w.now, netip.Addr{}))
	w.did()
	w.wait(10 * time.Minute)
	if n := len(w.did()); n > 31 {
		t.Errorf("%d requests in ten minutes", n)
	}
}

func TestTwoAccessPointsWithOneUUID(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, two := w.newAP(1), w.newAP(2)
	two.uuid = one.uuid
	w.do(w.r.Start(w.now, netip.Addr{}))
	w.wantTold("AP 10.0.0.1 added", "AP 10.0.0.2 added")
	if _, err := w.r.FindAP(Name{UUID: one.uuid}); !errors.Is(err, ErrAmbiguous) {
		t.Errorf("by UUID: %v", err)
	}
	if ap, err := w.r.FindAP(Name{UUID: one.uuid, BSSID: two.mac}); err != nil ||
		ap.Addr != two.addr {
		t.Errorf("by both: %+v, %v", ap, err)
	}
	w.give(two, "home")
	if w.r.APs()[0].HasSettings {
		t.Error("the settings of one are the other's")
	}
}

func TestAnAccessPointWithoutPINIsThereAllTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.newAP(1)
	p.noPIN = true
	w.do(w.r.Start(w.now, netip.Addr{}))
	ap := w.r.APs()[0]
	if !ap.Subscribed || ap.Dropped || ap.Problem == "" || !ap.BSSID.IsZero() {
		t.Fatalf("%+v", ap)
	}
	w.give(p, "home")
	p.noPIN = false
	run, actions, err := w.r.Learn(w.now, ap.ID, pin(p.pin))
	if err != nil {
		t.Fatal(err)
	}
	w.do(actions)
	if e := w.mustEnd(run); e.Err != nil {
		t.Fatal(e.Err)
	}
	if ap = w.r.APs()[0]; ap.BSSID != p.mac || ap.Problem != "" || len(w.r.settings.byKey) != 1 {
		t.Errorf("after a run: %+v, settings of %d", ap, len(w.r.settings.byKey))
	}
}
