package nl80211

import (
	"context"
	"fmt"
	"sync"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"wpsd/drivers"
)

// capabilities is what the radio can do.
type capabilities struct {
	channels        []drivers.Channel
	maxScanElements int    // bytes that a Probe Request may have of ours
	features        uint32 // NL80211_FEATURE_… bits
	extended        []byte // NL80211_EXT_FEATURE_… bits, in whole bytes, lowest first
	stationBeside   bool   // two stations at once, perhaps on one channel only
	twoStations     bool   // at once, each on a channel of its own
}

// maxChannels bounds what we take from the kernel; 2.4, 5, 6 and 60 GHz together have about 120.
const maxChannels = 512

// has tells whether the radio has an NL80211_FEATURE_….
func (c *capabilities) has(feature uint32) bool { return c.features&feature != 0 }

// hasExtended tells whether the radio has an NL80211_EXT_FEATURE_….
func (c *capabilities) hasExtended(feature int) bool {
	return feature/8 < len(c.extended) && c.extended[feature/8]&(1<<(feature%8)) != 0
}

// radios remembers what radios can do, as long as the kernel tells when that changes. To ask for
// all of it takes a sixth of what a whole session does. It is safe for concurrent use; what it
// returns is not changed by anybody.
type radios struct {
	mu    sync.Mutex
	told  bool                     // changes are told
	known map[uint32]*capabilities // by the number of the radio
	since int                      // counts changes
}

// follow says whether changes are told from now on. What was known before is forgotten.
func (r *radios) follow(told bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told, r.known = told, nil
	r.since++
}

// forget is for when something has changed, or may have.
func (r *radios) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known = nil
	r.since++
}

// get returns what is known of a radio, or nil, and when that is.
func (r *radios) get(wiphy uint32) (c *capabilities, now int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.known[wiphy], r.since
}

// put remembers what was asked for, unless something has changed since.
func (r *radios) put(wiphy uint32, c *capabilities, asked int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.told || r.since != asked {
		return
	}
	if r.known == nil {
		r.known = make(map[uint32]*capabilities)
	}
	r.known[wiphy] = c
}

// capabilities tells what the radio can do now: channels follow the regulatory domain.
func (q *queries) capabilities(ctx context.Context, wiphy uint32) (*capabilities, error) {
	known, asked := q.radios.get(wiphy)
	if known != nil {
		return known, ctx.Err()
	}
	c, err := q.askCapabilities(ctx, wiphy)
	if err == nil {
		q.radios.put(wiphy, c, asked)
	}
	return c, err
}

func (q *queries) askCapabilities(ctx context.Context, wiphy uint32) (*capabilities, error) {
	attrs, err := attributes(func(e *netlink.AttributeEncoder) {
		e.Uint32(unix.NL80211_ATTR_WIPHY, wiphy)
		// All of it does not fit into one message.
		flag(e, unix.NL80211_ATTR_SPLIT_WIPHY_DUMP)
	})
	if err != nil {
		return nil, err
	}
	c := new(capabilities)
	if err := q.dump(ctx, unix.NL80211_CMD_GET_WIPHY, attrs, c.decode); err != nil {
		return nil, err
	}
	return c, nil
}

// decode takes one message of the dump.
func (c *capabilities) decode(attrs []byte) error {
	d, err := netlink.NewAttributeDecoder(attrs)
	if err != nil {
		return fmt.Errorf("nl80211: radio: %w", err)
	}
	for d.Next() {
		switch d.Type() {
		case unix.NL80211_ATTR_MAX_SCAN_IE_LEN:
			c.maxScanElements = int(d.Uint16())
		case unix.NL80211_ATTR_FEATURE_FLAGS:
			c.features = d.Uint32()
		case unix.NL80211_ATTR_EXT_FEATURES:
			c.extended = d.Bytes()
		case unix.NL80211_ATTR_INTERFACE_COMBINATIONS:
			d.Nested(c.decodeCombinations)
		case unix.NL80211_ATTR_WIPHY_BANDS:
			d.Nested(c.decodeBands)
		}
	}
	if err := d.Err(); err != nil {
		return fmt.Errorf("nl80211: radio: %w", err)
	}
	return nil
}

// decodeBands goes through bands and their channels; both are lists of nested attributes.
func (c *capabilities) decodeBands(bands *netlink.AttributeDecoder) error {
	for bands.Next() {
		bands.Nested(func(band *netlink.AttributeDecoder) error {
			for band.Next() {
				if band.Type() != unix.NL80211_BAND_ATTR_FREQS {
					continue
				}
				band.Nested(func(list *netlink.AttributeDecoder) error {
					for list.Next() {
						list.Nested(c.decodeChannel)
					}
					return nil
				})
			}
			return nil
		})
	}
	return nil
}

// decodeChannel adds a channel unless it is disabled.
func (c *capabilities) decodeChannel(d *netlink.AttributeDecoder) error {
	var (
		channel  drivers.Channel
		disabled bool
	)
	for d.Next() {
		switch d.Type() {
		case unix.NL80211_FREQUENCY_ATTR_FREQ:
			channel.Frequency = int(d.Uint32())
		case unix.NL80211_FREQUENCY_ATTR_DISABLED:
			disabled = true
		case unix.NL80211_FREQUENCY_ATTR_NO_IR, unix.NL80211_FREQUENCY_ATTR_RADAR:
			channel.Passive = true
		}
	}
	if !disabled && channel.Frequency != 0 && len(c.channels) < maxChannels {
		c.channels = append(c.channels, channel)
	}
	return nil
}
