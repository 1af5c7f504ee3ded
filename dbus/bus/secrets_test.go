package bus

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"reflect"
	"testing"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/engine/secret"
)

// callWith makes the frame of a call with this body.
func callWith(t testing.TB, body ...any) *Message {
	t.Helper()
	call := message(godbus.TypeMethodCall, ":1.5")
	call.Body = body
	frame, err := encode(call)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Read(frame)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func pinOrKey(at Place) bool { return at.Key == "pin" || at.Key == "key" || at == Place{Arg: 1} }

// TestHiddenBody: what is secret comes as a secret, everything else as godbus has it.
func TestHiddenBody(t *testing.T) {
	t.Parallel()
	nested := map[string]godbus.Variant{"pin": godbus.MakeVariant("12345670")}
	m := callWith(t, "not it", "12345670", map[string]godbus.Variant{
		"pin": godbus.MakeVariant("8765"), "key": godbus.MakeVariant([]byte("a key")),
		"ssid": godbus.MakeVariant([]byte("home")),
		"struct": godbus.MakeVariant(struct {
			A byte
			B string
			C []uint64
		}{1, "x", []uint64{1, 2}}), "none": godbus.MakeVariant([]uint64{}), "nested": godbus.MakeVariant(nested),
	}, []string{"a", "bc"}, true, uint64(7))
	plain, err := m.Body()
	if err != nil {
		t.Fatal(err)
	}
	body, err := m.HiddenBody(pinOrKey)
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := body[1].(Text); !ok || string(v.Bytes()) != "12345670" {
		t.Errorf("the argument is %#v", body[1])
	}
	options := body[2].(map[string]godbus.Variant)
	if v, ok := options["pin"].Value().(Text); !ok || string(v.Bytes()) != "8765" ||
		options["pin"].Signature().String() != "s" {
		t.Errorf("the PIN is %#v", options["pin"])
	}
	if v, ok := options["key"].Value().(Octets); !ok || string(v.Bytes()) != "a key" ||
		options["key"].Signature().String() != "ay" {
		t.Errorf("the key is %#v", options["key"])
	}
	was := plain[2].(map[string]godbus.Variant)
	for _, name := range []string{"ssid", "struct", "none", "nested"} {
		if !reflect.DeepEqual(options[name], was[name]) {
			t.Errorf("%s is %v, want %v", name, options[name], was[name])
		}
	}
	if body[0] != plain[0] || !reflect.DeepEqual(body[3:], plain[3:]) {
		t.Errorf("the rest is %v, want %v", body, plain)
	}
	WipeBody(body)
	if v := options["pin"].Value().(Text); !bytes.Equal(v.Bytes(), make([]byte, 4)) {
		t.Errorf("the PIN is wiped: %q", v.Bytes())
	}
}

// TestHiddenBodyOfDictionaries: a secret may stand in a dictionary of a list, or of a dictionary, of
// them.
func TestHiddenBodyOfDictionaries(t *testing.T) {
	t.Parallel()
	one := func(key string) map[string]godbus.Variant {
		return map[string]godbus.Variant{"key": godbus.MakeVariant([]byte(key)),
			"ssid": godbus.MakeVariant([]byte("home"))}
	}
	list := []map[string]godbus.Variant{one("first key"), one("second key")}
	named := map[string]map[string]godbus.Variant{"key": one("third key"), "empty": {},
		"other": one("no key")}
	body, err := callWith(t, list, named).HiddenBody(func(at Place) bool {
		return at.Key == "key" && (at.Arg == 0 || at.In == "key")
	})
	if err != nil {
		t.Fatal(err)
	}
	gotList, gotNamed := body[0].([]map[string]godbus.Variant),
		body[1].(map[string]map[string]godbus.Variant)
	for want, got := range map[string]godbus.Variant{"first key": gotList[0]["key"],
		"second key": gotList[1]["key"], "third key": gotNamed["key"]["key"]} {
		if v, ok := got.Value().(Octets); !ok || string(v.Bytes()) != want {
			t.Errorf("%q came as %#v", want, got)
		}
	}
	if v, ok := gotNamed["other"]["key"].Value().([]byte); !ok || string(v) != "no key" {
		t.Errorf("what is not hidden came as %#v", gotNamed["other"]["key"])
	}
	WipeBody(body)
	if v := gotNamed["key"]["key"].Value().(Octets); !bytes.Equal(v.Bytes(), make([]byte, 9)) {
		t.Errorf("the key is wiped: %q", v.Bytes())
	}
}

// TestHiddenBodyOfOtherTypes: where a PIN should be is something else. It stays what it is, for
// whoever refuses it.
func TestHiddenBodyOfOtherTypes(t *testing.T) {
	t.Parallel()
	for _, v := range []any{uint32(7), true, godbus.MakeVariant("12345670"), []string{"12345670"},
		map[string]godbus.Variant{"pin": godbus.MakeVariant("1234")}} {
		body, err := callWith(t, "", "",
			map[string]godbus.Variant{"pin": godbus.MakeVariant(v)}).HiddenBody(pinOrKey)
		if err != nil {
			t.Errorf("%T: %v", v, err)
			continue
		}
		got := body[2].(map[string]godbus.Variant)["pin"]
		if want := godbus.SignatureOf(v); got.Signature() != want ||
			reflect.TypeOf(got.Value()) != reflect.TypeOf(v) {
			t.Errorf("%T came as %T of type %v", v, got.Value(), got.Signature())
		}
	}
}

// TestSecretsAreSent: a message has its secrets where other values would be.
func TestSecretsAreSent(t *testing.T) {
	t.Parallel()
	pin, key := Text{secret.FromString("12345670")}, Octets{secret.FromString("a key")}
	dictionary := map[string]godbus.Variant{
		"key":      godbus.MakeVariantWithSignature(key, godbus.ParseSignatureMust("ay")),
		"ssid":     godbus.MakeVariant([]byte("home")),
		"wifi-uri": godbus.MakeVariantWithSignature(pin, godbus.ParseSignatureMust("s")),
	}
	open := map[string]godbus.Variant{
		"key": godbus.MakeVariant([]byte("a key")), "ssid": godbus.MakeVariant([]byte("home")),
		"wifi-uri": godbus.MakeVariant("12345670"),
	}
	for _, c := range []struct{ sent, want []any }{
		{[]any{pin}, []any{"12345670"}},
		{[]any{key, pin, uint16(3)}, []any{[]byte("a key"), "12345670", uint16(3)}},
		{[]any{Text{}, dictionary}, []any{"", open}},
		{[]any{[]map[string]godbus.Variant{dictionary, open}},
			[]any{[]map[string]godbus.Variant{open, open}}},
		{[]any{[]map[string]godbus.Variant{open, dictionary}},
			[]any{[]map[string]godbus.Variant{open, open}}},
		{[]any{map[string]map[string]godbus.Variant{"a": open, "b": dictionary}},
			[]any{map[string]map[string]godbus.Variant{"a": open, "b": open}}},
	} {
		got, err := callWith(t, c.sent...).Body()
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("got %v, %v, want %v", got, err, c.want)
		}
	}
	if string(pin.Bytes()) != "12345670" {
		t.Error("a secret that is sent is its owner's to wipe")
	}
}

