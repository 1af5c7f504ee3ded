package discovery

import (
	"time"

	"wpsd/engine/wsc"
)

// maxIgnored bounds the list: an attacker may show a new BSSID at every try.
const maxIgnored = 256

// Ignored are access points that failed and are left alone for a while, longer with each failure.
// Its zero value is an empty list. It is not safe for concurrent use.
type Ignored struct {
	failures map[wsc.MAC]failure
}

type failure struct {
	count int
	until time.Time
}

// Fail counts a failure of m and returns how long it is left alone.
func (l *Ignored) Fail(now time.Time, m wsc.MAC) time.Duration {
	if l.failures == nil {
		l.failures = make(map[wsc.MAC]failure)
	}
	f, known := l.failures[m]
	if !known && len(l.failures) >= maxIgnored {
		l.evict()
	}
	f.count++
	d := ignoreTime(f.count)
	f.until = now.Add(d)
	l.failures[m] = f
	return d
}

// ignoreTime is what wpa_supplicant does, by the number of failures.
func ignoreTime(count int) time.Duration {
	switch {
	case count <= 2:
		return 10 * time.Second
	case count == 3:
		return 60 * time.Second
	case count == 4:
		return 120 * time.Second
	case count == 5:
		return 600 * time.Second
	}
	return 1800 * time.Second
}

// Blocked reports whether m is to be left alone now.
func (l *Ignored) Blocked(now time.Time, m wsc.MAC) bool {
	f, ok := l.failures[m]
	return ok && now.Before(f.until)
}

// Until returns when m may be tried again; zero if it may be at any time.
func (l *Ignored) Until(m wsc.MAC) time.Time { return l.failures[m].until }

// Forget takes m off the list with its count: it succeeded, or shows now that it waits for us.
func (l *Ignored) Forget(m wsc.MAC) { delete(l.failures, m) }

// Clear takes all off the list, as a caller does when nobody is left to try.
func (l *Ignored) Clear() { clear(l.failures) }

// evict makes room by forgetting the one whose time ends first.
func (l *Ignored) evict() {
	var first wsc.MAC
	var until time.Time
	for m, f := range l.failures {
		if until.IsZero() || f.until.Before(until) {
			first, until = m, f.until
		}
	}
	delete(l.failures, first)
}
