package remote

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"
	"unicode/utf8"

	"wpsd/drivers/controlpoint"
	"wpsd/engine/upnp"
)

// puppet is a process that says whatever it is told to.
type puppet struct {
	t    *testing.T
	path string
	l    net.Listener
	conn net.Conn // the latest
}

func newPuppet(t *testing.T) *puppet {
	t.Helper()
	p := &puppet{t: t, path: filepath.Join(t.TempDir(), "s")}
	l, err := net.Listen("unix", p.path)
	if err != nil {
		t.Fatal(err)
	}
	p.l = l
	t.Cleanup(func() { _ = l.Close() })
	return p
}

// accept takes a connection and says that the control point is open.
func (p *puppet) accept() error {
	conn, err := p.l.Accept()
	if err != nil {
		return err
	}
	p.conn = conn
	f, err := read(conn)
	if err != nil {
		return err
	}
	return write(conn, frame{Kind: reply, ID: f.ID})
}

// client connects to it.
func (p *puppet) client() *Client {
	p.t.Helper()
	accepted := make(chan error, 1)
	go func() { accepted <- p.accept() }()
	c, err := Dial(p.path, "lo", nil)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := <-accepted; err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = c.Close(); _ = p.conn.Close() })
	return c
}

func (p *puppet) say(list ...frame) {
	p.t.Helper()
	for _, f := range list {
		if err := write(p.conn, f); err != nil {
			p.t.Fatal(err)
		}
	}
}

// good is an announcement as it comes from the network.
func good(change func(a *upnp.Announcement)) frame {
	a := upnp.Announcement{From: netip.MustParseAddr("192.0.2.1"), Kind: upnp.Alive,
		UUID: [16]byte{1}, HasUUID: true, MaxAge: time.Minute,
		Location: upnp.URL{Host: netip.MustParseAddrPort("192.0.2.1:80"), Path: "/"}}
	if change != nil {
		change(&a)
	}
	return frame{Kind: heard, Heard: &a}
}

func TestAnnouncementsThatNobodyCouldSend(t *testing.T) {
	t.Parallel()
	p := newPuppet(t)
	c := p.client()
	for name, change := range map[string]func(a *upnp.Announcement){
		"no sender": func(a *upnp.Announcement) { a.From = netip.Addr{} },
		"everybody": func(a *upnp.Announcement) {
			a.From = netip.MustParseAddr("255.255.255.255")
		},
		"a zone with a zero": func(a *upnp.Announcement) {
			a.From = netip.MustParseAddr("fe80::1%a\x00b")
		},
		"a location elsewhere": func(a *upnp.Announcement) {
			a.Location.Host = netip.MustParseAddrPort("198.51.100.1:80")
		},
		"a location at a printer": func(a *upnp.Announcement) {
			a.Location.Host = netip.MustParseAddrPort("192.0.2.1:9100")
		},
		"no location": func(a *upnp.Announcement) { a.Location = upnp.URL{} },
		"a location that is too long": func(a *upnp.Announcement) {
			a.Location.Path = "/" + strings.Repeat("x", 1500)
		},
		"a location with a zero":       func(a *upnp.Announcement) { a.Location.Path = "/a\x00b" },
		"a location that is not UTF-8": func(a *upnp.Announcement) { a.Location.Path = "/\xff" },
		"an age of less than a second": func(a *upnp.Announcement) { a.MaxAge = time.Millisecond },
		"an age before it was born":    func(a *upnp.Announcement) { a.MaxAge = -time.Hour },
		"a kind that there is not":     func(a *upnp.Announcement) { a.Kind = 77 },
		"a location with a control": func(a *upnp.Announcement) {
			a.Location.Path = "/\x1b[2J"
		},
		"a location with a header more": func(a *upnp.Announcement) {
			a.Location.Path = "/ \r\nLOCATION: http://198.51.100.1/"
		},
	} {
		p.say(good(change), good(nil))
		n := 0
		for a := range within2(t, c) {
			if want := good(nil).Heard; a != *want {
				if name == "a location with a header more" && a.From == want.From &&
					a.Location.Host == want.Location.Host &&
					!strings.ContainsAny(a.Location.Path, " \r\n") {
					continue // as if it had come so from the network
				}
				t.Errorf("%s: %+v", name, a)
			}
			if n++; a == *good(nil).Heard {
				break
			}
		}
	}
	p.say(good(func(a *upnp.Announcement) { a.MaxAge = 1000 * time.Hour }))
	if a := within(t, c.Heard(), func(a upnp.Announcement) bool {
		return a.MaxAge > time.Minute
	}); a.MaxAge != 24*time.Hour {
		t.Errorf("an age of %v", a.MaxAge)
	}
}

// within2 gives what is heard, one after the other.
func within2(t *testing.T, c *Client) func(yield func(upnp.Announcement) bool) {
	return func(yield func(upnp.Announcement) bool) {
		for yield(within(t, c.Heard(), func(upnp.Announcement) bool { return true })) {
		}
	}
}

