package nl80211

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"wpsd/drivers"
)

// Station is a taken interface. Its methods are used by one goroutine, except Close.
type Station struct {
	driver *Driver
	index  int
	name   string
	addr   [6]byte
	wiphy  uint32
	port   *port

	ctx    context.Context // ends with the Station; the cause is ErrClosed or ErrInterfaceGone
	cancel context.CancelCauseFunc

	using        sync.Mutex // held by each call: Close waits for the one in progress to clean up
	capabilities *capabilities
	raised       bool // the link was down, and we brought it up
	downs        int  // how often others had taken it down by then
	released     bool

	scans *scans

	mu   sync.Mutex
	link *Link // the newest; nil: none yet
}

var _ drivers.Station = (*Station)(nil)

// newStation opens the port. It changes nothing of the interface.
func newStation(d *Driver, n netdev) (*Station, error) {
	f, err := d.queries.current()
	if err != nil {
		return nil, err
	}
	conn, err := d.kernel.generic()
	if err != nil {
		return nil, err
	}
	if err := f.join(conn, unix.NL80211_MULTICAST_GROUP_SCAN,
		unix.NL80211_MULTICAST_GROUP_MLME); err != nil {
		conn.Close()
		return nil, err
	}
	s := &Station{driver: d, index: n.index, name: n.name, addr: n.address, wiphy: n.wiphy,
		scans: newScans()}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	s.port = newPort(conn, f.id, s.event)
	return s, nil
}

// event takes what the kernel tells; it runs on the port's goroutine.
func (s *Station) event(e event) {
	if e.overrun {
		s.scans.overrun()
		s.currentLink().overrun()
		return
	}
	switch e.command {
	case unix.NL80211_CMD_NEW_SCAN_RESULTS, unix.NL80211_CMD_SCAN_ABORTED:
		if e.ifindex == s.index || e.hasWiphy && e.wiphy == s.wiphy {
			s.scans.ended(e.ifindex == s.index, e.command == unix.NL80211_CMD_SCAN_ABORTED)
		}
	default:
		if e.ifindex == s.index {
			s.currentLink().event(e)
		}
	}
}

// currentLink returns the newest link, or nil, whose methods do nothing.
func (s *Station) currentLink() *Link {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.link
}

// end makes all calls, those in progress too, return the reason.
func (s *Station) end(reason error) {
	s.cancel(reason)
	if reason == drivers.ErrInterfaceGone {
		s.currentLink().lose(drivers.LostError{}, reason)
	}
}

// usable tells why a call cannot go on. Its caller holds using.
func (s *Station) usable(ctx context.Context) error {
	if err := context.Cause(s.ctx); err != nil {
		return fmt.Errorf("nl80211: %s: %w", s.name, err)
	}
	return ctx.Err()
}

// cause finds out why something ended that the access point did not end; nil: nothing special. It
// asks the kernel, since what ends a link or a scan is told us before, and on another socket than,
// its reason.
func (s *Station) cause() error {
	if err := context.Cause(s.ctx); err != nil {
		return err
	}
	l, err := s.driver.links.get(s.index)
	if errors.Is(err, unix.ENODEV) || err == nil && l.name != s.name {
		s.cancel(drivers.ErrInterfaceGone)
		return drivers.ErrInterfaceGone
	}
	if s.driver.rfkill.blocked(s.name) {
		return drivers.ErrRadioBlocked
	}
	return nil
}

// explain words the kernel's refusal of what we tried.
func (s *Station) explain(what string, err error) error {
	switch {
	case errors.Is(err, unix.ERFKILL):
		err = drivers.ErrRadioBlocked
	case errors.Is(err, unix.EALREADY), errors.Is(err, unix.EINPROGRESS),
		errors.Is(err, unix.EBUSY):
		err = drivers.ErrBusy
	case errors.Is(err, unix.EOPNOTSUPP):
		err = fmt.Errorf("%w (%w)", drivers.ErrNotSupported, err)
	case errors.Is(err, unix.ENODEV), errors.Is(err, unix.EPERM), errors.Is(err, unix.ENETDOWN),
		errors.Is(err, errNoPort):
		if cause := s.cause(); cause != nil {
			err = cause
		}
	}
	return fmt.Errorf("nl80211: %s: %s: %w", s.name, what, err)
}

// command gives the kernel a command that needs the link to be up. If it is down, it comes up and
// is down again after Close; so whoever only lists what is cached leaves no trace.
func (s *Station) command(ctx context.Context, command uint8, attrs []byte,
	acked func(error)) error {
	err := s.port.request(command, attrs, acked)
	if !errors.Is(err, unix.ENETDOWN) {
		return err
	}
	if err := s.raise(ctx); err != nil {
		return err
	}
	return s.port.request(command, attrs, acked)
}

// raise brings the link up and notes that it was down, unless it comes up by itself: somebody may
// have taken it down for a moment.
func (s *Station) raise(ctx context.Context) error {
	if l, err := s.driver.settled(ctx, s.index); err != nil || l.up {
		return err
	}
	s.downs = s.driver.downs.counted(s.index)
	if err := s.driver.links.set(s.index, true); err != nil {
		return fmt.Errorf("bring the link up: %w", err)
	}
	s.raised = true
	return nil
}

// lower takes the link down again if we brought it up. If somebody else has begun to use it
// meanwhile, or took it down itself and brought it up, it stays up: then it is theirs.
func (s *Station) lower() error {
	if !s.raised {
		return nil
	}
	s.raised = false
	n, err := s.driver.queries.netdev(context.Background(), s.index)
	if err == nil && n.used() || s.driver.downs.counted(s.index) != s.downs {
		return nil
	}
	if err := s.driver.takeDown(s.index); err != nil && !errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("nl80211: %s: take the link down: %w", s.name, err)
	}
	return nil
}

// Close implements drivers.Station.
func (s *Station) Close() error {
	s.end(drivers.ErrClosed)
	s.using.Lock()
	defer s.using.Unlock()
	if s.released {
		return nil
	}
	s.released = true
	err := errors.Join(s.currentLink().close(), s.lower())
	s.port.close()
	s.driver.release(s)
	return err
}

// HardwareAddr implements drivers.Station.
func (s *Station) HardwareAddr() [6]byte { return s.addr }

// Channels implements drivers.Station.
func (s *Station) Channels(ctx context.Context) ([]drivers.Channel, error) {
	s.using.Lock()
	defer s.using.Unlock()
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	s.capabilities = nil // the regulatory domain may have changed
	c, err := s.can(ctx)
	if err != nil {
		return nil, err
	}
	return slices.Clone(c.channels), nil
}

// can returns what the radio can do.
func (s *Station) can(ctx context.Context) (*capabilities, error) {
	if s.capabilities == nil {
		c, err := s.driver.queries.capabilities(ctx, s.wiphy)
		if err != nil {
			return nil, s.explain("ask for its radio", err)
		}
		s.capabilities = c
	}
	return s.capabilities, nil
}

// Cached implements drivers.Station.
func (s *Station) Cached(ctx context.Context, maxAge time.Duration) ([]drivers.BSS, error) {
	s.using.Lock()
	defer s.using.Unlock()
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	oldest := bootTime() - maxAge
	return s.results(ctx, func(h *heard) bool { return h.seen >= oldest })
}
