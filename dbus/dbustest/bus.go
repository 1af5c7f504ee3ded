// Package dbustest is a message bus within the process: connections are pipes, so that a whole
// conversation fits into a bubble of testing/synctest. It does what a test of a service needs of a
// bus: unique and well-known names, routing, match rules, who is who, and telling that somebody
// left. The bus's word is the same as that of the real one; a test in package dbus holds the two
// side by side.
package dbustest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"

	godbus "github.com/godbus/dbus/v5"
)

// driver is the name of the bus itself.
const driver = "org.freedesktop.DBus"

// Bus is a message bus. It is safe for concurrent use.
type Bus struct {
	mu      sync.Mutex
	conns   map[string]*conn // by unique name
	owners  map[string]*conn // of well-known names
	refused map[string]bool  // names that nobody may own
	last    int
	serial  uint32
	monitor func(*godbus.Message)
	pending map[question]*conn
	done    sync.WaitGroup
}

// question is a call that waits for an answer.
type question struct {
	caller string
	serial uint32
	to     string
}

// New makes a bus. Close it at the end of the bubble.
func New() *Bus {
	return &Bus{conns: map[string]*conn{}, owners: map[string]*conn{}, refused: map[string]bool{},
		pending: map[question]*conn{}}
}

// Close ends all connections and waits until the bus has come to rest.
func (b *Bus) Close() {
	b.mu.Lock()
	for _, c := range b.conns {
		_ = c.pipe.Close()
	}
	b.mu.Unlock()
	b.done.Wait()
}

// Monitor lets f see every message that the bus delivers to anybody but itself. f must not call the
// bus.
func (b *Bus) Monitor(f func(*godbus.Message)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.monitor = f
}

// Refuse forbids everybody to own a name, as a policy does.
func (b *Bus) Refuse(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refused[name] = true
}

// Disown takes a well-known name away from its owner.
func (b *Bus) Disown(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c := b.owners[name]; c != nil {
		b.disown(name, c)
	}
}

// Rules counts the match rules of all connections.
func (b *Bus) Rules() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for _, c := range b.conns {
		n += len(c.rules)
	}
	return n
}

// Pipe makes a connection of a process of the user uid, and returns the process's end.
func (b *Bus) Pipe(uid uint32) net.Conn {
	ours, theirs := net.Pipe()
	c := &conn{bus: b, uid: uid, pipe: ours, wake: make(chan struct{}, 1),
		over: make(chan struct{})}
	b.mu.Lock()
	b.last++
	c.name = fmt.Sprintf(":1.%d", b.last)
	b.conns[c.name] = c
	b.mu.Unlock()
	b.done.Go(c.read)
	b.done.Go(c.write)
	return theirs
}

// Connect is Pipe for a client: authenticated, and with signals in order.
func (b *Bus) Connect(uid uint32) (*godbus.Conn, error) {
	pipe := b.Pipe(uid)
	conn, err := godbus.NewConn(pipe, godbus.WithSignalHandler(godbus.NewSequentialSignalHandler()))
	if err == nil {
		if err = conn.Auth([]godbus.Auth{godbus.AuthExternal(fmt.Sprint(uid))}); err == nil {
			err = conn.Hello()
		}
	}
	if err != nil {
		return nil, errors.Join(err, pipe.Close())
	}
	return conn, nil
}

// message is one on its way. What a client sent keeps its body as it came: decoded, a struct is a
// slice, which would be sent on as an array.
type message struct {
	*godbus.Message
	body []byte
}

// field reads a header field.
func field[T any](m *message, f godbus.HeaderField) T {
	v, _ := m.Headers[f].Value().(T)
	return v
}

// route passes a message on. Its sender has been stamped.
func (b *Bus) route(from *conn, m *message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	to := field[string](m, godbus.FieldDestination)
	switch {
	case to == driver && m.Type == godbus.TypeMethodCall:
		b.serve(from, m)
	case to == "" && m.Type == godbus.TypeSignal:
		b.broadcast(m)
	case b.lookup(to) == nil:
		if m.Type == godbus.TypeMethodCall {
			b.fail(from, m.Serial(), m.Flags, driver+".Error.ServiceUnknown",
				"The name "+to+" was not provided by any .service files")
		}
	default:
		target := b.lookup(to)
		switch m.Type {
		case godbus.TypeMethodCall:
			if m.Flags&godbus.FlagNoReplyExpected == 0 {
				b.pending[question{from.name, m.Serial(), target.name}] = from
			}
		case godbus.TypeMethodReply, godbus.TypeError:
			delete(b.pending, question{target.name,
				field[uint32](m, godbus.FieldReplySerial), from.name})
		}
		b.deliver(target, m)
	}
}

