package sim

import (
	"context"
	"fmt"
	"slices"
	"time"

	"wpsd/drivers"
	"wpsd/engine/wsc"
)

// connect associates a radio in the name of another program, as Occupy does; the zero address ends
// that. The lock is held.
func (w *World) connect(r *radio, bssid wsc.MAC) {
	if r.occupied == bssid {
		return
	}
	r.occupied = bssid
	r.Up = r.Up || !bssid.IsZero()
	for d := range w.drivers {
		select {
		case d.links <- r.Name:
		default: // who does not keep up looks at everything sooner or later
		}
	}
}

// disconnect ends the connections that other programs have with an access point. The lock is held.
func (w *World) disconnect(ap *AP) {
	for _, r := range w.radios {
		if _, in := ap.find(r.occupied); in {
			w.connect(r, wsc.MAC{})
		}
	}
}

// find looks for a BSS of the access point.
func (ap *AP) find(bssid wsc.MAC) (*bss, bool) {
	for _, b := range ap.bsss {
		if b.BSSID == bssid {
			return b, true
		}
	}
	return nil, false
}

// OnAir has f called whenever an access point or a radio may have become usable that was not, or no
// longer. It is called without a lock, from the goroutine that brought that about, and must not do
// so itself.
func (w *World) OnAir(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.onAir = append(w.onAir, f)
}

// aired calls who wants to know what is on the air. No lock is held.
func (w *World) aired() {
	w.mu.Lock()
	all := slices.Clone(w.onAir)
	w.mu.Unlock()
	for _, f := range all {
		f()
	}
}

// Extend adds a command: do gets what follows the word, without spaces around it. A word of the
// World's own stays its own.
func (w *World) Extend(word string, do func(rest string) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.extra == nil {
		w.extra = make(map[string]func(string) error)
	}
	w.extra[word] = do
}

// extension finds a command that was added.
func (w *World) extension(word string) func(rest string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.extra[word]
}

// Connection implements drivers.Connecter.
func (d *Driver) Connection(ctx context.Context, ifname string) (drivers.BSS, bool, error) {
	if err := d.usable(ctx); err != nil {
		return drivers.BSS{}, false, err
	}
	w := d.world
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.radio(ifname)
	if r == nil || r.occupied.IsZero() {
		return drivers.BSS{}, false, nil
	}
	ap, b := w.bss(r.occupied)
	if ap == nil {
		return drivers.BSS{}, false, nil
	}
	now := time.Now()
	ap.refresh(now)
	heard := ap.describe(b, now, true, false)
	heard.Associated = true
	return heard, true, nil
}

// Links implements drivers.Connecter.
func (d *Driver) Links() <-chan string { return d.links }

// RoomApart implements drivers.Aparter: a simulated radio has room for one interface more.
func (d *Driver) RoomApart(ctx context.Context, ifname string) (bool, error) {
	if err := d.usable(ctx); err != nil {
		return false, err
	}
	d.world.mu.Lock()
	defer d.world.mu.Unlock()
	r := d.world.radio(ifname)
	return r != nil && r.apart == nil, nil
}

// StationApart implements drivers.Aparter.
func (d *Driver) StationApart(ctx context.Context, ifname string) (drivers.Station, error) {
	if err := d.usable(ctx); err != nil {
		return nil, err
	}
	w := d.world
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.radio(ifname)
	switch {
	case r == nil:
		return nil, fmt.Errorf("sim: %q: %w", ifname, drivers.ErrNoInterface)
	case r.apart != nil:
		return nil, fmt.Errorf("sim: the radio of %s has no more room: %w", ifname, drivers.ErrBusy)
	}
	own := &radio{Radio: r.Radio, index: r.index, heard: make(map[wsc.MAC]drivers.BSS), off: r.off}
	own.MAC[0] ^= 0x40 // as mac80211 makes addresses of more interfaces: a bit at the front
	own.Up = false
	own.station = &station{d: d, r: own, ended: make(chan struct{}), beside: r}
	r.apart = own
	return own.station, nil
}

// interfaces are a radio's: that of the machine, and ours beside it.
func (r *radio) interfaces() []*radio {
	if r.apart == nil {
		return []*radio{r}
	}
	return []*radio{r, r.apart}
}

// Listen implements drivers.Listener.
func (d *Driver) Listen(on bool) error {
	d.world.mu.Lock()
	defer d.world.mu.Unlock()
	d.listens = on
	return nil
}

// Heard implements drivers.Listener.
func (d *Driver) Heard() <-chan drivers.HeardScan { return d.heard }

// Air implements drivers.Listener.
func (d *Driver) Air(ctx context.Context, ifname string,
	maxAge time.Duration) ([]drivers.BSS, error) {
	if err := d.usable(ctx); err != nil {
		return nil, err
	}
	d.world.mu.Lock()
	defer d.world.mu.Unlock()
	r := d.world.radio(ifname)
	if r == nil {
		return nil, fmt.Errorf("sim: %q: %w", ifname, drivers.ErrNoInterface)
	}
	return r.known(time.Now(), maxAge), nil
}

// ScanBeside is a scan by another program, which asks as we do: all that is on the air is heard at
// once, and whoever listens is told. It takes no time, as no scan does that counts as a look.
func (w *World) ScanBeside(name string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.radio(name)
	switch {
	case r == nil:
		return fmt.Errorf("sim: there is no interface %q", name)
	case r.Blocked:
		return fmt.Errorf("sim: %s: %w", name, drivers.ErrRadioBlocked)
	}
	now := time.Now()
	for _, ap := range w.aps {
		ap.refresh(now)
		for _, b := range ap.bsss {
			i := slices.IndexFunc(r.Channels, func(c drivers.Channel) bool {
				return c.Frequency == b.Frequency
			})
			if i < 0 {
				continue
			}
			beacon := ap.describe(b, now, true, false)
			heard := beacon
			if !r.Channels[i].Passive {
				heard = ap.describe(b, now, false, false)
				heard.BeaconIEs = beacon.IEs
			}
			r.remember(heard)
		}
	}
	for d := range w.drivers {
		if !d.listens {
			continue
		}
		select {
		case d.heard <- drivers.HeardScan{Interface: name}:
		default: // of many at once some are lost, as of the kernel's
		}
	}
	return nil
}
