package bus

import (
	"bytes"
	"fmt"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/engine/secret"
)

// Text is a value of type s, and Octets one of type ay, that is overwritten when nobody needs it
// any more. godbus makes Go strings of texts, which cannot be, and leaves copies of the rest in
// buffers of its own; so it never gets to see these: see HiddenBody and encode. They stand in a
// message's body, in a dictionary a{sv} that does, or in one of an array or a dictionary of those.
type (
	Text   struct{ secret.Value }
	Octets struct{ secret.Value }
)

// Place says where a value stands in a body: in which argument, in which dictionary of an array of
// them, or under which key of a dictionary of them (In), and under which key there; Key is empty for
// an argument itself.
type Place struct {
	Arg, Element int
	In, Key      string
}

// nowhere is a place that no secret can have.
var nowhere = Place{Arg: -1}

// HiddenBody is Body where the texts and byte arrays that hides names are Text and Octets. They are
// the caller's to wipe: see WipeBody.
func (m *Message) HiddenBody(hides func(Place) bool) (body []any, err error) {
	if m.Signature == "" {
		return nil, nil
	}
	found := map[Place]any{}
	defer func() {
		if err != nil {
			for _, v := range found {
				wipe(v)
			}
		}
	}()
	frame := bytes.Clone(m.Frame)
	defer clear(frame)
	err = m.walk(m.Frame, func(at Place, code byte, from, to int) {
		if !hides(at) {
			return
		}
		wipe(found[at]) // a key that comes twice: the last one counts
		found[at] = asSecret(code, secret.New(frame[from:to]))
		copy(frame[from:to], filler(to-from))
	})
	if err != nil {
		return nil, err
	}
	decoded, err := decode(frame)
	if err != nil {
		return nil, err
	}
	for at, v := range found {
		if !put(decoded.Body, at, v) {
			wipe(v)
		}
	}
	return decoded.Body, nil
}

// filler stands in place of a secret of n bytes, where godbus sees it.
func filler(n int) []byte { return bytes.Repeat([]byte{'x'}, n) }

func asSecret(code byte, v secret.Value) any {
	if code == 's' {
		return Text{v}
	}
	return Octets{v}
}

// put puts a secret where its filler is; false: something else is there, which has the type that
// was not asked for.
func put(body []any, at Place, v any) bool {
	if at.Arg < 0 || at.Arg >= len(body) {
		return false
	}
	if at.Key == "" {
		body[at.Arg] = v
		return true
	}
	dictionary := dictionaryAt(body[at.Arg], at)
	if dictionary == nil {
		return false
	}
	there := dictionary[at.Key]
	switch there.Value().(type) {
	case string, []byte:
		dictionary[at.Key] = godbus.MakeVariantWithSignature(v, there.Signature())
		return true
	}
	return false
}

// dictionaryAt is the dictionary that a place is in; nil: there is none.
func dictionaryAt(arg any, at Place) map[string]godbus.Variant {
	switch arg := arg.(type) {
	case map[string]godbus.Variant:
		if at.In == "" {
			return arg
		}
	case map[string]map[string]godbus.Variant:
		return arg[at.In]
	case []map[string]godbus.Variant:
		if at.Element < len(arg) {
			return arg[at.Element]
		}
	}
	return nil
}

// eachSecret finds the secrets in a body.
func eachSecret(body []any, found func(Place, any)) {
	for arg, v := range body {
		switch v := v.(type) {
		case Text, Octets:
			found(Place{Arg: arg}, v)
		case map[string]godbus.Variant:
			eachIn(v, Place{Arg: arg}, found)
		case []map[string]godbus.Variant:
			for n, dictionary := range v {
				eachIn(dictionary, Place{Arg: arg, Element: n}, found)
			}
		case map[string]map[string]godbus.Variant:
			for name, dictionary := range v {
				eachIn(dictionary, Place{Arg: arg, In: name}, found)
			}
		}
	}
}

func eachIn(dictionary map[string]godbus.Variant, at Place, found func(Place, any)) {
	for key, v := range dictionary {
		switch v := v.Value().(type) {
		case Text, Octets:
			at.Key = key
			found(at, v)
		}
	}
}

// WipeBody overwrites the secrets in a body.
func WipeBody(body []any) { eachSecret(body, func(_ Place, v any) { wipe(v) }) }

func wipe(v any) { valueOf(v).Wipe() }

func valueOf(v any) secret.Value {
	switch v := v.(type) {
	case Text:
		return v.Value
	case Octets:
		return v.Value
	}
	return secret.Value{}
}

// conceal gives a body with fillers in place of its secrets, and those by their places; the body
// itself if it has none.
func conceal(body []any) ([]any, map[Place]secret.Value) {
	var hidden map[Place]secret.Value
	eachSecret(body, func(at Place, v any) {
		if hidden == nil {
			hidden = map[Place]secret.Value{}
		}
		hidden[at] = valueOf(v)
	})
	if hidden == nil {
		return body, nil
	}
	concealed := make([]any, len(body))
	for n, v := range body {
		switch v := v.(type) {
		case map[string]godbus.Variant:
			concealed[n] = concealIn(v)
		case []map[string]godbus.Variant:
			list := make([]map[string]godbus.Variant, len(v))
			for i := range v {
				list[i] = concealIn(v[i])
			}
			concealed[n] = list
		case map[string]map[string]godbus.Variant:
			all := make(map[string]map[string]godbus.Variant, len(v))
			for name := range v {
				all[name] = concealIn(v[name])
			}
			concealed[n] = all
		default:
			concealed[n] = concealedValue(v)
		}
	}
	return concealed, hidden
}

func concealIn(dictionary map[string]godbus.Variant) map[string]godbus.Variant {
	concealed := make(map[string]godbus.Variant, len(dictionary))
	for key, v := range dictionary {
		concealed[key] = godbus.MakeVariantWithSignature(concealedValue(v.Value()), v.Signature())
	}
	return concealed
}

func concealedValue(v any) any {
	switch v := v.(type) {
	case Text:
		return string(filler(v.Len()))
	case Octets:
		return filler(v.Len())
	}
	return v
}

// reveal writes the secrets into a message that was encoded with fillers.
func reveal(frame []byte, hidden map[Place]secret.Value) error {
	m, err := Read(frame)
	if err != nil {
		return err
	}
	written := 0
	err = m.walk(frame, func(at Place, _ byte, from, to int) {
		if v, ok := hidden[at]; ok && v.Len() == to-from {
			copy(frame[from:to], v.Bytes())
			written++
		}
	})
	if err == nil && written != len(hidden) {
		err = fmt.Errorf("%w: %d of %d secrets have a place", ErrBody, written, len(hidden))
	}
	return err
}
