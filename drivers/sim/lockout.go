package sim

import "time"

// Limits of wrong AP PINs (hostapd behaviour): each third failure locks the setup for twice as long
// as before, ten in a row until the AP PIN is set anew.
const (
	failuresToLock    = 3
	failuresForever   = 10
	firstLockDuration = 60 * time.Second
	maxLockDuration   = 365 * 24 * time.Hour
)

// lockout protects the AP PIN from being guessed.
type lockout struct {
	failures int // since the AP PIN was set
	inARow   int
	until    time.Time
	forever  bool
}

// failed counts a wrong AP PIN and reports whether the setup is locked because of it.
func (l *lockout) failed(now time.Time) bool {
	l.failures++
	l.inARow++
	if l.inARow >= failuresForever {
		l.forever = true
		return true
	}
	if l.failures < failuresToLock {
		return false
	}
	// The third failure and every further one lock; every further three double the time.
	d := firstLockDuration
	for range l.failures/failuresToLock - 1 {
		d = min(2*d, maxLockDuration)
	}
	l.until = now.Add(d)
	return true
}

// passed notes that the AP PIN was right.
func (l *lockout) passed() { l.inARow = 0 }

func (l *lockout) locked(now time.Time) bool { return l.forever || now.Before(l.until) }
