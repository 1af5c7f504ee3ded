package dbus

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	godbus "github.com/godbus/dbus/v5"
)

// raw makes the bytes of a message whose body godbus may be unable to make.
func raw(t testing.TB, m *godbus.Message, signature string, body []byte) []byte {
	t.Helper()
	m.Headers[godbus.FieldSignature] = godbus.MakeVariant(godbus.ParseSignatureMust(signature))
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
		godbus.FieldSender: godbus.MakeVariant(sender), godbus.FieldPath: godbus.MakeVariant(rootPath), godbus.FieldInterface: godbus.MakeVariant(managerIface),
		godbus.FieldMember: godbus.MakeVariant("CheckPin"), godbus.FieldReplySerial: godbus.MakeVariant(uint32(5)), godbus.FieldErrorName: godbus.MakeVariant("a.B"),
	}}
}

// signatureKeys is a valid a{gs} with one entry, which godbus cannot decode.
var signatureKeys = []byte{11, 0, 0, 0, 0, 0, 0, 0, 1, 's', 0, 0, 2, 0, 0, 0, 'h', 'i', 0}

// stream is a connection that gives what it has and takes everything.
type stream struct{ io.Reader }

func (stream) Write(b []byte) (int, error) { return len(b), nil }
func (stream) Close() error                { return nil }

// open makes a gate whose authentication is over.
func open(t testing.TB, input []byte, onCall func(*call), tooLong func(header)) *gate {
	t.Helper()
	g := newGate(stream{bytes.NewReader(input)}, onCall, tooLong)
	if _, err := g.Write([]byte("BEGIN\r\n")); err != nil {
		t.Fatal(err)
	}
	return g
}

// TestGate: where each message goes.
func TestGate(t *testing.T) {
	t.Parallel()
	long := bytes.Repeat([]byte{0}, maxCall)
	for _, c := range []struct {
		name  string
		frame []byte
		want  string
	}{
		{"a call goes to the queue", raw(t, message(godbus.TypeMethodCall, ":1.5"), "s", []byte("\x01\x00\x00\x00x\x00")), "call"},
		{"a call that godbus cannot decode goes there, too", raw(t, message(godbus.TypeMethodCall, ":1.5"), "a{gs}", signatureKeys), "call"},
		{"a call that is too long is refused", raw(t, message(godbus.TypeMethodCall, ":1.5"), "ay", long), "too long"},
		{"a signal that is too long is dropped", raw(t, message(godbus.TypeSignal, ":1.5"), "ay", long), ""},
		{"a signal of the bus is for godbus", raw(t, message(godbus.TypeSignal, busDriver), "y", []byte{1}), "godbus"},
		{"a signal of anybody else is dropped", raw(t, message(godbus.TypeSignal, ":1.5"), "y", []byte{1}), ""},
		{"a reply of the bus is for godbus", raw(t, message(godbus.TypeMethodReply, busDriver), "y", []byte{1}), "godbus"},
		{"a reply of another is for godbus", raw(t, message(godbus.TypeMethodReply, ":1.5"), "y", []byte{1}), "godbus"},
		{"a reply that godbus cannot decode is dropped", raw(t, message(godbus.TypeMethodReply, ":1.5"), "a{gs}", signatureKeys), ""},
		{"an error that godbus cannot decode is dropped", raw(t, message(godbus.TypeError, ":1.5"), "a{gs}", signatureKeys), ""},
		{"a reply may be longer than a call", raw(t, message(godbus.TypeMethodReply, busDriver), "ay", append([]byte{0, 0, 1, 0}, long...)), "godbus"},
		{"a reply that is too long is dropped", raw(t, message(godbus.TypeMethodReply, busDriver), "ay", make([]byte, maxReply)), ""},
		{"a kind of message that nobody knows is dropped", raw(t, message(godbus.TypeSignal, ":1.5"), "y", []byte{1}), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := ""
			after := raw(t, message(godbus.TypeSignal, busDriver), "s", []byte("\x05\x00\x00\x00after\x00"))
			g := open(t, append(bytes.Clone(c.frame), after...), func(k *call) {
				got = "call"
				if k.sender != ":1.5" || k.serial != 77 || k.path != rootPath || k.iface != managerIface || k.member != "CheckPin" {
					t.Errorf("%+v", k.header)
				}
			}, func(h header) {
				got = "too long"
				if h.sender != ":1.5" || h.serial != 77 {
					t.Errorf("%+v", h)
				}
			})
			all, err := io.ReadAll(g)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Equal(all, append(bytes.Clone(c.frame), after...)) {
				got = "godbus"
			} else if !bytes.Equal(all, after) {
				t.Errorf("godbus gets %q", all)
			}
			if got != c.want {
				t.Errorf("it goes to %q, want %q", got, c.want)
			}
		})
	}
}

