package bus

import (
	"fmt"
	"io"
	"os"

	godbus "github.com/godbus/dbus/v5"
)

// wiper wipes where it reads to before it waits for anything. Under a bufio.Reader that is all of
// its buffer but what has not been taken yet: of a message that was taken no copy is left there,
// however long nothing else comes.
type wiper struct{ io.Reader }

func (w wiper) Read(p []byte) (int, error) {
	clear(p)
	return w.Reader.Read(p)
}

// read takes messages until the connection ends.
func (c *Conn) read() {
	defer c.dropFiles()
	for {
		if err := c.next(); err != nil {
			_ = c.fail(fmt.Errorf("%w: %w", ErrLost, err))
			return
		}
	}
}

// next reads one message and gives it to whom it is for, if to anybody.
func (c *Conn) next() error {
	fixed, err := c.r.Peek(fixedHeader)
	if err != nil {
		return err
	}
	h, err := parseFixed(fixed)
	switch {
	case err != nil:
		return err
	case h.size() > maxMessage:
		return fmt.Errorf("%w: %d bytes", errHeader, h.size())
	case h.bodyStart() > maxHead: // nobody who means well; who it is we would have to read all of it for
		defer c.closeFiles()
		return c.skip(h.size())
	}
	head, frame, err := c.head(int(h.bodyStart()))
	if err != nil {
		return err
	}
	if h, err = parseHeader(head); err != nil {
		return err
	}
	take, limit := c.wanted(&h)
	rest := h.size() - uint64(len(frame))
	if take == nil || h.size() > uint64(limit) {
		if err := c.skip(rest); err != nil {
			return err
		}
		c.closeFiles()
		if take != nil {
			c.tooLong(&h)
		}
		return nil
	}
	m := &Message{Header: h, Frame: make([]byte, h.size())}
	copy(m.Frame, frame)
	if _, err := io.ReadFull(c.r, m.Frame[len(frame):]); err != nil {
		return err
	}
	if c.wantsFile(&h) {
		m.file = c.takeFile()
	}
	c.closeFiles()
	take(m)
	return nil
}

// head gives the first n bytes of a message. Those that do not fit into the buffer are read, and
// returned as consumed.
func (c *Conn) head(n int) (head, consumed []byte, err error) {
	if n <= c.r.Size() {
		head, err = c.r.Peek(n)
		return head, nil, err
	}
	head = make([]byte, n)
	_, err = io.ReadFull(c.r, head)
	return head, head, err
}

func (c *Conn) skip(n uint64) error {
	_, err := c.r.Discard(int(n)) // in our own buffer; n is at most maxMessage
	return err
}

// wanted says who takes a message, nil for nobody, and how long it may be.
func (c *Conn) wanted(h *Header) (take func(*Message), limit int) {
	switch h.Type {
	case godbus.TypeMethodReply, godbus.TypeError:
		if p := c.asked(h); p != nil {
			return func(m *Message) { c.answered(p, result{m: m}) }, c.o.MaxReply
		}
	case godbus.TypeSignal:
		if c.listens(h) {
			return c.signal, maxSignal
		}
	case godbus.TypeMethodCall:
		return c.callTaker(h), MaxCall
	}
	return nil, 0
}

// tooLong tells whoever would have taken a message that it was too long.
func (c *Conn) tooLong(h *Header) {
	switch h.Type {
	case godbus.TypeMethodReply, godbus.TypeError:
		if p := c.asked(h); p != nil {
			c.answered(p, result{err: ErrAnswer})
		}
	case godbus.TypeMethodCall:
		if c.o.OnLongCall != nil {
			c.o.OnLongCall(*h)
			return
		}
		c.Refuse(h, errLimits, fmt.Sprintf("The message is longer than %d bytes.", MaxCall))
	}
}

// takeFile takes the first file descriptor that came with the message that was just read; nil: none
// did.
func (c *Conn) takeFile() *os.File {
	if c.files == nil {
		return nil
	}
	return c.files.first(c.files.at - int64(c.r.Buffered()))
}

// closeFiles closes those that came with what was just read, and that nobody asked for.
func (c *Conn) closeFiles() {
	for f := c.takeFile(); f != nil; f = c.takeFile() {
		_ = f.Close() // it was not ours
	}
}

// dropFiles closes all that came, at the end.
func (c *Conn) dropFiles() {
	for c.files != nil && len(c.files.files) > 0 {
		_ = c.files.first(c.files.at).Close()
	}
}
