package controlpoint

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"wpsd/drivers/ssdp"
	"wpsd/engine/upnp"
	"wpsd/service/fence"
)

// place is what an interface has at the moment.
type place struct {
	index    int
	address  netip.Addr     // ours
	networks []netip.Prefix // of all our addresses: who is in one of them is a neighbour
}

func (p place) equal(q place) bool {
	return p.index == q.index && p.address == q.address && slices.Equal(p.networks, q.networks)
}

// neighbour reports whether an address is in a network of the interface. Others would be reached
// through a router, and nobody shall make us talk to what is behind it.
func (p place) neighbour(a netip.Addr) bool {
	return slices.ContainsFunc(p.networks, func(n netip.Prefix) bool { return n.Contains(a) })
}

// look finds out what the interface has. An address that it gave itself (RFC 3927) is used only if
// there is no other.
func look(ifname string) (place, error) {
	index, up, err := inspect(ifname)
	if err != nil || !up {
		return place{}, ErrNoAddress
	}
	i := &net.Interface{Index: index, Name: ifname}
	addresses, err := i.Addrs()
	if err != nil {
		return place{}, ErrNoAddress
	}
	p := place{index: i.Index}
	for _, a := range addresses {
		n, err := netip.ParsePrefix(a.String())
		if err != nil || !n.Addr().Is4() {
			continue
		}
		p.networks = append(p.networks, n.Masked())
		if !p.address.IsValid() || p.address.IsLinkLocalUnicast() &&
			!n.Addr().IsLinkLocalUnicast() {
			p.address = n.Addr()
		}
	}
	if !p.address.IsValid() {
		return place{}, ErrNoAddress
	}
	return p, nil
}

// inspect asks for one interface, where net.InterfaceByName has the kernel list them all with all
// that it knows of each.
func inspect(ifname string) (index int, up bool, err error) {
	ask, err := unix.NewIfreq(ifname)
	if err != nil {
		return 0, false, err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, false, err
	}
	defer func() { _ = unix.Close(fd) }()
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, ask); err != nil {
		return 0, false, err
	}
	up = ask.Uint16()&unix.IFF_UP != 0
	err = unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, ask)
	return int(ask.Uint32()), up, err
}

// binding is all the sockets at one place. When the interface moves, there is a new one.
type binding struct {
	place
	point     *ControlPoint
	search    *net.UDPConn // sends searches and gets the answers
	group     *net.UDPConn // gets announcements
	callback  netip.AddrPort
	callbacks *callbacks
	server    *http.Server
	ctx       context.Context
	end       context.CancelCauseFunc
	wait      sync.WaitGroup
}

// bind opens the sockets and starts their goroutines.
func (p *ControlPoint) bind(ctx context.Context, at place) (*binding, error) {
	b := &binding{place: at, point: p, callbacks: newCallbacks(p.limits)}
	var err error
	if b.group, err = ssdp.Listener(p.ifname, at.index); err != nil {
		return nil, fmt.Errorf("controlpoint: listen to SSDP: %w", err)
	}
	if b.search, err = ssdp.Speaker(p.ifname, at.index, at.address); err != nil {
		_ = b.group.Close()
		return nil, fmt.Errorf("controlpoint: open a socket for searches: %w", err)
	}
	config := net.ListenConfig{Control: ssdp.BindToDevice(p.ifname)}
	config.SetMultipathTCP(false) // no access point has it
	l, err := config.Listen(ctx, "tcp4", netip.AddrPortFrom(at.address, 0).String())
	if err != nil {
		_ = b.group.Close()
		_ = b.search.Close()
		return nil, fmt.Errorf("controlpoint: listen for events: %w", err)
	}
	b.callback = l.Addr().(*net.TCPAddr).AddrPort()
	b.ctx, b.end = context.WithCancelCause(ctx)
	b.serve(l.(*net.TCPListener))
	b.wait.Go(fence.Keep(b.point.log, "announcements of UPnP", func() {
		b.receive(b.group, false)
	}))
	b.wait.Go(fence.Keep(b.point.log, "answers of UPnP", func() { b.receive(b.search, true) }))
	return b, nil
}

// close ends the sockets and waits for their goroutines.
func (b *binding) close(why error) {
	b.end(why)
	_ = b.group.Close()
	_ = b.search.Close()
	_ = b.server.Close()
	b.wait.Wait()
}

