package nl80211

import (
	"fmt"
	"time"

	"github.com/mdlayher/genetlink"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// kernel is where a Driver meets the kernel: sockets and files. Tests bring their own, since this
// is the edge of the process.
type kernel struct {
	generic func() (socket, error)                   // a generic netlink socket
	route   func(groups uint32) (routeSocket, error) // a route netlink socket that hears groups
	packet  func(ifindex int) (packetSocket, error)  // a socket for EAPOL frames; see packet.go
	sysfs   string                                   // where sysfs is mounted
	// packetsOnly is for tests of the packet socket where the kernel could do without.
	packetsOnly bool
	rfkill      string // the device that tells changes of rfkill
}

// socket is the part of *genetlink.Conn that we use.
type socket interface {
	GetFamily(name string) (genetlink.Family, error)
	JoinGroup(group uint32) error
	Send(m genetlink.Message, family uint16, flags netlink.HeaderFlags) (netlink.Message, error)
	Receive() ([]genetlink.Message, []netlink.Message, error)
	SetReadDeadline(t time.Time) error
	Close() error
}

// routeSocket is the part of *netlink.Conn that we use.
type routeSocket interface {
	Execute(m netlink.Message) ([]netlink.Message, error)
	Receive() ([]netlink.Message, error)
	Close() error
}

// Dumps of scan results come in buffers as large as the reader offers, up to this.
const dumpBuffer = 32 << 10

// realKernel is the one that we run on.
func realKernel() kernel {
	return kernel{
		generic: func() (socket, error) {
			return genetlink.Dial(&netlink.Config{Strict: true, MessageBufferSize: dumpBuffer})
		},
		route: func(groups uint32) (routeSocket, error) {
			return netlink.Dial(unix.NETLINK_ROUTE, &netlink.Config{Strict: true, Groups: groups})
		},
		packet: listenPacket,
		sysfs:  "/sys",
		rfkill: "/dev/rfkill",
	}
}

// family is what the kernel calls nl80211 while cfg80211 is loaded: the numbers are given out anew
// each time.
type family struct {
	id     uint16
	groups map[string]uint32
}

// getFamily asks for the numbers. The error is os.ErrNotExist as long as the kernel has no Wi-Fi.
func getFamily(s socket) (family, error) {
	f, err := s.GetFamily(unix.NL80211_GENL_NAME)
	if err != nil {
		return family{}, err
	}
	groups := make(map[string]uint32, len(f.Groups))
	for _, g := range f.Groups {
		groups[g.Name] = g.ID
	}
	return family{id: f.ID, groups: groups}, nil
}

// join makes the socket hear multicast groups of nl80211.
func (f family) join(s socket, names ...string) error {
	for _, name := range names {
		id, ok := f.groups[name]
		if !ok {
			return fmt.Errorf("nl80211: the kernel has no multicast group %q", name)
		}
		if err := s.JoinGroup(id); err != nil {
			return fmt.Errorf("nl80211: join %q: %w", name, err)
		}
	}
	return nil
}

// attributes encodes the attributes of a request.
func attributes(fill func(e *netlink.AttributeEncoder)) ([]byte, error) {
	e := netlink.NewAttributeEncoder()
	fill(e)
	b, err := e.Encode()
	if err != nil { // an attribute that is longer than 64 KiB: a caller's elements
		return nil, fmt.Errorf("nl80211: encode a request: %w", err)
	}
	return b, nil
}

// flag encodes an attribute that is true by being there.
func flag(e *netlink.AttributeEncoder, attribute uint16) { e.Flag(attribute, true) }

// bootTime is the kernel's clock that also counts while the machine sleeps; scan results use it.
func bootTime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		return 0 // not possible since Linux 2.6.39
	}
	return time.Duration(t.Nano())
}
