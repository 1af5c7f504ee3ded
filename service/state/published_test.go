package state

import (
	"slices"
	"testing"

	"wpsd/engine/er"
	"wpsd/engine/wsc"
)

// TestPublished: what there is follows from the events.
func TestPublished(t *testing.T) {
	t.Parallel()
	p := New(Manager{})
	ap := func(ifname string, id er.APID) ERAccessPoint {
		return ERAccessPoint{ifname, &er.AP{ID: id}}
	}
	enrollee := func(ifname string, id er.APID, mac byte) EREnrollee {
		return EREnrollee{ifname, &er.Enrollee{AP: id, MAC: wsc.MAC{mac}}}
	}
	for _, e := range []Event{
		ManagerChanged{Manager{Waiting: 3}},
		InterfaceAdded{Interface{Name: "wlan1"}}, InterfaceAdded{Interface{Name: "wlan0"}},
		InterfaceChanged{Interface{Name: "wlan0", Scanning: true}},
		InterfaceAdded{Interface{Name: "wlan2"}}, InterfaceRemoved{"wlan2"},
		AccessPointAdded{AccessPoint{Interface: "wlan0", BSSID: wsc.MAC{1}}},
		AccessPointAdded{AccessPoint{Interface: "wlan1", BSSID: wsc.MAC{1}}},
		AccessPointChanged{AccessPoint: AccessPoint{Interface: "wlan1", BSSID: wsc.MAC{1},
			Signal: -50}},
		AccessPointRemoved{"wlan0", wsc.MAC{1}},
		SessionAdded{Session{ID: 2}}, SessionAdded{Session{ID: 1}}, SessionAdded{Session{ID: 3}},
		SessionChanged{Session{ID: 2, State: StateExchanging}},
		SessionEnded{Session{ID: 3, State: StateFailed}}, SessionRemoved{1},
		ERChanged{ER{Interface: "lo", Running: true}},
		ERChanged{ER{Interface: "eth0", Running: true}},
		ERAPAdded{ap("eth0", 2)}, ERAPAdded{ap("eth0", 1)}, ERAPAdded{ap("lo", 1)},
		ERAPChanged{ap("eth0", 1)}, ERAPAdded{ap("lo", 9)}, ERAPRemoved{AccessPoint: ap("lo", 9)},
		EREnrolleeAdded{enrollee("eth0", 1, 7)}, EREnrolleeAdded{enrollee("eth0", 1, 6)},
		EREnrolleeAdded{enrollee("lo", 1, 6)}, EREnrolleeChanged{enrollee("lo", 1, 6)},
		EREnrolleeRemoved{enrollee("eth0", 1, 7)}, ScanDone{Interface: "wlan0"},
	} {
		p.Publish(e)
	}
	p.AddNetwork(Network{ID: 5})
	p.AddNetwork(Network{ID: 4})
	p.AddNetwork(Network{ID: 4, Source: "pbc"})
	p.RemoveNetwork(5)
	p.NoteSession(Session{ID: 2, State: StateExchanging, Message: wsc.MsgM3})
	p.NoteAccessPoint(AccessPoint{Interface: "wlan1", BSSID: wsc.MAC{1}, Signal: -51})
	s := p.Snapshot()
	if s.Manager.Waiting != 3 || len(s.Interfaces) != 2 || s.Interfaces[0].Name != "wlan0" ||
		!s.Interfaces[0].Scanning || len(s.AccessPoints) != 1 || s.AccessPoints[0].Signal != -51 {
		t.Errorf("%+v", s)
	}
	if len(s.Sessions) != 2 || s.Sessions[0].Message != wsc.MsgM3 ||
		s.Sessions[1].State != StateFailed || len(s.Networks) != 1 || s.Networks[0].Source != "pbc" {
		t.Errorf("%+v", s)
	}
	if len(s.ERs) != 2 || s.ERs[0].Interface != "eth0" || len(s.ERAccessPoints) != 3 ||
		s.ERAccessPoints[0].ID != 1 || s.ERAccessPoints[2].Interface != "lo" ||
		len(s.EREnrollees) != 2 {
		t.Errorf("%+v", s)
	}
	if got, ok := p.ERAccessPoint("eth0", 2); !ok || got.ID != 2 || p.CountNetworks() != 1 {
		t.Errorf("%+v", got)
	}
}

// TestERIsRemoved: with an External Registrar goes all that it found, in order, and nothing else.
func TestERIsRemoved(t *testing.T) {
	t.Parallel()
	p := New(Manager{})
	for _, ifname := range []string{"eth0", "lo"} {
		p.Publish(ERChanged{ER{Interface: ifname, Running: true}})
		p.Publish(ERAPAdded{ERAccessPoint{ifname, &er.AP{ID: 1}}})
		p.Publish(EREnrolleeAdded{EREnrollee{ifname, &er.Enrollee{AP: 1}}})
	}
	_, sub := p.Subscribe()
	p.RemoveER("eth0")
	var told []string
	for e, ok := sub.TryNext(); ok; e, ok = sub.TryNext() {
		switch e := e.(type) {
		case EREnrolleeRemoved:
			told = append(told, "enrollee "+e.Enrollee.Interface)
		case ERAPRemoved:
			told = append(told, "access point "+e.AccessPoint.Interface+" "+e.Reason)
		case ERChanged:
			told = append(told, "registrar "+e.ER.Interface)
		default:
			t.Errorf("%v", e)
		}
	}
	if !slices.Equal(told, []string{"enrollee eth0", "access point eth0 " + er.Stopped.String(),
		"registrar eth0"}) {
		t.Errorf("%q", told)
	}
	if s := p.Snapshot(); len(s.ERs) != 1 || len(s.ERAccessPoints) != 1 || len(s.EREnrollees) != 1 {
		t.Errorf("%+v", s)
	}
}

// TestSessionIsACopy: who changes what he got changes nothing of what there is.
func TestSessionIsACopy(t *testing.T) {
	t.Parallel()
	p := New(Manager{})
	p.Publish(SessionAdded{Session{ID: 1, Networks: []NetworkID{1}}})
	got, ok := p.Session(1)
	if !ok {
		t.Fatal("there is none")
	}
	got.Networks[0] = 2
	if again, _ := p.Session(1); again.Networks[0] != 1 {
		t.Error("it is another one now")
	}
	if _, ok := p.Session(2); ok {
		t.Error("there is another one")
	}
}
