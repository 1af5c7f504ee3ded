package nl80211

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"

	"wpsd/drivers"
)

// queries asks the kernel for what it knows, over a socket that gets answers only. It is safe for
// concurrent use: one question at a time. The socket is opened with the first question, and anew
// after an error that leaves in doubt which answers are still to come.
type queries struct {
	dial func() (socket, error)

	mu     sync.Mutex
	conn   socket
	family family
	closed bool

	radios radios
}

const (
	// answerTime is the longest that the kernel may take; it answers within the system call that
	// asks.
	answerTime = 10 * time.Second
	// interruptions is how often a list is read anew because it changed while it was read.
	interruptions = 3
	// genlVersion is what nl80211 expects in the generic netlink header: it has only ever had one.
	genlVersion = 0
)

// get asks for one thing and hands the attributes of each message of the answer to each.
func (q *queries) get(ctx context.Context, command uint8, attrs []byte,
	each func(attrs []byte) error) error {
	return q.ask(ctx, command, 0, attrs, each)
}

// dump asks for a list.
func (q *queries) dump(ctx context.Context, command uint8, attrs []byte,
	each func(attrs []byte) error) error {
	return q.ask(ctx, command, netlink.Dump, attrs, each)
}

func (q *queries) ask(ctx context.Context, command uint8, flags netlink.HeaderFlags, attrs []byte,
	each func(attrs []byte) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.open(); err != nil {
		return err
	}
	answer, err := q.exchange(command, flags, attrs)
	if err != nil {
		if !fromKernel(err) {
			q.hangUp()
		}
		return err
	}
	for _, m := range answer {
		if err := each(m.Data); err != nil {
			return err
		}
	}
	return nil
}

// exchange sends the question and returns the answer. A list that changed while it was read may
// miss entries or have some twice: it is asked for again, and in the end taken as it is.
func (q *queries) exchange(command uint8, flags netlink.HeaderFlags,
	attrs []byte) ([]genetlink.Message, error) {
	question := genetlink.Message{Header: genetlink.Header{Command: command, Version: genlVersion},
		Data: attrs}
	for attempt := 1; ; attempt++ {
		sent, err := q.conn.Send(question, q.family.id, netlink.Request|flags)
		if err != nil {
			return nil, err
		}
		// Only a socket that tests simulate has no deadline.
		_ = q.conn.SetReadDeadline(time.Now().Add(answerTime))
		answer, headers, err := q.conn.Receive()
		if err != nil {
			return nil, err
		}
		if err := netlink.Validate(sent, headers); err != nil {
			return nil, err
		}
		if !interrupted(headers) || attempt == interruptions {
			return answer, nil
		}
	}
}

// interrupted tells whether the kernel says that the list changed while we read it.
func interrupted(headers []netlink.Message) bool {
	for _, m := range headers {
		if m.Header.Flags&netlink.DumpInterrupted != 0 {
			return true
		}
	}
	return false
}

// fromKernel tells whether the error is the kernel's answer to a request. Any other comes from the
// socket: then an answer may be lost, or still to come.
func fromKernel(err error) bool {
	var op *netlink.OpError
	return errors.As(err, &op) && op.Sequence != 0
}

// open makes sure that there is a socket and that we know the kernel's numbers.
func (q *queries) open() error {
	if q.closed {
		return drivers.ErrClosed
	}
	if q.conn != nil {
		return nil
	}
	conn, err := q.dial()
	if err != nil {
		return fmt.Errorf("nl80211: open a netlink socket: %w", err)
	}
	f, err := getFamily(conn)
	if err != nil {
		conn.Close()
		return fmt.Errorf("nl80211: %w", err)
	}
	q.conn, q.family = conn, f
	return nil
}

// current returns the kernel's numbers.
func (q *queries) current() (family, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.open(); err != nil {
		return family{}, err
	}
	return q.family, nil
}

// hangUp closes the socket; the next question opens one.
func (q *queries) hangUp() {
	if q.conn != nil {
		q.conn.Close()
		q.conn = nil
	}
}

// renew forgets the socket and the kernel's numbers, which may have changed.
func (q *queries) renew() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.hangUp()
}

func (q *queries) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.hangUp()
}
