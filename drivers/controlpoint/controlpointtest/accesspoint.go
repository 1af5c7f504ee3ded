// Package controlpointtest has access points on this machine for tests: good ones, with everything that
// WFAWLANConfig:1 is on the network, and ones that answer as no access point should.
package controlpointtest

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"wpsd/engine/upnp"
)

// Config makes an access point. The zero value is a usable one on 127.0.0.1.
type Config struct {
	Interface string     // lo if empty
	Address   netip.Addr // where it is; 127.0.0.1 if unset
	UUID      [16]byte
	MaxAge    time.Duration // of its announcements; 1801 s if zero
	// Describe changes the description before it is served.
	Describe func(d *upnp.Description)
	// Act answers actions: with a message, or with a *upnp.Fault. Nil: there are no actions.
	Act func(a upnp.Action) ([]byte, error)
	// First is sent to each new subscriber; nil: a dummy as hostapd's.
	First *upnp.WLANEvent
	// EventBeforeAnswer sends the first event while the subscriber still waits for its SID.
	EventBeforeAnswer bool
	// Forgets makes renewals fail as after a restart.
	Forgets bool
}

// AccessPoint serves UPnP as an access point does. It is safe for concurrent use and ends with its test.
type AccessPoint struct {
	config   Config
	location upnp.URL
	group    *net.UDPConn // hears searches
	own      *net.UDPConn // answers and announces
	wait     sync.WaitGroup

	mu            sync.Mutex
	subscriptions []*subscriber
	calls         []string
	numbers       int
}

type subscriber struct {
	sid      string
	callback upnp.URL
	seq      uint32
}

// New starts an access point. It does not announce itself: see Announce.
func New(t testing.TB, c Config) *AccessPoint {
	t.Helper()
	if c.Interface == "" {
		c.Interface = "lo"
	}
	if !c.Address.IsValid() {
		c.Address = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	if c.MaxAge == 0 {
		c.MaxAge = 1801 * time.Second
	}
	i, err := net.InterfaceByName(c.Interface)
	if err != nil {
		t.Fatal(err)
	}
	a := &AccessPoint{config: c}
	if a.group, err = net.ListenMulticastUDP("udp4", i, net.UDPAddrFromAddrPort(upnp.Multicast)); err != nil {
		t.Fatal(err)
	}
	if a.own, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(c.Address, 0))); err != nil {
		t.Fatal(err)
	}
	if err := sendOn(a.own, i.Index); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp4", netip.AddrPortFrom(c.Address, 0).String())
	if err != nil {
		t.Fatal(err)
	}
	a.location = upnp.URL{Host: l.Addr().(*net.TCPAddr).AddrPort(), Path: "/wps_device.xml"}
	server := &http.Server{Handler: a, ReadTimeout: 10 * time.Second}
	a.wait.Go(func() { _ = server.Serve(l) })
	a.wait.Go(a.answerSearches)
	t.Cleanup(func() {
		_ = a.group.Close()
		_ = a.own.Close()
		_ = server.Close()
		a.wait.Wait()
	})
	return a
}

// sendOn makes a socket send to groups on an interface.
func sendOn(c *net.UDPConn, index int) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	return control(raw, func(fd int) error {
		return unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_IF, &unix.IPMreqn{Ifindex: int32(index)})
	})
}

func control(c syscall.RawConn, set func(fd int) error) (err error) {
	if e := c.Control(func(fd uintptr) { err = set(int(fd)) }); e != nil {
		return e
	}
	return err
}

// Location is where its description is.
func (a *AccessPoint) Location() upnp.URL { return a.location }

// Announce sends the two announcements that matter to us, for device and service.
func (a *AccessPoint) Announce(t testing.TB, kind upnp.Kind) {
	t.Helper()
	for _, d := range a.announcements(kind) {
		if _, err := a.own.WriteToUDPAddrPort(d.Append(nil), upnp.Multicast); err != nil {
			t.Fatal(err)
		}
	}
}

