package er

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"wpsd/engine/devpass"
	"wpsd/engine/enginetest"
	"wpsd/engine/registration"
	"wpsd/engine/secret"
	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
	"wpsd/engine/wsccrypto"
)

// world is a network with access points and stations in virtual time. It carries out what the
// Registrar wants.
type world struct {
	t      testing.TB
	now    time.Time
	r      *Registrar
	aps    map[netip.Addr]*fakeAP
	events []Event
	asked  []APAsked // apart from the events: what an access point was asked is in log
	log    []string  // requests: "10.0.0.1 GetDeviceInfo"
	hold   bool      // requests stay under way
	held   []Do
	silent func(netip.Addr) bool // whose requests stay under way
	// searches counts Search.
	searches   int
	transcript *strings.Builder
	queue      []Action
	working    bool
	limit      int
}

func newWorld(t testing.TB) *world {
	w := &world{t: t, now: enginetest.Epoch, aps: make(map[netip.Addr]*fakeAP), limit: 1 << 20}
	w.r = New(Config{Device: device("registrar", wsc.MAC{2, 0, 0, 0, 9, 9})})
	return w
}

func device(name string, mac wsc.MAC) wsc.Device {
	return wsc.Device{
		UUID: wsc.UUIDFromMAC(mac), MAC: mac, Manufacturer: "wpsd", ModelName: name,
		ModelNumber: "1", SerialNumber: "7", DeviceName: name,
		PrimaryDeviceType: wsc.DeviceType{0, 6, 0, 0x50, 0xf2, 4, 0, 1}, ConfigMethods: 0x2788,
		AuthTypes: 0x23, EncrTypes: 0xd, ConnTypes: 1,
		RFBands: 1, State: wsc.Configured, Version2: wsc.Version20,
	}
}

func pin(text string) devpass.Password { return devpass.FromPIN(secret.FromString(text)) }

func network(ssid, key string) wsc.Credential {
	return wsc.Credential{NetworkIndex: 1, SSID: []byte(ssid), AuthType: wsc.AuthWPA2PSK,
		EncrType: wsc.EncrAES, NetworkKey: secret.FromString(key)}
}

// do carries out Actions, and those that come of them.
func (w *world) do(actions []Action) {
	w.queue = append(w.queue, actions...)
	if w.working {
		return
	}
	w.working = true
	defer func() { w.working = false }()
	for n := 0; len(w.queue) > 0; n++ {
		if n > w.limit {
			w.t.Fatalf("no end after %d actions; the last requests: %q", n,
				w.log[max(0, len(w.log)-10):])
		}
		next := w.queue[0]
		w.queue = w.queue[1:]
		switch a := next.(type) {
		case Search:
			w.searches++
			w.note("search")
			for _, p := range w.inOrder() {
				if p.up && p.announces {
					w.queue = append(w.queue, w.r.Heard(w.now, p.announcement(upnp.Answer))...)
				}
			}
		case Tell:
			if asked, ok := a.Event.(APAsked); ok { // the request itself is on record
				w.asked = append(w.asked, asked)
				continue
			}
			w.events = append(w.events, a.Event)
			w.note("tell %s", describe(a.Event))
		case Do:
			w.note("ask %v %s%s", a.Request.URL.Host.Addr(), requestName(a.Request),
				content(a.Request))
			if w.hold || w.silent != nil && w.silent(a.Request.URL.Host.Addr()) {
				w.held = append(w.held, a)
				continue
			}
			w.answer(a)
		}
	}
}

func (w *world) inOrder() []*fakeAP {
	all := make([]*fakeAP, 0, len(w.aps))
	for _, p := range w.aps {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b *fakeAP) int { return a.addr.Compare(b.addr) })
	return all
}

// release answers the requests that are held.
func (w *world) release() {
	w.hold = false
	held := w.held
	w.held = nil
	for _, d := range held {
		w.answer(d)
	}
	w.do(nil)
}

func (w *world) answer(d Do) {
	p := w.aps[d.Request.URL.Host.Addr()]
	name := requestName(d.Request)
	w.log = append(w.log, d.Request.URL.Host.Addr().String()+" "+name)
	var resp upnp.Response
	err := errors.New("connection refused")
	if p != nil && p.up {
		resp, err = p.serve(name, d.Request)
	}
	w.queue = append(w.queue, w.r.Replied(w.now, d.ID, resp, err)...)
	if p != nil {
		p.flush()
	}
}

func requestName(q upnp.Request) string {
	if q.Method != "POST" {
		if sid := q.Header.Get("SID"); sid != "" && q.Method == "SUBSCRIBE" {
			return "renew"
		}
		return q.Method
	}
	_, name, _ := strings.Cut(strings.Trim(q.Header.Get("SOAPACTION"), `"`), "#")
	return name
}

