package station

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"wpsd/drivers"
	"wpsd/engine/credential"
	"wpsd/engine/ie"
	"wpsd/engine/registration"
	"wpsd/engine/wsc"
	"wpsd/engine/wsccrypto"
	"wpsd/service/ending"
	"wpsd/service/fence"
	"wpsd/service/keypair"
	"wpsd/service/lending"
	"wpsd/service/outcome"
	"wpsd/service/radio"
	"wpsd/service/search"
	"wpsd/service/state"
)

const (
	// associateTime bounds one association, attemptTime one run with one access point: one that
	// never gets anywhere must not use up the walk time of the others.
	associateTime = 10 * time.Second
	attemptTime   = 60 * time.Second
	// beginTime is how long an access point has from the association to the first message of WSC.
	// Multi-link access points drop EAPOL on all links but one: the same router may answer on
	// another of its BSSs. hostapd begins at once.
	beginTime = 10 * time.Second
)

// Run is the session's goroutine: it takes the interface, enrols, gives the interface back, hands
// over, and tells.
func (e *Enrolment) Run(ctx context.Context) {
	ses := e.session
	ses.LogStart()
	walk, cancel := context.WithDeadlineCause(ctx, ses.Deadline, ending.ErrWalkTime)
	defer cancel()
	e.keys = keypair.New(e.Rand)
	err := fence.Do(e.Log, "a session", func() error {
		return e.iface.Turn.With(walk, func() error { return e.onInterface(ctx, walk) })
	})
	outcome := ending.Ending{State: state.StateFailed, Reason: outcome.ReasonInternal, Err: err}
	_ = e.fenced("the end of a session", func() {
		if !ending.IsHandover(err) && (errors.Is(err, context.Canceled) ||
			errors.Is(err, context.DeadlineExceeded)) {
			err = cause(walk, err) // a driver says that it was interrupted; we know why
		}
		outcome = ending.Of(e.explain(err), e.Method)
	})
	_ = e.fenced("the end of a session", func() {
		e.keys.Close()
		e.read.Wipe()
		e.tag.End(e.received)
	})
	e.Wipe()
	ses.End(outcome)
}

// onInterface looks for somebody to try beside the connection that is there, then takes the
// interface and enrols. It gives the interface back whatever went wrong, and also while there is
// nobody to try.
func (e *Enrolment) onInterface(ctx, walk context.Context) error {
	for ; ; e.returns++ {
		err := fence.Do(e.Log, "looking around beside a connection", func() error {
			return e.lookBeside(walk)
		})
		if err == nil {
			err = e.withInterface(ctx, walk)
		}
		if !errors.Is(err, errNobodyNow) {
			return err
		}
		e.change(func(s *state.Session) {
			s.State, s.Peer, s.Message = state.StateScanning, wsc.MAC{}, 0
		})
	}
}

// withInterface takes the interface, enrols, and gives the interface back, whatever went wrong with
// what came before.
func (e *Enrolment) withInterface(ctx, walk context.Context) error {
	name := e.iface.Name
	var loan *lending.Loan
	err := fence.Do(e.Log, "taking an interface", func() (err error) {
		loan, err = e.Managers.Borrow(walk, name, e.iface.Driver, e.beside)
		return err
	})
	if fence.Caught(err) { // what it had taken by then stands in the journal
		_ = e.fenced("giving an interface back", func() {
			_ = e.Managers.PayDebt(context.WithoutCancel(ctx), name)
		})
	}
	if err != nil {
		return err
	}
	err = fence.Do(e.Log, "a session on its interface", func() error { return e.meet(walk, loan) })
	handErr := fence.Do(e.Log, "handing a network over", func() error { return e.finish(ctx, loan) })
	if fence.Caught(handErr) {
		_ = e.fenced("giving an interface back", func() { loan.Return(ctx) })
	}
	if e.received && !fence.Caught(err) { // held is held, whatever came after
		err = handErr
	}
	return err
}

