package nl80211

import (
	"bytes"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// event is what the kernel tells without being asked: the fields that some event of ours has.
type event struct {
	overrun bool // nothing else is set: events were lost

	command   uint8
	ifindex   int
	wiphy     uint32
	hasWiphy  bool
	mac       [6]byte // access point, or source of a frame
	hasMAC    bool
	frame     []byte // copied
	etherType uint16
	status    uint16 // IEEE 802.11 status code; 0: success
	reason    uint16 // IEEE 802.11 reason code
	byPeer    bool   // disconnected by the access point
	timedOut  bool   // the access point did not answer
	hasStatus bool
}

// maxFrame is the longest EAPOL frame that we take: an MSDU of IEEE 802.11.
const maxFrame = 2304

// parseEvent decodes the attributes of an event. Part of it comes from the air; what does not fit
// is left out or, when the message as a whole makes no sense, not ok.
func parseEvent(command uint8, attrs []byte) (event, bool) {
	e := event{command: command}
	d, err := netlink.NewAttributeDecoder(attrs)
	if err != nil {
		return event{}, false
	}
	for d.Next() {
		switch d.Type() {
		case unix.NL80211_ATTR_IFINDEX:
			e.ifindex = int(d.Uint32())
		case unix.NL80211_ATTR_WIPHY:
			e.wiphy, e.hasWiphy = d.Uint32(), true
		case unix.NL80211_ATTR_MAC:
			d.Do(func(b []byte) error {
				if len(b) == len(e.mac) {
					e.mac, e.hasMAC = [6]byte(b), true
				}
				return nil
			})
		case unix.NL80211_ATTR_FRAME:
			// Only an EAPOL frame is of use to us; events also carry whole management frames.
			if command != unix.NL80211_CMD_CONTROL_PORT_FRAME || e.frame != nil {
				continue
			}
			d.Do(func(b []byte) error {
				if len(b) <= maxFrame {
					e.frame = bytes.Clone(b)
				}
				return nil
			})
		case unix.NL80211_ATTR_CONTROL_PORT_ETHERTYPE:
			e.etherType = d.Uint16()
		case unix.NL80211_ATTR_STATUS_CODE:
			e.status, e.hasStatus = d.Uint16(), true
		case unix.NL80211_ATTR_REASON_CODE:
			e.reason = d.Uint16()
		case unix.NL80211_ATTR_DISCONNECTED_BY_AP:
			e.byPeer = true
		case unix.NL80211_ATTR_TIMED_OUT:
			e.timedOut = true
		}
	}
	return e, d.Err() == nil
}
