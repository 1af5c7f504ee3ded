package nl80211

import (
	"context"
	"fmt"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"wpsd/drivers"
)

// netdev is a network interface with a radio, as nl80211 describes it.
type netdev struct {
	index   int
	name    string
	address [6]byte
	wiphy   uint32
	mode    drivers.Mode
	ssid    []byte // of the network that it is in or joining; nil: none
}

// used tells whether somebody uses the interface by now: it is in a network or joins one, or is no
// station any more.
func (n netdev) used() bool { return n.ssid != nil || n.mode != drivers.ModeStation }

// maxNetdevs bounds how many interfaces we list.
const maxNetdevs = 256

// netdevs lists the interfaces in station and access point mode.
func (q *queries) netdevs(ctx context.Context) ([]netdev, error) {
	var list []netdev
	err := q.dump(ctx, unix.NL80211_CMD_GET_INTERFACE, nil, func(attrs []byte) error {
		n, ok, err := parseNetdev(attrs)
		if ok && len(list) < maxNetdevs {
			list = append(list, n)
		}
		return err
	})
	return list, err
}

// netdev asks for one interface, in whatever mode it is.
func (q *queries) netdev(ctx context.Context, index int) (netdev, error) {
	attrs, err := attributes(func(e *netlink.AttributeEncoder) {
		e.Uint32(unix.NL80211_ATTR_IFINDEX, uint32(index))
	})
	if err != nil {
		return netdev{}, err
	}
	var n netdev
	err = q.get(ctx, unix.NL80211_CMD_GET_INTERFACE, attrs, func(attrs []byte) error {
		n, _, err = parseNetdev(attrs)
		return err
	})
	return n, err
}

// parseNetdev decodes a message about an interface. It is not ok for one that we do not list:
// without a network device (P2P device), or in a mode that is neither station nor access point.
func parseNetdev(attrs []byte) (n netdev, ok bool, err error) {
	d, err := netlink.NewAttributeDecoder(attrs)
	if err != nil {
		return netdev{}, false, fmt.Errorf("nl80211: interface: %w", err)
	}
	for d.Next() {
		switch d.Type() {
		case unix.NL80211_ATTR_IFINDEX:
			n.index = int(d.Uint32())
		case unix.NL80211_ATTR_IFNAME:
			n.name = d.String()
		case unix.NL80211_ATTR_WIPHY:
			n.wiphy = d.Uint32()
		case unix.NL80211_ATTR_MAC:
			d.Do(func(b []byte) error {
				if len(b) == len(n.address) {
					n.address = [6]byte(b)
				}
				return nil
			})
		case unix.NL80211_ATTR_IFTYPE:
			n.mode = mode(d.Uint32())
		case unix.NL80211_ATTR_SSID:
			n.ssid = d.Bytes()
		}
	}
	if err := d.Err(); err != nil {
		return netdev{}, false, fmt.Errorf("nl80211: interface: %w", err)
	}
	return n, n.index != 0 && n.name != "" && n.mode != drivers.ModeNone, nil
}

// mode is what we call an interface type. The group owner of Wi-Fi Direct is an access point with
// WPS; its client, like mesh, monitor and the rest, is no station that could be enrolled.
func mode(iftype uint32) drivers.Mode {
	switch iftype {
	case unix.NL80211_IFTYPE_STATION:
		return drivers.ModeStation
	case unix.NL80211_IFTYPE_AP, unix.NL80211_IFTYPE_P2P_GO:
		return drivers.ModeAP
	}
	return drivers.ModeNone
}
