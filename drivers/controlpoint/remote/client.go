package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"wpsd/drivers/controlpoint"
	"wpsd/engine/upnp"
	"wpsd/service/fence"
)

const (
	// dialTime bounds how long it takes to connect, and to be told that the control point is open.
	// The other process may have to be started first.
	dialTime = 20 * time.Second
	// againTime is how long to wait before connecting again when the other process ended.
	againTime = time.Second
	// lasting is how long a connection has to last so that the next failure is the first one again.
	lasting = time.Minute
	// againMost is the longest time until then.
	againMost = 30 * time.Second
	// doTime bounds a request, which in the other process may wait for others to the same address,
	// and then has 15 s.
	doTime = 60 * time.Second
	// writeTime is how long the other process may leave what we say unread.
	writeTime = 5 * time.Second
	// maxHeard is how many announcements are kept for a slow reader, as in package controlpoint.
	maxHeard = 1024
)

// Dial opens a control point on an interface, in the process that listens on the socket at path. If
// that process ends, it is looked for again, and Changed tells when it is back. The caller closes
// the Client.
func Dial(path, ifname string, log *slog.Logger) (*Client, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	ctx, end := context.WithCancelCause(context.Background())
	c := &Client{
		path: path, ifname: ifname, log: log, ctx: ctx, end: end,
		heard: make(chan upnp.Announcement, maxHeard), notified: make(chan upnp.Notification),
		changed: make(chan struct{}, 1),
		pending: make(map[uint64]chan frame),
	}
	conn, err := c.connect()
	if err != nil {
		end(err)
		return nil, err
	}
	c.tasks.Go(fence.Func(c.log, "the connection to the process that speaks UPnP", func() {
		c.run(conn)
	}, nil))
	return c, nil
}

// Client is a control point in another process. It is safe for concurrent use.
type Client struct {
	path, ifname string
	log          *slog.Logger
	ctx          context.Context // ends with Close
	end          context.CancelCauseFunc
	heard        chan upnp.Announcement
	notified     chan upnp.Notification
	changed      chan struct{}
	tasks        sync.WaitGroup

	writing sync.Mutex
	mu      sync.Mutex
	conn    net.Conn // nil: there is none at the moment
	last    uint64
	pending map[uint64]chan frame
}

// Heard, Notified and Changed are as controlpoint.ControlPoint has them.
func (c *Client) Heard() <-chan upnp.Announcement { return c.heard }

// Notified implements service.ControlPoint.
func (c *Client) Notified() <-chan upnp.Notification { return c.notified }

// Changed implements service.ControlPoint.
func (c *Client) Changed() <-chan struct{} { return c.changed }

// Search implements service.ControlPoint. Why the other process could not, if so, is in its own
// log: nobody waits for it.
func (c *Client) Search(context.Context) error {
	c.mu.Lock()
	c.last++
	id := c.last
	c.mu.Unlock()
	return c.send(frame{Kind: search, ID: id})
}

// Do implements service.ControlPoint.
func (c *Client) Do(ctx context.Context, r upnp.Request) (upnp.Response, error) {
	ctx, stop := context.WithTimeoutCause(ctx, doTime, controlpoint.ErrTimeout)
	defer stop()
	f, err := c.ask(ctx, frame{Kind: do, Request: &r})
	switch {
	case err != nil:
		return upnp.Response{}, err
	case f.Response == nil:
		return upnp.Response{}, errors.New("remote: an answer without content")
	case len(f.Response.Body) > r.MaxBody:
		return upnp.Response{},
			fmt.Errorf("remote: %s %s: %w", r.Method, r.URL, controlpoint.ErrTooLong)
	}
	if err := f.Response.Recheck(r.MaxBody); err != nil {
		return upnp.Response{}, fmt.Errorf("remote: %s %s: %w", r.Method, r.URL, err)
	}
	return *f.Response, nil
}

// Close ends it and waits. Requests under way fail with ErrClosed.
func (c *Client) Close() error {
	c.end(controlpoint.ErrClosed)
	c.tasks.Wait()
	return nil
}

