package service

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/drivers"
	"wpsd/drivers/sim"
	"wpsd/engine/ie"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/outcome"
	"wpsd/service/session"
	"wpsd/service/state"
	"wpsd/service/store"
)

var (
	laptop     = wsc.MAC{2, 0, 0, 0, 0, 1}
	homeBSSID  = wsc.MAC{2, 0, 0, 0, 1, 0}
	homeBSSID5 = wsc.MAC{2, 0, 0, 0, 1, 1}
	nextBSSID  = wsc.MAC{2, 0, 0, 0, 2, 0}
	farBSSID   = wsc.MAC{2, 0, 0, 0, 3, 0}
	passphrase = "correct horse battery"
	labelPIN   = "12345670"
)

// logBuffer is what was logged; goroutines of a service write to it while tests read.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logBuffer) WriteString(text string) { _, _ = l.Write([]byte(text)) }

func (l *logBuffer) Bytes() []byte { return []byte(l.String()) }

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// house is a Service in a World of its own, in a bubble where time is virtual.
type house struct {
	*testing.T
	world  *sim.World
	svc    *Service
	store  *store.Store
	sub    *state.Subscription
	events []state.Event
	log    logBuffer
}

// scene is one test in a house.
type scene struct {
	name string
	run  func(h *house)
}

func play(t *testing.T, scenes []scene) {
	t.Helper()
	for _, s := range scenes {
		t.Run(s.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { inHouse(t, nil, s.run) })
		})
	}
}

