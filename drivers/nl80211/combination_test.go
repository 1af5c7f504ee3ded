package nl80211

import (
	"testing"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// limit is a limit of a combination: at most so many of these types.
type limit struct {
	most  uint32
	types []uint16
}

// combination encodes one as the kernel does.
func combination(most, channels uint32, limits ...limit) func(*netlink.AttributeEncoder) error {
	return func(e *netlink.AttributeEncoder) error {
		e.Nested(unix.NL80211_IFACE_COMB_LIMITS, func(e *netlink.AttributeEncoder) error {
			for i, l := range limits {
				e.Nested(uint16(i+1), func(e *netlink.AttributeEncoder) error {
					e.Uint32(unix.NL80211_IFACE_LIMIT_MAX, l.most)
					e.Nested(unix.NL80211_IFACE_LIMIT_TYPES,
						func(e *netlink.AttributeEncoder) error {
							for _, t := range l.types {
								flag(e, t)
							}
							return nil
						})
					return nil
				})
			}
			return nil
		})
		e.Uint32(unix.NL80211_IFACE_COMB_MAXNUM, most)
		e.Uint32(unix.NL80211_IFACE_COMB_NUM_CHANNELS, channels)
		return nil
	}
}

func TestCombinations(t *testing.T) {
	t.Parallel()
	const station, ap = unix.NL80211_IFTYPE_STATION, unix.NL80211_IFTYPE_AP
	for _, c := range []struct {
		name string
		list []func(*netlink.AttributeEncoder) error
		want bool
		idle bool // whether there is room where the other one is in no network
	}{
		{"two stations on two channels", []func(*netlink.AttributeEncoder) error{
			combination(2, 2, limit{2, []uint16{ap, station}})}, true, true},
		{"in the second combination", []func(*netlink.AttributeEncoder) error{
			combination(2, 1, limit{2, []uint16{station}}),
			combination(3, 2, limit{1, []uint16{ap}}, limit{2, []uint16{station}})}, true, true},
		{"two stations on one channel", []func(*netlink.AttributeEncoder) error{
			combination(2, 1, limit{2, []uint16{station}})}, false, true},
		{"one station beside an access point", []func(*netlink.AttributeEncoder) error{
			combination(2, 2, limit{1, []uint16{station}}, limit{1, []uint16{ap}})}, false, false},
		{"one interface at a time", []func(*netlink.AttributeEncoder) error{
			combination(1, 2, limit{2, []uint16{station}})}, false, false},
		{"no combination", nil, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var can capabilities
			err := can.decode(encode(func(e *netlink.AttributeEncoder) {
				e.Nested(unix.NL80211_ATTR_INTERFACE_COMBINATIONS,
					func(e *netlink.AttributeEncoder) error {
						for i, one := range c.list {
							e.Nested(uint16(i+1), one)
						}
						return nil
					})
			}))
			if err != nil || can.twoStations != c.want || can.stationBeside != c.idle {
				t.Errorf("%v, %v, %v", can.twoStations, can.stationBeside, err)
			}
		})
	}
}