// wait lets time pass.
func (w *world) wait(d time.Duration) {
	w.t.Helper()
	end := w.now.Add(d)
	for n := 0; ; n++ {
		next := w.r.NextTick()
		if next.IsZero() || next.After(end) {
			break
		}
		if n > 1_000_000 {
			w.t.Fatal("Tick without end")
		}
		if next.After(w.now) {
			w.now = next
		}
		w.do(w.r.Tick(w.now))
	}
	w.now = end
}

// did gives the requests since the last call.
func (w *world) did() []string {
	log := w.log
	w.log = nil
	return log
}

// told gives the events since the last call, in words.
func (w *world) told() []string {
	var text []string
	for _, e := range w.events {
		text = append(text, describe(e))
	}
	w.events = nil
	return text
}

// ended finds how a run ended.
func (w *world) ended(run RunID) (RunEnded, bool) {
	var found RunEnded
	n := 0
	for _, e := range w.events {
		if e, ok := e.(RunEnded); ok && e.Run == run {
			found = e
			n++
		}
	}
	if n > 1 {
		w.t.Errorf("run %d ended %d times", run, n)
	}
	return found, n > 0
}

func (w *world) mustEnd(run RunID) RunEnded {
	w.t.Helper()
	e, ok := w.ended(run)
	if !ok {
		w.t.Fatalf("the run did not end; told: %q", w.told())
	}
	return e
}

func describe(e Event) string {
	switch e := e.(type) {
	case APAdded:
		return fmt.Sprintf("AP %v added%s", e.AP.Addr, fine(e.AP))
	case APChanged:
		return fmt.Sprintf("AP %v changed%s", e.AP.Addr, fine(e.AP))
	case APRemoved:
		return fmt.Sprintf("AP %v removed: %v", e.AP.Addr, e.Reason)
	case EnrolleeAdded:
		return fmt.Sprintf("Enrollee %v added", e.Enrollee.MAC)
	case EnrolleeChanged:
		return fmt.Sprintf("Enrollee %v changed", e.Enrollee.MAC)
	case EnrolleeRemoved:
		return fmt.Sprintf("Enrollee %v removed", e.Enrollee.MAC)
	case RunChanged:
		return fmt.Sprintf("run %d: %v", e.Run, e.Message)
	case RunEnded:
		return fmt.Sprintf("run %d ended: %v", e.Run, e.Err)
	}
	return fmt.Sprintf("%T", e)
}

func fine(a AP) string {
	switch {
	case a.Dropped:
		return ": dropped, " + a.Problem
	case a.Problem != "":
		return ": " + a.Problem
	}
	return ""
}

// fakeAP is an access point with UPnP: its own Enrollee when it is configured, and a proxy for
// stations.
type fakeAP struct {
	w         *world
	addr      netip.Addr
	uuid      wsc.UUID
	mac       wsc.MAC
	pin       string
	settings  wsc.Credential
	state     wsc.State
	up        bool
	announces bool // answers searches
	maxAge    time.Duration
	path      string
	granted   time.Duration
	describe  func(*upnp.Description)
	noPIN     bool // GetDeviceInfo fails as hostapd's without AP PIN
	locked    bool // it takes no PIN
	// wrong answers in place of the right one.
	wrong func(name string, q upnp.Request) (upnp.Response, error, bool)

	enrollee *registration.Enrollee
	sid      string
	sids     int
	seq      uint32
	selected *wsc.SelectedRegistrar
	stations map[wsc.MAC]*fakeStation
	pending  []upnp.WLANEvent
	// eventFirst delivers what a station answers before the answer to PutWLANResponse.
	eventFirst bool
}

func (w *world) newAP(n int) *fakeAP {
	var at [4]byte
	binary.BigEndian.PutUint32(at[:], 10<<24|uint32(n))
	mac := wsc.MAC{2, 0, 0, 0, byte(n >> 8), byte(n)}
	p := &fakeAP{w: w, addr: netip.AddrFrom4(at), uuid: wsc.UUIDFromMAC(mac), mac: mac,
		pin: "12345670", settings: network("net", "old passphrase"),
		state: wsc.Configured, up: true, announces: true, maxAge: 1801 * time.Second,
		path: "/wps_device.xml", granted: 1801 * time.Second,
		stations: make(map[wsc.MAC]*fakeStation)}
	p.settings.MAC = mac
	w.aps[p.addr] = p
	return p
}

func (p *fakeAP) url(path string) upnp.URL {
	return upnp.URL{Host: netip.AddrPortFrom(p.addr, 49152), Path: path}
}

