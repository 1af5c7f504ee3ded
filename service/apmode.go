package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wpsd/drivers"
	"wpsd/engine/wsc"
	"wpsd/service/ending"
	"wpsd/service/fence"
	"wpsd/service/session"
)

const (
	// announceAgain: an access point announces for 120 s that it waits for a PIN, and many devices
	// look for nothing else. As long as nobody has used the PIN it is given anew before that time
	// is over.
	announceAgain = 100 * time.Second
	// maxFirstHalves is how many runs with a wrong first half hostapd lets a PIN for everybody
	// survive: the first shows whoever was there that half, so that the second could show him the
	// other.
	maxFirstHalves = 2
	// withdrawTime bounds taking a grant back.
	withdrawTime = 15 * time.Second
)

// runError is how the last run at an access point failed.
type runError struct {
	message     wsc.MessageType // that it ended at
	configError wsc.ConfigError
	half        int // of the PIN that was wrong; 0: it was something else
}

func (e *runError) Error() string {
	return fmt.Sprintf("the run ended at %v with %v", e.message, e.configError)
}

// admission is the procedure of a session in which an access point lets an Enrollee in. Its
// software speaks the protocol and is the Registrar; we say whom to let in, and listen. Its
// goroutine owns it.
type admission struct {
	service  *Service
	session  *session.Running
	steering *steering
	session.Task
	mac    wsc.MAC   // the Enrollee's; zero: any
	active bool      // the access point has said that its button is pressed
	ran    bool      // a station has begun a run
	wrong  int       // runs with a wrong first half
	last   *runError // how the newest run failed
	events chan drivers.APEvent
}

// accessPoint finds an interface that is an access point which is steered. The caller holds mu.
func (s *Service) accessPoint(r StartRequest) (*iface, error) {
	i, err := s.inMode(r.Interface, drivers.ModeAP)
	switch {
	case err != nil:
		return nil, err
	case i.steering == nil:
		return nil, fmt.Errorf("%w: nobody steers access points here", ErrNotSupported)
	case !r.BSSID.IsZero():
		return nil, fmt.Errorf("%w: %s is an access point itself: name the device that is to join with mac, not with bssid", ErrInvalid, r.Interface)
	case r.MAC.IsMulticast():
		return nil, fmt.Errorf("%w: %s is not the address of a device", ErrInvalid, r.MAC)
	case r.Timeout < 0 || r.Timeout > session.MaxPINTimeout:
		return nil, fmt.Errorf("%w: a PIN may be good for 1 second to %d hours", ErrInvalid,
			int(session.MaxPINTimeout.Hours()))
	}
	return i, nil
}

// findAccessPoint is accessPoint for who does not hold mu.
func (s *Service) findAccessPoint(r StartRequest) (*iface, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accessPoint(r)
}

// newAdmission makes the procedure of a session, and gives that its time and its first state. The
// caller holds mu.
func newAdmission(s *Service, i *iface, ses *session.Running, r StartRequest, t session.Task) *admission {
	ses.State = StateExchanging
	if r.Timeout != 0 && t.Method == MethodPIN {
		ses.Deadline = ses.Started.Add(r.Timeout)
	}
	return &admission{service: s, session: ses, steering: i.steering, Task: t, mac: r.MAC}
}

// purposeFor says what StartPIN and StartPBC mean on an interface.
func (s *Service) purposeFor(ifname string) Purpose {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.interfaces[ifname]; i != nil && i.Mode == drivers.ModeAP {
		return PurposeAdmit
	}
	return PurposeEnroll
}

// purposeOf is purposeFor, unless the caller has said which of the two it may be; place refuses an
// interface of the other kind, while nobody can change it.
func (s *Service) purposeOf(r StartRequest) Purpose {
	if r.Purpose != "" {
		return r.Purpose
	}
	return s.purposeFor(r.Interface)
}

