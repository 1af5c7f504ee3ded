package external

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wpsd/engine/devpass"
	"wpsd/engine/er"
	"wpsd/engine/registration"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/ending"
	"wpsd/service/fence"
	"wpsd/service/receive"
	"wpsd/service/session"
	"wpsd/service/state"
)

// maxERSessions bounds how many sessions of External Registrars run at once, beside maxSessions of
// the others: a PIN may be good for a day, and shall not keep this machine from joining a network.
const MaxSessions = 64

// ERRequest says what an External Registrar is to do, with whom and for whom.
type Request struct {
	Interface string
	// ERLearn, ERConfigure: the access point; EREnrollPIN, EREnrollPBC: the only one that may let
	// the Enrollee in, or any
	AP       Peer
	Enrollee Peer // EREnrollPIN, EREnrollPBC: the device, or any
	// PIN is the access point's for ERLearn and ERConfigure, the Enrollee's for EREnrollPIN. It is
	// copied.
	PIN   secret.Value
	Force bool // the PIN is used even if its check digit is wrong
	// NFC, for ERLearn and ERConfigure, uses the password of the access point's tag instead, which
	// NFCTagRead took.
	NFC bool
	// MAC, for EREnrollPIN, is the address of an Enrollee that is named by its UUID or not at all;
	// zero: not known. With it, access points say that they wait for this device.
	MAC     wsc.MAC
	Timeout time.Duration // EREnrollPIN: how long the PIN is good for; 0: two minutes
	Owner   string        // opaque; see ReleaseOwner
	User    string        // opaque: whose process the owner is
	Detach  bool          // the session outlives its owner
	// empty, ApplyAuto or ApplyNone: a learned network is stored, and handed to nobody
	Apply string
}

// keyPause is how long after a run, or once there is somebody for one, the key pair of the next is
// made: what the run brought is told first.
const keyPause = 250 * time.Millisecond

// erRun is a run of the engine and its session.
type erRun struct {
	session  *session.Running
	deadline time.Time
	cause    error // why we ended it; nil: we have not
}

// fail notes why we end a run. The first cause counts.
func (r *erRun) fail(cause error) {
	if r.cause == nil {
		r.cause = cause
	}
}

// canceledRun is a run that is to end.
type canceledRun struct {
	run   er.RunID
	cause error
}

// ERLearn begins to read the settings of an access point with its own PIN. They are stored as a
// network, and what its Enrollees are given from now on.
func (s *Registrars) ERLearn(ctx context.Context, r Request) (state.Session, error) {
	return s.erRegister(ctx, r, state.PurposeLearn,
		func(e *externalRegistrar, now time.Time, ap er.APID, p erProof) (er.RunID,
			[]er.Action, error) {
			if p.tag != nil {
				return e.registrar.LearnByTag(now, ap, p.tag.find)
			}
			return e.registrar.Learn(now, ap, p.pin)
		})
}

// ERConfigure begins to give an access point new settings, with its own PIN; when it took them,
// they are stored as a network, and what its Enrollees are given from now on. The key of settings
// is copied.
func (s *Registrars) ERConfigure(ctx context.Context, r Request,
	settings session.Settings) (state.Session, error) {
	if err := settings.Check(); err != nil {
		return state.Session{}, err
	}
	c := settings.Credential()
	defer c.Wipe()
	return s.erRegister(ctx, r, state.PurposeConfigure,
		func(e *externalRegistrar, now time.Time, ap er.APID, p erProof) (er.RunID,
			[]er.Action, error) {
			if p.tag != nil {
				return e.registrar.ConfigureByTag(now, ap, p.tag.find, c)
			}
			return e.registrar.Configure(now, ap, p.pin, c)
		})
}

// erRegister is what learning and configuring have in common.
func (s *Registrars) erRegister(ctx context.Context, r Request, purpose state.Purpose,
	begin func(*externalRegistrar, time.Time, er.APID, erProof) (er.RunID, []er.Action, error)) (
	state.Session, error) {
	r.Timeout = 0
	var proof erProof
	method := state.MethodPIN
	if r.NFC {
		if !s.tags.HasTokens() {
			return state.Session{},
				fmt.Errorf("%w: read the access point's tag first", state.ErrNoToken)
		}
		method, proof.tag = state.MethodNFC, &erTag{room: s}
	} else {
		pin, err := session.ReadPIN(r.PIN, r.Force)
		if err != nil {
			return state.Session{}, err
		}
		proof.pin = devpass.FromPIN(pin)
		defer proof.pin.Wipe()
	}
	return s.erSession(ctx, r, purpose, method,
		func(e *externalRegistrar, now time.Time) (er.RunID, []er.Action, error) {
			ap, err := e.findAP(r.AP)
			if err != nil {
				return 0, nil, err
			}
			run, actions, err := begin(e, now, ap.ID, proof)
			if err == nil && proof.tag != nil {
				e.tags[run] = proof.tag
			}
			return run, actions, err
		})
}

