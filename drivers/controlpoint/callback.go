package controlpoint

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"wpsd/engine/upnp"
	"wpsd/service/fence"
)

// subscription is one path of the server, and who may use it.
type subscription struct {
	path  string // unguessable: 128 random bits
	from  netip.Addr
	known chan struct{} // closed when the answer to SUBSCRIBE is there

	// Guarded by callbacks.mu.
	sid     string // empty: not known yet, or there is none
	expires time.Time
}

// grace is for how long after its end a subscription still counts: the renewal may be on its way.
const grace = 30 * time.Second

// callbacks is the subscriptions of one binding. It is safe for concurrent use.
type callbacks struct {
	limits   limits
	connects *limiter
	mu       sync.Mutex
	byPath   map[string]*subscription
	byFrom   map[netip.Addr][]*subscription // the oldest first
	open     map[netip.Addr]int             // connections
	total    int
}

func newCallbacks(l limits) *callbacks {
	return &callbacks{
		limits: l, connects: newLimiter(l.connects), byPath: make(map[string]*subscription),
		byFrom: make(map[netip.Addr][]*subscription), open: make(map[netip.Addr]int),
	}
}

// add makes a path for a device. One with too many loses its oldest, as devices handle it on their
// side.
func (c *callbacks) add(from netip.Addr) (*subscription, error) {
	var token [16]byte
	if _, err := rand.Read(token[:]); err != nil {
		return nil, err
	}
	now := time.Now()
	s := &subscription{path: "/event/" + hex.EncodeToString(token[:]), from: from,
		known:   make(chan struct{}),
		expires: now.Add(c.limits.requestTime + grace)}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, old := range c.byFrom[from] {
		if old.expires.Before(now) {
			c.drop(old)
		}
	}
	if own := c.byFrom[from]; len(own) >= c.limits.perDevice {
		c.drop(own[0])
	}
	if len(c.byPath) >= c.limits.subscriptions && !c.sweep(now) {
		return nil, ErrTooMany
	}
	c.byPath[s.path] = s
	c.byFrom[from] = append(c.byFrom[from], s)
	return s, nil
}

func (c *callbacks) sweep(now time.Time) (room bool) {
	for _, s := range c.byPath {
		if s.expires.Before(now) {
			c.drop(s)
		}
	}
	return len(c.byPath) < c.limits.subscriptions
}

// drop forgets a subscription; c.mu is held.
func (c *callbacks) drop(s *subscription) {
	if c.byPath[s.path] != s {
		return
	}
	delete(c.byPath, s.path)
	var rest []*subscription // a new one: add ranges over the old
	for _, other := range c.byFrom[s.from] {
		if other != s {
			rest = append(rest, other)
		}
	}
	if len(rest) == 0 {
		delete(c.byFrom, s.from)
	} else {
		c.byFrom[s.from] = rest
	}
}

// settle takes the answer to SUBSCRIBE. Events that waited for it go on.
func (c *callbacks) settle(s *subscription, r upnp.Response, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer close(s.known)
	granted := upnp.Subscription{}
	if err == nil {
		granted, err = upnp.ParseSubscription(r)
	}
	if err != nil {
		c.drop(s)
		return
	}
	s.sid, s.expires = granted.SID, time.Now().Add(granted.Timeout+grace)
}

// renew takes the answer to a renewal. A refused one changes nothing here: it ends by itself.
func (c *callbacks) renew(from netip.Addr, sid string, r upnp.Response) {
	granted, err := upnp.ParseSubscription(r)
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.byFrom[from] {
		if s.sid == sid {
			s.sid, s.expires = granted.SID, time.Now().Add(granted.Timeout+grace)
		}
	}
}

// remove ends a subscription.
func (c *callbacks) remove(from netip.Addr, sid string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.byFrom[from] {
		if s.sid == sid {
			c.drop(s)
			return
		}
	}
}

func (c *callbacks) find(path string, from netip.Addr) *subscription {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.byPath[path]; s != nil && s.from == from {
		return s
	}
	return nil
}