// meet enrols on an interface that was taken.
func (e *Enrolment) meet(ctx context.Context, loan *lending.Loan) error {
	err := radio.Use(ctx, e.Log, e.iface.Driver, e.iface.Name, loan.Apart(),
		func(station drivers.Station) error { return e.enroll(ctx, station) })
	if e.received && err != nil {
		e.Log.Debug("after the credential", "session", e.session.ID, "err", err)
	}
	return err
}

// enroll looks for an access point and tries it, and the same or the next again, until one gave us
// its network, or what happened is the end (see search.Failed).
func (e *Enrolment) enroll(ctx context.Context, station drivers.Station) error {
	if err := e.lookWith(ctx, station); err != nil {
		return err
	}
	e.giveBackAt = time.Time{}
	for {
		c, err := e.next(ctx)
		if err != nil {
			return err
		}
		err = e.attempt(ctx, c)
		e.tellFailure(c, err)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			e.note(err)
			return context.Cause(ctx)
		case isFinal(err), ending.IsOtherKey(err):
			return err
		}
		e.note(err)
		e.Log.Debug("attempt failed", "session", e.session.ID, "peer",
			c.BSSID.String(), "err", err)
		if e.search.Failed(time.Now(), c.BSSID, attemptOf(err)) {
			return err
		}
		e.keys.Prepare()
		e.keepFor()
		e.change(func(s *state.Session) { s.State = state.StateScanning })
	}
}

// isFinal tells what no other access point can make good.
func isFinal(err error) bool {
	if fence.Caught(err) { // a mistake of ours, which the next run would meet again
		return true
	}
	for _, final := range []error{
		drivers.ErrInterfaceGone, drivers.ErrNoInterface, drivers.ErrRadioBlocked, drivers.ErrBusy,
		drivers.ErrNotSupported, drivers.ErrClosed,
		registration.ErrInternal,
		registration.ErrCredential, // from whom has proved the password: nobody else knows it
	} {
		if errors.Is(err, final) {
			return true
		}
	}
	return false
}

// tellFailure tells that an attempt failed, unless it was us who ended it.
func (e *Enrolment) tellFailure(c search.Candidate, err error) {
	locked := errors.Is(err, ending.ErrLockedAlready)
	told := state.RunFailed{Session: e.session.ID, Peer: c.BSSID}
	if lost, ok := errors.AsType[*drivers.LostError](err); ok && lost.ByPeer {
		told.Lost = lost.Reason
	}
	if err == nil || errors.Is(err, registration.ErrAborted) || e.message == 0 &&
		!errors.Is(err, registration.ErrM2D) && !errors.Is(err, ending.ErrRejected) && !locked &&
		told.Lost == 0 {
		return
	}
	if locked { // nothing was sent; this is how it would have ended
		told.Message, told.ConfigError, told.Unsent = wsc.MsgM2, wsc.ConfigErrorSetupLocked, true
	}
	if run, ok := errors.AsType[*registration.Error](err); ok {
		told.Message, told.ConfigError, told.PasswordID = run.Message(), run.ConfigError,
			run.PasswordID
		if errors.Is(err, registration.ErrM2D) {
			told.Message = wsc.MsgM2D
		}
	}
	told.WEP = errors.Is(err, credential.ErrWEP)
	e.Published.Publish(told)
}

// note keeps how an attempt failed, for explain. That our own time was over is no news.
func (e *Enrolment) note(err error) {
	if errors.Is(err, ending.ErrWalkTime) || errors.Is(err, registration.ErrAborted) {
		return
	}
	e.last = err
	if errors.Is(err, registration.ErrPassword) {
		e.lastPIN = err
	}
}

// explain says why nothing came of it when the walk time ended: what happened last, if anything.
func (e *Enrolment) explain(err error) error {
	if !errors.Is(err, ending.ErrWalkTime) || e.search == nil {
		return err
	}
	switch {
	case e.lastPIN != nil:
		return e.lastPIN
	case e.last != nil:
		return e.last
	case e.search.Heard():
		return cmp.Or(e.search.Hidden(), err)
	}
	return cmp.Or(e.search.Missing(), ending.ErrNoAccessPoint)
}

