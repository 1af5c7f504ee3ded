package er

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"wpsd/engine/registration"
	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
)

// replace has an access point give one answer again and again.
func (p *fakeAP) replace(request string, resp upnp.Response, err error) {
	p.wrong = func(name string, _ upnp.Request) (upnp.Response, error, bool) {
		return resp, err, name == request
	}
}

func TestDevicesThatMisbehave(t *testing.T) {
	t.Parallel()
	ok := func(body string) upnp.Response { return upnp.Response{Status: 200, Body: []byte(body)} }
	cases := []struct {
		name    string
		request string
		resp    upnp.Response
		err     error
		dropped bool
		problem string // a part of it
	}{
		{"no description", "GET", upnp.Response{Status: 404}, nil, true,
			"does not give its description"},
		{"a redirect", "GET", upnp.Response{Status: 302,
			Header: upnp.Header{{Name: "Location",
				Value: "http://10.9.9.9/"}}}, nil, true, "status 302"},
		{"a description that is not XML", "GET", ok("hello"), nil, true,
			"its description is of no use: upnp: description is malformed"},
		{"a description with a document type", "GET", ok("<!DOCTYPE x [<!ENTITY a \"b\">]><root/>"),
			nil, true, "document type"},
		{"a description that nests without end", "GET", ok(strings.Repeat("<a>", 1000)), nil, true,
			"too many elements"},
		{"another device", "GET", ok("<root><device><deviceType>x</deviceType></device></root>"),
			nil, true, "not about Wi-Fi Protected Setup"},
		{"silence", "GET", upnp.Response{}, errors.New("timeout"), true,
			"does not answer: timeout"},
		{"silence after the description", "SUBSCRIBE", upnp.Response{}, errors.New("timeout"), true,
			"does not answer: timeout"},
		{"an M1 that is none", "GetDeviceInfo",
			upnp.Response{Status: 200, Body: upnp.GetDeviceInfo.AppendReply(nil, []byte{1, 2})},
			nil, false, "does not introduce itself"},
		{"no answer of SOAP", "GetDeviceInfo", ok("<html/>"), nil, false,
			"does not introduce itself"},
		{"a refused subscription", "SUBSCRIBE", upnp.Response{Status: 503}, nil, false,
			"does not tell us what it hears"},
		{"a subscription without a name", "SUBSCRIBE", upnp.Response{Status: 200}, nil, false,
			"does not tell us what it hears"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			p := w.newAP(1)
			p.replace(c.request, c.resp, c.err)
			w.do(w.r.Start(w.now, netip.Addr{}))
			w.wait(10 * time.Second)
			all := w.r.APs()
			if len(all) != 1 || all[0].Dropped != c.dropped ||
				!strings.Contains(all[0].Problem, c.problem) {
				t.Fatalf("%+v", all)
			}
			if n := len(w.did()); n > 6 {
				t.Errorf("asked %d times", n)
			}
			if c.dropped {
				_, _, err := w.r.Learn(w.now, all[0].ID, pin("12345670"))
				if !errors.Is(err, ErrDropped) || !strings.Contains(err.Error(), c.problem) {
					t.Errorf("learn: %v", err)
				}
			}
			// When it is well it is taken, but not at once.
			p.wrong = nil
			p.announce(upnp.Alive)
			if c.dropped && len(w.log) > 0 {
				t.Errorf("asked again at once: %q", w.log)
			}
			w.wait(2 * time.Minute)
			p.announce(upnp.Alive)
			if all = w.r.APs(); len(all) != 1 || all[0].Dropped || !all[0].Subscribed ||
				c.dropped && all[0].Problem != "" {
				t.Errorf("when it is well: %+v; asked %q", all, w.log)
			}
		})
	}
}

func TestADeviceThatStaysBadIsAskedLessAndLess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.newAP(1)
	p.replace("GET", upnp.Response{Status: 404}, nil)
	w.do(w.r.Start(w.now, netip.Addr{}))
	for range 360 {
		w.wait(10 * time.Second)
		p.announce(upnp.Alive)
	}
	if n := len(w.did()); n > 12 {
		t.Errorf("asked %d times in an hour", n)
	}
}

