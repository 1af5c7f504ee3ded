package dbus

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf8"

	godbus "github.com/godbus/dbus/v5"
)

// encoder appends values in D-Bus's wire format (D-Bus Specification, Marshaling), little-endian, to a message that begins
// at b[0]. It knows the types that our signals and answers have; godbus's encoder, which goes by reflection, took a sixth of what
// an External Registrar computes.
type encoder struct {
	b []byte
	// unable: there was something that is left to godbus: another type, or a text that cannot be sent.
	unable bool
}

// frame encodes a message of ours that nobody answers; its serial number is 0 yet. godbus's Conn.Send would encode its body
// twice, to see that there are no file descriptors in it. A reply that cannot be encoded becomes an error.
func frame(m *godbus.Message) []byte {
	if b, ok := encodeMessage(m); ok {
		return b
	}
	b, err := slowFrame(m)
	if err != nil && m.Type == godbus.TypeMethodReply {
		m.Type, m.Body = godbus.TypeError, []any{"The answer cannot be encoded."}
		m.Headers[godbus.FieldErrorName] = variant("org.freedesktop.DBus.Error.Failed")
		m.Headers[godbus.FieldSignature] = variant(signatureOf(m.Body))
		b, err = slowFrame(m)
	}
	if err != nil {
		return nil
	}
	return b
}

// slowFrame has godbus encode a message.
func slowFrame(m *godbus.Message) ([]byte, error) {
	var b bytes.Buffer
	err := m.EncodeTo(&b, binary.LittleEndian)
	return b.Bytes(), err
}

// encodeMessage encodes a message with everything in it.
func encodeMessage(m *godbus.Message) (b []byte, ok bool) {
	e := encoder{b: make([]byte, 12, 512)}
	e.b[0], e.b[1], e.b[2], e.b[3] = 'l', byte(m.Type), byte(m.Flags), 1
	e.array(8, func() {
		for field := godbus.FieldPath; field <= godbus.FieldSignature; field++ {
			if v, has := m.Headers[field]; has {
				e.align(8)
				e.b = append(e.b, byte(field))
				e.value(v)
			}
		}
	})
	e.align(8)
	start := len(e.b)
	for _, v := range m.Body {
		e.value(v)
	}
	binary.LittleEndian.PutUint32(e.b[4:], uint32(len(e.b)-start))
	if e.unable || len(m.Body) > 0 && m.Headers[godbus.FieldSignature].Value() == nil {
		clear(e.b)
		return nil, false
	}
	return e.b, true
}

// value appends one value.
func (e *encoder) value(v any) {
	switch v := v.(type) {
	case string:
		e.text(v)
	case godbus.ObjectPath:
		e.path(v)
	case godbus.Signature:
		e.signature(v)
	case godbus.Variant:
		e.signature(v.Signature())
		e.value(v.Value())
	case bool:
		n := uint32(0)
		if v {
			n = 1
		}
		e.uint32(n)
	case byte:
		e.b = append(e.b, v)
	case int16:
		e.uint16(uint16(v))
	case uint16:
		e.uint16(v)
	case uint32:
		e.uint32(v)
	case uint64:
		e.align(8)
		e.b = binary.LittleEndian.AppendUint64(e.b, v)
	default:
		e.container(v)
	}
}

// container appends an array or a dictionary.
func (e *encoder) container(v any) {
	switch v := v.(type) {
	case []byte:
		e.array(1, func() { e.b = append(e.b, v...) })
	case []string:
		e.array(4, func() {
			for _, s := range v {
				e.text(s)
			}
		})
	case []godbus.ObjectPath:
		e.array(4, func() {
			for _, p := range v {
				e.path(p)
			}
		})
	case values:
		e.values(v)
	case []values:
		e.array(4, func() {
			for _, one := range v {
				e.values(one)
			}
		})
	case map[string]values:
		e.faces(v)
	case map[godbus.ObjectPath]map[string]values:
		e.array(8, func() {
			for path, faces := range v {
				e.align(8)
				e.path(path)
				e.faces(faces)
			}
		})
	default:
		e.unable = true
	}
}

// values appends an a{sv}, faces an a{sa{sv}}.
func (e *encoder) values(v values) {
	e.array(8, func() {
		for name, value := range v {
			e.align(8)
			e.text(name)
			e.value(value)
		}
	})
}

func (e *encoder) faces(v map[string]values) {
	e.array(8, func() {
		for name, properties := range v {
			e.align(8)
			e.text(name)
			e.values(properties)
		}
	})
}

// array appends the length of what elements appends. The padding before the first element is there even if there is none, and does
// not count.
func (e *encoder) array(alignment int, elements func()) {
	e.uint32(0)
	at := len(e.b) - 4
	e.align(alignment)
	start := len(e.b)
	elements()
	binary.LittleEndian.PutUint32(e.b[at:], uint32(len(e.b)-start))
}

func (e *encoder) align(n int) {
	for len(e.b)%n != 0 {
		e.b = append(e.b, 0)
	}
}

func (e *encoder) uint16(n uint16) {
	e.align(2)
	e.b = binary.LittleEndian.AppendUint16(e.b, n)
}

func (e *encoder) uint32(n uint32) {
	e.align(4)
	e.b = binary.LittleEndian.AppendUint32(e.b, n)
}

// text appends a string. The bus ends the connection of who sends one that is not UTF-8, or has a zero in it.
func (e *encoder) text(s string) {
	if !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
		e.unable = true
		return
	}
	e.uint32(uint32(len(s)))
	e.b = append(append(e.b, s...), 0)
}

// path appends an object path, which has the same form.
func (e *encoder) path(p godbus.ObjectPath) {
	if !validPath(p) {
		e.unable = true
		return
	}
	e.text(string(p))
}

func (e *encoder) signature(s godbus.Signature) {
	text := s.String()
	e.b = append(append(append(e.b, byte(len(text))), text...), 0)
}

// validPath is ObjectPath.IsValid without cutting the path into pieces.
func validPath(p godbus.ObjectPath) bool {
	if p == "/" {
		return true
	}
	last := byte(0)
	for n := range len(p) {
		c := p[n]
		switch {
		case c == '/':
			if last == '/' {
				return false
			}
		case n == 0:
			return false
		case c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z'):
			return false
		}
		last = c
	}
	return last != '/' && last != 0
}
