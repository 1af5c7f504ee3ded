package service

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"wpsd/engine/devpass"
	"wpsd/engine/registration"
	"wpsd/engine/secret"
	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
	"wpsd/engine/wsccrypto"
	"wpsd/service/external"
)

// lan is a ControlPoint without sockets, and the access point on the other side of it: it answers
// searches, is an Enrollee for whoever learns or configures it, and passes on what stations say.
type lan struct {
	t        testing.TB
	addr     netip.Addr
	uuid     wsc.UUID
	pin      string
	settings wsc.Credential
	tag      devpass.Password // that the access point has, beside its PIN; zero: none
	tagKey   secret.Value
	heard    chan upnp.Announcement
	notified chan upnp.Notification
	changed  chan struct{}
	// slow is how long each request takes, goodbye how long the last ones do.
	slow, goodbye time.Duration
	openErr       error
	down          bool // does not answer any more

	mu       sync.Mutex
	calls    []string
	others   map[netip.Addr]int // requests to other addresses
	closed   int
	open     int
	sid      string
	seq      uint32
	enrollee *registration.Enrollee
	stations map[wsc.MAC]*registration.Enrollee
	selected *wsc.SelectedRegistrar
}

func newLAN(t testing.TB) *lan {
	return &lan{
		t: t, addr: netip.MustParseAddr("192.0.2.1"), uuid: wsc.UUIDFromMAC(homeBSSID),
		pin: labelPIN,
		settings: wsc.Credential{NetworkIndex: 1, SSID: []byte("home"), AuthType: wsc.AuthWPA2PSK,
			EncrType: wsc.EncrAES, NetworkKey: secret.FromString(passphrase), MAC: homeBSSID},
		heard: make(chan upnp.Announcement, 16), notified: make(chan upnp.Notification, 64),
		changed: make(chan struct{}, 1), stations: map[wsc.MAC]*registration.Enrollee{},
		others: map[netip.Addr]int{},
	}
}

// Open is what the Service calls.
func (l *lan) Open(string) (external.ControlPoint, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.openErr != nil {
		return nil, l.openErr
	}
	l.open++
	return l, nil
}

func (l *lan) Heard() <-chan upnp.Announcement    { return l.heard }
func (l *lan) Notified() <-chan upnp.Notification { return l.notified }
func (l *lan) Changed() <-chan struct{}           { return l.changed }

func (l *lan) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed++
	return nil
}

func (l *lan) Search(context.Context) error {
	l.announce(upnp.Answer)
	return nil
}

func (l *lan) announce(kind upnp.Kind) { l.announceAt(l.addr, kind) }

// announceAt is announce of whoever is at an address and says to be the access point. What it is
// asked the access point itself answers, but for subscriptions.
func (l *lan) announceAt(at netip.Addr, kind upnp.Kind) {
	n := upnp.Announcement{From: at, Kind: kind, UUID: l.uuid, HasUUID: true}
	if kind != upnp.Byebye {
		n.Location, n.MaxAge = upnp.URL{Host: netip.AddrPortFrom(at, 49152), Path: "/description"},
			1801*time.Second
	}
	l.heard <- n
}

func (l *lan) Do(ctx context.Context, r upnp.Request) (upnp.Response, error) {
	name := r.Method
	if r.Method == "POST" {
		_, name, _ = strings.Cut(strings.Trim(r.Header.Get("SOAPACTION"), `"`), "#")
	}
	wait := l.slow
	if name == "UNSUBSCRIBE" {
		wait = l.goodbye
	}
	select {
	case <-time.After(wait):
	case <-ctx.Done():
		return upnp.Response{}, ctx.Err()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		return upnp.Response{}, errors.New("connection refused")
	}
	l.calls = append(l.calls, name)
	if at := r.URL.Host.Addr(); at != l.addr {
		l.others[at]++
		if r.Method == "SUBSCRIBE" {
			return upnp.Subscription{SID: "uuid:other", Timeout: 1801 * time.Second}.Response(), nil
		}
	}
	switch r.Method {
	case "GET":
		at := func(path string) upnp.URL { return upnp.URL{Host: r.URL.Host, Path: path} }
		d := upnp.Description{FriendlyName: "fake", UDN: l.uuid, HasUDN: true,
			Control: at("/control"), Event: at("/event")}
		return upnp.Response{Status: 200, Body: d.Append(nil)}, nil
	case "SUBSCRIBE":
		l.sid, l.seq = fmt.Sprintf("uuid:00000000-0000-0000-0000-%012d", len(l.calls)), 0
		return upnp.Subscription{SID: l.sid, Timeout: 1801 * time.Second}.Response(), nil
	case "UNSUBSCRIBE":
		l.sid = ""
		return upnp.Response{Status: 200}, nil
	}
	a, err := upnp.ParseAction(r.Header.Get("SOAPACTION"), r.Body)
	var message []byte
	if err == nil {
		message, err = l.act(a)
	}
	if f := (*upnp.Fault)(nil); errors.As(err, &f) {
		return upnp.Response{Status: 500, Body: f.Append(nil)}, nil
	}
	return upnp.Response{Status: 200, Body: a.Name.AppendReply(nil, message)}, err
}

