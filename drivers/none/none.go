// Package none is the driver without a radio: network interfaces that are known by name only, for
// what needs no radio of ours, such as an External Registrar on a wired network.
package none

import (
	"context"
	"net"
	"slices"
	"sync"

	"wpsd/drivers"
)

// Driver lists the interfaces that it was given. It is safe for concurrent use.
type Driver struct {
	drivers.UnsupportedDriver

	changed chan struct{} // holds a value after Add and Remove

	mu     sync.Mutex
	names  []string
	closed bool
}

var _ drivers.Driver = (*Driver)(nil)

// New makes a driver for the interfaces with these names. A name that comes twice counts once.
func New(names []string) *Driver {
	d := &Driver{changed: make(chan struct{}, 1)}
	for _, name := range names {
		if !slices.Contains(d.names, name) {
			d.names = append(d.names, name)
		}
	}
	return d
}

// Name implements drivers.Driver.
func (d *Driver) Name() string { return "none" }

// Interfaces lists all given names, in the given order. Index and address are what the system knows
// of the name now; they are zero for an interface that does not exist (yet), since its coming is
// not watched.
func (d *Driver) Interfaces(ctx context.Context) ([]drivers.Interface, error) {
	if err := d.usable(ctx); err != nil {
		return nil, err
	}
	d.mu.Lock()
	names := slices.Clone(d.names)
	d.mu.Unlock()
	list := make([]drivers.Interface, 0, len(names))
	for _, name := range names {
		i := drivers.Interface{Name: name, Mode: drivers.ModeNone}
		if system, err := net.InterfaceByName(name); err == nil {
			i.Index = system.Index
			if len(system.HardwareAddr) == len(i.HardwareAddr) {
				i.HardwareAddr = [6]byte(system.HardwareAddr)
			}
		}
		list = append(list, i)
	}
	return list, nil
}

// Named implements drivers.Namer.
func (d *Driver) Named() bool { return true }

// Add implements drivers.Namer. It takes any name: the interface may come later.
func (d *Driver) Add(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if slices.Contains(d.names, name) {
		return drivers.ErrBusy
	}
	d.names = append(d.names, name)
	d.tell()
	return nil
}

// Remove implements drivers.Namer.
func (d *Driver) Remove(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	at := slices.Index(d.names, name)
	if at < 0 {
		return drivers.ErrNoInterface
	}
	d.names = slices.Delete(d.names, at, at+1)
	d.tell()
	return nil
}

func (d *Driver) tell() {
	select {
	case d.changed <- struct{}{}:
	default:
	}
}

// Changed implements drivers.Driver: only Add and Remove change anything.
func (d *Driver) Changed() <-chan struct{} { return d.changed }

// Station implements drivers.Driver: ErrNotSupported, since there is no radio to take.
func (d *Driver) Station(ctx context.Context, ifname string) (drivers.Station, error) {
	if err := d.usable(ctx); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !slices.Contains(d.names, ifname) {
		return nil, drivers.ErrNoInterface
	}
	return nil, drivers.ErrNotSupported
}

// Close implements drivers.Driver.
func (d *Driver) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	return nil
}

// usable tells why a call cannot be answered.
func (d *Driver) usable(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return drivers.ErrClosed
	}
	return ctx.Err()
}
