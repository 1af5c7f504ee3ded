package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wpsd/drivers"
	"wpsd/engine/discovery"
	"wpsd/engine/ie"
	"wpsd/engine/registration"
	"wpsd/engine/wsc"
	"wpsd/engine/wsccrypto"
)

const (
	// associateTime bounds one association, attemptTime one run with one access point: one that never
	// gets anywhere must not use up the walk time of the others.
	associateTime = 10 * time.Second
	attemptTime   = 60 * time.Second
	// openSweeps and openAfter: after so many looks at everything and so long, a PIN is offered also to
	// access points that do not say that they wait for one. Some never say it (an External Registrar
	// may not set Selected Registrar), and others learn of us that way (wpa_supplicant's rule).
	openSweeps = 3
	openAfter  = 5 * time.Second
	// maxWrongPINs bounds how many access points may prove themselves wrong about the PIN in one
	// session: each could be an attacker's, and each has had one guess at the first half.
	maxWrongPINs = 3
	// narrowLooks is how often only the channel of a named access point is looked at, when it was not
	// heard there, before looking everywhere again.
	narrowLooks = 3
	// maxUnanswered is how often an access point with a pressed button, or one that is to be learned or configured, may
	// leave an association unanswered.
	maxUnanswered = 3
)

// enrolment is the procedure of one session. Its goroutine owns it.
type enrolment struct {
	service *Service
	session *session
	task
	want         wsc.MAC // zero: any
	device       wsc.Device
	began        time.Time
	fragmentSize int
	keys         *keyMaker
	scan         *scanner
	ignored      discovery.Ignored
	wrongPIN     map[wsc.MAC]error // never tried again in this session
	lastPIN      error             // the newest of these
	silent       int               // associations that were not answered
	last         error             // how the newest attempt failed
	sweeps       int               // looks at everything
	afterPIN     int               // sweeps since the newest wrong PIN
	pressed      map[wsc.MAC]bool  // whose buttons were pressed when this operation began, by a look not long ago
	narrow       int               // looks at one channel in vain
	message      wsc.MessageType   // newest of this attempt
	received     bool              // M8 (or an access point's M7) was verified, and its credentials are safe
	unusable     error             // why settings that an access point showed make no network
	apply        string            // who gets the network; see StartRequest
	external     bool              // credentials are for other programs
}

func newEnrolment(s *Service, ses *session, r StartRequest, t task, device wsc.Device) *enrolment {
	return &enrolment{
		service: s, session: ses, task: t, want: r.BSSID, device: device, fragmentSize: s.fragmentSize, apply: r.Apply,
		began: ses.Started, wrongPIN: make(map[wsc.MAC]error),
	}
}

// run is the session's goroutine: it takes the interface, enrols, gives the interface back, hands over, and tells.
func (e *enrolment) run(ctx context.Context) {
	s, ses := e.service, e.session
	s.logStart(ses)
	walk, cancel := context.WithDeadlineCause(ctx, ses.Deadline, errWalkTime)
	defer cancel()
	e.keys = newKeyMaker(s.rand)
	err := s.withRadio(walk, ses.iface, func() error {
		h, err := s.take(walk, ses.iface)
		if err != nil {
			return err
		}
		err = e.meet(walk, h)
		if handErr := e.finish(ctx, h); e.received { // held is held, whatever came after
			err = handErr
		}
		return err
	})
	if !isHandover(err) && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		err = cause(walk, err) // a driver says that it was interrupted; we know why
	}
	e.keys.close()
	e.usedToken()
	e.wipe()
	s.end(ses, failureOf(e.explain(err), e.method))
}

// meet enrols on an interface that was taken.
func (e *enrolment) meet(ctx context.Context, h *holding) error {
	s := e.service
	err := s.withStation(ctx, e.session.iface, h.apart, func(station drivers.Station) error {
		if own, ok := station.(drivers.Addressed); ok { // managers change it when they let go
			s.mu.Lock()
			e.device = s.deviceFor(own.HardwareAddr())
			s.mu.Unlock()
		}
		return e.enroll(ctx, station)
	})
	if e.received && err != nil {
		s.log.Debug("after the credential", "session", e.session.ID, "err", err)
	}
	return err
}

