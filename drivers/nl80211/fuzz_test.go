package nl80211

import (
	"bytes"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// FuzzScanResult feeds the parser of scan results. What comes out must be within the bounds, must
// be found in the input, and must not have cost more memory than a small multiple of it.
func FuzzScanResult(f *testing.F) {
	f.Add(bssAttrs(entry))
	f.Add(scanResult(fakeBSSID, 2412, "seed"))
	f.Add(bssAttrs(func(b *netlink.AttributeEncoder) {
		entry(b)
		b.Flag(unix.NL80211_BSS_PRESP_DATA, true)
		b.Uint64(unix.NL80211_BSS_TSF, 1)
		b.Uint64(unix.NL80211_BSS_BEACON_TSF, 1<<40)
		b.Bytes(unix.NL80211_BSS_INFORMATION_ELEMENTS, []byte{0, 0})
		b.Bytes(unix.NL80211_BSS_BEACON_IES, []byte{0, 1, 'b'})
		b.Int32(unix.NL80211_BSS_SIGNAL_MBM, -100)
	}))
	f.Fuzz(func(t *testing.T, attrs []byte) {
		const now = time.Hour
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		h, ok, err := parseScanResult(attrs, now, everything)
		runtime.ReadMemStats(&after)
		if cost := after.TotalAlloc - before.TotalAlloc; cost > uint64(16*len(attrs))+8<<10 {
			t.Errorf("%d bytes cost %d bytes of memory", len(attrs), cost)
		}
		if ok && err != nil {
			t.Errorf("ok and %v", err)
		}
		if !ok {
			return
		}
		if h.seen > now || len(h.IEs) > maxElements || len(h.BeaconIEs) > maxElements {
			t.Errorf("out of bounds: %+v", h)
		}
		if !bytes.Contains(attrs, h.IEs) || !bytes.Contains(attrs, h.BeaconIEs) ||
			!bytes.Contains(attrs, h.BSSID[:]) {
			t.Errorf("%+v is not in the input", h)
		}
		// Encoded again it is the same, as far as it was taken.
		again, ok, err := parseScanResult(appendHeard(h), now, everything)
		if !ok || err != nil || again.BSSID != h.BSSID || again.Frequency != h.Frequency ||
			again.Privacy != h.Privacy ||
			again.Signal != h.Signal || again.Associated != h.Associated ||
			!bytes.Equal(again.IEs, h.IEs) || !bytes.Equal(again.BeaconIEs, h.BeaconIEs) {
			t.Errorf("%+v became %+v, %v, %v", h, again, ok, err)
		}
	})
}

// appendHeard encodes an entry as the kernel would.
func appendHeard(h heard) []byte {
	return bssAttrs(func(b *netlink.AttributeEncoder) {
		b.Bytes(unix.NL80211_BSS_BSSID, h.BSSID[:])
		b.Uint32(unix.NL80211_BSS_FREQUENCY, uint32(h.Frequency))
		if h.Privacy {
			b.Uint16(unix.NL80211_BSS_CAPABILITY, capabilityPrivacy)
		}
		b.Int32(unix.NL80211_BSS_SIGNAL_MBM, int32(h.Signal*100))
		if h.Associated {
			b.Uint32(unix.NL80211_BSS_STATUS, unix.NL80211_BSS_STATUS_ASSOCIATED)
		}
		b.Bytes(unix.NL80211_BSS_INFORMATION_ELEMENTS, h.IEs)
		b.Bytes(unix.NL80211_BSS_BEACON_IES, h.BeaconIEs)
	})
}

// FuzzMessages feeds the parsers of everything else: none may panic, or keep more than its bounds.
func FuzzMessages(f *testing.F) {
	f.Add(uint8(eventFrame), encode(eapol("seed")))
	f.Add(uint8(eventConnect), encode(connected))
	f.Add(uint8(eventDisconnect), encode(disconnected(3, true)))
	f.Add(uint8(unix.NL80211_CMD_GET_WIPHY), new(fakeKernel).data(unix.NL80211_CMD_GET_WIPHY)[0])
	f.Add(uint8(unix.NL80211_CMD_GET_INTERFACE),
		new(fakeKernel).data(unix.NL80211_CMD_GET_INTERFACE)[0])
	f.Add(uint8(0), newLinkMessage(1, "wlan0", true).Data)
	f.Add(uint8(unix.NL80211_CMD_NEW_SCAN_RESULTS), encode(scanned(2, []string{"x", ""}, 2412)))
	f.Fuzz(func(t *testing.T, command uint8, attrs []byte) {
		if list := parseScanned(attrs); len(list) > maxScanned || len(list) > len(attrs)/8 {
			t.Errorf("%d frequencies out of %d bytes", len(list), len(attrs))
		}
		if e, ok := parseEvent(command, attrs); ok &&
			(len(e.frame) > maxFrame || !bytes.Contains(attrs, e.frame)) {
			t.Errorf("a frame of %d bytes", len(e.frame))
		}
		if n, ok, err := parseNetdev(attrs); ok && (err != nil || n.index == 0 || n.name == "") {
			t.Errorf("%+v, %v", n, err)
		}
		var c capabilities
		if err := c.decode(attrs); err == nil && len(c.channels) > len(attrs)/4 {
			t.Errorf("%d channels out of %d bytes", len(c.channels), len(attrs))
		}
		for _, kind := range []netlink.HeaderType{unix.RTM_NEWLINK, unix.RTM_DELLINK} {
			l, ok, err := parseLinkMessage(netlink.Message{Header: netlink.Header{Type: kind},
				Data: attrs})
			if ok && (err != nil || l.gone != (kind == unix.RTM_DELLINK)) {
				t.Errorf("%+v, %v", l, err)
			}
		}
		aboutNL80211(attrs)
	})
}

// BenchmarkScanResults reads dumps of so many access points: linear, until maxHeard bounds what is
// kept. What a kernel holds (cfg80211: 1,000 entries by default) bounds the dump.
func BenchmarkScanResults(b *testing.B) {
	for _, count := range []int{10, 100, 1000, 10000} {
		list := make([][]byte, count)
		for i := range list {
			list[i] = bssAttrs(func(e *netlink.AttributeEncoder) {
				e.Bytes(unix.NL80211_BSS_BSSID, []byte{2, 0, 0, byte(i >> 16), byte(i >> 8), byte(i)})
				e.Uint32(unix.NL80211_BSS_FREQUENCY, 2437)
				e.Int32(unix.NL80211_BSS_SIGNAL_MBM, -5000)
				e.Uint64(unix.NL80211_BSS_LAST_SEEN_BOOTTIME, 1)
				e.Bytes(unix.NL80211_BSS_INFORMATION_ELEMENTS, make([]byte, 400))
				e.Bytes(unix.NL80211_BSS_BEACON_IES, make([]byte, 300))
			})
		}
		b.Run(strconv.Itoa(count), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var heard newest
				for _, attrs := range list {
					h, ok, err := parseScanResult(attrs, time.Hour, everything)
					if !ok || err != nil {
						b.Fatal(ok, err)
					}
					heard.add(h.BSS)
				}
				if len(heard.all) != min(count, maxHeard) {
					b.Fatalf("%d of %d were kept", len(heard.all), count)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*count), "ns/BSS")
		})
	}
}
