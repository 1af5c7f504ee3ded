//go:build hwsim

package hwsim

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	godbus "github.com/godbus/dbus/v5"
)

// spies listen to the whole bus while a scenario runs: a monitor as root (BecomeMonitor, as
// dbus-monitor does), which gets every message, and a user without rights, who subscribes to
// everything and reads all that can be read.
//
// What the monitor sees is judged by check: a secret may be in a message from one connection to
// another where both have to know it. Nowhere else: not in a signal to everybody, an object's path,
// a property, an error, an answer to a stranger.
type spies struct {
	d        *daemon
	stranger *client
	owners   map[string]bool // unique names of those who may get secrets, and send them to wpsd
	managers map[string]bool // names of network managers, which get networks
	monitor  *godbus.Conn

	mu       sync.Mutex
	messages []*godbus.Message
	secrets  map[string][]byte // by what they are
}

// startSpies begins to listen. owners are wpsd's clients in this scenario.
func (d *daemon) startSpies(owners ...*client) *spies {
	w := d.w
	w.t.Helper()
	s := &spies{d: d, stranger: w.connectAs(uidNobody), owners: map[string]bool{},
		managers: map[string]bool{}, secrets: map[string][]byte{}}
	for _, o := range append(owners, d.client) {
		s.owners[o.conn.Names()[0]] = true
	}
	w.must(s.stranger.conn.AddMatchSignal())
	// A rule that asks for other people's messages is taken, and has no effect without a policy
	// that allows it.
	_ = s.stranger.conn.BusObject().Call("org.freedesktop.DBus.AddMatch", 0, "eavesdrop='true'").Err
	conn, err := godbus.Connect("unix:path=" + busSocket)
	w.must(err)
	w.t.Cleanup(func() { conn.Close() })
	s.monitor = conn
	heard := make(chan *godbus.Message, 1<<16)
	w.must(conn.BusObject().Call("org.freedesktop.DBus.Monitoring.BecomeMonitor", 0, []string{},
		uint32(0)).Err)
	conn.Eavesdrop(heard)
	go func() {
		for m := range heard {
			s.mu.Lock()
			s.messages = append(s.messages, m)
			s.mu.Unlock()
		}
	}()
	return s
}

