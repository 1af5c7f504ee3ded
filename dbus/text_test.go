package dbus

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/dbus/bus"
	"wpsd/engine/er"
	"wpsd/introspection"

	"wpsd/service/outcome"
	"wpsd/service/state"
)

// TestAnErrorWithBadText: the caller is told all the same.
func TestAnErrorWithBadText(t *testing.T) {
	t.Parallel()
	var sent []*godbus.Message
	b := &Bus{out: func(m *godbus.Message) error {
		err := m.EncodeTo(new(bytes.Buffer), binary.LittleEndian)
		if err == nil {
			sent = append(sent, m)
		}
		return err
	}}
	b.reply(&call{&bus.Message{Header: bus.Header{Serial: 1, Sender: ":1.1"}}}, nil,
		outcome.BadArguments.Of("\"a\x00b\xff\""))
	if len(sent) != 1 || sent[0].Type != godbus.TypeError ||
		sent[0].Body[0] != "The arguments of \"a\ufffdb\ufffd\" cannot be decoded." {
		t.Errorf("%+v", sent)
	}
}

func TestPrintable(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "plain text": "plain text", "Müller’s 路由器 👨‍👩‍👧": "Müller’s 路由器 👨‍👩‍👧",
		"a\x00b":                                  "a\ufffdb",
		"a\nb\x7f":                                "a\ufffdb\ufffd",
		"\u0085\u009b":                            "\ufffd\ufffd",
		"a\xffb":                                  "a\ufffdb",
		"\xed\xa0\x80":                            "\ufffd",
		"abc\u202ecba":                            "abc\ufffdcba",
		"\u2066a\u2029":                           "\ufffda\ufffd",
		strings.Repeat("a", maxText):              strings.Repeat("a", maxText),
		strings.Repeat("a", maxText+1):            strings.Repeat("a", maxText-3) + "…",
		"a" + strings.Repeat("ü", maxText):        "a" + strings.Repeat("ü", (maxText-4)/2) + "…",
		strings.Repeat("\x00", 10*maxText):        strings.Repeat("\ufffd", (maxText-3)/3) + "…",
		strings.Repeat("a", maxText-1) + "\u00fc": strings.Repeat("a", maxText-3) + "…",
	} {
		got := printable(in)
		if got != want || printable(got) != got || len(got) > maxText {
			t.Errorf("%.40q: %.40q of %d bytes, not %.40q of %d", in, got, len(got),
				want, len(want))
		}
	}
}

// TestAnObjectThatCannotBeTold is left out, and comes back; the others are there.
func TestAnObjectThatCannotBeTold(t *testing.T) {
	t.Parallel()
	tr := newTestTree(t)
	var said []string
	emit := func(s signal) { said = append(said, s.member) }
	var log []string
	tr.leftOut = func(path godbus.ObjectPath, why string) {
		log = append(log, string(path)+": "+why)
	}
	wrong := map[string]func() values{
		"a path that is none": func() values {
			return values{"Session": variant(godbus.ObjectPath("no path"))}
		},
		"one of several": func() values {
			return values{"Networks": variant([]godbus.ObjectPath{"/", "x"})}
		},
		"in a dictionary": func() values {
			return values{"Detail": variant(values{"a": variant(
				values{"b": variant(godbus.ObjectPath(""))})})}
		},
		"no value": func() values { return values{"Name": {}} },
		"a type that is no": func() values {
			return values{"Name": godbus.MakeVariantWithSignature(struct{}{}, signatureString)}
		},
		"one that cannot made": func() values { panic("no") },
	}
	for name, render := range wrong {
		said, log = nil, nil
		const path = godbus.ObjectPath("/fi/w1/wps/x")
		now := render
		tr.add(path, identity{}, emit,
			face{iface: sessionIface, render: func() values { return now() }})
		if _, shown := tr.managed()[path]; shown || len(said) > 0 || len(log) != 1 ||
			!strings.HasPrefix(log[0], string(path)+": ") {
			t.Errorf("%s: shown %v, said %q, log %q", name, shown, said, log)
		}
		if !encodes(tr.managed()) || len(tr.managed()) == 0 {
			t.Errorf("%s: nobody gets a list", name)
		}
		tr.update(path, emit)
		if len(log) != 1 && name != "one that cannot made" { // the stack of a panic differs
			t.Errorf("%s: it is told again: %q", name, log)
		}
		now = func() values { return values{"Networks": variant([]godbus.ObjectPath{"/"})} }
		tr.update(path, emit)
		now = render
		tr.update(path, emit)
		tr.remove(path, emit)
		if got := strings.Join(said, " "); got != "InterfacesAdded InterfacesRemoved" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// testAPI is read once: a fuzzer makes thousands of trees.
var testAPI = sync.OnceValues(func() (map[string]*introspection.Interface, error) {
	all, err := introspection.All()
	api := map[string]*introspection.Interface{}
	for i := range all {
		api[all[i].Name] = &all[i]
	}
	return api, err
})

func newTestTree(t testing.TB) *tree {
	t.Helper()
	api, err := testAPI()
	if err != nil {
		t.Fatal(err)
	}
	tr := newTree(api, nil)
	tr.reset(state.Snapshot{Interfaces: []state.Interface{{Name: "wlan0"}}}, nil)
	return tr
}

// encodes reports whether a body can go over the bus, and comes back.
func encodes(body ...any) bool {
	m := &godbus.Message{Type: godbus.TypeSignal, Body: body,
		Headers: map[godbus.HeaderField]godbus.Variant{
			godbus.FieldPath:      variant(godbus.ObjectPath("/")),
			godbus.FieldInterface: variant("a.b"), godbus.FieldMember: variant("c"),
			godbus.FieldSignature: variant(signatureOf(body)),
		}}
	var b bytes.Buffer
	return m.EncodeTo(&b, binary.LittleEndian) == nil
}

// fill puts a text everywhere that one can be.
func fill(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				fill(v.Field(i), text)
			}
		}
	case reflect.Slice:
		switch {
		case v.Type().Elem().Kind() == reflect.Uint8:
			v.SetBytes([]byte(text))
		case v.Len() == 0 && v.CanSet():
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		}
		if v.Type().Elem().Kind() != reflect.Uint8 {
			for i := range v.Len() {
				fill(v.Index(i), text)
			}
		}
	case reflect.Pointer:
		if t := v.Type(); t == reflect.TypeFor[*er.AP]() || t == reflect.TypeFor[*er.Enrollee]() {
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), text)
		}
	default:
	}
}

