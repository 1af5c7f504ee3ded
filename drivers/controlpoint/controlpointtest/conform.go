package controlpointtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"wpsd/drivers/ssdp"
	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
)

// Peer is an access point on the loopback interface, and what is known of it before it is asked.
type Peer struct {
	Address      netip.Addr
	UUID         wsc.UUID
	BSSID        wsc.MAC
	FriendlyName string
	Location     func() upnp.URL // of the description; nil: a search finds it
}

// soon is for what happens at once on a machine that has nothing else to do.
const soon = time.Minute

// Conform holds an access point's UPnP against what an External Registrar relies on, as hostapd
// 2.10 has it: the simulation is compared with the same table as hostapd itself. The access point
// takes an AP PIN, and nobody else is subscribed to it.
func Conform(t *testing.T, p Peer) {
	t.Helper()
	c := &conformer{Peer: p, T: t}
	c.discovery()
	c.description()
	c.actions()
	c.subscriptions()
	c.events()
}

// conformer asks the access point without our own ControlPoint in between.
type conformer struct {
	Peer
	*testing.T
	d *upnp.Description
}

// search asks for a target, and gives the answers of the access point until done is content with
// them.
func (c *conformer) search(datagram string,
	done func(all []upnp.Announcement) bool) (all []upnp.Announcement) {
	c.Helper()
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		c.Fatal(err)
	}
	socket, err := ssdp.Speaker("lo", lo.Index, netip.AddrFrom4([4]byte{127, 0, 0, 1}))
	if err != nil {
		c.Fatal(err)
	}
	defer socket.Close()
	buffer := make([]byte, upnp.MaxDatagram)
	for end := time.Now().Add(soon); !done(all) && time.Now().Before(end); {
		if _, err := socket.WriteToUDPAddrPort([]byte(datagram), upnp.Multicast); err != nil {
			c.Fatal(err)
		}
		_ = socket.SetReadDeadline(time.Now().Add(2 * time.Second)) // then it is asked again
		for !done(all) {
			n, from, err := socket.ReadFromUDPAddrPort(buffer)
			if err != nil {
				break
			}
			if a, err := upnp.ParseAnnouncement(from.Addr(), buffer[:n]); err == nil &&
				from.Addr().Unmap() == c.Address {
				all = append(all, a)
			}
		}
	}
	return all
}

func (c *conformer) discovery() {
	answered := func(all []upnp.Announcement) bool { return len(all) > 0 }
	for _, target := range []string{upnp.DeviceType, upnp.ServiceType, "ssdp:all",
		upnp.FormatUDN(c.UUID)} {
		for _, a := range c.search(string(upnp.Search{Target: target,
			MX: 1}.Append(nil)), answered) {
			if a.Kind != upnp.Answer || a.UUID != c.UUID || a.Location.Host.Addr() != c.Address ||
				a.MaxAge < 1800*time.Second {
				c.Errorf("a search for %s is answered with %+v", target, a)
			}
			if c.Location == nil {
				c.Location = func() upnp.URL { return a.Location }
			}
		}
		if c.Location == nil {
			c.Fatalf("a search for %s finds nothing", target)
		}
	}
	both := c.search(string(upnp.Search{Target: "ssdp:all", MX: 1}.Append(nil)),
		func(all []upnp.Announcement) bool {
			return slices.ContainsFunc(all, func(a upnp.Announcement) bool { return a.Service }) &&
				slices.ContainsFunc(all, func(a upnp.Announcement) bool { return !a.Service })
		})
	if len(both) < 2 {
		c.Errorf("device and service are not both announced: %+v", both)
	}
}

