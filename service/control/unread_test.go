package control

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// TestWhoReadsAfterALookLosesNothing: that a client had something to read when there was a look for
// another one does not keep events from it once it has read; and who does not read causes no look
// with each event. Time is virtual: a look may be made again after some milliseconds.
func TestWhoReadsAfterALookLosesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, whoReadsAfterALook)
}

func whoReadsAfterALook(t *testing.T) {
	const room, unread = 1 << 20, 1 << 20 / shareOfAll
	for name, c := range map[string]struct {
		debtors int // of one user
		unread  int
	}{"its own share": {1, unread}, "the share of its user": {4, unread + 1}} {
		reader, deaf := recipientKey{"/reader", 1}, recipientKey{"/deaf", 2}
		waiting := map[string]bool{"/reader": true, "/deaf": true}
		looks := 0
		look := func() (map[string]bool, error) { looks++; return waiting, nil }
		var d debtors
		d.may(deaf, 1, room, look)
		d.sent(deaf, room/shareOfUser)
		for n := range c.debtors {
			key := recipientKey{fmt.Sprint("/also", n), reader.uid}
			waiting[key.address] = true
			d.sent(key, room/shareOfUser/c.debtors-2*skbOverhead)
		}
		if c.debtors == 1 {
			d.of = map[recipientKey]int{deaf: d.of[deaf], reader: room/shareOfClient - 1}
		}
		if d.may(deaf, c.unread, room, look); looks != 1 {
			t.Fatalf("%s: %d looks", name, looks)
		}
		d.sent(reader, 8*skbOverhead)
		for key := range d.of {
			waiting[key.address] = key == deaf
		}
		if d.looked = time.Now(); !d.may(reader, c.unread, room, look) {
			t.Errorf("%s: who has read everything gets nothing", name)
		}
		// As long as neither reads, one look is enough for each that comes to the limit.
		waiting["/reader"], looks = true, 0
		d.sent(reader, room/shareOfUser)
		for range 100 {
			d.looked = time.Now()
			if d.may(deaf, c.unread, room, look) || d.may(reader, c.unread, room, look) {
				t.Fatalf("%s: who does not read gets more", name)
			}
		}
		if looks > 1 {
			t.Errorf("%s: %d looks for two that do not read", name, looks)
		}
	}
}
