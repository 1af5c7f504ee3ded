package controlpoint

import (
	"context"
	"net/netip"
	"sync"
	"time"
)

// rate is how much of something is let through: at once, and in the long run.
type rate struct {
	burst, perSecond       float64 // from one address
	allBurst, allPerSecond float64
	sources                int // addresses that are kept count of
}

// limiter counts per source address, and in all. Who forges ever new addresses uses up what there
// is for all, but takes no more memory, and devices that are known already stay. It is safe for
// concurrent use.
type limiter struct {
	rate
	mu      sync.Mutex
	all     bucket
	sources map[netip.Addr]bucket
	swept   time.Time
}

// bucket holds what is left, and when that was.
type bucket struct {
	left float64
	at   time.Time
}

func newLimiter(r rate) *limiter {
	return &limiter{rate: r, all: bucket{left: r.allBurst}, sources: make(map[netip.Addr]bucket)}
}

// allow takes one for a source, if there is one left.
func (l *limiter) allow(now time.Time, from netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	b, known := l.sources[from]
	if !known {
		if len(l.sources) >= l.rate.sources && !l.sweep(now) {
			return false
		}
		b = bucket{left: l.burst, at: now}
	}
	b = b.refill(now, l.perSecond, l.burst)
	l.all = l.all.refill(now, l.allPerSecond, l.allBurst)
	if b.left < 1 || l.all.left < 1 {
		if known {
			l.sources[from] = b
		}
		return false
	}
	b.left--
	l.all.left--
	l.sources[from] = b
	return true
}

func (b bucket) refill(now time.Time, perSecond, burst float64) bucket {
	if d := now.Sub(b.at); d > 0 {
		b.left, b.at = min(burst, b.left+d.Seconds()*perSecond), now
	}
	return b
}

// sweep forgets the sources that were silent long enough to have everything again: it makes no
// difference to them. It looks at all of them, so at most once a second.
func (l *limiter) sweep(now time.Time) (room bool) {
	if now.Sub(l.swept) >= time.Second {
		l.swept = now
		for from, b := range l.sources {
			if b.refill(now, l.perSecond, l.burst).left >= l.burst {
				delete(l.sources, from)
			}
		}
	}
	return len(l.sources) < l.rate.sources
}

// slots bounds the requests under way. Who waits for a device that has all of its own waits there,
// and takes nothing away from requests to others. It is safe for concurrent use.
type slots struct {
	perDevice int
	all       chan struct{}
	mu        sync.Mutex
	devices   map[netip.Addr]*device
}

type device struct {
	users int // that hold or wait for a slot; the last one removes the entry
	slots chan struct{}
}

func newSlots(perDevice, all int) *slots {
	return &slots{perDevice: perDevice, all: make(chan struct{}, all),
		devices: make(map[netip.Addr]*device)}
}

// acquire waits for a slot; release gives it back.
func (s *slots) acquire(ctx context.Context, to netip.Addr) (release func(), err error) {
	s.mu.Lock()
	d := s.devices[to]
	if d == nil {
		d = &device{slots: make(chan struct{}, s.perDevice)}
		s.devices[to] = d
	}
	d.users++
	s.mu.Unlock()
	leave := func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if d.users--; d.users == 0 {
			delete(s.devices, to)
		}
	}
	select {
	case d.slots <- struct{}{}:
	case <-ctx.Done():
		leave()
		return nil, context.Cause(ctx)
	}
	select {
	case s.all <- struct{}{}:
	case <-ctx.Done():
		<-d.slots
		leave()
		return nil, context.Cause(ctx)
	}
	return func() {
		<-s.all
		<-d.slots
		leave()
	}, nil
}
