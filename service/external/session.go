package external

import (
	"errors"
	"fmt"
	"time"

	"wpsd/engine/er"
	"wpsd/engine/registration"
	"wpsd/engine/wsc"
	"wpsd/service/arrival"
	"wpsd/service/ending"
	"wpsd/service/fence"
	"wpsd/service/receive"
	"wpsd/service/session"
	"wpsd/service/state"
)

// keyPause is how long after a run, or once there is somebody for one, the key pair of the next is
// made: what the run brought is told first.
const keyPause = 250 * time.Millisecond

// tooManyERSessions reports whether as many run as may.
func (s *Registrars) tooManyERSessions() bool {
	return s.sessions.Running(true) >= MaxSessions
}

// addSession makes the session of a run that has begun.
func (e *externalRegistrar) addSession(now time.Time, run er.RunID, r Request,
	purpose state.Purpose,
	method state.Method) state.Session {
	s := e.room
	deadline := now.Add(session.WalkTime)
	if r.Timeout != 0 {
		deadline = now.Add(r.Timeout)
	}
	ses := s.sessions.Prepare(state.Session{
		Interface: e.ifname, Owner: r.Owner, User: r.User,
		Detached: r.Detach, Role: state.RoleExternalRegistrar, Purpose: purpose, Method: method,
		State: state.StateExchanging, Started: now, Deadline: deadline,
	})
	ses.By = e
	ses.Cancel = func(cause error) {
		if cause == nil {
			return
		}
		e.canceled.add(canceledRun{run, cause})
		select {
		case e.wake <- struct{}{}:
		default:
		}
	}
	e.runs[run] = &erRun{session: ses, deadline: deadline}
	ses.LogStart()
	return s.sessions.Add(ses)
}

// changed tells the newest message of a run.
func (e *externalRegistrar) changed(event er.RunChanged) {
	run := e.runs[event.Run]
	if run == nil {
		return
	}
	run.session.ChangeSoon(func(s *state.Session) {
		s.Peer, s.PeerUUID, s.Message = event.Peer, event.PeerUUID, event.Message
		e.at(s, event.AP)
	})
}

// at notes which access point a session deals with.
func (e *externalRegistrar) at(s *state.Session, ap er.APID) {
	if known, ok := e.room.published.ERAccessPoint(e.ifname, ap); ok {
		s.ERAP, s.ERAPUUID = ap, known.UUID
		s.Detail.FriendlyName = known.AP.Description.FriendlyName
		if known.AP.Addr.IsValid() {
			s.Detail.Address = known.AP.Addr.String()
		}
	}
}

// ended ends the session of a run.
func (e *externalRegistrar) ended(event er.RunEnded) {
	run := e.runs[event.Run]
	if run == nil {
		return
	}
	delete(e.runs, event.Run)
	e.keys.PrepareIn(keyPause)
	if tag := e.tags[event.Run]; tag != nil {
		delete(e.tags, event.Run)
		tag.End(event.Err == nil)
	}
	s, ses := e.room, run.session
	err := event.Err
	if run.cause != nil && (errors.Is(err, er.ErrCanceled) || errors.Is(err, er.ErrStopped)) {
		err = run.cause
	}
	e.noteEnd(ses, event)
	if event.Settings == nil || ses.Purpose == state.PurposeAdmit {
		if event.Settings != nil {
			event.Settings.Wipe()
		}
		e.finish(ses, err)
		return
	}
	// To store them can take a while, and others' events shall not wait for a disk. The end of this
	// External Registrar waits for it.
	e.tasks.Go(fence.Func(s.log, "taking settings", func() {
		e.finish(ses, e.takeSettings(ses, *event.Settings))
	}, func(err error) { e.finish(ses, err) }))
}

// noteEnd notes with whom a run was.
func (e *externalRegistrar) noteEnd(ses *session.Running, event er.RunEnded) {
	ses.Note(func(s *state.Session) {
		s.Peer, s.PeerUUID = event.Peer, event.PeerUUID
		e.at(s, event.AP)
		if event.Settings != nil {
			s.Detail.SSID = event.Settings.SSID
		}
	})
}

// finish tells the end of a session, which may be what kept the External Registrar running.
func (e *externalRegistrar) finish(ses *session.Running, err error) {
	s := e.room
	ses.End(ending.Of(err, ses.Method))
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.room.running[e.ifname] == e {
		e.stopUnwanted()
	}
}

// takeSettings stores the settings that an access point showed or took, and tells of them. It wipes
// them.
func (e *externalRegistrar) takeSettings(ses *session.Running, settings wsc.Credential) error {
	if ses.Purpose == state.PurposeConfigure {
		session.Strengthen(&settings)
	}
	from := receive.Origin{BSSID: ses.Peer, Source: string(ses.Purpose)}
	c, err := e.room.arrivals.Convert(ses.Interface, receive.FromSettings(settings), from.Own)
	if err != nil {
		err = fmt.Errorf("%w: %w", registration.ErrCredential, err)
	} else {
		err = e.room.arrivals.Take(arrival.Arrival{Session: ses, Credentials: c, From: from}).Err
	}
	if ses.Purpose == state.PurposeLearn && !errors.Is(err, registration.ErrCredential) {
		e.room.published.Publish(state.ERAPSettings{Session: ses.ID, Interface: ses.Interface,
			AccessPoint: ses.ERAP})
	}
	return err
}
