package dbus

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestStampsGoByTheMonotonicClock: what clients are told is what CLOCK_MONOTONIC says at that
// moment, and always the same for the same moment.
func TestStampsGoByTheMonotonicClock(t *testing.T) {
	t.Parallel()
	monotonic := func() uint64 {
		var now unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
			t.Fatal(err)
		}
		return uint64(now.Nano() / 1000)
	}
	c := newClock()
	before := monotonic()
	now := time.Now()
	after := monotonic()
	// newClock reads the two clocks one after the other
	const slack = uint64(time.Second / time.Microsecond)
	if at := c.microseconds(now); at+slack < before || at > after+slack {
		t.Errorf("now is %d, and lies between %d and %d", at, before, after)
	}
	if c.microseconds(now.Add(time.Minute))-c.microseconds(now) != 60_000_000 {
		t.Error("a minute has another length")
	}
	if c.microseconds(time.Time{}) != 0 {
		t.Error("no moment has a stamp")
	}
}