// ask sends a request as it is, with headers in pairs, and gives status and body.
func (c *conformer) ask(method, path, body string, header ...string) (int, []byte, http.Header) {
	c.Helper()
	q, err := http.NewRequestWithContext(c.Context(), method,
		"http://"+c.Location().Host.String()+path, strings.NewReader(body))
	if err != nil {
		c.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		q.Header[header[i]] = []string{header[i+1]}
	}
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := transport.RoundTrip(q)
	if err != nil {
		c.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
	if err != nil {
		c.Fatalf("%s %s: %v", method, path, err)
	}
	return resp.StatusCode, answer, resp.Header
}

func (c *conformer) description() {
	location := c.Location()
	status, body, _ := c.ask("GET", location.Path, "")
	d, err := upnp.ParseDescription(location, body)
	if status != 200 || err != nil {
		c.Fatalf("the description: status %d, %v\n%s", status, err, body)
	}
	if d.FriendlyName != c.FriendlyName || !d.HasUDN || d.UDN != c.UUID || d.SCPD.IsZero() ||
		d.Event.IsZero() {
		c.Errorf("the description says %+v", d)
	}
	c.d = d
	if status, body, _ := c.ask("GET", d.SCPD.Path, ""); status != 200 ||
		!bytes.Contains(body, []byte("PutWLANResponse")) {
		c.Errorf("the description of the service: status %d\n%s", status, body)
	}
	for _, row := range []struct{ method, path string }{{"GET", "/nothing"}, {"GET", "/"},
		{"POST", "/nothing"}} {
		if status, _, _ := c.ask(row.method, row.path, ""); status != 404 {
			c.Errorf("%s %s: status %d", row.method, row.path, status)
		}
	}
}

// call calls an action and gives the message of the answer, or the error code of the fault.
func (c *conformer) call(a upnp.Action) (message []byte, code int) {
	c.Helper()
	q := a.Request(c.d.Control)
	var header []string
	for _, f := range q.Header {
		header = append(header, f.Name, f.Value)
	}
	status, body, _ := c.ask(q.Method, c.d.Control.Path, string(q.Body), header...)
	message, err := a.Name.ParseReply(upnp.Response{Status: status, Body: body})
	var f *upnp.Fault
	switch {
	case err == nil:
	case errors.As(err, &f):
		return nil, f.Code
	default:
		c.Errorf("%s: status %d, %v\n%s", a.Name, status, err, body)
	}
	return message, 0
}

var selected = (&wsc.SelectedRegistrar{Selected: true, ConfigMethods: wsc.ConfigLabel,
	Version2: wsc.Version20}).Append(nil)

func (c *conformer) actions() {
	message, code := c.call(upnp.Action{Name: upnp.GetDeviceInfo})
	m1, err := wsc.ParseM1(message)
	if code != 0 || err != nil {
		c.Fatalf("GetDeviceInfo: error %d, %v", code, err)
	}
	if m1.MAC != c.BSSID || m1.UUID != c.UUID || len(m1.PublicKey) != 192 ||
		m1.State != wsc.Configured {
		c.Errorf("M1 says %+v", m1)
	}
	again, _ := c.call(upnp.Action{Name: upnp.GetDeviceInfo})
	if m, err := wsc.ParseM1(again); err != nil || m.EnrolleeNonce == m1.EnrolleeNonce {
		c.Errorf("the next run has the same nonce, or %v", err)
	}
	station := [6]byte{2, 0, 0, 0, 0x77, 1}
	ack := (&wsc.Ack{EnrolleeNonce: wsc.Nonce{1}}).Append(nil)
	for _, row := range []struct {
		name string
		upnp.Action
		codes []int
	}{
		{"a message that is none", upnp.Action{Name: upnp.PutMessage, Message: []byte{0x10}},
			[]int{400, 501, 600}},
		// hostapd: out of memory
		{"no message", upnp.Action{Name: upnp.PutMessage}, []int{600, 603}},
		// 0 is none: hostapd forgets it without a word.
		{"a message for a station that is not there",
			upnp.Action{Name: upnp.PutWLANResponse, Type: upnp.EventMessage, MAC: station,
				Message: ack}, []int{0, 501}},
		{"a message of no kind", upnp.Action{Name: upnp.PutWLANResponse, Type: 7, MAC: station,
			Message: ack}, []int{402, 500, 501, 600, 601}},
		{"to be selected without a subscription",
			upnp.Action{Name: upnp.SetSelectedRegistrar, Message: selected}, []int{501}},
		{"an action that is none", upnp.Action{Name: "FormatDisk"}, []int{401}},
	} {
		if _, code := c.call(row.Action); !slices.Contains(row.codes, code) {
			c.Errorf("%s: error %d, not one of %v", row.name, code, row.codes)
		}
	}
	if status, _, _ := c.ask("POST", c.d.Control.Path, "<no", "SOAPACTION",
		`"`+upnp.ServiceType+`#PutMessage"`); status < 400 {
		c.Errorf("half an envelope: status %d", status)
	}
	if status, _, _ := c.ask("POST", c.d.Control.Path, ""); status < 400 {
		c.Errorf("no SOAPACTION: status %d", status)
	}
}

// subscribe sends SUBSCRIBE and gives status and SID.
func (c *conformer) subscribe(header ...string) (int, string) {
	c.Helper()
	status, _, h := c.ask("SUBSCRIBE", c.d.Event.Path, "", header...)
	if status != 200 {
		return status, ""
	}
	s, err := upnp.ParseSubscription(upnp.Response{Status: status,
		Header: upnp.Header{{Name: "SID", Value: h.Get("SID")},
			{Name: "TIMEOUT", Value: h.Get("TIMEOUT")}}})
	if err != nil || s.Timeout < 1800*time.Second {
		c.Errorf("SUBSCRIBE %q is granted as %+v, %v", header, s, err)
	}
	return status, s.SID
}

func (c *conformer) subscriptions() {
	unknown := "uuid:00000000-0000-4000-8000-000000000000"
	for _, row := range []struct {
		name, method string
		header       []string
		statuses     []int
	}{
		{"a callback to another network", "SUBSCRIBE",
			[]string{"CALLBACK", "<http://192.0.2.1:80/x>", "NT", "upnp:event", "TIMEOUT",
				"Second-1800"}, []int{412, 500}},
		{"a callback to a name", "SUBSCRIBE",
			[]string{"CALLBACK", "<http://localhost:80/x>", "NT", "upnp:event"}, []int{412, 500}},
		{"a callback of another scheme", "SUBSCRIBE",
			[]string{"CALLBACK", "<https://127.0.0.1:80/x>", "NT", "upnp:event"}, []int{412, 500}},
		{"another NT", "SUBSCRIBE",
			[]string{"CALLBACK", "<http://127.0.0.1:80/x>", "NT", "upnp:other"}, []int{400, 412}},
		{"no NT", "SUBSCRIBE", []string{"CALLBACK", "<http://127.0.0.1:80/x>"}, []int{412}},
		{"neither CALLBACK nor SID", "SUBSCRIBE", nil, []int{412}},
		{"both CALLBACK and SID", "SUBSCRIBE",
			[]string{"SID", unknown, "CALLBACK", "<http://127.0.0.1:80/x>"}, []int{400}},
		{"the renewal of an unknown one", "SUBSCRIBE",
			[]string{"SID", unknown, "TIMEOUT", "Second-1800"}, []int{412}},
		{"the end of an unknown one", "UNSUBSCRIBE", []string{"SID", unknown}, []int{412}},
		{"the end of none", "UNSUBSCRIBE", nil, []int{412}},
	} {
		if status, _, _ := c.ask(row.method, c.d.Event.Path, "",
			row.header...); !slices.Contains(row.statuses, status) {
			c.Errorf("%s: status %d, not one of %v", row.name, status, row.statuses)
		}
	}
}

// notified is a NOTIFY as it came.
type notified struct {
	method, path, kind string
	header             upnp.Header
	body               []byte
}

// events subscribes with a server of its own, and looks at what comes.
func (c *conformer) events() {
	came := make(chan notified, 16)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<16)) // half a body is found out below
		n := notified{method: r.Method, path: r.URL.Path,
			kind: r.Header.Get("Content-Type"), body: body}
		for name, values := range r.Header {
			n.header = append(n.header, upnp.Field{Name: name, Value: values[0]})
		}
		came <- n
	}))
	defer server.Close()
	status, sid := c.subscribe("CALLBACK", "<"+server.URL+"/here>", "NT", "upnp:event", "TIMEOUT",
		"Second-1800")
	if status != 200 {
		c.Fatalf("SUBSCRIBE: status %d", status)
	}
	ctx, cancel := context.WithTimeout(c.Context(), soon)
	defer cancel()
	select {
	case n := <-came:
		c.checkFirst(n, sid)
	case <-ctx.Done():
		c.Fatal("there is no first event")
	}
	if _, code := c.call(upnp.Action{Name: upnp.SetSelectedRegistrar,
		Message: selected}); code != 0 {
		c.Errorf("to be selected with a subscription: error %d", code)
	}
	if _, code := c.call(upnp.Action{Name: upnp.SetSelectedRegistrar,
		Message: (&wsc.SelectedRegistrar{Version2: wsc.Version20}).Append(nil)}); code != 0 {
		c.Errorf("to be selected no more: error %d", code)
	}
	if status, renewed := c.subscribe("SID", sid, "TIMEOUT", "Second-1800"); status != 200 ||
		renewed != sid {
		c.Errorf("the renewal: status %d, SID %q, not %q", status, renewed, sid)
	}
	if status, _, _ := c.ask("UNSUBSCRIBE", c.d.Event.Path, "", "SID", sid); status != 200 {
		c.Errorf("UNSUBSCRIBE: status %d", status)
	}
	if status, _ := c.subscribe("SID", sid, "TIMEOUT", "Second-1800"); status != 412 {
		c.Errorf("a renewal after the end: status %d", status)
	}
	if _, code := c.call(upnp.Action{Name: upnp.SetSelectedRegistrar,
		Message: selected}); code != 501 {
		c.Errorf("to be selected after the end: error %d", code)
	}
}

// checkFirst looks at the first event, which tells everything.
func (c *conformer) checkFirst(n notified, sid string) {
	e, err := upnp.ParseNotify(n.header)
	if err != nil || n.method != "NOTIFY" || n.path != "/here" || e.SID != sid || e.Seq != 0 ||
		!strings.HasPrefix(n.kind, "text/xml") {
		c.Errorf("the first event: %s %s, %s, %+v, %v", n.method, n.path, n.kind, e, err)
	}
	e.ReadBody(n.body)
	if e.Err != nil || e.APStatus == nil || e.STAStatus == nil || e.Event == nil {
		c.Fatalf("the first event says %s\n%s", fmt.Sprintf("%+v", e), n.body)
	}
	if kind, err := wsc.PeekMessageType(e.Event.Message); err != nil ||
		e.Event.Type == upnp.EventMessage && e.Event.MAC == [6]byte{} && kind != wsc.MsgAck {
		c.Errorf("the first event has %v of %x, %v", kind, e.Event.MAC, err)
	}
}
