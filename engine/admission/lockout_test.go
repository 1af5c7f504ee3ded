package admission

import (
	"testing"
	"time"
)

func TestLockout(t *testing.T) {
	t.Parallel()
	var l Lockout
	now := epoch
	// Ten failures with a success before the last: how long each locks, in minutes.
	for i, minutes := range []int{0, 0, 1, 1, 1, 2, 2, 2, 4} {
		l.Failed(now)
		if d := time.Duration(minutes) * time.Minute; l.Locked(now) != (d > 0) ||
			l.Locked(now.Add(d)) {
			t.Errorf("failure %d does not lock for %v", i+1, d)
		}
		now = now.Add(time.Hour)
	}
	l.Passed()
	l.Failed(now)
	if l.forever {
		t.Error("ten failures that are not in a row lock for ever")
	}
	for range 9 {
		l.Failed(now)
	}
	if !l.Locked(now.Add(100 * maxLockDuration)) {
		t.Error("ten failures in a row do not lock for ever")
	}
	l = Lockout{}
	for range 100 {
		l.Failed(now)
		l.Passed()
	}
	if d := l.until.Sub(now); d != maxLockDuration {
		t.Errorf("a hundred failures lock for %v", d)
	}
}
