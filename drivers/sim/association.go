package sim

import (
	"bytes"
	"time"

	"wpsd/drivers"
	"wpsd/engine"
	"wpsd/engine/eapol"
	"wpsd/engine/eapwsc"
	"wpsd/engine/ie"
	"wpsd/engine/wsc"
)

// Status codes (IEEE 802.11).
const statusInvalidElement = 40

// deauthDelay is how long after EAP-Failure an access point deauthenticates the station (hostapd).
const deauthDelay = 10 * time.Millisecond

// association is an access point's side of a link. Its goroutine, serve, owns the machine.
type association struct {
	ap          *AP
	link        *link
	personality Personality
	kick        chan uint16
	gone        <-chan struct{} // the access point was switched off
	// waitForStart: the station's request does not say that it speaks WPS 2.0, so the access point
	// waits for its EAPOL-Start (hostapd, in a network without 802.1X).
	waitForStart bool
	run          run // nil before the station has told its identity
}

// run is what an association is for. conclude is called once, when nothing more can happen in it.
type run interface {
	conclude(now time.Time)
}

// admit lets a station associate, or tells why not. found is false if there is no such BSS in
// range: nobody answers then.
func (w *World) admit(now time.Time, s *station, req drivers.AssociateRequest) (l *link,
	status uint16, found bool) {
	w.mu.Lock()
	ap, b := w.bss(req.BSSID)
	if ap != nil {
		ap.refresh(now)
	}
	// Like the kernel, which looks for a BSS that fits in all of this. A radio that was taken back
	// meanwhile gets no answer either.
	if ap == nil || b.Frequency != req.Frequency || !bytes.Equal(ap.ssid(b), req.SSID) ||
		ap.o.Personality.Deaf ||
		ap.net.security.privacy() != req.Privacy || s.r.Blocked || isClosed(s.ended) {
		w.mu.Unlock()
		return nil, 0, false
	}
	data, hasWSC := ie.WSC(req.IEs, nil)
	l = &link{s: s, bss: b, down: make(chan []byte, queueLength),
		up: make(chan []byte, queueLength), lost: make(chan struct{}), done: make(chan struct{})}
	a := &association{ap: ap, link: l, personality: ap.o.Personality, kick: make(chan uint16, 1),
		gone: ap.gone, waitForStart: true}
	if r, err := wsc.ParseAssociationRequest(data); hasWSC && err == nil {
		a.waitForStart = r.Version2 == 0
	}
	switch {
	case a.personality.RefuseStatus != 0:
		status = a.personality.RefuseStatus
	case ap.o.NoWPS && ap.net.security.privacy():
		status = statusInvalidElement // no RSN element, and no reason to do without
	}
	if status == 0 {
		s.r.link = l
		ap.associations[a] = struct{}{}
		ap.tell(Event{At: now, Kind: Associated, Station: s.r.MAC})
	}
	version := ap.o.Device.Version2
	w.mu.Unlock()
	a.traceAdmission(now, req, status, version)
	if status == 0 {
		go a.serve()
	}
	return l, status, true
}

// traceAdmission shows the association frames. The response has the access point's WSC element if
// the station came for WPS (WSC, "Association Response").
func (a *association) traceAdmission(now time.Time, req drivers.AssociateRequest, status uint16,
	version wsc.Version) {
	w, b, sta := a.ap.world, a.link.bss, a.link.s.r.MAC
	w.trace(Frame{At: now, Kind: AssociationRequest, From: sta, To: b.BSSID, Frequency: b.Frequency,
		Body: req.IEs})
	var answer []byte
	if !a.ap.o.NoWPS {
		r := wsc.AssociationResponse{ResponseType: wsc.ResponseAP, Version2: version}
		answer = ie.AppendWSC(nil, r.Append(nil))
	}
	w.trace(Frame{At: now, Kind: AssociationResponse, From: b.BSSID, To: sta,
		Frequency: b.Frequency, Status: status, Body: answer})
}

// machine is what speaks EAP with the station; nil: nobody does.
func (a *association) machine() engine.Machine {
	if a.personality.Silent || a.ap.o.NoWPS {
		return nil
	}
	server := eapwsc.NewServer(eapwsc.ServerConfig{Inner: a.inner,
		FragmentSize: a.ap.o.FragmentSize})
	return eapol.NewAuthenticator(eapol.AuthenticatorConfig{Inner: server,
		WaitForStart: a.waitForStart})
}

