package station

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"wpsd/drivers"
	"wpsd/engine/discovery"
	"wpsd/engine/ie"
	"wpsd/engine/wsc"
	"wpsd/service/air"
	"wpsd/service/radio"
	"wpsd/service/search"
)

const (
	// seenSlack: kernels tell in milliseconds or jiffies when a frame was heard, so one of the
	// first moment of a scan may look older than the scan.
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
	log      *slog.Logger
	iface    Interface
	station  drivers.Station
	own      wsc.MAC
	ies      []byte // our element for probe requests; nil: none
	channels []drivers.Channel
	looked   map[int]time.Time
	failures int
	beside   bool // somebody's connection is on the interface
}

// newScanner takes over what is known of the interface's surroundings: as hints, and where the
// newest looks were.
func (s *Stations) newScanner(ctx context.Context, i Interface, station drivers.Station,
	own wsc.MAC) (*scanner, error) {
	c := &scanner{log: s.Log, iface: i, station: station, own: own}
	if err := c.readChannels(ctx); err != nil {
		return nil, err
	}
	c.looked = i.Air.Looked()
	return c, nil
}

// readChannels asks what the radio may use now. That changes at any time: what a beacon says of its
// country may open and close channels, and a scan of a closed one is refused as a whole.
func (c *scanner) readChannels(ctx context.Context) error {
	channels, err := c.station.Channels(ctx)
	if err != nil && !errors.Is(err, drivers.ErrNotSupported) {
		return cause(ctx, err)
	}
	c.channels = channels
	return nil
}

// otherOf is what a search wants to know of a BSS without WPS.
func otherOf(b *drivers.BSS) search.Other {
	ssid, _ := ie.SSID(b.IEs)
	return search.Other{Frequency: b.Frequency, SSID: ssid,
		WPA3Only: ie.SecurityOf(b.IEs, b.Privacy).WPA3Only()}
}

// cached is what the radio remembers of earlier scans, whoever asked for them.
func (c *scanner) cached(ctx context.Context) []drivers.BSS {
	list, err := c.station.Cached(ctx, air.StaleAfter)
	if err != nil && !errors.Is(err, drivers.ErrNotSupported) {
		c.log.Debug("no scan cache", "interface", c.iface.Name, "err", err)
	}
	return list
}

// lastHeard is what was heard last from an address, with or without WPS, by what the radio and we
// remember.
func (c *scanner) lastHeard(m wsc.MAC, cached []drivers.BSS) (o search.Other, ok bool) {
	var newest time.Time
	take := func(b *drivers.BSS) {
		if b.BSSID == m && b.Seen.After(newest) {
			o, ok, newest = otherOf(b), true, b.Seen
		}
	}
	for _, b := range cached {
		take(&b)
	}
	for _, b := range c.iface.Air.BSSs() {
		take(&b.BSS)
	}
	return o, ok
}

// known lists the access points of earlier scans, ours or those that the radio remembers.
func (c *scanner) known(cached []drivers.BSS) []search.Candidate {
	list := make(map[wsc.MAC]search.Candidate)
	for _, b := range cached {
		if k, ok := air.CandidateOf(&b, c.own); ok {
			list[k.BSSID] = k
		}
	}
	for _, k := range c.iface.Air.Known(time.Now().Add(-air.StaleAfter)) {
		if other, there := list[k.BSSID]; !there || k.Seen.After(other.Seen) {
			list[k.BSSID] = k
		}
	}
	return slices.Collect(maps.Values(list))
}

// look scans, and takes in what was heard there. No frequencies are all, for a driver that does not
// say what there is; then nothing is known of where the look was, either.
func (c *scanner) look(ctx context.Context, look search.Look) (search.Found, error) {
	start := time.Now()
	heard, err := c.station.Scan(ctx,
		drivers.ScanRequest{IEs: c.ies, Frequencies: look.Frequencies, SSID: look.SSID,
			Passive: look.Passive})
	if err != nil {
		return search.Found{}, c.failed(ctx, err)
	}
	c.failures = 0
	found := search.Found{Others: make(map[wsc.MAC]search.Other)}
	for _, b := range heard {
		if b.Seen.Before(start.Add(-seenSlack)) {
			continue // what the radio remembers of earlier scans is no news
		}
		if k, ok := air.CandidateOf(&b, c.own); ok {
			found.Candidates = append(found.Candidates, k)
		} else {
			found.Others[b.BSSID] = otherOf(&b)
		}
	}
	c.iface.Air.Heard(heard, look.Frequencies, start, found.Candidates)
	return found, nil
}

// failed tells whether a scan that failed ends the procedure. Somebody else's scan does not.
func (c *scanner) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	c.failures++
	for _, final := range []error{drivers.ErrRadioBlocked, drivers.ErrInterfaceGone,
		drivers.ErrNoInterface, drivers.ErrNotSupported, drivers.ErrClosed} {
		if errors.Is(err, final) {
			return err
		}
	}
	limit := maxScanErrors
	switch busy := errors.Is(err, drivers.ErrBusy); {
	case busy && c.beside:
		limit = 1 // the Station has waited for others' scans, and may have what it wants by itself
	case busy:
		limit = maxBusy
	}
	if c.failures >= limit {
		return fmt.Errorf("station: scanning %s: %w", c.iface.Name, err)
	}
	c.log.Debug("scan failed, again", "interface", c.iface.Name, "err", err)
	if err := c.readChannels(ctx); err != nil {
		return err
	}
	return errScanAgain
}

// errScanAgain is returned by look for a scan that failed and may succeed in a moment.
var errScanAgain = errors.New("scan again")

// candidates leaves out what only an association needs.
func candidates(list []search.Candidate) []discovery.Candidate {
	all := make([]discovery.Candidate, 0, len(list))
	for _, k := range list {
		all = append(all, k.Candidate)
	}
	return all
}

// Scan takes the interface, and looks at all channels once; own is its address.
func (s *Stations) Scan(ctx context.Context, i Interface, own wsc.MAC) error {
	return i.Turn.With(ctx, func() error {
		loan, err := s.Managers.BorrowLink(ctx, i.Name, i.Driver)
		if err != nil {
			return err
		}
		defer loan.Return(ctx)
		return radio.Use(ctx, s.Log, i.Driver, i.Name, false, func(station drivers.Station) error {
			return s.lookOnce(ctx, i, station, own)
		})
	})
}

// lookOnce looks at all channels.
func (s *Stations) lookOnce(ctx context.Context, i Interface, station drivers.Station,
	own wsc.MAC) error {
	c, err := s.newScanner(ctx, i, station, own)
	if err != nil {
		return err
	}
	for {
		if _, err = c.look(ctx, search.Look{Frequencies: search.Frequencies(
			c.channels)}); !errors.Is(err, errScanAgain) {
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
