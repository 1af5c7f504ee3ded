package neard

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/test/hostile"
	"wpsd/test/testbus"
)

// fakeNeard is a neard as its documentation describes it (doc/agent-api.txt, doc/manager-api.txt),
// on a bus of the test's own. It is no proof that the real one behaves so.
type fakeNeard struct {
	t    *testing.T
	conn *godbus.Conn

	mu         sync.Mutex
	registered []string // "ndef TYPE" and "handover CARRIER"
	agent      string   // unique name of the one who registered
	refuse     map[string]bool
}

func startNeard(t *testing.T, bus *testbus.Bus, refuse ...string) *fakeNeard {
	t.Helper()
	f := &fakeNeard{t: t, conn: connect(t, bus), refuse: map[string]bool{}}
	for _, r := range refuse {
		f.refuse[r] = true
	}
	methods := map[string]any{
		"RegisterNDEFAgent": func(sender godbus.Sender, p godbus.ObjectPath,
			what string) *godbus.Error {
			return f.register(sender, p, "ndef "+what)
		},
		"RegisterHandoverAgent": func(sender godbus.Sender, p godbus.ObjectPath,
			what string) *godbus.Error {
			return f.register(sender, p, "handover "+what)
		},
	}
	if err := f.conn.ExportMethodTable(methods, path, agentManager); err != nil {
		t.Fatal(err)
	}
	if got, err := f.conn.RequestName(name, godbus.NameFlagDoNotQueue); err != nil ||
		got != godbus.RequestNameReplyPrimaryOwner {
		t.Fatal(got, err)
	}
	return f
}

func connect(t *testing.T, bus *testbus.Bus) *godbus.Conn {
	t.Helper()
	conn, err := godbus.Connect(bus.Address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func (f *fakeNeard) register(sender godbus.Sender, p godbus.ObjectPath, what string) *godbus.Error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refuse[what] || p != agentPath {
		return godbus.NewError("org.neard.Error.AlreadyExists", []any{"File exists"})
	}
	f.registered, f.agent = append(f.registered, what), string(sender)
	return nil
}

// has waits until these are registered.
func (f *fakeNeard) has(want ...string) {
	f.t.Helper()
	until(f.t, "registered", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return strings.Join(f.registered, ",") == strings.Join(want, ",")
	})
}

func (f *fakeNeard) call(method string, values map[string]godbus.Variant) *godbus.Call {
	return f.conn.Object(f.unique(), agentPath).Call(method, 0, values)
}

// unique is the name of the one who registered.
func (f *fakeNeard) unique() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.agent
}

func until(t *testing.T, what string, met func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !met(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not %s", what)
		}
	}
}

// toucher is a Toucher whose calls are on record.
type toucher struct {
	mu     sync.Mutex
	told   []string
	held   int
	answer []byte
	err    error
	wait   chan struct{} // nil: do not
}

func (p *toucher) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

func (p *toucher) record(what string) error {
	p.mu.Lock()
	p.told = append(p.told, what)
	wait, err := p.wait, p.err
	p.mu.Unlock()
	if wait != nil {
		<-wait
	}
	return err
}

func (p *toucher) NFCTouched(_ context.Context, payload []byte) error {
	return p.record("tag " + string(payload))
}

func (p *toucher) NFCAnswer(_ context.Context, request []byte) ([]byte, error) {
	err := p.record("request " + string(request))
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.answer, err
}

func (p *toucher) Hold(string) func() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held++
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.held--
	}
}

func (p *toucher) was(t *testing.T, held int, told ...string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if strings.Join(p.told, "; ") != strings.Join(told, "; ") || p.held != held {
		t.Errorf("told %q, held %d; want %q, %d", p.told, p.held, told, held)
	}
	p.told = nil
}

// run starts Run on a bus of the test's own.
func run(t *testing.T, bus *testbus.Bus, p *toucher) (log *journal, stop func() error) {
	t.Helper()
	log = &journal{}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- Run(ctx, bus.Address, p, slog.New(slog.NewTextHandler(log, nil)))
	}()
	return log, func() error {
		cancel()
		return <-ended
	}
}

// journal is a log that can be read while it is written.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

const (
	tags     = "ndef application/vnd.wfa.wsc"
	handover = "handover wifi"
)

func data(pairs ...any) map[string]godbus.Variant {
	m := map[string]godbus.Variant{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i].(string)] = godbus.MakeVariant(pairs[i+1])
	}
	return m
}

// refusedWith checks the name of an error.
func refusedWith(t *testing.T, call *godbus.Call, name string) {
	t.Helper()
	var e godbus.Error
	if !errors.As(call.Err, &e) || !strings.HasSuffix(e.Name, "."+name) {
		t.Errorf("%v, want %s", call.Err, name)
	}
}

