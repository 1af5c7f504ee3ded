package nl80211

import (
	"bytes"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"wpsd/drivers"
)

// bssAttrs encodes a GET_SCAN message around the attributes of an entry.
func bssAttrs(fill func(b *netlink.AttributeEncoder)) []byte {
	return encode(func(e *netlink.AttributeEncoder) {
		e.Uint32(unix.NL80211_ATTR_GENERATION, 5)
		e.Nested(unix.NL80211_ATTR_BSS, func(b *netlink.AttributeEncoder) error {
			fill(b)
			return nil
		})
	})
}

// entry is the least that makes an entry.
func entry(b *netlink.AttributeEncoder) {
	b.Bytes(unix.NL80211_BSS_BSSID, fakeBSSID[:])
	b.Uint32(unix.NL80211_BSS_FREQUENCY, 2412)
}

func everything(*heard) bool { return true }

func TestParseScanResult(t *testing.T) {
	const now = time.Hour
	with := func(fill func(b *netlink.AttributeEncoder)) []byte {
		return bssAttrs(func(b *netlink.AttributeEncoder) {
			entry(b)
			fill(b)
		})
	}
	least := func(change func(h *heard)) *heard {
		h := &heard{BSS: drivers.BSS{BSSID: fakeBSSID, Frequency: 2412}, seen: now}
		change(h)
		return h
	}
	response, beacon := []byte{0, 1, 'r'}, []byte{0, 1, 'b'}
	elements := func(responseAt, beaconAt uint64) func(b *netlink.AttributeEncoder) {
		return func(b *netlink.AttributeEncoder) {
			b.Flag(unix.NL80211_BSS_PRESP_DATA, true)
			b.Uint64(unix.NL80211_BSS_TSF, responseAt)
			b.Bytes(unix.NL80211_BSS_INFORMATION_ELEMENTS, response)
			b.Uint64(unix.NL80211_BSS_BEACON_TSF, beaconAt)
			b.Bytes(unix.NL80211_BSS_BEACON_IES, beacon)
		}
	}
	for _, c := range []struct {
		name  string
		attrs []byte
		want  *heard // nil: not an entry
		fails bool
	}{
		{name: "BSSID and frequency are enough", attrs: bssAttrs(entry),
			want: least(func(*heard) {})},
		{
			// Of a link of a multi-link device: it is associated with by its own address, as any
			// other BSS (kernels since 6.0; USE_FOR since 6.8).
			name: "a link of a multi-link access point is a BSS of its own",
			attrs: with(func(b *netlink.AttributeEncoder) {
				b.Uint8(unix.NL80211_BSS_MLO_LINK_ID, 1)
				b.Bytes(unix.NL80211_BSS_MLD_ADDR, []byte{2, 0, 0, 0, 7, 7})
				b.Uint32(unix.NL80211_BSS_USE_FOR, unix.NL80211_BSS_USE_FOR_NORMAL)
				b.Uint64(unix.NL80211_BSS_CANNOT_USE_REASONS, 0)
				b.Bytes(0xff, []byte{1, 2, 3}) // of a kernel to come
			}),
			want: least(func(*heard) {}),
		},
		{
			name: "attributes of multi-link that are cut short change nothing",
			attrs: with(func(b *netlink.AttributeEncoder) {
				b.Bytes(unix.NL80211_BSS_MLO_LINK_ID, nil)
				b.Bytes(unix.NL80211_BSS_MLD_ADDR, []byte{2})
				b.Bytes(unix.NL80211_BSS_USE_FOR, []byte{0})
			}),
			want: least(func(*heard) {}),
		},
		{
			name: "a link that only another link tells of cannot be associated with",
			attrs: with(func(b *netlink.AttributeEncoder) {
				b.Uint8(unix.NL80211_BSS_MLO_LINK_ID, 2)
				b.Uint32(unix.NL80211_BSS_USE_FOR, unix.NL80211_BSS_USE_FOR_MLD_LINK)
			}),
		},
		{
			name: "all fields are taken",
			attrs: with(func(b *netlink.AttributeEncoder) {
				b.Uint16(unix.NL80211_BSS_CAPABILITY, 0x0411)
				b.Uint16(unix.NL80211_BSS_BEACON_INTERVAL, 100)
				b.Int32(unix.NL80211_BSS_SIGNAL_MBM, -4250)
				b.Uint32(unix.NL80211_BSS_STATUS, unix.NL80211_BSS_STATUS_ASSOCIATED)
				b.Uint32(unix.NL80211_BSS_SEEN_MS_AGO, 4000)
				b.Uint64(unix.NL80211_BSS_LAST_SEEN_BOOTTIME, uint64(now-3*time.Second))
				b.Bytes(unix.NL80211_BSS_INFORMATION_ELEMENTS, response)
			}),
			want: least(func(h *heard) {
				h.Privacy, h.Signal, h.Associated, h.IEs = true, -42, true, response
				h.Capability, h.Interval = 0x0411, 100
				h.seen = now - 3*time.Second
			}),
		},
		{
			name:  "an answer is kept when the beacon came a moment later, since it says more",
			attrs: with(elements(1_000_000, 1_250_000)),
			want: least(func(h *heard) {
				h.IEs, h.BeaconIEs, h.TSF = response, beacon, 1_250_000
			}),
		},
		{
			name:  "a beacon is the news when the answer is old",
			attrs: with(elements(1_000_000, 1_250_001)),
			want:  least(func(h *heard) { h.IEs, h.BeaconIEs, h.TSF = beacon, beacon, 1_250_001 }),
		},
		{
			name:  "an answer is the news after a beacon, also with clocks near their end",
			attrs: with(elements(1<<64-1, 5)),
			want:  least(func(h *heard) { h.IEs, h.BeaconIEs, h.TSF = response, beacon, 1<<64-1 }),
		},
		{
			name: "without a boot time the age counts, as young as it may be",
			attrs: with(func(b *netlink.AttributeEncoder) {
				b.Uint32(unix.NL80211_BSS_SEEN_MS_AGO, 500)
			}),
			want: least(func(h *heard) { h.seen = now - 490*time.Millisecond }),
		},
		{
			name: "a boot time in the future is now",
			attrs: with(func(b *netlink.AttributeEncoder) {
				b.Uint64(unix.NL80211_BSS_LAST_SEEN_BOOTTIME, 1<<64-1)
			}),
			want: least(func(*heard) {}),
		},
		{
			name: "a signal without a unit is spread over -100 to -50 dBm",
			attrs: with(func(b *netlink.AttributeEncoder) {
				b.Uint8(unix.NL80211_BSS_SIGNAL_UNSPEC, 200)
			}),
			want: least(func(h *heard) { h.Signal = -50 }),
		},
		{
			name: "attributes that we do not know are skipped",
			attrs: with(func(b *netlink.AttributeEncoder) {
				b.Bytes(unix.NL80211_BSS_CHAIN_SIGNAL, []byte{1, 2, 3})
				b.Bytes(200, make([]byte, 3000))
			}),
			want: least(func(*heard) {}),
		},
		{name: "without a BSSID it is no access point",
			attrs: bssAttrs(func(b *netlink.AttributeEncoder) {
				b.Uint32(unix.NL80211_BSS_FREQUENCY, 2412)
			})},
		{name: "without a frequency it is none",
			attrs: bssAttrs(func(b *netlink.AttributeEncoder) {
				b.Bytes(unix.NL80211_BSS_BSSID, fakeBSSID[:])
			})},
		{
			name: "a BSSID of five bytes is none",
			attrs: bssAttrs(func(b *netlink.AttributeEncoder) {
				b.Bytes(unix.NL80211_BSS_BSSID, fakeBSSID[:5])
				b.Uint32(unix.NL80211_BSS_FREQUENCY, 2412)
			}),
		},
		{name: "a message without an entry is none",
			attrs: encode(func(e *netlink.AttributeEncoder) {
				e.Uint32(unix.NL80211_ATTR_GENERATION, 5)
			})},
		{
			name: "elements beyond any frame are none",
			attrs: with(func(b *netlink.AttributeEncoder) {
				b.Bytes(unix.NL80211_BSS_INFORMATION_ELEMENTS, make([]byte, maxElements+1))
			}),
		},
		{name: "a frequency of two bytes is an error",
			attrs: bssAttrs(func(b *netlink.AttributeEncoder) {
				b.Uint16(unix.NL80211_BSS_FREQUENCY, 2412)
			}), fails: true},
		{name: "a truncated message is an error", attrs: bssAttrs(entry)[:21], fails: true},
		{name: "an entry of garbage is an error",
			attrs: encode(func(e *netlink.AttributeEncoder) {
				e.Bytes(unix.NL80211_ATTR_BSS, []byte{255, 255, 1, 0})
			}), fails: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, ok, err := parseScanResult(c.attrs, now, everything)
			if (err != nil) != c.fails || ok != (c.want != nil) {
				t.Fatalf("%+v, %v, %v", h, ok, err)
			}
			if c.want != nil && !reflect.DeepEqual(h, *c.want) {
				t.Errorf("%+v, not %+v", h, *c.want)
			}
		})
	}
}

