package nl80211

import (
	"context"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// RoomApart implements drivers.Aparter.
func (d *Driver) RoomApart(ctx context.Context, ifname string) (bool, error) {
	n, err := d.find(ctx, ifname)
	if err != nil {
		return false, err
	}
	c, err := d.queries.capabilities(ctx, n.wiphy)
	if err != nil {
		return false, err
	}
	return c.twoStations || c.stationBeside && n.ssid == nil, nil
}

// decodeCombinations looks whether one of the combinations that the radio allows has two stations,
// and whether each may be on a channel of its own: only then can one enrol while the other stays in
// its network. One that is in none needs no channel.
func (c *capabilities) decodeCombinations(list *netlink.AttributeDecoder) error {
	for list.Next() {
		list.Nested(func(d *netlink.AttributeDecoder) error {
			var most, channels uint32
			stations := false
			for d.Next() {
				switch d.Type() {
				case unix.NL80211_IFACE_COMB_MAXNUM:
					most = d.Uint32()
				case unix.NL80211_IFACE_COMB_NUM_CHANNELS:
					channels = d.Uint32()
				case unix.NL80211_IFACE_COMB_LIMITS:
					d.Nested(func(limits *netlink.AttributeDecoder) error {
						for limits.Next() {
							limits.Nested(func(limit *netlink.AttributeDecoder) error {
								stations = twoStations(limit) || stations
								return nil
							})
						}
						return nil
					})
				}
			}
			c.stationBeside = c.stationBeside || stations && most >= 2
			c.twoStations = c.twoStations || stations && most >= 2 && channels >= 2
			return nil
		})
	}
	return nil
}

// twoStations reports whether a limit is for two stations at least.
func twoStations(limit *netlink.AttributeDecoder) bool {
	most, station := uint32(0), false
	for limit.Next() {
		switch limit.Type() {
		case unix.NL80211_IFACE_LIMIT_MAX:
			most = limit.Uint32()
		case unix.NL80211_IFACE_LIMIT_TYPES:
			limit.Nested(func(types *netlink.AttributeDecoder) error {
				for types.Next() { // flags, by type of interface
					station = station || types.Type() == unix.NL80211_IFTYPE_STATION
				}
				return nil
			})
		}
	}
	return station && most >= 2
}
