// Package ssdp has the sockets of SSDP on one interface, for those who search and for those who are
// found. What goes over them is engine/upnp's business.
package ssdp

import (
	"context"
	"net"
	"net/netip"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"wpsd/engine/upnp"
)

// multicastTTL is hostap's, and UDA 1.0's (1.1.2).
const multicastTTL = 4

// receiveBuffer is for a thousand devices that answer at once. The kernel may give less.
const receiveBuffer = 1 << 20

// BindToDevice keeps a socket on the interface, whatever the routes say.
func BindToDevice(ifname string) func(network, address string, c syscall.RawConn) error {
	return func(_, _ string, c syscall.RawConn) error {
		return control(c, func(fd int) error { return unix.BindToDevice(fd, ifname) })
	}
}

// control sets options of a socket before it is bound.
func control(c syscall.RawConn, set func(fd int) error) (err error) {
	if e := c.Control(func(fd uintptr) { err = set(int(fd)) }); e != nil {
		return e
	}
	return os.NewSyscallError("setsockopt", err)
}

// Speaker opens a socket that datagrams to the group, and answers, go out from, and that answers
// come in to. index is the interface's, address one of its own.
func Speaker(ifname string, index int, address netip.Addr) (*net.UDPConn, error) {
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		return control(c, func(fd int) error {
			if err := unix.BindToDevice(fd, ifname); err != nil {
				return err
			}
			if err := unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_IF,
				&unix.IPMreqn{Ifindex: int32(index)}); err != nil {
				return err
			}
			return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_TTL, multicastTTL)
		})
	}}
	c, err := config.ListenPacket(context.Background(), "udp4",
		netip.AddrPortFrom(address, 0).String())
	if err != nil {
		return nil, err
	}
	u := c.(*net.UDPConn)
	_ = u.SetReadBuffer(receiveBuffer) // less is slower, not wrong
	return u, nil
}

// Listener opens a socket for what is said to the group. Package net would bind it to every
// address; bound to the group's, the kernel gives us nothing else. Without SO_BINDTODEVICE and with
// IP_MULTICAST_ALL, which is on by default, it would get what others of this machine joined on
// other interfaces.
func Listener(ifname string, index int) (*net.UDPConn, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	group := upnp.Multicast.Addr().As4()
	for _, set := range []func() error{
		// Other programs listen to SSDP as well.
		func() error { return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1) },
		func() error { return unix.BindToDevice(fd, ifname) },
		func() error { return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_ALL, 0) },
		func() error {
			return unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP,
				&unix.IPMreqn{Multiaddr: group, Ifindex: int32(index)})
		},
		func() error {
			return unix.Bind(fd, &unix.SockaddrInet4{Port: int(upnp.Multicast.Port()),
				Addr: group})
		},
	} {
		if err := set(); err != nil {
			_ = unix.Close(fd)
			return nil, os.NewSyscallError("socket", err)
		}
	}
	f := os.NewFile(uintptr(fd), "ssdp")
	defer f.Close() // FilePacketConn has a copy
	c, err := net.FilePacketConn(f)
	if err != nil {
		return nil, err
	}
	u := c.(*net.UDPConn)
	_ = u.SetReadBuffer(receiveBuffer)
	return u, nil
}