// enroll looks for an access point and tries it, and the next, until one gave us its network. A push button
// is for one access point: whatever happens to that run ends the session (WSC, push button configuration). Without an
// answer to the association there was no run.
// A PIN is known to one Registrar that may be behind any access point. An access point's own PIN is tried
// once: each wrong one brings it nearer to locking its setup.
func (e *enrolment) enroll(ctx context.Context, station drivers.Station) error {
	scan, err := newScanner(ctx, e.service, e.session.iface, station, e.device.MAC)
	if err != nil {
		return err
	}
	e.scan = scan
	scan.ies = e.probeRequest()
	for {
		c, err := e.find(ctx)
		if err != nil {
			return err
		}
		err = e.attempt(ctx, c)
		e.tellFailure(c, err)
		switch {
		case e.unanswered(err) && ctx.Err() == nil:
			e.note(err)
		case err == nil || e.once() && ctx.Err() == nil || isFinal(err) || isOtherKey(err):
			return err
		case ctx.Err() != nil:
			e.note(err)
			return context.Cause(ctx)
		default:
			if err := e.failed(c, err); err != nil {
				return err
			}
		}
		e.keys.prepare()
		e.change(func(s *Session) { s.State = StateScanning })
	}
}

// unanswered reports whether an access point for which there is one attempt only should get another: it has not answered, so
// there was no run. On a weak signal, or with an access point that has much to do, frames get lost.
func (e *enrolment) unanswered(err error) bool {
	lost, ok := errors.AsType[*drivers.LostError](err)
	if !e.once() || !ok || lost.Err != drivers.ErrAssociation || lost.Status != 0 || isFinal(err) {
		return false
	}
	e.silent++
	return e.silent < maxUnanswered
}

// once reports whether the first attempt is the only one.
func (e *enrolment) once() bool { return e.method == MethodPBC || e.purpose != PurposeEnroll }

// isOtherKey tells that the Registrar has not the key that it announced in a handover: a handover is with one Registrar.
func isOtherKey(err error) bool {
	run, ok := errors.AsType[*registration.Error](err)
	return ok && run.Local && errors.Is(err, registration.ErrPublicKey) && run.ConfigError == wsc.ConfigErrorPublicKeyHashMismatch
}

// isFinal tells what no other access point can make good.
func isFinal(err error) bool {
	for _, final := range []error{
		drivers.ErrInterfaceGone, drivers.ErrNoInterface, drivers.ErrRadioBlocked, drivers.ErrBusy, drivers.ErrNotSupported, drivers.ErrClosed,
		registration.ErrInternal,
		registration.ErrCredential, // from whom has proved the password: nobody else knows it
	} {
		if errors.Is(err, final) {
			return true
		}
	}
	return false
}

// failed draws the conclusion of an attempt with a PIN. A returned error ends the session.
func (e *enrolment) failed(c candidate, err error) error {
	e.note(err)
	e.service.log.Debug("attempt failed", "session", e.session.ID, "peer", c.BSSID.String(), "err", err)
	run, isRun := errors.AsType[*registration.Error](err)
	if !isRun || !errors.Is(err, registration.ErrPassword) {
		e.ignored.Fail(time.Now(), c.BSSID)
		return nil
	}
	// Never again with this one: each run is a guess that it has at our PIN.
	e.wrongPIN[c.BSSID], e.lastPIN, e.afterPIN = err, err, 0
	if !e.want.IsZero() || run.Half == 2 || len(e.wrongPIN) >= maxWrongPINs {
		// After a wrong second half the first is known over there: the rest would be guessed soon.
		return err
	}
	return nil
}

// tellFailure tells that an attempt failed, unless it was us who ended it.
func (e *enrolment) tellFailure(c candidate, err error) {
	if err == nil || errors.Is(err, registration.ErrAborted) || e.message == 0 && !errors.Is(err, registration.ErrM2D) && !errors.Is(err, errRejected) {
		return
	}
	told := RunFailed{Session: e.session.ID, Peer: c.BSSID}
	if run, ok := errors.AsType[*registration.Error](err); ok {
		told.Message, told.ConfigError, told.PasswordID = run.Message(), run.ConfigError, run.PasswordID
		if errors.Is(err, registration.ErrM2D) {
			told.Message = wsc.MsgM2D
		}
	}
	e.service.mu.Lock()
	defer e.service.mu.Unlock()
	e.service.emit(told)
}

