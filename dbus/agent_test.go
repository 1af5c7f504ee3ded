package dbus

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/drivers"
	"wpsd/drivers/sim"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service"
	"wpsd/service/state"
)

// Methods of agents.
const (
	registerMethod   = managerIface + ".RegisterCredentialAgent"
	unregisterMethod = managerIface + ".UnregisterCredentialAgent"
	agentPath        = godbus.ObjectPath("/a/program")
)

// program is a client's agent. answer, if set, decides what it answers.
type program struct {
	*client
	answer func() *godbus.Error

	mu       sync.Mutex
	taken    []map[string]godbus.Variant
	raw      [][]byte
	sessions []godbus.ObjectPath
	calls    int
	released int
}

// CredentialReceived is called over the bus.
func (p *program) CredentialReceived(session godbus.ObjectPath,
	credential map[string]godbus.Variant, raw []byte) *godbus.Error {
	p.mu.Lock()
	p.calls++
	p.mu.Unlock()
	if p.answer != nil {
		if err := p.answer(); err != nil {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken, p.raw, p.sessions = append(p.taken, credential), append(p.raw, raw),
		append(p.sessions, session)
	return nil
}

// Release is called over the bus.
func (p *program) Release() *godbus.Error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.released++
	return nil
}

// agent connects a program and registers it.
func (w *world) agent(answer func() *godbus.Error) *program {
	w.t.Helper()
	p := &program{client: w.client(0), answer: answer}
	if err := p.conn.Export(p, agentPath, agentIface); err != nil {
		w.t.Fatal(err)
	}
	p.must(rootPath, registerMethod, agentPath)
	synctest.Wait()
	return p
}

// want checks what a program has by now.
func (p *program) want(calls, taken, released int) {
	p.w.t.Helper()
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.calls != calls || len(p.taken) != taken || p.released != released {
		p.w.t.Errorf("the agent was called %d times, took %d and was released %d times; want %d, %d, %d",
			p.calls, len(p.taken), p.released, calls, taken, released)
	}
}

// agentWorld is a bus with the real service and a simulated access point on it.
type agentWorld struct {
	*world
	ap    *sim.AP
	owner *client
}

// withService runs a test in a bubble in which the service is no fake.
func withService(t *testing.T, processing state.Processing, test func(w *agentWorld)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &agentWorld{world: newWorld(t)}
		air := sim.NewWorld(sim.WorldOptions{})
		driver, errDriver := sim.New(sim.Options{World: air})
		errRadio := air.AddRadio(sim.Radio{Name: "wlan0", MAC: wsc.MAC{2, 0, 0, 0, 0, 1}})
		var errAP error
		w.ap, errAP = air.AddAP(sim.APOptions{
			SSID: "home", Security: sim.WPA2, Key: secret.FromString(key),
			BSSs: []sim.BSS{{BSSID: bssid1, Frequency: 2437}},
		})
		svc, errService := service.New(service.Config{
			Device: wsc.Device{DeviceName: "laptop"}, Drivers: []drivers.Driver{driver},
			Processing: processing, Log: newLog(w.log),
		})
		b, errBus := Connect(w.bus.Pipe(0))
		for _, err := range []error{errDriver, errRadio, errAP, errService, errBus} {
			if err != nil {
				t.Fatal(err)
			}
		}
		srv, err := New(b, RoomsOf(svc), Options{Log: newLog(w.log)})
		if err != nil {
			t.Fatal(err)
		}
		w.srv = srv
		ctx, end := context.WithCancel(t.Context())
		serverCtx, endServer := context.WithCancel(t.Context())
		over := make(chan error, 1)
		go func() {
			over <- svc.Run(ctx)
			endServer() // as the daemon does: clients hear how everything ended
		}()
		<-svc.Ready()
		w.end = end
		go func() { w.over <- w.srv.Run(serverCtx) }()
		synctest.Wait()
		w.owner = w.client(0)
		test(w)
		w.end()
		if err := <-over; err != nil {
			t.Error(err)
		}
		synctest.Wait() // what was said at the end arrives
		w.stop()
		if err := driver.Close(); err != nil {
			t.Error(err)
		}
		time.Sleep(2 * time.Hour) // agents that hang come back
	})
}

