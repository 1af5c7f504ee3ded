package dbus

import (
	"encoding/binary"
	"errors"

	godbus "github.com/godbus/dbus/v5"
)

// errHeader means that a header cannot be read. The bus checks every message, so this is never seen on a real one.
var errHeader = errors.New("dbus: malformed message header")

// fixedHeader is the length of a header up to the array of fields, the length of that array included.
const fixedHeader = 16

// header is what stands in front of a message's body (D-Bus specification, "Message Format").
type header struct {
	order       binary.ByteOrder
	kind        godbus.Type
	flags       godbus.Flags
	serial      uint32
	replySerial uint32
	body        uint32 // its length
	fields      uint32 // length of the array of fields, without padding

	path      godbus.ObjectPath
	iface     string // empty: not said
	member    string
	sender    string // stamped by the bus
	signature string
}

// size is the length of the whole message.
func (h *header) size() uint64 { return h.bodyStart() + uint64(h.body) }

// bodyStart is where the body begins: at a multiple of eight.
func (h *header) bodyStart() uint64 { return (fixedHeader + uint64(h.fields) + 7) &^ 7 }

// parseFixed reads the part of fixed length.
func parseFixed(b []byte) (header, error) {
	var h header
	switch {
	case len(b) < fixedHeader:
		return h, errHeader
	case b[0] == 'l':
		h.order = binary.LittleEndian
	case b[0] == 'B':
		h.order = binary.BigEndian
	default:
		return h, errHeader
	}
	h.kind, h.flags = godbus.Type(b[1]), godbus.Flags(b[2])
	h.body = h.order.Uint32(b[4:])
	h.serial = h.order.Uint32(b[8:])
	h.fields = h.order.Uint32(b[12:])
	return h, nil
}

// parseHeader reads a header from the beginning of a message. It does not look at the body.
func parseHeader(b []byte) (header, error) {
	h, err := parseFixed(b)
	if err != nil {
		return h, err
	}
	if end := fixedHeader + uint64(h.fields); end > uint64(len(b)) {
		return h, errHeader
	}
	r := fieldReader{order: h.order, b: b[:fixedHeader+h.fields], pos: fixedHeader}
	for r.pos < len(r.b) {
		r.align(8) // each field is a struct (yv)
		code := godbus.HeaderField(r.byte())
		text, number := r.variant()
		if r.failed {
			return h, errHeader
		}
		switch code {
		case godbus.FieldPath:
			h.path = godbus.ObjectPath(text)
		case godbus.FieldInterface:
			h.iface = text
		case godbus.FieldMember:
			h.member = text
		case godbus.FieldSender:
			h.sender = text
		case godbus.FieldSignature:
			h.signature = text
		case godbus.FieldReplySerial:
			h.replySerial = number
		}
	}
	return h, nil
}

// fieldReader reads the array of header fields. Alignment counts from the beginning of the message. After a failure it
// stays at the end and gives zero values.
type fieldReader struct {
	order  binary.ByteOrder
	b      []byte
	pos    int
	failed bool
}

// take returns the next n bytes.
func (r *fieldReader) take(n uint64) []byte {
	if n > uint64(len(r.b)-r.pos) {
		r.failed, r.pos = true, len(r.b)
		return nil
	}
	v := r.b[r.pos : r.pos+int(n)]
	r.pos += int(n)
	return v
}

func (r *fieldReader) align(n int) { r.take(uint64(-r.pos & (n - 1))) }

func (r *fieldReader) byte() byte {
	if v := r.take(1); v != nil {
		return v[0]
	}
	return 0
}

func (r *fieldReader) uint32() uint32 {
	r.align(4)
	if v := r.take(4); v != nil {
		return r.order.Uint32(v)
	}
	return 0
}

// text reads n bytes and the zero behind them.
func (r *fieldReader) text(n uint64) string {
	v := r.take(n + 1)
	if v == nil {
		return ""
	}
	return string(v[:n])
}

// variant reads a value of one of the types that header fields have. Fields of the future with other types are not
// understood; the specification does not foresee them, and the bus removes what it does not know.
func (r *fieldReader) variant() (text string, number uint32) {
	switch r.text(uint64(r.byte())) {
	case "s", "o":
		return r.text(uint64(r.uint32())), 0
	case "g":
		return r.text(uint64(r.byte())), 0
	case "u":
		return "", r.uint32()
	}
	r.failed = true
	return "", 0
}
