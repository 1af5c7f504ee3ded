package service

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"wpsd/drivers"
	"wpsd/engine/discovery"
	"wpsd/engine/ie"
	"wpsd/engine/wsc"
	"wpsd/service/store"
)

const (
	// seenSlack: kernels tell in milliseconds or jiffies when a frame was heard, so one of the first
	// moment of a scan may look older than the scan.
	seenSlack = 100 * time.Millisecond
	// maxBusy and maxScanErrors are how many scans in a row may be refused because somebody else
	// scans, or fail otherwise, before we give up.
	maxBusy       = 20
	maxScanErrors = 3
	// rescanPause is how long to wait after a scan in vain (wpa_supplicant waits as long).
	rescanPause = 500 * time.Millisecond
)

// scanner looks around with a Station. One goroutine owns it.
type scanner struct {
	service  *Service
	iface    *iface
	station  drivers.Station
	own      wsc.MAC
	ies      []byte // our element for probe requests; nil: none
	channels []drivers.Channel
	looked   map[int]time.Time
	heard    map[wsc.MAC]candidate
	failures int
	ready    []wsc.MAC // see armed
	// wpa3Only are BSSs without WPS that take WPA3 only, others those without WPS otherwise: to tell why nothing was found.
	wpa3Only, others map[wsc.MAC]bool
}

// newScanner takes over what is known of the interface's surroundings: as hints, and where the
// newest looks were.
func newScanner(ctx context.Context, s *Service, i *iface, station drivers.Station, own wsc.MAC) (*scanner, error) {
	c := &scanner{
		service: s, iface: i, station: station, own: own, heard: make(map[wsc.MAC]candidate),
		wpa3Only: make(map[wsc.MAC]bool), others: make(map[wsc.MAC]bool),
	}
	if err := c.readChannels(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c.looked = maps.Clone(i.looked)
	return c, nil
}

// readChannels asks what the radio may use now. That changes at any time: what a beacon says of its country may
// open and close channels, and a scan of a closed one is refused as a whole.
func (c *scanner) readChannels(ctx context.Context) error {
	channels, err := c.station.Channels(ctx)
	if err != nil && !errors.Is(err, drivers.ErrNotSupported) {
		return cause(ctx, err)
	}
	c.channels = usable(channels)
	return nil
}

// frequencies are those of all channels; nil if the driver does not say which there are.
func (c *scanner) frequencies() []int {
	var list []int
	for _, ch := range c.channels {
		list = append(list, ch.Frequency)
	}
	return list
}

// known lists the access points of earlier scans, ours or those that the radio remembers.
func (c *scanner) known(ctx context.Context) []discovery.Candidate {
	list := make(map[wsc.MAC]discovery.Candidate)
	cached, err := c.station.Cached(ctx, staleAfter)
	if err != nil && !errors.Is(err, drivers.ErrNotSupported) {
		c.service.log.Debug("no scan cache", "interface", c.iface.Name, "err", err)
	}
	for _, b := range cached {
		if k, ok := c.candidate(&b); ok {
			list[k.BSSID] = k.Candidate
		}
	}
	c.service.mu.Lock()
	ours := c.iface.knownCandidates(time.Now().Add(-staleAfter))
	c.service.mu.Unlock()
	for _, k := range ours {
		if other, there := list[k.BSSID]; !there || k.Seen.After(other.Seen) {
			list[k.BSSID] = k.Candidate
		}
	}
	return slices.Collect(maps.Values(list))
}

// look scans some frequencies and takes in what was heard there. nil is all, for a driver that does not
// say what there is; then nothing is known of where the look was, either.
func (c *scanner) look(ctx context.Context, frequencies []int) error {
	start := time.Now()
	found, err := c.station.Scan(ctx, drivers.ScanRequest{IEs: c.ies, Frequencies: frequencies})
	if err != nil {
		return c.failed(ctx, err)
	}
	c.failures = 0
	for _, f := range frequencies {
		c.looked[f] = start
	}
	var news []candidate
	for _, b := range found {
		if b.Seen.Before(start.Add(-seenSlack)) {
			continue // what the radio remembers of earlier scans is no news
		}
		k, ok := c.candidate(&b)
		if !ok {
			c.noteOther(&b)
			continue
		}
		news = append(news, k)
		c.remember(k)
	}
	c.service.mu.Lock()
	defer c.service.mu.Unlock()
	c.iface.air.heard(found, time.Now())
	c.service.heard(c.iface, frequencies, start, news)
	return nil
}

// failed tells whether a scan that failed ends the procedure. Somebody else's scan does not.
func (c *scanner) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	c.failures++
	for _, final := range []error{drivers.ErrRadioBlocked, drivers.ErrInterfaceGone, drivers.ErrNoInterface, drivers.ErrNotSupported, drivers.ErrClosed} {
		if errors.Is(err, final) {
			return err
		}
	}
	limit := maxScanErrors
	if errors.Is(err, drivers.ErrBusy) {
		limit = maxBusy
	}
	if c.failures >= limit {
		return fmt.Errorf("service: scanning %s: %w", c.iface.Name, err)
	}
	c.service.log.Debug("scan failed, again", "interface", c.iface.Name, "err", err)
	if err := c.readChannels(ctx); err != nil {
		return err
	}
	return errScanAgain
}