// run is the session's goroutine.
func (a *admission) run(ctx context.Context) {
	s, ses := a.service, a.session
	ses.LogStart()
	ctx, cancel := context.WithDeadlineCause(ctx, ses.Deadline, ending.ErrWalkTime)
	defer cancel()
	err := s.fence("a session at an access point", func() error { return a.admitOne(ctx) })
	outcome := ending.Ending{State: StateFailed, Reason: ReasonInternal, Err: err}
	_ = s.fenced("the end of a session", func() { outcome = a.outcome(err) })
	a.Wipe()
	ses.End(outcome)
}

// admitOne lets one Enrollee in. The one before on this interface has withdrawn its grant by then.
func (a *admission) admitOne(ctx context.Context) error {
	s := a.service
	radio := locked(&s.mu, func() chan struct{} { return s.radio(a.session.Interface) })
	select {
	case radio <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-radio }()
	a.events = make(chan drivers.APEvent, 64)
	ap, release, err := a.steering.use(ctx, a.events)
	if err != nil {
		return cause(ctx, err)
	}
	defer release()
	err = a.service.fence("a session at an access point", func() error {
		if err := a.grant(ctx, ap); err != nil {
			return err
		}
		a.change(func(s *Session) { s.Detail.Granted = true })
		return a.follow(ctx, ap)
	})
	if err != nil && !leaveGranted(err) {
		a.withdraw(ctx, ap)
	}
	return cause(ctx, err)
}

// leaveGranted reports whether a grant is not taken back after a session that failed. After two
// buttons the access point lets nobody in until its button is pressed anew, and each device that
// comes until then hears why (configuration error 12); taking the grant back would end their runs
// before. Its own walk time ends it (hostapd 2.10).
func leaveGranted(err error) bool {
	return errors.Is(err, drivers.ErrUnreachable) || errors.Is(err, drivers.ErrOverlap)
}

// grant tells the access point whom to let in.
func (a *admission) grant(ctx context.Context, ap drivers.AccessPoint) error {
	var err error
	switch a.Method {
	case MethodPBC:
		err = ap.AllowPBC(ctx)
	case MethodNFC:
		err = a.NFCGrant(ctx, ap)
	default:
		err = ap.AllowPIN(ctx, drivers.PINGrant{
			PIN: a.Password.Value, MAC: a.mac,
			Timeout: max(time.Until(a.session.Deadline), time.Second),
		})
	}
	if errors.Is(err, drivers.ErrRefused) {
		settings, settingsErr := ap.Settings(ctx)
		settings.Key.Wipe()
		if settingsErr == nil && !settings.WPS {
			return ending.ErrAPWithoutWPS
		}
	}
	return err
}

// withdraw takes the grant back, whatever ended the session.
func (a *admission) withdraw(ctx context.Context, ap drivers.AccessPoint) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), withdrawTime)
	defer cancel()
	// Its events must not fill the way to us while we wait for its answer.
	taken := make(chan struct{})
	stop := make(chan struct{})
	go fence.Func(a.service.log, "the events of an access point", func() {
		defer close(taken)
		for {
			select {
			case <-a.events:
			case <-stop:
				return
			}
		}
	}, nil)()
	err := errors.Join(a.revoke(ctx, ap), ap.Withdraw(ctx))
	close(stop)
	<-taken
	if err != nil {
		a.service.log.Warn("the access point may let a device in still", "session",
			a.session.ID, "err", err)
	}
}

// revoke makes an access point forget a tag: hostapd keeps the newest of an id only, so the one in
// its place is nobody's.
func (a *admission) revoke(ctx context.Context, ap drivers.AccessPoint) error {
	if a.NFCRevoke == nil {
		return nil
	}
	err := a.NFCRevoke(ctx, ap)
	if errors.Is(err, drivers.ErrNotSupported) || errors.Is(err, drivers.ErrRefused) {
		return nil // as it answered the tag itself
	}
	return err
}

