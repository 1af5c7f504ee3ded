package wfadevice_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"wpsd/drivers/controlpoint"
	"wpsd/drivers/wfadevice"
	"wpsd/engine/upnp"
)

// These tests run on the loopback interface; each device has an address of its own there, by which
// others are told apart.
var addresses atomic.Uint32

func newAddress() netip.Addr {
	n := addresses.Add(1)
	return netip.AddrFrom4([4]byte{127, 98, byte(n >> 8), byte(n)})
}

// patience is for what happens at once on a machine that has nothing else to do.
const patience = time.Minute

func add(t *testing.T, c wfadevice.Config) *wfadevice.Device {
	t.Helper()
	n, err := wfadevice.Open("lo", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	if !c.Address.IsValid() {
		c.Address = newAddress()
	}
	d, err := n.Add(c)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// listener is a subscriber's server.
type listener struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	got    []upnp.Notification
	wait   chan struct{} // closed: answers come at once
}

func listen(t *testing.T) *listener {
	l := &listener{status: http.StatusOK, wait: make(chan struct{})}
	close(l.wait)
	l.Server = httptest.NewServer(l)
	t.Cleanup(l.Close)
	return l
}

func (l *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var h upnp.Header
	for name, values := range r.Header {
		h = append(h, upnp.Field{Name: name, Value: values[0]})
	}
	n, err := upnp.ParseNotify(h)
	body, _ := io.ReadAll(r.Body)
	n.ReadBody(body)
	n.Err = errors.Join(n.Err, err)
	l.mu.Lock()
	l.got = append(l.got, n)
	wait, status := l.wait, l.status
	l.mu.Unlock()
	<-wait
	w.WriteHeader(status)
}

func (l *listener) events() []upnp.Notification {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.got)
}

