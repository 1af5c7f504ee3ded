package nl80211

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// linkMessage is what we read of a route netlink message about an interface.
type linkMessage struct {
	gone    bool // RTM_DELLINK
	index   int
	name    string
	address [6]byte
	// addressed tells that there was an address of this length. The news of wireless extensions (a
	// scan has ended, an access point was joined) come as links with nothing but their name.
	addressed bool
	up        bool // administratively
	running   bool // data flows: whoever sets the keys says so (operstate)
}

// sizeIfInfomsg is the fixed part of a link message: family, padding, type, index, flags, change
// mask.
const sizeIfInfomsg = unix.SizeofIfInfomsg

// errShortMessage is for a kernel that does not keep to its own format.
var errShortMessage = errors.New("nl80211: route netlink message too short")

// parseLinkMessage decodes a message; it is not ok for one that is not about a link as such.
// Bridges send RTM_DELLINK in their own family for a port that leaves them: the interface itself
// stays.
func parseLinkMessage(m netlink.Message) (l linkMessage, ok bool, err error) {
	kind := uint16(m.Header.Type)
	if kind != unix.RTM_NEWLINK && kind != unix.RTM_DELLINK {
		return linkMessage{}, false, nil
	}
	if len(m.Data) < sizeIfInfomsg {
		return linkMessage{}, false, errShortMessage
	}
	if m.Data[0] != unix.AF_UNSPEC {
		return linkMessage{}, false, nil
	}
	l.gone = kind == unix.RTM_DELLINK
	l.index = int(int32(binary.NativeEndian.Uint32(m.Data[4:])))
	flags := binary.NativeEndian.Uint32(m.Data[8:])
	l.up, l.running = flags&unix.IFF_UP != 0, flags&unix.IFF_RUNNING != 0
	d, err := netlink.NewAttributeDecoder(m.Data[sizeIfInfomsg:])
	if err != nil {
		return linkMessage{}, false, fmt.Errorf("nl80211: route netlink: %w", err)
	}
	for d.Next() {
		switch d.Type() {
		case unix.IFLA_IFNAME:
			l.name = d.String()
		case unix.IFLA_ADDRESS:
			d.Do(func(b []byte) error {
				if len(b) == len(l.address) {
					l.address, l.addressed = [6]byte(b), true
				}
				return nil
			})
		}
	}
	if err := d.Err(); err != nil {
		return linkMessage{}, false, fmt.Errorf("nl80211: route netlink: %w", err)
	}
	return l, true, nil
}

// links asks and sets the state of network interfaces. It is safe for concurrent use. The few
// fields that we need are less than a library for all of route netlink would bring along.
type links struct {
	dial func(groups uint32) (routeSocket, error)
	mu   sync.Mutex // one question at a time, each on a socket of its own: they are rare
}

// get asks for one interface; ENODEV if there is none. The kernel answers only after a removal that
// is going on is complete, so this is also how to know whether a loss came from that.
func (k *links) get(index int) (linkMessage, error) {
	var found linkMessage
	err := k.ask(unix.RTM_GETLINK, 0, index, 0, 0, func(m netlink.Message) error {
		l, ok, err := parseLinkMessage(m)
		if ok {
			found = l
		}
		return err
	})
	if err == nil && found.index != index {
		err = errShortMessage
	}
	return found, err
}

// set brings an interface up or down.
func (k *links) set(index int, up bool) error {
	var flags uint32
	if up {
		flags = unix.IFF_UP
	}
	return k.ask(unix.RTM_NEWLINK, netlink.Acknowledge, index, flags, unix.IFF_UP, nil)
}

func (k *links) ask(kind uint16, flags netlink.HeaderFlags, index int, value, mask uint32,
	each func(netlink.Message) error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	conn, err := k.dial(0)
	if err != nil {
		return fmt.Errorf("nl80211: open a route netlink socket: %w", err)
	}
	defer conn.Close()
	b := make([]byte, sizeIfInfomsg)
	binary.NativeEndian.PutUint32(b[4:], uint32(index))
	binary.NativeEndian.PutUint32(b[8:], value)
	binary.NativeEndian.PutUint32(b[12:], mask)
	answer, err := conn.Execute(netlink.Message{
		Header: netlink.Header{Type: netlink.HeaderType(kind), Flags: netlink.Request | flags},
		Data:   b,
	})
	if err != nil {
		return err
	}
	for _, m := range answer {
		if each == nil {
			break
		}
		if err := each(m); err != nil {
			return err
		}
	}
	return nil
}
