package controlpoint

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"wpsd/drivers/controlpoint/controlpointtest"
	"wpsd/engine/upnp"
)

func TestEventsThatAreRefused(t *testing.T) {
	t.Parallel()
	at := newAddress()
	ap := controlpointtest.New(t, controlpointtest.Config{Address: at})
	p := openTest(t, standard)
	_, s := subscribe(t, p, ap)
	event(t, p)
	callback, _ := ap.Callback()
	good := (&upnp.Notification{SID: s.SID}).Header()
	with := func(name, value string) upnp.Header {
		h := slices.Clone(good)
		for i := range h {
			if h[i].Name == name {
				h[i].Value = value
			}
		}
		return h
	}
	for _, c := range []struct {
		name   string
		from   netip.Addr
		path   string
		h      upnp.Header
		body   string
		status int // 0: no answer at all
	}{
		{"another path", at, "/event/00000000000000000000000000000000", good, "", 0},
		{"no path", at, "/", good, "", 0},
		{"something after the path", at, callback.Path + "/", good, "", 0},
		{"from another address", newAddress(), callback.Path, good, "", 0},
		{"another SID", at, callback.Path, with("SID", "uuid:other"), "", 412},
		{"no SID", at, callback.Path, with("SID", ""), "", 412},
		{"another NT", at, callback.Path, with("NT", "x"), "", 412},
		{"no SEQ", at, callback.Path, with("SEQ", ""), "", 400},
		{"a body that is too long", at, callback.Path, good,
			strings.Repeat("x", upnp.MaxMessage+1), 413},
		{"a header that is too long", at, callback.Path,
			append(good, upnp.Field{Name: "X", Value: strings.Repeat("x", 20000)}), "", 431},
	} {
		status, err := controlpointtest.Deliver(c.from, upnp.URL{Host: callback.Host, Path: c.path},
			c.h, []byte(c.body))
		if status != c.status || (err == nil) != (c.status != 0) {
			t.Errorf("%s: %d, %v", c.name, status, err)
		}
	}
	select {
	case n := <-p.Notified():
		t.Errorf("%+v", n)
	default:
	}

	t.Run("a body that is of no use is told, and answered with 200", func(t *testing.T) {
		done := make(chan int, 1)
		go func() {
			status, _ := controlpointtest.Deliver(at, callback, good, []byte("<foo"))
			done <- status
		}()
		if n := event(t, p); n.Err == nil || n.Event != nil || n.From != at {
			t.Errorf("%+v", n)
		}
		if status := <-done; status != 200 {
			t.Errorf("answered %d", status)
		}
	})
}

// raw sends bytes to the server and gives all it answers until it closes the connection.
func raw(t *testing.T, from netip.Addr, to netip.AddrPort, text string) string {
	t.Helper()
	c, err := dial(t, from, to)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(c, text)
	b, _ := io.ReadAll(c)
	return string(b)
}

func dial(t *testing.T, from netip.Addr, to netip.AddrPort) (net.Conn, error) {
	t.Helper()
	d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0)),
		Timeout: patience}
	c, err := d.Dial("tcp4", to.String())
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = c.Close() })
	return c, c.SetDeadline(time.Now().Add(patience))
}