// TestGateEndsOnGarbage: where the stream makes no sense any more, the connection is over.
func TestGateEndsOnGarbage(t *testing.T) {
	t.Parallel()
	good := raw(t, message(godbus.TypeSignal, ":1.5"), "y", []byte{1})
	for name, input := range map[string][]byte{
		"no byte order":           append([]byte{'x'}, good[1:]...),
		"an impossible length":    append(append(bytes.Clone(good[:4]), 0xff, 0xff, 0xff, 0xff), good[8:]...),
		"impossible header":       append(append(bytes.Clone(good[:12]), 0xff, 0xff, 0xff, 0xff), good[16:]...),
		"a field that is not one": append(append(bytes.Clone(good[:17]), 1, 'a', 0), good[20:]...),
		"half a message":          good[:len(good)-1],
		"half a header":           good[:10],
	} {
		g := open(t, input, func(*call) {}, func(header) {})
		if all, err := io.ReadAll(g); len(all) > 0 || err == nil && name != "half a header" {
			t.Errorf("%s: %q, %v", name, all, err)
		}
	}
}

// TestGodbusClosesOnSignatureKeys tells why the gate is there: one valid message of any local user ends the connection.
// When this fails, godbus has been mended, and the gate's decision (see doc.go) can be thought over.
func TestGodbusClosesOnSignatureKeys(t *testing.T) {
	t.Parallel()
	if _, err := decode(raw(t, message(godbus.TypeMethodCall, ":1.5"), "a{gs}", signatureKeys)); err == nil {
		t.Error("godbus decodes a{gs} now")
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		pipe := w.bus.Pipe(0)
		feed := &feeder{ReadWriteCloser: pipe}
		conn, err := godbus.NewConn(feed)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(conn.Auth([]godbus.Auth{godbus.AuthExternal("0")}), conn.Hello()); err != nil {
			t.Fatal(err)
		}
		feed.next = raw(t, message(godbus.TypeMethodCall, ":1.5"), "a{gs}", signatureKeys)
		_ = conn.BusObject().Call(busDriver+".NoSuchMethod", 0) // wakes the reader
		synctest.Wait()
		if conn.Connected() {
			t.Error("godbus stays connected now")
		}
		_ = conn.Close()
		w.bus.Close()
	})
}

// feeder slips bytes in before the next message.
type feeder struct {
	io.ReadWriteCloser
	next []byte
}

func (f *feeder) Read(b []byte) (int, error) {
	n, err := f.ReadWriteCloser.Read(b)
	if len(f.next) > 0 && err == nil {
		rest := append(bytes.Clone(f.next), b[:n]...)
		f.next = nil
		f.ReadWriteCloser = &prefixed{f.ReadWriteCloser, rest}
		return f.ReadWriteCloser.Read(b)
	}
	return n, err
}

// prefixed gives some bytes first.
type prefixed struct {
	io.ReadWriteCloser
	first []byte
}

func (p *prefixed) Read(b []byte) (int, error) {
	if len(p.first) > 0 {
		n := copy(b, p.first)
		p.first = p.first[n:]
		return n, nil
	}
	return p.ReadWriteCloser.Read(b)
}

// TestTooLongCallIsAnswered: the sender learns why.
func TestTooLongCallIsAnswered(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		c := w.client(stranger)
		c.refused(errLimits, rootPath, managerIface+".CheckPin", strings.Repeat("1", maxCall))
		c.must(rootPath, managerIface+".GeneratePin")
	})
}

// TestSignalsOfOthersReachNobody: neither forged ones of the bus nor a flood of any.
func TestSignalsOfOthersReachNobody(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		owner, c := w.client(0), w.client(stranger)
		owner.must(wlan0, startPbcMethod, options())
		name := owner.conn.Names()[0]
		for range 1000 {
			c.conn.Send(&godbus.Message{Type: godbus.TypeSignal, Body: []any{name, name, ""}, Headers: map[godbus.HeaderField]godbus.Variant{
				godbus.FieldDestination: godbus.MakeVariant(BusName), godbus.FieldPath: godbus.MakeVariant(godbus.ObjectPath("/org/freedesktop/DBus")),
				godbus.FieldInterface: godbus.MakeVariant(busDriver), godbus.FieldMember: godbus.MakeVariant("NameOwnerChanged"),
				godbus.FieldSignature: godbus.MakeVariant(godbus.ParseSignatureMust("sss")),
			}}, nil)
		}
		synctest.Wait()
		if calls := w.svc.calls(); len(calls) != 1 {
			t.Errorf("calls %v", calls)
		}
		w.mu.Lock()
		w.messages = nil // the forged ones are not ours to be checked
		w.mu.Unlock()
	})
}

