package er

import (
	"time"
)

// Whether an access point refuses its own PIN (AP Setup Locked) is heard in two ways. Its events
// have a bit for it (WFAWLANConfig:1, APStatus), which hostapd never sets: its APStatus is always
// 1. And it answers M2 with a NACK 15 while it is locked, and with M3 while it is not (hostap
// behaviour). M8 is answered with 15, too, by one that shows its settings and takes no others: that
// one is not locked.

// setupLock is what was said about the lock of an access point, besides AP.SetupLocked.
type setupLock struct {
	changes         allowance // that its events may bring
	publishedLocked bool      // SetupLocked as it was published last
	saysLocked      bool      // its APStatus has the bit
}

// setupLocked is the bit of APStatus.
const setupLocked = 0x10

// onAPStatus takes the APStatus of an event. That the bit is not there means something only with a
// device that knows it.
func (r *registry) onAPStatus(now time.Time, a *ap, status uint8) {
	locked := status&setupLocked != 0
	switch {
	case locked:
		a.saysLocked = true
	case !a.saysLocked:
		return
	}
	a.SetupLocked = locked
	if locked != a.publishedLocked && a.changes.allow(now, 8, 1) {
		a.publishedLocked = locked
		r.publishChange(a)
	}
}

// setLocked takes what a run has shown, of which there are as many as users begin: so it is always
// published.
func (r *registry) setLocked(a *ap, locked bool) {
	a.SetupLocked = locked
	if locked != a.publishedLocked {
		a.publishedLocked = locked
		r.publishChange(a)
	}
}
