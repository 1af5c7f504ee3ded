package dbus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/dbus/bus"
	"wpsd/dbus/dbustest"
	"wpsd/engine/discovery"
	"wpsd/engine/wsc"
	"wpsd/introspection"
	"wpsd/service/state"
)

// What the tests are about.
const (
	wlan0    = godbus.ObjectPath("/fi/w1/wps/interfaces/wlan0")
	session1 = godbus.ObjectPath("/fi/w1/wps/sessions/1")
	network7 = godbus.ObjectPath("/fi/w1/wps/networks/7")
	key      = "a key that nobody may see"
	rawKey   = "\x10\x0e raw " + key
)

var (
	stranger = uint32(os.Geteuid() + 4242)
	laptop   = wsc.MAC{2, 0, 0, 0, 0, 0} // wlan0
	bssid1   = wsc.MAC{2, 0, 0, 0, 1, 0}
	ap1      = wlan0 + "/aps/02_00_00_00_01_00"
	epoch    = time.UnixMicro(1_700_000_000_000_000)
)

// accessPoint is one that says everything.
func accessPoint() state.AccessPoint {
	return state.AccessPoint{
		Interface: "wlan0", BSSID: bssid1, SSID: []byte("home"), Frequency: 2412, Signal: -40,
		Class: discovery.Plain, LastSeen: epoch,
		Ad: wsc.Advertisement{
			Version2: wsc.Version20, State: wsc.Configured, HasUUIDE: true,
			UUIDE:        wsc.UUIDFromMAC(bssid1),
			Manufacturer: "maker", ModelName: "model", ModelNumber: "1", SerialNumber: "2",
			DeviceName:        "router\x1b[2J\xff",
			PrimaryDeviceType: wsc.DeviceType{0, 6, 0, 0x50, 0xf2, 4, 0, 1},
			ConfigMethods:     wsc.ConfigLabel,
		},
	}
}

// buffer is what was logged; goroutines write to it while tests read.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func (b *buffer) Reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text.Reset()
}

// newLog writes text.
func newLog(to io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(to, nil)) }

// sessionOne tells of a session.
func sessionOne(owner string) state.Event {
	return state.SessionAdded{Session: state.Session{ID: 1, Interface: "wlan0", Owner: owner,
		State: state.StateScanning}}
}

// world is a bus with a Server on it.
type world struct {
	t    *testing.T
	bus  *dbustest.Bus
	svc  *house
	srv  *Server
	log  *buffer
	end  context.CancelFunc
	over chan error

	mu       sync.Mutex
	messages []*godbus.Message // all that went over the bus
}

// inBubble runs a test in a bubble, with a Server that serves.
func inBubble(t *testing.T, o Options, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.start(o)
		synctest.Wait()
		test(w)
		w.stop()
	})
}

// newWorld makes a bus and a service, but no Server.
func newWorld(t *testing.T) *world {
	w := &world{t: t, bus: dbustest.New(), log: &buffer{}, over: make(chan error, 1)}
	if t == nil {
		w.svc = newHouse(nil, newLog(w.log))
	} else {
		w.svc = newHouse(t, newLog(w.log))
	}
	w.bus.Monitor(func(m *godbus.Message) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.messages = append(w.messages, m)
	})
	return w
}

// start runs a Server.
func (w *world) start(o Options) {
	w.t.Helper()
	b, err := Connect(w.bus.Pipe(0))
	if err != nil {
		w.t.Fatal(err)
	}
	w.serve(b, o)
}

// startPolkit runs a Server that asks polkit.
func (w *world) startPolkit() *Polkit {
	w.t.Helper()
	b, err := Connect(w.bus.Pipe(0))
	if err != nil {
		w.t.Fatal(err)
	}
	auth := NewPolkit(b, newLog(w.log))
	w.serve(b, Options{Authorizer: auth})
	return auth
}

func (w *world) serve(b *Bus, o Options) {
	w.t.Helper()
	if o.Managers == nil {
		o.Managers = []string{"networkmanager", "iwd"}
	}
	if o.Log == nil {
		o.Log = newLog(w.log)
	}
	var err error
	if w.srv, err = New(b, w.svc.Rooms, o); err != nil {
		w.t.Fatal(err)
	}
	w.srv.handlers = w.svc.listens(handlers)
	ctx, cancel := context.WithCancel(w.t.Context())
	w.end = cancel
	go func() { w.over <- w.srv.Run(ctx) }()
}

