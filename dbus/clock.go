package dbus

import (
	"time"

	"golang.org/x/sys/unix"
)

// clock tells moments by CLOCK_MONOTONIC, which nobody sets: the wall clock of a computer without
// network is often wrong, and jumps as soon as the first network brings the time. Our timers go by
// the same clock, so the stamp of a deadline is when that is over. It is read once: the stamp of a
// moment is always the same.
type clock struct {
	wall      time.Time // with Go's own monotonic reading
	monotonic time.Duration
}

func newClock() clock {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return clock{} // no Linux is without it
	}
	return clock{wall: time.Now(), monotonic: time.Duration(now.Nano())}
}

// microseconds is a moment as clients get it: since the clock began, 0 for none.
func (c clock) microseconds(t time.Time) uint64 {
	if t.IsZero() || c.wall.IsZero() {
		return 0
	}
	return uint64(max((c.monotonic + t.Sub(c.wall)).Microseconds(), 1))
}