// Send sends any datagram to the group, from the access point's address.
func (a *AccessPoint) Send(t testing.TB, datagram []byte) {
	t.Helper()
	if _, err := a.own.WriteToUDPAddrPort(datagram, upnp.Multicast); err != nil {
		t.Fatal(err)
	}
}

func (a *AccessPoint) announcements(kind upnp.Kind) []upnp.Announcement {
	d := upnp.Announcement{Kind: kind, UUID: a.config.UUID, HasUUID: true, Location: a.location, MaxAge: a.config.MaxAge}
	s := d
	s.Service = true
	return []upnp.Announcement{d, s}
}

// answerSearches answers at once: nobody in a test waits for MX.
func (a *AccessPoint) answerSearches() {
	buffer := make([]byte, upnp.MaxDatagram)
	for {
		n, from, err := a.group.ReadFromUDPAddrPort(buffer)
		if err != nil {
			return
		}
		s, err := upnp.ParseSearch(buffer[:n])
		if err != nil || !slices.Contains([]string{upnp.DeviceType, upnp.ServiceType, "ssdp:all"}, s.Target) {
			continue
		}
		a.note("M-SEARCH " + s.Target)
		for _, d := range a.announcements(upnp.Answer) {
			_, _ = a.own.WriteToUDPAddrPort(d.Append(nil), from)
		}
	}
}

func (a *AccessPoint) note(call string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls = append(a.calls, call)
}

// Calls gives what was asked so far: "M-SEARCH …", "GET /wps_device.xml", "PutMessage" …
func (a *AccessPoint) Calls() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.calls)
}

// Subscriptions gives the SIDs that hold.
func (a *AccessPoint) Subscriptions() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var sids []string
	for _, s := range a.subscriptions {
		sids = append(sids, s.sid)
	}
	return sids
}

// ServeHTTP implements http.Handler.
func (a *AccessPoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call := r.Method + " " + r.URL.Path
	if r.Method == "POST" {
		_, call, _ = strings.Cut(strings.Trim(r.Header.Get("SOAPACTION"), `"`), "#")
	}
	a.note(call)
	switch r.Method + " " + r.URL.Path {
	case "GET /wps_device.xml":
		_, _ = w.Write(a.describe())
	case "POST /wps_control":
		a.act(w, r)
	case "SUBSCRIBE /wps_event":
		a.subscribe(w, r)
	case "UNSUBSCRIBE /wps_event":
		if a.forget(r.Header.Get("SID")) {
			return
		}
		w.WriteHeader(http.StatusPreconditionFailed)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (a *AccessPoint) describe() []byte {
	at := func(path string) upnp.URL { return upnp.URL{Host: a.location.Host, Path: path} }
	d := upnp.Description{
		FriendlyName: "WPS Access Point", Manufacturer: "Test", ModelName: "controlpointtest", UDN: a.config.UUID, HasUDN: true,
		SCPD: at("/wps_scpd.xml"), Control: at("/wps_control"), Event: at("/wps_event"),
	}
	if a.config.Describe != nil {
		a.config.Describe(&d)
	}
	return d.Append(nil)
}

func (a *AccessPoint) act(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, upnp.MaxMessage))
	if err != nil {
		return
	}
	action, err := upnp.ParseAction(r.Header.Get("SOAPACTION"), body)
	var message []byte
	if err == nil && a.config.Act != nil {
		message, err = a.config.Act(action)
	} else if err == nil {
		err = &upnp.Fault{Status: 500, Code: 401, Description: "Invalid Action"}
	}
	if f, ok := err.(*upnp.Fault); ok {
		w.WriteHeader(f.Status)
		_, _ = w.Write(f.Append(nil))
		return
	}
	_, _ = w.Write(action.Name.AppendReply(nil, message))
}