// hides names a secret that nobody else may see from the beginning to the end.
func (s *spies) hides(what string, secret []byte) {
	s.d.w.t.Helper()
	if len(secret) < 8 {
		s.d.w.t.Fatalf("%s: %q is too short to be found", what, secret)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secrets[what] = bytes.Clone(secret)
}

// trusts names network managers that run: wpsd hands networks to them.
func (s *spies) trusts(names ...string) {
	s.d.w.t.Helper()
	for _, name := range names {
		var owner string
		s.d.w.must(s.d.conn.BusObject().Call("org.freedesktop.DBus.GetNameOwner", 0,
			name).Store(&owner))
		s.managers[name], s.managers[owner] = true, true
	}
}

// ours are the names of wpsd's connections.
func (s *spies) ours() map[string]bool {
	s.d.w.t.Helper()
	ours := map[string]bool{busName: true}
	var names []string
	s.d.w.must(s.d.conn.BusObject().Call("org.freedesktop.DBus.ListNames", 0).Store(&names))
	for _, name := range names {
		var pid uint32
		err := s.d.conn.BusObject().Call("org.freedesktop.DBus.GetConnectionUnixProcessID", 0,
			name).Store(&pid)
		if err == nil && int(pid) == s.d.pid() {
			ours[name] = true
		}
	}
	return ours
}

// rightly reports whether a message may have a secret in it, and whether it is one of wpsd's. What
// managers tell each other is their affair. A connection that is not there any more and called a
// manager was wpsd's, for that one call.
func (s *spies) rightly(m *godbus.Message, ours map[string]bool) (right, mine bool) {
	from, to := header[string](m, godbus.FieldSender), header[string](m, godbus.FieldDestination)
	call, fails := m.Type == godbus.TypeMethodCall, m.Type == godbus.TypeError
	switch {
	case to == "" || to == s.stranger.conn.Names()[0]:
		return false, true
	case ours[from]:
		return s.owners[to] && !fails || s.managers[to] && call, true
	case ours[to]:
		return s.owners[from] && call || s.managers[from] && !fails, true
	}
	return s.managers[from] || s.managers[to] && call, s.managers[to] && !s.managers[from]
}

// looks lets the stranger read everything that anybody can: all objects with their properties, and
// what they look like.
func (s *spies) looks() {
	t, c := s.d.w.t, s.stranger.conn
	t.Helper()
	var all map[godbus.ObjectPath]map[string]map[string]godbus.Variant
	if err := c.Object(busName, rootPath).Call(
		"org.freedesktop.DBus.ObjectManager.GetManagedObjects", 0).Store(&all); err != nil {
		t.Fatal(err)
	}
	for path := range all {
		_ = c.Object(busName, path).Call("org.freedesktop.DBus.Introspectable.Introspect", 0).Err
		for iface := range all[path] {
			_ = c.Object(busName, path).Call("org.freedesktop.DBus.Properties.GetAll", 0, iface).Err
		}
		for _, method := range []string{"Session.GetCredentials", "Network.GetSecrets"} {
			if body, err := s.stranger.call(path, method); err == nil {
				t.Errorf("a stranger gets %v of %s", body, path)
			}
		}
	}
}

// check judges what was heard. least is how many messages with a secret the monitor has to have
// seen, which proves that it would have seen one in the wrong place.
func (s *spies) check(least int) {
	t := s.d.w.t
	t.Helper()
	s.looks()
	time.Sleep(time.Second) // for what is on its way to the monitor
	ours := s.ours()
	s.mu.Lock()
	defer s.mu.Unlock()
	rightly, broadcasts := 0, 0
	for _, m := range s.messages {
		from, to := header[string](m, godbus.FieldSender),
			header[string](m, godbus.FieldDestination)
		if to == "" {
			broadcasts++
		}
		what := s.found(m)
		if what == "" {
			continue
		}
		if right, mine := s.rightly(m, ours); right {
			if mine {
				rightly++
			}
			continue
		}
		t.Errorf("%s is in a message from %s to %q: %s.%s on %s", what, from, to,
			header[string](m, godbus.FieldInterface),
			header[string](m, godbus.FieldMember), header[godbus.ObjectPath](m, godbus.FieldPath))
	}
	if rightly < least || broadcasts < 5 {
		t.Errorf("the monitor is deaf: of %d messages it saw %d with a secret, and %d broadcasts",
			len(s.messages), rightly, broadcasts)
	}
	if heard := s.stranger.signals.len(); heard < 5 {
		t.Errorf("the stranger is deaf: he heard %d signals", heard)
	}
	for _, g := range s.stranger.signals.all(0) {
		if what := s.foundIn(octetsOf(reflect.ValueOf(g.Body))); what != "" ||
			strings.HasSuffix(g.Name, "CredentialReceived") ||
			strings.HasSuffix(g.Name, "ApSettings") {
			t.Errorf("the stranger heard %s, with %s", g.Name, what)
		}
	}
	if what := s.foundIn([]byte(s.d.output())); what != "" {
		t.Errorf("wpsd's log, which is one with --debug, has %s", what)
	}
	t.Logf("%d messages, %d of them broadcasts, %d with a secret for somebody who may have it",
		len(s.messages), broadcasts, rightly)
}

// header reads a header field.
func header[T any](m *godbus.Message, f godbus.HeaderField) T {
	v, _ := m.Headers[f].Value().(T)
	return v
}

// found says which secret is in a message, body or header.
func (s *spies) found(m *godbus.Message) string {
	text := octetsOf(reflect.ValueOf(m.Body))
	for _, v := range m.Headers {
		text = append(text, fmt.Sprintln(v.Value())...)
	}
	return s.foundIn(text)
}

// foundIn looks for the secrets as they are, and in the ways in which one writes them down.
func (s *spies) foundIn(text []byte) string {
	lower := bytes.ToLower(text)
	for what, secret := range s.secrets {
		digits := hex.EncodeToString(secret)
		spaced := strings.TrimSpace(strings.Join(split(digits, 2), " "))
		for _, way := range []string{string(secret), base64.StdEncoding.EncodeToString(secret)} {
			if bytes.Contains(text, []byte(way)) {
				return what
			}
		}
		for _, way := range []string{digits, spaced, strings.ReplaceAll(spaced, " ", ":")} {
			if bytes.Contains(lower, []byte(way)) {
				return what + " in hex digits"
			}
		}
		if len(secret) == 8 && bytes.Contains(text,
			fmt.Appendf(nil, "%s-%s", secret[:4], secret[4:])) {
			return what + " as on a label"
		}
	}
	return ""
}

// split cuts a text into pieces.
func split(text string, n int) (pieces []string) {
	for ; len(text) > n; text = text[n:] {
		pieces = append(pieces, text[:n])
	}
	return append(pieces, text)
}

// octetsOf puts all texts and bytes that are anywhere in a value behind each other, with a zero
// between them.
func octetsOf(v reflect.Value) (out []byte) {
	if !v.IsValid() {
		return nil
	}
	if x, ok := v.Interface().(godbus.Variant); ok {
		return octetsOf(reflect.ValueOf(x.Value()))
	}
	switch v.Kind() {
	case reflect.String:
		return append([]byte(v.String()), 0)
	case reflect.Interface, reflect.Pointer:
		return octetsOf(v.Elem())
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 && v.Kind() == reflect.Slice {
			return append(bytes.Clone(v.Bytes()), 0)
		}
		for n := range v.Len() {
			out = append(out, octetsOf(v.Index(n))...)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			out = append(append(out, octetsOf(key)...), octetsOf(v.MapIndex(key))...)
		}
	case reflect.Struct:
		for n := range v.NumField() {
			if v.Type().Field(n).IsExported() {
				out = append(out, octetsOf(v.Field(n))...)
			}
		}
	default:
		return fmt.Appendf(nil, "%v\x00", v.Interface())
	}
	return out
}
