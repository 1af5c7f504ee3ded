package external

import (
	"time"

	"wpsd/engine/er"
	"wpsd/engine/upnp"
	"wpsd/service/ending"
	"wpsd/service/fence"
	"wpsd/service/session"
	"wpsd/service/state"
)

// perform does what the engine says, in this order.
func (e *externalRegistrar) perform(now time.Time, actions []er.Action) {
	for _, a := range actions {
		switch a := a.(type) {
		case er.Search:
			if err := e.point.Search(e.requests); err != nil {
				e.room.log.Debug("searching for access points", "interface",
					e.ifname, "err", err)
			}
		case er.Do:
			e.do(a)
		case er.Tell:
			e.tell(now, a.Event)
		}
	}
}

// do sends one request in a goroutine of its own, so that nobody waits for a device that is slow.
// The engine bounds how many there are.
func (e *externalRegistrar) do(a er.Do) {
	e.tasks.Go(func() {
		growStack(a.ID)
		var response upnp.Response
		err := fence.Do(e.room.log, "a request of the External Registrar", func() (err error) {
			response, err = e.point.Do(e.requests, a.Request)
			return err
		})
		e.room.log.Debug("request", "interface", e.ifname, "id", a.ID, "method",
			a.Request.Method, "to", a.Request.URL.Host,
			"action", a.Request.Header.Get("SOAPACTION"), "size", len(a.Request.Body), "status",
			response.Status, "answer", len(response.Body), "err", err)
		select {
		case e.replies <- erReply{a.ID, response, err}:
		case <-e.requests.Done():
		}
	})
}

// growStack makes room for a request on the stack of a new goroutine while there is hardly anything
// on it. It would grow twice on the way down otherwise, and be copied with all frames: a thirtieth
// of what a run costs.
//
//go:noinline
func growStack(n uint64) byte {
	var room [9 << 10]byte
	return room[n%uint64(len(room))]
}

// tell passes on an event of the engine.
func (e *externalRegistrar) tell(now time.Time, event er.Event) {
	switch event := event.(type) {
	case er.RunChanged:
		e.changed(event)
		return
	case er.RunEnded:
		learned := event.Settings != nil
		e.ended(event)
		if learned {
			e.admitAwaited(now)
		}
		return
	}
	s := e.room
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.room.running[e.ifname] != e {
		return // all are gone for subscribers
	}
	accessPoint := func(ap *er.AP) state.ERAccessPoint {
		return state.ERAccessPoint{Interface: e.ifname, AP: ap}
	}
	enrollee := func(d *er.Enrollee) state.EREnrollee {
		return state.EREnrollee{Interface: e.ifname, Enrollee: d}
	}
	switch event := event.(type) {
	case er.APAdded:
		s.published.Publish(state.ERAPAdded{AccessPoint: accessPoint(&event.AP)})
		e.keys.PrepareIn(keyPause)
	case er.APChanged:
		s.published.Publish(state.ERAPChanged{AccessPoint: accessPoint(&event.AP)})
	case er.APAsked:
		s.published.Publish(state.ERAPAsked{AccessPoint: accessPoint(&event.AP), Asked: event})
	case er.APRemoved:
		s.published.Publish(state.ERAPRemoved{AccessPoint: accessPoint(&event.AP),
			Reason: event.Reason.String()})
	case er.EnrolleeAdded:
		s.published.Publish(state.EREnrolleeAdded{Enrollee: enrollee(&event.Enrollee)})
	case er.EnrolleeChanged:
		s.published.Publish(state.EREnrolleeChanged{Enrollee: enrollee(&event.Enrollee)})
	case er.EnrolleeRemoved:
		s.published.Publish(state.EREnrolleeRemoved{Enrollee: enrollee(&event.Enrollee)})
	}
}

// admitAwaited lets the devices in whose tags waited for a network of this External Registrar. Its
// goroutine calls it.
func (e *externalRegistrar) admitAwaited(now time.Time) {
	s := e.room
	if s.hub.Asleep() || s.tooManyERSessions() {
		return // at the next network
	}
	for _, t := range s.tags.Awaited(e.ifname) {
		run, actions, err := e.registrar.AllowNFC(now,
			er.NFCGrant{Password: t.Password, KeyHash: &t.Hash, Timeout: session.WalkTime})
		t.Password.Wipe()
		if err != nil {
			s.log.Info("the device of an NFC tag cannot be let in", "interface", e.ifname, "id",
				uint16(t.Password.ID), "err", err)
			continue
		}
		r := Request{Interface: e.ifname, Owner: t.Owner, User: t.User,
			Detach: t.Detach}
		e.addSession(now, run, r, state.PurposeAdmit, state.MethodNFC)
		e.perform(now, actions)
	}
}

// cancelRuns ends the runs that somebody wants to end.
func (e *externalRegistrar) cancelRuns(now time.Time) {
	for _, c := range e.canceled.take() {
		e.cancelRun(now, c.run, c.cause)
	}
}

func (e *externalRegistrar) cancelRun(now time.Time, id er.RunID, cause error) {
	if run := e.runs[id]; run != nil {
		run.fail(cause)
		run.deadline = now.Add(session.WalkTime) // once is enough
		e.perform(now, e.registrar.Cancel(now, id))
	}
}

// expire ends the runs whose time is over. Those of Enrollees end on their own then.
func (e *externalRegistrar) expire(now time.Time) {
	for id, run := range e.runs {
		if !now.Before(run.deadline) {
			e.cancelRun(now, id, ending.ErrWalkTime)
		}
	}
}
