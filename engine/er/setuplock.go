package er

import (
	"time"
)

// Whether an access point refuses its own PIN (AP Setup Locked) is heard in two ways. Its events
// have a bit for it (WFAWLANConfig:1, APStatus), which hostapd never sets: its APStatus is always
// 1. And it answers M2 with a NACK 15 while it is locked, and with M3 while it is not (hostap
// behaviour). M8 is answered with 15, too, by one that shows its settings and takes no others: that
// one is not locked.

// setupLocked is the bit of APStatus.
const setupLocked = 0x10

// status takes the APStatus of an event. That the bit is not there means something only with a
// device that knows it.
func (r *Registrar) status(now time.Time, a *ap, status uint8) {
	locked := status&setupLocked != 0
	switch {
	case locked:
		a.saysLocked = true
	case !a.saysLocked:
		return
	}
	a.SetupLocked = locked
	if locked != a.toldLocked && a.changes.take(now, 8, 1) {
		a.toldLocked = locked
		r.changed(a)
	}
}

// locked takes what a run has shown, of which there are as many as users begin: so it is always
// told.
func (r *Registrar) locked(a *ap, locked bool) {
	a.SetupLocked = locked
	if locked != a.toldLocked {
		a.toldLocked = locked
		r.changed(a)
	}
}
