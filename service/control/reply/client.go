package reply

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"
)

const (
	// patience is how long one answer may take. The Server does not wait for anybody; but systemd
	// may have to start it.
	patience = 5 * time.Second
	// linger is how long a connection that is not used stays.
	linger = 3 * time.Second
)

// Client asks a Server. It connects when there is something to send, and is safe for concurrent
// use.
type Client struct {
	path string

	mu   sync.Mutex
	conn *net.UnixConn // nil: not connected
	idle *time.Timer
}

// NewClient makes a Client of the Server that listens at path.
func NewClient(path string) *Client { return &Client{path: path} }

// Send has one datagram sent from the socket fd, as Recipient.Send does. Its recipient's address is
// a path.
func (c *Client) Send(fd int, to Recipient, text []byte) (*Held, error) {
	if len(to.Address) == 0 || len(to.Address) > MaxPath || len(text) > MaxText {
		return nil, syscall.EMSGSIZE
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	fresh := c.conn == nil
	held, err := c.roundTrip(fd, to, text)
	// it has ended since, for lack of work; a new one is there at once
	if errors.Is(err, ErrLost) && !fresh {
		held, err = c.roundTrip(fd, to, text)
	}
	return held, err
}

// ErrLost means that the Server cannot be reached, or ended before it answered.
var ErrLost = errors.New("reply: the process that answers clients is gone: see systemctl status wpsd-reply.socket")

// roundTrip is one request and its answer. The caller holds mu.
func (c *Client) roundTrip(fd int, to Recipient, text []byte) (*Held, error) {
	if c.conn == nil {
		conn, err := net.DialUnix("unixpacket", nil, &net.UnixAddr{Name: c.path, Net: "unixpacket"})
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrLost, err)
		}
		c.conn = conn
	}
	request := appendRequest(make([]byte, 0, headLen+len(to.Address)+len(text)), to, text)
	defer clear(request)
	_ = c.conn.SetDeadline(time.Now().Add(patience))
	answer, oob := make([]byte, answerLen+1), make([]byte, syscall.CmsgSpace(fdLen))
	_, _, err := c.conn.WriteMsgUnix(request, syscall.UnixRights(fd), nil)
	n, oobn := 0, 0
	if err == nil {
		n, oobn, _, _, err = c.conn.ReadMsgUnix(answer, oob)
	}
	if err != nil || n == 0 {
		_ = c.conn.Close()
		c.conn = nil
		return nil, errors.Join(ErrLost, err)
	}
	c.lingers()
	return takeAnswer(answer[:n], oob[:oobn], to.Hold)
}

// takeAnswer takes an answer, and the file that has to come with it if it was to be held.
func takeAnswer(answer, oob []byte, want bool) (*Held, error) {
	var held *Held
	var err error
	if ref, ok := passed(oob); ok {
		held, err = hold(ref)
	}
	if said := parseAnswer(answer); said != nil {
		err = said
	}
	if err == nil && want != (held != nil) {
		err = errMalformed
	}
	if err != nil {
		held.Close()
		return nil, err
	}
	return held, nil
}

// lingers closes the connection if it is not used for a while, so that the Server can end. The
// caller holds mu.
func (c *Client) lingers() {
	if c.idle == nil {
		c.idle = time.AfterFunc(linger, c.Close)
		return
	}
	c.idle.Reset(linger)
}

// Close closes the connection. The next Send makes a new one.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn = nil
	}
}