func TestEventsThatAreOfNoUse(t *testing.T) {
	t.Parallel()
	w, aps := start(t, 2)
	bad := func(p *fakeAP) {
		w.do(w.r.Notified(w.now, upnp.Notification{From: p.addr, SID: p.sid, Seq: 1,
			Err: upnp.ErrSyntax}))
	}
	for range maxUnreadable - 1 {
		bad(aps[0])
	}
	aps[0].probe(phone, 0) // a good one in between
	for range maxUnreadable - 1 {
		bad(aps[0])
	}
	if w.r.APs()[0].Dropped {
		t.Fatal("dropped too early")
	}
	bad(aps[0])
	ap := w.r.APs()[0]
	if !ap.Dropped || !strings.Contains(ap.Problem, "events") || ap.Subscribed || aps[0].sid != "" {
		t.Errorf("%+v, subscribed %q", ap, aps[0].sid)
	}
	if !w.r.APs()[1].Subscribed {
		t.Error("the other one has lost its subscription")
	}
}

func TestNobodyWaitsForSilentDevices(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do(w.r.Start(w.now, netip.Addr{}))
	w.silent = func(at netip.Addr) bool { return at.As4()[3] >= 10 }
	flood := func() {
		for i := range 240 {
			p := w.newAP(10 + i)
			for range 4 { // under four names each
				p.uuid[0]++
				w.do(w.r.Heard(w.now, p.announcement(upnp.Alive)))
			}
		}
	}
	flood()
	if n := len(w.held); n != maxBackground {
		t.Fatalf("%d requests under way", n)
	}
	giveUp := func() {
		held := w.held
		w.held = nil
		for _, d := range held { // as controlpoint gives up after 15 s
			w.do(w.r.Replied(w.now, d.ID, upnp.Response{}, errors.New("timeout")))
		}
	}
	w.wait(15 * time.Second)
	giveUp()
	w.newAP(1).announce(upnp.Alive)
	w.wait(15 * time.Second)
	giveUp()
	flood()
	w.newAP(2).announce(upnp.Alive)
	found := 0
	for _, a := range w.r.APs() {
		if a.Subscribed {
			found++
		}
	}
	if found != 2 {
		t.Errorf("%d of 2 were found while silent ones keep %d requests", found, len(w.held))
	}
	if e := w.mustEnd(w.learn(w.aps[address(2)], "12345670")); e.Err != nil {
		t.Error(e.Err)
	}
}

func TestARunDoesNotWaitForBackgroundRequests(t *testing.T) {
	t.Parallel()
	w, aps := start(t, 1)
	w.hold = true
	for i := range 2 * maxBackground {
		w.newAP(1000 + i).announce(upnp.Alive)
	}
	before := len(w.held)
	if before != maxBackground {
		t.Fatalf("%d requests under way", before)
	}
	w.learn(aps[0], "12345670")
	if len(w.held) != before+1 {
		t.Error("the run waits")
	}
}

func TestStrangersAreBounded(t *testing.T) {
	t.Parallel()
	w, aps := start(t, 1)
	w.hold = true
	for i := range maxStrangers + 500 {
		n := w.newAP(1000 + i).announcement(upnp.Alive)
		w.do(w.r.Heard(w.now, n))
	}
	if n := len(w.r.aps); n != maxStrangers+1 {
		t.Errorf("%d access points", n)
	}
	if err := w.r.check(); err != nil {
		t.Error(err)
	}
	if all := w.r.APs(); len(all) != 1 || all[0].Addr != aps[0].addr {
		t.Errorf("the one that answered: %+v", all)
	}
}

