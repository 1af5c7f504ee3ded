package nl80211

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"wpsd/drivers"
)

// heard is one entry of the kernel's list of access points.
type heard struct {
	drivers.BSS               // without Seen
	seen        time.Duration // when last heard, as bootTime; never earlier than it was
}

const (
	// maxElements bounds what we keep of one access point. A beacon has at most 2,304 bytes (11,454
	// with the long frames of later standards).
	maxElements = 12 << 10
	// maxHeard bounds how many access points we keep. The kernel keeps 1,000 unless told otherwise.
	maxHeard = 2048

	// jiffy is the coarsest unit of NL80211_BSS_SEEN_MS_AGO.
	jiffy = 10 * time.Millisecond

	capabilityPrivacy = 1 << 4 // IEEE 802.11 capability information
)

// staleResponse is how much newer than the newest Probe Response a Beacon has to be to count as the
// news. A Probe Response says more (UUID-E, names, primary device type), and both come within one
// visit to the channel; but when the access point does not answer our probes any more, or on a
// channel where we only listen, its last answer can be minutes old, and the kernel goes on offering
// it first.
const staleResponse = 250 * time.Millisecond

// parseScanResult decodes one message of a GET_SCAN dump. It is not ok for a message without a
// usable access point, and for one that keep does not want; keep sees everything but the elements,
// which are copied only then. now is the bootTime of the dump.
func parseScanResult(attrs []byte, now time.Duration, keep func(*heard) bool) (h heard, ok bool,
	err error) {
	d, err := netlink.NewAttributeDecoder(attrs)
	if err != nil {
		return heard{}, false, fmt.Errorf("nl80211: scan result: %w", err)
	}
	for d.Next() {
		if d.Type() == unix.NL80211_ATTR_BSS {
			d.Do(func(b []byte) error {
				h, ok, err = parseBSS(b, now, keep)
				return err
			})
		}
	}
	if err := d.Err(); err != nil {
		return heard{}, false, fmt.Errorf("nl80211: scan result: %w", err)
	}
	return h, ok, nil
}

// bssAttributes are the attributes of an entry that need one another to make sense of.
type bssAttributes struct {
	elements, beacon     []byte // alias the message
	fromResponse         bool   // elements are those of a Probe Response
	elementsAt, beaconAt uint64 // timestamps of the access point's own clock, µs
	age                  time.Duration
	lastSeen             time.Duration // as bootTime; 0: not told
}

// signalWithoutUnit spreads a strength of 0 … 100 over what radios usually report, in dBm.
func signalWithoutUnit(strength uint8) int { return int(min(strength, 100))/2 - 100 }

// parseBSS decodes the nested attributes of an entry.
func parseBSS(attrs []byte, now time.Duration, keep func(*heard) bool) (heard, bool, error) {
	d, err := netlink.NewAttributeDecoder(attrs)
	if err != nil {
		return heard{}, false, err
	}
	var (
		h   heard
		a   bssAttributes
		has struct{ bssid, frequency bool }
		// The kernel knows it from what another link of its access point says of it, and lets nobody
		// associate with it but as a part of several links.
		linkOnly bool
	)
	for d.Next() {
		switch d.Type() {
		case unix.NL80211_BSS_BSSID:
			d.Do(func(b []byte) error {
				if has.bssid = len(b) == len(h.BSSID); has.bssid {
					h.BSSID = [6]byte(b)
				}
				return nil
			})
		case unix.NL80211_BSS_FREQUENCY:
			h.Frequency, has.frequency = int(d.Uint32()), true
		case unix.NL80211_BSS_CAPABILITY:
			h.Capability = d.Uint16()
			h.Privacy = h.Capability&capabilityPrivacy != 0
		case unix.NL80211_BSS_BEACON_INTERVAL:
			h.Interval = d.Uint16()
		case unix.NL80211_BSS_SIGNAL_MBM:
			h.Signal = int(d.Int32()) / 100
		case unix.NL80211_BSS_SIGNAL_UNSPEC:
			h.Signal = signalWithoutUnit(d.Uint8())
		case unix.NL80211_BSS_STATUS:
			h.Associated = d.Uint32() == unix.NL80211_BSS_STATUS_ASSOCIATED
		case unix.NL80211_BSS_USE_FOR: // since Linux 6.8
			d.Do(func(b []byte) error {
				linkOnly = len(b) == 4 &&
					binary.NativeEndian.Uint32(b)&unix.NL80211_BSS_USE_FOR_NORMAL == 0
				return nil
			})
		default:
			a.decode(d)
		}
	}
	if err := d.Err(); err != nil {
		return heard{}, false, err
	}
	if !has.bssid || !has.frequency || linkOnly || len(a.elements) > maxElements ||
		len(a.beacon) > maxElements {
		return heard{}, false, nil
	}
	h.seen = a.seen(now)
	if !keep(&h) {
		return heard{}, false, nil
	}
	h.IEs, h.BeaconIEs = a.copyElements()
	h.TSF = max(a.elementsAt, a.beaconAt)
	return h, true, nil
}

