package remote

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"wpsd/drivers/controlpoint"
	"wpsd/engine/upnp"
	"wpsd/service/fence"
	"wpsd/service/helper"
)

const (
	// maxPoints is how many control points one process may have open: one for each interface, and
	// some that just end.
	maxPoints = 64
	// maxRequests of one connection are under way at most; more wait in the socket.
	maxRequests = 512
	// openTime is how long a new connection may take to say what it wants.
	openTime = 10 * time.Second
)

// ControlPoint is what a connection is about; *controlpoint.ControlPoint is one.
type ControlPoint interface {
	Heard() <-chan upnp.Announcement
	Notified() <-chan upnp.Notification
	Changed() <-chan struct{}
	Search(ctx context.Context) error
	Do(ctx context.Context, r upnp.Request) (upnp.Response, error)
	Close() error
}

// Server gives its control points to who connects.
type Server struct {
	// Open opens one.
	Open func(ifname string) (ControlPoint, error)
	// Idle is how long Serve goes on without a connection; 0: for ever.
	Idle time.Duration
	// Settled is called when many events or announcements came and none any more for a while: they
	// leave memory behind. Nil: nobody is.
	Settled func()
	// Log; nil: none.
	Log *slog.Logger
}

const (
	// manyFrames is how many events and announcements leave enough behind to say so.
	manyFrames = 256
	// settleTime is for how long there have to be none.
	settleTime = 10 * time.Second
)

// Serve accepts connections until ctx ends, or nobody was connected for a while; both are no
// errors. It closes l.
func (s Server) Serve(ctx context.Context, l *net.UnixListener) error {
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	return helper.Server{Max: maxPoints, Idle: s.Idle, Log: s.Log}.Serve(ctx, l, s.serve)
}

// serve is one connection.
func (s Server) serve(ctx context.Context, c *net.UnixConn) {
	_ = c.SetReadDeadline(time.Now().Add(openTime)) // if it fails, so does the next read
	f, err := read(c)
	if err != nil || f.Kind != open {
		s.Log.Debug("a connection that opens nothing", "err", err)
		return
	}
	_ = c.SetReadDeadline(time.Time{})
	point, err := s.Open(f.Interface)
	link := &link{conn: c, point: point, log: s.Log, settled: s.Settled,
		running: make(map[uint64]context.CancelFunc), slots: make(chan struct{}, maxRequests),
		taken: make(chan struct{}, 1)}
	link.send(frame{Kind: reply, ID: f.ID, Error: newFailure(err)})
	if err != nil {
		return
	}
	s.Log.Info("control point opened", "interface", f.Interface)
	err = fence.Do(s.Log, "the run of a control point", func() error { return link.run(ctx) })
	if closed := point.Close(); closed != nil {
		err = errors.Join(err, closed)
	}
	s.Log.Info("control point closed", "interface", f.Interface, "err", err)
}

// link is one control point and its connection.
type link struct {
	conn  net.Conn
	point ControlPoint
	log   *slog.Logger
	slots chan struct{}
	taken chan struct{} // the other side has the notification

	settled func()

	writing sync.Mutex
	mu      sync.Mutex
	running map[uint64]context.CancelFunc // requests
}

// send writes a frame. If it cannot, the connection is over, which the reader notices.
func (l *link) send(f frame) {
	l.writing.Lock()
	defer l.writing.Unlock()
	if err := write(l.conn, f); err != nil {
		l.log.Debug("remote: write", "err", err)
		_ = l.conn.Close()
	}
}

// run serves the connection until its end.
func (l *link) run(ctx context.Context) error {
	ctx, end := context.WithCancel(ctx)
	var tasks sync.WaitGroup
	defer tasks.Wait()
	defer end()
	tasks.Go(fence.Func(l.log, "telling what is heard", func() { l.tell(ctx) }, func(error) {
		_ = l.conn.Close()
	}))
	for {
		f, err := read(l.conn)
		if err != nil {
			return ignoreEnd(err)
		}
		switch f.Kind {
		case search:
			l.send(frame{Kind: reply, ID: f.ID, Error: newFailure(l.point.Search(ctx))})
		case do:
			if f.Request == nil {
				return errors.New("remote: a request without content")
			}
			l.slots <- struct{}{}
			request, cancel := context.WithCancel(ctx)
			l.mu.Lock()
			l.running[f.ID] = cancel
			l.mu.Unlock()
			tasks.Go(func() {
				_ = fence.Do(l.log, "a request", func() error { l.do(request, f); return nil })
				cancel()
				<-l.slots
			})
		case cancel:
			l.mu.Lock()
			if stop := l.running[f.ID]; stop != nil {
				stop()
			}
			l.mu.Unlock()
		case taken:
			select {
			case l.taken <- struct{}{}:
			default:
			}
		default:
			return fmt.Errorf("remote: a frame %q", f.Kind)
		}
	}
}

// do carries out one request.
func (l *link) do(ctx context.Context, f frame) {
	// The bound is the other side's wish, within reason.
	f.Request.MaxBody = min(max(f.Request.MaxBody, 0), upnp.MaxDescription)
	resp, err := l.point.Do(ctx, *f.Request)
	l.mu.Lock()
	delete(l.running, f.ID)
	l.mu.Unlock()
	out := frame{Kind: reply, ID: f.ID, Error: newFailure(err)}
	if err == nil {
		out.Response = &resp
	}
	l.send(out)
}

// tell passes on what the control point has to say.
func (l *link) tell(ctx context.Context) {
	notifications := l.point.Notified()
	many := 0 // frames since the last rest
	rest := time.NewTimer(settleTime)
	defer rest.Stop()
	count := func() {
		if many++; many >= manyFrames {
			rest.Reset(settleTime)
		}
	}
	for {
		select {
		case a := <-l.point.Heard():
			l.send(frame{Kind: heard, Heard: &a})
			count()
		case <-l.point.Changed():
			l.send(frame{Kind: changed})
		case n := <-notifications:
			notifications = nil // the next when this one is taken
			l.send(frame{Kind: notified, Notified: pack(n)})
			count()
		case <-rest.C:
			if many >= manyFrames && l.settled != nil {
				l.settled()
			}
			many = 0
		case <-l.taken:
			notifications = l.point.Notified()
		case <-ctx.Done():
			return
		}
	}
}

var _ ControlPoint = (*controlpoint.ControlPoint)(nil)