// act carries out an action; the lock is held.
func (l *lan) act(a upnp.Action) (message []byte, err error) {
	switch a.Name {
	case upnp.GetDeviceInfo:
		settings := l.settings
		c := registration.EnrolleeConfig{Device: device("ap", homeBSSID, wsc.Configured),
			Password: devpass.FromPIN(secret.FromString(l.pin)), APSettings: &settings}
		if l.tag.ID != 0 {
			pin := c.Password
			// a run wipes what it is given
			c.Password, c.Alternative = devpass.Password{ID: l.tag.ID,
				Value: l.tag.Value.Clone()}, &pin
			if c.KeyPair, err = wsccrypto.KeyPairFromPrivate(l.tagKey); err != nil {
				return nil, err
			}
		}
		l.enrollee, err = registration.NewEnrollee(c)
		if err != nil {
			return nil, err
		}
		return l.enrollee.Start(time.Now()).Send[0], nil
	case upnp.PutMessage:
		if send := l.enrollee.Handle(time.Now(), a.Message).Send; len(send) > 0 {
			return send[0], nil
		}
	case upnp.SetSelectedRegistrar:
		l.selected, err = wsc.ParseSelectedRegistrar(a.Message)
	case upnp.PutWLANResponse:
		if s := l.stations[a.MAC]; s != nil {
			l.events(a.MAC, s.Handle(time.Now(), a.Message).Send)
		}
	}
	return nil, err
}

// events passes messages of a station on; the lock is held.
func (l *lan) events(mac wsc.MAC, frames [][]byte) {
	for _, f := range frames {
		l.seq++
		l.notified <- upnp.Notification{From: l.addr, SID: l.sid, Seq: l.seq,
			Event: &upnp.WLANEvent{Type: upnp.EventMessage, MAC: mac, Message: f}}
	}
}

// join has a station ask to be let in.
func (l *lan) join(mac wsc.MAC, password devpass.Password) *registration.Enrollee {
	l.t.Helper()
	return l.joinAs(registration.EnrolleeConfig{Device: device("station", mac, wsc.NotConfigured),
		Password: password})
}

// joinAs is join of a station that knows more than a password.
func (l *lan) joinAs(c registration.EnrolleeConfig) *registration.Enrollee {
	l.t.Helper()
	mac := c.Device.MAC
	m, err := registration.NewEnrollee(c)
	if err != nil {
		l.t.Fatal(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stations[mac] = m
	l.events(mac, m.Start(time.Now()).Send)
	return m
}

// called counts the calls of one kind.
func (l *lan) called(name string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(slices.DeleteFunc(slices.Clone(l.calls), func(c string) bool { return c != name }))
}

func device(name string, mac wsc.MAC, state wsc.State) wsc.Device {
	return wsc.Device{
		UUID: wsc.UUIDFromMAC(mac), MAC: mac, Manufacturer: "m", ModelName: name, ModelNumber: "1",
		SerialNumber: "7", DeviceName: name,
		PrimaryDeviceType: wsc.DeviceType{0, 6, 0, 0x50, 0xf2, 4, 0, 1}, ConfigMethods: 0x2788,
		AuthTypes: 0x23, EncrTypes: 0xd, ConnTypes: 1,
		RFBands: 1, State: state, Version2: wsc.Version20,
	}
}
