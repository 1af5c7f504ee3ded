package eapwsc

import (
	"encoding/binary"

	"wpsd/engine/wsc"
)

// opCode says what a WSC packet is (WSC, EAP transport).
type opCode uint8

const (
	opStart   opCode = 1
	opAck     opCode = 2
	opNack    opCode = 3
	opMsg     opCode = 4
	opDone    opCode = 5
	opFragAck opCode = 6
)

// opFor returns the Op-Code that goes with a message. What has no Message Type is a message like
// M1: whether it is any good is not decided here.
func opFor(msg []byte) (op opCode, known bool) {
	t, err := wsc.PeekMessageType(msg)
	switch {
	case err != nil:
		return opMsg, false
	case t == wsc.MsgAck:
		return opAck, true
	case t == wsc.MsgNack:
		return opNack, true
	case t == wsc.MsgDone:
		return opDone, true
	}
	return opMsg, true
}

// carriesMessage reports whether packets with op carry a message.
func (op opCode) carriesMessage() bool {
	return op == opMsg || op == opAck || op == opNack || op == opDone
}

// The flags of a WSC packet.
const (
	flagMore   = 0x01 // more fragments follow
	flagLength = 0x02 // the length of the whole message follows
)

const (
	// DefaultFragmentSize is how many bytes of Op-Code, Flags, Message Length and data a packet has
	// at most (hostap's default).
	DefaultFragmentSize = 1400
	// minFragmentSize makes sure that every fragment gets the message on.
	minFragmentSize = 16
	// maxFragmentSize is what fits an EAP packet behind its header and our expanded type.
	maxFragmentSize = maxPacket - headerLen - 1 - len(expandedWSC)
	// maxMessage bounds what a message may announce, and so what a peer can make us store (hostap's
	// limit; a good message has 500 bytes).
	maxMessage = wsc.MaxMessage
)

// fragmentSize gives the size to work with for a configured one.
func fragmentSize(configured int) int {
	if configured == 0 {
		return DefaultFragmentSize
	}
	return min(max(configured, minFragmentSize), maxFragmentSize)
}

// fragment is what a WSC packet holds: a message, a part of one, or just an Op-Code.
type fragment struct {
	op     opCode
	more   bool
	length int // of the whole message; -1: not told
	data   []byte
}

// parseFragment reads the data of an isWSC packet. Flags that we do not know are ignored.
func parseFragment(b []byte) (fragment, bool) {
	b = b[len(expandedWSC):]
	if len(b) < 2 {
		return fragment{}, false
	}
	f := fragment{op: opCode(b[0]), more: b[1]&flagMore != 0, length: -1, data: b[2:]}
	if b[1]&flagLength != 0 {
		if len(f.data) < 2 {
			return fragment{}, false
		}
		f.length, f.data = int(binary.BigEndian.Uint16(f.data)), f.data[2:]
	}
	return f, true
}

// bare makes the packet data of a WSC_Start or WSC_FRAG_ACK.
func bare(op opCode) []byte {
	return append(expandedWSC[:len(expandedWSC):len(expandedWSC)], byte(op), 0)
}

// sender cuts a message into fragments.
type sender struct {
	size  int
	op    opCode
	rest  []byte
	first bool // nothing was sent yet
}

// load takes the next message.
func (s *sender) load(msg []byte) {
	s.op, _ = opFor(msg)
	s.rest, s.first = msg, true
}

// tooLong reports whether no receiver takes msg.
func tooLong(msg []byte) bool { return len(msg) > maxMessage }

// next makes the packet data of the next fragment. The first one tells the length of the whole if
// there are more (hostap; iwd takes the length only together with "more").
func (s *sender) next() []byte {
	b := append(make([]byte, 0, len(expandedWSC)+min(s.size, len(s.rest)+2)), expandedWSC[:]...)
	room := s.size - 2
	switch {
	case len(s.rest) <= room:
		room = len(s.rest)
		b = append(b, byte(s.op), 0)
	case s.first:
		room -= 2
		b = append(b, byte(s.op), flagMore|flagLength)
		b = binary.BigEndian.AppendUint16(b, uint16(len(s.rest)))
	default:
		b = append(b, byte(s.op), flagMore)
	}
	b = append(b, s.rest[:room]...)
	s.rest, s.first = s.rest[room:], false
	return b
}

// more reports whether fragments are left.
func (s *sender) more() bool { return len(s.rest) > 0 }

// verdict is what becomes of a fragment.
type verdict uint8

const (
	ignored    verdict = iota // it tells a length that cannot be; nothing has changed
	unexpected                // it does not belong to what went before; nothing has changed
	broken                    // the message is longer or shorter than announced: it is lost
	wantMore                  // WSC_FRAG_ACK it
	complete
)

// assembler puts fragments together. It never holds more than arrived, nor more than maxMessage.
type assembler struct {
	op     opCode
	length int
	buffer []byte
	busy   bool // a message has begun
}

// add takes a fragment and returns the message when it is complete. The message is valid until the
// next call, and may be a part of the frame. (hostap behaviour, of both its sides, for what is
// ignored and what is not; the doc of each verdict is what Peer and Server do with it.)
func (a *assembler) add(f fragment) ([]byte, verdict) {
	if f.length >= 0 && (f.length > maxMessage || f.length < len(f.data)) {
		return nil, ignored
	}
	if f.more && len(f.data) == 0 {
		return nil, ignored // no progress: such fragments could go on for ever
	}
	switch {
	case !a.busy && !f.more && f.length >= 0 && f.length != len(f.data):
		return nil, ignored // a part that claims to be all
	case !a.busy && !f.more:
		return f.data, complete
	case !a.busy && f.length < 0:
		return nil, unexpected
	case !a.busy:
		*a = assembler{op: f.op, length: f.length, buffer: a.buffer[:0], busy: true}
	case f.op != a.op:
		return nil, unexpected
	case f.length >= 0 && f.length != a.length:
		return nil, ignored
	}
	a.buffer = append(a.buffer, f.data...)
	switch {
	case f.more && len(a.buffer) < a.length:
		return nil, wantMore
	case !f.more && len(a.buffer) == a.length:
		a.busy = false
		return a.buffer, complete
	}
	*a = assembler{}
	return nil, broken
}
