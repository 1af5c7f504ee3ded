package nl80211

import (
	"slices"
	"testing"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"wpsd/drivers"
)

// TestListen: a scan of anybody's is told while somebody wants to know, and not before or after.
// Nothing is asked of the radio.
func TestListen(t *testing.T) {
	t.Parallel()
	k := &fakeKernel{}
	d := newFakeDriver(t, k)
	sockets := func() (open int) {
		k.set(func(k *fakeKernel) {
			for _, s := range k.sockets {
				select {
				case <-s.closed:
				default:
					open++
				}
			}
		})
		return open
	}
	if _, err := d.Interfaces(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := sockets()
	scanEvent := func(command uint8) { k.event(command, nil) }
	heard := func() {
		t.Helper()
		select {
		case scan := <-d.Heard():
			if scan.Interface != fakeName {
				t.Errorf("heard by %q", scan.Interface)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("nobody was told")
		}
	}
	silent := func(when string) {
		t.Helper()
		select {
		case scan := <-d.Heard():
			t.Errorf("%s: told of %+v", when, scan)
		default:
		}
	}
	scanEvent(unix.NL80211_CMD_NEW_SCAN_RESULTS)
	silent("before anybody listens")
	for range 2 { // a second time changes nothing
		if err := d.Listen(true); err != nil {
			t.Fatal(err)
		}
	}
	if sockets() != before+1 {
		t.Errorf("%d sockets, %d before", sockets(), before)
	}
	scanEvent(unix.NL80211_CMD_TRIGGER_SCAN) // one begins: there is nothing yet
	scanEvent(unix.NL80211_CMD_NEW_SCAN_RESULTS)
	heard()
	silent("a scan begins")
	scanEvent(unix.NL80211_CMD_SCAN_ABORTED)
	heard()
	if n := k.count(unix.NL80211_CMD_TRIGGER_SCAN); n != 0 {
		t.Errorf("we scanned %d times", n)
	}
	asked := k.count(unix.NL80211_CMD_GET_INTERFACE)
	for range 100 { // who does not read is not waited for
		scanEvent(unix.NL80211_CMD_NEW_SCAN_RESULTS)
	}
	heard()
	if n := k.count(unix.NL80211_CMD_GET_INTERFACE) - asked; n > 50 {
		t.Errorf("the interfaces were listed %d times for 100 scans at once", n)
	}
	if err := d.Listen(false); err != nil {
		t.Fatal(err)
	}
	for len(d.Heard()) > 0 {
		<-d.Heard()
	}
	if sockets() != before {
		t.Errorf("%d sockets afterwards, %d before", sockets(), before)
	}
	scanEvent(unix.NL80211_CMD_NEW_SCAN_RESULTS)
	silent("afterwards")
}

// scanned fills in the request that an event of a scan repeats.
func scanned(flags uint32, ssids []string, frequencies ...int) func(*netlink.AttributeEncoder) {
	return func(e *netlink.AttributeEncoder) {
		e.Nested(unix.NL80211_ATTR_SCAN_SSIDS, func(n *netlink.AttributeEncoder) error {
			for i, ssid := range ssids {
				n.Bytes(uint16(i), []byte(ssid))
			}
			return nil
		})
		e.Nested(unix.NL80211_ATTR_SCAN_FREQUENCIES, func(n *netlink.AttributeEncoder) error {
			for i, f := range frequencies {
				n.Uint32(uint16(i), uint32(f))
			}
			return nil
		})
		if flags != 0 {
			e.Uint32(unix.NL80211_ATTR_SCAN_FLAGS, flags)
		}
	}
}

func TestParseScanned(t *testing.T) {
	t.Parallel()
	both := []int{2412, 5180}
	for _, c := range []struct {
		name string
		fill func(*netlink.AttributeEncoder)
		want []int
	}{
		{"a scan that asks for everybody", scanned(0, []string{""}, both...), both},
		{"one that asks for a network and for everybody", scanned(0, []string{"home", ""}, both...),
			both},
		{"one that asks for networks alone", scanned(0, []string{"home", "DIRECT-"}, both...), nil},
		{"one that listens only", scanned(0, nil, both...), both},
		{"one that flushes, in no hurry, from another address",
			scanned(unix.NL80211_SCAN_FLAG_FLUSH|unix.NL80211_SCAN_FLAG_LOW_PRIORITY|
				unix.NL80211_SCAN_FLAG_RANDOM_ADDR, []string{""}, both...), both},
		{"one that is to be quick", scanned(unix.NL80211_SCAN_FLAG_LOW_SPAN, []string{""},
			both...), nil},
		{"one that lets others ask", scanned(
			unix.NL80211_SCAN_FLAG_OCE_PROBE_REQ_DEFERRAL_SUPPRESSION, nil, both...), nil},
		{"a measurement", func(e *netlink.AttributeEncoder) {
			scanned(0, nil, both...)(e)
			e.Uint16(unix.NL80211_ATTR_MEASUREMENT_DURATION, 20)
		}, nil},
		{"an event that does not tell whom it asked for", func(e *netlink.AttributeEncoder) {
			e.Bytes(unix.NL80211_ATTR_SCAN_FREQUENCIES, []byte{8, 0, 0, 0, 0x6c, 9, 0, 0})
		}, nil},
		{"a frequency of two bytes", func(e *netlink.AttributeEncoder) {
			scanned(0, nil)(e)
			e.Bytes(unix.NL80211_ATTR_SCAN_FREQUENCIES, []byte{6, 0, 0, 0, 0x6c, 9, 0, 0})
		}, nil},
		{"nothing", func(*netlink.AttributeEncoder) {}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := parseScanned(encode(c.fill)); !slices.Equal(got, c.want) {
				t.Errorf("%v, not %v", got, c.want)
			}
		})
	}
	if got := parseScanned([]byte{8, 0, 0}); got != nil {
		t.Errorf("out of a truncated event: %v", got)
	}
}

// TestWhereOthersLooked: an event of a scan's end tells where it was, and its beginning is that of
// the event of its beginning; there is none after a scan that was broken off, or events that were
// lost.
func TestWhereOthersLooked(t *testing.T) {
	t.Parallel()
	k := &fakeKernel{}
	d := newFakeDriver(t, k)
	if err := d.Listen(true); err != nil {
		t.Fatal(err)
	}
	const begin, end = unix.NL80211_CMD_TRIGGER_SCAN, unix.NL80211_CMD_NEW_SCAN_RESULTS
	ask := scanned(0, []string{""}, 2412)
	heard := func(commands ...uint8) drivers.HeardScan {
		t.Helper()
		for _, c := range commands {
			k.event(c, ask)
		}
		select {
		case scan := <-d.Heard():
			return scan
		case <-time.After(10 * time.Second):
			t.Fatal("nobody was told")
		}
		return drivers.HeardScan{}
	}
	if s := heard(end); !s.Began.IsZero() || s.Ended.IsZero() {
		t.Errorf("one that began before we listened: %+v", s)
	}
	before := time.Now()
	s := heard(begin, end)
	if s.Began.Before(before) || s.Ended.Before(s.Began) || !slices.Equal(s.Frequencies, []int{2412}) {
		t.Errorf("a scan: %+v", s)
	}
	if s := heard(begin, unix.NL80211_CMD_SCAN_ABORTED); s.Frequencies != nil {
		t.Errorf("one that was broken off: %+v", s)
	}
	if s := heard(end); !s.Began.IsZero() {
		t.Errorf("an end without its beginning: %+v", s)
	}
	if s := heard(unix.NL80211_CMD_SCHED_SCAN_RESULTS); s.Frequencies != nil {
		t.Errorf("what the radio does on its own: %+v", s)
	}
}