// TestAProcessThatDoesNotSpeakAsAgreed is left, and looked for again.
func TestAProcessThatDoesNotSpeakAsAgreed(t *testing.T) {
	t.Parallel()
	event := func(change func(n *upnp.Notification)) frame {
		n := upnp.Notification{From: netip.MustParseAddr("192.0.2.1"), SID: "uuid:1",
			Event: &upnp.WLANEvent{Type: upnp.EventProbe, MAC: [6]byte{2}, Message: []byte{1}}}
		change(&n)
		return frame{Kind: notified, Notified: pack(n)}
	}
	same := func(*upnp.Notification) {}
	for name, said := range map[string][]frame{
		"two events at once":        {event(same), event(same)},
		"an event of nobody":        {event(func(n *upnp.Notification) { n.From = netip.Addr{} })},
		"an event without a name":   {event(func(n *upnp.Notification) { n.SID = "" })},
		"a name with a zero":        {event(func(n *upnp.Notification) { n.SID = "uuid:\x00" })},
		"an announcement of naught": {{Kind: heard}},
		"an event of naught":        {{Kind: notified}},
		"what only we may say":      {{Kind: open, Interface: "lo"}},
		"something else":            {{Kind: "\x1b[2J"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPuppet(t)
			c := p.client()
			p.say(said...)
			within(t, c.Changed(), func(struct{}) bool { return true })
			if _, err := io.Copy(io.Discard, p.conn); ignoreEnd(err) != nil &&
				!strings.Contains(err.Error(), "reset") {
				t.Errorf("%v", err)
			}
			if err := p.accept(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestEventsThatNobodyCouldSend(t *testing.T) {
	t.Parallel()
	p := newPuppet(t)
	c := p.client()
	for name, change := range map[string]func(n *upnp.Notification){
		"a type that there is not": func(n *upnp.Notification) { n.Event.Type = 9 },
		"a message that is too long": func(n *upnp.Notification) {
			n.Event.Message = make([]byte, 20000)
		},
		"an error that is a novel": func(n *upnp.Notification) {
			n.Err = errors.New(strings.Repeat("\x00\xffno", 10000))
		},
		"an error and an event with it": func(n *upnp.Notification) { n.Err = errors.New("x") },
	} {
		n := upnp.Notification{From: netip.MustParseAddr("192.0.2.1"), SID: "uuid:1",
			Event: &upnp.WLANEvent{Type: upnp.EventProbe, MAC: [6]byte{2}, Message: []byte{1}}}
		change(&n)
		p.say(frame{Kind: notified, Notified: pack(n)})
		got := within(t, c.Notified(), func(upnp.Notification) bool { return true })
		if got.Err == nil || got.Event != nil || !isText(got.Err.Error()) {
			t.Errorf("%s: %+v", name, got)
		}
		if f, err := read(p.conn); err != nil || f.Kind != taken {
			t.Fatalf("%s: %+v, %v", name, f, err)
		}
	}
}

// isText reports whether a text can be shown.
func isText(s string) bool {
	return len(s) <= 300 && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

func TestAnswersThatNobodyCouldGive(t *testing.T) {
	t.Parallel()
	p := newPuppet(t)
	c := p.client()
	long := upnp.Header{}
	for range 2000 {
		long = append(long, upnp.Field{Name: "A", Value: "0123456789"})
	}
	for name, f := range map[string]frame{
		"nothing":               {},
		"a status that is none": {Response: &upnp.Response{Status: -1}},
		"an interim answer":     {Response: &upnp.Response{Status: 100}},
		"a header with a line end": {Response: &upnp.Response{Status: 200,
			Header: upnp.Header{{Name: "SID", Value: "a\r\nb"}}}},
		"a name with a zero": {Response: &upnp.Response{Status: 200,
			Header: upnp.Header{{Name: "S\x00", Value: "a"}}}},
		"a header without end": {Response: &upnp.Response{Status: 200, Header: long}},
		"too much": {Response: &upnp.Response{Status: 200,
			Body: make([]byte, 5000)}},
		"an error that is a novel": {Error: &failure{Code: "timeout",
			Text: strings.Repeat("\x00\xff\x1b[2Jno ", 10000)}},
	} {
		go func() {
			asked, err := read(p.conn)
			if err == nil {
				f.Kind, f.ID = reply, asked.ID
				err = write(p.conn, f)
			}
			if err != nil {
				t.Error(err)
			}
		}()
		resp, err := c.Do(t.Context(),
			upnp.Request{Method: "GET", URL: good(nil).Heard.Location, MaxBody: 4096})
		if err == nil || resp.Status != 0 || !isText(err.Error()) {
			t.Errorf("%s: %.300s, %.300v", name, fmt.Sprint(resp), err)
		}
		if name == "an error that is a novel" && !errors.Is(err, controlpoint.ErrTimeout) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAProcessThatIsDeafAndDumb: nobody waits for it for ever. The pipe is one of the bubble, so no
// time passes.
func TestAProcessThatIsDeafAndDumb(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		ctx, end := context.WithCancelCause(t.Context())
		c := &Client{ctx: ctx, end: end, conn: here, pending: map[uint64]chan frame{}}
		began := time.Now()
		if err := c.Search(t.Context()); err == nil || time.Since(began) > writeTime {
			t.Errorf("deaf: %v after %v", err, time.Since(began))
		}
		here, there = net.Pipe()
		c.conn = here
		go func() { _, _ = io.Copy(io.Discard, there) }()
		began = time.Now()
		if _, err := c.Do(t.Context(), upnp.GetDescription(good(nil).Heard.Location)); !errors.Is(
			err, controlpoint.ErrTimeout) || time.Since(began) != doTime {
			t.Errorf("dumb: %v after %v", err, time.Since(began))
		}
		_ = here.Close()
	})
}

// TestAProcessThatTalksWithoutEnd: what is read of it has a pace.
func TestAProcessThatTalksWithoutEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var one bytes.Buffer
		if err := write(&one, good(nil)); err != nil {
			t.Fatal(err)
		}
		in := newIntake(&endless{text: one.Bytes()})
		began, n := time.Now(), 0
		for time.Since(began) < 10*time.Second {
			if _, err := in.next(t.Context()); err != nil {
				t.Fatal(err)
			}
			n++
		}
		if most := (frameBurst+10*frameRate)/leastFrame + 1; n > most {
			t.Errorf("%d frames in ten seconds, more than %d", n, most)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for range 100 {
			if _, err := in.next(ctx); err != nil {
				return
			}
		}
		t.Error("the end does not end it")
	})
}

// endless says the same again and again.
type endless struct {
	text []byte
	at   int
}

func (e *endless) Read(b []byte) (int, error) {
	n := copy(b, e.text[e.at:])
	e.at = (e.at + n) % len(e.text)
	return n, nil
}

// FuzzIntake: whatever the other process says, what comes out is what the network could have said.
func FuzzIntake(f *testing.F) {
	for _, seed := range []frame{
		good(nil), {Kind: changed},
		{Kind: reply, ID: 1, Error: &failure{Code: "timeout", Text: "x"}},
		{Kind: reply, Response: &upnp.Response{Status: 200,
			Header: upnp.Header{{Name: "SID", Value: "uuid:1"}}, Body: []byte("x")}},
		{Kind: notified, Notified: pack(upnp.Notification{From: netip.MustParseAddr("192.0.2.1"),
			SID: "uuid:1", Event: &upnp.WLANEvent{Type: 1, Message: []byte{1}},
			Err: errors.New("bad")})},
	} {
		text, err := json.Marshal(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		in := newIntake(bytes.NewReader(append(
			binary.BigEndian.AppendUint32(nil, uint32(len(text))), text...)))
		got, err := in.next(t.Context())
		if err != nil {
			return
		}
		switch got.Kind {
		case heard:
			again, err := upnp.ParseAnnouncement(got.Heard.From, got.Heard.Append(nil))
			if err != nil || again != *got.Heard || !got.Heard.From.Is4() ||
				!isText(got.Heard.Location.Path[:min(len(got.Heard.Location.Path), 300)]) {
				t.Fatalf("%+v, %v", got.Heard, err)
			}
		case notified:
			n := got.Notified.unpack()
			if n.Err == nil {
				n.ReadBody(n.AppendBody(nil))
			}
			if !n.From.Is4() || !isText(n.SID) || n.Err != nil && !isText(n.Err.Error()) {
				t.Fatalf("%+v", n)
			}
		case reply:
			if err := got.Error.err(); err != nil && !isText(err.Error()) {
				t.Fatalf("%q", err)
			}
			if r := got.Response; r != nil && r.Recheck(1024) == nil &&
				(len(r.Body) > 1024 || r.Status < 200) {
				t.Fatalf("%+v", r)
			}
		}
	})
}

// loud is a control point that has something to say.
type loud struct {
	ControlPoint
	heard chan upnp.Announcement
}

func (l *loud) Heard() <-chan upnp.Announcement    { return l.heard }
func (l *loud) Notified() <-chan upnp.Notification { return nil }
func (l *loud) Changed() <-chan struct{}           { return nil }

// TestSettled: once after a flood, and not for a few words.
func TestSettled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		here, there := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, here) }()
		n := 0
		p := &loud{heard: make(chan upnp.Announcement)}
		l := &link{conn: there, point: p, log: slog.New(slog.DiscardHandler),
			taken: make(chan struct{}, 1), settled: func() { n++ }}
		done := make(chan struct{})
		go func() {
			defer close(done)
			l.tell(ctx)
		}()
		for name, step := range []struct{ frames, settled int }{{manyFrames + 50, 1}, {10, 1},
			{manyFrames, 2}, {0, 2}} {
			for range step.frames {
				p.heard <- *good(nil).Heard
			}
			time.Sleep(3 * settleTime)
			synctest.Wait()
			if n != step.settled {
				t.Errorf("step %d: settled %d times, not %d", name, n, step.settled)
			}
		}
		cancel()
		<-done
		_ = there.Close()
	})
}
