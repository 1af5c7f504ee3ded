package wfadevice_test

import (
	"net/http"
	"net/netip"
	"slices"
	"testing"

	"wpsd/drivers/wfadevice"
	"wpsd/engine/upnp"
)

func TestSubscriptions(t *testing.T) {
	t.Parallel()
	left := make(chan netip.Addr, 8)
	d := add(t, wfadevice.Config{Left: func(from netip.Addr) { left <- from }})
	l := listen(t)
	sids := make([]string, 5)
	for i := range sids {
		sids[i] = l.subscribe(t, d)
	}
	var hold []string
	for _, s := range d.Subscribers() {
		hold = append(hold, s.SID)
	}
	if !slices.Equal(hold, sids[1:]) {
		t.Errorf("of the subscriptions %q there are %q: the oldest has to go", sids, hold)
	}
	if got := d.Deliver(&upnp.WLANEvent{Type: upnp.EventProbe, MAC: [6]byte{2}}); len(got) != 4 ||
		got[0] != (wfadevice.Delivered{Status: 200}) {
		t.Errorf("%+v", got)
	}
	seqs := make(map[string]uint32)
	for _, n := range l.events() {
		if next := seqs[n.SID]; n.Seq != next || n.Err != nil || n.Event == nil ||
			(n.Seq == 0) != (n.APStatus != nil) {
			t.Errorf("event %d of %s: %+v", next, n.SID, n)
		}
		seqs[n.SID]++
	}
	if resp := ask(t, d, "SUBSCRIBE", "/wps_event", "",
		"SID: "+sids[1]); resp.StatusCode != http.StatusOK {
		t.Errorf("renewal: %v", resp.StatusCode)
	}
	if resp := ask(t, d, "SUBSCRIBE", "/wps_event", "",
		"SID: "+sids[0]); resp.StatusCode != http.StatusPreconditionFailed {
		t.Errorf("renewal of the one that is gone: %v", resp.StatusCode)
	}
	for i, sid := range sids[1:] {
		if len(left) > 0 {
			t.Errorf("told that the subscriber left, with %d subscriptions", 4-i)
		}
		if resp := ask(t, d, "UNSUBSCRIBE", "/wps_event", "",
			"SID: "+sid); resp.StatusCode != http.StatusOK {
			t.Errorf("UNSUBSCRIBE: %v", resp.StatusCode)
		}
	}
	if from := <-left; from != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("%v left", from)
	}
	if resp := ask(t, d, "UNSUBSCRIBE", "/wps_event", "",
		"SID: "+sids[1]); resp.StatusCode != http.StatusPreconditionFailed {
		t.Errorf("UNSUBSCRIBE again: %v", resp.StatusCode)
	}
	if len(d.Deliver(&upnp.WLANEvent{Type: upnp.EventProbe})) != 0 {
		t.Error("events without subscription")
	}
}

// TestTheFirstEventIsFirst: what happens while somebody subscribes comes after what tells
// everything.
func TestTheFirstEventIsFirst(t *testing.T) {
	t.Parallel()
	var d *wfadevice.Device
	d = add(t, wfadevice.Config{First: func() *upnp.WLANEvent {
		d.Notify(&upnp.WLANEvent{Type: upnp.EventProbe, MAC: [6]byte{2}})
		return nil
	}})
	l := listen(t)
	l.subscribe(t, d)
	until(t, "both events", func() bool { return len(l.events()) == 2 })
	if got := l.events(); got[0].APStatus == nil || got[0].Seq != 0 || got[1].APStatus != nil ||
		got[1].Event.Type != upnp.EventProbe {
		t.Errorf("%+v", got)
	}
}

func TestRefusesSubscriptions(t *testing.T) {
	t.Parallel()
	d := add(t, wfadevice.Config{})
	for name, c := range map[string]struct {
		header []string
		status int
	}{
		"a callback at a third party": {[]string{"CALLBACK: <http://127.0.0.2:80/>",
			"NT: upnp:event"}, 500},
		"no callback": {[]string{"NT: upnp:event"}, 412},
		"a name as callback": {[]string{"CALLBACK: <http://localhost:80/>",
			"NT: upnp:event"}, 412},
		"a SID and a callback": {[]string{"SID: uuid:1", "CALLBACK: <http://127.0.0.1:80/>"}, 400},
	} {
		if resp := ask(t, d, "SUBSCRIBE", "/wps_event", "",
			c.header...); resp.StatusCode != c.status {
			t.Errorf("%s: %d, not %d", name, resp.StatusCode, c.status)
		}
	}
	if all := d.Subscribers(); len(all) != 0 {
		t.Errorf("%+v", all)
	}
}

func TestASlowSubscriberMissesProbeRequestsFirst(t *testing.T) {
	t.Parallel()
	d := add(t, wfadevice.Config{})
	l := listen(t)
	l.mu.Lock()
	l.wait = make(chan struct{})
	l.mu.Unlock()
	l.subscribe(t, d)
	until(t, "the first event", func() bool { return len(l.events()) == 1 })
	for i := range byte(30) {
		d.Notify(&upnp.WLANEvent{Type: upnp.EventProbe, MAC: [6]byte{i}})
	}
	d.Notify(&upnp.WLANEvent{Type: upnp.EventMessage, MAC: [6]byte{99}})
	close(l.wait)
	until(t, "all events that had room", func() bool { return len(l.events()) == 21 })
	last := l.events()[20]
	if last.Event == nil || last.Event.Type != upnp.EventMessage || last.Seq != 20 {
		t.Errorf("%+v", last)
	}
}