func (p *fakeAP) announcement(kind upnp.Kind) upnp.Announcement {
	n := upnp.Announcement{From: p.addr, Kind: kind, UUID: p.uuid, HasUUID: true}
	if kind != upnp.Byebye {
		n.Location, n.MaxAge = p.url(p.path), p.maxAge
	}
	return n
}

// announce says something as often as hostapd does.
func (p *fakeAP) announce(kind upnp.Kind) {
	for range 8 {
		p.w.do(p.w.r.Heard(p.w.now, p.announcement(kind)))
	}
}

// restart forgets subscriptions and says goodbye and hello, as hostapd does when it starts.
func (p *fakeAP) restart() {
	p.sid, p.selected, p.enrollee = "", nil, nil
	p.announce(upnp.Byebye)
	p.announce(upnp.Alive)
}

func (p *fakeAP) serve(name string, q upnp.Request) (upnp.Response, error) {
	if p.wrong != nil {
		if resp, err, ok := p.wrong(name, q); ok {
			return resp, err
		}
	}
	switch name {
	case "GET":
		d := upnp.Description{FriendlyName: "fake " + p.addr.String(), Manufacturer: "wpsd",
			ModelName: "fake", UDN: p.uuid, HasUDN: true,
			Control: p.url("/wps_control"), Event: p.url("/wps_event")}
		if p.describe != nil {
			p.describe(&d)
		}
		return upnp.Response{Status: 200, Body: d.Append(nil)}, nil
	case "SUBSCRIBE":
		p.sids++
		p.sid, p.seq = fmt.Sprintf("uuid:00000000-0000-0000-0000-%012d", p.sids), 0
		p.event(upnp.WLANEvent{Type: upnp.EventMessage})
		return upnp.Subscription{SID: p.sid, Timeout: p.granted}.Response(), nil
	case "renew":
		if q.Header.Get("SID") != p.sid {
			return upnp.Response{Status: 412}, nil
		}
		return upnp.Subscription{SID: p.sid, Timeout: p.granted}.Response(), nil
	case "UNSUBSCRIBE":
		if q.Header.Get("SID") != p.sid {
			return upnp.Response{Status: 412}, nil
		}
		p.sid = ""
		return upnp.Response{Status: 200}, nil
	}
	a, err := upnp.ParseAction(q.Header.Get("SOAPACTION"), q.Body)
	var message []byte
	if err == nil {
		message, err = p.act(a)
	}
	if f := (*upnp.Fault)(nil); errors.As(err, &f) {
		return upnp.Response{Status: f.Status, Body: f.Append(nil)}, nil
	}
	return upnp.Response{Status: 200, Body: a.Name.AppendReply(nil, message)}, nil
}

func (p *fakeAP) act(a upnp.Action) ([]byte, error) {
	switch a.Name {
	case upnp.GetDeviceInfo:
		return p.introduce()
	case upnp.PutMessage:
		if p.enrollee == nil {
			return nil, &upnp.Fault{Status: 500, Code: 501}
		}
		return p.first(p.enrollee.Handle(p.w.now, a.Message).Send), nil
	case upnp.SetSelectedRegistrar:
		if p.sid == "" {
			return nil, &upnp.Fault{Status: 501, Code: 501}
		}
		s, err := wsc.ParseSelectedRegistrar(a.Message)
		if err != nil {
			return nil, &upnp.Fault{Status: 500, Code: 600}
		}
		if p.selected = s; !s.Selected {
			p.selected = nil
		}
	case upnp.PutWLANResponse:
		s := p.stations[a.MAC]
		if s == nil {
			return nil, &upnp.Fault{Status: 500, Code: 501}
		}
		s.handle(a.Message)
		if p.eventFirst {
			p.flush()
		}
	}
	return nil, nil
}

func (p *fakeAP) first(frames [][]byte) []byte {
	switch len(frames) {
	case 0:
		return nil
	case 1:
		return frames[0]
	}
	p.w.t.Errorf("an access point wants to send %d messages at once", len(frames))
	return nil
}

// introduce begins a run as Enrollee.
func (p *fakeAP) introduce() ([]byte, error) {
	if p.noPIN {
		return nil, &upnp.Fault{Status: 500, Code: 500}
	}
	d := device("ap", p.mac)
	d.UUID, d.State = p.uuid, p.state
	settings := p.settings
	e, err := registration.NewEnrollee(registration.EnrolleeConfig{Device: d, Password: pin(p.pin),
		APSettings: &settings, SetupLocked: p.locked})
	if err != nil {
		return nil, err
	}
	p.enrollee = e
	return e.Start(p.w.now).Send[0], nil
}

// event queues a NOTIFY.
func (p *fakeAP) event(e upnp.WLANEvent) { p.pending = append(p.pending, e) }

