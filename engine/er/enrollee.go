package er

import (
	"container/list"
	"slices"
	"strings"
	"time"

	"wpsd/engine/admission"
	"wpsd/engine/wsc"
)

const (
	// enrolleeTime is for how long a device is remembered after it was heard last, and doneTime
	// after it was let in (hostap behaviour, both).
	enrolleeTime = 300 * time.Second
	doneTime     = 10 * time.Second
)

// hearing is what an access point hears from the air, and what is done with that. It is bounded,
// since somebody has to listen.
type hearing struct {
	enrollees map[wsc.MAC]*enrollee
	stations  map[wsc.MAC]*station // the runs with some of them
	monitor   *admission.Monitor   // whose buttons are pressed; nil: nobody's
	newcomers allowance            // devices that look for access points
	beginners allowance            // devices that begin to enrol
}

// enrollee is a device that an access point heard.
type enrollee struct {
	Enrollee
	ap    *ap
	place *list.Element // in the list of all
	until time.Time
	nonce wsc.Nonce // of its latest M1
}

// pressed notes whose button is pressed, as far as this access point hears it.
func (h *hearing) pressed(now time.Time, uuid wsc.UUID) {
	if h.monitor == nil {
		h.monitor = new(admission.Monitor)
	}
	h.monitor.Heard(now, uuid)
}

// overlap reports whether an access point hears two pressed buttons.
func (a *ap) overlap(now time.Time) bool {
	if a.monitor == nil {
		return false
	}
	if a.monitor.Silent(now) {
		a.monitor = nil
		return false
	}
	return a.monitor.Overlap(now)
}

// enrolleeAt finds or makes the entry of a device, which was heard just now.
func (r *registry) enrolleeAt(now time.Time, a *ap, mac wsc.MAC) (e *enrollee, isNew bool) {
	e = a.enrollees[mac]
	if e == nil {
		r.enrolleeRoom(a)
		if a.enrollees == nil {
			a.enrollees = make(map[wsc.MAC]*enrollee)
		}
		e = &enrollee{ap: a, Enrollee: Enrollee{AP: a.ID, APUUID: a.UUID, MAC: mac}}
		a.enrollees[mac] = e
		e.place = r.enrollees.PushBack(e)
		isNew = true
	}
	e.LastSeen, e.until = now, now.Add(enrolleeTime)
	r.enrollees.MoveToBack(e.place)
	return e, isNew
}

// enrolleeRoom makes room for one more: of the same access point, or of all.
func (r *registry) enrolleeRoom(a *ap) {
	if len(a.enrollees) >= maxAPEnrollees {
		r.removeEnrollee(a.longestSilent())
	}
	if r.enrollees.Len() >= maxEnrollees {
		oldest := r.enrollees.Front().Value.(*enrollee)
		r.removeEnrollee(oldest)
		r.arm(oldest.ap)
	}
}

// longestSilent finds the device of an access point that was not heard for the longest time.
func (a *ap) longestSilent() (oldest *enrollee) {
	for _, e := range a.enrollees {
		if oldest == nil || e.LastSeen.Before(oldest.LastSeen) {
			oldest = e
		}
	}
	return oldest
}

// enrolleesInOrder gives the devices of an access point, the longest silent first.
func (a *ap) enrolleesInOrder() []*enrollee {
	all := make([]*enrollee, 0, len(a.enrollees))
	for _, e := range a.enrollees {
		all = append(all, e)
	}
	slices.SortFunc(all, func(x, y *enrollee) int {
		if c := x.LastSeen.Compare(y.LastSeen); c != 0 {
			return c
		}
		return strings.Compare(string(x.MAC[:]), string(y.MAC[:]))
	})
	return all
}

func (r *registry) removeEnrollee(e *enrollee) {
	delete(e.ap.enrollees, e.MAC)
	r.enrollees.Remove(e.place)
	r.publish(EnrolleeRemoved{e.Enrollee})
}
