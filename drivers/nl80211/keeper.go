package nl80211

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"wpsd/drivers"
)

// find looks for an interface by name. The kernel is asked by number: for one interface, if that has
// been listed before and has its name still, otherwise for all.
func (d *Driver) find(ctx context.Context, ifname string) (netdev, error) {
	if index := d.numberOf(ifname); index != 0 {
		n, err := d.queries.netdev(ctx, index)
		if err == nil && n.name == ifname && n.mode != drivers.ModeNone {
			return n, nil
		}
	}
	list, err := d.netdevs(ctx)
	if err != nil {
		return netdev{}, err
	}
	for _, n := range list {
		if n.name == ifname {
			return n, nil
		}
	}
	return netdev{}, fmt.Errorf("nl80211: %s: %w", ifname, drivers.ErrNoInterface)
}

// numberOf is the number of an interface that was listed or heard of; 0: none of that name was.
func (d *Driver) numberOf(ifname string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	for index, l := range d.known {
		if l.name == ifname {
			return index
		}
	}
	return 0
}

// LinkUp implements drivers.LinkKeeper.
func (d *Driver) LinkUp(ctx context.Context, ifname string) (bool, error) {
	n, err := d.find(ctx, ifname)
	if err != nil {
		return false, err
	}
	l, err := d.settled(ctx, n.index)
	if err != nil {
		return false, fmt.Errorf("nl80211: %s: %w", ifname, err)
	}
	return l.up, nil
}

// LinkGiven implements drivers.LinkKeeper.
func (d *Driver) LinkGiven(ctx context.Context, ifname string) {
	if n, err := d.find(ctx, ifname); err == nil {
		d.downs.give(n.index)
	}
}

// LinkDown implements drivers.LinkKeeper.
func (d *Driver) LinkDown(ctx context.Context, ifname string) error {
	n, err := d.find(ctx, ifname)
	if err != nil || n.used() {
		return err
	}
	if err := d.takeDown(n.index); err != nil && !errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("nl80211: %s: take the link down: %w", ifname, err)
	}
	return nil
}

// Connection implements drivers.Connecter. It sends nothing: the kernel marks the entry in its
// list.
func (d *Driver) Connection(ctx context.Context, ifname string) (drivers.BSS, bool, error) {
	n, err := d.find(ctx, ifname)
	if err != nil {
		return drivers.BSS{}, false, err
	}
	list, err := (&Station{driver: d, index: n.index, name: ifname}).results(ctx,
		func(h *heard) bool { return h.Associated })
	if err != nil || len(list) == 0 {
		return drivers.BSS{}, false, err
	}
	l, err := d.links.get(n.index)
	if err != nil || !l.running {
		d.log.Debug("associated, and no data flows yet", "interface", ifname, "err", err)
		return drivers.BSS{}, false, err
	}
	return list[0], true, nil
}