// connect connects and opens the control point.
func (c *Client) connect() (net.Conn, error) {
	ctx, cancel := context.WithTimeout(c.ctx, dialTime)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", c.path)
	if err != nil {
		return nil, fmt.Errorf("remote: the process that speaks UPnP: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	err = write(conn, frame{Kind: open, Interface: c.ifname})
	var f frame
	if err == nil {
		f, err = read(conn)
	}
	switch {
	case err != nil:
	case f.Kind != reply:
		err = fmt.Errorf("remote: a frame %q in place of an answer", upnp.Text(string(f.Kind)))
	default:
		err = f.Error.err()
	}
	if err != nil || !stop() {
		_ = conn.Close()
		return nil, fmt.Errorf("remote: opening %s: %w", c.ifname,
			errors.Join(err, context.Cause(ctx)))
	}
	c.mu.Lock()
	c.conn = conn
	c.mu.Unlock()
	return conn, nil
}

// run keeps a connection.
func (c *Client) run(conn net.Conn) {
	wait := againTime
	for c.ctx.Err() == nil {
		if conn == nil {
			var err error
			if conn, err = c.connect(); err != nil {
				c.log.Warn("the process that speaks UPnP does not answer", "err", err)
				wait = c.pause(wait)
				continue
			}
			c.tellChanged()
		}
		began := time.Now()
		err := fence.Do(c.log, "a connection to the process that speaks UPnP", func() error {
			return c.follow(conn)
		})
		conn = nil
		if time.Since(began) >= lasting {
			wait = againTime
		}
		if c.ctx.Err() == nil {
			c.log.Warn("the process that speaks UPnP is gone; it is started again", "err", err)
			c.tellChanged()
			wait = c.pause(wait)
		}
	}
}

// pause waits before the next attempt, and says how long to wait before the one after that.
func (c *Client) pause(wait time.Duration) (next time.Duration) {
	select {
	case <-time.After(wait):
	case <-c.ctx.Done():
	}
	return min(2*wait, againMost)
}

func (c *Client) tellChanged() {
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// follow reads a connection to its end.
func (c *Client) follow(conn net.Conn) error {
	ctx, end := context.WithCancel(c.ctx)
	var tasks sync.WaitGroup
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer func() {
		c.lost()
		end()
		stop()
		_ = conn.Close()
		tasks.Wait()
	}()
	in := newIntake(conn)
	for {
		f, err := in.next(ctx)
		if err != nil {
			return err
		}
		switch f.Kind {
		case reply:
			c.answer(f)
		case heard:
			select {
			case c.heard <- *f.Heard:
			default:
				c.log.Debug("nobody takes announcements")
			}
		case changed:
			c.tellChanged()
		case notified:
			n := f.Notified.unpack()
			// one at a time, which intake sees to
			tasks.Go(fence.Func(c.log, "a notification", func() {
				select {
				case c.notified <- n:
					in.taken()
					_ = c.send(frame{Kind: taken})
				case <-ctx.Done():
				}
			}, nil))
		}
	}
}

// lost ends what waits for an answer.
func (c *Client) lost() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn = nil
	for id, wait := range c.pending {
		delete(c.pending, id)
		close(wait)
	}
}

// answer gives a reply to who waits for it.
func (c *Client) answer(f frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if wait := c.pending[f.ID]; wait != nil {
		delete(c.pending, f.ID)
		wait <- f
	}
}

// send writes a frame.
func (c *Client) send(f frame) error {
	c.mu.Lock()
	conn := c.conn
	c.mu.Unlock()
	if conn == nil {
		return controlpoint.ErrNoAddress
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	err := conn.SetWriteDeadline(time.Now().Add(writeTime))
	if err == nil {
		err = write(conn, f)
	}
	if err != nil {
		_ = conn.Close() // half a frame may be on its way; follow notices
	}
	return err
}

// ask sends a frame and waits for its answer.
func (c *Client) ask(ctx context.Context, f frame) (frame, error) {
	wait := make(chan frame, 1)
	c.mu.Lock()
	c.last++
	f.ID = c.last
	if c.conn != nil {
		c.pending[f.ID] = wait
	} else {
		close(wait)
	}
	c.mu.Unlock()
	if err := c.send(f); err != nil && !errors.Is(err, controlpoint.ErrNoAddress) {
		c.forget(f.ID)
		return frame{}, fmt.Errorf("remote: %w", errors.Join(err, controlpoint.ErrNoAddress))
	}
	select {
	case got, ok := <-wait:
		switch {
		case ok:
			return got, got.Error.err()
		case c.ctx.Err() != nil:
			return frame{}, controlpoint.ErrClosed
		}
		return frame{}, controlpoint.ErrNoAddress
	case <-ctx.Done():
		c.forget(f.ID)
		_ = c.send(frame{Kind: cancel, ID: f.ID})
		return frame{}, context.Cause(ctx)
	}
}

func (c *Client) forget(id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.pending, id)
}

// ignoreEnd takes the regular end off a reader's errors.
func ignoreEnd(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