func TestScanResultsAreCopied(t *testing.T) {
	attrs := bssAttrs(func(b *netlink.AttributeEncoder) {
		entry(b)
		b.Bytes(unix.NL80211_BSS_INFORMATION_ELEMENTS, []byte{0, 1, 'x'})
		b.Bytes(unix.NL80211_BSS_BEACON_IES, []byte{0, 1, 'y'})
	})
	h, _, err := parseScanResult(attrs, 0, everything)
	if err != nil {
		t.Fatal(err)
	}
	clear(attrs)
	if string(h.IEs) != "\x00\x01x" || string(h.BeaconIEs) != "\x00\x01y" {
		t.Errorf("%x, %x: they are not copies", h.IEs, h.BeaconIEs)
	}
}

func TestNewest(t *testing.T) {
	at := func(second int64) time.Time { return time.Unix(second, 0) }
	bss := func(last byte, ssid byte, second int64, associated bool) drivers.BSS {
		return drivers.BSS{BSSID: [6]byte{5: last}, IEs: []byte{0, 1, ssid}, Seen: at(second),
			Associated: associated}
	}
	for _, c := range []struct {
		name string
		add  []drivers.BSS
		want string // SSIDs
	}{
		{name: "two access points stay in order",
			add: []drivers.BSS{bss(1, 'a', 9, false), bss(2, 'b', 1, false)}, want: "ab"},
		{name: "of one BSSID the newer entry stays",
			add: []drivers.BSS{bss(1, 'a', 1, false), bss(2, 'b', 1, false),
				bss(1, 'c', 2, false)},
			want: "cb"},
		{name: "an older entry changes nothing",
			add: []drivers.BSS{bss(1, 'a', 2, false), bss(1, 'b', 1, false)}, want: "a"},
		{name: "one that tells its name stays beside its Beacon that does not",
			add: []drivers.BSS{bss(1, 'a', 1, false), bss(1, 0, 2, false)}, want: "a"},
		{name: "one that tells its name wins",
			add: []drivers.BSS{bss(1, 0, 2, false), bss(1, 'a', 1, false)}, want: "a"},
		{name: "the one that we are associated with stays",
			add: []drivers.BSS{bss(1, 'a', 1, true), bss(1, 'b', 2, false)}, want: "a"},
		{name: "the one that we are associated with wins",
			add: []drivers.BSS{bss(1, 'a', 2, false), bss(1, 'b', 1, true)}, want: "b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var n newest
			for _, b := range c.add {
				n.add(b)
			}
			got := ""
			for _, b := range n.all {
				got += string(b.IEs[2:])
			}
			if got != c.want {
				t.Errorf("%q, not %q", got, c.want)
			}
		})
	}
	t.Run("a flood of access points is bounded", func(t *testing.T) {
		var n newest
		for i := range 2 * maxHeard {
			n.add(drivers.BSS{BSSID: [6]byte{byte(i), byte(i >> 8)}})
		}
		if len(n.all) != maxHeard {
			t.Errorf("%d are kept", len(n.all))
		}
	})
}

