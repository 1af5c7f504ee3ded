package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"wpsd/drivers/controlpoint"
	"wpsd/drivers/controlpoint/controlpointtest"
	"wpsd/engine/upnp"
)

// patience is for what happens at once on a machine that has nothing else to do.
const patience = time.Minute

// process is the other process, in this one: it can be ended and started again.
type process struct {
	t    *testing.T
	path string
	end  context.CancelFunc
	done chan error
}

// start serves real control points on a socket.
func (p *process) start(s Server) {
	p.t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: p.path, Net: "unix"})
	if err != nil {
		p.t.Fatal(err)
	}
	ctx, end := context.WithCancel(context.Background())
	p.end, p.done = end, make(chan error, 1)
	go func() { p.done <- s.Serve(ctx, l) }()
}

func (p *process) stop() {
	p.t.Helper()
	p.end()
	if err := <-p.done; err != nil {
		p.t.Error(err)
	}
}

// real opens the control points of package controlpoint.
func real(ifname string) (ControlPoint, error) {
	return controlpoint.Open(controlpoint.Config{Interface: ifname})
}

func newProcess(t *testing.T, s Server) *process {
	t.Helper()
	p := &process{t: t, path: filepath.Join(t.TempDir(), "s")}
	p.start(s)
	return p
}