// inner begins the run that the station's identity asks for.
func (a *association) inner(identity string) engine.Machine {
	if a.run != nil {
		return nil // one run for each association
	}
	w := a.ap.world
	w.mu.Lock()
	a.ap.tell(Event{At: time.Now(), Kind: RunStarted, Station: a.link.s.r.MAC})
	w.mu.Unlock()
	switch identity {
	case eapwsc.IdentityEnrollee:
		return a.registrar()
	case eapwsc.IdentityRegistrar:
		return a.enrollee()
	}
	return nil
}

// serve is the association's goroutine. It ends with the link.
func (a *association) serve() {
	defer close(a.link.done)
	defer a.leave()
	m := a.machine()
	var step engine.Step
	if m != nil {
		step = m.Start(time.Now())
	}
	for a.act(m, step) {
		var due <-chan time.Time
		var timer *time.Timer
		if !step.Deadline.IsZero() {
			timer = time.NewTimer(time.Until(step.Deadline))
			due = timer.C
		}
		next, goOn := a.wait(m, due, step)
		if timer != nil {
			timer.Stop()
		}
		if !goOn {
			break
		}
		step = next
	}
	if m != nil {
		m.Abort(time.Now()) // has no effect on a machine that is done
	}
}

// wait waits for the next thing to happen and has the machine deal with it.
func (a *association) wait(m engine.Machine, due <-chan time.Time,
	last engine.Step) (engine.Step, bool) {
	select {
	case frame := <-a.link.up:
		if m == nil {
			return engine.Step{}, true
		}
		return a.handle(m, frame, last), true
	case <-due:
		return m.Timeout(time.Now()), true
	case reason := <-a.kick:
		a.deauthenticate(reason)
	case <-a.gone:
		a.vanish()
	case <-a.link.lost:
	}
	return engine.Step{}, false
}

// handle gives a frame of the station to the machine, unless the access point's personality mangles
// it.
func (a *association) handle(m engine.Machine, frame []byte, last engine.Step) engine.Step {
	frames := [][]byte{frame}
	if f := a.personality.FromStation; f != nil {
		frames = f(frame)
	}
	step := engine.Step{Deadline: last.Deadline}
	var send [][]byte
	for _, f := range frames {
		step = m.Handle(time.Now(), f)
		send = append(send, step.Send...)
		if step.Done {
			break
		}
	}
	step.Send = send
	return step
}

// act does what a Step says and reports whether there is anything to wait for.
func (a *association) act(m engine.Machine, step engine.Step) bool {
	if step.Done {
		a.concludeRun()
	}
	for _, frame := range step.Send {
		frames := [][]byte{frame}
		if f := a.personality.ToStation; f != nil {
			frames = f(frame)
		}
		for _, f := range frames {
			if !a.sleep(a.link.s.d.air(frameTime)) {
				return false
			}
			a.link.deliver(f)
		}
	}
	if a.leaving() {
		a.deauthenticate(reasonLeaving)
		return false
	}
	if !step.Done || a.personality.StayAfter {
		return true
	}
	if a.sleep(deauthDelay) {
		a.deauthenticate(reason8021X)
	}
	return false
}

// leaving reports whether the personality wants to go now.
func (a *association) leaving() bool {
	t, ok := a.run.(*tap)
	return ok && t.left
}

// sleep lets time pass unless the association ends meanwhile.
func (a *association) sleep(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-a.link.lost:
	case <-a.gone:
		a.vanish()
	}
	return false
}

// deauthenticate ends the association from the access point's side.
func (a *association) deauthenticate(reason uint16) {
	a.link.deauthentication(a.link.bss.BSSID, a.link.s.r.MAC, reason)
	a.link.sever(&drivers.LostError{Err: drivers.ErrLinkLost, Reason: reason, ByPeer: true})
}

// vanish is the access point switched off: the station notices when it misses beacons.
func (a *association) vanish() {
	t := time.NewTimer(beaconLoss)
	defer t.Stop()
	select {
	case <-t.C:
		a.link.sever(&drivers.LostError{Err: drivers.ErrLinkLost, Reason: reasonInactivity})
	case <-a.link.lost:
	}
}

// leave takes the association out of the access point's books.
func (a *association) leave() {
	a.concludeRun()
	a.link.sever(&drivers.LostError{Err: drivers.ErrLinkLost})
	w := a.ap.world
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(a.ap.associations, a)
	a.ap.tell(Event{At: time.Now(), Kind: Disassociated, Station: a.link.s.r.MAC})
}

func (a *association) concludeRun() {
	if a.run != nil {
		a.run.conclude(time.Now())
	}
}