func TestParseChannels(t *testing.T) {
	channel := func(frequency uint32, flags ...uint16) func(*netlink.AttributeEncoder) error {
		return func(e *netlink.AttributeEncoder) error {
			e.Uint32(unix.NL80211_FREQUENCY_ATTR_FREQ, frequency)
			for _, f := range flags {
				e.Flag(f, true)
			}
			return nil
		}
	}
	attrs := encode(func(e *netlink.AttributeEncoder) {
		e.Nested(unix.NL80211_ATTR_WIPHY_BANDS, func(bands *netlink.AttributeEncoder) error {
			bands.Nested(0, func(band *netlink.AttributeEncoder) error {
				band.Nested(unix.NL80211_BAND_ATTR_FREQS,
					func(list *netlink.AttributeEncoder) error {
						list.Nested(0, channel(2412))
						list.Nested(1, channel(2484, unix.NL80211_FREQUENCY_ATTR_DISABLED))
						list.Nested(2, channel(2467, unix.NL80211_FREQUENCY_ATTR_NO_IR))
						return nil
					})
				return nil
			})
			bands.Nested(1, func(band *netlink.AttributeEncoder) error {
				band.Nested(unix.NL80211_BAND_ATTR_FREQS,
					func(list *netlink.AttributeEncoder) error {
						list.Nested(0, channel(5260, unix.NL80211_FREQUENCY_ATTR_RADAR))
						return nil
					})
				return nil
			})
			return nil
		})
	})
	var c capabilities
	if err := c.decode(attrs); err != nil {
		t.Fatal(err)
	}
	want := []drivers.Channel{{Frequency: 2412}, {Frequency: 2467, Passive: true},
		{Frequency: 5260, Passive: true}}
	if !slices.Equal(c.channels, want) {
		t.Errorf("%v, not %v", c.channels, want)
	}
	if err := c.decode(attrs[:len(attrs)-3]); err == nil {
		t.Error("a truncated message is no error")
	}
}

