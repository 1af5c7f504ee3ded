package nl80211

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"wpsd/drivers"
)

// Driver is the kernel's radios. It is safe for concurrent use.
type Driver struct {
	drivers.UnsupportedDriver // its interfaces are those that the kernel has

	log     *slog.Logger
	kernel  kernel
	queries *queries
	links   *links
	downs   downs
	rfkill  rfkill
	changed chan struct{}
	carries chan string // names of interfaces whose links began or ceased to carry data
	watch   *watch

	listener *listener

	mu       sync.Mutex
	closed   bool
	apart    map[string]bool     // names of interfaces that we have made
	stations map[int]*Station    // open ones, by index of the interface
	known    map[int]linkMessage // what Interfaces has told last, by index
}

var _ drivers.Driver = (*Driver)(nil)

// New makes the driver and starts to watch for interfaces. That the kernel has no Wi-Fi is no
// error: its module may come with the first radio that is plugged in.
func New(log *slog.Logger) (*Driver, error) {
	return newDriver(log, realKernel())
}

func newDriver(log *slog.Logger, k kernel) (*Driver, error) {
	d := &Driver{
		log:      log,
		kernel:   k,
		queries:  &queries{dial: k.generic},
		links:    &links{dial: k.route},
		rfkill:   rfkill{sysfs: k.sysfs, device: k.rfkill},
		changed:  make(chan struct{}, 1),
		carries:  make(chan string, 16),
		listener: newListener(),
		apart:    make(map[string]bool),
		stations: make(map[int]*Station),
		known:    make(map[int]linkMessage),
	}
	w, err := startWatch(d)
	if err != nil {
		d.queries.close()
		return nil, err
	}
	d.watch = w
	return d, nil
}

// Name implements drivers.Driver.
func (d *Driver) Name() string { return "nl80211" }

// Changed implements drivers.Driver.
func (d *Driver) Changed() <-chan struct{} { return d.changed }

// Links implements drivers.Connecter.
func (d *Driver) Links() <-chan string { return d.carries }

// tellLink does not wait: who does not read for so long looks at all of them anyway.
func (d *Driver) tellLink(name string) {
	select {
	case d.carries <- name:
	default:
	}
}

// tellChanged leaves a value in Changed, if there is none yet.
func (d *Driver) tellChanged() {
	select {
	case d.changed <- struct{}{}:
	default:
	}
}

// Interfaces implements drivers.Driver.
func (d *Driver) Interfaces(ctx context.Context) ([]drivers.Interface, error) {
	netdevs, err := d.netdevs(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]drivers.Interface, 0, len(netdevs))
	for _, n := range netdevs {
		if d.isApart(n.name) {
			continue
		}
		list = append(list, drivers.Interface{
			Name:         n.name,
			Index:        n.index,
			HardwareAddr: n.address,
			Mode:         n.mode,
			Blocked:      d.rfkill.blocked(n.name),
		})
	}
	return list, nil
}

// Blocked implements drivers.Blocker.
func (d *Driver) Blocked(ifname string) (bool, error) { return d.rfkill.blocked(ifname), nil }

// netdevs lists what the kernel has and remembers it, for the watch to know a change when it sees
// one.
func (d *Driver) netdevs(ctx context.Context) ([]netdev, error) {
	list, err := d.queries.netdevs(ctx)
	switch {
	case errors.Is(err, os.ErrNotExist):
		list = nil // no Wi-Fi (yet)
	case err != nil:
		return nil, fmt.Errorf("nl80211: list interfaces: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.known)
	for _, n := range list {
		d.known[n.index] = linkMessage{index: n.index, name: n.name, address: n.address}
	}
	return list, nil
}

// Station implements drivers.Driver. An interface in access point mode is ErrNotSupported.
func (d *Driver) Station(ctx context.Context, ifname string) (drivers.Station, error) {
	list, err := d.netdevs(ctx)
	if err != nil {
		return nil, err
	}
	for _, n := range list {
		if n.name != ifname {
			continue
		}
		if n.mode != drivers.ModeStation {
			return nil, fmt.Errorf("nl80211: %s is in mode %s: %w", ifname, n.mode,
				drivers.ErrNotSupported)
		}
		return d.take(n)
	}
	return nil, fmt.Errorf("nl80211: %s: %w", ifname, drivers.ErrNoInterface)
}

// take opens a Station for an interface that has none.
func (d *Driver) take(n netdev) (drivers.Station, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed:
		return nil, drivers.ErrClosed
	case d.stations[n.index] != nil:
		return nil, fmt.Errorf("nl80211: %s has a Station: %w", n.name, drivers.ErrBusy)
	}
	s, err := newStation(d, n)
	if err != nil {
		return nil, fmt.Errorf("nl80211: take %s: %w", n.name, err)
	}
	d.stations[n.index] = s
	return s, nil
}

// release forgets a Station that was closed.
func (d *Driver) release(s *Station) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stations[s.index] == s {
		delete(d.stations, s.index)
	}
}

// gone ends the Station of an interface that is there no longer.
func (d *Driver) gone(index int) {
	d.mu.Lock()
	s := d.stations[index]
	d.mu.Unlock()
	if s != nil {
		s.end(drivers.ErrInterfaceGone)
	}
}

// Close implements drivers.Driver. It returns when all Stations have given their interfaces back.
func (d *Driver) Close() error {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return nil
	}
	d.closed = true
	open := make([]*Station, 0, len(d.stations))
	for _, s := range d.stations {
		open = append(open, s)
	}
	d.mu.Unlock()

	var errs []error
	for _, s := range open {
		errs = append(errs, s.Close())
	}
	d.listener.close()
	d.watch.close()
	d.queries.close()
	return errors.Join(errs...)
}
