package bus

import (
	"encoding/binary"
	"errors"

	godbus "github.com/godbus/dbus/v5"
)

// errHeader means that a header cannot be read. The bus checks every message, so this is never seen
// on a real one.
var errHeader = errors.New("bus: malformed message header")

// fixedHeader is the length of a header up to the array of fields, the length of that array
// included.
const fixedHeader = 16

// Header is what stands in front of a message's body (D-Bus specification, "Message Format").
type Header struct {
	Type        godbus.Type
	Flags       godbus.Flags
	Serial      uint32
	ReplySerial uint32

	Path      godbus.ObjectPath
	Interface string // empty: not said
	Member    string
	ErrorName string
	Sender    string // stamped by the bus
	Signature string

	order  binary.ByteOrder
	body   uint32 // its length
	fields uint32 // length of the array of fields, without padding
}

// WantsReply reports whether who made this call waits for an answer.
func (h *Header) WantsReply() bool { return h.Flags&godbus.FlagNoReplyExpected == 0 }

// size is the length of the whole message.
func (h *Header) size() uint64 { return h.bodyStart() + uint64(h.body) }

// bodyStart is where the body begins: at a multiple of eight.
func (h *Header) bodyStart() uint64 { return (fixedHeader + uint64(h.fields) + 7) &^ 7 }

// parseFixed reads the part of fixed length.
func parseFixed(b []byte) (Header, error) {
	var h Header
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
	h.Type, h.Flags = godbus.Type(b[1]), godbus.Flags(b[2])
	h.body = h.order.Uint32(b[4:])
	h.Serial = h.order.Uint32(b[8:])
	h.fields = h.order.Uint32(b[12:])
	return h, nil
}

// parseHeader reads a header from the beginning of a message. It does not look at the body.
func parseHeader(b []byte) (Header, error) {
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
			h.Path = godbus.ObjectPath(text)
		case godbus.FieldInterface:
			h.Interface = text
		case godbus.FieldMember:
			h.Member = text
		case godbus.FieldSender:
			h.Sender = text
		case godbus.FieldSignature:
			h.Signature = text
		case godbus.FieldErrorName:
			h.ErrorName = text
		case godbus.FieldReplySerial:
			h.ReplySerial = number
		}
	}
	return h, nil
}

// fieldReader reads the array of header fields. Alignment counts from the beginning of the message.
// After a failure it stays at the end and gives zero values.
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

// variant reads a value of one of the types that header fields have. Fields of the future with
// other types are not understood; the specification does not foresee them, and the bus removes what
// it does not know.
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