func TestParseNetdev(t *testing.T) {
	with := func(iftype uint32, fill func(e *netlink.AttributeEncoder)) []byte {
		return encode(func(e *netlink.AttributeEncoder) {
			e.Uint32(unix.NL80211_ATTR_IFTYPE, iftype)
			fill(e)
		})
	}
	named := func(e *netlink.AttributeEncoder) {
		e.Uint32(unix.NL80211_ATTR_IFINDEX, 4)
		e.String(unix.NL80211_ATTR_IFNAME, "wlan0")
	}
	for _, c := range []struct {
		name  string
		attrs []byte
		want  drivers.Mode // ModeNone: not listed
		fails bool
	}{
		{name: "a station is listed", attrs: with(unix.NL80211_IFTYPE_STATION, named),
			want: drivers.ModeStation},
		{name: "an access point is listed", attrs: with(unix.NL80211_IFTYPE_AP, named),
			want: drivers.ModeAP},
		{name: "a Wi-Fi Direct group owner is an access point",
			attrs: with(unix.NL80211_IFTYPE_P2P_GO, named), want: drivers.ModeAP},
		{name: "a monitor is not listed", attrs: with(unix.NL80211_IFTYPE_MONITOR, named)},
		{name: "a P2P device has no network interface",
			attrs: with(unix.NL80211_IFTYPE_P2P_DEVICE, func(*netlink.AttributeEncoder) {})},
		{name: "a type of later kernels is not listed", attrs: with(99, named)},
		{name: "a type of one byte is an error",
			attrs: encode(func(e *netlink.AttributeEncoder) {
				e.Uint8(unix.NL80211_ATTR_IFTYPE, 2)
			}), fails: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, ok, err := parseNetdev(c.attrs)
			if (err != nil) != c.fails || ok != (c.want != drivers.ModeNone) || ok &&
				n.mode != c.want {
				t.Errorf("%+v, %v, %v", n, ok, err)
			}
		})
	}
}