// EREnrollPIN lets one Enrollee in whose PIN it is.
func (s *Registrars) EREnrollPIN(ctx context.Context, r Request) (state.Session, error) {
	if r.Timeout == 0 {
		r.Timeout = session.WalkTime
	}
	if r.Timeout < 0 || r.Timeout > session.MaxPINTimeout {
		return state.Session{},
			fmt.Errorf("%w: a PIN may be good for 1 second to %d hours", state.ErrInvalid,
				int(session.MaxPINTimeout.Hours()))
	}
	mac := r.Enrollee.MAC
	switch {
	case r.Enrollee.IP.IsValid():
		return state.Session{}, fmt.Errorf("%w: %s can be an access point, not the device that is to be let in: name that by its UUID or its MAC address", state.ErrInvalid, r.Enrollee)
	case r.MAC.IsMulticast():
		return state.Session{},
			fmt.Errorf("%w: %s is not the address of a device", state.ErrInvalid, r.MAC)
	case mac.IsZero():
		mac = r.MAC
	case !r.MAC.IsZero() && r.MAC != mac:
		return state.Session{}, fmt.Errorf("%w: the device cannot be both %s and %s",
			state.ErrInvalid, mac, r.MAC)
	}
	pin, err := session.ReadPIN(r.PIN, r.Force)
	if err != nil {
		return state.Session{}, err
	}
	defer pin.Wipe()
	return s.erSession(ctx, r, state.PurposeAdmit, state.MethodPIN,
		func(e *externalRegistrar, now time.Time) (er.RunID, []er.Action, error) {
			ap, err := e.findAny(r.AP)
			if err != nil {
				return 0, nil, err
			}
			return e.registrar.AllowPIN(now,
				er.PINGrant{PIN: pin, UUID: r.Enrollee.UUID, MAC: mac, AP: ap, Timeout: r.Timeout})
		})
}

// EREnrollPBC lets one Enrollee in that has its button pressed, or presses it within two minutes.
// Instead of the Enrollee an access point may be named: then whoever presses his button there is
// let in.
func (s *Registrars) EREnrollPBC(ctx context.Context, r Request) (state.Session, error) {
	r.Timeout = 0
	return s.erSession(ctx, r, state.PurposeAdmit, state.MethodPBC,
		func(e *externalRegistrar, now time.Time) (er.RunID, []er.Action, error) {
			ap, err := e.findAny(r.AP)
			if err != nil {
				return 0, nil, err
			}
			grant := er.PBCGrant{AP: ap, UUID: r.Enrollee.UUID, MAC: r.Enrollee.MAC}
			if ap == 0 && !r.Enrollee.IsAny() {
				switch named, err := e.findAP(r.Enrollee); {
				case err == nil:
					grant = er.PBCGrant{AP: named.ID} // not a device, but whose button is meant
				case errors.Is(err, state.ErrERAmbiguous), r.Enrollee.IP.IsValid():
					return 0, nil, err
				}
			}
			return e.registrar.AllowPBC(now, grant)
		})
}

// erSession makes a session of a run that begin starts. begin runs in the goroutine of the External
// Registrar.
func (s *Registrars) erSession(ctx context.Context, r Request, purpose state.Purpose,
	method state.Method,
	begin func(*externalRegistrar, time.Time) (er.RunID, []er.Action, error)) (
	state.Session, error) {
	if r.Apply != "" && r.Apply != session.ApplyAuto && r.Apply != session.ApplyNone {
		return state.Session{}, fmt.Errorf("%w: the External Registrar hands a network to nobody: use auto or none", state.ErrNotSupported)
	}
	var snapshot state.Session
	err := s.askER(ctx, r.Interface, func(e *externalRegistrar, now time.Time) error {
		if s.hub.Asleep() {
			return state.ErrSuspended
		}
		if s.tooManyERSessions() {
			return state.ErrTooMany
		}
		run, actions, err := begin(e, now)
		if err != nil {
			return erError(err)
		}
		snapshot = e.addSession(now, run, r, purpose, method)
		e.perform(now, actions)
		return nil
	})
	return snapshot, err
}

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
	switch event := event.(type) {
	case er.APAdded:
		s.published.Publish(state.ERAPAdded{AccessPoint: state.ERAccessPoint{Interface: e.ifname,
			AP: &event.AP}})
		e.keys.PrepareIn(keyPause)
	case er.APChanged:
		s.published.Publish(state.ERAPChanged{AccessPoint: state.ERAccessPoint{Interface: e.ifname,
			AP: &event.AP}})
	case er.APAsked:
		s.published.Publish(state.ERAPAsked{AccessPoint: state.ERAccessPoint{Interface: e.ifname,
			AP: &event.AP}, Asked: event})
	case er.APRemoved:
		s.published.Publish(state.ERAPRemoved{AccessPoint: state.ERAccessPoint{Interface: e.ifname,
			AP: &event.AP}, Reason: event.Reason.String()})
	case er.EnrolleeAdded:
		s.published.Publish(state.EREnrolleeAdded{Enrollee: state.EREnrollee{Interface: e.ifname,
			Enrollee: event.Enrollee}})
	case er.EnrolleeChanged:
		s.published.Publish(state.EREnrolleeChanged{Enrollee: state.EREnrollee{Interface: e.ifname,
			Enrollee: event.Enrollee}})
	case er.EnrolleeRemoved:
		s.published.Publish(state.EREnrolleeRemoved{Enrollee: state.EREnrollee{Interface: e.ifname,
			Enrollee: event.Enrollee}})
	}
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
		s.Detail.Address = known.AP.Addr.String()
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
		tag.over(event.Err == nil)
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
	err := e.room.hub.Arrived(ses, receive.FromSettings(settings),
		receive.Origin{BSSID: ses.Peer, Source: string(ses.Purpose)})
	if ses.Purpose == state.PurposeLearn && !errors.Is(err, registration.ErrCredential) {
		e.room.published.Publish(state.ERAPSettings{Session: ses.ID, Interface: ses.Interface,
			AccessPoint: ses.ERAP})
	}
	return err
}