// stop ends everything and looks once more at what was said.
func (w *world) stop() {
	w.t.Helper()
	synctest.Wait()
	if err := w.svc.close(); err != nil { // as the daemon does: clients hear how everything ends
		w.t.Error(err)
	}
	synctest.Wait()
	w.end()
	if err := <-w.over; !errors.Is(err, context.Canceled) {
		w.t.Errorf("Run returned %v", err)
	}
	w.bus.Close()
	w.checkSignals()
	if strings.Contains(w.log.String(), key) {
		w.t.Error("the log shows a key")
	}
}

// client connects somebody.
func (w *world) client(uid uint32) *client {
	w.t.Helper()
	conn, err := w.bus.Connect(uid)
	if err != nil {
		w.t.Fatal(err)
	}
	c := &client{w: w, conn: conn, signals: make(chan *godbus.Signal, 4096)}
	conn.Signal(c.signals)
	return c
}

// client is a connection to the bus.
type client struct {
	w       *world
	conn    *godbus.Conn
	signals chan *godbus.Signal
}

// listen subscribes to everything that the service tells everybody.
func (c *client) listen() *client {
	c.w.t.Helper()
	if err := c.conn.AddMatchSignal(godbus.WithMatchSender(BusName)); err != nil {
		c.w.t.Fatal(err)
	}
	return c
}

// call calls a method, with its full name.
func (c *client) call(path godbus.ObjectPath, method string, args ...any) *godbus.Call {
	return c.conn.Object(BusName, path).Call(method, 0, args...)
}

// send is call for a message that godbus does not make: with the flag for interactive
// authorization, or, if iface is empty, without interface.
func (c *client) send(flags godbus.Flags, path godbus.ObjectPath, iface, member string,
	args ...any) *godbus.Call {
	return <-c.goSend(flags, path, iface, member, args...).Done
}

// goSend is send that does not wait.
func (c *client) goSend(flags godbus.Flags, path godbus.ObjectPath, iface, member string,
	args ...any) *godbus.Call {
	m := &godbus.Message{Type: godbus.TypeMethodCall, Flags: flags, Body: args,
		Headers: map[godbus.HeaderField]godbus.Variant{
			godbus.FieldDestination: godbus.MakeVariant(BusName),
			godbus.FieldPath:        godbus.MakeVariant(path),
			godbus.FieldMember:      godbus.MakeVariant(member),
		}}
	if iface != "" {
		m.Headers[godbus.FieldInterface] = godbus.MakeVariant(iface)
	}
	if len(args) > 0 {
		m.Headers[godbus.FieldSignature] = godbus.MakeVariant(godbus.SignatureOf(args...))
	}
	return c.conn.Send(m, nil)
}

// must is call for what has to succeed.
func (c *client) must(path godbus.ObjectPath, method string, args ...any) []any {
	c.w.t.Helper()
	call := c.call(path, method, args...)
	if call.Err != nil {
		c.w.t.Fatalf("%s on %s: %v", method, path, call.Err)
	}
	return call.Body
}

// refused checks that a call ends with the error of this name, and with a sentence.
func (c *client) refused(name string, path godbus.ObjectPath, method string, args ...any) string {
	c.w.t.Helper()
	call := c.call(path, method, args...)
	var e godbus.Error
	if !errors.As(call.Err, &e) {
		c.w.t.Fatalf("%s on %s: %v, want %s", method, path, call.Err, name)
	}
	if !strings.Contains(name, ".") {
		name = errorPrefix + name
	}
	text := e.Error()
	if e.Name != name || !isSentence(text) {
		c.w.t.Errorf("%s on %s: %s (%s), want %s", method, path, e.Name, text, name)
	}
	return text
}

// isSentence reports whether text looks like one.
func isSentence(text string) bool {
	return len(text) > 10 && strings.HasSuffix(text, ".") && strings.ToUpper(text[:1]) == text[:1]
}

