package dbus

import (
	"reflect"
	"testing"

	godbus "github.com/godbus/dbus/v5"
)

// TestSignatures: they are those that godbus finds.
func TestSignatures(t *testing.T) {
	t.Parallel()
	all := []any{"", godbus.ObjectPath("/"), false, byte(1), int16(1), uint16(1), int32(1),
		uint32(1), int64(1), uint64(1), 1.5, []string{}, []godbus.ObjectPath{}, []byte{},
		values{}, map[string]values{}, []values{}, map[string]godbus.Variant{},
		godbus.MakeVariant(1), godbus.ParseSignatureMust("s"), [][]byte{}}
	for _, a := range all {
		if got, want := variant(a), godbus.MakeVariant(a); got.Signature() != want.Signature() {
			t.Errorf("%T: %v, not %v", a, got.Signature(), want.Signature())
		}
		for _, b := range all {
			for _, body := range [][]any{{a, b}, {a, b, []string{}}, {"", a, b}} {
				if got, want := signatureOf(body), godbus.SignatureOf(body...); got != want {
					t.Errorf("%T: %v, not %v", body, got, want)
				}
			}
		}
	}
}

// TestSame: it says what reflect.DeepEqual says.
func TestSame(t *testing.T) {
	t.Parallel()
	all := []any{"", "a", godbus.ObjectPath("a"), godbus.ObjectPath("b"), false, true, uint16(1),
		uint32(1), uint64(1), uint64(2), int16(1), []string{}, []string{"a"}, []string{"b"},
		[]godbus.ObjectPath{}, []godbus.ObjectPath{"a"}, []byte{}, []byte{1}, []byte{2}, values{},
		values{"a": godbus.MakeVariant("a")}, values{"a": godbus.MakeVariant("b")}}
	variants := []godbus.Variant{{}}
	for _, v := range all {
		variants = append(variants, variant(v))
	}
	for _, a := range variants {
		for _, b := range variants {
			if same(a, b) != reflect.DeepEqual(a, b) {
				t.Errorf("%v and %v: %v", a, b, same(a, b))
			}
		}
	}
}