// note keeps how an attempt failed, for explain. That our own time was over is no news.
func (e *enrolment) note(err error) {
	if !errors.Is(err, errWalkTime) && !errors.Is(err, registration.ErrAborted) {
		e.last = err
	}
}

// explain says why nothing came of it when the walk time ended: what happened last, if anything.
func (e *enrolment) explain(err error) error {
	if !errors.Is(err, errWalkTime) || e.scan == nil {
		return err
	}
	heard := len(e.scan.heard) > 0
	if !e.want.IsZero() {
		_, heard = e.scan.heard[e.want]
	}
	switch {
	case e.lastPIN != nil:
		return e.lastPIN
	case e.last != nil:
		return e.last
	case heard:
		return err
	case len(e.scan.wpa3Only) > 0 && e.want.IsZero():
		return errWPA3Only
	case e.scan.others[e.want]:
		return errNoWPS
	}
	return errNoAccessPoint
}

// attempt runs the protocol with one access point.
func (e *enrolment) attempt(ctx context.Context, c candidate) (err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, attemptTime, errAttemptTime)
	defer cancel()
	e.message = 0
	if e.purpose != PurposeEnroll && c.Ad.SetupLocked {
		e.change(func(s *Session) { s.Peer, s.Detail.SSID = c.BSSID, c.SSID }) // it is the one that is told of
		return errLockedAlready                                                // nothing is sent: there is nothing to win
	}
	e.change(func(s *Session) {
		s.State, s.Peer, s.Message, s.Detail.SSID = StateAssociating, c.BSSID, 0, c.SSID
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
	link, err := e.associate(ctx, c)
	if err != nil {
		machine.Abort(time.Now()) // forgets the key pair
		return err
	}
	e.service.changeSoon(e.session, func(s *Session) { s.State = StateExchanging })
	stack := e.stack(c, machine)
	pumpErr := pump(ctx, link, e.trace(stack, "frame", describeFrame), func() { e.progress(c, machine) })
	if pumpErr == nil && stack.TimedOut() { // before the Registration Protocol's own time began
		pumpErr = errSilent
	}
	if err := link.Close(); err != nil {
		e.service.log.Debug("closing the link", "session", e.session.ID, "err", err)
	}
	return e.verdict(machine.Outcome().Err, pumpErr)
}

// keyPair is the one of an attempt: a new one, unless a tag or a handover announced which it will be.
func (e *enrolment) keyPair(ctx context.Context) (*wsccrypto.KeyPair, error) {
	if e.privateKey.IsZero() {
		return e.keys.take(ctx)
	}
	pair, err := wsccrypto.KeyPairFromPrivate(e.privateKey)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", registration.ErrInternal, err)
	}
	return pair, nil
}

// verdict says how an attempt ended. What the Registration Protocol says counts first, then what happened
// to the link; if neither says anything, the access point ended it with EAP-Failure.
func (e *enrolment) verdict(run, pumped error) error {
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
	return errRejected
}

func (e *enrolment) associate(ctx context.Context, c candidate) (drivers.Link, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, associateTime, &drivers.LostError{Err: drivers.ErrAssociation})
	defer cancel()
	request := wsc.AssociationRequest{RequestType: e.requestType(), Version2: e.device.Version2}
	link, err := e.scan.station.Associate(ctx, drivers.AssociateRequest{
		BSSID: c.BSSID, SSID: c.SSID, Frequency: c.Frequency, Privacy: c.privacy, IEs: ie.AppendWSC(nil, request.Append(nil)),
	})
	if err != nil {
		return nil, fmt.Errorf("service: associating with %s: %w", c.BSSID, cause(ctx, err))
	}
	return link, nil
}

// probeRequest is our element for probe requests. With a push button, it is what tells the access point
// that we pressed ours: it counts the stations that do.
func (e *enrolment) probeRequest() []byte {
	device := e.device
	for _, c := range e.scan.channels {
		device.RFBands |= wsc.BandOf(c.Frequency)
	}
	p := wsc.ProbeRequest{RequestType: e.requestType(), Device: device, DevicePasswordID: e.password.ID}
	return ie.AppendWSC(nil, p.Append(nil))
}

func (e *enrolment) requestType() wsc.RequestType {
	if e.purpose == PurposeEnroll {
		return wsc.RequestEnrollee
	}
	return wsc.RequestRegistrar
}

func (e *enrolment) change(alter func(*Session)) { e.service.change(e.session, alter) }
