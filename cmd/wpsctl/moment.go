package main

import (
	"time"

	"golang.org/x/sys/unix"
)

// moment reads a property with microseconds of CLOCK_MONOTONIC as a time that can be compared with
// time.Now, whatever became of the wall clock since wpsd told it. Zero: there is none.
func moment(p props, name string) time.Time {
	at := get[uint64](p, name)
	var now unix.Timespec
	if at == 0 || unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) != nil {
		return time.Time{}
	}
	const most = uint64(1<<63-1) / uint64(time.Microsecond)
	left := time.Duration(min(at, most))*time.Microsecond - time.Duration(now.Nano())
	return time.Now().Add(left)
}

// left is how much time a session has; 0: none, or there is no limit.
func (s session) left(now time.Time) time.Duration {
	end := s.ends
	if end.IsZero() { // of a wpsd that does not tell it
		end = s.Deadline
	}
	if end.IsZero() {
		return 0
	}
	return max(end.Sub(now), 0)
}