// heard returns the signals that came until now, as text.
func (c *client) heard() []string {
	synctest.Wait()
	var list []string
	for {
		select {
		case s := <-c.signals:
			_, member, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(s.Name, "fi.w1.wps."),
				"org.freedesktop.DBus."), ".")
			list = append(list, fmt.Sprintf("%s %s %s",
				strings.TrimPrefix(string(s.Path), string(rootPath)), member, plain(s.Body)))
		default:
			return list
		}
	}
}

// plain shows values without the noise of variants, sorted.
func plain(v any) string {
	switch v := v.(type) {
	case godbus.Variant:
		return plain(v.Value())
	case map[string]godbus.Variant:
		return fmt.Sprint(plainMap(v))
	case map[string]map[string]godbus.Variant:
		m := map[string]string{}
		for name := range v {
			m[name] = "…"
		}
		return fmt.Sprint(m)
	case []any:
		list := []string{}
		for _, e := range v {
			list = append(list, plain(e))
		}
		return strings.Join(list, " ")
	case []byte:
		return fmt.Sprintf("%q", v)
	case string:
		if v == "" {
			return `""`
		}
	}
	return fmt.Sprint(v)
}

func plainMap(v map[string]godbus.Variant) map[string]string {
	m := map[string]string{}
	for name, value := range v {
		m[name] = plain(value)
	}
	return m
}

// options makes an a{sv} of keys and values.
func options(pairs ...any) map[string]godbus.Variant {
	o := map[string]godbus.Variant{}
	for n := 0; n < len(pairs); n += 2 {
		o[pairs[n].(string)] = godbus.MakeVariant(pairs[n+1])
	}
	return o
}

// checkSignals holds everything that was said against the introspection data, and looks for secrets
// where none may be.
func (w *world) checkSignals() {
	w.t.Helper()
	all, err := introspection.All()
	if err != nil {
		w.t.Fatal(err)
	}
	api := map[string]*introspection.Interface{}
	for i := range all {
		api[all[i].Name] = &all[i]
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range w.messages {
		to, _ := m.Headers[godbus.FieldDestination].Value().(string)
		if m.Type != godbus.TypeSignal {
			continue
		}
		iface, _ := m.Headers[godbus.FieldInterface].Value().(string)
		member, _ := m.Headers[godbus.FieldMember].Value().(string)
		if iface == bus.Driver {
			continue
		}
		if to == "" && strings.Contains(fmt.Sprintf("%q", m.Body), "nobody may see") {
			w.t.Errorf("%s.%s tells everybody a key", iface, member)
		}
		if (member == "CredentialReceived" || member == "ApSettings") != (to != "") {
			w.t.Errorf("%s.%s goes to %q", iface, member, to)
		}
		declared := "undeclared"
		if i := api[iface]; i != nil {
			for _, s := range i.Signals {
				if s.Name == member {
					declared = introspection.Signature(s.Args)
				}
			}
		}
		if got := m.Headers[godbus.FieldSignature].Value().(godbus.Signature).String(); got != declared {
			w.t.Errorf("%s.%s has the signature %q, declared is %q", iface, member, got, declared)
		}
		if member == "PropertiesChanged" {
			name, _ := m.Body[0].(string)
			changed, _ := m.Body[1].(map[string]godbus.Variant)
			checkTypes(w.t, api[name], changed, introspection.EmitsValue)
		}
	}
}

// checkTypes holds the types of properties against the introspection data. emits, if not empty, is
// how they have to be annotated.
func checkTypes(t *testing.T, i *introspection.Interface, got map[string]godbus.Variant, emits introspection.Emits) {
	t.Helper()
	found := 0
	for _, p := range i.Properties {
		v, ok := got[p.Name]
		if !ok {
			continue
		}
		found++
		if v.Signature().String() != p.Type {
			t.Errorf("%s.%s is of type %q, declared is %q", i.Name, p.Name, v.Signature(), p.Type)
		}
		if emits != "" && p.Emits != emits {
			t.Errorf("%s.%s was signalled, but is declared %q", i.Name, p.Name, p.Emits)
		}
	}
	if found != len(got) {
		t.Errorf("%s: undeclared properties among %v", i.Name, reflect.ValueOf(got).MapKeys())
	}
}
