package nl80211

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"wpsd/drivers"
)

// scans follows the scans of one radio. A radio does one at a time, for whoever asked first.
type scans struct {
	mu      sync.Mutex
	running bool          // ours
	own     chan scanEnd  // the end of ours
	other   chan struct{} // the end of somebody else's
}

// scanEnd is how a scan of ours ended.
type scanEnd int

const (
	scanDone    scanEnd = iota
	scanAborted         // by somebody else, or with the link
	scanMissed          // events were lost, the end perhaps among them
)

func newScans() *scans {
	return &scans{own: make(chan scanEnd, 1), other: make(chan struct{}, 1)}
}

// triggered takes the kernel's answer to our request, before any event that came after it.
func (c *scans) triggered(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// What ended before is of no interest any more.
	select {
	case <-c.own:
	default:
	}
	select {
	case <-c.other:
	default:
	}
	c.running = err == nil
}

// ended takes the end of a scan.
func (c *scans) ended(ours, aborted bool) {
	end := scanDone
	if aborted {
		end = scanAborted
	}
	c.finish(ours, end)
}

// overrun takes the news that events were lost.
func (c *scans) overrun() {
	c.finish(true, scanMissed)
	c.finish(false, scanMissed)
}

func (c *scans) finish(ours bool, end scanEnd) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ours && c.running {
		c.running = false
		c.own <- end // there is room: triggered has emptied it
		return
	}
	select {
	case c.other <- struct{}{}:
	default:
	}
}

// forget gives up on the end of ours: when it comes, it is like anybody's.
func (c *scans) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running = false
}

const (
	// scanTime is the longest that we wait for the end of a scan. 8 s are usual where all channels
	// of 2.4 and 5 GHz may be used; a radio that also serves a connection takes two or three times
	// that.
	scanTime = 60 * time.Second
	// busyTime is how long we wait for other programs' scans before ours.
	busyTime = 19 * time.Second
	// firstRetry is when we try again though no end of theirs was told: it is not when its interface
	// is taken down, as iwd does that lets go in the middle of a scan of its own. The time doubles,
	// up to busyRetry.
	firstRetry = 50 * time.Millisecond
	busyRetry  = 2 * time.Second
	// abortTime is how long the kernel may take to end a scan that we abort.
	abortTime = time.Second
	// scanTries is how often a scan that somebody else aborted is begun.
	scanTries = 3
)

var errScanAborted = errors.New("the scan was aborted")

// Scan implements drivers.Station. Frequencies nil is what the kernel takes for all channels.
func (s *Station) Scan(ctx context.Context, r drivers.ScanRequest) ([]drivers.BSS, error) {
	s.using.Lock()
	defer s.using.Unlock()
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	attrs, err := s.scanAttributes(ctx, r)
	if err != nil {
		return nil, err
	}
	begun, err := s.scan(ctx, attrs, r.Urgent)
	if err != nil {
		s.driver.queries.radios.forget() // perhaps a channel is closed now
		return nil, err
	}
	return s.results(ctx, func(h *heard) bool {
		return h.seen >= begun &&
			(r.Frequencies == nil || slices.Contains(r.Frequencies, h.Frequency))
	})
}

// scanAttributes encodes the request.
func (s *Station) scanAttributes(ctx context.Context, r drivers.ScanRequest) ([]byte, error) {
	can, err := s.can(ctx)
	if err != nil {
		return nil, err
	}
	if len(r.SSID) > 32 {
		return nil, fmt.Errorf("nl80211: scan: an SSID of %d bytes", len(r.SSID))
	}
	frequencies := slices.Clone(r.Frequencies)
	slices.Sort(frequencies)
	frequencies = slices.Compact(frequencies) // the kernel refuses doubles
	return attributes(func(e *netlink.AttributeEncoder) {
		e.Uint32(unix.NL80211_ATTR_IFINDEX, uint32(s.index))
		// One SSID, be it the empty one, makes it an active scan.
		if !r.Passive {
			e.Nested(unix.NL80211_ATTR_SCAN_SSIDS, func(n *netlink.AttributeEncoder) error {
				n.Bytes(1, r.SSID)
				return nil
			})
		}
		if r.Frequencies != nil {
			e.Nested(unix.NL80211_ATTR_SCAN_FREQUENCIES, func(n *netlink.AttributeEncoder) error {
				for i, f := range frequencies {
					n.Uint32(uint16(i+1), uint32(f))
				}
				return nil
			})
		}
		if !r.Passive && len(r.IEs) > 0 && len(r.IEs) <= can.maxScanElements {
			e.Bytes(unix.NL80211_ATTR_IE, r.IEs)
		}
		// A radio that cannot forget keeps its entries; those that we return are of this scan
		// anyway.
		if r.Flush && can.has(unix.NL80211_FEATURE_SCAN_FLUSH) {
			e.Uint32(unix.NL80211_ATTR_SCAN_FLAGS, unix.NL80211_SCAN_FLAG_FLUSH)
		}
	})
}

