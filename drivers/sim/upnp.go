package sim

import (
	"net/netip"
	"slices"
	"time"

	"wpsd/drivers/wfadevice"
	"wpsd/engine/admission"
	"wpsd/engine/registration"
	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
)

// maxUPnPRuns is how many Registrars may be at work on an access point at once; the oldest run goes
// (hostapd).
const maxUPnPRuns = 4

// Faults that an access point answers with.
func fault(action upnp.ActionName, code int, description string) error {
	return &upnp.Fault{Action: action, Status: 500, Code: code, Description: description}
}

// act does what an External Registrar asks for.
func (ap *AP) act(from netip.Addr, a upnp.Action) ([]byte, error) {
	now := time.Now()
	switch a.Name {
	case upnp.GetDeviceInfo:
		return ap.lan.begin(now, ap)
	case upnp.PutMessage:
		return ap.lan.put(now, a.Message)
	case upnp.PutWLANResponse:
		return nil, ap.respond(from, a)
	case upnp.SetSelectedRegistrar:
		return nil, ap.selectRegistrar(now, from, a.Message)
	}
	return nil, fault(a.Name, 401, "Invalid Action")
}

// upnpRun is a run in which a Registrar reads or changes the access point's settings over UPnP.
type upnpRun struct {
	tap      *tap
	enrollee *registration.Enrollee
	nonce    wsc.Nonce // of the Enrollee: which run a message is for
	deadline time.Time
}

// begin begins a run: the answer to GetDeviceInfo is M1. Without AP PIN there is nothing to begin
// (hostapd).
func (l *lan) begin(now time.Time, ap *AP) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.expire(now)
	ap.world.mu.Lock()
	m, err := ap.enrollee(now, ap.bsss[0])
	none := ap.apPIN.IsZero() && ap.nfc.own == nil
	quirks := ap.o.Personality
	ap.world.mu.Unlock()
	if err != nil || none {
		return nil, fault(upnp.GetDeviceInfo, 501, "Action Failed")
	}
	r := &upnpRun{enrollee: m}
	r.tap = &tap{inner: m, quirks: quirks, finish: func(now time.Time, t *tap) {
		if t.newest != wsc.MsgM1 { // else somebody only wanted to know what it says of itself
			ap.configured(now, t, m.Outcome(), wsc.MAC{})
		}
	}}
	step := r.tap.Start(now)
	r.deadline = step.Deadline
	if len(step.Send) == 0 {
		return nil, fault(upnp.GetDeviceInfo, 501, "Action Failed")
	}
	m1 := step.Send[0]
	r.nonce = nonceOf(m1)
	if len(l.runs) >= maxUPnPRuns {
		l.runs[0].tap.conclude(now)
		l.runs = slices.Delete(l.runs, 0, 1)
	}
	l.runs = append(l.runs, r)
	return m1, nil
}

// put takes a message of a run and gives the answer: none after the last message.
func (l *lan) put(now time.Time, message []byte) ([]byte, error) {
	kind, err := wsc.PeekMessageType(message)
	if err != nil {
		return nil, fault(upnp.PutMessage, 600, "Argument Value Invalid")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.expire(now)
	nonce := nonceOf(message)
	i := slices.IndexFunc(l.runs, func(r *upnpRun) bool { return r.nonce == nonce })
	switch {
	case i < 0 && kind == wsc.MsgNack:
		return nil, nil // the answer to ours, which was the end
	case i < 0:
		return nil, fault(upnp.PutMessage, 501, "Action Failed")
	}
	r := l.runs[i]
	step := r.tap.Handle(now, message)
	r.deadline = step.Deadline
	var answer []byte
	if len(step.Send) > 0 {
		answer = step.Send[0]
	}
	said, _ := wsc.PeekMessageType(answer)
	// Over UPnP nobody acknowledges WSC_Done: the run is over with it.
	if step.Done || said == wsc.MsgDone || kind == wsc.MsgNack {
		r.tap.conclude(now)
		l.runs = slices.Delete(l.runs, i, i+1)
	}
	return answer, nil
}

// expire ends runs whose Registrar fell silent. l.mu is held.
func (l *lan) expire(now time.Time) {
	l.runs = slices.DeleteFunc(l.runs, func(r *upnpRun) bool {
		if r.deadline.IsZero() || now.Before(r.deadline) {
			return false
		}
		r.tap.Timeout(now)
		r.tap.conclude(now)
		return true
	})
}

// forget ends all runs, as a cut cable does.
func (l *lan) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.runs {
		r.tap.conclude(time.Now())
	}
	l.runs = nil
}

// nonceOf is the Enrollee Nonce of a message.
func nonceOf(message []byte) (n wsc.Nonce) {
	for a, v := range wsc.Attributes(message) {
		if a == wsc.AttrEnrolleeNonce && len(v) == len(n) {
			n = wsc.Nonce(v)
		}
	}
	return n
}

// selectRegistrar has the beacons say that an External Registrar waits for somebody. Only one with
// a subscription may: else nobody would tell when it is gone.
func (ap *AP) selectRegistrar(now time.Time, from netip.Addr, message []byte) error {
	s, err := wsc.ParseSelectedRegistrar(message)
	if err != nil {
		return fault(upnp.SetSelectedRegistrar, 600, "Argument Value Invalid")
	}
	ap.world.mu.Lock()
	defer ap.world.mu.Unlock()
	ap.refresh(now)
	l := &ap.lan
	if l.device == nil || !slices.ContainsFunc(l.device.Subscribers(),
		func(s wfadevice.Subscriber) bool { return s.From == from }) {
		return fault(upnp.SetSelectedRegistrar, 501, "Action Failed")
	}
	l.deselect(from)
	kind := RegistrarDeselected
	if s.Selected {
		kind = RegistrarSelected
		l.selected = append(l.selected, selectedRegistrar{*s, from, now.Add(admission.WalkTime)})
	}
	ap.tell(Event{At: now, Kind: kind, UUID: s.UUID})
	return nil
}

// respond gives an External Registrar's message to the station that it is for.
func (ap *AP) respond(from netip.Addr, a upnp.Action) error {
	ap.world.mu.Lock()
	defer ap.world.mu.Unlock()
	for _, p := range ap.lan.proxies {
		if p.station == a.MAC && a.Type == upnp.EventMessage && p.take(from, a.Message) {
			return nil
		}
	}
	return fault(a.Name, 501, "Action Failed")
}