func TestServerUnderAttack(t *testing.T) {
	t.Parallel()
	at := newAddress()
	ap := controlpointtest.New(t, controlpointtest.Config{Address: at})
	p := openTest(t, strict())
	_, s := subscribe(t, p, ap)
	event(t, p)
	callback, _ := ap.Callback()
	head := fmt.Sprintf("NOTIFY %s HTTP/1.1\r\nHost: x\r\nNT: upnp:event\r\nNTS: upnp:propchange\r\nSID: %s\r\nSEQ: 1\r\n", callback.Path, s.SID)
	for _, c := range []struct{ name, text, status string }{
		{"another method", strings.Replace(head, "NOTIFY", "GET", 1) + "\r\n", "405"},
		{"a huge chunk", head + "Transfer-Encoding: chunked\r\n\r\n80000000\r\n" +
			strings.Repeat("x", 20000), "413"},
		{"a chunk size that wraps",
			head + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nx", "400"},
		{"a negative length", head + "Content-Length: -1\r\n\r\n", "400"},
		{"a length beyond the bound",
			head + "Content-Length: 100000000\r\n\r\n" + strings.Repeat("x", 20000), "413"},
		// the time is over for an answer, too, or 400
		{"half a body", head + "Content-Length: 10\r\n\r\nx", ""},
		{"half a header", head, ""},
		{"nothing", "", ""},
		{"another protocol", "SSH-2.0-x\r\n\r\n", "400"},
	} {
		start := time.Now()
		answer := raw(t, at, callback.Host, c.text)
		if status, _, _ := strings.Cut(strings.TrimPrefix(answer, "HTTP/1.1 "),
			" "); c.status != "" && status != c.status {
			t.Errorf("%s: %q", c.name, answer)
		}
		if d := time.Since(start); d > patience/2 {
			t.Errorf("%s: took %v", c.name, d)
		}
	}
	t.Run("an event that nobody takes", func(t *testing.T) {
		deadline := time.Now().Add(patience)
		for {
			status, err := controlpointtest.Deliver(at, callback,
				(&upnp.Notification{SID: s.SID}).Header(), []byte("<propertyset/>"))
			if status == 503 {
				return
			}
			if time.Now().After(deadline) { // the connections of the test before end by and by
				t.Fatalf("%d, %v", status, err)
			}
			time.Sleep(50 * time.Millisecond)
		}
	})
}

func TestConnectionsOfOneDeviceAreBounded(t *testing.T) {
	t.Parallel()
	l := standard
	l.connectTime = 2 * patience // so that none ends for lack of a request
	at := newAddress()
	ap := controlpointtest.New(t, controlpointtest.Config{Address: at})
	p := openTest(t, l)
	subscribe(t, p, ap)
	event(t, p)
	callback, _ := ap.Callback()
	const all = 20
	closed := make(chan bool, all)
	for range all {
		c, err := dial(t, at, callback.Host)
		if err != nil { // reset before we knew that it was there
			closed <- true
			continue
		}
		go func() {
			_, err := c.Read(make([]byte, 1))
			closed <- !errors.Is(err, os.ErrDeadlineExceeded)
		}()
	}
	for n := range all - l.perDevice {
		if !<-closed {
			t.Fatalf("only %d of %d were closed", n, all)
		}
	}
}

func TestAFewDevicesDoNotTakeAllConnections(t *testing.T) {
	t.Parallel()
	c := newCallbacks(standard)
	subscribed := func(i int) netip.Addr {
		at := netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
		if _, err := c.add(at); err != nil {
			t.Fatal(err)
		}
		return at
	}
	for i := range 250 { // each takes what it gets, and lets nothing go
		at := subscribed(i)
		for range 2 * standard.perDevice {
			c.admit(at)
		}
	}
	if good := subscribed(1000); !c.admit(good) || c.admit(good) {
		t.Errorf("one that is well has not its one connection; %d are open", c.total)
	}
	for i := range 1000 {
		c.admit(subscribed(2000 + i))
	}
	if c.total != standard.connections {
		t.Errorf("%d are open at once", c.total)
	}
	if c.admit(netip.MustParseAddr("10.0.0.0").Prev()) {
		t.Error("somebody whom we did not subscribe to has one")
	}
}

func TestSubscriptionsAreBounded(t *testing.T) {
	t.Parallel()
	l := standard
	l.subscriptions = 10
	c := newCallbacks(l)
	one := newAddress()
	var first *subscription
	for i := range l.perDevice + 3 {
		s, err := c.add(one)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = s
		}
	}
	if n := len(c.byFrom[one]); n != l.perDevice {
		t.Errorf("%d of one device", n)
	}
	if c.find(first.path, one) != nil {
		t.Error("the oldest is still there")
	}
	for range 6 {
		if _, err := c.add(newAddress()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.add(newAddress()); err != ErrTooMany {
		t.Error(err)
	}
	for _, s := range c.byPath {
		s.expires = time.Time{}
	}
	if _, err := c.add(newAddress()); err != nil || len(c.byPath) != 1 || len(c.byFrom) != 1 {
		t.Errorf("%d after the others expired, %v", len(c.byPath), err)
	}
}
