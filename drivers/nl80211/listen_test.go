package nl80211

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
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
	scanned := func(command uint8) { k.event(command, nil) }
	heard := func() {
		t.Helper()
		select {
		case name := <-d.Heard():
			if name != fakeName {
				t.Errorf("heard by %q", name)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("nobody was told")
		}
	}
	silent := func(when string) {
		t.Helper()
		select {
		case name := <-d.Heard():
			t.Errorf("%s: told of %q", when, name)
		default:
		}
	}
	scanned(unix.NL80211_CMD_NEW_SCAN_RESULTS)
	silent("before anybody listens")
	for range 2 { // a second time changes nothing
		if err := d.Listen(true); err != nil {
			t.Fatal(err)
		}
	}
	if sockets() != before+1 {
		t.Errorf("%d sockets, %d before", sockets(), before)
	}
	scanned(unix.NL80211_CMD_TRIGGER_SCAN) // one begins: there is nothing yet
	scanned(unix.NL80211_CMD_NEW_SCAN_RESULTS)
	heard()
	silent("a scan begins")
	scanned(unix.NL80211_CMD_SCAN_ABORTED)
	heard()
	if n := k.count(unix.NL80211_CMD_TRIGGER_SCAN); n != 0 {
		t.Errorf("we scanned %d times", n)
	}
	for range 100 { // who does not read is not waited for
		scanned(unix.NL80211_CMD_NEW_SCAN_RESULTS)
	}
	heard()
	if err := d.Listen(false); err != nil {
		t.Fatal(err)
	}
	for len(d.Heard()) > 0 {
		<-d.Heard()
	}
	if sockets() != before {
		t.Errorf("%d sockets afterwards, %d before", sockets(), before)
	}
	scanned(unix.NL80211_CMD_NEW_SCAN_RESULTS)
	silent("afterwards")
}