// enrol lets the owner of a session receive the credential.
func (w *agentWorld) enrol() {
	w.t.Helper()
	if err := w.ap.PressButton(); err != nil {
		w.t.Fatal(err)
	}
	w.owner.must(wlan0, startPbcMethod, options())
	time.Sleep(10 * time.Second)
}

// waiting checks how many credentials wait for an agent.
func (w *agentWorld) waiting(n uint32) {
	w.t.Helper()
	if got := w.owner.must(rootPath, get, managerIface,
		"WaitingCredentials")[0].(godbus.Variant).Value(); got != n {
		w.t.Errorf("%v credentials wait, want %d", got, n)
	}
}

// refusal is an agent's error, with the key in its text: it must not get into our log.
func refusal() *godbus.Error {
	return godbus.NewError("org.example.Refused", []any{"I do not want " + key})
}

// forever waits for longer than anybody.
func forever() *godbus.Error { time.Sleep(time.Hour); return nil }

func TestAgentTakes(t *testing.T) {
	t.Parallel()
	withService(t, state.ProcessingExternal, func(w *agentWorld) {
		p, spy := w.agent(nil), w.client(0).listen()
		w.enrol()
		p.want(1, 1, 0)
		if got := plain(p.taken[0]["ssid"]) + plain(p.taken[0]["key"]) +
			plain(p.taken[0]["auth"]); got != fmt.Sprintf("%q%qWPA2PSK", "home", key) {
			t.Errorf("it got %s", got)
		}
		if p.sessions[0] != session1 {
			t.Errorf("session %s", p.sessions[0])
		}
		// The owner gets the same by a signal, and by asking; the attribute is the same to the
		// byte.
		var signalled []byte
		for range len(w.owner.signals) {
			if s := <-w.owner.signals; strings.HasSuffix(s.Name, ".CredentialReceived") {
				signalled = s.Body[1].([]byte)
			}
		}
		if len(p.raw[0]) < 8 || !bytes.HasPrefix(p.raw[0],
			[]byte{0x10, 0x0e, 0, byte(len(p.raw[0]) - 4)}) || !bytes.Equal(p.raw[0], signalled) {
			t.Errorf("raw is %x, the signal's %x", p.raw[0], signalled)
		}
		if got := w.owner.must(session1, sessionIface+
			".GetCredentials")[0].([]map[string]godbus.Variant); len(got) != 1 || plain(
			got[0]["key"]) != plain(p.taken[0]["key"]) {
			t.Errorf("GetCredentials gives %v", got)
		}
		// Nothing is stored, and nobody else hears anything (world.stop looks at all signals).
		if got := w.owner.must(rootPath, get, managerIface,
			"Networks")[0].(godbus.Variant).Value(); len(got.([]godbus.ObjectPath)) != 0 {
			t.Errorf("stored are %v", got)
		}
		for _, s := range spy.heard() {
			if strings.Contains(s, "CredentialReceived") || strings.Contains(s, key) {
				t.Errorf("the spy heard %s", s)
			}
		}
		w.waiting(0)
		w.calledOnlyAgents()
	})
}

// calledOnlyAgents checks that keys left us only in calls to agents, in unicast signals, and in
// answers.
func (w *agentWorld) calledOnlyAgents() {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	calls := 0
	for _, m := range w.messages {
		sender, _ := m.Headers[godbus.FieldSender].Value().(string)
		if m.Type != godbus.TypeMethodCall || sender != w.srv.bus.conn.Name() {
			continue
		}
		calls++
		iface, _ := m.Headers[godbus.FieldInterface].Value().(string)
		to, _ := m.Headers[godbus.FieldDestination].Value().(string)
		signature, _ := m.Headers[godbus.FieldSignature].Value().(godbus.Signature)
		if iface != agentIface || !strings.HasPrefix(to, ":") || signature.String() != "oa{sv}ay" {
			w.t.Errorf("called %s of %s with %q", iface, to, signature)
		}
		if m.Flags&godbus.FlagNoAutoStart == 0 {
			w.t.Error("a call would start a program")
		}
	}
	if calls == 0 {
		w.t.Error("nobody was called")
	}
}

