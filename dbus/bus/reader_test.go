package bus

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"
)

// TestReader: where each message goes. What nobody asked for goes nowhere, and the connection goes
// on.
func TestReader(t *testing.T) {
	t.Parallel()
	long := make([]byte, maxSignal)
	binary.LittleEndian.PutUint32(long, maxSignal-4)
	callOf := func(sender, signature string, body []byte) []byte {
		return raw(t, message(godbus.TypeMethodCall, sender), signature, body)
	}
	signalOf := func(sender, member, signature string, body []byte) []byte {
		m := message(godbus.TypeSignal, sender)
		m.Headers[godbus.FieldMember] = godbus.MakeVariant(member)
		return raw(t, m, signature, body)
	}
	for _, c := range []struct {
		name  string
		frame []byte
		want  string
	}{
		{"a call goes to who takes calls", callOf(":1.5", "s", text("x")), "call"},
		{"one that godbus cannot decode does, too", callOf(":1.5", "a{gs}", signatureKeys), "call"},
		{"one that is too long is told apart", callOf(":1.5", "ay", long), "long call"},
		{"a signal of the owner of a followed name is heard", signalOf(":1.7", "C", "s", text("x")),
			"signal a.B.C"},
		{"one of his that nobody listens to is not", signalOf(":1.7", "D", "s", text("x")), ""},
		{"one of his that is too long is not", signalOf(":1.7", "C", "ay", long), ""},
		{"one of his that cannot be decoded is not",
			signalOf(":1.7", "C", "a{gs}", signatureKeys), ""},
		{"the same signal of a stranger is not", signalOf(":1.5", "C", "s", text("x")), ""},
		{"nor in the name that is followed", signalOf("a.Name", "C", "s", text("x")), ""},
		{"nor without a sender", signalOf("", "C", "s", text("x")), ""},
		{"a signal of a stranger that godbus cannot decode does no harm",
			signalOf(":1.5", "C", "a{gs}", signatureKeys), ""},
		{"a signal that the bus would not send is not heard",
			signalOf(Driver, "C", "s", text("x")), ""},
		{"an answer that nobody waits for",
			raw(t, message(godbus.TypeMethodReply, ":1.7"), "s", text("x")), ""},
		{"an error that nobody waits for",
			raw(t, message(godbus.TypeError, Driver), "a{gs}", signatureKeys), ""},
		{"a header of the length of a book", append(
			append([]byte{'l', 4, 0, 1}, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 16, 0),
			make([]byte, 1<<20)...), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := make(chan string, 8)
			conn, p := open(t, Options{
				OnCall:     func(m *Message) { got <- "call" },
				OnLongCall: func(h Header) { got <- "long call" },
			})
			signals := conn.Signals()
			p.follow(conn, map[string]string{"a.Name": ":1.7"},
				Name{Name: "a.Name", Signals: []Signals{{Path: "/o", Interface: "a.B",
					Member: "C"}}}, Name{Name: "end.of.test"})
			go func() {
				for s := range signals {
					got <- "signal " + s.Name
				}
			}()
			p.say(c.frame)
			p.ownerChanges("end.of.test", "", ":1.9")
			if c.want != "" {
				if is := <-got; is != c.want {
					t.Errorf("it goes to %q", is)
				}
			}
			if is := <-got; is != "signal "+Driver+".NameOwnerChanged" {
				t.Errorf("after it %q", is)
			}
		})
	}
}

// TestStrangersCostNothing: what a stranger sends is read past, however long it is.
func TestStrangersCostNothing(t *testing.T) {
	conn, p := open(t, Options{})
	signals := conn.Signals()
	p.follow(conn, nil, Name{Name: "end.of.test"})
	huge := raw(t, message(godbus.TypeSignal, ":1.5"), "ay", make([]byte, 30<<20))
	call := raw(t, message(godbus.TypeMethodCall, ":1.5"), "ay", make([]byte, 30<<20))
	binary.LittleEndian.PutUint32(call[len(call)-30<<20:], 30<<20-4)
	go func() { // what the call gets
		for p.next() != nil {
		}
	}()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 3 {
		p.say(huge)
		p.say(call)
	}
	p.ownerChanges("end.of.test", "", ":1.9")
	<-signals
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 2<<20 {
		t.Errorf("180 MiB of a stranger's took %d bytes", grown)
	}
}

// TestGarbageEnds: where the stream makes no sense any more, the connection is over, and says so.
func TestGarbageEnds(t *testing.T) {
	t.Parallel()
	good := raw(t, message(godbus.TypeSignal, ":1.5"), "y", []byte{1})
	for name, input := range map[string][]byte{
		"no byte order": append([]byte{'x'}, good[1:]...),
		"an impossible length": append(append(bytes.Clone(good[:4]), 0xff, 0xff, 0xff, 0xff),
			good[8:]...),
		"impossible header": append(append(bytes.Clone(good[:12]), 0xff, 0xff, 0xff, 0xff),
			good[16:]...),
		"a field that is not one": append(append(bytes.Clone(good[:17]), 1, 'a', 0), good[20:]...),
		"half a message":          good[:len(good)-1],
		"half a header":           good[:10],
		"nothing":                 {},
	} {
		conn, p := open(t, Options{})
		go func() {
			p.say(input)
			_ = p.conn.Close()
		}()
		select {
		case <-conn.Done():
			if !errors.Is(conn.Err(), ErrLost) {
				t.Errorf("%s: %v", name, conn.Err())
			}
		case <-time.After(10 * time.Second):
			t.Errorf("%s: the connection goes on", name)
		}
		if err := conn.Call(t.Context(),
			Request{To: ":1.5", Path: "/", Method: "a.B.C"}); !errors.Is(err, ErrLost) {
			t.Errorf("%s: a call then: %v", name, err)
		}
	}
}

