package nl80211

import (
	"bytes"
	"fmt"
	"net"
	"time"

	"github.com/mdlayher/packet"
	"golang.org/x/sys/unix"
)

// Where the kernel does not carry EAPOL frames over nl80211 (before Linux 4.17, and drivers of
// radios that do it all in firmware), they go through a packet socket, as any other frame.

// packetSocket is the part of *packet.Conn that we use.
type packetSocket interface {
	ReadFrom(b []byte) (int, net.Addr, error)
	WriteTo(b []byte, addr net.Addr) (int, error)
	SetReadDeadline(t time.Time) error
	Close() error
}

// listenPacket opens a socket for the EAPOL frames of one interface, without their Ethernet
// headers.
func listenPacket(ifindex int) (packetSocket, error) {
	i, err := net.InterfaceByIndex(ifindex)
	if err != nil {
		return nil, fmt.Errorf("nl80211: EAPOL socket: %w", err)
	}
	c, err := packet.Listen(i, packet.Datagram, unix.ETH_P_PAE, nil)
	if err != nil {
		return nil, fmt.Errorf("nl80211: EAPOL socket: %w", err)
	}
	return c, nil
}

// lastFrames is how long after a loss the socket is still read: frames and the loss come to us on
// different ways, and an EAP-Failure right before a deauthentication must not get lost.
const lastFrames = 20 * time.Millisecond

// readPackets gives the frames of the access point to the link until the link is over or the socket
// closed.
func (l *Link) readPackets() {
	defer close(l.drained)
	buffer := make([]byte, maxFrame)
	for {
		n, from, err := l.packets.ReadFrom(buffer)
		if err != nil {
			return
		}
		source, ok := from.(*packet.Addr)
		if ok && len(source.HardwareAddr) == len(l.bssid) &&
			[6]byte(source.HardwareAddr) == l.bssid {
			l.deliver(bytes.Clone(buffer[:n]))
		}
	}
}

// sendPacket sends one frame to the access point.
func (l *Link) sendPacket(frame []byte) error {
	_, err := l.packets.WriteTo(frame, &packet.Addr{HardwareAddr: l.bssid[:]})
	return err
}