func TestTouching(t *testing.T) {
	t.Parallel()
	bus := testbus.For(t)
	p := &toucher{answer: []byte("our answer")}
	log, stop := run(t, bus, p)
	f := startNeard(t, bus)
	f.has(tags, handover)
	until(t, "held", func() bool { p.mu.Lock(); defer p.mu.Unlock(); return p.held == 1 })

	if call := f.call(ndefAgent+".GetNDEF", data("Record", "/org/neard/nfc0/tag0/record0",
		"Payload", []byte("payload"), "NDEF", []byte("whole"))); call.Err != nil {
		t.Error(call.Err)
	}
	if call := f.call(ndefAgent+".GetNDEF", data("NDEF", []byte("whole"))); call.Err != nil {
		t.Error(call.Err)
	}
	if call := f.call(handoverAgent+".PushOOB",
		data("WSC", []byte("their answer"))); call.Err != nil {
		t.Error(call.Err)
	}
	var got map[string]godbus.Variant
	if err := f.call(handoverAgent+".RequestOOB",
		data("WSC", []byte("their request"))).Store(&got); err != nil {
		t.Error(err)
	}
	if b, _ := got["WSC"].Value().([]byte); string(b) != "our answer" || len(got) != 1 {
		t.Errorf("answered %v", got)
	}
	p.was(t, 1, "tag payload", "tag whole", "tag their answer", "request their request")

	t.Log("what cannot be done is refused, and nothing of it is logged")
	// neard is about to ask itself
	refusedWith(t, f.call(handoverAgent+".RequestOOB", data()), "NotSupported")
	refusedWith(t, f.call(handoverAgent+".RequestOOB", data("EIR", []byte("bluetooth"))),
		"NotSupported")
	p.was(t, 1)
	p.set(func() { p.err = errors.New("no") })
	refusedWith(t, f.call(handoverAgent+".RequestOOB", data("WSC", []byte("secret"))),
		"NotSupported")
	refusedWith(t, f.call(ndefAgent+".GetNDEF", data("Payload", []byte("secret"))), "Failed")
	refusedWith(t, f.call(handoverAgent+".PushOOB",
		data("WSC", bytes.Repeat([]byte("x"), 40000))), "Failed")
	p.was(t, 1, "request secret", "tag secret", "tag ")
	p.set(func() { p.err, p.answer = nil, make([]byte, 256) })
	// more than neard has room for
	refusedWith(t, f.call(handoverAgent+".RequestOOB", data("WSC", []byte("r"))), "Failed")
	p.was(t, 1, "request r")

	t.Log("strangers are not neard")
	stranger, agent := connect(t, bus), f.unique()
	for _, method := range []string{ndefAgent + ".GetNDEF", handoverAgent + ".PushOOB",
		handoverAgent + ".RequestOOB"} {
		refusedWith(t, stranger.Object(agent, agentPath).Call(method, 0,
			data("WSC", []byte("evil"), "Payload", []byte("evil"))), "AccessDenied")
	}
	p.was(t, 1)

	t.Log("one touch at a time")
	p.set(func() { p.wait = make(chan struct{}) })
	first := f.conn.Object(agent, agentPath).Go(ndefAgent+".GetNDEF", 0, nil,
		data("Payload", []byte("one")))
	until(t, "begun", func() bool { p.mu.Lock(); defer p.mu.Unlock(); return len(p.told) == 1 })
	refusedWith(t, f.call(ndefAgent+".GetNDEF", data("Payload", []byte("two"))), "InProgress")
	close(p.wait)
	if call := <-first.Done; call.Err != nil {
		t.Error(call.Err)
	}
	p.was(t, 1, "tag one")

	if err := stop(); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	p.was(t, 0)
	if strings.Contains(log.String(), "secret") {
		t.Errorf("the log shows what was touched: %s", log)
	}
}

// Where there is no neard nothing happens; it may come, go, and come again.
func TestComingAndGoing(t *testing.T) {
	t.Parallel()
	bus := testbus.For(t)
	p := &toucher{}
	log, stop := run(t, bus, p)
	held := func(n int) {
		t.Helper()
		until(t, "held as often", func() bool {
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.held == n
		})
	}
	f := startNeard(t, bus)
	f.has(tags, handover)
	held(1)
	_ = f.conn.Close()
	held(0)
	// Another program has the handover, as ConnMan would.
	f = startNeard(t, bus, handover)
	f.has(tags)
	held(1)
	_ = f.conn.Close()
	held(0)
	f = startNeard(t, bus, handover, tags)
	until(t, "refused", func() bool {
		return strings.Count(log.String(), "msg=\"neard does not let wpsd") == 3
	})
	p.was(t, 0)
	f.has()
	if err := stop(); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// Whatever others on the bus send, neard is served and nobody else; and when the bus is started
// anew, so is all this.
func TestHostileBus(t *testing.T) {
	t.Parallel()
	bus := testbus.For(t)
	p := &toucher{}
	log, stop := run(t, bus, p)
	f := startNeard(t, bus)
	f.has(tags, handover)
	ctx, cancel := context.WithCancel(t.Context())
	attacker, over := &hostile.Attacker{Huge: 1 << 20, HugeTimes: 10, Names: []string{name},
		Spare: f.conn.Names()}, make(chan error, 1)
	go func() {
		_, _, err := attacker.Run(ctx, bus.Address)
		over <- err
	}()
	for range 20 {
		if call := f.call(ndefAgent+".GetNDEF", data("Payload", []byte("tag"))); call.Err != nil &&
			!strings.Contains(call.Err.Error(), "touched just now") {
			t.Fatal(call.Err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	cancel()
	if err := <-over; err != nil {
		t.Error(err)
	}
	p.mu.Lock()
	if len(p.told) == 0 || strings.Trim(strings.Join(p.told, ""), "tag ") != "" {
		t.Errorf("told %q", p.told)
	}
	p.mu.Unlock()
	if strings.Contains(log.String(), "anew") {
		t.Errorf("log: %s", log)
	}
	if err := bus.Restart(); err != nil {
		t.Fatal(err)
	}
	f = startNeard(t, bus)
	f.has(tags, handover)
	if err := stop(); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// Without a bus it waits for one.
func TestNoBus(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	log := &journal{}
	err := Run(ctx, "unix:path=/nonexistent", &toucher{}, slog.New(slog.NewTextHandler(log, nil)))
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(log.String(), "nonexistent") {
		t.Errorf("%v; log: %s", err, log)
	}
}