// FuzzTexts: whatever is in the texts of whoever, everybody gets the list of objects, all signals
// can be sent, and there is nothing in them that is no text.
func FuzzTexts(f *testing.F) {
	for _, seed := range []string{"", "a", "a\x00", "\xff\xfe", "\x1b[2J", "\u202e",
		strings.Repeat("ü", 3000), "/../%00", "\r\nx: y"} {
		f.Add(seed, "wlan0")
	}
	f.Fuzz(func(t *testing.T, text, ifname string) {
		var s state.Snapshot
		fill(reflect.ValueOf(&s).Elem(), text)
		s.Interfaces[0].Name = ifname
		for i := range s.AccessPoints {
			s.AccessPoints[i].Interface = ifname
		}
		s.Sessions[0].Interface, s.Sessions[0].ID, s.Networks[0].ID = ifname, 1, 1
		s.ERs[0].Interface, s.ERAccessPoints[0].Interface, s.EREnrollees[0].Interface = ifname,
			ifname, ifname
		s.Enrollees[0].Interface = ifname
		tr := newTestTree(t)
		tr.leftOut = func(path godbus.ObjectPath, why string) {
			t.Errorf("%q is left out: %s", path, why)
		}
		emit := func(sig signal) {
			for i := range sig.body { // as Bus.emit
				sig.body[i] = cleaned(sig.body[i])
			}
			if !sig.path.IsValid() || !encodes(sig.body...) || !allText(sig.body) {
				t.Errorf("%s of %q cannot be sent: %v", sig.member, sig.path, sig.body)
			}
		}
		tr.reset(s, emit)
		for _, e := range []state.Event{
			state.SessionEnded{Session: s.Sessions[0]}, state.ScanDone{Interface: ifname},
			state.EnrolleeSeen{Enrollee: state.Enrollee{Interface: ifname, UUID: text,
				Name: text, DeviceType: text}},
			state.ERAPRemoved{AccessPoint: s.ERAccessPoints[0], Reason: text},
			state.EREnrolleeRemoved{Enrollee: s.EREnrollees[0]},
			state.EnrolleeRemoved{Enrollee: s.Enrollees[0]},
			state.InterfaceRemoved{Name: ifname},
		} {
			tr.apply(e, emit)
		}
		tr.reset(s, emit)
		if all := tr.managed(); !encodes(all) || !allText([]any{all}) {
			t.Errorf("nobody gets a list: %v", all)
		}
	})
}

// allText reports whether all texts are fit to be shown.
func allText(body []any) bool {
	for _, v := range body {
		ok := true
		switch v := v.(type) {
		case string:
			ok = utf8.ValidString(v) && printable(v) == v
		case []string:
			for _, s := range v {
				ok = ok && printable(s) == s
			}
		case godbus.ObjectPath:
			ok = v.IsValid()
		case values:
			for _, value := range v {
				ok = ok && allText([]any{value.Value()})
			}
		case map[string]values:
			for _, value := range v {
				ok = ok && allText([]any{value})
			}
		case map[godbus.ObjectPath]map[string]values:
			for path, value := range v {
				ok = ok && allText([]any{path, value})
			}
		}
		if !ok {
			return false
		}
	}
	return true
}