// TestTooManySignals: what nobody takes ends the connection, and does not grow.
func TestTooManySignals(t *testing.T) {
	t.Parallel()
	conn, p := open(t, Options{})
	_ = conn.Signals() // and nobody reads them
	p.follow(conn, map[string]string{"a.Name": ":1.7"},
		Name{Name: "a.Name", Signals: []Signals{{}}})
	body := make([]byte, 100<<10)
	binary.LittleEndian.PutUint32(body, 100<<10-4)
	frame := raw(t, message(godbus.TypeSignal, ":1.7"), "ay", body)
	for n := 0; conn.Err() == nil; n++ {
		if n > 2*maxSignalBytes/len(frame) {
			t.Fatal("it takes them all")
		}
		_, _ = p.conn.Write(frame)
	}
	if !errors.Is(conn.Err(), ErrTooMany) {
		t.Error(conn.Err())
	}
}

// TestGodbusClosesOnSignatureKeys tells why godbus's own connection is not used: one valid message
// of any local user ends it. When this fails, godbus has been mended, and the decision in
// ARCHITECTURE.md can be thought over.
func TestGodbusClosesOnSignatureKeys(t *testing.T) {
	t.Parallel()
	frame := raw(t, message(godbus.TypeSignal, ":1.5"), "a{gs}", signatureKeys)
	if _, err := decode(frame); err == nil {
		t.Error("godbus decodes a{gs} now")
	}
	in, feed := io.Pipe()
	conn, err := godbus.NewConn(struct {
		io.Reader
		io.Writer
		io.Closer
	}{in, io.Discard, in})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	go func() {
		_, _ = io.WriteString(feed, "REJECTED EXTERNAL\r\nOK 0123\r\n")
		_, _ = feed.Write(frame)
	}()
	if err := conn.Auth([]godbus.Auth{godbus.AuthExternal("0")}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-conn.Context().Done():
	case <-time.After(10 * time.Second):
		t.Error("godbus stays connected now")
	}
}

// FuzzHeader: no header makes us panic or read beyond it, and those that godbus takes read the
// same.
func FuzzHeader(f *testing.F) {
	f.Add(raw(f, message(godbus.TypeMethodCall, ":1.5"), "a{gs}", signatureKeys))
	f.Add(raw(f, message(godbus.TypeSignal, Driver), "sss", []byte("\x01\x00\x00\x00x\x00")))
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
		if h.Type != m.Type || h.Flags != m.Flags || h.Serial != m.Serial() || h.Path != path ||
			h.Interface != text(godbus.FieldInterface) ||
			h.Member != text(godbus.FieldMember) || h.Sender != text(godbus.FieldSender) ||
			h.Signature != signature.String() || h.ErrorName != text(godbus.FieldErrorName) {
			t.Errorf("read as %+v, by godbus as %v", h, m.Headers)
		}
	})
}

// FuzzReader: whatever a bus says, a connection either goes on or says that it is lost; no call is
// left without an end.
func FuzzReader(f *testing.F) {
	f.Add(raw(f, message(godbus.TypeSignal, ":1.7"), "a{gs}", signatureKeys))
	f.Add(raw(f, message(godbus.TypeMethodCall, ":1.7"), "s", text("x")))
	f.Add(raw(f, message(godbus.TypeMethodReply, ":1.7"), "s", text("x")))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > MaxCall {
			return
		}
		conn, p := open(t, Options{})
		defer conn.Serve(Object{Path: "/o", Interface: "a.B", Caller: ":1.7",
			Methods: map[string]Method{
				"C": {In: "s", Do: func(_ context.Context, args []any) ([]any, error) {
					return args, nil
				}},
			}})()
		go func() {
			for p.next() != nil {
			}
		}()
		p.say(b)
		_ = p.conn.Close()
		<-conn.Done()
		if err := conn.Err(); !errors.Is(err, ErrLost) && !errors.Is(err, ErrTooMany) {
			t.Error(err)
		}
	})
}

// TestSignalsFit: which signals are those that are listened to, and the match rule that asks the
// bus for them.
func TestSignalsFit(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		s    Signals
		path godbus.ObjectPath
		want bool
		rule string
	}{
		{Signals{}, "/x", true, ""},
		{Signals{Path: "/x"}, "/x", true, ",path='/x'"},
		{Signals{Path: "/x"}, "/x/y", false, ",path='/x'"},
		{Signals{Path: "/x", Below: true}, "/x/y", true, ",path_namespace='/x'"},
		{Signals{Path: "/x", Below: true}, "/x", true, ",path_namespace='/x'"},
		{Signals{Path: "/x", Below: true}, "/xy", false, ",path_namespace='/x'"},
		{Signals{Path: "/", Below: true}, "/xy", true, ",path_namespace='/'"},
		{Signals{Interface: "a.B"}, "/x", true, ",interface='a.B'"},
		{Signals{Interface: "a.C"}, "/x", false, ",interface='a.C'"},
		{Signals{Member: "D"}, "/x", false, ",member='D'"},
	} {
		h := Header{Path: row.path, Interface: "a.B", Member: "C"}
		if got := row.s.fit(&h); got != row.want {
			t.Errorf("%+v, %s: %v", row.s, row.path, got)
		}
		if rule := row.s.rule("n.N"); rule != "type='signal',sender='n.N'"+row.rule {
			t.Error(rule)
		}
	}
}