func TestOneAddressWithEverNewNames(t *testing.T) {
	t.Parallel()
	w, aps := start(t, 1)
	w.hold = true
	for i := range 1000 {
		n := aps[0].announcement(upnp.Alive)
		n.UUID = wsc.UUID{1, byte(i), byte(i >> 8)}
		n.Location.Path = fmt.Sprintf("/%d", i)
		w.do(w.r.Heard(w.now, n))
	}
	if err := w.r.check(); err != nil || len(w.r.aps) != maxPerHost {
		t.Errorf("%d access points, %v", len(w.r.aps), err)
	}
	if len(w.held) > maxHostRequests {
		t.Errorf("%d requests under way to one address", len(w.held))
	}
	if all := w.r.APs(); len(all) != 1 {
		t.Errorf("the one that answered: %+v", all)
	}
}

func TestDroppedOnesAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do(w.r.Start(w.now, netip.Addr{}))
	for i := range maxDropped + 100 {
		w.now = w.now.Add(time.Second)
		p := w.newAP(1000 + i)
		p.announces = false // each is heard once
		p.replace("GET", upnp.Response{Status: 404}, nil)
		p.announce(upnp.Alive)
	}
	if n := len(w.r.APs()); n != maxDropped {
		t.Errorf("%d are kept", n)
	}
	if last := w.told(); last[len(last)-2] != "AP 10.0.4.75 removed: evicted" &&
		!strings.HasSuffix(last[len(last)-1], "evicted") {
		t.Errorf("told last %q", last[len(last)-2:])
	}
}

func TestAFloodOfDevicesThatMisbehaveIsNotTold(t *testing.T) {
	t.Parallel()
	w, aps := start(t, 1)
	w.told()
	aps[0].replace("GET", upnp.Response{Status: 404}, nil)
	for i := range 2000 {
		n := aps[0].announcement(upnp.Alive)
		n.UUID = wsc.UUID{1, byte(i), byte(i >> 8)}
		n.Location.Path = "/" + fmt.Sprint(i)
		w.do(w.r.Heard(w.now, n))
	}
	if n := len(w.told()); n > 200 {
		t.Errorf("%d events are told of one that announces 2,000 devices", n)
	}
	if all := w.r.APs(); len(all) > maxPerHost || all[0].Dropped {
		t.Errorf("%d access points, the good one: %+v", len(all), all[0])
	}
}

func TestAStatusThatFlaps(t *testing.T) {
	t.Parallel()
	w, aps := start(t, 1)
	w.told()
	status := func(s uint8) {
		w.do(w.r.Notified(w.now, upnp.Notification{From: aps[0].addr, SID: aps[0].sid, Seq: 1,
			APStatus: &s}))
	}
	for i := range 1001 {
		status(1 | uint8(i%2^1)*setupLocked)
	}
	if n := len(w.told()); n > 10 {
		t.Errorf("told %d times", n)
	}
	w.wait(time.Minute)
	status(1 | setupLocked)
	if told := w.told(); len(told) > 1 || !w.r.APs()[0].SetupLocked {
		t.Errorf("in the end: told %q, %+v", told, w.r.APs())
	}
}

func TestOneThatComesAndGoesAllTheTime(t *testing.T) {
	t.Parallel()
	w, aps := start(t, 2)
	w.did()
	w.told()
	for range 3000 { // ten minutes
		w.wait(200 * time.Millisecond)
		aps[0].restart()
	}
	if told := w.told(); len(told) > 2*(8+60)+2 || len(told) < 60 {
		t.Errorf("told %d times in ten minutes", len(told))
	}
	if n := len(w.did()); n > 600 {
		t.Errorf("%d requests", n)
	}
	w.wait(3 * time.Minute)
	if n := len(w.r.APs()); n != 2 {
		t.Errorf("%d access points are there in the end", n)
	}
	// However many do: they are kept count of within bounds.
	for i := range 3 * maxDepartures {
		w.r.departed(w.now, netip.AddrFrom4([4]byte{10, 9, byte(i >> 8), byte(i)}))
	}
	if n := len(w.r.departures); n > maxDepartures {
		t.Errorf("%d addresses are kept", n)
	}
	w.now = w.now.Add(2 * time.Minute)
	w.r.departed(w.now, aps[1].addr)
	if n := len(w.r.departures); n != 1 {
		t.Errorf("%d addresses are kept in the end", n)
	}
}

