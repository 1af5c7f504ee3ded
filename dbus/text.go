package dbus

import (
	"fmt"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/dbus/bus"
)

// maxText bounds a text that goes to everybody, in bytes. The longest of ours, the URL of an access
// point's description, has some 1,050.
const maxText = 2048

// printable makes text of what anybody says: an access point, a device, a helper process, an error.
// D-Bus takes only UTF-8 without zeros; control characters, and those that turn the writing around,
// do nobody any good. Every text of a property or a signal goes through it: see variant and
// Bus.emit.
func printable(s string) string {
	if isPlain(s) {
		return s
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) ||
			unicode.Is(unicode.Bidi_Control, r) {
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(s, string(unicode.ReplacementChar)))
	if len(s) <= maxText {
		return s
	}
	const more = "…"
	n := maxText - len(more)
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + more
}

// isPlain reports whether printable has nothing to do, as is nearly always the case.
func isPlain(s string) bool {
	if len(s) > maxText {
		return false
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// cleaned is a value with all its texts made printable. What is of another type is as it was;
// values in it went through variant.
func cleaned(v any) any {
	switch v := v.(type) {
	case string:
		return printable(v)
	case []string:
		if !slices.ContainsFunc(v, func(s string) bool { return !isPlain(s) }) {
			return v
		}
		clean := make([]string, len(v))
		for i, s := range v {
			clean[i] = printable(s)
		}
		return clean
	}
	return v
}

// encodable reports why a value cannot go over the bus; nil: it can. Object paths are all that is
// left to be wrong: texts went through printable. Other types than those of our API are taken for a
// mistake.
func encodable(v any) error {
	switch v := v.(type) {
	case godbus.ObjectPath:
		if !v.IsValid() {
			return fmt.Errorf("dbus: %q is no object path", string(v))
		}
	case []godbus.ObjectPath:
		for _, path := range v {
			if err := encodable(path); err != nil {
				return err
			}
		}
	case values:
		for name, value := range v {
			if err := encodable(value); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	case bus.Text, bus.Octets: // our own
	case godbus.Variant:
		return encodable(v.Value())
	case string:
		if !utf8.ValidString(v) || strings.ContainsRune(v, 0) {
			return fmt.Errorf("dbus: %q is no text", v)
		}
	case []string:
		for _, s := range v {
			if err := encodable(s); err != nil {
				return err
			}
		}
	default:
		return encodableKind(reflect.TypeOf(v))
	}
	return nil
}

// encodableKind reports whether all values of a type can go over the bus.
func encodableKind(t reflect.Type) error {
	if t == nil {
		return fmt.Errorf("dbus: there is no value")
	}
	switch t.Kind() {
	case reflect.Bool, reflect.Uint8, reflect.Int16, reflect.Uint16, reflect.Int32, reflect.Uint32,
		reflect.Int64, reflect.Uint64, reflect.Float64:
		return nil
	case reflect.Slice:
		return encodableKind(t.Elem())
	default:
		return fmt.Errorf("dbus: a value of type %v", t)
	}
}

// render makes the properties of an object anew. If one of them cannot go over the bus, or making
// them fails, the object is left out until they can: one that is odd must not be the end of
// everybody's list.
func (t *tree) render(o *object) {
	was := o.broken
	o.broken = ""
	defer func() {
		if p := recover(); p != nil {
			o.broken = fmt.Sprintf("panic: %v\n%s", p, debug.Stack())
		}
		if o.broken != "" && o.broken != was && t.leftOut != nil {
			t.leftOut(o.path, o.broken)
		}
	}()
	for n := range o.faces {
		fresh := o.faces[n].render()
		if err := encodable(fresh); err != nil {
			o.broken = o.faces[n].iface + "." + err.Error()
			return
		}
		if !o.faces[n].snapshot {
			o.faces[n].values = fresh
		}
	}
}
