package dbus

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"sync"

	godbus "github.com/godbus/dbus/v5"
)

// How long a message may be. The bus takes 32 MiB and more, and decoded it takes many times the room. The longest call
// of ours is a few KiB. Answers to our own calls are as short, but come from those we asked.
const (
	maxCall  = 64 << 10
	maxReply = 1 << 20
	// maxFields bounds the header of a message that is too long: to refuse it we need to know who sent it.
	maxFields = 8 << 10
	// maxMessage is the specification's limit. A longer one means that we lost our place in the stream.
	maxMessage = 1 << 27
)

// busDriver is the name of the bus itself.
const busDriver = "org.freedesktop.DBus"

// gate stands between the bus and godbus. It cuts the stream into messages and decides where each goes:
//
//   - method calls to the queue, undecoded;
//   - signals of the bus itself, and replies, to godbus;
//   - all else nowhere: signals of others, which we never asked for, and what godbus cannot decode, because it would
//     close the connection.
//
// godbus gets a stream without file descriptors: it does not offer to take any, so nobody can make us hold some.
// One goroutine reads and any may write.
type gate struct {
	io.Writer
	io.Closer
	r       *bufio.Reader
	framing bool   // the text of the authentication is over
	out     []byte // rest of the message that godbus is reading
	call    func(*call)
	tooLong func(header)

	writing sync.Mutex // guards what follows, and a Write
	serial  uint32     // of the latest message of ours
	holding bool
	held    []byte // messages of ours that wait for release
}

// maxHeld is how many bytes of messages wait at most to be sent together.
const maxHeld = 16 << 10

// ownSerials is where the serial numbers of send begin. godbus counts from 1 for the calls that it makes.
const ownSerials = 1 << 31

// newGate wraps a connection. The functions get the calls and the headers of calls that are too long; they run in the
// reading goroutine.
func newGate(rwc io.ReadWriteCloser, onCall func(*call), tooLong func(header)) *gate {
	return &gate{Writer: rwc, Closer: rwc, r: bufio.NewReaderSize(rwc, 16<<10), call: onCall, tooLong: tooLong}
}

// Write notices the end of the authentication: godbus sends its last line in one piece, from the goroutine that starts
// the reading one right after.
func (g *gate) Write(b []byte) (int, error) {
	if !g.framing && string(b) == "BEGIN\r\n" {
		g.framing = true
	}
	g.writing.Lock()
	defer g.writing.Unlock()
	g.writeHeld() // what was said before
	return g.Writer.Write(b)
}

// send sends a message of ours, which is whole and gets its serial number here, or keeps it for release. That the
// connection is gone is for the reading goroutine to notice.
func (g *gate) send(message []byte) {
	if len(message) < fixedHeader {
		return
	}
	g.writing.Lock()
	defer g.writing.Unlock()
	g.serial++
	binary.LittleEndian.PutUint32(message[8:], g.serial|ownSerials)
	g.held = append(g.held, message...)
	if !g.holding || len(g.held) >= maxHeld {
		g.writeHeld()
	}
}

// hold keeps the messages that follow for release: to write them in one piece wakes up us and the bus less often.
func (g *gate) hold() {
	g.writing.Lock()
	defer g.writing.Unlock()
	g.holding = true
}

// release sends what hold kept.
func (g *gate) release() {
	g.writing.Lock()
	defer g.writing.Unlock()
	g.holding = false
	g.writeHeld()
}

// flush sends what was kept so far.
func (g *gate) flush() {
	g.writing.Lock()
	defer g.writing.Unlock()
	g.writeHeld()
}

// writeHeld writes what is held. The caller holds g.writing.
func (g *gate) writeHeld() {
	if len(g.held) == 0 {
		return
	}
	_, _ = g.Writer.Write(g.held)
	clear(g.held) // a key may be in there
	if g.held = g.held[:0]; cap(g.held) > maxHeld {
		g.held = nil
	}
}

// Read gives godbus what is meant for it.
func (g *gate) Read(b []byte) (int, error) {
	if !g.framing {
		return g.r.Read(b)
	}
	for len(g.out) == 0 {
		frame, err := g.next()
		if err != nil {
			return 0, err
		}
		g.out = frame
	}
	n := copy(b, g.out)
	g.out = g.out[n:]
	return n, nil
}

// next reads one message and returns it if it is for godbus.
func (g *gate) next() ([]byte, error) {
	fixed, err := g.r.Peek(fixedHeader)
	if err != nil {
		return nil, err
	}
	h, err := parseFixed(fixed)
	if err != nil {
		return nil, err
	}
	if h.size() > maxMessage {
		return nil, fmt.Errorf("%w: %d bytes", errHeader, h.size())
	}
	limit := uint64(maxCall)
	if h.kind == godbus.TypeMethodReply || h.kind == godbus.TypeError {
		limit = maxReply
	}
	if h.size() > limit {
		return nil, g.skip(h)
	}
	frame := make([]byte, h.size())
	if _, err := io.ReadFull(g.r, frame); err != nil {
		return nil, err
	}
	if h, err = parseHeader(frame); err != nil {
		return nil, err
	}
	switch {
	case h.kind == godbus.TypeMethodCall:
		g.call(&call{header: h, frame: frame})
		return nil, nil
	case h.kind == godbus.TypeSignal && h.sender != busDriver:
		return nil, nil
	case h.sender == busDriver:
		return frame, nil
	}
	if _, err := decode(frame); err != nil {
		return nil, nil // whoever waits for it times out
	}
	return frame, nil
}

// skip reads past a message that is too long. A call is reported if its header is of a sensible length.
func (g *gate) skip(h header) error {
	rest := int64(h.size())
	if h.fields <= maxFields {
		head := make([]byte, h.bodyStart())
		if _, err := io.ReadFull(g.r, head); err != nil {
			return err
		}
		rest -= int64(len(head))
		full, err := parseHeader(head)
		if err != nil {
			return err
		}
		if full.kind == godbus.TypeMethodCall {
			g.tooLong(full)
		}
	}
	_, err := io.CopyN(io.Discard, g.r, rest)
	return err
}

// decode decodes a whole message. godbus's decoder panics now and then: what it does not recover from is an error here.
func decode(frame []byte) (m *godbus.Message, err error) {
	defer func() {
		if p := recover(); p != nil {
			m, err = nil, fmt.Errorf("dbus: undecodable message: %v", p)
		}
	}()
	return godbus.DecodeMessage(bytes.NewReader(frame))
}