func TestAFloodOfM1(t *testing.T) {
	t.Parallel()
	w, aps := giving(t, 2)
	run := w.allow(PINGrant{PIN: pin("12345670").Value})
	w.did()
	for i := range 500 {
		w.now = w.now.Add(time.Millisecond)
		aps[0].joinDeaf(wsc.MAC{2, 1, 0, 0, byte(i >> 8), byte(i)}, pin("12349999"), 1)
	}
	if n := len(w.did()); n > maxAPEnrollees+10 {
		t.Errorf("%d requests", n)
	}
	w.wait(2 * registration.MessageTimeout)
	if s := aps[1].join(phone, pin("12345670")); s.got() != home || w.mustEnd(run).Err != nil {
		t.Errorf("got %q", s.got())
	}
}

func TestTheLongestSilentGoesFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do(w.r.Start(w.now, netip.Addr{}))
	for i := range maxAPs {
		p := w.newAP(1 + i)
		p.noPIN = i > 0
		w.do(w.r.Heard(w.now, p.announcement(upnp.Alive)))
	}
	w.now = w.now.Add(time.Second)
	first, second := w.aps[netip.AddrFrom4([4]byte{10, 0, 0, 1})],
		w.aps[netip.AddrFrom4([4]byte{10, 0, 0, 2})]
	first.announce(upnp.Alive)
	w.told()
	w.newAP(1 + maxAPs).announce(upnp.Alive)
	w.wantTold("AP 10.0.0.2 removed: evicted", "AP 10.0.16.1 added")
	if second.sid != "" || first.sid == "" || len(w.r.APs()) != maxAPs {
		t.Errorf("first %q, second %q, %d in all", first.sid, second.sid, len(w.r.APs()))
	}
}

func TestEnrolleesAreBounded(t *testing.T) {
	t.Parallel()
	n := maxEnrollees/maxAPEnrollees + 10
	w, aps := start(t, n)
	for j := range maxAPEnrollees + 5 {
		for i, p := range aps {
			w.now = w.now.Add(50 * time.Millisecond)
			p.probe(wsc.MAC{2, 1, byte(i >> 8), byte(i), 0, byte(j)}, 0)
		}
	}
	if err := w.r.check(); err != nil || len(w.r.Enrollees()) != maxEnrollees {
		t.Errorf("%d Enrollees, %v", len(w.r.Enrollees()), err)
	}
	for _, e := range w.r.Enrollees() {
		if e.MAC[5] < 5 {
			t.Fatalf("%v was silent the longest and is still there", e.MAC)
		}
	}
}

func TestMadeUpDevicesDoNotCrowdOutOthers(t *testing.T) {
	t.Parallel()
	w, aps := giving(t, 2)
	w.allow(PBCGrant{AP: aps[0].id()})
	w.told()
	for i := range 10000 {
		w.now = w.now.Add(time.Millisecond)
		aps[1].probe(wsc.MAC{2, 1, 0, 0, byte(i >> 8), byte(i)}, wsc.PasswordIDPushButton)
	}
	if n := len(w.told()); n > 2*(maxAPEnrollees+5*10+1) {
		t.Errorf("%d events are told of 10,000 devices in ten seconds", n)
	}
	aps[0].probe(phone, wsc.PasswordIDPushButton)
	w.wantTold("Enrollee 02:00:00:01:00:01 added")
	if !w.r.aps[aps[1].id()].overlap(w.now) {
		t.Error("a button of a device that is not told does not count")
	}
	aps[1].join(tablet, pin("12345670"))
	if got := w.told(); len(got) == 0 || got[len(got)-1] != "Enrollee 02:00:00:01:00:02 added" {
		t.Errorf("one that begins to enrol: told %q", got)
	}
}

