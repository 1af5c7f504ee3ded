package er

import (
	"time"

	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
)

// maxUnreadable is how many events in a row may be of no use.
const maxUnreadable = 16

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
	r.onEvent(now, a, n)
	r.pump(now, a)
	return r.done(now)
}

func (r *Registrar) onEvent(now time.Time, a *ap, n upnp.Notification) {
	if n.Err != nil {
		if a.unreadable++; a.unreadable >= maxUnreadable {
			r.drop(now, a, "its events are of no use: "+n.Err.Error())
		}
		return
	}
	a.unreadable = 0
	if n.APStatus != nil {
		r.onAPStatus(now, a, *n.APStatus)
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
		r.onProbe(now, a, mac, n.Event.Message, n.Seq == 0)
	case upnp.EventMessage:
		r.onMessage(now, a, mac, n.Event.Message, n.Seq == 0)
	}
}

// onProbe takes a Probe Request. What comes from the air proves nothing against the access point:
// it is ignored if it is malformed.
func (r *Registrar) onProbe(now time.Time, a *ap, mac wsc.MAC, data []byte, old bool) {
	p, err := wsc.ParseProbeRequest(data)
	if err != nil {
		return
	}
	if p.DevicePasswordID == wsc.PasswordIDPushButton && !old {
		a.pressed(now, p.Device.UUID)
	}
	if a.enrollees[mac] == nil && !r.mayAppear(now, &a.hearing) {
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
		r.publish(EnrolleeAdded{e.Enrollee})
	case (was.PasswordID != e.PasswordID || !sameDevice(&was.Device, &e.Device)) &&
		r.mayAppear(now, &a.hearing):
		r.publish(EnrolleeChanged{e.Enrollee})
	default: // nothing new, or too often: who asks sees it
	}
}

// onMessage takes a message of the Registration Protocol from a station. It begins a run, belongs
// to one, or is ignored.
func (r *Registrar) onMessage(now time.Time, a *ap, mac wsc.MAC, data []byte, old bool) {
	kind, err := wsc.PeekMessageType(data)
	if err != nil {
		return
	}
	if kind != wsc.MsgM1 {
		if s := a.stations[mac]; s != nil {
			r.onStationMessage(now, s, data)
		}
		return
	}
	m1, err := wsc.ParseM1(data)
	if err != nil {
		return
	}
	if !r.mayEnrol(now, &a.hearing) {
		return
	}
	e, isNew := r.enrolleeAt(now, a, mac)
	again := e.M1 && e.nonce == m1.EnrolleeNonce
	e.Device, e.PasswordID, e.M1, e.nonce = slim(m1.Device), m1.DevicePasswordID, true,
		m1.EnrolleeNonce
	e.Device.MAC = mac
	switch {
	case isNew:
		r.publish(EnrolleeAdded{e.Enrollee})
	case !again:
		r.publish(EnrolleeChanged{e.Enrollee})
	}
	if !old {
		if m1.DevicePasswordID == wsc.PasswordIDPushButton {
			a.pressed(now, m1.UUID)
		}
		r.onStationM1(now, a, mac, m1, data)
	}
}

// sameDevice compares what slim leaves.
func sameDevice(a, b *wsc.Device) bool {
	return a.UUID == b.UUID && a.DeviceName == b.DeviceName && a.Manufacturer == b.Manufacturer &&
		a.ModelName == b.ModelName &&
		a.ModelNumber == b.ModelNumber && a.SerialNumber == b.SerialNumber &&
		a.PrimaryDeviceType == b.PrimaryDeviceType &&
		a.ConfigMethods == b.ConfigMethods && a.RFBands == b.RFBands && a.Version2 == b.Version2
}