func TestDialRefuses(t *testing.T) {
	missing := t.TempDir() + "/bus"
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path="+missing)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	t.Setenv("XDG_RUNTIME_DIR", "")
	for address, want := range map[string]error{
		"system": os.ErrNotExist, "session": ErrAddress, "somewhere": ErrAddress, "tcp:host=localhost,port=1": ErrAddress, "unix:": ErrAddress,
		"unix:path=%zz": ErrAddress, "unix:guid=0": ErrAddress, "unix:abstract=wpsd-nobody-is-here": nil,
	} {
		b, err := Dial(address)
		if err == nil {
			t.Errorf("%s: connected to %v", address, b.conn.Names())
		} else if want != nil && !errors.Is(err, want) {
			t.Errorf("%s: %v", address, err)
		}
	}
	t.Setenv("XDG_RUNTIME_DIR", "/run/user 1")
	if a, err := Address("session"); err != nil || a != "unix:path=/run/user%201/bus" {
		t.Errorf("%q, %v", a, err)
	}
}

// FuzzHeader: no header makes us panic or read beyond it, and those that godbus takes read the same.
func FuzzHeader(f *testing.F) {
	f.Add(raw(f, message(godbus.TypeMethodCall, ":1.5"), "a{gs}", signatureKeys))
	f.Add(raw(f, message(godbus.TypeSignal, busDriver), "sss", []byte("\x01\x00\x00\x00x\x00")))
	f.Add([]byte("l\x01\x00\x01\x00\x00\x00\x00\x01\x00\x00\x00\x10\x00\x00\x00\x01\x01o\x00\x01\x00\x00\x00/\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := parseHeader(b)
		if err != nil || h.size() != uint64(len(b)) {
			return
		}
		m, err := decode(b)
		if err != nil {
			return
		}
		text := func(field godbus.HeaderField) string {
			s, _ := m.Headers[field].Value().(string)
			return s
		}
		path, _ := m.Headers[godbus.FieldPath].Value().(godbus.ObjectPath)
		signature, _ := m.Headers[godbus.FieldSignature].Value().(godbus.Signature)
		if h.kind != m.Type || h.flags != m.Flags || h.serial != m.Serial() || h.path != path || h.iface != text(godbus.FieldInterface) ||
			h.member != text(godbus.FieldMember) || h.sender != text(godbus.FieldSender) || h.signature != signature.String() {
			t.Errorf("read as %+v, by godbus as %v", h, m.Headers)
		}
	})
}

// FuzzCall: whatever the body of a call is, it is answered once, and no mistake of ours comes to light. The first bytes
// choose the object and the method.
func FuzzCall(f *testing.F) {
	for n := range uint8(18) {
		f.Add(n, "a{sv}", []byte("\x10\x00\x00\x00\x00\x00\x00\x00\x06\x00\x00\x00detach\x00\x01b\x00\x00\x00\x01\x00\x00\x00"))
		f.Add(n, "s", []byte("\x02\x00\x00\x00ab\x00"))
		f.Add(n, "ssv", []byte("\x00\x00\x00\x00\x00\x00\x00\x00\x0a\x00\x00\x00DeviceName\x00\x01s\x00\x00\x00\x01\x00\x00\x00x\x00"))
	}
	w, sender := fuzzWorld(f)
	var methods [][2]string
	paths := map[string]godbus.ObjectPath{managerIface: rootPath, interfaceIface: wlan0, sessionIface: session1, networkIface: network7}
	for _, name := range slices.Sorted(maps.Keys(w.srv.api)) {
		for _, m := range w.srv.api[name].Methods {
			methods = append(methods, [2]string{name, m.Name})
		}
	}
	answers := 0
	w.srv.bus.out = func(m *godbus.Message) {
		if m.Type == godbus.TypeSignal {
			return
		}
		if err := m.IsValid(); err != nil {
			f.Fatalf("the answer cannot be sent: %v", err)
		}
		answers++
	}
	f.Fuzz(func(t *testing.T, n uint8, signature string, body []byte) {
		sig, err := godbus.ParseSignature(signature)
		if err != nil || len(body) > maxCall/2 {
			return
		}
		m := message(godbus.TypeMethodCall, sender)
		choice := methods[int(n)%len(methods)]
		m.Headers[godbus.FieldInterface], m.Headers[godbus.FieldMember] = godbus.MakeVariant(choice[0]), godbus.MakeVariant(choice[1])
		if path, ok := paths[choice[0]]; ok {
			m.Headers[godbus.FieldPath] = godbus.MakeVariant(path)
		}
		frame := raw(t, m, sig.String(), body)
		h, err := parseHeader(frame)
		if err != nil {
			t.Fatal(err)
		}
		answers = 0
		w.srv.bus.enqueue(&call{header: h, frame: frame})
		w.srv.serve()
		for w.srv.jobs > 0 {
			if err := w.srv.finish(<-w.srv.results); err != nil {
				t.Fatal(err)
			}
		}
		if answers != 1 || strings.Contains(w.log.String(), "panic") {
			t.Errorf("%v with %q: %d answers; log: %s", choice, signature, answers, w.log)
		}
		w.log.Reset()
	})
}