func TestEnrolleesAge(t *testing.T) {
	t.Parallel()
	w, aps := giving(t, 1)
	aps[0].probe(phone, 0)
	w.wait(200 * time.Second)
	aps[0].probe(phone, 0)
	aps[0].probe(tablet, 0)
	w.wait(299 * time.Second)
	w.wantTold("Enrollee 02:00:00:01:00:01 added", "Enrollee 02:00:00:01:00:02 added")
	w.wait(2 * time.Second)
	w.wantTold("Enrollee 02:00:00:01:00:01 removed", "Enrollee 02:00:00:01:00:02 removed")
	w.allow(PINGrant{PIN: pin("12345670").Value})
	aps[0].join(phone, pin("12345670"))
	w.told()
	w.wait(doneTime)
	w.wantTold("Enrollee 02:00:00:01:00:01 removed")
}

func TestWhatIsToldOfEnrollees(t *testing.T) {
	t.Parallel()
	w, aps := start(t, 1)
	w.told()
	aps[0].probe(phone, 0)
	aps[0].probe(phone, 0)
	w.wantTold("Enrollee 02:00:00:01:00:01 added")
	aps[0].probe(phone, wsc.PasswordIDPushButton)
	w.wantTold("Enrollee 02:00:00:01:00:01 changed")
	aps[0].join(phone, pin("12345670"))
	w.wantTold("Enrollee 02:00:00:01:00:01 changed")
	e := w.r.Enrollees()[0]
	if !e.M1 || e.Device.SerialNumber != "7" || e.Device.MAC != phone ||
		e.PasswordID != wsc.PasswordIDDefault || e.APUUID != aps[0].uuid {
		t.Errorf("%+v", e)
	}
	aps[0].probe(phone, wsc.PasswordIDPushButton)
	if e := w.r.Enrollees()[0]; !e.M1 || e.Device.SerialNumber != "7" ||
		e.PasswordID != wsc.PasswordIDPushButton {
		t.Errorf("a Probe Request after M1 leaves %+v", e)
	}
}

func TestEventsThatCountForNothing(t *testing.T) {
	t.Parallel()
	w, aps := giving(t, 1)
	p := aps[0]
	w.allow(PINGrant{PIN: pin("12345670").Value})
	w.did()
	send := func(n upnp.Notification) { w.do(w.r.Notified(w.now, n)) }
	probe := (&wsc.ProbeRequest{Device: device("x", phone)}).Append(nil)
	event := func(kind upnp.EventType, mac wsc.MAC, m []byte) *upnp.WLANEvent {
		return &upnp.WLANEvent{Type: kind, MAC: mac, Message: m}
	}
	send(upnp.Notification{From: p.addr, SID: "uuid:other", Seq: 1,
		Event: event(upnp.EventProbe, phone, probe)})
	send(upnp.Notification{From: netip.AddrFrom4([4]byte{10, 0, 0, 99}), SID: p.sid, Seq: 1,
		Event: event(upnp.EventProbe, phone, probe)})
	send(upnp.Notification{From: p.addr, SID: p.sid, Seq: 1})
	send(upnp.Notification{From: p.addr, SID: p.sid, Seq: 1,
		Event: event(upnp.EventProbe, wsc.MAC{}, probe)})
	send(upnp.Notification{From: p.addr, SID: p.sid, Seq: 1,
		Event: event(upnp.EventProbe, wsc.Broadcast, probe)})
	send(upnp.Notification{From: p.addr, SID: p.sid, Seq: 1,
		Event: event(upnp.EventProbe, phone, probe[:5])})
	send(upnp.Notification{From: p.addr, SID: p.sid, Seq: 1,
		Event: event(upnp.EventMessage, phone, []byte{0x10, 0x22, 0, 1, 4})})
	send(upnp.Notification{From: p.addr, SID: p.sid, Seq: 1,
		Event: event(upnp.EventMessage, phone, (&wsc.Done{}).Append(nil))})
	send(upnp.Notification{From: p.addr, SID: p.sid, Seq: 1, Event: event(9, phone, probe)})
	w.wantDid()
	w.wantTold()
}

