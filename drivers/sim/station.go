package sim

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"wpsd/drivers"
)

// station is a radio that was taken.
type station struct {
	drivers.Unsupported

	d      *Driver
	r      *radio
	beside *radio // whose radio it shares; nil: it is the interface itself
	wasUp  bool

	once  sync.Once
	ended chan struct{}
	cause error // why it ended; set before ended is closed
}

var _ drivers.Station = (*station)(nil)

// HardwareAddr implements drivers.Station.
func (s *station) HardwareAddr() [6]byte { return s.r.MAC }

// end ends whatever is in progress, for the first reason given. It takes no lock.
func (s *station) end(cause error) {
	s.once.Do(func() {
		s.cause = cause
		close(s.ended)
	})
}

// begin is the start of each operation: it fails if the interface cannot be used, brings the link
// up if that is wanted and returns the channel that is closed when the radio is blocked.
func (s *station) begin(ctx context.Context, up bool) (off <-chan struct{}, err error) {
	w := s.d.world
	w.mu.Lock()
	off = s.r.off
	rise := up && !s.r.Up && !s.r.Blocked
	w.mu.Unlock()
	if err := s.wait(ctx, off, 0, up); err != nil || !rise {
		return off, err
	}
	if err := s.wait(ctx, off, linkUpTime, up); err != nil {
		return off, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if s.r.Blocked { // since a moment ago
		return off, drivers.ErrRadioBlocked
	}
	s.r.Up = true
	return off, nil
}

// wait lets time of the air pass. It ends early if the operation cannot go on.
func (s *station) wait(ctx context.Context, off <-chan struct{}, d time.Duration,
	radio bool) error {
	if !radio {
		off = nil
	}
	switch {
	case isClosed(s.ended):
		return s.cause
	case ctx.Err() != nil:
		return ctx.Err()
	case off != nil && isClosed(off):
		return drivers.ErrRadioBlocked
	case d == 0:
		return nil
	}
	t := time.NewTimer(s.d.air(d))
	defer t.Stop()
	select {
	case <-s.ended:
		return s.cause
	case <-ctx.Done():
		return ctx.Err()
	case <-off:
		return drivers.ErrRadioBlocked
	case <-t.C:
		return nil
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// Channels implements drivers.Station.
func (s *station) Channels(ctx context.Context) ([]drivers.Channel, error) {
	if _, err := s.begin(ctx, false); err != nil {
		return nil, err
	}
	return slices.Clone(s.r.Channels), nil
}

// Scan implements drivers.Station.
func (s *station) Scan(ctx context.Context, req drivers.ScanRequest) ([]drivers.BSS, error) {
	off, err := s.begin(ctx, true)
	if err != nil {
		return nil, err
	}
	w := s.d.world
	if req.Flush {
		w.mu.Lock()
		clear(s.r.heard)
		w.mu.Unlock()
	}
	if most := s.r.MaxProbeIEs; most > 0 && len(req.IEs) > most {
		req.IEs = nil
	}
	var heard []drivers.BSS
	for _, c := range s.r.Channels {
		if req.Frequencies != nil && !slices.Contains(req.Frequencies, c.Frequency) {
			continue
		}
		found, err := s.visit(ctx, off, c, req)
		if err != nil {
			return nil, err
		}
		heard = append(heard, found...)
	}
	if heard == nil {
		// The kernel refuses a scan without a channel; one that heard nobody is a good one.
		if err := s.visited(req); err != nil {
			return nil, err
		}
	}
	return s.remember(heard), nil
}

// visited complains of a scan that had no channel to visit.
func (s *station) visited(req drivers.ScanRequest) error {
	for _, c := range s.r.Channels {
		if req.Frequencies == nil || slices.Contains(req.Frequencies, c.Frequency) {
			return nil
		}
	}
	return fmt.Errorf("sim: %s: none of the frequencies %v can be used: %w", s.r.Name,
		req.Frequencies, drivers.ErrNotSupported)
}

// visit listens on one channel, and asks where it may.
func (s *station) visit(ctx context.Context, off <-chan struct{}, c drivers.Channel,
	req drivers.ScanRequest) ([]drivers.BSS, error) {
	w := s.d.world
	start, dwell := time.Now(), activeDwell
	var heard []drivers.BSS
	if c.Passive || req.Passive {
		dwell = passiveDwell
	} else {
		heard = w.answer(start, s.r, c.Frequency, req)
	}
	if err := s.wait(ctx, off, dwell, true); err != nil {
		return nil, err
	}
	for _, b := range w.beacons(start, time.Now(), dwell, c.Frequency) {
		i := slices.IndexFunc(heard, func(h drivers.BSS) bool { return h.BSSID == b.BSSID })
		if i < 0 {
			heard = append(heard, b)
			continue
		}
		// A probe response says more than the beacon a moment later; the kernel keeps both.
		heard[i].BeaconIEs, heard[i].Seen = b.BeaconIEs, b.Seen
	}
	return heard, nil
}

// remember notes what was heard for Cached and returns copies.
func (s *station) remember(heard []drivers.BSS) []drivers.BSS {
	w := s.d.world
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make([]drivers.BSS, 0, len(heard))
	for _, b := range heard {
		s.r.remember(b)
		all = append(all, s.r.copyBSS(b))
	}
	return all
}

// Cached implements drivers.Station.
func (s *station) Cached(ctx context.Context, maxAge time.Duration) ([]drivers.BSS, error) {
	if _, err := s.begin(ctx, false); err != nil {
		return nil, err
	}
	w, now := s.d.world, time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	return s.r.known(now, maxAge), nil
}

// Associate implements drivers.Station.
func (s *station) Associate(ctx context.Context,
	req drivers.AssociateRequest) (drivers.Link, error) {
	off, err := s.begin(ctx, true)
	if err != nil {
		return nil, err
	}
	if len(req.SSID) == 0 || len(req.SSID) > 32 { // nl80211 refuses it with EINVAL
		return nil, fmt.Errorf("sim: %s: associate: an SSID of %d bytes", s.r.Name, len(req.SSID))
	}
	w := s.d.world
	w.mu.Lock()
	busy := !s.r.associated().IsZero()
	w.mu.Unlock()
	if busy {
		return nil, fmt.Errorf("sim: %s is associated already: %w", s.r.Name, drivers.ErrBusy)
	}
	// Authentication, then association; the answer is what takes effect at both ends.
	if err := s.wait(ctx, off, 2*frameTime, true); err != nil {
		return nil, err
	}
	l, status, found := w.admit(time.Now(), s, req)
	switch {
	case !found:
		if err := s.wait(ctx, off, authTimeout, true); err != nil {
			return nil, err
		}
		return nil, &drivers.LostError{Err: drivers.ErrAssociation}
	case status != 0:
		return nil, &drivers.LostError{Err: drivers.ErrAssociation, Status: status, ByPeer: true}
	}
	if err := s.wait(ctx, off, 2*frameTime, true); err != nil {
		_ = l.Close()
		return nil, err
	}
	return l, nil
}

// Close implements drivers.Station.
func (s *station) Close() error {
	s.end(drivers.ErrClosed)
	w := s.d.world
	w.mu.Lock()
	l := s.r.link
	w.mu.Unlock()
	if l != nil {
		_ = l.Close() // waits for the access point's side
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if s.r.station == s {
		s.r.station, s.r.link = nil, nil
		if s.beside != nil {
			s.beside.apart = nil
			return nil
		}
		s.r.Up = (s.wasUp || !s.r.occupied.IsZero()) && !s.r.Blocked
	}
	return nil
}