func dial(t *testing.T, p *process) *Client {
	t.Helper()
	c, err := Dial(p.path, "lo", nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var addresses atomic.Uint32

// newAddress is on the loopback interface, and nobody else's.
func newAddress() netip.Addr {
	return netip.AddrFrom4([4]byte{127, 98, 0, byte(addresses.Add(1))})
}

// within waits for something from a channel.
func within[T any](t *testing.T, c <-chan T, fits func(T) bool) T {
	t.Helper()
	late := time.After(patience)
	for {
		select {
		case v := <-c:
			if fits(v) {
				return v
			}
		case <-late:
			t.Fatal("it did not come")
		}
	}
}

// TestLikeInOneProcess does with an access point what the tests of package controlpoint do.
func TestLikeInOneProcess(t *testing.T) {
	t.Parallel()
	p := newProcess(t, Server{Open: real})
	defer p.stop()
	at := newAddress()
	ap := controlpointtest.New(t, controlpointtest.Config{Address: at, UUID: [16]byte{1},
		Act: func(a upnp.Action) ([]byte, error) { return []byte("M1 of " + a.Name), nil }})
	c := dial(t, p)
	defer func() { _ = c.Close() }()

	if err := c.Search(t.Context()); err != nil {
		t.Fatal(err)
	}
	a := within(t, c.Heard(), func(a upnp.Announcement) bool { return a.From == at && !a.Service })
	if a.Kind != upnp.Answer || a.UUID != [16]byte{1} || a.Location != ap.Location() ||
		a.MaxAge != 1801*time.Second {
		t.Fatalf("%+v", a)
	}
	resp, err := c.Do(t.Context(), upnp.GetDescription(a.Location))
	if err != nil {
		t.Fatal(err)
	}
	d, err := upnp.ParseDescription(a.Location, resp.Body)
	if err != nil || d.ModelName != "controlpointtest" {
		t.Fatalf("%+v, %v", d, err)
	}
	resp, err = c.Do(t.Context(), upnp.Action{Name: upnp.GetDeviceInfo}.Request(d.Control))
	if err != nil {
		t.Fatal(err)
	}
	if m, err := upnp.GetDeviceInfo.ParseReply(resp); string(m) != "M1 of GetDeviceInfo" ||
		err != nil {
		t.Errorf("%q, %v", m, err)
	}

	// Events come one after the other, and the device waits for whoever reads them.
	resp, err = c.Do(t.Context(),
		upnp.Subscribe(upnp.URL{Host: ap.Location().Host, Path: "/wps_event"}))
	if err != nil {
		t.Fatal(err)
	}
	s, err := upnp.ParseSubscription(resp)
	if err != nil {
		t.Fatal(err)
	}
	for seq := range uint32(3) {
		n := within(t, c.Notified(), func(upnp.Notification) bool { return true })
		if n.From != at || n.SID != s.SID || n.Seq != seq || n.Err != nil || n.Event == nil {
			t.Fatalf("%+v, want number %d", n, seq)
		}
		if seq < 2 {
			delivered := make(chan []int, 1)
			go func() {
				delivered <- ap.Notify(t,
					&upnp.WLANEvent{Type: upnp.EventProbe, MAC: [6]byte{1}, Message: []byte{2}})
			}()
			defer func() {
				if got := <-delivered; !slices.Equal(got, []int{200}) {
					t.Errorf("the device was answered %v", got)
				}
			}()
		}
	}
}

func TestErrorsAreTheSame(t *testing.T) {
	t.Parallel()
	p := newProcess(t, Server{Open: real})
	defer p.stop()
	if _, err := Dial(p.path, "no-such-ifname", nil); err == nil ||
		!strings.Contains(err.Error(), "no-such-ifname") {
		t.Errorf("an interface that is not there: %v", err)
	}
	c := dial(t, p)
	elsewhere := upnp.URL{Host: netip.MustParseAddrPort("192.0.2.1:80"), Path: "/"}
	if _, err := c.Do(t.Context(), upnp.GetDescription(elsewhere)); !errors.Is(err,
		controlpoint.ErrElsewhere) {
		t.Errorf("an address elsewhere: %v", err)
	}
	at := newAddress()
	long := controlpointtest.Hostile(t, at,
		controlpointtest.SayForEver("HTTP/1.1 200 OK\r\n\r\n", "x"))
	if _, err := c.Do(t.Context(), upnp.GetDescription(long)); !errors.Is(err,
		controlpoint.ErrTooLong) {
		t.Errorf("an answer without end: %v", err)
	}
	// A caller that gives up is told why, at once, and so is one of a control point that is closed.
	silent := controlpointtest.Hostile(t, newAddress(), controlpointtest.Silent)
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(10*time.Millisecond, func() { cancel(why) })
	if _, err := c.Do(ctx, upnp.GetDescription(silent)); !errors.Is(err, why) {
		t.Errorf("canceled: %v", err)
	}
	time.AfterFunc(10*time.Millisecond, func() { _ = c.Close() })
	if _, err := c.Do(t.Context(), upnp.GetDescription(silent)); !errors.Is(err,
		controlpoint.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
	for code, want := range codes {
		if got := newFailure(fmt.Errorf("x: %w", want)); got.Code != code ||
			!errors.Is(got.err(), want) || got.err().Error() != "x: "+want.Error() {
			t.Errorf("%s: %+v", code, got)
		}
	}
}

// TestTheOtherProcessEnds: what is under way fails, and it is looked for again.
func TestTheOtherProcessEnds(t *testing.T) {
	t.Parallel()
	p := newProcess(t, Server{Open: real})
	c := dial(t, p)
	defer func() { _ = c.Close() }()
	silent := controlpointtest.Hostile(t, newAddress(), controlpointtest.Silent)
	failed := make(chan error, 1)
	go func() {
		_, err := c.Do(t.Context(), upnp.GetDescription(silent))
		failed <- err
	}()
	p.stop()
	if err := within(t, failed, func(error) bool { return true }); err == nil {
		t.Error("a request to nobody succeeded")
	}
	within(t, c.Changed(), func(struct{}) bool { return true })
	p.start(Server{Open: real})
	defer p.stop()
	within(t, c.Changed(), func(struct{}) bool { return true })
	if err := c.Search(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestItEndsWhenNobodyIsConnected(t *testing.T) {
	t.Parallel()
	p := newProcess(t, Server{Open: real, Idle: time.Second})
	c := dial(t, p)
	time.Sleep(1500 * time.Millisecond)
	if err := c.Search(t.Context()); err != nil {
		t.Errorf("it ended under a client: %v", err)
	}
	_ = c.Close()
	if err := within(t, p.done, func(error) bool { return true }); err != nil {
		t.Error(err)
	}
}

// TestStrangeClients: who does not speak as agreed is dropped, and nobody else suffers.
func TestStrangeClients(t *testing.T) {
	t.Parallel()
	p := newProcess(t, Server{Open: real})
	defer p.stop()
	frames := func(list ...frame) []byte {
		var b bytes.Buffer
		for _, f := range list {
			if err := write(&b, f); err != nil {
				t.Fatal(err)
			}
		}
		return b.Bytes()
	}
	lo := frame{Kind: open, Interface: "lo"}
	for name, said := range map[string][]byte{
		"nothing that is a frame":   []byte("GET / HTTP/1.1\r\n\r\n"),
		"a frame of four gigabytes": {0xff, 0xff, 0xff, 0xff},
		"no JSON":                   {0, 0, 0, 1, 'x'},
		"something else than open":  frames(frame{Kind: search}),
		"a request without content": frames(lo, frame{Kind: do}),
		"an unknown frame":          frames(lo, frame{Kind: "x"}),
	} {
		conn, err := net.Dial("unix", p.path)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Write(said)
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		for err == nil {
			_, err = read(conn)
		}
		if ignoreEnd(err) != nil && !strings.Contains(err.Error(), "reset") {
			t.Errorf("%s: %v", name, err)
		}
		_ = conn.Close()
	}
	c := dial(t, p)
	if err := c.Search(t.Context()); err != nil {
		t.Error(err)
	}
	_ = c.Close()
}

// FuzzRead: whatever the other process says, it is read within bounds, and what was read is written
// as the same again.
func FuzzRead(f *testing.F) {
	for _, seed := range []frame{
		{Kind: open, Interface: "wlan0"},
		{Kind: reply, ID: 1, Error: &failure{Code: "timeout", Text: "x"}},
		{Kind: do, ID: 7, Request: &upnp.Request{Method: "GET",
			URL:    upnp.URL{Host: netip.MustParseAddrPort("192.0.2.1:80"), Path: "/"},
			Header: upnp.Header{{Name: "A", Value: "b"}}, MaxBody: 9}},
		{Kind: heard, Heard: &upnp.Announcement{From: netip.MustParseAddr("192.0.2.1"),
			Kind: upnp.Alive, MaxAge: time.Second}},
		{Kind: notified, Notified: pack(upnp.Notification{SID: "uuid:1",
			Event: &upnp.WLANEvent{Message: []byte{1}}, Err: errors.New("bad")})},
	} {
		var b bytes.Buffer
		if err := write(&b, seed); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		first, err := read(bytes.NewReader(in))
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := write(&b, first); err != nil {
			if len(in) < maxFrame/8 {
				t.Fatalf("%+v cannot be written: %v", first, err)
			}
			return
		}
		again, err := read(&b)
		if err != nil || !reflect.DeepEqual(first, again) {
			t.Fatalf("%+v\n%+v\n%v", first, again, err)
		}
	})
}
