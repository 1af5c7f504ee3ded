package control

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/drivers"
	"wpsd/drivers/none"
	"wpsd/drivers/sim"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service"
	"wpsd/service/control/reply"
)

var (
	laptop    = wsc.MAC{2, 0, 0, 0, 0, 1}
	homeBSSID = wsc.MAC{2, 0, 0, 0, 1, 0}
	farBSSID  = wsc.MAC{2, 0, 0, 0, 3, 0}
)

const (
	passphrase = "correct horse battery"
	labelPIN   = "12345670"
)

// house is a Service with a radio in a simulated World and a Server without sockets: commands are
// handed in, and events collected. Time is virtual.
type house struct {
	*testing.T
	world  *sim.World
	svc    *service.Service
	server *Server
	wlan   *port
	global *port
	log    bytes.Buffer

	mu     sync.Mutex
	events []string // of everybody that may see everything, on wlan0
	public []string // of those that may read
}

// play runs scenes, each in a house of its own.
func play(t *testing.T, change func(*service.Config, *Options), scenes map[string]func(h *house)) {
	t.Helper()
	for name, run := range scenes {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { inHouse(t, change, run) })
		})
	}
}

func inHouse(t *testing.T, change func(*service.Config, *Options), run func(*house)) {
	t.Helper()
	h := &house{T: t, world: sim.NewWorld(sim.WorldOptions{})}
	if err := h.world.AddRadio(sim.Radio{Name: "wlan0", MAC: laptop}); err != nil {
		t.Fatal(err)
	}
	driver, err := sim.New(sim.Options{World: h.world})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(&h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	c := service.Config{Device: wsc.Device{DeviceName: "laptop"},
		Drivers: []drivers.Driver{driver, none.New(nil)}, Version: "test", Log: log}
	o := Options{Log: log, LogLevel: new(slog.LevelVar)}
	if change != nil {
		change(&c, &o)
	}
	if h.svc, err = service.New(c); err != nil {
		t.Fatal(err)
	}
	if h.server, err = New(h.svc, o); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	go func() { ended <- h.svc.Run(ctx) }()
	<-h.svc.Ready()
	h.wlan, h.global = h.port("wlan0"), h.port("")
	attached(t, h.wlan.monitors, caller{address: "/full", may: accessFull})
	attached(t, h.wlan.monitors, caller{address: "/read", may: accessRead})
	h.events, h.public = nil, nil
	go func() { ended <- h.server.Run(ctx) }()
	<-h.server.Listening()
	run(h)
	cancel()
	for range 2 {
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
	if err := driver.Close(); err != nil {
		t.Error(err)
	}
	for _, word := range []string{passphrase, labelPIN} {
		if strings.Contains(h.log.String(), word) {
			t.Errorf("the log has the secret %q", word)
		}
	}
	if t.Failed() {
		t.Logf("log:\n%s", h.log.String())
	}
}

// attached has a client attach and hear so.
func attached(t *testing.T, m *monitors, c caller) {
	t.Helper()
	if !m.attach(c) {
		t.Fatal("no room for ", c.address)
	}
	if err := m.answer(c, []byte(replyOK)); err != nil {
		t.Fatal(err)
	}
}

// port is a port without a socket.
func (h *house) port(ifname string) *port {
	p := &port{server: h.server, ifname: ifname}
	p.monitors = newMonitors(func(to reply.Recipient, message []byte) (*reply.Held, error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		if to.Address == "/read" {
			h.public = append(h.public, string(message))
		} else {
			h.events = append(h.events, string(message))
		}
		return nil, nil
	})
	h.server.mu.Lock()
	h.server.ports[ifname] = p
	h.server.mu.Unlock()
	return p
}

// ask sends a command as somebody who may do everything.
func (h *house) ask(command string) string {
	return string(h.wlan.answer(h.Context(), caller{address: "/client", may: accessFull},
		[]byte(command)))
}

// peek sends a command as somebody who may only look.
func (h *house) peek(command string) string {
	return string(h.wlan.answer(h.Context(), caller{address: "/reader", may: accessRead},
		[]byte(command)))
}

func (h *house) askGlobal(command string) string {
	return string(h.global.answer(h.Context(), caller{address: "/client", may: accessFull},
		[]byte(command)))
}

// want checks replies to commands, in order.
func (h *house) want(rows ...[2]string) {
	h.Helper()
	for _, row := range rows {
		if got := h.ask(row[0]); got != row[1] {
			h.Errorf("%s: %q, not %q", row[0], got, row[1])
		}
	}
}

// told returns what was told so far, and forgets it.
func (h *house) told() []string {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	list := h.events
	h.events = nil
	return list
}

// tells checks that exactly these events were told, each without its level.
func (h *house) tells(want ...string) {
	h.Helper()
	got := h.told()
	for i, text := range got {
		got[i] = strings.TrimPrefix(text, "<3>")
	}
	if !slices.Equal(got, want) {
		h.Errorf("told:\n\t%s\nnot:\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// ap adds an access point: WPA2, on channel 6, unless change says otherwise.
func (h *house) ap(change func(*sim.APOptions)) *sim.AP {
	h.Helper()
	o := sim.APOptions{
		SSID: "home", Security: sim.WPA2, Key: secret.FromString(passphrase),
		BSSs: []sim.BSS{{BSSID: homeBSSID, Frequency: 2437, Signal: -50}},
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

// over waits until no session runs any more.
func (h *house) over() {
	h.Helper()
	for range 400 {
		time.Sleep(time.Second)
		if h.server.svc.Published().Snapshot().Interfaces[0].Session == 0 {
			time.Sleep(time.Second)
			return
		}
	}
	h.Fatal("a session goes on for ever")
}

// found is what a run tells from its start until an access point is tried.
func found(active, available string) []string {
	list := []string{"CTRL-EVENT-SCAN-STARTED ", "CTRL-EVENT-SCAN-RESULTS ", available,
		"Trying to associate with 02:00:00:00:01:00 (SSID='home' freq=2437 MHz)"}
	if active != "" {
		list = append([]string{active}, list...)
	}
	return list
}

// exchange is what a run tells from the association on; it ends with what.
func exchange(what ...string) []string { return append(exchangeWith(homeBSSID), what...) }

// exchangeWith is the same with another access point, as far as EAP.
func exchangeWith(bssid wsc.MAC) []string {
	return []string{
		"Associated with " + bssid.String(),
		"CTRL-EVENT-EAP-STARTED EAP authentication started",
		"CTRL-EVENT-EAP-STATUS status='started' parameter=''",
		"CTRL-EVENT-EAP-PROPOSED-METHOD vendor=14122 method=1",
		"CTRL-EVENT-EAP-STATUS status='accept proposed method' parameter='WSC'",
		"CTRL-EVENT-EAP-METHOD EAP vendor 14122 method 1 (WSC) selected",
	}
}

// apart is how every run ends.
var apart = []string{
	"CTRL-EVENT-EAP-STATUS status='completion' parameter='failure'",
	"CTRL-EVENT-EAP-FAILURE EAP authentication failed",
	"CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:01:00 reason=3 locally_generated=1",
}

// idle reports whether nobody waits for events.
func (s *Server) idle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.ports {
		if p.monitors.count() > 0 {
			return false
		}
	}
	return true
}

// count is how many have attached.
func (m *monitors) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.list)
}
