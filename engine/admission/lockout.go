package admission

import "time"

// Limits of wrong AP PINs (hostapd behaviour): each third failure locks the setup for twice as long
// as before, ten in a row until the AP PIN is set anew.
const (
	failuresToLock    = 3
	failuresForever   = 10
	firstLockDuration = 60 * time.Second
	maxLockDuration   = 365 * 24 * time.Hour
)

// Lockout protects an access point's own PIN from being guessed. The zero Lockout has seen no
// failure.
type Lockout struct {
	failures int // since the AP PIN was set
	inARow   int
	until    time.Time
	forever  bool
}

// Failed counts a wrong AP PIN and reports whether the setup is locked because of it.
func (l *Lockout) Failed(now time.Time) bool {
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

// Passed notes that the AP PIN was right.
func (l *Lockout) Passed() { l.inARow = 0 }

// Locked reports whether no AP PIN is taken now.
func (l *Lockout) Locked(now time.Time) bool { return l.forever || now.Before(l.until) }

// Ends is when the newest lock ends, or ended; zero: there was none, or it lasts until the AP PIN is
// set anew.
func (l *Lockout) Ends() time.Time {
	if l.forever {
		return time.Time{}
	}
	return l.until
}
