package nl80211

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"wpsd/drivers"
)

const (
	// apartPrefix begins the names of our own virtual interfaces. packaging/ tells NetworkManager
	// to leave them alone; iwd and wpa_supplicant do not look at interfaces that others make.
	apartPrefix = "wps"
	maxApart    = 10
)

// apartStation is a Station on a virtual interface of our own. The kernel removes that with the
// socket that made it, so also when we are killed.
type apartStation struct {
	*Station
	driver *Driver
	maker  *queries
	name   string
}

// StationApart implements drivers.Aparter. ErrNotSupported: the radio has one interface only.
func (d *Driver) StationApart(ctx context.Context, ifname string) (drivers.Station, error) {
	beside, err := d.find(ctx, ifname)
	if err != nil {
		return nil, err
	}
	a := &apartStation{driver: d, maker: &queries{dial: d.kernel.generic}}
	if err := a.make(ctx, beside); err != nil {
		a.maker.close()
		return nil, err
	}
	s, err := d.Station(ctx, a.name)
	if err != nil {
		return nil, errors.Join(err, a.unmake())
	}
	a.Station = s.(*Station)
	d.downs.give(a.index) // it begins down, and nobody but us will bring it up
	if a.addr == beside.address {
		return nil, errors.Join(fmt.Errorf("nl80211: %s: an interface beside it has the same address: %w",
			ifname, drivers.ErrNotSupported), a.Close())
	}
	return a, nil
}

// make has the kernel make the interface, under the first name that is free.
func (a *apartStation) make(ctx context.Context, beside netdev) error {
	err := error(unix.EEXIST)
	for n := range maxApart {
		a.name = fmt.Sprintf("%s%d", apartPrefix, n)
		if !a.driver.hide(a.name) { // before the kernel tells everybody
			continue
		}
		err = a.maker.get(ctx, unix.NL80211_CMD_NEW_INTERFACE, apartAttributes(beside, a.name),
			func([]byte) error { return nil })
		if err == nil {
			return nil
		}
		a.driver.show(a.name)
		if !errors.Is(err, unix.EEXIST) && !errors.Is(err, unix.ENFILE) {
			break
		}
	}
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EBUSY) ||
		errors.Is(err, unix.EINVAL) {
		err = fmt.Errorf("%w (%w)", drivers.ErrNotSupported, err)
	}
	return fmt.Errorf("nl80211: an interface beside %s: %w", beside.name, err)
}

// apartAttributes ask for a station with an address of its own: two with the same cannot be up at
// once.
func apartAttributes(beside netdev, name string) []byte {
	address := beside.address
	address[0] = address[0]&^1 | 2 // locally administered
	if address == beside.address {
		address[0] ^= 0x40
	}
	attrs, err := attributes(func(e *netlink.AttributeEncoder) {
		e.Uint32(unix.NL80211_ATTR_WIPHY, beside.wiphy)
		e.String(unix.NL80211_ATTR_IFNAME, name)
		e.Uint32(unix.NL80211_ATTR_IFTYPE, unix.NL80211_IFTYPE_STATION)
		e.Bytes(unix.NL80211_ATTR_MAC, address[:])
		flag(e, unix.NL80211_ATTR_SOCKET_OWNER)
	})
	if err != nil {
		panic(err) // a few bytes always fit
	}
	return attrs
}

// Close implements drivers.Station.
func (a *apartStation) Close() error {
	return errors.Join(a.Station.Close(), a.unmake())
}

// unmake removes the interface, and returns when it is gone.
func (a *apartStation) unmake() error {
	defer a.driver.show(a.name)
	defer a.maker.close()
	ctx, cancel := context.WithTimeout(context.Background(), answerTime)
	defer cancel()
	n, err := a.driver.find(ctx, a.name)
	if errors.Is(err, drivers.ErrNoInterface) {
		return nil
	}
	if err != nil {
		return err
	}
	attrs, err := attributes(func(e *netlink.AttributeEncoder) {
		e.Uint32(unix.NL80211_ATTR_IFINDEX, uint32(n.index))
	})
	if err == nil {
		err = a.maker.command(unix.NL80211_CMD_DEL_INTERFACE, attrs)
	}
	if err != nil && !errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("nl80211: remove %s: %w", a.name, err)
	}
	return nil
}

// command has the kernel do something and waits until it has.
func (q *queries) command(command uint8, attrs []byte) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.open(); err != nil {
		return err
	}
	m := genetlink.Message{Header: genetlink.Header{Command: command, Version: genlVersion},
		Data: attrs}
	if _, err := q.conn.Send(m, q.family.id, netlink.Request|netlink.Acknowledge); err != nil {
		return err
	}
	_ = q.conn.SetReadDeadline(time.Now().Add(answerTime)) // see exchange
	_, _, err := q.conn.Receive()
	return err
}

// hide keeps an interface of ours out of the list, and reports whether the name is not one of ours
// already.
func (d *Driver) hide(name string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.apart[name] {
		return false
	}
	d.apart[name] = true
	return true
}

func (d *Driver) show(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.apart, name)
}

// isApart reports whether an interface is one of ours.
func (d *Driver) isApart(name string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.apart[name]
}
