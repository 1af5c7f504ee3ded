package bus

import (
	"encoding/binary"
	"io"
	"sync"
)

// maxHeld is how many bytes of messages wait at most to be sent together.
const maxHeld = 16 << 10

// writer sends messages in their order.
type writer struct {
	w       io.Writer
	mu      sync.Mutex // guards what follows, and a Write
	serial  uint32     // of the latest message
	holding int        // how often hold was called
	held    []byte     // messages that wait for release
	err     error      // of a Write
}

// send sends a whole message, which gets its serial number here, or keeps it for release. before is
// called with that number first. The message is wiped: a key may be in there.
func (w *writer) send(frame []byte, before func(serial uint32)) error {
	defer clear(frame)
	if len(frame) < fixedHeader {
		return errHeader
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.serial++
	if w.serial == 0 { // which no message may have
		w.serial = 1
	}
	binary.LittleEndian.PutUint32(frame[8:], w.serial)
	if before != nil {
		before(w.serial)
	}
	w.held = appendWiped(w.held, frame)
	if w.holding == 0 || len(w.held) >= maxHeld {
		w.writeHeld()
	}
	return w.err
}

// appendWiped is append that wipes what it moves to another place.
func appendWiped(to, more []byte) []byte {
	if need := len(to) + len(more); need > cap(to) {
		larger := append(make([]byte, 0, max(need, 2*cap(to))), to...)
		clear(to)
		to = larger
	}
	return append(to, more...)
}

// hold keeps the messages that follow for release: to write them in one piece wakes up us and the
// bus less often.
func (w *writer) hold() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.holding++
}

// release sends what hold kept, unless somebody else holds.
func (w *writer) release() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.holding--; w.holding == 0 {
		w.writeHeld()
	}
}

// flush sends what was kept so far.
func (w *writer) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writeHeld()
}

// writeHeld writes what is held. The caller holds w.mu.
func (w *writer) writeHeld() {
	if len(w.held) == 0 {
		return
	}
	if _, err := w.w.Write(w.held); err != nil && w.err == nil {
		w.err = err
	}
	clear(w.held)
	if w.held = w.held[:0]; cap(w.held) > maxHeld {
		w.held = nil
	}
}
