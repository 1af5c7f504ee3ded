package hotspot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"wpsd/drivers"
	"wpsd/engine/wsc"
	"wpsd/service/ending"
	"wpsd/service/fence"
	"wpsd/service/outcome"
	"wpsd/service/session"
	"wpsd/service/state"
)

const (
	// announceAgain: an access point announces for 120 s that it waits for a PIN, and many devices
	// look for nothing else. As long as nobody has used the PIN it is given anew before that time
	// is over.
	announceAgain = 100 * time.Second
	// maxFirstHalves is how many runs with a wrong first half hostapd lets a PIN for everybody
	// survive: the first shows whoever was there that half, so that the second could show them the
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

// Admission is the procedure of a session in which an access point lets an Enrollee in. Its
// software speaks the protocol and is the Registrar; we say whom to let in, and listen. Its
// goroutine owns it.
type Admission struct {
	log      *slog.Logger
	session  *session.Running
	steering *Steering
	radio    chan struct{}
	session.Task
	mac    wsc.MAC   // the Enrollee's; zero: any
	active bool      // the access point has said that its button is pressed
	ran    bool      // a station has begun a run
	wrong  int       // runs with a wrong first half
	last   *runError // how the newest run failed
	events chan drivers.APEvent
}

// Admission makes the procedure of a session, and gives that its time and its first state. radio is
// held by whoever has the interface.
func (h *Hotspots) Admission(ses *session.Running, k *Steering, radio chan struct{},
	r session.StartRequest, t session.Task) *Admission {
	ses.State = state.StateExchanging
	if r.Timeout != 0 && t.Method == state.MethodPIN {
		ses.Deadline = ses.Started.Add(r.Timeout)
	}
	return &Admission{log: h.log, session: ses, steering: k, radio: radio, Task: t, mac: r.MAC}
}

// Run is the session's goroutine.
func (a *Admission) Run(ctx context.Context) {
	ses := a.session
	ses.LogStart()
	ctx, cancel := context.WithDeadlineCause(ctx, ses.Deadline, ending.ErrWalkTime)
	defer cancel()
	err := fence.Do(a.log, "a session at an access point", func() error { return a.admitOne(ctx) })
	outcome := ending.Ending{State: state.StateFailed, Reason: outcome.ReasonInternal, Err: err}
	_ = fence.Do(a.log, "the end of a session", func() error {
		outcome = a.outcome(err)
		return nil
	})
	a.Wipe()
	ses.End(outcome)
}

// admitOne lets one Enrollee in. The one before on this interface has withdrawn its grant by then.
func (a *Admission) admitOne(ctx context.Context) error {
	select {
	case a.radio <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-a.radio }()
	a.events = make(chan drivers.APEvent, 64)
	ap, release, err := a.steering.use(ctx, a.events)
	if err != nil {
		return causeOf(ctx, err)
	}
	defer release()
	err = fence.Do(a.log, "a session at an access point", func() error {
		if err := a.grant(ctx, ap); err != nil {
			return err
		}
		a.change(func(s *state.Session) { s.Detail.Granted = true })
		return a.follow(ctx, ap)
	})
	if err != nil && !leaveGranted(err) {
		a.withdraw(ctx, ap)
	}
	return causeOf(ctx, err)
}

// leaveGranted reports whether a grant is not taken back after a session that failed. After two
// buttons the access point lets nobody in until its button is pressed anew, and each device that
// comes until then hears why (configuration error 12); taking the grant back would end their runs
// before. Its own walk time ends it (hostapd 2.10).
func leaveGranted(err error) bool {
	return errors.Is(err, drivers.ErrUnreachable) || errors.Is(err, drivers.ErrOverlap)
}

// grant tells the access point whom to let in.
func (a *Admission) grant(ctx context.Context, ap drivers.AccessPoint) error {
	var err error
	switch a.Method {
	case state.MethodPBC:
		err = ap.AllowPBC(ctx)
	case state.MethodNFC:
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
func (a *Admission) withdraw(ctx context.Context, ap drivers.AccessPoint) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), withdrawTime)
	defer cancel()
	// Its events must not fill the way to us while we wait for its answer.
	taken := make(chan struct{})
	stop := make(chan struct{})
	go fence.Func(a.log, "the events of an access point", func() {
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
		a.log.Warn("the access point may let a device in still", "session",
			a.session.ID, "err", err)
	}
}

// revoke makes an access point forget a tag: hostapd keeps the newest of an id only, so the one in
// its place is nobody's.
func (a *Admission) revoke(ctx context.Context, ap drivers.AccessPoint) error {
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
func (a *Admission) follow(ctx context.Context, ap drivers.AccessPoint) error {
	var again <-chan time.Time
	if a.Method == state.MethodPIN {
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
func (a *Admission) heard(e drivers.APEvent) (done bool, err error) {
	ours := a.Method != state.MethodPBC || a.active
	switch e.Kind {
	case drivers.APPBCActive:
		a.active = true
	case drivers.APRunStarted:
		a.ran = true
		a.change(func(s *state.Session) { s.Peer, s.Message = wsc.MAC(e.MAC), 0 })
	case drivers.APEnrolled:
		a.change(func(s *state.Session) {
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
		if a.Method == state.MethodPBC && ours {
			return false, drivers.ErrOverlap
		}
	case drivers.APTimeout:
		// It tells the same when somebody else cancels a button.
		if a.Method == state.MethodPBC && ours && time.Until(a.session.Deadline) > 2*time.Second {
			return false, ending.ErrCanceledThere
		}
		if a.Method == state.MethodPBC && ours {
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
func (a *Admission) failed(e drivers.APEvent) error {
	run := &runError{message: wsc.MessageType(e.Message),
		configError: wsc.ConfigError(e.ConfigError)}
	if a.Method == state.MethodPIN && run.configError == wsc.ConfigErrorDevicePasswordAuthFailure {
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
	a.change(func(s *state.Session) {
		s.Message, s.ConfigError, s.Detail.PasswordHalf = run.message, run.configError, run.half
	})
	a.log.Debug("a run at the access point failed", "session", a.session.ID, "message",
		run.message.String(), "config_error", uint16(run.configError))
	// a token is used up by its first run
	if run.half == 2 || a.wrong >= maxFirstHalves || a.Method == state.MethodNFC {
		return run
	}
	return nil
}

func (a *Admission) change(alter func(*state.Session)) { a.session.Change(alter) }

// outcome says how the session ended. When its time is over, how the newest run failed says more
// than that.
func (a *Admission) outcome(err error) ending.Ending {
	if errors.Is(err, ending.ErrWalkTime) && a.last != nil {
		err = a.last
	}
	f := ending.Of(err, a.Method)
	if run, ok := errors.AsType[*runError](err); ok {
		f.ConfigError = run.configError
		f.Reason = map[int]outcome.Reason{0: outcome.ReasonRejected, 1: outcome.ReasonWrongPINFirst,
			2: outcome.ReasonWrongPINSecond}[run.half]
	}
	return f
}

// causeOf prefers the reason why ctx ended over the error that this led to.
func causeOf(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