// inHouse builds a house, lets run live in it, and checks at the end that everything was given
// back.
func inHouse(t *testing.T, change func(*Config), run func(*house)) {
	t.Helper()
	h := &house{T: t, world: sim.NewWorld(sim.WorldOptions{})}
	if err := h.world.AddRadio(sim.Radio{Name: "wlan0", MAC: laptop}); err != nil {
		t.Fatal(err)
	}
	driver, err := sim.New(sim.Options{World: h.world})
	if err != nil {
		t.Fatal(err)
	}
	c := Config{
		Device: wsc.Device{DeviceName: "laptop", Manufacturer: "m", ModelName: "n",
			ModelNumber: "1", SerialNumber: "1"},
		Drivers: []drivers.Driver{driver}, Store: store.Memory(), Version: "test",
		Log: slog.New(slog.NewTextHandler(&h.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if change != nil {
		change(&c)
	}
	h.store = c.Store
	if h.svc, err = New(c); err != nil {
		t.Fatal(err)
	}
	_, h.sub = h.svc.Published().Subscribe()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.svc.Run(ctx) }()
	<-h.svc.Ready()
	run(h)
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	if state, there := h.world.RadioState("wlan0"); there &&
		(state.Up || state.Taken || !state.Associated.IsZero()) {
		t.Errorf("the interface was not given back as it was: %+v", state)
	}
	if err := driver.Close(); err != nil {
		t.Error(err)
	}
	if t.Failed() {
		t.Logf("log:\n%s", h.log.String())
	}
}

// ap adds an access point: WPA2, on channel 6, unless change says otherwise.
func (h *house) ap(change func(*sim.APOptions)) *sim.AP {
	h.Helper()
	o := sim.APOptions{
		SSID: "home", Security: sim.WPA2, Key: secret.FromString(passphrase),
		BSSs: []sim.BSS{{BSSID: homeBSSID, Frequency: 2437}},
	}
	if change != nil {
		change(&o)
	}
	ap, err := h.world.AddAP(o)
	if err != nil {
		h.Fatal(err)
	}
	return ap
}

// next is an access point beside the first one.
func (h *house) next(change func(*sim.APOptions)) *sim.AP {
	return h.ap(func(o *sim.APOptions) {
		o.SSID, o.BSSs = "next door", []sim.BSS{{BSSID: nextBSSID, Frequency: 2462, Signal: -60}}
		if change != nil {
			change(o)
		}
	})
}

func (h *house) press(ap *sim.AP) {
	h.Helper()
	if err := ap.PressButton(); err != nil {
		h.Fatal(err)
	}
}

func (h *house) enter(ap *sim.AP, pin string) {
	h.Helper()
	if err := ap.SetPIN(secret.FromString(pin)); err != nil {
		h.Fatal(err)
	}
}

func (h *house) pbc(change func(*session.StartRequest)) state.Session {
	h.Helper()
	r := session.StartRequest{Interface: "wlan0", Owner: ":1.1"}
	if change != nil {
		change(&r)
	}
	s, err := h.svc.StartPBC(h.Context(), r)
	if err != nil {
		h.Fatal(err)
	}
	return s
}

func (h *house) pin(pin string, bssid wsc.MAC) state.Session {
	h.Helper()
	s, _, err := h.svc.StartPIN(h.Context(),
		session.StartRequest{Interface: "wlan0", Owner: ":1.1", PIN: secret.FromString(pin),
			BSSID: bssid})
	if err != nil {
		h.Fatal(err)
	}
	return s
}

// wait reads events until one fits, and returns it.
func (h *house) wait(fits func(state.Event) bool) state.Event {
	h.Helper()
	ctx, cancel := context.WithTimeout(h.Context(), 10*time.Minute)
	defer cancel()
	for {
		e, err := h.sub.Next(ctx)
		if err != nil {
			h.Fatalf("no such event: %v; the last ones: %v", err,
				h.events[max(0, len(h.events)-5):])
		}
		h.events = append(h.events, e)
		if fits(e) {
			return e
		}
	}
}

// end waits for the end of a session.
func (h *house) end(s state.Session) state.Session {
	h.Helper()
	e := h.wait(func(e state.Event) bool {
		ended, ok := e.(state.SessionEnded)
		return ok && ended.Session.ID == s.ID
	})
	s = e.(state.SessionEnded).Session
	// a client makes the sentence of what D-Bus tells it
	if again := outcome.Sentence(s.Reason, outcome.FromValues(s.Detail.Values())); again !=
		s.Sentence || s.Detail.Case == "" {
		h.Errorf("%q is %q, made of its details", s.Sentence, again)
	}
	return s
}

// received waits for the credential and says how long it took.
func (h *house) received(s state.Session) time.Duration {
	h.Helper()
	h.wait(func(e state.Event) bool {
		if ended, ok := e.(state.SessionEnded); ok && ended.Session.ID == s.ID {
			h.Fatalf("the session ended without a credential: %+v", ended.Session)
		}
		return e == state.CredentialReceived{Session: s.ID}
	})
	return time.Since(s.Started)
}

// wantNetwork checks that a session succeeded with the network of the access point "home", or
// another.
func (h *house) wantNetwork(s state.Session, ssid, key string) {
	h.Helper()
	if s.State != state.StateSucceeded || s.Reason != "" || s.Sentence == "" ||
		len(s.Networks) != 1 {
		h.Fatalf("the session did not succeed: %+v", s)
	}
	got, err := h.svc.Credentials(s.ID)
	if err != nil || len(got) != 1 || string(got[0].SSID) != ssid ||
		string(got[0].Key.Bytes()) != key {
		h.Fatalf("received %d networks, %v", len(got), err)
	}
	kept, err := h.svc.NetworkSecrets(s.Networks[0])
	if err != nil || string(kept.SSID) != ssid || string(kept.Key.Bytes()) != key {
		h.Errorf("stored is another network: %q, %v", kept.SSID, err)
	}
}

// wantEnd checks how a session ended without success.
func (h *house) wantEnd(s state.Session, state state.State, reason outcome.Reason,
	code wsc.ConfigError) {
	h.Helper()
	if s.State != state || s.Reason != reason || s.ConfigError != code {
		h.Fatalf("it ended %s, %s (%d) and not %s, %s (%d): %s", s.State, s.Reason, s.ConfigError,
			state, reason, code, s.Sentence)
	}
	if len(s.Sentence) < 9 || s.Sentence == string(reason) {
		h.Errorf("no sentence for a person: %q", s.Sentence)
	}
}

// tried lists the access points in the order in which they were tried.
func (h *house) tried(id state.SessionID) []wsc.MAC {
	var list []wsc.MAC
	n := 0
	for _, e := range h.events {
		c, ok := e.(state.SessionChanged)
		if ok && c.Session.ID == id && c.Session.Detail.AccessPointsTried > n {
			n = c.Session.Detail.AccessPointsTried
			list = append(list, c.Session.Peer)
		}
	}
	return list
}

// count counts events of one type.
func count[E state.Event](h *house) int {
	n := 0
	for _, e := range h.events {
		if _, ok := e.(E); ok {
			n++
		}
	}
	return n
}

// drain reads what is there.
func (h *house) drain() {
	synctest.Wait()
	for e, ok := h.sub.TryNext(); ok; e, ok = h.sub.TryNext() {
		h.events = append(h.events, e)
	}
}

// plug adds an interface and waits until the service knows it.
func (h *house) plug(name string, mac wsc.MAC) {
	h.Helper()
	if err := h.world.AddRadio(sim.Radio{Name: name, MAC: mac}); err != nil {
		h.Fatal(err)
	}
	h.wait(func(e state.Event) bool {
		a, ok := e.(state.InterfaceAdded)
		return ok && a.Interface.Name == name
	})
}

// stranger is another device that looks for a pressed button, once.
func (h *house) stranger() {
	h.Helper()
	mac := wsc.MAC{2, 0, 0, 0, 0, 0x77}
	if err := h.world.AddRadio(sim.Radio{Name: "stranger", MAC: mac}); err != nil {
		h.Fatal(err)
	}
	d, err := sim.New(sim.Options{World: h.world})
	if err != nil {
		h.Fatal(err)
	}
	station, err := d.Station(h.Context(), "stranger")
	if err != nil {
		h.Fatal(err)
	}
	p := wsc.ProbeRequest{
		RequestType: wsc.RequestEnrollee, DevicePasswordID: wsc.PasswordIDPushButton,
		Device: wsc.Device{UUID: wsc.UUIDFromMAC(mac), ConfigMethods: wsc.ConfigVirtualPushButton,
			Version2: wsc.Version20},
	}
	if _, err := station.Scan(h.Context(),
		drivers.ScanRequest{IEs: ie.AppendWSC(nil, p.Append(nil))}); err != nil {
		h.Fatal(err)
	}
	if err := d.Close(); err != nil {
		h.Error(err)
	}
	h.world.RemoveRadio("stranger")
}

// told is a stored network as subscribers were told of it.
func (h *house) told(id state.NetworkID) state.Network {
	for _, n := range h.svc.Published().Snapshot().Networks {
		if n.ID == id {
			return n
		}
	}
	return state.Network{}
}
