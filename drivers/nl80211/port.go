package nl80211

import (
	"errors"
	"fmt"
	"sync"

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"wpsd/service/fence"
)

// port is the socket of one Station, for commands and for events alike. The kernel puts the
// acknowledgement of a command and the events into one socket in the order in which they happened,
// so there is never a doubt whether the end of a scan that we read is the end of ours; EAPOL frames
// come to the socket that asked for the association; and when this socket is closed, by us or
// because we are killed, the kernel ends the association that was made through it.
//
// One goroutine reads. request may be called from several others, but not from the handler.
type port struct {
	conn   socket
	family uint16
	handle func(event) // called by the reader, for each event, in order
	done   chan struct{}

	sending sync.Mutex // held during a request: one at a time
	mu      sync.Mutex
	waiting *pending // the request that is not acknowledged yet
	err     error    // why the reader ended
}

// pending is a request that waits for its acknowledgement.
type pending struct {
	sequence uint32
	acked    func(error) // called by the reader before it reads on
	result   chan error
}

var (
	errOverrun = errors.New("nl80211: the kernel dropped messages because we did not read them in time")
	errNoPort  = errors.New("nl80211: the socket is closed")
)

// newPort starts reading. The socket has already joined its groups.
func newPort(conn socket, family uint16, handle func(event)) *port {
	p := &port{conn: conn, family: family, handle: handle, done: make(chan struct{})}
	go fence.Func(nil, "nl80211: reading", p.read, nil)() // its end is told by done
	return p
}

// request sends a command and waits until the kernel has done or refused it, which it does at once.
// acked may be nil; otherwise the reader calls it with the result before it handles any later
// event.
func (p *port) request(command uint8, attrs []byte, acked func(error)) error {
	p.sending.Lock()
	defer p.sending.Unlock()

	w := &pending{acked: acked, result: make(chan error, 1)}
	p.mu.Lock()
	if p.err != nil {
		defer p.mu.Unlock()
		return p.err
	}
	p.waiting = w
	// The lock is kept while sending, since the reader may see the acknowledgement before Send
	// returns.
	m := genetlink.Message{Header: genetlink.Header{Command: command, Version: genlVersion},
		Data: attrs}
	sent, err := p.conn.Send(m, p.family, netlink.Request|netlink.Acknowledge)
	if err != nil {
		p.waiting = nil
		p.mu.Unlock()
		return fmt.Errorf("nl80211: send a command: %w", err)
	}
	w.sequence = sent.Header.Sequence
	p.mu.Unlock()

	return <-w.result // read answers each request, at its own end at the latest
}

// read is the reader. It ends when the socket is closed or breaks.
func (p *port) read() {
	defer close(p.done)
	for {
		messages, headers, err := p.conn.Receive()
		switch {
		case err == nil:
			for i, m := range messages {
				// One at a time: the others, and whoever waits for the kernel's answer, depend on
				// this loop.
				_ = fence.Do(nil, "nl80211: a message", func() error {
					p.take(m, headers[i].Header)
					return nil
				})
			}
		case fromKernel(err):
			var op *netlink.OpError
			errors.As(err, &op)
			p.answer(op.Sequence, kernelError(op))
		case errors.Is(err, unix.ENOBUFS):
			p.fail(errOverrun, false)
			p.handle(event{overrun: true})
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN):
		default:
			p.fail(fmt.Errorf("%w: %w", errNoPort, err), true)
			return
		}
	}
}

// take handles one message: an acknowledgement or an event.
func (p *port) take(m genetlink.Message, h netlink.Header) {
	switch {
	case h.Type == netlink.Error: // with code 0: done; others come as an error of Receive
		p.answer(h.Sequence, nil)
	case uint16(h.Type) == p.family:
		if e, ok := parseEvent(m.Header.Command, m.Data); ok {
			p.handle(e)
		}
	}
}

// answer gives the pending request its result.
func (p *port) answer(sequence uint32, result error) {
	p.mu.Lock()
	w := p.waiting
	if w == nil || w.sequence != sequence {
		p.mu.Unlock()
		return
	}
	p.waiting = nil
	p.mu.Unlock()
	if w.acked != nil {
		w.acked(result)
	}
	w.result <- result
}

// fail gives the pending request an error and, if it is the end, all later ones too.
func (p *port) fail(err error, end bool) {
	p.mu.Lock()
	w := p.waiting
	p.waiting = nil
	if end {
		p.err = err
	}
	p.mu.Unlock()
	if w != nil {
		w.result <- err
	}
}

// close ends the reader and waits for it.
func (p *port) close() {
	p.conn.Close()
	<-p.done
}

// kernelError is the error code of the kernel, with its explanation if it gave one.
func kernelError(op *netlink.OpError) error {
	if op.Message == "" {
		return op.Err
	}
	return fmt.Errorf("%w (%s)", op.Err, op.Message)
}
