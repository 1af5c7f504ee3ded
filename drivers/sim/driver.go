package sim

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"wpsd/drivers"
)

// Options are the properties of a Driver. The zero value is what wpsd --driver sim uses.
type Options struct {
	// World is what the radios hear; nil: DefaultWorld.
	World *World
	// Speed divides the time that scans and frames take: 10 is ten times as fast as a real radio,
	// 0 means 1. Times of protocols do not change.
	Speed float64
	// Control is where to make a named pipe (mode 0600) that takes commands for the access points,
	// a line each; see Command. Empty: none.
	Control string
	// UPnP is where the first access point of a DefaultWorld is on the loopback network; see
	// ServeUPnP. Zero: nowhere.
	UPnP netip.Addr
	// Log is told what happens in a DefaultWorld, and what the control pipe is told; nil: nobody.
	Log *slog.Logger
}

// Driver is the radios of a World. Its methods are safe for concurrent use.
type Driver struct {
	drivers.UnsupportedDriver

	world   *World
	speed   float64
	log     *slog.Logger
	changed chan struct{}
	links   chan string
	heard   chan drivers.HeardScan
	listens bool     // guarded by the World's lock
	control *control // nil: none
	own     bool     // the world is ours to close

	once   sync.Once
	closed chan struct{}

	steered map[*steered]struct{} // guarded by the World's lock
	wait    sync.WaitGroup        // for the goroutines of steered access points
}

var _ drivers.Driver = (*Driver)(nil)

// New makes a Driver.
func New(o Options) (*Driver, error) {
	if o.Speed < 0 {
		return nil, fmt.Errorf("sim: speed %v", o.Speed)
	}
	if o.Speed == 0 {
		o.Speed = 1
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	own := o.World == nil
	if own {
		w, err := DefaultWorld(WorldOptions{Log: o.Log, Speed: o.Speed})
		if err != nil {
			return nil, err
		}
		if o.UPnP.IsValid() {
			if err := w.ServeUPnP(o.UPnP); err != nil {
				return nil, err
			}
		}
		o.World = w
	}
	d := &Driver{own: own, world: o.World, speed: o.Speed, log: o.Log,
		changed: make(chan struct{}, 1), closed: make(chan struct{}),
		links: make(chan string, news), heard: make(chan drivers.HeardScan, news),
		steered: make(map[*steered]struct{})}
	if o.Control != "" {
		c, err := openControl(d.world, o.Control, o.Log)
		if err != nil {
			if own {
				d.world.Close()
			}
			return nil, err
		}
		d.control = c
	}
	d.world.mu.Lock()
	defer d.world.mu.Unlock()
	d.world.drivers[d] = struct{}{}
	return d, nil
}

// news is how many links that changed, and scans that ended, wait for who reads of them.
const news = 16

// World is what the radios hear.
func (d *Driver) World() *World { return d.world }

// air is how long something that takes t in the air takes here.
func (d *Driver) air(t time.Duration) time.Duration { return time.Duration(float64(t) / d.speed) }

// Name implements drivers.Driver.
func (d *Driver) Name() string { return "sim" }

// Interfaces implements drivers.Driver.
func (d *Driver) Interfaces(ctx context.Context) ([]drivers.Interface, error) {
	if err := d.usable(ctx); err != nil {
		return nil, err
	}
	d.world.mu.Lock()
	defer d.world.mu.Unlock()
	var all []drivers.Interface
	for _, r := range d.world.radios {
		all = append(all, drivers.Interface{
			Name: r.Name, Index: r.index, HardwareAddr: r.MAC, Mode: drivers.ModeStation,
			Blocked: r.Blocked,
		})
	}
	for _, h := range d.world.hotspots {
		all = append(all, drivers.Interface{Name: h.name, Index: h.index,
			HardwareAddr: h.ap.BSSID(), Mode: drivers.ModeAP})
	}
	return all, nil
}

// Blocked implements drivers.Blocker.
func (d *Driver) Blocked(ifname string) (bool, error) {
	d.world.mu.Lock()
	defer d.world.mu.Unlock()
	for _, r := range d.world.radios {
		if r.Name == ifname {
			return r.Blocked, nil
		}
	}
	return false, nil
}

func (d *Driver) usable(ctx context.Context) error {
	if isClosed(d.closed) {
		return drivers.ErrClosed
	}
	return ctx.Err()
}

// Changed implements drivers.Driver.
func (d *Driver) Changed() <-chan struct{} { return d.changed }

// Station implements drivers.Driver.
func (d *Driver) Station(ctx context.Context, ifname string) (drivers.Station, error) {
	if err := d.usable(ctx); err != nil {
		return nil, err
	}
	d.world.mu.Lock()
	defer d.world.mu.Unlock()
	r := d.world.radio(ifname)
	switch {
	case r == nil && d.world.hotspot(ifname) != nil:
		return nil, fmt.Errorf("sim: %s is an access point: %w", ifname, drivers.ErrNotSupported)
	case r == nil:
		return nil, fmt.Errorf("sim: %q: %w", ifname, drivers.ErrNoInterface)
	case r.station != nil:
		return nil, fmt.Errorf("sim: %s is taken: %w", ifname, drivers.ErrBusy)
	}
	r.station = &station{d: d, r: r, wasUp: r.Up, ended: make(chan struct{})}
	return r.station, nil
}

// Close implements drivers.Driver. It waits for all goroutines of the driver.
func (d *Driver) Close() (err error) {
	d.once.Do(func() {
		close(d.closed)
		if d.control != nil {
			err = d.control.close()
		}
	})
	d.world.mu.Lock()
	delete(d.world.drivers, d)
	for a := range d.steered {
		a.leave()
	}
	var open []*station
	for _, r := range d.world.radios {
		for _, own := range r.interfaces() {
			if own.station != nil && own.station.d == d {
				open = append(open, own.station)
			}
		}
	}
	d.world.mu.Unlock()
	for _, s := range open {
		_ = s.Close()
	}
	d.wait.Wait()
	if d.own {
		d.world.Close()
	}
	return err
}
