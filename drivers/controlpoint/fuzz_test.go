package controlpoint

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"wpsd/engine/upnp"
)

// neighbour is who speaks in the fuzz targets.
var neighbour = netip.MustParseAddr("192.0.2.1")

// bareBinding is a binding without sockets.
func bareBinding() *binding {
	p := &ControlPoint{
		limits: standard, log: slog.New(slog.DiscardHandler),
		packets: newLimiter(rate{burst: 1e9, perSecond: 1e9, allBurst: 1e9, allPerSecond: 1e9,
			sources: 4}),
		heard: make(chan upnp.Announcement, 1), notified: make(chan upnp.Notification, 1),
	}
	return &binding{point: p, callbacks: newCallbacks(p.limits),
		place: place{networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}}
}

// FuzzDatagram: of all datagrams at both sockets only those come through that the other process
// would let through as well.
func FuzzDatagram(f *testing.F) {
	at := upnp.URL{Host: netip.AddrPortFrom(neighbour, 80), Path: "/d"}
	for _, kind := range []upnp.Kind{upnp.Alive, upnp.Byebye, upnp.Answer} {
		f.Add(upnp.Announcement{Kind: kind, UUID: [16]byte{1}, HasUUID: true, Location: at,
			MaxAge: time.Minute}.Append(nil), kind == upnp.Answer)
	}
	f.Add(upnp.Search{Target: upnp.DeviceType, MX: 1}.Append(nil), false)
	f.Fuzz(func(t *testing.T, datagram []byte, answers bool) {
		b := bareBinding()
		b.datagram(netip.MustParseAddr("198.51.100.1"), datagram, answers)
		if len(b.point.heard) > 0 {
			t.Fatal("from another network")
		}
		b.datagram(neighbour, datagram, answers)
		select {
		case a := <-b.point.heard:
			again, err := a.Recheck()
			if err != nil || again != a || a.From != neighbour ||
				(a.Kind == upnp.Answer) != answers {
				t.Fatalf("%+v, again %+v, %v", a, again, err)
			}
		default:
		}
	})
}

// FuzzAnswer: whatever a device answers, what comes out is within its bounds and nothing waits for
// more.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSID: uuid:1\r\n\r\nhi", "HTTP/1.0 200 OK\n\nhi",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
		"HTTP/1.1 302 Found\r\nLocation: http://198.51.100.1/\r\n\r\n",
		"HTTP/1.1 200 OK\r\nServer: a\x01b\r\n\r\n",
		strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 9),
		"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
	} {
		f.Add([]byte(seed), 16)
	}
	f.Fuzz(func(t *testing.T, answer []byte, maxBody int) {
		if maxBody < 0 || maxBody > upnp.MaxDescription {
			return
		}
		r := upnp.Request{Method: "GET",
			URL: upnp.URL{Host: netip.AddrPortFrom(neighbour, 80), Path: "/d"}, MaxBody: maxBody}
		p := &ControlPoint{limits: standard}
		resp, err := p.exchange(&said{from: bytes.NewReader(answer)}, r)
		if err != nil {
			if !reflect.DeepEqual(resp, upnp.Response{}) {
				t.Fatalf("an error and %+v", resp)
			}
			return
		}
		if err := resp.Recheck(maxBody); err != nil {
			t.Fatalf("%+v: %v", resp, err)
		}
	})
}

// said is a connection to somebody who has said all that he says.
type said struct {
	net.Conn
	from io.Reader
}

func (s *said) Read(b []byte) (int, error)  { return s.from.Read(b) }
func (s *said) Write(b []byte) (int, error) { return len(b), nil }

// FuzzNotify: whatever a subscriber's path is sent, it is answered with a status that there is, and
// only events come through that the other process would let through as well.
func FuzzNotify(f *testing.F) {
	event := func(n upnp.Notification, change func(text string) string) []byte {
		var b bytes.Buffer
		body := n.AppendBody(nil)
		q := &http.Request{Method: "NOTIFY", URL: &url.URL{Scheme: "http", Host: "192.0.2.9",
			Path: "/event/x"}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(
			len(body)), Header: http.Header{}}
		for _, f := range n.Header() {
			q.Header.Set(f.Name, f.Value)
		}
		if err := q.Write(&b); err != nil {
			panic(err)
		}
		return []byte(change(b.String()))
	}
	one := uint8(1)
	full := upnp.Notification{SID: "uuid:1", Seq: 7, APStatus: &one,
		Event: &upnp.WLANEvent{Type: upnp.EventProbe, MAC: [6]byte{2}, Message: []byte{1}}}
	same := func(text string) string { return text }
	f.Add(event(full, same))
	f.Add(event(upnp.Notification{SID: "uuid:2"}, same))
	f.Add(event(full, func(text string) string {
		return strings.Replace(text, "NOTIFY", "POST", 1)
	}))
	f.Add(event(full, func(text string) string {
		return strings.Replace(text, "/event/x", "/event/y", 1)
	}))
	f.Add(event(full, func(text string) string { return text[:len(text)-20] }))
	f.Fuzz(func(t *testing.T, request []byte) {
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(request)))
		if err != nil {
			return
		}
		b := bareBinding()
		s, err := b.callbacks.add(neighbour)
		if err != nil {
			t.Fatal(err)
		}
		b.callbacks.byPath["/event/x"] = s
		b.callbacks.settle(s, upnp.Subscription{SID: "uuid:1", Timeout: time.Hour}.Response(), nil)
		r.RemoteAddr = "192.0.2.1:1"
		status := answerOf(b, r.WithContext(context.Background()))
		switch status {
		case 0, 400, 405, 412, 413:
			if len(b.point.notified) > 0 {
				t.Fatalf("refused with %d, and passed on", status)
			}
		case 200:
			n := <-b.point.notified
			again, err := n.Recheck()
			if n.Err == nil && (err != nil || !reflect.DeepEqual(again, n)) ||
				n.From != neighbour || n.SID != "uuid:1" {
				t.Fatalf("%+v, again %+v, %v", n, again, err)
			}
		default:
			t.Fatalf("status %d", status)
		}
	})
}

// answerOf gives the status of an answer; 0: there is none at all.
func answerOf(b *binding, r *http.Request) (status int) {
	defer func() {
		if p := recover(); p != nil {
			if err, ok := p.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			status = 0
		}
	}()
	w := httptest.NewRecorder()
	b.notify(w, r)
	return w.Code
}