// errScanAgain is returned by look for a scan that failed and may succeed in a moment.
var errScanAgain = errors.New("scan again")

// armed lists, once, the access points that have come to wait for somebody since the last call.
func (c *scanner) armed() []wsc.MAC {
	list := c.ready
	c.ready = nil
	return list
}

// remember takes in an access point. Whoever floods the air with BSSIDs only hides itself.
func (c *scanner) remember(k candidate) {
	old, there := c.heard[k.BSSID]
	if there && (old.Authorized == discovery.NotAuthorized && k.Authorized != discovery.NotAuthorized ||
		!old.Ad.SelectedRegistrar && k.Ad.SelectedRegistrar) {
		c.ready = append(c.ready, k.BSSID)
	}
	if !there && len(c.heard) >= maxAccessPoints {
		maps.DeleteFunc(c.heard, func(_ wsc.MAC, old candidate) bool { return k.Seen.Sub(old.Seen) > fresh })
		if len(c.heard) >= maxAccessPoints {
			return
		}
	}
	c.heard[k.BSSID] = k
}

func (c *scanner) noteOther(b *drivers.BSS) {
	set := c.others
	if ie.SecurityOf(b.IEs, b.Privacy).WPA3Only() {
		set = c.wpa3Only
	}
	if len(set) < maxAccessPoints {
		set[b.BSSID] = true
	}
}

func (c *scanner) candidate(b *drivers.BSS) (candidate, bool) {
	k, ok := discovery.FromBSS(b.BSSID, b.Frequency, b.Signal, b.Seen, b.IEs, b.Privacy, c.own)
	return candidate{Candidate: k, privacy: b.Privacy}, ok
}

// candidates lists what was heard in this operation.
func (c *scanner) candidates() []discovery.Candidate {
	list := make([]discovery.Candidate, 0, len(c.heard))
	for _, k := range c.heard {
		list = append(list, k.Candidate)
	}
	return list
}

// Scan looks at all channels of an interface once and returns at once; events tell what was heard and,
// with ScanDone, the end. ErrBusy while a session or another scan runs there.
func (s *Service) Scan(_ context.Context, ifname string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, err := s.station(ifname)
	if err != nil {
		return err
	}
	if i.session != nil || i.cancelScan != nil {
		return fmt.Errorf("%w (%s)", ErrBusy, ifname)
	}
	ctx, cancel := context.WithCancel(s.ctx)
	own := wsc.MAC(i.HardwareAddr)
	if err := s.begin(func() { s.scan(ctx, i, own) }); err != nil {
		cancel()
		return err
	}
	i.cancelScan = cancel
	s.emit(InterfaceChanged{i.snapshot()})
	return nil
}

func (s *Service) scan(ctx context.Context, i *iface, own wsc.MAC) {
	err := s.withRadio(ctx, i, func() error {
		h := &holding{service: s, iface: i, debt: store.Debt{Interface: i.Name}} // to look around, nobody has to let go
		if err := h.noteLink(ctx); err != nil {
			return err
		}
		defer h.giveBack(ctx, true)
		return s.withStation(ctx, i, false, func(station drivers.Station) error { return s.lookOnce(ctx, i, station, own) })
	})
	if err != nil && ctx.Err() == nil {
		s.log.Warn("scan failed", "interface", i.Name, "err", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i.cancelScan()
	i.cancelScan = nil
	s.restSoon()
	if s.interfaces[i.Name] == i {
		s.emit(ScanDone{Interface: i.Name, Success: err == nil})
		s.emit(InterfaceChanged{i.snapshot()})
	}
}

// lookOnce looks at all channels.
func (s *Service) lookOnce(ctx context.Context, i *iface, station drivers.Station, own wsc.MAC) error {
	c, err := newScanner(ctx, s, i, station, own)
	if err != nil {
		return err
	}
	for {
		if err = c.look(ctx, c.frequencies()); !errors.Is(err, errScanAgain) {
			return err
		}
		if err := pause(ctx, rescanPause); err != nil {
			return err
		}
	}
}

// pause waits, unless ctx ends before.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
