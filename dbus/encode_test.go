package dbus

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"testing"

	godbus "github.com/godbus/dbus/v5"
)

// signalWith makes a signal with a body.
func signalWith(body ...any) *godbus.Message {
	m := &godbus.Message{Type: godbus.TypeSignal, Flags: godbus.FlagNoReplyExpected, Body: body, Headers: map[godbus.HeaderField]godbus.Variant{
		godbus.FieldPath: variant(rootPath), godbus.FieldInterface: variant(managerIface), godbus.FieldMember: variant("Member"), godbus.FieldDestination: variant(":1.77"),
	}}
	if len(body) > 0 {
		m.Headers[godbus.FieldSignature] = variant(signatureOf(body))
	}
	return m
}

// TestEncoder: a message is what godbus would have made of it. Maps have no order, so both are decoded; those with one
// entry at most have the same bytes.
func TestEncoder(t *testing.T) {
	t.Parallel()
	one := values{"a": variant([]string{"x", "yz", ""})}
	bodies := [][]any{
		nil, {"", "abc", "ü"}, {rootPath, godbus.ObjectPath("/")}, {true, false, byte(1), uint16(2), int16(-3), uint32(4), uint64(5)}, {byte(1), uint64(1 << 60)},
		{[]string{}}, {[]string{"a", "bcdef"}}, {byte(0), []godbus.ObjectPath{"/a", "/b_1/C2"}}, {[]byte{}}, {byte(9), []byte{1, 2, 3}, uint32(7)},
		{values{}}, {one}, {managerIface, one, []string{"gone"}}, {rootPath, map[string]values{managerIface: one}}, {map[string]values{}},
		{[]values{one, {}, one}}, {map[godbus.ObjectPath]map[string]values{"/a": {"x.y": one}}}, {map[godbus.ObjectPath]map[string]values{}},
		{variant(uint64(1)), variant("v"), variant(one), variant(godbus.ParseSignatureMust("a{sv}"))},
		{values{"n": variant(values{"m": variant(uint16(1))}), "b": variant(true), "y": variant(byte(2)), "t": variant(uint64(3)), "ay": variant([]byte("key"))}},
	}
	for _, body := range bodies {
		m := signalWith(body...)
		got, ok := encodeMessage(m)
		if !ok {
			t.Errorf("%v: left to godbus", body)
			continue
		}
		copy(got[8:], "\x01\x00\x00\x00")
		want, err := slowFrame(m)
		if err != nil {
			t.Fatal(err)
		}
		copy(want[8:], "\x01\x00\x00\x00")
		a, err := godbus.DecodeMessage(bytes.NewReader(got))
		if err != nil {
			t.Errorf("%v: %v\n%q\n%q", body, err, got, want)
			continue
		}
		b, err := godbus.DecodeMessage(bytes.NewReader(want))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(a, b) {
			t.Errorf("%v: %v, not %v", body, a, b)
		}
		start := func(b []byte) int { return (16 + int(binary.LittleEndian.Uint32(b[12:])) + 7) &^ 7 }
		if v, isMap := append(body, nil)[0].(values); !isMap || len(v) < 2 {
			if !bytes.Equal(got[start(got):], want[start(want):]) {
				t.Errorf("%v:\n%q\n%q", body, got, want)
			}
		}
	}
	for _, body := range [][]any{{"\xff"}, {"a\x00b"}, {godbus.ObjectPath("a")}, {1.5}, {[]int32{1}}, {variant("\xff")}, {values{"\xff": variant("")}}, {[]godbus.ObjectPath{"/a/"}}} {
		if b, ok := encodeMessage(signalWith(body...)); ok || b != nil {
			t.Errorf("%v is not left to godbus", body)
		}
	}
}

// FuzzEncoder: texts, paths and octets of any kind.
func FuzzEncoder(f *testing.F) {
	f.Add("a", "/b", []byte{1}, uint64(1), true)
	f.Add("", "/", []byte{}, uint64(0), false)
	f.Add("a\x00", "//", []byte{0}, uint64(0), false)
	f.Fuzz(func(t *testing.T, text, path string, octets []byte, n uint64, yes bool) {
		if validPath(godbus.ObjectPath(path)) != godbus.ObjectPath(path).IsValid() {
			t.Fatalf("the path %q", path)
		}
		m := signalWith(yes, values{text: variant(godbus.ObjectPath(path))}, []string{text, text}, byte(n), octets, values{"": variant(n)}, uint16(n), []godbus.ObjectPath{godbus.ObjectPath(path)})
		want, err := slowFrame(m)
		got, ok := encodeMessage(m)
		if ok != (err == nil) {
			t.Fatalf("%v, but godbus: %v", ok, err)
		}
		if !ok {
			return
		}
		if start := len(got) - int(binary.LittleEndian.Uint32(got[4:])); len(got) != len(want) || !bytes.Equal(got[start:], want[start:]) {
			t.Fatalf("%q\n%q", got, want)
		}
		copy(got[8:], "\x01\x00\x00\x00")
		if _, err := godbus.DecodeMessage(bytes.NewReader(got)); err != nil {
			t.Fatal(err)
		}
	})
}

func BenchmarkPropertiesChanged(b *testing.B) {
	m := signalWith(managerIface, values{"Session": variant(session1), "State": variant("exchanging"), "Message": variant("M7"), "Deadline": variant(uint64(1))}, []string{})
	for name, encode := range map[string]func(){"ours": func() { encodeMessage(m) }, "godbus": func() { _, _ = slowFrame(m) }} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				encode()
			}
		})
	}
}