// fuzzWorld is a world without a bubble and without Run: the fuzzer is the worker.
func fuzzWorld(f *testing.F) (w *world, sender string) {
	w = newWorld(nil)
	f.Cleanup(w.bus.Close)
	w.bus.Monitor(nil)
	b, err := Connect(w.bus.Pipe(0))
	if err != nil {
		f.Fatal(err)
	}
	client, err := w.bus.Connect(0)
	if err != nil {
		f.Fatal(err)
	}
	if w.srv, err = New(b, w.svc, Options{Log: newLog(w.log)}); err != nil {
		f.Fatal(err)
	}
	w.srv.ctx = f.Context()
	w.srv.resubscribe(nil)
	w.svc.tell(sessionOne(client.Names()[0]))
	if err := w.srv.drain(); err != nil {
		f.Fatal(err)
	}
	return w, client.Names()[0]
}

// written is a connection that notes each Write.
type written struct {
	stream
	all [][]byte
}

func (w *written) Write(b []byte) (int, error) {
	w.all = append(w.all, bytes.Clone(b))
	return len(b), nil
}

// TestHeldMessages: what is held is written in one piece, in its order, and before what godbus writes.
func TestHeldMessages(t *testing.T) {
	t.Parallel()
	w := &written{stream: stream{bytes.NewReader(nil)}}
	g := newGate(w, nil, nil)
	say := func(n byte) []byte {
		m := message(godbus.TypeSignal, ":1.5")
		m.Body = []any{n}
		m.Headers[godbus.FieldSignature] = godbus.MakeVariant(godbus.SignatureOf(n))
		b := frame(m)
		g.send(b)
		return b
	}
	first := say(1)
	g.hold()
	second, third := say(2), say(3)
	if len(w.all) != 1 || !bytes.Equal(w.all[0], first) {
		t.Fatalf("written: %q", w.all)
	}
	if _, err := g.Write([]byte("of godbus")); err != nil {
		t.Fatal(err)
	}
	fourth := say(4)
	g.flush()
	fifth := say(5)
	g.release()
	want := [][]byte{first, append(bytes.Clone(second), third...), []byte("of godbus"), fourth, fifth}
	if !slices.EqualFunc(w.all, want, bytes.Equal) {
		t.Errorf("written: %q", w.all)
	}
	serials := map[uint32]bool{}
	for _, b := range [][]byte{first, second, third, fourth, fifth} {
		m, err := godbus.DecodeMessage(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		serials[m.Serial()] = true
		if m.Serial() < ownSerials {
			t.Errorf("serial %d could be godbus's", m.Serial())
		}
	}
	if len(serials) != 5 {
		t.Errorf("serials %v", serials)
	}
	g.hold()
	for range maxHeld / len(first) {
		say(6)
	}
	if len(w.all) != len(want) {
		t.Error("written before there was much")
	}
	if say(7); len(w.all) != len(want)+1 || len(g.held) != 0 {
		t.Error("nothing was written although there was much")
	}
}

// TestAReplyThatCannotBeEncoded is an error for who waits for it.
func TestAReplyThatCannotBeEncoded(t *testing.T) {
	t.Parallel()
	m := &godbus.Message{Type: godbus.TypeMethodReply, Body: []any{"\xff"}, Headers: map[godbus.HeaderField]godbus.Variant{
		godbus.FieldReplySerial: godbus.MakeVariant(uint32(5)), godbus.FieldDestination: godbus.MakeVariant(":1.5"),
		godbus.FieldSignature: godbus.MakeVariant(godbus.SignatureOf("")),
	}}
	b := frame(m)
	if len(b) < fixedHeader {
		t.Fatalf("%q", b)
	}
	b[8] = 1 // as send does
	got, err := godbus.DecodeMessage(bytes.NewReader(b))
	if err != nil || got.Type != godbus.TypeError || got.Headers[godbus.FieldReplySerial].Value() != uint32(5) {
		t.Errorf("%v, %v", got, err)
	}
}