// receive reads datagrams until the socket is closed. On one socket come announcements, on the
// other answers, and nothing else is taken there: a forged answer has at least to find the port.
func (b *binding) receive(c *net.UDPConn, answers bool) {
	p := b.point
	buffer := make([]byte, upnp.MaxDatagram+1) // one more, to see what was cut off
	for {
		n, from, err := c.ReadFromUDPAddrPort(buffer)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // the interface went down: the kernel says so once
			p.log.Debug("controlpoint: SSDP", "err", err)
			select {
			case <-b.ctx.Done():
				return
			case <-time.After(100 * time.Millisecond):
			}
			continue
		}
		b.datagram(from.Addr().Unmap(), buffer[:n], answers)
	}
}

// datagram passes on what a datagram announces, if that is for us.
func (b *binding) datagram(sender netip.Addr, datagram []byte, answers bool) {
	p := b.point
	if !b.neighbour(sender) || !p.packets.allow(time.Now(), sender) {
		return
	}
	a, err := upnp.ParseAnnouncement(sender, datagram)
	if err != nil || (a.Kind == upnp.Answer) != answers {
		if err != nil && !errors.Is(err, upnp.ErrNotOurs) {
			p.log.Debug("controlpoint: SSDP", "from", sender, "err", err)
		}
		return
	}
	select {
	case p.heard <- a:
	default:
		p.log.Debug("controlpoint: nobody takes announcements", "from", sender)
	}
}

// concerns reports whether news can be about the interface with this index. A radio tells of each
// scan of its own as if it had changed. One that takes our interface's name comes only after ours
// is gone, or has another.
func concerns(news []netlink.Message, index int) bool {
	return slices.ContainsFunc(news, func(m netlink.Message) bool {
		const at = 4 // of the index, in ifinfomsg and in ifaddrmsg (rtnetlink(7))
		return len(m.Data) < at+4 || int(binary.NativeEndian.Uint32(m.Data[at:])) == index
	})
}

// watch waits for what the kernel tells. That something changed is enough: it is cheap to look, and
// an overrun of the socket needs no care of its own.
func (p *ControlPoint) watch(ctx context.Context) {
	for {
		news, err := p.route.Receive()
		if err != nil {
			p.log.Debug("controlpoint: route netlink", "err", err)
			select {
			case <-ctx.Done(): // Close ended the socket
				return
			case <-time.After(100 * time.Millisecond):
			}
		} else if b := p.binding(); p.settled.Load() && b != nil && !concerns(news, b.index) {
			continue
		}
		select {
		case p.wake <- struct{}{}:
		default:
		}
	}
}

// follow keeps the sockets where the interface is.
func (p *ControlPoint) follow(ctx context.Context) {
	var retry <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.wake:
		case <-retry:
		}
		retry = nil
		// before it looks: what comes from now on counts, whatever the sockets are bound to
		p.settled.Store(false)
		if err := p.update(ctx); err != nil {
			p.log.Warn("controlpoint: sockets", "interface", p.ifname, "err", err)
			retry = time.After(time.Second)
		}
		p.settled.Store(true)
	}
}

// update looks at the interface and moves there. Without address it moves nowhere, which is no
// error.
func (p *ControlPoint) update(ctx context.Context) error {
	at, err := look(p.ifname)
	old := p.binding()
	switch {
	case err != nil && old == nil, err == nil && old != nil && old.place.equal(at):
		return nil
	case err != nil:
		p.log.Info("controlpoint: the interface has no address any more", "interface", p.ifname)
		p.rebind(nil, ErrMoved)
		return nil
	}
	b, err := p.bind(ctx, at)
	if err != nil {
		p.rebind(nil, ErrMoved)
		return err
	}
	p.log.Debug("controlpoint: listening", "interface", p.ifname, "address", at.address,
		"events", b.callback)
	p.rebind(b, ErrMoved)
	return nil
}

// rebind replaces the sockets, and tells if there were others before.
func (p *ControlPoint) rebind(b *binding, why error) {
	p.mu.Lock()
	old := p.at
	p.at = b
	p.mu.Unlock()
	if old != nil {
		old.close(why)
	}
	if old != nil || b != nil {
		select {
		case p.changed <- struct{}{}:
		default:
		}
	}
}