// TestAgentsThatFail: whatever an agent does, the credential is there for the next.
func TestAgentsThatFail(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first func(w *agentWorld)
	}{
		"there is none": {func(w *agentWorld) { w.enrol() }},
		"it answers with an error": {func(w *agentWorld) {
			p := w.agent(refusal)
			w.enrol()
			p.want(1, 0, 0)
			time.Sleep(time.Minute)
			p.want(2, 0, 0)
		}},
		"it has no such object": {func(w *agentWorld) {
			w.client(0).must(rootPath, registerMethod, agentPath)
			w.enrol()
		}},
		"it hangs": {func(w *agentWorld) {
			p := w.agent(forever)
			w.enrol()
			p.want(1, 0, 0)
			time.Sleep(30 * time.Second)
			p.want(1, 0, 1)
			p.refused("NoAgent", rootPath, unregisterMethod, agentPath)
		}},
		"it dies while it is called": {func(w *agentWorld) {
			p := w.agent(forever)
			w.enrol()
			p.want(1, 0, 0)
			p.conn.Close()
		}},
		"it dies before": {func(w *agentWorld) {
			w.agent(nil).conn.Close()
			w.enrol()
		}},
		"it unregisters before": {func(w *agentWorld) {
			p := w.agent(nil)
			p.must(rootPath, unregisterMethod, agentPath)
			p.want(0, 0, 1)
			w.enrol()
			p.want(0, 0, 1)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			withService(t, state.ProcessingExternal, func(w *agentWorld) {
				c.first(w)
				w.waiting(1)
				p := w.agent(nil)
				p.want(1, 1, 0)
				if plain(p.taken[0]["key"]) != fmt.Sprintf("%q", key) {
					t.Errorf("it got %v", p.taken[0])
				}
				w.waiting(0)
				w.agent(nil).want(0, 0, 0)
			})
		})
	}
}

// TestAgentsDoNotDelayOthers: while an agent hangs, everybody else is served at once.
func TestAgentsDoNotDelayOthers(t *testing.T) {
	t.Parallel()
	withService(t, state.ProcessingBoth, func(w *agentWorld) {
		w.agent(forever)
		p := w.agent(nil)
		w.enrol()
		p.want(1, 1, 0)
		began := time.Now()
		w.owner.must(rootPath, managerIface+".GeneratePin")
		if got := w.owner.must(rootPath, get, managerIface,
			"Networks")[0].(godbus.Variant).Value(); len(got.([]godbus.ObjectPath)) != 1 {
			t.Errorf("stored are %v", got)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("it took %v", took)
		}
	})
}

// TestAgentsAreReleasedAtTheEnd: they learn that the daemon ends.
func TestAgentsAreReleasedAtTheEnd(t *testing.T) {
	t.Parallel()
	var p *program
	withService(t, state.ProcessingExternal, func(w *agentWorld) { p = w.agent(nil) })
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.released != 1 {
		t.Errorf("released %d times", p.released)
	}
}

// TestWhoMayBeAnAgent: it takes the authorization to read secrets, and only one's own objects are
// unregistered.
func TestWhoMayBeAnAgent(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var asked []Action
	auth := authorizer(func(_ context.Context, r Request) error {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, r.Action)
		if r.UID == 1001 {
			return nil
		}
		return ErrNotAuthorized
	})
	inBubble(t, Options{Authorizer: auth}, func(w *world) {
		good, bad := w.client(1001), w.client(1002)
		bad.refused("NotAuthorized", rootPath, registerMethod, agentPath)
		good.must(rootPath, registerMethod, agentPath)
		if !slices.Equal(asked, []Action{ActionReadSecrets, ActionReadSecrets}) {
			t.Errorf("asked %v", asked)
		}
		name := good.conn.Names()[0]
		if !w.svc.HasAgent(name) || w.svc.HasAgent(bad.conn.Names()[0]) {
			t.Error("agents of others")
		}
		good.conn.Close()
		synctest.Wait()
		if !w.svc.released(name) {
			t.Error("his agent is still there")
		}
		bad.refused("NoAgent", rootPath, unregisterMethod, agentPath)
	})
}

// TestAgentsAreNotForgotten: however many callers come after, we notice that an agent leaves.
func TestAgentsAreNotForgotten(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		p := w.agent(nil)
		name := p.conn.Names()[0]
		for range maxPeers + 10 {
			w.client(stranger).refused("NotAuthorized", wlan0, interfaceIface+".Scan", options())
		}
		p.conn.Close()
		synctest.Wait()
		if !w.svc.released(name) {
			t.Error("the agent was forgotten")
		}
	})
}
