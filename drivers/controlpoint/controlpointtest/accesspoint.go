// Package controlpointtest has access points on this machine for tests: good ones, with everything
// that WFAWLANConfig:1 is on the network, and ones that answer as no access point should.
package controlpointtest

import (
	"bytes"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"wpsd/drivers/wfadevice"
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
	// Document changes its bytes; nil: they stay as they are.
	Document func(xml []byte) []byte
	// Act answers actions: with a message, or with a *upnp.Fault. Nil: there are no actions.
	Act func(a upnp.Action) ([]byte, error)
	// First is sent to each new subscriber; nil: a dummy as hostapd's.
	First *upnp.WLANEvent
	// EventBeforeAnswer sends the first event while the subscriber still waits for its SID.
	EventBeforeAnswer bool
	// Forgets makes renewals fail as after a restart.
	Forgets bool
}

// AccessPoint serves UPnP as an access point does. It is safe for concurrent use and ends with its
// test.
type AccessPoint struct {
	device *wfadevice.Device

	mu    sync.Mutex
	calls []string
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
	network, err := wfadevice.Open(c.Interface, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = network.Close() })
	a := &AccessPoint{}
	d := wfadevice.Config{
		Address: c.Address, UUID: c.UUID, MaxAge: c.MaxAge, First: func() *upnp.WLANEvent {
			return c.First
		},
		EventBeforeAnswer: c.EventBeforeAnswer, Forgets: c.Forgets, Trace: a.note,
		Document: c.Document,
		Describe: func(d *upnp.Description) {
			d.Manufacturer, d.ModelName = "Test", "controlpointtest"
			if c.Describe != nil {
				c.Describe(d)
			}
		},
	}
	if c.Act != nil {
		d.Act = func(_ netip.Addr, call upnp.Action) ([]byte, error) { return c.Act(call) }
	}
	if a.device, err = network.Add(d); err != nil {
		t.Fatal(err)
	}
	return a
}

// Location is where its description is.
func (a *AccessPoint) Location() upnp.URL { return a.device.Location() }

// Close ends it before its test ends, without a goodbye.
func (a *AccessPoint) Close() { a.device.Close() }

// Announce sends the two announcements that matter to us, for device and service.
func (a *AccessPoint) Announce(t testing.TB, kind upnp.Kind) {
	t.Helper()
	if err := a.device.Announce(kind); err != nil {
		t.Fatal(err)
	}
}

// Send sends any datagram to the group, from the access point's address.
func (a *AccessPoint) Send(t testing.TB, datagram []byte) {
	t.Helper()
	if err := a.device.Send(datagram); err != nil {
		t.Fatal(err)
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

// Notify sends an event to all subscribers and gives the statuses that they answered with.
func (a *AccessPoint) Notify(t testing.TB, e *upnp.WLANEvent) []int {
	t.Helper()
	var statuses []int
	for _, d := range a.device.Deliver(e) {
		if d.Err != nil {
			t.Errorf("notify: %v", d.Err)
		}
		statuses = append(statuses, d.Status)
	}
	return statuses
}

// Callback gives where the latest subscriber wants its events.
func (a *AccessPoint) Callback() (callback upnp.URL, sid string) {
	all := a.device.Subscribers()
	if len(all) == 0 {
		return upnp.URL{}, ""
	}
	s := all[len(all)-1]
	return s.Callback, s.SID
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