// until waits for something that comes by itself.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// ask sends a request with any header.
func ask(t *testing.T, d *wfadevice.Device, method, path, body string,
	header ...string) *http.Response {
	t.Helper()
	r, err := http.NewRequest(method, "http://"+d.Location().Host.String()+path,
		strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		r.Header[name] = []string{value}
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

func (l *listener) subscribe(t *testing.T, d *wfadevice.Device) string {
	t.Helper()
	resp := ask(t, d, "SUBSCRIBE", "/wps_event", "", "CALLBACK: <"+l.URL+"/>", "NT: upnp:event")
	if resp.StatusCode != http.StatusOK || resp.Header.Get("TIMEOUT") != "Second-1801" {
		t.Fatalf("SUBSCRIBE: %v", resp)
	}
	return resp.Header.Get("SID")
}

func TestServesWhatItIsAskedFor(t *testing.T) {
	t.Parallel()
	d := add(t, wfadevice.Config{UUID: [16]byte{7},
		Act: func(from netip.Addr, a upnp.Action) ([]byte, error) {
			switch a.Name {
			case upnp.GetDeviceInfo:
				return []byte("M1 for " + from.String()), nil
			case upnp.PutMessage:
				return nil, &upnp.Fault{Status: 500, Code: 600, Description: "no"}
			}
			return nil, io.ErrUnexpectedEOF
		}})
	body := func(r *http.Response) []byte {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	got, err := upnp.ParseDescription(d.Location(), body(ask(t, d, "GET", "/wps_device.xml", "")))
	if err != nil || got.UDN != [16]byte{7} || got.Control.Path != "/wps_control" ||
		got.Event.Path != "/wps_event" {
		t.Errorf("%+v, %v", got, err)
	}
	var scpd struct {
		Actions []struct {
			Name string `xml:"name"`
		} `xml:"actionList>action"`
	}
	if err := xml.Unmarshal(body(ask(t, d, "GET", got.SCPD.Path, "")), &scpd); err != nil ||
		len(scpd.Actions) != 4 {
		t.Errorf("%+v, %v", scpd, err)
	}
	call := func(a upnp.Action) ([]byte, error) {
		r := a.Request(got.Control)
		resp := ask(t, d, r.Method, r.URL.Path, string(r.Body),
			"SOAPACTION: "+r.Header.Get("SOAPACTION"))
		return a.Name.ParseReply(upnp.Response{Status: resp.StatusCode, Body: body(resp)})
	}
	if m, err := call(upnp.Action{Name: upnp.GetDeviceInfo}); string(m) != "M1 for 127.0.0.1" ||
		err != nil {
		t.Errorf("%q, %v", m, err)
	}
	for name, code := range map[upnp.ActionName]int{upnp.PutMessage: 600,
		upnp.SetSelectedRegistrar: 501, "RebootAP": 401} {
		_, err := call(upnp.Action{Name: name, Message: []byte{1}})
		if f, ok := errors.AsType[*upnp.Fault](err); !ok || f.Code != code {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := call(upnp.Action{Name: upnp.PutMessage,
		Message: bytes.Repeat([]byte{1}, upnp.MaxMessage)}); err == nil {
		t.Error("a body without end was taken")
	}
	for _, wrong := range []string{"GET /", "GET /../etc/passwd", "POST /wps_event",
		"NOTIFY /wps_control"} {
		method, path, _ := strings.Cut(wrong, " ")
		if resp := ask(t, d, method, path, ""); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", wrong, resp.StatusCode)
		}
	}
}

func TestASubscriberThatRefusesIsForgotten(t *testing.T) {
	t.Parallel()
	d := add(t, wfadevice.Config{})
	l := listen(t)
	l.status = http.StatusInternalServerError
	l.subscribe(t, d)
	for range 9 { // the first event is one, too
		d.Deliver(&upnp.WLANEvent{Type: upnp.EventMessage})
	}
	until(t, "the end of the subscription", func() bool { return len(d.Subscribers()) == 0 })
}

func TestConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	d := add(t, wfadevice.Config{})
	var open []net.Conn
	for range 40 {
		c, err := net.Dial("tcp4", d.Location().Host.String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		open = append(open, c)
	}
	closed := 0
	for _, c := range open[32:] {
		_ = c.SetReadDeadline(time.Now().Add(patience))
		if _, err := c.Read(make([]byte, 1)); err == io.EOF ||
			strings.Contains(fmt.Sprint(err), "reset") {
			closed++
		}
	}
	if closed != 8 {
		t.Errorf("%d of the 8 connections too many were closed", closed)
	}
	for _, c := range open {
		_ = c.Close()
	}
	until(t, "an answer", func() bool {
		resp, err := http.Get(d.Location().String())
		if err == nil {
			_ = resp.Body.Close()
		}
		return err == nil && resp.StatusCode == http.StatusOK
	})
}

// TestIsFound has an External Registrar's sockets find two devices of one network, of which one
// takes its time.
func TestIsFound(t *testing.T) {
	t.Parallel()
	n, err := wfadevice.Open("lo", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	p, err := controlpoint.Open(controlpoint.Config{Interface: "lo"})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	quick, late := newAddress(), newAddress()
	at := make(map[netip.Addr]*wfadevice.Device)
	for _, c := range []wfadevice.Config{{Address: quick, UUID: [16]byte{1}},
		{Address: late, UUID: [16]byte{2}, Spread: true}} {
		if at[c.Address], err = n.Add(c); err != nil {
			t.Fatal(err)
		}
	}
	// What others say here can take the room of what ours say: it is said again then.
	hear := func(kind upnp.Kind, say func()) {
		t.Helper()
		missing := map[upnp.Announcement]bool{}
		for from, d := range at {
			for _, service := range []bool{false, true} {
				a := upnp.Announcement{From: from, Kind: kind, Service: service, HasUUID: true,
					UUID: [16]byte{1}}
				if from == late {
					a.UUID[0] = 2
				}
				if kind != upnp.Byebye {
					a.Location, a.MaxAge = d.Location(), 1801*time.Second
				}
				missing[a] = true
			}
		}
		for end := time.Now().Add(patience); len(missing) > 0; {
			if time.Now().After(end) {
				t.Fatalf("missing: %+v", missing)
			}
			say()
			for again := time.After(2 * time.Second); again != nil && len(missing) > 0; {
				select {
				case a := <-p.Heard():
					delete(missing, a)
				case <-again:
					again = nil
				}
			}
		}
	}
	hear(upnp.Answer, func() {
		if err := p.Search(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	for _, kind := range []upnp.Kind{upnp.Alive, upnp.Byebye} {
		hear(kind, func() {
			for _, d := range at {
				if err := d.Announce(kind); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
	if err := n.Close(); err != nil {
		t.Error(err)
	}
	if _, err := n.Add(wfadevice.Config{Address: newAddress()}); !errors.Is(err,
		wfadevice.ErrClosed) {
		t.Errorf("a device in a network that is closed: %v", err)
	}
	if err := at[quick].Announce(upnp.Alive); err == nil {
		t.Error("a closed device speaks")
	}
}
