package dbustest

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"

	godbus "github.com/godbus/dbus/v5"
)

// conn is the bus's side of a connection.
type conn struct {
	bus   *Bus
	name  string
	uid   uint32
	pipe  net.Conn
	said  bool // hello
	rules []rule
	over  chan struct{}

	mu    sync.Mutex
	queue [][]byte // what the other side has not read yet
	wake  chan struct{}
}

// put queues a message for the other side; the caller holds the bus's lock. A bus never waits for
// anybody.
func (c *conn) put(m *message) {
	frame, err := c.bus.encode(m)
	if err != nil {
		panic(err) // the test sends what nobody can: it has to know
	}
	c.mu.Lock()
	c.queue = append(c.queue, frame)
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// write sends what is queued until the connection ends.
func (c *conn) write() {
	for {
		c.mu.Lock()
		frames := c.queue
		c.queue = nil
		c.mu.Unlock()
		for _, frame := range frames {
			if _, err := c.pipe.Write(frame); err != nil {
				return
			}
		}
		if len(frames) > 0 {
			continue
		}
		select {
		case <-c.wake:
		case <-c.over:
			return
		}
	}
}

// read takes messages from the other side until the connection ends.
func (c *conn) read() {
	defer close(c.over)
	defer c.bus.leave(c)
	defer func() { _ = c.pipe.Close() }()
	r := bufio.NewReader(c.pipe)
	if err := c.authenticate(r); err != nil {
		return
	}
	for {
		var frame bytes.Buffer
		m, err := godbus.DecodeMessage(io.TeeReader(r, &frame))
		if err != nil || frame.Bytes()[0] != 'l' {
			return
		}
		m.Headers[godbus.FieldSender] = godbus.MakeVariant(c.name)
		length := int(binary.LittleEndian.Uint32(frame.Bytes()[4:]))
		c.bus.route(c, &message{Message: m, body: frame.Bytes()[frame.Len()-length:]})
	}
}

// authenticate takes everybody for who they say they are.
func (c *conn) authenticate(r *bufio.Reader) error {
	if _, err := r.ReadByte(); err != nil { // a zero comes first
		return err
	}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return err
		}
		answer := "OK 0123456789abcdef0123456789abcdef"
		switch line = strings.TrimSpace(line); line {
		case "AUTH":
			answer = "REJECTED EXTERNAL"
		case "BEGIN":
			return nil
		}
		if _, err := c.pipe.Write([]byte(answer + "\r\n")); err != nil {
			return err
		}
	}
}

// fail answers a call with an error. The caller holds the bus's lock.
func (b *Bus) fail(to *conn, serial uint32, flags godbus.Flags, name, text string) {
	if flags&godbus.FlagNoReplyExpected != 0 {
		return
	}
	b.answer(to, serial, godbus.TypeError, map[godbus.HeaderField]godbus.Variant{
		godbus.FieldErrorName: godbus.MakeVariant(name)}, text)
}

// answer sends an answer of the bus itself.
func (b *Bus) answer(to *conn, serial uint32, kind godbus.Type,
	headers map[godbus.HeaderField]godbus.Variant, body ...any) {
	headers[godbus.FieldReplySerial] = godbus.MakeVariant(serial)
	headers[godbus.FieldSender] = godbus.MakeVariant(driver)
	headers[godbus.FieldDestination] = godbus.MakeVariant(to.name)
	if len(body) > 0 {
		headers[godbus.FieldSignature] = godbus.MakeVariant(godbus.SignatureOf(body...))
	}
	to.put(&message{Message: &godbus.Message{Type: kind, Flags: godbus.FlagNoReplyExpected,
		Headers: headers, Body: body}})
}

// serve answers a call to the bus itself. The caller holds the bus's lock.
func (b *Bus) serve(from *conn, m *message) {
	reply := func(body ...any) {
		if m.Flags&godbus.FlagNoReplyExpected == 0 {
			b.answer(from, m.Serial(), godbus.TypeMethodReply,
				map[godbus.HeaderField]godbus.Variant{}, body...)
		}
	}
	fail := func(name, text string) {
		b.fail(from, m.Serial(), m.Flags, driver+".Error."+name, text)
	}
	arg := ""
	if len(m.Body) > 0 {
		arg, _ = m.Body[0].(string)
	}
	switch field[string](m, godbus.FieldMember) {
	case "Hello":
		from.said = true
		reply(from.name)
		b.broadcast(signal("NameOwnerChanged", from.name, "", from.name))
	case "RequestName":
		switch owner := b.owners[arg]; {
		case b.refused[arg]:
			fail("AccessDenied", "Connection is not allowed to own the service "+arg)
		case owner == from:
			reply(uint32(godbus.RequestNameReplyAlreadyOwner))
		case owner != nil:
			reply(uint32(godbus.RequestNameReplyExists))
		default:
			b.own(arg, from)
			reply(uint32(godbus.RequestNameReplyPrimaryOwner))
		}
	case "ReleaseName":
		reply(b.releaseName(from, arg))
	case "ListNames":
		reply(b.names())
	case "GetNameOwner":
		if c := b.lookup(arg); c != nil {
			reply(c.name)
		} else {
			fail("NameHasNoOwner", "Could not get owner of name '"+arg+"': no such name")
		}
	case "GetConnectionUnixUser":
		if c := b.lookup(arg); c != nil {
			reply(c.uid)
		} else {
			fail("NameHasNoOwner", "Could not get UID of name '"+arg+"': no such name")
		}
	case "AddMatch":
		from.rules = append(from.rules, parseRule(arg))
		reply()
	case "RemoveMatch":
		if b.removeRule(from, parseRule(arg)) {
			reply()
		} else {
			fail("MatchRuleNotFound", "The given match rule wasn't found and can't be removed")
		}
	default:
		fail("UnknownMethod", "the bus of dbustest has no such method")
	}
}

// releaseName does what the call of that name does, and gives its answer.
func (b *Bus) releaseName(from *conn, name string) uint32 {
	if b.owners[name] != from {
		return uint32(godbus.ReleaseNameReplyNotOwner)
	}
	b.disown(name, from)
	return uint32(godbus.ReleaseNameReplyReleased)
}

// names are those on the bus: of itself, of the connections, and those that they own.
func (b *Bus) names() []string {
	names := []string{driver}
	for name, c := range b.conns {
		if c.said {
			names = append(names, name)
		}
	}
	return slices.AppendSeq(names, maps.Keys(b.owners))
}

// removeRule removes a connection's match rule, and reports whether it had it.
func (b *Bus) removeRule(from *conn, want rule) bool {
	n := slices.IndexFunc(from.rules, func(r rule) bool {
		return len(r) == len(want) && b.sameRule(r, want)
	})
	if n < 0 {
		return false
	}
	from.rules = slices.Delete(from.rules, n, n+1)
	return true
}

// sameRule compares two rules.
func (b *Bus) sameRule(x, y rule) bool {
	for key, value := range x {
		if y[key] != value {
			return false
		}
	}
	return true
}