// scan does one scan from beginning to end and returns when it began, as bootTime. An urgent one
// ends the scan of somebody else that is in its way.
func (s *Station) scan(ctx context.Context, attrs []byte, urgent bool) (begun time.Duration,
	err error) {
	busy := time.NewTimer(busyTime)
	defer busy.Stop()
	for try, retry := 1, firstRetry; ; {
		begun = bootTime()
		err := s.command(ctx, unix.NL80211_CMD_TRIGGER_SCAN, attrs, s.scans.triggered)
		switch {
		case err == nil:
			err = s.awaitScan(ctx)
			if !errors.Is(err, errScanAborted) {
				return begun, err
			}
			if cause := s.cause(); cause != nil {
				return 0, fmt.Errorf("nl80211: %s: scan: %w", s.name, cause)
			}
			if try++; try > scanTries {
				return 0, fmt.Errorf("nl80211: %s: %w, %d times", s.name, err, scanTries)
			}
		case errors.Is(err, unix.EBUSY):
			if urgent {
				_ = s.askAbort() // else it is waited for
			}
			if err := s.awaitOther(ctx, busy.C, retry); err != nil {
				return 0, err
			}
			retry = min(2*retry, busyRetry)
		default:
			return 0, s.explain("scan", err)
		}
	}
}

// awaitScan waits for the end of our scan, or aborts it.
func (s *Station) awaitScan(ctx context.Context) error {
	timeout := time.NewTimer(scanTime)
	defer timeout.Stop()
	var reason error
	select {
	case end := <-s.scans.own:
		if end == scanDone {
			return nil
		}
		return errScanAborted
	case <-ctx.Done():
		reason = ctx.Err()
	case <-s.ctx.Done():
		reason = fmt.Errorf("nl80211: %s: scan: %w", s.name, context.Cause(s.ctx))
	case <-s.port.done:
		reason = s.explain("scan", errNoPort)
	case <-timeout.C:
		reason = fmt.Errorf("nl80211: %s: the scan did not end in %v", s.name, scanTime)
	}
	s.abortScan()
	return reason
}

// abortScan ends our scan early, so that the radio is free when we return.
func (s *Station) abortScan() {
	defer s.scans.forget()
	// A radio that cannot abort ends the scan in its own time; the next request then waits for
	// that.
	if s.askAbort() != nil {
		return
	}
	timeout := time.NewTimer(abortTime)
	defer timeout.Stop()
	select {
	case <-s.scans.own:
	case <-s.port.done:
	case <-timeout.C:
	}
}

// askAbort has the kernel end the scan that the radio is doing, whoever began it. Its end is told as
// always.
func (s *Station) askAbort() error {
	attrs, err := attributes(func(e *netlink.AttributeEncoder) {
		e.Uint32(unix.NL80211_ATTR_IFINDEX, uint32(s.index))
	})
	if err != nil {
		return err
	}
	return s.port.request(unix.NL80211_CMD_ABORT_SCAN, attrs, nil)
}

// awaitOther waits until the scan that is in our way has ended, or it is time to look whether it has.
func (s *Station) awaitOther(ctx context.Context, busy <-chan time.Time,
	again time.Duration) error {
	retry := time.NewTimer(again)
	defer retry.Stop()
	select {
	case <-s.scans.other:
		return nil
	case <-retry.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-s.ctx.Done():
		return fmt.Errorf("nl80211: %s: scan: %w", s.name, context.Cause(s.ctx))
	case <-s.port.done:
		return s.explain("scan", errNoPort)
	case <-busy:
		return fmt.Errorf("nl80211: %s: others scan all the time: %w", s.name, drivers.ErrBusy)
	}
}

// results returns the kernel's list, or what keep wants of it.
func (s *Station) results(ctx context.Context, keep func(*heard) bool) ([]drivers.BSS, error) {
	attrs, err := attributes(func(e *netlink.AttributeEncoder) {
		e.Uint32(unix.NL80211_ATTR_IFINDEX, uint32(s.index))
	})
	if err != nil {
		return nil, err
	}
	var list newest
	now, boot := time.Now(), bootTime()
	err = s.driver.queries.dump(ctx, unix.NL80211_CMD_GET_SCAN, attrs, func(attrs []byte) error {
		h, ok, err := parseScanResult(attrs, boot, keep)
		if ok {
			h.Seen = now.Add(h.seen - boot)
			list.add(h.BSS)
		}
		return err
	})
	if err != nil {
		return nil, s.explain("read scan results", err)
	}
	return list.all, nil
}
