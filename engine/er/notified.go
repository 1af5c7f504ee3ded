package er

import (
	"container/list"
	"slices"
	"strings"
	"time"

	"wpsd/engine/admission"
	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
)

const (
	// enrolleeTime is for how long a device is remembered after it was heard last, and doneTime
	// after it was let in (hostap behaviour, both).
	enrolleeTime = 300 * time.Second
	doneTime     = 10 * time.Second
	// maxEarly bounds the events that come before the answer to SUBSCRIBE.
	maxEarly = 4
)

// enrollee is a device that an access point heard.
type enrollee struct {
	Enrollee
	ap    *ap
	place *list.Element // in the list of all
	until time.Time
	nonce wsc.Nonce // of its latest M1
}

// Notified takes an event of an access point.
func (r *Registrar) Notified(now time.Time, n upnp.Notification) []Action {
	if !r.running {
		return nil
	}
	a := r.bySID[subscriber{n.From, n.SID}]
	if a == nil {
		r.keepEarly(n)
		return nil
	}
	r.seen(now, a)
	r.notified(now, a, n)
	r.pump(now, a)
	return r.done(now)
}

// keepEarly keeps an event that overtook the answer to SUBSCRIBE.
func (r *Registrar) keepEarly(n upnp.Notification) {
	h := r.hosts[n.From]
	if h == nil {
		return
	}
	for _, a := range h.aps {
		if a.busy != nil && a.busy.what == wantSubscribe && len(a.early) < maxEarly {
			a.early = append(a.early, n)
		}
	}
}

func (r *Registrar) notified(now time.Time, a *ap, n upnp.Notification) {
	if n.Err != nil {
		if a.nonsense++; a.nonsense >= maxNonsense {
			r.drop(now, a, "its events are of no use: "+n.Err.Error())
		}
		return
	}
	a.nonsense = 0
	if n.APStatus != nil {
		r.status(now, a, *n.APStatus)
	}
	// The first event of a subscription is an old one, or has an address of zeros (hostap
	// behaviour): a button pressed then may be pressed no more, and a station with an M1 in it does
	// not wait for an answer.
	if n.Event == nil || n.Event.MAC == [6]byte{} || wsc.MAC(n.Event.MAC).IsMulticast() {
		return
	}
	mac := wsc.MAC(n.Event.MAC)
	switch n.Event.Type {
	case upnp.EventProbe:
		r.probed(now, a, mac, n.Event.Message, n.Seq == 0)
	case upnp.EventMessage:
		r.message(now, a, mac, n.Event.Message, n.Seq == 0)
	}
}

// probed takes a Probe Request. What comes from the air proves nothing against the access point: it
// is ignored if it is malformed.
func (r *Registrar) probed(now time.Time, a *ap, mac wsc.MAC, data []byte, old bool) {
	p, err := wsc.ParseProbeRequest(data)
	if err != nil {
		return
	}
	if p.DevicePasswordID == wsc.PasswordIDPushButton && !old {
		r.pressed(now, a, p.Device.UUID)
	}
	if a.enrollees[mac] == nil && !r.mayAppear(now, a) {
		return
	}
	p.Device.MAC = mac
	e, isNew := r.enrolleeAt(now, a, mac)
	was := e.Enrollee
	if !e.M1 { // an M1 says more (hostap behaviour)
		e.Device, e.PasswordID = slim(p.Device), p.DevicePasswordID
	} else {
		e.PasswordID = p.DevicePasswordID // it may have been told to do something else since
	}
	switch {
	case isNew:
		r.tell(EnrolleeAdded{e.Enrollee})
	case (was.PasswordID != e.PasswordID || !sameDevice(&was.Device, &e.Device)) &&
		r.mayAppear(now, a):
		r.tell(EnrolleeChanged{e.Enrollee})
	default: // nothing new, or too often: who asks sees it
	}
}

// allowance is how many of something may come: a number at once, and so many each second. The zero
// allowance is full.
type allowance struct {
	left float64
	at   time.Time
}

func (l *allowance) take(now time.Time, burst, perSecond float64) bool {
	if l.at.IsZero() {
		l.left = burst
	}
	l.left, l.at = min(burst, l.left+now.Sub(l.at).Seconds()*perSecond), now
	if l.left < 1 {
		return false
	}
	l.left--
	return true
}

// mayAppear bounds how many devices appear or change only because they looked for access points, so
// that nobody who makes up addresses keeps all that are told of them busy. hostapd passes on five
// Probe Requests a second. Those that begin to enrol have an allowance of their own, which no real
// access point uses up: each takes seconds.
func (r *Registrar) mayAppear(now time.Time, a *ap) bool {
	return a.newcomers.take(now, maxAPEnrollees, 5) && r.newcomers.take(now, 512, 100)
}

// sameDevice compares what slim leaves.
func sameDevice(a, b *wsc.Device) bool {
	return a.UUID == b.UUID && a.DeviceName == b.DeviceName && a.Manufacturer == b.Manufacturer &&
		a.ModelName == b.ModelName &&
		a.ModelNumber == b.ModelNumber && a.SerialNumber == b.SerialNumber &&
		a.PrimaryDeviceType == b.PrimaryDeviceType &&
		a.ConfigMethods == b.ConfigMethods && a.RFBands == b.RFBands && a.Version2 == b.Version2
}

// pressed notes whose button is pressed, as far as this access point hears it.
func (r *Registrar) pressed(now time.Time, a *ap, uuid wsc.UUID) {
	if a.monitor == nil {
		a.monitor = new(admission.Monitor)
	}
	a.monitor.Heard(now, uuid)
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

// message takes a message of the Registration Protocol from a station. It begins a run, belongs to
// one, or is ignored.
func (r *Registrar) message(now time.Time, a *ap, mac wsc.MAC, data []byte, old bool) {
	kind, err := wsc.PeekMessageType(data)
	if err != nil {
		return
	}
	if kind != wsc.MsgM1 {
		if s := a.stations[mac]; s != nil {
			r.stationMessage(now, s, data)
		}
		return
	}
	m1, err := wsc.ParseM1(data)
	if err != nil {
		return
	}
	if !a.beginners.take(now, maxAPEnrollees, 10) || !r.beginners.take(now, 512, 100) {
		return
	}
	e, isNew := r.enrolleeAt(now, a, mac)
	again := e.M1 && e.nonce == m1.EnrolleeNonce
	e.Device, e.PasswordID, e.M1, e.nonce = slim(m1.Device), m1.DevicePasswordID, true,
		m1.EnrolleeNonce
	e.Device.MAC = mac
	switch {
	case isNew:
		r.tell(EnrolleeAdded{e.Enrollee})
	case !again:
		r.tell(EnrolleeChanged{e.Enrollee})
	}
	if !old {
		if m1.DevicePasswordID == wsc.PasswordIDPushButton {
			r.pressed(now, a, m1.UUID)
		}
		r.introducedStation(now, a, mac, m1, data)
	}
}

// enrolleeAt finds or makes the entry of a device, which was heard just now.
func (r *Registrar) enrolleeAt(now time.Time, a *ap, mac wsc.MAC) (e *enrollee, isNew bool) {
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
func (r *Registrar) enrolleeRoom(a *ap) {
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

func (r *Registrar) removeEnrollee(e *enrollee) {
	delete(e.ap.enrollees, e.MAC)
	r.enrollees.Remove(e.place)
	r.tell(EnrolleeRemoved{e.Enrollee})
}