// lookup finds a connection by any of its names.
func (b *Bus) lookup(name string) *conn {
	if c := b.conns[name]; c != nil && c.said {
		return c
	}
	return b.owners[name]
}

// broadcast delivers a signal to all whose rules match.
func (b *Bus) broadcast(m *message) {
	if b.monitor != nil {
		b.monitor(m.Message)
	}
	for _, c := range b.conns {
		if slices.ContainsFunc(c.rules, func(r rule) bool { return b.matches(r, m) }) {
			c.put(m)
		}
	}
}

// deliver gives a message to one connection.
func (b *Bus) deliver(to *conn, m *message) {
	if b.monitor != nil && field[string](m, godbus.FieldSender) != driver {
		b.monitor(m.Message)
	}
	to.put(m)
}

// signal makes a signal of the bus itself.
func signal(member string, body ...any) *message {
	return &message{Message: &godbus.Message{
		Type: godbus.TypeSignal, Flags: godbus.FlagNoReplyExpected, Body: body,
		Headers: map[godbus.HeaderField]godbus.Variant{
			godbus.FieldSender:    godbus.MakeVariant(driver),
			godbus.FieldPath:      godbus.MakeVariant(godbus.ObjectPath("/org/freedesktop/DBus")),
			godbus.FieldInterface: godbus.MakeVariant(driver),
			godbus.FieldMember:    godbus.MakeVariant(member),
			godbus.FieldSignature: godbus.MakeVariant(godbus.SignatureOf(body...)),
		},
	}}
}

// own gives a name to a connection.
func (b *Bus) own(name string, c *conn) {
	b.owners[name] = c
	b.broadcast(signal("NameOwnerChanged", name, "", c.name))
	c.put(signal("NameAcquired", name))
}

// disown takes a name away.
func (b *Bus) disown(name string, c *conn) {
	delete(b.owners, name)
	c.put(signal("NameLost", name))
	b.broadcast(signal("NameOwnerChanged", name, c.name, ""))
}

// leave forgets a connection, and tells.
func (b *Bus) leave(c *conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.conns, c.name)
	for name, owner := range b.owners {
		if owner == c {
			b.disown(name, c)
		}
	}
	b.broadcast(signal("NameOwnerChanged", c.name, c.name, ""))
	for q, caller := range b.pending {
		if q.to == c.name {
			delete(b.pending, q)
			b.fail(caller, q.serial, 0, driver+".Error.NoReply",
				"Message recipient disconnected from message bus without replying")
		}
	}
}

// encode makes bytes of a message. Those of the bus itself have no serial yet.
func (b *Bus) encode(m *message) ([]byte, error) {
	head := *m.Message
	if m.body != nil {
		head.Body = nil
	}
	var out bytes.Buffer
	if err := head.EncodeTo(&out, binary.LittleEndian); err != nil {
		return nil, err
	}
	if m.body != nil {
		binary.LittleEndian.PutUint32(out.Bytes()[4:], uint32(len(m.body)))
		out.Write(m.body)
	}
	if m.Serial() == 0 {
		b.serial++
		binary.LittleEndian.PutUint32(out.Bytes()[8:], b.serial)
	}
	return out.Bytes(), nil
}

// rule is a match rule: the values that keys must have.
type rule map[string]string

// parseRule reads a rule without commas or quotes in its values, which is all that anybody here
// writes.
func parseRule(text string) rule {
	r := rule{}
	for pair := range strings.SplitSeq(text, ",") {
		key, value, _ := strings.Cut(pair, "=")
		r[key] = strings.Trim(value, "'")
	}
	return r
}

// matches reports whether a rule matches a broadcast signal.
func (b *Bus) matches(r rule, m *message) bool {
	for key, want := range r {
		got := ""
		switch key {
		case "type":
			got = "signal"
		case "sender":
			got = field[string](m, godbus.FieldSender)
			if owner := b.owners[want]; owner != nil {
				want = owner.name
			}
		case "interface":
			got = field[string](m, godbus.FieldInterface)
		case "member":
			got = field[string](m, godbus.FieldMember)
		case "path":
			got = string(field[godbus.ObjectPath](m, godbus.FieldPath))
		case "path_namespace":
			got = string(field[godbus.ObjectPath](m, godbus.FieldPath))
			if strings.HasPrefix(got, want+"/") {
				got = want
			}
		default:
			var n int
			if _, err := fmt.Sscanf(key, "arg%d", &n); err != nil || n >= len(m.Body) {
				return false
			}
			got, _ = m.Body[n].(string)
		}
		if got != want {
			return false
		}
	}
	return true
}
