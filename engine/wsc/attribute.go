package wsc

import (
	"encoding/binary"
	"fmt"
	"iter"
)

// MaxMessage is the longest message or element data that we read. EAP-WSC peers may announce
// messages of up to 50,000 bytes (the limit of hostap's reassembly); a good one has 500.
const MaxMessage = 50000

// headerLen is the length of an attribute's Type and Length.
const headerLen = 4

// Attribute is one attribute as it stands in a message. Value is a part of the message, not a copy.
type Attribute struct {
	ID    AttributeID
	Value []byte
}

// Reader walks the attributes of a message without allocating. It knows where attributes begin and
// end, and nothing of what they mean; three tolerances for deployed devices are built in, see Next.
type Reader struct {
	rest      []byte
	previous  AttributeID
	zeros     int // how many zeros end the data
	zerosDone bool
	err       error
}

// NewReader returns a Reader at the first attribute of b.
func NewReader(b []byte) Reader { return Reader{rest: b} }

// Next returns the next attribute, or false at the end of the data or where it is malformed.
func (r *Reader) Next() (Attribute, bool) {
	for len(r.rest) > 0 && r.err == nil {
		if len(r.rest) < headerLen {
			r.err = ErrTruncated
			break
		}
		id := AttributeID(binary.BigEndian.Uint16(r.rest))
		length := int(binary.BigEndian.Uint16(r.rest[2:]))
		value := r.rest[headerLen:]
		if length > len(value) {
			// Deployed access points put one stray octet after an empty Network Key in a
			// Credential, so that everything behind it is read off by one (hostap behaviour, long
			// in its parser).
			if id>>8 != 0x10 && r.previous == AttrNetworkKey {
				r.rest = r.rest[1:]
				continue
			}
			r.err = ErrTruncated
			break
		}
		if id == 0 && length == 0 && len(value) <= r.trailingZeros() {
			// Mac OS X 10.6 pads M1 with zeros (hostap behaviour). Zeros with something behind them
			// are read as attributes of type 0, and skipped by whoever does not know them.
			r.rest = nil
			break
		}
		r.rest = value[length:]
		r.previous = id
		return Attribute{ID: id, Value: value[:length:length]}, true
	}
	return Attribute{}, false
}

// trailingZeros counts the zeros at the end of the data, once: counting again at each attribute
// would let 50,000 zeros and a one cost 600 million steps.
func (r *Reader) trailingZeros() int {
	if !r.zerosDone {
		r.zerosDone = true
		for r.zeros < len(r.rest) && r.rest[len(r.rest)-1-r.zeros] == 0 {
			r.zeros++
		}
	}
	return r.zeros
}

// Err returns nil or ErrTruncated, once Next has returned false.
func (r *Reader) Err() error { return r.err }

// Attributes iterates over the attributes of b up to its end or to where it is malformed; whoever
// must know which, uses a Reader. The values are parts of b.
func Attributes(b []byte) iter.Seq2[AttributeID, []byte] {
	return func(yield func(AttributeID, []byte) bool) {
		r := NewReader(b)
		for a, ok := r.Next(); ok; a, ok = r.Next() {
			if !yield(a.ID, a.Value) {
				return
			}
		}
	}
}

// AppendAttribute appends one attribute to b. A value of more than 65,535 bytes does not fit and is
// a mistake of the caller: it panics.
func AppendAttribute(b []byte, id AttributeID, value []byte) []byte {
	b = appendHeader(b, id, len(value))
	return append(b, value...)
}

func appendHeader(b []byte, id AttributeID, length int) []byte {
	if length > 0xFFFF {
		panic(fmt.Sprintf("wsc: %v of %d bytes", id, length))
	}
	b = binary.BigEndian.AppendUint16(b, uint16(id))
	return binary.BigEndian.AppendUint16(b, uint16(length))
}

func append8(b []byte, id AttributeID, v uint8) []byte {
	return append(appendHeader(b, id, 1), v)
}

func append16(b []byte, id AttributeID, v uint16) []byte {
	return binary.BigEndian.AppendUint16(appendHeader(b, id, 2), v)
}

func append32(b []byte, id AttributeID, v uint32) []byte {
	return binary.BigEndian.AppendUint32(appendHeader(b, id, 4), v)
}

// appendStart appends what every message begins with. Version is frozen at 1.0; the true version
// follows in the WFA extension.
func appendStart(b []byte, t MessageType) []byte {
	b = append8(b, AttrVersion, uint8(Version10))
	return append8(b, AttrMessageType, uint8(t))
}
