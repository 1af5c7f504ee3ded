//go:build hwsim

package hwsim

import (
	"net/netip"
	"testing"
	"time"

	"wpsd/drivers/controlpoint"
	"wpsd/drivers/controlpoint/controlpointtest"
	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
)

// In these scenarios the sockets of our External Registrar meet hostapd's own UPnP, on the loopback
// interface.
const upnpUUID = "12345678-9abc-def0-1234-56789abcdef0"

// withUPnP is an access point that External Registrars can find.
func withUPnP(a ap, more ...string) ap {
	a.uuid = upnpUUID
	return withAPPIN(a, append([]string{"upnp_iface=lo", "friendly_name=AP <of> wpsd",
		"model_url=http://www.example.com/model/",
		"manufacturer_url=http://www.example.com/", "model_description=A \"test\" & more",
		"upc=123456789012"}, more...)...)
}

// controlPoint is our sockets and what they heard.
type controlPoint struct {
	*controlpoint.ControlPoint
	w *world
}

func (w *world) startControlPoint() *controlPoint {
	w.t.Helper()
	w.sh("ip link set lo up")
	p, err := controlpoint.Open(controlpoint.Config{Interface: "lo"})
	w.must(err)
	w.t.Cleanup(func() { _ = p.Close() })
	return &controlPoint{p, w}
}

// hears waits for an announcement of a kind.
func (p *controlPoint) hears(kind upnp.Kind) upnp.Announcement {
	p.w.t.Helper()
	late := time.After(30 * time.Second)
	for {
		select {
		case a := <-p.Heard():
			if a.Kind == kind {
				return a
			}
		case <-late:
			p.w.t.Fatalf("no %v from hostapd", kind)
		}
	}
}

// do sends a request that gets an answer of the given status.
func (p *controlPoint) do(r upnp.Request, status int) upnp.Response {
	p.w.t.Helper()
	resp, err := p.Do(p.w.t.Context(), r)
	if err != nil || resp.Status != status {
		p.w.t.Fatalf("%s %s: status %d, not %d, %v\n%s", r.Method, r.URL, resp.Status, status,
			err, resp.Body)
	}
	return resp
}

// find searches for the access point and reads its description.
func (p *controlPoint) find() (upnp.Announcement, *upnp.Description) {
	p.w.t.Helper()
	p.w.must(p.Search(p.w.t.Context()))
	a := p.hears(upnp.Answer)
	d, err := upnp.ParseDescription(a.Location, p.do(upnp.GetDescription(a.Location), 200).Body)
	p.w.must(err)
	return a, d
}

// events waits for an event that matches.
func (p *controlPoint) event(what string, match func(n upnp.Notification) bool) upnp.Notification {
	p.w.t.Helper()
	late := time.After(30 * time.Second)
	for {
		select {
		case n := <-p.Notified():
			if n.Err != nil {
				p.w.t.Fatalf("an event that we cannot read: %v", n.Err)
			}
			if match(n) {
				return n
			}
		case <-late:
			p.w.t.Fatalf("no event: %s", what)
		}
	}
}

func anyEvent(upnp.Notification) bool { return true }

func TestUPnPFindsHostapd(t *testing.T) {
	w := newWorld(t)
	h := w.startAP(withUPnP(ap{}))
	p := w.startControlPoint()
	a, d := p.find()
	uuid, err := wsc.ParseUUID(upnpUUID)
	w.must(err)
	if a.UUID != uuid || a.From != netip.MustParseAddr("127.0.0.1") || a.MaxAge < 1800*time.Second {
		t.Errorf("announcement %+v", a)
	}
	want := upnp.Description{
		FriendlyName: "AP <of> wpsd", Manufacturer: "wpsd",
		ManufacturerURL: "http://www.example.com/", ModelDescription: `A "test" & more`,
		ModelName: "hwsim", ModelNumber: "1", ModelURL: "http://www.example.com/model/",
		SerialNumber: "12345", UDN: uuid, HasUDN: true, UPC: "123456789012",
		Written: upnp.Texts{
			FriendlyName: "AP &lt;of&gt; wpsd", Manufacturer: "wpsd",
			ManufacturerURL:  "http://www.example.com/",
			ModelDescription: "A &quot;test&quot; &amp; more",
			ModelName:        "hwsim", ModelURL: "http://www.example.com/model/",
		},
		SCPD:    upnp.URL{Host: a.Location.Host, Path: "/wps_scpd.xml"},
		Control: upnp.URL{Host: a.Location.Host, Path: "/wps_control"},
		Event:   upnp.URL{Host: a.Location.Host, Path: "/wps_event"},
	}
	if *d != want {
		t.Errorf("description\n%+v, want\n%+v", *d, want)
	}

	m, err := upnp.GetDeviceInfo.ParseReply(p.do(
		upnp.Action{Name: upnp.GetDeviceInfo}.Request(d.Control), 200))
	w.must(err)
	m1, err := wsc.ParseM1(m)
	w.must(err)
	if m1.MAC.String() != h.bssid || m1.UUID != uuid || len(m1.PublicKey) != 192 ||
		m1.State != wsc.Configured {
		t.Errorf("M1 %+v", m1)
	}
}