// follow listens until an Enrollee was let in, or nobody will be.
func (a *admission) follow(ctx context.Context, ap drivers.AccessPoint) error {
	var again <-chan time.Time
	if a.Method == MethodPIN {
		ticker := time.NewTicker(announceAgain)
		defer ticker.Stop()
		again = ticker.C
	}
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-again:
			if a.ran {
				continue // to give it anew would give the run that saw half of it more tries
			}
			if err := a.grant(ctx, ap); err != nil {
				return err
			}
		case e := <-a.events:
			if done, err := a.heard(e); done || err != nil {
				return err
			}
		}
	}
}

// heard takes one event of the access point and reports whether that was it.
func (a *admission) heard(e drivers.APEvent) (done bool, err error) {
	ours := a.Method != MethodPBC || a.active
	switch e.Kind {
	case drivers.APPBCActive:
		a.active = true
	case drivers.APRunStarted:
		a.ran = true
		a.change(func(s *Session) { s.Peer, s.Message = wsc.MAC(e.MAC), 0 })
	case drivers.APEnrolled:
		a.change(func(s *Session) {
			s.Peer, s.Message, s.ConfigError, s.Detail.PasswordHalf = wsc.MAC(e.MAC), wsc.MsgDone,
				wsc.ConfigErrorNone, 0
			if uuid, err := wsc.ParseUUID(e.UUID); err == nil {
				s.PeerUUID = uuid
			}
		})
		return true, nil
	case drivers.APFailed:
		return false, a.failed(e)
	case drivers.APOverlap:
		if a.Method == MethodPBC && ours {
			return false, drivers.ErrOverlap
		}
	case drivers.APTimeout:
		// It tells the same when somebody else cancels a button.
		if a.Method == MethodPBC && ours && time.Until(a.session.Deadline) > 2*time.Second {
			return false, ending.ErrCanceledThere
		}
		if a.Method == MethodPBC && ours {
			return false, ending.ErrWalkTime
		}
	case drivers.APCanceled:
		if ours {
			return false, ending.ErrCanceledThere
		}
	case drivers.APGone, drivers.APBack:
		return false, ending.ErrAPGone
	default:
	}
	return false, nil
}

// failed takes a run that failed. The device may try again as long as the access point lets it, so
// the session goes on: but a PIN whose second half was tried is good no more.
func (a *admission) failed(e drivers.APEvent) error {
	run := &runError{message: wsc.MessageType(e.Message),
		configError: wsc.ConfigError(e.ConfigError)}
	if a.Method == MethodPIN && run.configError == wsc.ConfigErrorDevicePasswordAuthFailure {
		switch run.message {
		case wsc.MsgM4, wsc.MsgM5:
			run.half = 1
			a.wrong++
		case wsc.MsgM6, wsc.MsgM7:
			run.half = 2
		default:
		}
	}
	a.last = run
	a.change(func(s *Session) {
		s.Message, s.ConfigError, s.Detail.PasswordHalf = run.message, run.configError, run.half
	})
	a.service.log.Debug("a run at the access point failed", "session", a.session.ID, "message",
		run.message.String(), "config_error", uint16(run.configError))
	// a token is used up by its first run
	if run.half == 2 || a.wrong >= maxFirstHalves || a.Method == MethodNFC {
		return run
	}
	return nil
}

func (a *admission) change(alter func(*Session)) { a.session.Change(alter) }

// outcome says how the session ended. When its time is over, how the newest run failed says more
// than that.
func (a *admission) outcome(err error) ending.Ending {
	if errors.Is(err, ending.ErrWalkTime) && a.last != nil {
		err = a.last
	}
	f := ending.Of(err, a.Method)
	if run, ok := errors.AsType[*runError](err); ok {
		f.ConfigError = run.configError
		f.Reason = map[int]Reason{0: ReasonRejected, 1: ReasonWrongPINFirst,
			2: ReasonWrongPINSecond}[run.half]
	}
	return f
}