func (a *AccessPoint) subscribe(w http.ResponseWriter, r *http.Request) {
	var h upnp.Header
	for name, values := range r.Header {
		h = append(h, upnp.Field{Name: name, Value: values[0]})
	}
	call, err := upnp.ParseSubscribe(h)
	if refused, ok := err.(*upnp.Refused); ok {
		w.WriteHeader(refused.Status)
		return
	}
	if call.SID != "" {
		if a.config.Forgets || !slices.Contains(a.Subscriptions(), call.SID) {
			w.WriteHeader(http.StatusPreconditionFailed)
			return
		}
		grant(w, call.SID)
		return
	}
	a.mu.Lock()
	a.numbers++
	s := &subscriber{sid: fmt.Sprintf("uuid:00000000-0000-0000-0000-%012d", a.numbers), callback: call.Callbacks[0]}
	a.subscriptions = append(a.subscriptions, s)
	a.mu.Unlock()
	first := a.first()
	if a.config.EventBeforeAnswer {
		sent := make(chan struct{})
		a.wait.Go(func() { close(sent); _, _ = a.deliver(s, first) })
		<-sent
		time.Sleep(50 * time.Millisecond) // so that it most likely is there before the answer
		grant(w, s.sid)
		return
	}
	grant(w, s.sid)
	a.wait.Go(func() { _, _ = a.deliver(s, first) })
}

func (a *AccessPoint) first() upnp.Notification {
	one := uint8(1)
	n := upnp.Notification{Event: a.config.First, APStatus: &one, STAStatus: &one}
	if n.Event == nil {
		n.Event = &upnp.WLANEvent{Type: upnp.EventMessage, Message: []byte{0x10, 0x4a, 0, 1, 0x10}}
	}
	return n
}

func grant(w http.ResponseWriter, sid string) {
	for _, f := range (upnp.Subscription{SID: sid, Timeout: 1801 * time.Second}).Response().Header {
		w.Header().Set(f.Name, f.Value)
	}
}

func (a *AccessPoint) forget(sid string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	before := len(a.subscriptions)
	a.subscriptions = slices.DeleteFunc(a.subscriptions, func(s *subscriber) bool { return s.sid == sid })
	return len(a.subscriptions) < before
}

// Notify sends an event to all subscribers and gives the statuses that they answered with.
func (a *AccessPoint) Notify(t testing.TB, e *upnp.WLANEvent) []int {
	t.Helper()
	a.mu.Lock()
	all := slices.Clone(a.subscriptions)
	a.mu.Unlock()
	var statuses []int
	for _, s := range all {
		status, err := a.deliver(s, upnp.Notification{Event: e})
		if err != nil {
			t.Errorf("notify: %v", err)
		}
		statuses = append(statuses, status)
	}
	return statuses
}

// Callback gives where the latest subscriber wants its events.
func (a *AccessPoint) Callback() (callback upnp.URL, sid string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.subscriptions) == 0 {
		return upnp.URL{}, ""
	}
	s := a.subscriptions[len(a.subscriptions)-1]
	return s.callback, s.sid
}

func (a *AccessPoint) deliver(s *subscriber, n upnp.Notification) (int, error) {
	a.mu.Lock()
	n.SID, n.Seq = s.sid, s.seq
	s.seq++
	a.mu.Unlock()
	return Deliver(a.config.Address, s.callback, n.Header(), n.AppendBody(nil))
}

// Deliver sends a NOTIFY from any address of this machine.
func Deliver(from netip.Addr, to upnp.URL, h upnp.Header, body []byte) (status int, err error) {
	r, err := http.NewRequest("NOTIFY", to.String(), bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	for _, f := range h {
		r.Header.Set(f.Name, f.Value)
	}
	d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))}
	tr := &http.Transport{DialContext: d.DialContext, DisableKeepAlives: true}
	c := http.Client{Transport: tr, Timeout: 10 * time.Second}
	resp, err := c.Do(r)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}
