package bus

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"
)

// signatureKeys is a valid a{gs} with one entry, which godbus cannot decode.
var signatureKeys = []byte{11, 0, 0, 0, 0, 0, 0, 0, 1, 's', 0, 0, 2, 0, 0, 0, 'h', 'i', 0}

// raw makes the bytes of a message whose body godbus may be unable to make.
func raw(t testing.TB, m *godbus.Message, signature string, body []byte) []byte {
	t.Helper()
	if signature != "" {
		m.Headers[godbus.FieldSignature] = godbus.MakeVariant(godbus.ParseSignatureMust(signature))
	}
	var out bytes.Buffer
	if err := m.EncodeTo(&out, binary.LittleEndian); err != nil {
		t.Fatal(err)
	}
	frame := append(out.Bytes(), body...)
	binary.LittleEndian.PutUint32(frame[4:], uint32(len(body)))
	binary.LittleEndian.PutUint32(frame[8:], 77) // the serial
	return frame
}

// message makes one of a kind, from a sender.
func message(kind godbus.Type, sender string) *godbus.Message {
	return &godbus.Message{Type: kind, Headers: map[godbus.HeaderField]godbus.Variant{
		godbus.FieldSender:      godbus.MakeVariant(sender),
		godbus.FieldPath:        godbus.MakeVariant(godbus.ObjectPath("/o")),
		godbus.FieldInterface:   godbus.MakeVariant("a.B"),
		godbus.FieldMember:      godbus.MakeVariant("C"),
		godbus.FieldReplySerial: godbus.MakeVariant(uint32(5)),
		godbus.FieldErrorName:   godbus.MakeVariant("a.B.Error"),
	}}
}

// text is a string as it stands in a body.
func text(s string) []byte {
	return append(append(binary.LittleEndian.AppendUint32(nil, uint32(len(s))), s...), 0)
}

// peer is the bus's end of a connection.
type peer struct {
	t    testing.TB
	conn net.Conn
	r    *bufio.Reader
}

// open makes a connection whose other end is the test.
func open(t testing.TB, o Options) (*Conn, *peer) {
	t.Helper()
	ours, theirs := net.Pipe()
	return over(t, o, ours, theirs)
}

func over(t testing.TB, o Options, ours io.ReadWriteCloser, theirs net.Conn) (*Conn, *peer) {
	t.Helper()
	p := &peer{t, theirs, bufio.NewReader(theirs)}
	go p.welcome()
	c, err := New(ours, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = theirs.Close(), c.Close() })
	return c, p
}

// welcome lets a connection in.
func (p *peer) welcome() {
	for {
		line, err := p.r.ReadString('\n')
		answer := map[bool]string{true: "AGREE_UNIX_FD\r\n",
			false: "OK 0123\r\n"}[strings.HasPrefix(line, "NEGOTIATE")]
		if err != nil || line == "BEGIN\r\n" {
			break
		}
		_, _ = io.WriteString(p.conn, answer)
	}
	if hello := p.next(); hello != nil {
		p.answer(hello, Driver, "s", text(":1.1"))
	}
}

// next reads what the connection says next; nil: it has ended.
func (p *peer) next() *godbus.Message {
	_ = p.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	m, err := godbus.DecodeMessage(p.r)
	if err != nil {
		return nil
	}
	return m
}

// say sends bytes, in the background: nobody may read them yet.
func (p *peer) say(frame []byte) {
	if _, err := p.conn.Write(frame); err != nil {
		p.t.Log(err)
	}
}

// answer answers a call, as a sender.
func (p *peer) answer(call *godbus.Message, sender, signature string, body []byte) {
	p.say(p.reply(call, godbus.TypeMethodReply, sender, signature, body))
}

func (p *peer) reply(call *godbus.Message, kind godbus.Type, sender, signature string,
	body []byte) []byte {
	m := message(kind, sender)
	m.Headers[godbus.FieldReplySerial] = godbus.MakeVariant(call.Serial())
	return raw(p.t, m, signature, body)
}

// owner says that a name has an owner.
func (p *peer) ownerChanges(name, before, now string) {
	m := message(godbus.TypeSignal, Driver)
	m.Headers[godbus.FieldInterface], m.Headers[godbus.FieldMember] = godbus.MakeVariant(Driver),
		godbus.MakeVariant("NameOwnerChanged")
	m.Body = []any{name, before, now}
	m.Headers[godbus.FieldSignature] = godbus.MakeVariant(godbus.SignatureOf(m.Body...))
	var out bytes.Buffer
	if err := m.EncodeTo(&out, binary.LittleEndian); err != nil {
		p.t.Fatal(err)
	}
	binary.LittleEndian.PutUint32(out.Bytes()[8:], 78)
	p.say(out.Bytes())
}

// follow plays the bus while a connection follows names with these owners.
func (p *peer) follow(c *Conn, owners map[string]string, names ...Name) {
	p.t.Helper()
	done := make(chan error, 1)
	go func() { done <- c.Follow(p.t.Context(), names...) }()
	for {
		select {
		case err := <-done:
			if err != nil {
				p.t.Fatal(err)
			}
			return
		default:
		}
		_ = p.conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		if _, err := p.r.Peek(1); err != nil {
			continue
		}
		m := p.next()
		switch {
		case m.Headers[godbus.FieldMember].Value() == "AddMatch":
			p.answer(m, Driver, "", nil)
		case owners[m.Body[0].(string)] == "":
			answer := message(godbus.TypeError, Driver)
			answer.Headers[godbus.FieldReplySerial],
				answer.Headers[godbus.FieldErrorName] = godbus.MakeVariant(m.Serial()),
				godbus.MakeVariant(errNoOwner)
			p.say(raw(p.t, answer, "", nil))
		default:
			p.answer(m, Driver, "s", text(owners[m.Body[0].(string)]))
		}
	}
}