func TestParseLinkMessage(t *testing.T) {
	good := newLinkMessage(3, "wlan0", true)
	bridge := newLinkMessage(3, "wlan0", true)
	bridge.Header.Type, bridge.Data[0] = unix.RTM_DELLINK, unix.AF_BRIDGE
	gone := newLinkMessage(3, "wlan0", false)
	gone.Header.Type = unix.RTM_DELLINK
	short := newLinkMessage(3, "wlan0", true)
	short.Data = short.Data[:sizeIfInfomsg-1]
	cut := newLinkMessage(3, "wlan0", true)
	cut.Data = cut.Data[:sizeIfInfomsg+6]
	for _, c := range []struct {
		name  string
		m     netlink.Message
		want  *linkMessage // nil: not about a link
		fails bool
	}{
		{name: "a link with its name, address and state", m: good,
			want: &linkMessage{index: 3, name: "wlan0", address: fakeAddress,
				addressed: true, up: true}},
		{name: "a link that is gone", m: gone,
			want: &linkMessage{gone: true, index: 3, name: "wlan0", address: fakeAddress,
				addressed: true}},
		{name: "a port that leaves its bridge is not gone", m: bridge},
		{name: "another kind of message",
			m: netlink.Message{Header: netlink.Header{Type: unix.RTM_NEWADDR}}},
		{name: "a message without its fixed part is an error", m: short, fails: true},
		{name: "a truncated attribute is an error", m: cut, fails: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, ok, err := parseLinkMessage(c.m)
			if (err != nil) != c.fails || ok != (c.want != nil) || ok && l != *c.want {
				t.Errorf("%+v, %v, %v", l, ok, err)
			}
		})
	}
}

func TestWatchRfkill(t *testing.T) {
	event := func(kind byte) []byte { return []byte{1, 0, 0, 0, kind, 2, 1, 0} }
	for _, c := range []struct {
		name   string
		events []byte
		want   int
	}{
		{name: "changes of Wi-Fi and of all radios count",
			events: slices.Concat(event(rfkillTypeWLAN), event(rfkillTypeAll)), want: 2},
		{name: "Bluetooth does not", events: event(2)},
		{name: "an event that is cut short ends it",
			events: slices.Concat(event(rfkillTypeWLAN), []byte{1, 2}), want: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := 0
			if err := watchRfkill(bytes.NewReader(c.events), func() { n++ }); err == nil ||
				n != c.want {
				t.Errorf("%d changes, %v", n, err)
			}
		})
	}
}

func TestBlockedDoesNotLeaveItsFolder(t *testing.T) {
	k := &fakeKernel{sysfs: t.TempDir()}
	k.block()
	r := rfkill{sysfs: k.sysfs}
	if !r.blocked(fakeName) {
		t.Error("the blocked radio is not blocked")
	}
	for _, name := range []string{"", ".", "..", "../net/" + fakeName, "other0"} {
		if r.blocked(name) {
			t.Errorf("%q is blocked", name)
		}
	}
}

func TestParseEvent(t *testing.T) {
	frame := encode(eapol("frame"))
	for _, c := range []struct {
		name    string
		command uint8
		attrs   []byte
		want    event
		ok      bool
	}{
		{
			name: "a frame with its source", command: eventFrame, attrs: frame, ok: true,
			want: event{command: eventFrame, mac: fakeBSSID, hasMAC: true, frame: []byte("frame"),
				etherType: unix.ETH_P_PAE},
		},
		{
			name:    "the frame of another event is left out",
			command: unix.NL80211_CMD_DEAUTHENTICATE, ok: true,
			attrs: encode(func(e *netlink.AttributeEncoder) {
				e.Bytes(unix.NL80211_ATTR_FRAME, make([]byte, 26))
			}),
			want: event{command: unix.NL80211_CMD_DEAUTHENTICATE},
		},
		{
			name: "a second frame in one event is left out", command: eventFrame, ok: true,
			attrs: encode(func(e *netlink.AttributeEncoder) {
				e.Bytes(unix.NL80211_ATTR_FRAME, []byte("one"))
				e.Bytes(unix.NL80211_ATTR_FRAME, []byte("two"))
			}),
			want: event{command: eventFrame, frame: []byte("one")},
		},
		{name: "a truncated event is none", command: eventFrame, attrs: frame[:len(frame)-5]},
		{
			name: "a reason of four bytes makes the event none", command: eventDisconnect,
			attrs: encode(func(e *netlink.AttributeEncoder) {
				e.Uint32(unix.NL80211_ATTR_REASON_CODE, 3)
			}),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, ok := parseEvent(c.command, c.attrs)
			if ok != c.ok || ok && !reflect.DeepEqual(e, c.want) {
				t.Errorf("%+v, %v", e, ok)
			}
		})
	}
}
