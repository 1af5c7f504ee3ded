package hotspot

import (
	"time"

	"wpsd/drivers"
	"wpsd/engine/wsc"
	"wpsd/service/state"
)

const (
	// askingTime is how long a device is kept that is not heard any more: as long as a button is
	// pressed (WSC 2.0.8, 11.3: the walk time). What is told of one is as old as sightingPause.
	askingTime = 2 * time.Minute
	// maxAsking bounds how many are kept; of more the one that was heard longest ago goes.
	maxAsking = 32
)

// asking are the devices that ask to be let in. The goroutine of its Steering owns it.
type asking struct {
	devices map[wsc.MAC]state.AskingEnrollee
	expiry  *time.Timer // nil before the first
}

// expires receives when it is time to look who was not heard any more; nil: nobody is there.
func (a *asking) expires() <-chan time.Time {
	if a.expiry == nil {
		return nil
	}
	return a.expiry.C
}

// heard notes that a device asks. What one event leaves out an earlier one has said.
func (k *Steering) heard(d state.Enrollee, needed bool) {
	a, now := &k.asking, time.Now()
	old, known := a.devices[d.MAC]
	if !d.PasswordIDKnown && known {
		d.PasswordID, d.PasswordIDKnown = old.PasswordID, old.PasswordIDKnown
	}
	device := state.AskingEnrollee{Enrollee: d, PINNeeded: needed || old.PINNeeded, LastSeen: now}
	if a.devices == nil {
		a.devices = make(map[wsc.MAC]state.AskingEnrollee)
	}
	if !known && len(a.devices) >= maxAsking {
		k.forget(a.oldest().MAC)
	}
	a.devices[d.MAC] = device
	if known {
		k.room.hub.Sighted(k, state.EnrolleeChanged{Enrollee: device})
	} else {
		k.room.hub.Sighted(k, state.EnrolleeAdded{Enrollee: device})
	}
	k.awaitExpiry()
}

// oldest is the one that was heard longest ago.
func (a *asking) oldest() (oldest state.AskingEnrollee) {
	for _, d := range a.devices {
		if oldest.LastSeen.IsZero() || d.LastSeen.Before(oldest.LastSeen) {
			oldest = d
		}
	}
	return oldest
}

// awaitExpiry has expires receive when the oldest is to go. Without any nothing wakes us up.
func (k *Steering) awaitExpiry() {
	a := &k.asking
	if a.expiry != nil {
		a.expiry.Stop()
		a.expiry = nil
	}
	if len(a.devices) > 0 {
		a.expiry = time.NewTimer(time.Until(a.oldest().LastSeen.Add(askingTime)))
	}
}

// expire forgets who was not heard any more.
func (k *Steering) expire() {
	for mac, d := range k.asking.devices {
		if time.Since(d.LastSeen) >= askingTime {
			k.forget(mac)
		}
	}
	k.awaitExpiry()
}

// forget forgets a device, if it asks.
func (k *Steering) forget(mac wsc.MAC) {
	if d, known := k.asking.devices[mac]; known {
		delete(k.asking.devices, mac)
		k.room.hub.Forgotten(state.EnrolleeRemoved{Enrollee: d})
	}
}

// forgetAll forgets all, at the end of the connection.
func (k *Steering) forgetAll() {
	for mac := range k.asking.devices {
		k.forget(mac)
	}
	k.awaitExpiry()
}

// letIn forgets a device that asks no more, since it is in.
func (k *Steering) letIn(e drivers.APEvent) {
	if e.Kind == drivers.APEnrolled {
		k.forget(wsc.MAC(e.MAC))
		k.awaitExpiry()
	}
}