// flush delivers what is queued.
func (p *fakeAP) flush() {
	for len(p.pending) > 0 {
		e := p.pending[0]
		p.pending = p.pending[1:]
		if p.sid == "" {
			continue
		}
		n := upnp.Notification{From: p.addr, SID: p.sid, Seq: p.seq, Event: &e}
		p.seq++
		p.w.do(p.w.r.Notified(p.w.now, n))
	}
}

// fakeStation wants in through an access point.
type fakeStation struct {
	ap      *fakeAP
	mac     wsc.MAC
	uuid    wsc.UUID
	machine *registration.Enrollee
	deaf    int
	heard   int
}

// join begins a run of a station.
func (p *fakeAP) join(mac wsc.MAC, password devpass.Password) *fakeStation {
	p.w.t.Helper()
	return p.joinDeaf(mac, password, 0)
}

// joinDeaf is join of a station that goes silent after so many messages of ours; 0: never.
func (p *fakeAP) joinDeaf(mac wsc.MAC, password devpass.Password, deaf int) *fakeStation {
	p.w.t.Helper()
	return p.joinAs(registration.EnrolleeConfig{Device: device("station", mac),
		Password: password}, deaf)
}

// joinAs is join of a station that knows more than a password.
func (p *fakeAP) joinAs(c registration.EnrolleeConfig, deaf int) *fakeStation {
	p.w.t.Helper()
	mac := c.Device.MAC
	m, err := registration.NewEnrollee(c)
	if err != nil {
		p.w.t.Fatal(err)
	}
	s := &fakeStation{ap: p, mac: mac, uuid: wsc.UUIDFromMAC(mac), machine: m, deaf: deaf}
	p.stations[mac] = s
	s.send(m.Start(p.w.now).Send)
	p.flush()
	return s
}

func (s *fakeStation) send(frames [][]byte) {
	for _, f := range frames {
		s.ap.event(upnp.WLANEvent{Type: upnp.EventMessage, MAC: s.mac, Message: f})
	}
}

func (s *fakeStation) handle(frame []byte) {
	if s.heard++; s.deaf > 0 && s.heard >= s.deaf {
		return
	}
	s.send(s.machine.Handle(s.ap.w.now, frame).Send)
}

// got is what a station was given.
func (s *fakeStation) got() string {
	for _, c := range s.machine.Outcome().Credentials {
		return string(c.SSID) + "/" + string(c.NetworkKey.Bytes())
	}
	return ""
}

// probe has a station look for access points.
func (p *fakeAP) probe(mac wsc.MAC, id wsc.DevicePasswordID) {
	q := wsc.ProbeRequest{RequestType: wsc.RequestEnrollee, Device: device("station", mac),
		DevicePasswordID: id}
	p.event(upnp.WLANEvent{Type: upnp.EventProbe, MAC: mac, Message: q.Append(nil)})
	p.flush()
}

// start makes a world with n access points that are found. Many of them have no PIN: to introduce
// themselves would cost each a key pair.
func start(t testing.TB, n int) (*world, []*fakeAP) {
	w := newWorld(t)
	var all []*fakeAP
	for i := range n {
		p := w.newAP(i + 1)
		p.noPIN = n > 64
		all = append(all, p)
	}
	w.do(w.r.Start(w.now, netip.Addr{}))
	if got := len(w.r.APs()); got != n {
		t.Fatalf("%d access points found, not %d: %q", got, n, w.told())
	}
	return w, all
}

// id finds the entry of an access point.
func (p *fakeAP) id() APID {
	p.w.t.Helper()
	for _, a := range p.w.r.APs() {
		if a.Addr == p.addr && a.UUID == p.uuid {
			return a.ID
		}
	}
	p.w.t.Fatalf("%v is not in the list", p.addr)
	return 0
}

// watchKeys gives runs key pairs that it remembers. What it returns checks that all of them were
// overwritten: a run that has ended forgets its keys, however it ended.
func (w *world) watchKeys() (forgets func()) {
	var pairs []*wsccrypto.KeyPair
	w.r.keyPair = func() *wsccrypto.KeyPair {
		pair, err := wsccrypto.GenerateKeyPair(rand.Reader)
		if err != nil {
			w.t.Fatal(err)
		}
		pairs = append(pairs, pair)
		return pair
	}
	return func() {
		w.t.Helper()
		if len(pairs) == 0 {
			w.t.Error("no run has taken a key pair")
		}
		for i, p := range pairs {
			if slices.ContainsFunc(p.Private().Bytes(), func(b byte) bool { return b != 0 }) {
				w.t.Errorf("key pair %d of %d is in memory still", i+1, len(pairs))
			}
		}
	}
}