// decode takes the attribute that the decoder is at, if it is one of these.
func (a *bssAttributes) decode(d *netlink.AttributeDecoder) {
	switch d.Type() {
	case unix.NL80211_BSS_INFORMATION_ELEMENTS:
		d.Do(func(b []byte) error { a.elements = b; return nil })
	case unix.NL80211_BSS_BEACON_IES:
		d.Do(func(b []byte) error { a.beacon = b; return nil })
	case unix.NL80211_BSS_PRESP_DATA:
		a.fromResponse = true
	case unix.NL80211_BSS_TSF:
		a.elementsAt = d.Uint64()
	case unix.NL80211_BSS_BEACON_TSF:
		a.beaconAt = d.Uint64()
	case unix.NL80211_BSS_SEEN_MS_AGO:
		a.age = time.Duration(d.Uint32()) * time.Millisecond
	case unix.NL80211_BSS_LAST_SEEN_BOOTTIME:
		a.lastSeen = time.Duration(d.Uint64() & (1<<63 - 1))
	}
}

// copyElements returns copies of the newest elements and of those of the newest Beacon.
func (a *bssAttributes) copyElements() (newest, beacon []byte) {
	newest = a.elements
	if a.fromResponse && a.beacon != nil && a.beaconAt > a.elementsAt &&
		a.beaconAt-a.elementsAt > uint64(staleResponse/time.Microsecond) {
		newest = a.beacon
	}
	return bytes.Clone(newest), bytes.Clone(a.beacon)
}

// seen is when the access point was last heard. Not every driver tells the boot time of a frame;
// the age in jiffies is then taken as young as it may be.
func (a *bssAttributes) seen(now time.Duration) time.Duration {
	if a.lastSeen != 0 {
		return min(a.lastSeen, now)
	}
	return now - max(a.age-jiffy, 0)
}

// newest collects entries, one for each BSSID. The kernel has a second one after an access point
// changed its name or its channel, or when one that hides its name was asked by it: what counts is
// what we are associated with, then what has a name, then what was heard last.
type newest struct {
	all   []drivers.BSS
	index map[[6]byte]int
}

func (n *newest) add(b drivers.BSS) {
	if i, ok := n.index[b.BSSID]; ok {
		old := &n.all[i]
		switch named, oldNamed := hasName(b.IEs), hasName(old.IEs); {
		case b.Associated != old.Associated:
			if b.Associated {
				*old = b
			}
		case named != oldNamed:
			if named {
				*old = b
			}
		case b.Seen.After(old.Seen):
			*old = b
		}
		return
	}
	if len(n.all) == maxHeard {
		return
	}
	if n.index == nil {
		n.index = make(map[[6]byte]int)
	}
	n.index[b.BSSID] = len(n.all)
	n.all = append(n.all, b)
}

// hasName reports whether elements tell the network's name: one that is hidden is empty, or zeros.
// It is the first element of Beacons and Probe Responses (IEEE 802.11, "Beacon frame format").
func hasName(ies []byte) bool {
	if len(ies) < 2 || ies[0] != 0 || len(ies) < 2+int(ies[1]) {
		return false
	}
	return slices.ContainsFunc(ies[2:2+int(ies[1])], func(b byte) bool { return b != 0 })
}