// sid waits until it is known whether a subscription came about, and gives its SID; empty: it did
// not.
func (c *callbacks) sid(ctx context.Context, s *subscription) string {
	select {
	case <-s.known:
	case <-ctx.Done():
		return ""
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return s.sid
}

// admit decides about a connection by its address alone. Once half of what there is for all is
// taken, a device has one connection: else a few that hold all of theirs open would keep the events
// of all others away.
func (c *callbacks) admit(from netip.Addr) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	own := c.limits.perDevice
	if c.total >= c.limits.connections/2 {
		own = 1
	}
	if len(c.byFrom[from]) == 0 || c.open[from] >= own || c.total >= c.limits.connections {
		return false
	}
	if !c.connects.allow(time.Now(), from) {
		return false
	}
	c.open[from]++
	c.total++
	return true
}

func (c *callbacks) left(from netip.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total--
	if c.open[from]--; c.open[from] == 0 {
		delete(c.open, from)
	}
}

// gate accepts connections from devices that we subscribed to, and drops all others without a word.
type gate struct {
	*net.TCPListener
	b *binding
}

// Accept implements net.Listener.
func (g gate) Accept() (net.Conn, error) {
	for {
		conn, err := g.AcceptTCP()
		if err != nil {
			return nil, err
		}
		from := conn.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().Unmap()
		if !g.b.callbacks.admit(from) {
			_ = conn.SetLinger(0) // nothing of it stays in the kernel
			_ = conn.Close()
			continue
		}
		g.b.wait.Add(1)
		// The server closes its connections at the end, but may not know of this one yet.
		stop := context.AfterFunc(g.b.ctx, func() { _ = conn.Close() })
		return &admitted{Conn: conn, leave: sync.OnceFunc(func() {
			stop()
			g.b.callbacks.left(from)
			g.b.wait.Done()
		})}, nil
	}
}

// admitted is a connection that counts until it is closed.
type admitted struct {
	net.Conn
	leave func()
}

// Close implements net.Conn.
func (a *admitted) Close() error {
	defer a.leave()
	return a.Conn.Close()
}

// serve starts the server for events.
func (b *binding) serve(l *net.TCPListener) {
	p := b.point
	b.server = &http.Server{
		Handler:           http.HandlerFunc(b.notify),
		ReadHeaderTimeout: p.limits.connectTime,
		ReadTimeout:       p.limits.connectTime,
		WriteTimeout:      p.limits.connectTime + p.limits.deliver,
		MaxHeaderBytes:    p.limits.header,
		BaseContext:       func(net.Listener) context.Context { return b.ctx },
		ErrorLog:          slog.NewLogLogger(p.log.Handler(), slog.LevelDebug),
	}
	b.server.SetKeepAlivesEnabled(false)
	b.wait.Go(fence.Func(p.log, "the server for events", func() {
		if err := b.server.Serve(gate{l, b}); !errors.Is(err, http.ErrServerClosed) &&
			b.ctx.Err() == nil {
			p.log.Warn("controlpoint: the server for events ended", "err", err)
		}
	}, nil))
}

// notify takes one event. Whoever does not know the path gets no answer at all.
func (b *binding) notify(w http.ResponseWriter, r *http.Request) {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	s := b.callbacks.find(r.URL.Path, at.Addr().Unmap())
	if s == nil {
		panic(http.ErrAbortHandler)
	}
	if r.Method != "NOTIFY" {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	w.WriteHeader(b.take(w, r, s))
}

// take reads an event, hands it over and gives the status to answer.
func (b *binding) take(w http.ResponseWriter, r *http.Request, s *subscription) int {
	n, err := upnp.ParseNotify(fields(r.Header))
	if err != nil {
		if refused := (*upnp.Refused)(nil); errors.As(err, &refused) {
			return refused.Status
		}
		return http.StatusBadRequest
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, upnp.MaxMessage))
	if tooLong := (*http.MaxBytesError)(nil); errors.As(err, &tooLong) {
		return http.StatusRequestEntityTooLarge
	} else if err != nil {
		return http.StatusBadRequest
	}
	ctx, cancel := context.WithTimeout(r.Context(), b.point.limits.deliver)
	defer cancel()
	if sid := b.callbacks.sid(ctx, s); sid == "" || sid != n.SID {
		return http.StatusPreconditionFailed
	}
	n.From = s.from
	n.ReadBody(body)
	select {
	case b.point.notified <- n:
		// also for a body that is of no use (hostap behaviour): to repeat it would not help
		return http.StatusOK
	case <-ctx.Done():
		return http.StatusServiceUnavailable
	}
}