// TestWriterLeavesNothing: what was held is wiped where it was before there was more of it.
func TestWriterLeavesNothing(t *testing.T) {
	t.Parallel()
	held := appendWiped(make([]byte, 0, 8), []byte("12345670"))
	before := held
	held = appendWiped(held, []byte("more"))
	if string(held) != "12345670more" || !bytes.Equal(before, make([]byte, 8)) {
		t.Errorf("held %q, and before %q", held, before)
	}
}

// TestReaderLeavesNothing: of what was taken nothing is left in the buffer when it waits for more,
// however it came.
func TestReaderLeavesNothing(t *testing.T) {
	t.Parallel()
	const pin = "12345670"
	for first := 1; first < 16; first++ {
		ours, theirs := net.Pipe()
		r := bufio.NewReaderSize(wiper{ours}, 16)
		whole, err := r.Peek(0)
		if err != nil {
			t.Fatal(err)
		}
		whole = whole[:16]
		go func() {
			said := []byte("....." + pin + "..." + "next")
			_, _ = theirs.Write(said[:first])
			_, _ = theirs.Write(said[first:])
			_ = theirs.Close()
		}()
		if _, err := io.ReadFull(r, make([]byte, 13)); err != nil {
			t.Fatal(err)
		}
		if rest, err := r.Peek(7); string(rest) != "...next" || err != nil {
			t.Fatalf("then came %q, %v", rest, err)
		}
		if _, err := r.Discard(7); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Peek(1); err != io.EOF { // as Conn waits for the next message
			t.Fatal(err)
		}
		if bytes.Contains(whole, []byte(pin[:3])) || bytes.Contains(whole, []byte(pin[5:])) {
			t.Errorf("in two parts, %d bytes first: %q is left", first, whole)
		}
	}
}

// FuzzHiddenBody: whatever a body is, it is read in bounds; and what godbus reads as well is the
// same but for the secrets.
func FuzzHiddenBody(f *testing.F) {
	f.Add("a{sv}", []byte("\x14\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00pin\x00\x01s\x00\x00\x04\x00\x00\x001234\x00"))
	f.Add("ssa(sv)", []byte("\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Add("aay", []byte("\x08\x00\x00\x00\x04\x00\x00\x00abcd"))
	f.Fuzz(func(t *testing.T, signature string, body []byte) {
		if _, err := godbus.ParseSignature(signature); err != nil || signature == "" ||
			len(body) > MaxCall/2 {
			return
		}
		m, err := Read(raw(t, message(godbus.TypeMethodCall, ":1.5"), signature, body))
		if err != nil {
			t.Fatal(err)
		}
		frame := bytes.Clone(m.Frame)
		hidden, err := m.HiddenBody(pinOrKey)
		if !bytes.Equal(frame, m.Frame) {
			t.Fatal("the frame was changed")
		}
		if err == nil {
			WipeBody(hidden)
		}
	})
}