// TestUPnPOfHostapdConforms holds hostapd against the table that the simulated access points are
// held against.
func TestUPnPOfHostapdConforms(t *testing.T) {
	w := newWorld(t)
	h := w.startAP(withUPnP(ap{}))
	w.sh("ip link set lo up")
	uuid, err := wsc.ParseUUID(upnpUUID)
	w.must(err)
	bssid, err := wsc.ParseMAC(h.bssid)
	w.must(err)
	controlpointtest.Conform(t, controlpointtest.Peer{Address: netip.MustParseAddr("127.0.0.1"),
		UUID: uuid, BSSID: bssid, FriendlyName: "AP <of> wpsd"})
}

func TestUPnPSubscriptionAtHostapd(t *testing.T) {
	w := newWorld(t)
	h := w.startAP(withUPnP(ap{}))
	p := w.startControlPoint()
	_, d := p.find()
	s, err := upnp.ParseSubscription(p.do(upnp.Subscribe(d.Event), 200))
	w.must(err)
	first := p.event("the first", anyEvent)
	if first.SID != s.SID || first.Seq != 0 || first.APStatus == nil || first.STAStatus == nil ||
		first.Event == nil {
		t.Fatalf("the first event is %+v", first)
	}
	if m, err := wsc.PeekMessageType(first.Event.Message); m != wsc.MsgAck || err != nil ||
		first.Event.MAC != [6]byte{} {
		t.Errorf("the first event has %v for %x, %v", m, first.Event.MAC, err)
	}

	t.Log("a station searches, and introduces itself")
	sta := w.startSupplicant(station, "device_name=Some station", "config_methods=display keypad")
	mac, err := wsc.ParseMAC(w.mac(station))
	w.must(err)
	sta.ask("WPS_PIN any 12345670")
	probe := p.event("a Probe Request", func(n upnp.Notification) bool {
		return n.Event != nil && n.Event.Type == upnp.EventProbe
	})
	if q, err := wsc.ParseProbeRequest(probe.Event.Message); err != nil || probe.Event.MAC != mac ||
		q.Device.DeviceName != "Some station" {
		t.Errorf("the Probe Request of %x: %+v, %v", probe.Event.MAC, q, err)
	}
	sta.ask("WPS_CANCEL")
	sta.ask("WPS_PIN %s 12345670", h.bssid)
	m1 := p.event("M1", func(n upnp.Notification) bool {
		return n.Event != nil && n.Event.Type == upnp.EventMessage
	})
	if m, err := wsc.ParseM1(m1.Event.Message); err != nil || m.MAC != mac || m1.Event.MAC != mac ||
		m1.Seq <= probe.Seq {
		t.Errorf("M1 of %x: %+v, %v", m1.Event.MAC, m, err)
	}
	sta.stop()

	renewed, err := upnp.ParseSubscription(p.do(upnp.Renew(d.Event, s.SID), 200))
	if err != nil || renewed.SID != s.SID {
		t.Errorf("renewed: %+v, %v", renewed, err)
	}
	p.do(upnp.Unsubscribe(d.Event, s.SID), 200)
	p.do(upnp.Renew(d.Event, s.SID), 412)
}

func TestUPnPHostapdComesAndGoes(t *testing.T) {
	w := newWorld(t)
	p := w.startControlPoint()
	h := w.startAP(withUPnP(ap{}))
	alive := p.hears(upnp.Alive)
	h.stop()
	if bye := p.hears(upnp.Byebye); bye.UUID != alive.UUID || bye.From != alive.From {
		t.Errorf("byebye %+v after %+v", bye, alive)
	}
	if _, err := p.Do(t.Context(), upnp.GetDescription(alive.Location)); err == nil {
		t.Error("an access point that went answers")
	}
}
