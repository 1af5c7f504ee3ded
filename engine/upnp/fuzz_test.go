package upnp

import (
	"bytes"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

// The parsers of XML may allocate this many times their input: an attribute of five bytes is four
// words and two texts for encoding/xml, and slices double when they grow.
const xmlFactor = 64

// measure runs parse, which gets its own copy of data, and fails when it allocates out of
// proportion or changes it. The constant is for what the runtime does meanwhile.
func measure(t *testing.T, data []byte, factor uint64, parse func(b []byte)) {
	t.Helper()
	b := bytes.Clone(data)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	parse(b)
	runtime.ReadMemStats(&after)
	if n, limit := after.TotalAlloc-before.TotalAlloc, 64<<10+factor*uint64(len(data)); n > limit {
		t.Fatalf("reading %d bytes allocated %d", len(data), n)
	}
	if !bytes.Equal(b, data) {
		t.Fatal("reading changed the input")
	}
	clear(b) // what was read must not lie in the input
}

func FuzzAnnouncement(f *testing.F) {
	f.Add([]byte(hostapdAlive))
	f.Add([]byte(strings.Replace(hostapdAlive, "alive", "byebye", 1)))
	f.Add([]byte(strings.Replace(hostapdAlive, "NOTIFY * HTTP/1.1", "HTTP/1.1 200 OK", 1)))
	f.Fuzz(func(t *testing.T, data []byte) {
		var a Announcement
		var err error
		measure(t, data, 32, func(b []byte) { a, err = ParseAnnouncement(home, b) })
		if err != nil {
			if a != (Announcement{}) {
				t.Fatalf("an error and %+v", a)
			}
			return
		}
		again, err := ParseAnnouncement(home, a.Append(nil))
		if err != nil || again != a {
			t.Fatalf("read %+v, again %+v, %v", a, again, err)
		}
		if a.Kind != Byebye && (a.Location.Host.Addr() != home || a.MaxAge <= 0) {
			t.Fatalf("%+v", a)
		}
	})
}

func FuzzSearch(f *testing.F) {
	f.Add(Search{DeviceType, 3}.Append(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		var s Search
		var err error
		measure(t, data, 32, func(b []byte) { s, err = ParseSearch(b) })
		if err != nil {
			return
		}
		if again, err := ParseSearch(s.Append(nil)); err != nil || again != s {
			t.Fatalf("read %+v, again %+v, %v", s, again, err)
		}
	})
}

func FuzzDescription(f *testing.F) {
	f.Add([]byte(hostapdDescription))
	f.Add([]byte(strings.Replace(hostapdDescription, `"1.0"`, `"1.0" encoding="ISO-8859-1"`, 1)))
	f.Add([]byte(strings.Replace(hostapdDescription, "Company",
		"A&B <5 &nbsp;&#0; \xfc\x00 <![CDATA[&]]> ]]>", 1)))
	f.Add([]byte("\xff\xfe<\x00a\x00>\x00"))
	f.Add([]byte("<a><![CDATA[x]]><!-- y --></a>"))
	f.Add([]byte("<root><device><deviceType>" + DeviceType + "</deviceType></device></root>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var d *Description
		var err error
		measure(t, data, xmlFactor, func(b []byte) { d, err = ParseDescription(location, b) })
		if err != nil {
			if d != nil {
				t.Fatalf("an error and %+v", d)
			}
			return
		}
		for _, u := range []URL{d.Control, d.Event, d.SCPD} {
			if !u.IsZero() && u.Host.Addr() != home || strings.ContainsAny(u.Path, " \r\n") {
				t.Fatalf("%v", u)
			}
		}
		first := d.Append(nil)
		again, err := ParseDescription(location, first)
		if err == nil {
			again.Written = d.Written // other words for the same
		}
		if err != nil || *again != *d {
			t.Fatalf("read %+v\nagain %+v, %v", d, again, err)
		}
		if !bytes.Equal(again.Append(nil), first) {
			t.Fatal("written twice differently")
		}
	})
}

func FuzzURL(f *testing.F) {
	f.Add("http://192.168.1.1:49152/wps_device.xml")
	f.Add("http://[fe80::1]/")
	f.Add("../x#y")
	f.Fuzz(func(t *testing.T, s string) {
		if u, err := ParseURL(s); err == nil {
			if again, err := ParseURL(u.String()); err != nil || again != u {
				t.Fatalf("%q: %v, again %v, %v", s, u, again, err)
			}
		}
		if u, err := location.Resolve(s); err == nil {
			again, err := location.Resolve(u.String())
			if err != nil || again != u || u.Host.Addr() != home || !printable(u.Path, maxPath) {
				t.Fatalf("%q: %v, again %v, %v", s, u, again, err)
			}
		}
	})
}

func FuzzSOAP(f *testing.F) {
	for _, n := range []ActionName{GetDeviceInfo, PutMessage, PutWLANResponse,
		SetSelectedRegistrar} {
		r := Action{Name: n, Message: []byte("message"), Type: EventProbe,
			MAC: someMAC}.Request(location)
		f.Add(r.Header.Get("SOAPACTION"), r.Body, 200)
		f.Add(r.Header.Get("SOAPACTION"), n.AppendReply(nil, []byte("message")), 200)
	}
	f.Add("", (&Fault{Code: 402, Description: "Invalid Args"}).Append(nil), 500)
	f.Fuzz(func(t *testing.T, header string, body []byte, status int) {
		a, err := ParseAction(header, body)
		if err == nil {
			r := a.Request(location)
			if again, err := ParseAction(r.Header.Get("SOAPACTION"), r.Body); err != nil ||
				!reflect.DeepEqual(again, a) {
				t.Fatalf("read %+v, again %+v, %v", a, again, err)
			}
		}
		for _, n := range []ActionName{GetDeviceInfo, PutMessage, SetSelectedRegistrar} {
			var message []byte
			measure(t, body, xmlFactor, func(b []byte) {
				message, err = n.ParseReply(Response{Status: status, Body: b})
			})
			if f, ok := err.(*Fault); ok {
				again, _ := n.ParseReply(Response{Status: status, Body: f.Append(nil)})
				if e := n.parseFault(Response{Status: status,
					Body: f.Append(nil)}); again != nil || *e != *f {
					t.Fatalf("read %+v, again %+v", f, e)
				}
			} else if err == nil {
				again, err := n.ParseReply(Response{Status: 200, Body: n.AppendReply(nil, message)})
				if err != nil || !bytes.Equal(again, message) {
					t.Fatalf("read %x, again %x, %v", message, again, err)
				}
			}
		}
	})
}

func FuzzGENA(f *testing.F) {
	one := uint8(1)
	full := Notification{SID: "uuid:x", Seq: 7,
		Event: &WLANEvent{EventProbe, someMAC, []byte{0x10}}, APStatus: &one, STAStatus: &one}
	f.Add("uuid:x", "Second-1801", "7", "<http://192.168.1.2:5000/>", full.AppendBody(nil))
	f.Add("uuid:x", "infinite", "0", "",
		[]byte("<propertyset><property><WLANEvent foo></WLANEvent></property></propertyset>"))
	f.Fuzz(func(t *testing.T, sid, timeout, seq, callback string, body []byte) {
		if s, err := ParseSubscription(Response{Status: 200,
			Header: Header{{"SID", sid}, {"TIMEOUT", timeout}}}); err == nil {
			if again, err := ParseSubscription(s.Response()); err != nil || again != s ||
				s.Timeout <= 0 {
				t.Fatalf("read %+v, again %+v, %v", s, again, err)
			}
		}
		if c, err := ParseSubscribe(Header{{"CALLBACK", callback}, {"NT", "upnp:event"},
			{"TIMEOUT", timeout}}); err == nil {
			if len(c.Callbacks) == 0 || len(c.Callbacks) > maxCallbacks {
				t.Fatalf("%+v", c)
			}
		}
		n, err := ParseNotify(Header{{"NT", "upnp:event"}, {"NTS", "upnp:propchange"}, {"SID", sid},
			{"SEQ", seq}})
		if err != nil {
			return
		}
		measure(t, body, xmlFactor, func(b []byte) { n.ReadBody(b) })
		if n.Err != nil {
			return
		}
		again, err := ParseNotify(n.Header())
		if err != nil {
			t.Fatal(err)
		}
		again.ReadBody(n.AppendBody(nil))
		if !reflect.DeepEqual(again, n) {
			t.Fatalf("read %+v, again %+v", n, again)
		}
	})
}

func FuzzWLANEvent(f *testing.F) {
	f.Add([]byte("\x0202:00:00:00:03:00\x10\x4a\x00\x01\x10"))
	f.Add([]byte("\x01020000000300\x10\x4a\x00\x01\x10"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var e *WLANEvent
		var err error
		measure(t, data, 4, func(b []byte) { e, err = ParseWLANEvent(b) })
		if err != nil {
			return
		}
		first := e.Append(nil)
		again, err := ParseWLANEvent(first)
		if err != nil || !sameEvent(e, again) || !bytes.Equal(first, again.Append(nil)) {
			t.Fatalf("read %+v, again %+v, %v", e, again, err)
		}
	})
}
