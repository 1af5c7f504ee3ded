// Package wfadevice is the network side of access points: what an External Registrar finds, asks
// and subscribes to. It is the sockets and the bookkeeping of SSDP, HTTP and GENA for any number of
// WFADevices on one interface; what an access point answers is its owner's business. The
// simulation's access points are made of it, and those of tests.
//
// It is for simulations, on the loopback interface as a rule, and bounded all the same:
// connections, requests, their time, subscriptions, what waits for a subscriber. An event goes to
// the address that subscribed and to no other.
package wfadevice

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"wpsd/drivers/ssdp"
	"wpsd/engine/upnp"
)

// ErrClosed means that the Network or the Device is closed.
var ErrClosed = errors.New("wfadevice: closed")

// maxAnswers bounds the answers of one device that wait for their time; more searches are not
// answered (hostapd).
const maxAnswers = 20

// Network is the devices on one interface. It is safe for concurrent use.
type Network struct {
	ifname string
	index  int
	log    *slog.Logger
	group  *net.UDPConn // hears searches
	wait   sync.WaitGroup

	mu      sync.Mutex
	devices []*Device
	closed  bool
}

// Open begins to listen to searches on an interface. log may be nil. The caller closes the Network.
func Open(ifname string, log *slog.Logger) (*Network, error) {
	i, err := net.InterfaceByName(ifname)
	if err != nil {
		return nil, fmt.Errorf("wfadevice: %s: %w", ifname, err)
	}
	n := &Network{ifname: ifname, index: i.Index, log: log}
	if n.log == nil {
		n.log = slog.New(slog.DiscardHandler)
	}
	if n.group, err = ssdp.Listener(ifname, i.Index); err != nil {
		return nil, fmt.Errorf("wfadevice: listen to SSDP on %s: %w", ifname, err)
	}
	n.wait.Go(n.listen)
	return n, nil
}

// Close ends the Network and its devices, without byebye, and waits for both.
func (n *Network) Close() error {
	n.mu.Lock()
	n.closed = true
	all := slices.Clone(n.devices)
	n.mu.Unlock()
	for _, d := range all {
		d.Close()
	}
	err := n.group.Close()
	n.wait.Wait()
	return err
}

// listen hears searches until the socket is closed.
func (n *Network) listen() {
	buffer := make([]byte, upnp.MaxDatagram+1) // one more, to see what was cut off
	for {
		size, from, err := n.group.ReadFromUDPAddrPort(buffer)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // the interface went down: the kernel says so once
			n.log.Debug("wfadevice: SSDP", "err", err)
			time.Sleep(100 * time.Millisecond)
			continue
		}
		s, err := upnp.ParseSearch(buffer[:size])
		if err != nil {
			continue
		}
		n.mu.Lock()
		all := slices.Clone(n.devices)
		n.mu.Unlock()
		for _, d := range all {
			d.found(s, from)
		}
	}
}

// found answers a search if it is for the device.
func (d *Device) found(s upnp.Search, from netip.AddrPort) {
	if !slices.Contains([]string{upnp.DeviceType, upnp.ServiceType, "ssdp:all", "upnp:rootdevice",
		upnp.FormatUDN(d.config.UUID)}, s.Target) {
		return
	}
	d.trace("M-SEARCH " + s.Target)
	if !d.config.Spread || s.MX == 0 {
		d.answer(from)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed || d.answers >= maxAnswers {
		return
	}
	d.answers++
	d.wait.Add(1)
	var late *time.Timer
	late = time.AfterFunc(rand.N(time.Duration(s.MX)*time.Second), func() {
		defer d.wait.Done()
		d.answer(from)
		d.mu.Lock()
		defer d.mu.Unlock()
		d.answers--
		delete(d.late, late)
	})
	d.late[late] = struct{}{}
}

func (d *Device) answer(to netip.AddrPort) {
	for _, a := range d.announcements(upnp.Answer) {
		_, _ = d.own.WriteToUDPAddrPort(a.Append(nil), to) // whoever misses it searches again
	}
}

// announcements are the two that matter, for device and service.
func (d *Device) announcements(kind upnp.Kind) []upnp.Announcement {
	a := upnp.Announcement{Kind: kind, UUID: d.config.UUID, HasUUID: true, Location: d.location,
		MaxAge: d.config.MaxAge}
	s := a
	s.Service = true
	return []upnp.Announcement{a, s}
}

// Announce tells the group that the device is there (upnp.Alive) or goes (upnp.Byebye).
func (d *Device) Announce(kind upnp.Kind) error {
	for _, a := range d.announcements(kind) {
		if err := d.Send(a.Append(nil)); err != nil {
			return err
		}
	}
	return nil
}

// Send sends any datagram to the group, from the device's address.
func (d *Device) Send(datagram []byte) error {
	if _, err := d.own.WriteToUDPAddrPort(datagram, upnp.Multicast); err != nil {
		return fmt.Errorf("wfadevice: announce: %w", err)
	}
	return nil
}