func TestAnEventThatOvertakesTheAnswerToSubscribe(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.newAP(1)
	early := func(name string, q upnp.Request) (upnp.Response, error, bool) {
		if name == "SUBSCRIBE" {
			probe := (&wsc.ProbeRequest{Device: device("x", phone)}).Append(nil)
			w.do(w.r.Notified(w.now, upnp.Notification{From: p.addr,
				SID: "uuid:00000000-0000-0000-0000-000000000001", Seq: 1,
				Event: &upnp.WLANEvent{Type: upnp.EventProbe, MAC: phone, Message: probe}}))
		}
		return upnp.Response{}, nil, false
	}
	p.wrong = early
	w.do(w.r.Start(w.now, netip.Addr{}))
	w.wantTold("AP 10.0.0.1 added", "Enrollee 02:00:00:01:00:01 added")
}

func TestStormsOfAnnouncements(t *testing.T) {
	t.Parallel()
	w, aps := start(t, 1)
	w.did()
	for range 10000 {
		w.do(w.r.Heard(w.now, aps[0].announcement(upnp.Byebye)))
		w.do(w.r.Heard(w.now, aps[0].announcement(upnp.Alive)))
	}
	w.wantDid("10.0.0.1 renew")
}

func TestSettingsAreBounded(t *testing.T) {
	t.Parallel()
	w, aps := start(t, maxSettings+1)
	for _, ap := range w.r.APs()[:maxSettings] {
		if _, err := w.r.SetConfig(w.now, ap.ID, network("home", "correct horse")); err != nil {
			t.Fatal(err)
		}
	}
	last := aps[maxSettings]
	last.noPIN = false
	if _, err := w.r.SetConfig(w.now, last.id(), network("home", "correct horse")); !errors.Is(err,
		ErrTooMany) {
		t.Errorf("one more: %v", err)
	}
	w.give(aps[0], "another") // those that are there can change
	if e := w.mustEnd(w.learn(last, "12345670")); e.Err != nil || e.Settings == nil {
		t.Errorf("one that is learned all the same: %+v", e)
	}
	if c, ok := w.r.Settings(last.id()); ok || len(w.r.settings.byKey) != maxSettings {
		t.Errorf("%d are kept, and %q", len(w.r.settings.byKey), c.SSID)
	}
}

func TestMessagesForASlowAccessPointAreBounded(t *testing.T) {
	t.Parallel()
	w, aps := giving(t, 1)
	w.hold = true
	for i := range 5 * maxOutbox {
		run := w.allow(PINGrant{PIN: pin("12345670").Value})
		aps[0].join(wsc.MAC{2, 0, 0, 3, 0, byte(i)}, pin("12345670"))
		w.do(w.r.Cancel(w.now, run))
	}
	if err := w.r.check(); err != nil || len(w.held) != 1 {
		t.Errorf("%d requests under way, %v", len(w.held), err)
	}
}

func TestOneThatIsLearnedIsNotEvicted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do(w.r.Start(w.now, netip.Addr{}))
	for i := range maxAPs {
		p := w.newAP(1 + i)
		p.noPIN = i > 0
		w.do(w.r.Heard(w.now, p.announcement(upnp.Alive)))
	}
	w.hold = true
	run := w.learn(w.aps[netip.AddrFrom4([4]byte{10, 0, 0, 1})], "12345670")
	w.silent, w.hold = func(at netip.Addr) bool {
		return at.As4()[3] == 1 && at.As4()[2] == 0
	}, false
	w.told()
	w.newAP(1 + maxAPs).announce(upnp.Alive)
	w.wantTold("AP 10.0.0.2 removed: evicted", "AP 10.0.16.1 added")
	w.silent = nil
	w.release()
	if e := w.mustEnd(run); e.Err != nil {
		t.Error(e.Err)
	}
}
