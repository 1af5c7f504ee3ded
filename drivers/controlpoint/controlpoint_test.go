package controlpoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"wpsd/drivers/controlpoint/controlpointtest"
	"wpsd/engine/upnp"
)

// These tests run on the loopback interface. Whoever else is there is told apart by the address:
// each access point has its own.
var addresses atomic.Uint32

func newAddress() netip.Addr {
	n := addresses.Add(1)
	return netip.AddrFrom4([4]byte{127, 99, byte(n >> 8), byte(n)})
}

// patience is for what happens at once on a machine that has nothing else to do.
const patience = time.Minute

func openTest(t *testing.T, l limits) *ControlPoint {
	t.Helper()
	p, err := open(Config{Interface: "lo"}, l)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// hear waits for an announcement from an address.
func hear(t *testing.T, p *ControlPoint, from netip.Addr) upnp.Announcement {
	t.Helper()
	late := time.After(patience)
	for {
		select {
		case a := <-p.Heard():
			if a.From == from {
				return a
			}
		case <-late:
			t.Fatal("nothing heard")
		}
	}
}

func event(t *testing.T, p *ControlPoint) upnp.Notification {
	t.Helper()
	select {
	case n := <-p.Notified():
		return n
	case <-time.After(patience):
		t.Fatal("no event")
		return upnp.Notification{}
	}
}

func subscribe(t *testing.T, p *ControlPoint, ap *controlpointtest.AccessPoint) (upnp.URL,
	upnp.Subscription) {
	t.Helper()
	events := upnp.URL{Host: ap.Location().Host, Path: "/wps_event"}
	resp, err := p.Do(t.Context(), upnp.Subscribe(events))
	if err != nil {
		t.Fatal(err)
	}
	s, err := upnp.ParseSubscription(resp)
	if err != nil {
		t.Fatal(err)
	}
	return events, s
}

func TestFindsAndTalksToAnAccessPoint(t *testing.T) {
	t.Parallel()
	at := newAddress()
	ap := controlpointtest.New(t, controlpointtest.Config{Address: at, UUID: [16]byte{1},
		Act: func(a upnp.Action) ([]byte, error) { return []byte("M1 of " + a.Name), nil }})
	p := openTest(t, standard)
	if err := p.Search(t.Context()); err != nil {
		t.Fatal(err)
	}
	a := hear(t, p, at)
	if a.Kind != upnp.Answer || a.UUID != [16]byte{1} || a.Location != ap.Location() ||
		a.MaxAge != 1801*time.Second {
		t.Fatalf("%+v", a)
	}
	hear(t, p, at) // the service's
	ap.Announce(t, upnp.Alive)
	if a := hear(t, p, at); a.Kind != upnp.Alive {
		t.Errorf("%+v", a)
	}
	hear(t, p, at)
	ap.Announce(t, upnp.Byebye)
	if a := hear(t, p, at); a.Kind != upnp.Byebye {
		t.Errorf("%+v", a)
	}

	resp, err := p.Do(t.Context(), upnp.GetDescription(a.Location))
	if err != nil {
		t.Fatal(err)
	}
	d, err := upnp.ParseDescription(a.Location, resp.Body)
	if err != nil || d.ModelName != "controlpointtest" {
		t.Fatalf("%+v, %v", d, err)
	}
	resp, err = p.Do(t.Context(), upnp.Action{Name: upnp.GetDeviceInfo}.Request(d.Control))
	if err != nil {
		t.Fatal(err)
	}
	if m, err := upnp.GetDeviceInfo.ParseReply(resp); string(m) != "M1 of GetDeviceInfo" ||
		err != nil {
		t.Errorf("%q, %v", m, err)
	}
	if c := ap.Calls(); !slices.Contains(c, "GetDeviceInfo") {
		t.Errorf("calls %q", c)
	}
}

func TestSubscription(t *testing.T) {
	t.Parallel()
	for _, early := range []bool{false, true} {
		t.Run(fmt.Sprintf("the first event comes before the answer: %v", early),
			func(t *testing.T) {
				t.Parallel()
				at := newAddress()
				ap := controlpointtest.New(t,
					controlpointtest.Config{Address: at, EventBeforeAnswer: early})
				p := openTest(t, standard)
				events, s := subscribe(t, p, ap)
				n := event(t, p)
				if n.From != at || n.SID != s.SID || n.Seq != 0 || n.Err != nil || n.Event == nil ||
					n.APStatus == nil {
					t.Fatalf("%+v", n)
				}
				if resp, err := p.Do(t.Context(), upnp.Renew(events, s.SID)); err != nil ||
					resp.Status != 200 {
					t.Errorf("%+v, %v", resp, err)
				}
				sent := make(chan []int, 1)
				go func() {
					sent <- ap.Notify(t,
						&upnp.WLANEvent{Type: upnp.EventProbe, MAC: [6]byte{2}, Message: []byte{1}})
				}()
				if n := event(t, p); n.Seq != 1 || n.Event == nil || n.Event.MAC != [6]byte{2} {
					t.Errorf("%+v", n)
				}
				if got := <-sent; !slices.Equal(got, []int{200}) {
					t.Errorf("answered %v", got)
				}
				callback, _ := ap.Callback()
				if resp, err := p.Do(t.Context(), upnp.Unsubscribe(events, s.SID)); err != nil ||
					resp.Status != 200 {
					t.Errorf("%+v, %v", resp, err)
				}
				if status, err := controlpointtest.Deliver(at, callback,
					(&upnp.Notification{SID: s.SID}).Header(), nil); err == nil {
					t.Errorf("answered %d after the end", status)
				}
			})
	}
}

func TestASubscriptionThatIsRefusedLeavesNoPath(t *testing.T) {
	t.Parallel()
	at := newAddress()
	p := openTest(t, standard)
	url := controlpointtest.Hostile(t, at,
		controlpointtest.Say("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"))
	if resp, err := p.Do(t.Context(), upnp.Subscribe(url)); err != nil || resp.Status != 500 {
		t.Errorf("%+v, %v", resp, err)
	}
	if c := p.binding().callbacks; len(c.byPath) != 0 || len(c.byFrom) != 0 {
		t.Errorf("%d paths are left", len(c.byPath))
	}
}

// strict has bounds that a test can reach, and that a slow machine does not before its time.
func strict() limits {
	l := standard
	l.requestTime = 2 * time.Second
	l.connectTime = 2 * time.Second
	l.deliver = 2 * time.Second
	return l
}

func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	const ok = "HTTP/1.1 200 OK\r\n"
	victim := newAddress()
	target := controlpointtest.Hostile(t, victim, func(io.Writer) {
		t.Error("the redirect was followed")
	})
	for _, c := range []struct {
		name   string
		does   controlpointtest.Behaviour
		err    error // nil with status 0: any error
		status int
	}{
		{"a redirect is an answer", controlpointtest.Redirect(target), nil, 302},
		{"silence", controlpointtest.Silent, ErrTimeout, 0},
		{"a header byte by byte", controlpointtest.Dribble(ok+"X: "+strings.Repeat("y", 1000),
			5*time.Millisecond), ErrTimeout, 0},
		{"a body byte by byte", controlpointtest.Dribble(ok+"\r\n"+strings.Repeat("y", 1000),
			5*time.Millisecond), ErrTimeout, 0},
		{"a header without end", controlpointtest.SayForEver(ok, "X: y\r\n"), nil, 0},
		{"a header line without end", controlpointtest.SayForEver(ok+"X: ", "y"), nil, 0},
		{"interim answers without end",
			controlpointtest.SayForEver("", "HTTP/1.1 100 Continue\r\n\r\n"), nil, 0},
		{"early hints without end",
			controlpointtest.SayForEver("", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"), nil, 0},
		{"a body without end", controlpointtest.SayForEver(ok+"\r\n", "y"), ErrTooLong, 0},
		{"a body that says it is huge", controlpointtest.SayForEver(ok+
			"Content-Length: 1000000000000\r\n\r\n", "y"), ErrTooLong, 0},
		{"a length that is no length",
			controlpointtest.Say(ok + "Content-Length: -1\r\n\r\nx"), nil, 0},
		{"two lengths", controlpointtest.Say(ok +
			"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxy"), nil, 0},
		{"half a body", controlpointtest.Say(ok + "Content-Length: 100\r\n\r\nx"), nil, 0},
		{"half a header", controlpointtest.Say(ok + "Content-Le"), nil, 0},
		{"chunks without end", controlpointtest.SayForEver(ok+"Transfer-Encoding: chunked\r\n\r\n",
			"4\r\nabcd\r\n"), ErrTooLong, 0},
		{"chunks of one byte", controlpointtest.SayForEver(ok+"Transfer-Encoding: chunked\r\n\r\n",
			"1\r\na\r\n"), nil, 0},
		{"chunk extensions without end",
			controlpointtest.SayForEver(ok+"Transfer-Encoding: chunked\r\n\r\n1;", "x"), nil, 0},
		{"a chunk of 2 GiB", controlpointtest.SayForEver(ok+
			"Transfer-Encoding: chunked\r\n\r\n80000000\r\n", "x"), ErrTooLong, 0},
		{"a chunk size that wraps", controlpointtest.Say(ok +
			"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nx"), nil, 0},
		{"a negative chunk size",
			controlpointtest.Say(ok + "Transfer-Encoding: chunked\r\n\r\n-1\r\nx"), nil, 0},
		{"half a chunk", controlpointtest.Say(ok +
			"Transfer-Encoding: chunked\r\n\r\n10\r\nx"), nil, 0},
		{"trailers without end", controlpointtest.SayForEver(ok+
			"Transfer-Encoding: chunked\r\n\r\n0\r\n", "X: y\r\n"), nil, 0},
		{"a request", controlpointtest.Say("GET / HTTP/1.1\r\n\r\n"), nil, 0},
		{"another protocol", controlpointtest.Say("SSH-2.0-OpenSSH_9.9\r\n"), nil, 0},
		{"no word", controlpointtest.Say(""), nil, 0},
		{"a switch of protocols", controlpointtest.SayForEver(
			"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
			"x"), ErrTooLong, 0},
		{"a body that is compressed is not expanded",
			controlpointtest.Say(ok + "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\nxy"), nil, 200},
		{"a good answer without length", controlpointtest.Say(ok + "\r\nhello"), nil, 200},
		{"an answer of HTTP 1.0", controlpointtest.Say("HTTP/1.0 200 OK\r\n\r\nhello"), nil, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := strict()
			if c.err != ErrTimeout {
				l.requestTime = patience
			}
			p := openTest(t, l)
			r := upnp.GetDescription(controlpointtest.Hostile(t, newAddress(), c.does))
			r.MaxBody = 1000
			start := time.Now()
			resp, err := p.Do(t.Context(), r)
			if resp.Status != c.status || (err == nil) != (c.status != 0) || c.err != nil &&
				!errors.Is(err, c.err) || len(resp.Body) > r.MaxBody {
				t.Errorf("status %d, %d bytes, %v", resp.Status, len(resp.Body), err)
			}
			if d := time.Since(start); d > patience/2 {
				t.Errorf("took %v", d)
			}
		})
	}
}

func TestRequestsStayInTheNetwork(t *testing.T) {
	t.Parallel()
	p := openTest(t, standard)
	for _, address := range []string{"8.8.8.8", "10.0.0.1", "169.254.169.254", "::1"} {
		u := upnp.URL{Host: netip.AddrPortFrom(netip.MustParseAddr(address), 80), Path: "/"}
		if _, err := p.Do(t.Context(), upnp.GetDescription(u)); !errors.Is(err, ErrElsewhere) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestASilentDeviceKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	l := standard
	l.requestTime = time.Minute
	p := openTest(t, l)
	silent := controlpointtest.Hostile(t, newAddress(), controlpointtest.Silent)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	const many = 100
	for range many {
		go func() {
			_, err := p.Do(ctx, upnp.GetDescription(silent))
			ended <- err
		}()
	}
	good := controlpointtest.New(t, controlpointtest.Config{Address: newAddress()})
	for range 10 {
		if _, err := p.Do(t.Context(), upnp.GetDescription(good.Location())); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(p.slots.all); n > l.requestsPerDevice {
		t.Errorf("%d requests under way", n)
	}
	cancel()
	for range many {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	if n := len(p.slots.devices); n != 0 || len(p.slots.all) != 0 {
		t.Errorf("%d devices are left", n)
	}
}

func TestCloseEndsRequests(t *testing.T) {
	t.Parallel()
	p := openTest(t, standard)
	silent := controlpointtest.Hostile(t, newAddress(), controlpointtest.Silent)
	ended := make(chan error)
	go func() {
		_, err := p.Do(t.Context(), upnp.Subscribe(silent))
		ended <- err
	}()
	for len(p.slots.all) == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if err := p.Search(t.Context()); !errors.Is(err, ErrNoAddress) {
		t.Error(err)
	}
	if _, err := open(Config{Interface: "nosuch0"}, standard); err == nil {
		t.Error("an interface that does not exist was opened")
	}
}

func TestFloodsOfDatagrams(t *testing.T) {
	t.Parallel()
	at, quiet := newAddress(), newAddress()
	loud := controlpointtest.New(t, controlpointtest.Config{Address: at})
	p := openTest(t, standard)
	garbage := [][]byte{{}, []byte("NOTIFY"), []byte(upnp.DeviceType), make([]byte, 4000),
		[]byte("NOTIFY * HTTP/1.1\r\nNT: " + upnp.DeviceType +
			"\r\nNTS: ssdp:alive\r\nLOCATION: http://10.0.0.1/\r\nCACHE-CONTROL: max-age=100\r\n\r\n")}
	for range 25 {
		for _, g := range garbage {
			loud.Send(t, g)
		}
	}
	for range 200 {
		loud.Announce(t, upnp.Alive)
	}
	controlpointtest.New(t, controlpointtest.Config{Address: quiet}).Announce(t, upnp.Byebye)
	n := 0
	for late := time.After(patience); ; {
		select {
		case a := <-p.Heard():
			if a.From == at {
				n++
			}
			if a.From == quiet {
				if n > int(standard.packets.burst) {
					t.Errorf("%d announcements of the loud one came through", n)
				}
				return
			}
		case <-late:
			t.Fatal("the quiet one was not heard")
		}
	}
}

// TestAppendRequest: a request goes out as devices expect it, and with no line that nobody meant.
func TestAppendRequest(t *testing.T) {
	t.Parallel()
	at := upnp.URL{Host: netip.MustParseAddrPort("192.0.2.7:49152"), Path: "/control?x=1"}
	soap := upnp.Header{{Name: "SOAPACTION", Value: `"urn:x#GetDeviceInfo"`}}
	for _, c := range []struct {
		name string
		r    upnp.Request
		want string // "": it is refused
	}{
		{"an action", upnp.Request{Method: "POST", URL: at, Header: soap, Body: []byte("<a/>")},
			"POST /control?x=1 HTTP/1.1\r\nHost: 192.0.2.7:49152\r\nUser-Agent: " + userAgent +
				"\r\nConnection: close\r\nSOAPACTION: \"urn:x#GetDeviceInfo\"\r\n" +
				"Content-Length: 4\r\n\r\n<a/>"},
		{"a description", upnp.Request{Method: "GET", URL: at}, "GET /control?x=1 HTTP/1.1\r\n" +
			"Host: 192.0.2.7:49152\r\nUser-Agent: " + userAgent + "\r\nConnection: close\r\n\r\n"},
		{"an action without a body", upnp.Request{Method: "POST", URL: at},
			"POST /control?x=1 HTTP/1.1\r\nHost: 192.0.2.7:49152\r\nUser-Agent: " + userAgent +
				"\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"},
		{"a header of two lines", upnp.Request{Method: "GET", URL: at,
			Header: upnp.Header{{Name: "SID", Value: "uuid:1\r\nX: y"}}}, ""},
		{"a name of two words", upnp.Request{Method: "GET", URL: at,
			Header: upnp.Header{{Name: "S ID", Value: "uuid:1"}}}, ""},
		{"a path of two words", upnp.Request{Method: "GET",
			URL: upnp.URL{Host: at.Host, Path: "/a HTTP/1.1"}}, ""},
		{"a path of two lines", upnp.Request{Method: "GET",
			URL: upnp.URL{Host: at.Host, Path: "/a\r\nX: y"}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := appendRequest(nil, c.r)
			if string(got) != c.want || (err == nil) == (c.want == "") {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}
