package dbus

import (
	"bytes"
	"encoding/binary"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/dbus/bus"

	"wpsd/service/outcome"
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
		godbus.FieldSender:      godbus.MakeVariant(sender),
		godbus.FieldPath:        godbus.MakeVariant(rootPath),
		godbus.FieldInterface:   godbus.MakeVariant(managerIface),
		godbus.FieldMember:      godbus.MakeVariant("CheckPin"),
		godbus.FieldReplySerial: godbus.MakeVariant(uint32(5)),
		godbus.FieldErrorName:   godbus.MakeVariant("a.B"),
	}}
}

// TestTooLongCallIsAnswered: the sender learns why.
func TestTooLongCallIsAnswered(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		c := w.client(stranger)
		c.refused(outcome.NameLimits, rootPath, managerIface+".CheckPin", strings.Repeat("1", bus.MaxCall))
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
			c.conn.Send(&godbus.Message{Type: godbus.TypeSignal, Body: []any{name, name, ""},
				Headers: map[godbus.HeaderField]godbus.Variant{
					godbus.FieldDestination: godbus.MakeVariant(BusName),
					godbus.FieldPath: godbus.MakeVariant(
						godbus.ObjectPath("/org/freedesktop/DBus")),
					godbus.FieldInterface: godbus.MakeVariant(bus.Driver),
					godbus.FieldMember:    godbus.MakeVariant("NameOwnerChanged"),
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

// FuzzCall: whatever the body of a call is, it is answered once, and no mistake of ours comes to
// light. The first bytes choose the object and the method.
func FuzzCall(f *testing.F) {
	for n := range uint8(18) {
		f.Add(n, "a{sv}", []byte("\x10\x00\x00\x00\x00\x00\x00\x00\x06\x00\x00\x00detach\x00\x01b\x00\x00\x00\x01\x00\x00\x00"))
		f.Add(n, "s", []byte("\x02\x00\x00\x00ab\x00"))
		f.Add(n, "ssv", []byte("\x00\x00\x00\x00\x00\x00\x00\x00\x0a\x00\x00\x00DeviceName\x00\x01s\x00\x00\x00\x01\x00\x00\x00x\x00"))
	}
	w, sender := fuzzWorld(f)
	var methods [][2]string
	paths := map[string]godbus.ObjectPath{managerIface: rootPath, interfaceIface: wlan0,
		sessionIface: session1, networkIface: network7}
	for _, name := range slices.Sorted(maps.Keys(w.srv.api)) {
		for _, m := range w.srv.api[name].Methods {
			methods = append(methods, [2]string{name, m.Name})
		}
	}
	answers := 0
	w.srv.bus.out = func(m *godbus.Message) error {
		if m.Type == godbus.TypeSignal {
			return nil
		}
		if err := m.IsValid(); err != nil {
			f.Fatalf("the answer cannot be sent: %v", err)
		}
		answers++
		return nil
	}
	f.Fuzz(func(t *testing.T, n uint8, signature string, body []byte) {
		sig, err := godbus.ParseSignature(signature)
		if err != nil || len(body) > bus.MaxCall/2 {
			return
		}
		m := message(godbus.TypeMethodCall, sender)
		choice := methods[int(n)%len(methods)]
		m.Headers[godbus.FieldInterface], m.Headers[godbus.FieldMember] = godbus.MakeVariant(
			choice[0]), godbus.MakeVariant(choice[1])
		if path, ok := paths[choice[0]]; ok {
			m.Headers[godbus.FieldPath] = godbus.MakeVariant(path)
		}
		read, err := bus.Read(raw(t, m, sig.String(), body))
		if err != nil {
			t.Fatal(err)
		}
		answers = 0
		w.srv.bus.enqueue(&call{read})
		w.srv.serve()
		for w.srv.jobs.running > 0 {
			if err := w.srv.finish(<-w.srv.jobs.results); err != nil {
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
	if w.srv, err = New(b, w.svc.Rooms, Options{Log: newLog(w.log)}); err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		if err := w.svc.close(); err != nil {
			f.Error(err)
		}
	})
	w.srv.ctx = f.Context()
	w.srv.resubscribe(nil)
	w.svc.tell(sessionOne(client.Names()[0]))
	if err := w.srv.drain(); err != nil {
		f.Fatal(err)
	}
	return w, client.Names()[0]
}

// TestAReplyThatCannotBeEncoded is an error for who waits for it.
func TestAReplyThatCannotBeEncoded(t *testing.T) {
	t.Parallel()
	var sent []*godbus.Message
	b := &Bus{out: func(m *godbus.Message) error {
		if err := m.IsValid(); err != nil {
			return err
		}
		sent = append(sent, m)
		return nil
	}}
	b.reply(&call{&bus.Message{Header: bus.Header{Serial: 5, Sender: ":1.5"}}}, []any{"\xff"}, nil)
	if len(sent) != 1 || sent[0].Type != godbus.TypeError ||
		sent[0].Headers[godbus.FieldReplySerial].Value() != uint32(5) {
		t.Errorf("sent %v", sent)
	}
}
