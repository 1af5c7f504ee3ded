// Package controlpoint is the sockets of an External Registrar, and nothing else: SSDP, HTTP
// requests, and the server that access points deliver their events to. What the bytes mean is
// engine/upnp's business, what to do about them engine/er's.
//
// Everything stays on one network interface and within its own IPv4 networks. Everybody in there
// may be hostile: datagrams, connections, requests, bodies, headers and times are bounded, per
// device and in all; nobody's request waits for another device; nothing is followed, neither a
// redirect nor a name; and only a device that we subscribed to gets a word out of the server, under
// a path that only it knows.
package controlpoint

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"wpsd/engine/upnp"
	"wpsd/service/fence"
)

// What callers branch on.
var (
	// ErrNoAddress means that the interface is down, gone or without IPv4 address at the moment.
	ErrNoAddress = errors.New("controlpoint: the interface has no address")
	// ErrElsewhere means that a request is for an address outside the interface's networks.
	ErrElsewhere = errors.New("controlpoint: the address is not in the network of the interface")
	// ErrTimeout means that there was no complete answer in time.
	ErrTimeout = errors.New("controlpoint: no complete answer in time")
	// ErrTooLong means that an answer exceeds its bound.
	ErrTooLong = errors.New("controlpoint: the answer is too long")
	// ErrTooMany means that there are more subscriptions than a network of access points needs.
	ErrTooMany = errors.New("controlpoint: too many subscriptions")
	// ErrMoved means that the interface's address changed while a request was on its way.
	ErrMoved = errors.New("controlpoint: the address of the interface changed")
	// ErrClosed means that Close was called.
	ErrClosed = errors.New("controlpoint: closed")
)

// Config says where to be.
type Config struct {
	Interface string
	Log       *slog.Logger
}

// ControlPoint is the sockets on one interface. It is safe for concurrent use.
type ControlPoint struct {
	ifname   string
	log      *slog.Logger
	limits   limits
	heard    chan upnp.Announcement
	notified chan upnp.Notification
	changed  chan struct{}
	packets  *limiter  // datagrams of SSDP
	readers  sync.Pool // of *bufio.Reader, for answers
	slots    *slots
	route    *netlink.Conn
	wake     chan struct{} // the kernel told of an interface or an address
	// follow looks at nothing: what the kernel tells of other interfaces is not for us
	settled atomic.Bool
	stop    context.CancelCauseFunc
	wait    sync.WaitGroup

	mu sync.Mutex
	at *binding // nil: there is no address
}

// Open starts listening on an interface. It need not have an address yet, nor keep it: what the
// kernel tells is followed. The caller closes the ControlPoint.
func Open(c Config) (*ControlPoint, error) { return open(c, standard) }

func open(c Config, l limits) (*ControlPoint, error) {
	if _, _, err := inspect(c.Interface); err != nil {
		return nil, fmt.Errorf("controlpoint: %s: %w", c.Interface, err)
	}
	// Listen to the kernel before looking, so that no change is missed.
	route, err := netlink.Dial(unix.NETLINK_ROUTE,
		&netlink.Config{Groups: unix.RTMGRP_LINK | unix.RTMGRP_IPV4_IFADDR})
	if err != nil {
		return nil, fmt.Errorf("controlpoint: open a route netlink socket: %w", err)
	}
	ctx, stop := context.WithCancelCause(context.Background())
	p := &ControlPoint{
		ifname:   c.Interface,
		log:      c.Log,
		limits:   l,
		heard:    make(chan upnp.Announcement, l.heard),
		notified: make(chan upnp.Notification),
		changed:  make(chan struct{}, 1),
		packets:  newLimiter(l.packets),
		slots:    newSlots(l.requestsPerDevice, l.requests),
		route:    route,
		wake:     make(chan struct{}, 1),
		stop:     stop,
	}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	if err := p.update(ctx); err != nil {
		stop(err)
		_ = route.Close()
		return nil, err
	}
	select {
	case <-p.changed: // there was nothing before
	default:
	}
	p.wait.Go(fence.Keep(p.log, "watching an interface", func() { p.watch(ctx) }))
	p.wait.Go(fence.Keep(p.log, "following an interface", func() { p.follow(ctx) }))
	return p, nil
}

// Heard gives what devices announce, and what they answer to searches. If nobody reads,
// announcements are lost, as they can be on the way: devices repeat them.
func (p *ControlPoint) Heard() <-chan upnp.Announcement { return p.heard }

// Notified gives the events of subscriptions, those of one device in order. A device waits until
// its event was taken; only if that takes seconds it is told to try again.
func (p *ControlPoint) Notified() <-chan upnp.Notification { return p.notified }

// Changed tells that the interface has another address, or none. All subscriptions are lost:
// devices know only the old address. It is time to subscribe again, and to search.
func (p *ControlPoint) Changed() <-chan struct{} { return p.changed }

// Search asks all WFADevices to answer, once and within a second. The datagram may be lost on the
// way.
func (p *ControlPoint) Search(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	b := p.binding()
	if b == nil {
		return ErrNoAddress
	}
	// hostap's External Registrar lets them take 3 s. The more time, the fewer collisions; one
	// second is UDA's least.
	datagram := upnp.Search{Target: upnp.DeviceType, MX: 1}.Append(nil)
	if _, err := b.search.WriteToUDPAddrPort(datagram, upnp.Multicast); err != nil {
		return fmt.Errorf("controlpoint: search: %w", err)
	}
	return nil
}

// Close ends everything and waits for it. Requests under way fail with ErrClosed.
func (p *ControlPoint) Close() error {
	p.stop(ErrClosed)
	err := p.route.Close()
	p.wait.Wait()
	p.rebind(nil, ErrClosed)
	return err
}

func (p *ControlPoint) binding() *binding {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at
}

// limits are all the bounds in one place. Tests shorten them.
type limits struct {
	heard   int  // announcements kept for a slow reader
	packets rate // datagrams
	// under way in all: silent devices hold one each, so there are many
	requests          int
	requestsPerDevice int           // of one address; the others wait
	requestTime       time.Duration // from dialling to the last byte of the answer
	header            int           // bytes, of requests and of answers
	subscriptions     int
	perDevice         int           // subscriptions, and connections at once, of one address
	connections       int           // to the server
	connects          rate          // to the server
	connectTime       time.Duration // to deliver one event
	deliver           time.Duration // until an event is taken, and until its subscription is known
}

var standard = limits{
	heard: 1024,
	// hostapd sends 16 datagrams at once when it starts and 8 in answer to a search; two of them
	// can share an address. A thousand devices answering one search make 8,000 datagrams within its
	// second.
	packets: rate{burst: 64, perSecond: 16, allBurst: 8192, allPerSecond: 4096,
		sources: 4096},
	requests:          256,
	requestsPerDevice: 2,
	// Long enough for Diffie-Hellman on an old router between M2 and M3. hostap takes 30 s.
	requestTime:   15 * time.Second,
	header:        8 << 10,
	subscriptions: 4096,
	perDevice:     4,
	connections:   512, // 12 KiB each
	// hostapd passes on 5 Probe Requests per second at most.
	connects: rate{burst: 200, perSecond: 100, allBurst: 4000, allPerSecond: 2000,
		sources: 4096},
	connectTime: 10 * time.Second,
	deliver:     5 * time.Second,
}