// attempt runs the protocol with one access point.
func (e *Enrolment) attempt(ctx context.Context, c search.Candidate) (err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, attemptTime, ending.ErrAttemptTime)
	defer cancel()
	e.message = 0
	if e.Purpose != state.PurposeEnroll && c.Ad.SetupLocked {
		// it is the one that is told of
		e.change(func(s *state.Session) { s.Peer, s.Detail.SSID = c.BSSID, c.SSID })
		return ending.ErrLockedAlready // nothing is sent: there is nothing to win
	}
	e.change(func(s *state.Session) {
		s.State, s.Peer, s.Message, s.Detail.SSID = state.StateAssociating, c.BSSID, 0, c.SSID
		s.Detail.AccessPointsTried++
	})
	pair, err := e.keyPair(ctx)
	if err != nil {
		return err
	}
	machine, err := e.machine(c, pair)
	if err != nil {
		pair.Wipe()
		return err
	}
	// forgets the keys, however this ends; it changes no outcome that there is
	defer func() { machine.Abort(time.Now()) }()
	link, err := e.associate(ctx, c)
	if err != nil {
		return err
	}
	defer func() {
		if err := link.Close(); err != nil {
			e.Log.Debug("closing the link", "session", e.session.ID, "err", err)
		}
	}()
	e.session.ChangeSoon(func(s *state.Session) { s.State = state.StateExchanging })
	stack := e.stack(c, machine)
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	e.begin = time.AfterFunc(beginTime, func() { giveUp(ending.ErrUnanswered) })
	defer e.begin.Stop()
	pumpErr := pump(ctx, link, e.trace(stack, "frame", describeFrame), func() {
		e.progress(c, machine)
	})
	if pumpErr != nil {
		pumpErr = linkError(pumpErr, drivers.ErrLinkLost)
	}
	if pumpErr == nil && stack.TimedOut() { // before the Registration Protocol's own time began
		pumpErr = ending.ErrSilent
	}
	return e.verdict(machine.Outcome().Err, pumpErr)
}

// keyPair is the one of an attempt: a new one, unless a tag or a handover announced which it will
// be.
func (e *Enrolment) keyPair(ctx context.Context) (*wsccrypto.KeyPair, error) {
	if e.PrivateKey.IsZero() {
		return e.keys.Take(ctx)
	}
	pair, err := wsccrypto.KeyPairFromPrivate(e.PrivateKey)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", registration.ErrInternal, err)
	}
	return pair, nil
}

// verdict says how an attempt ended. What the Registration Protocol says counts first, then what
// happened to the link; if neither says anything, the access point ended it with EAP-Failure.
func (e *Enrolment) verdict(run, pumped error) error {
	switch {
	case e.received:
		return nil
	case e.unusable != nil:
		return e.unusable
	case run != nil && !errors.Is(run, registration.ErrAborted):
		return run
	case pumped != nil:
		return pumped
	}
	return ending.ErrRejected
}

func (e *Enrolment) associate(ctx context.Context, c search.Candidate) (drivers.Link, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, associateTime,
		&drivers.LostError{Err: drivers.ErrAssociation})
	defer cancel()
	request := wsc.AssociationRequest{RequestType: e.requestType(), Version2: e.device.Version2}
	elements := ie.AppendWSC(nil, request.Append(nil))
	if e.backhaul {
		elements = ie.AppendMultiAP(elements, e.multiAP())
	}
	link, err := e.scan.station.Associate(ctx, drivers.AssociateRequest{
		BSSID: c.BSSID, SSID: c.SSID, Frequency: c.Frequency, Privacy: c.Privacy, IEs: elements,
	})
	if err != nil {
		return nil, fmt.Errorf("station: associating with %s: %w", c.BSSID,
			linkError(cause(ctx, err), drivers.ErrAssociation))
	}
	return link, nil
}

// linkError words what the kernel says of a link as its end, or as a failed association: whatever
// an access point sends, what that makes impossible is no fault of ours.
func linkError(err, end error) error {
	if isFinal(err) || ending.Of(err, state.MethodPIN).Reason != outcome.ReasonInternal {
		return err
	}
	return fmt.Errorf("%w: %w", &drivers.LostError{Err: end}, err)
}
