package service

import (
	"context"
	"fmt"
	"time"

	"wpsd/drivers"
	"wpsd/engine/credential"
	"wpsd/engine/devpass"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/outcome"
)

const (
	// walkTime is how long a push button stays pressed, and how long any enrolment may take (WSC,
	// and wpa_supplicant for every operation).
	walkTime = 120 * time.Second
	// maxSessions bounds what runs at once, over all interfaces.
	maxSessions = 64
)

// StartRequest says where, with whom and for whom to enrol.
type StartRequest struct {
	Interface string
	BSSID     wsc.MAC      // of the access point; zero: any
	PIN       secret.Value // StartPIN only; empty: one is generated
	Force     bool         // the PIN is used even if its check digit is wrong
	Owner     string       // opaque; see ReleaseOwner
	User      string       // opaque: whose process the owner is
	// Purpose is what the caller was allowed to do, PurposeEnroll or PurposeAdmit: an interface
	// that is something else by now is refused. Empty: whatever the interface is.
	Purpose Purpose
	Detach  bool   // the session outlives its owner
	Apply   string // who gets the network: a Sink's name, ApplyNone, or "" and ApplyAuto
	// on an interface of our own, where the radio has room for two: the manager keeps its own
	Beside  bool
	MultiAP bool // StartPBC of a station only: as one that links access points (a backhaul station)
	// a session of a station that runs on the interface ends for this one; else that is ErrBusy
	Anew bool
	// Learn, Configure: with the password of the access point's tag, which was read before
	NFC bool

	// For an interface that is an access point: which Enrollee to let in (zero: any), and how long
	// its PIN is good for (0: two minutes).
	MAC     wsc.MAC
	Timeout time.Duration
}

// StartPBC begins an enrolment by push button, or, at an access point, lets one Enrollee in that
// pressed its. The session ends on its own, 120 s later at most.
func (s *Service) StartPBC(_ context.Context, r StartRequest) (Session, error) {
	return s.start(r, task{purpose: s.purposeOf(r), method: MethodPBC,
		password: devpass.PushButton()})
}

// StartPIN begins an enrolment with a PIN, or, at an access point, lets the Enrollee in whose PIN
// it is. It returns the PIN in use, which is the caller's to wipe.
func (s *Service) StartPIN(_ context.Context, r StartRequest) (Session, secret.Value, error) {
	var pin secret.Value
	var err error
	if r.PIN.IsZero() {
		pin, err = s.GeneratePIN()
	} else {
		pin, err = readPIN(r.PIN, r.Force)
	}
	if err != nil {
		return Session{}, secret.Value{}, err
	}
	ses, err := s.start(r, task{purpose: s.purposeOf(r), method: MethodPIN,
		password: devpass.FromPIN(pin.Clone()), generated: r.PIN.IsZero()})
	if err != nil {
		pin.Wipe()
		return Session{}, secret.Value{}, err
	}
	return ses, pin, nil
}

// readPIN reads a PIN that somebody typed, as a secret of its own; force says that its check digit
// need not be right.
func readPIN(typed secret.Value, force bool) (secret.Value, error) {
	if force {
		return devpass.AnyPIN(typed.Bytes())
	}
	return devpass.CheckPIN(typed.Bytes())
}

// task is what a session is for. Its secrets are the session's.
type task struct {
	purpose  Purpose
	method   Method
	password devpass.Password
	settings *Settings // PurposeConfigure only

	// For NFC: the key that a tag or a handover request announced, or the content of the tag that
	// admits; the key that the Registrar announced; the network that it named, and where that is;
	// how an access point is told.
	privateKey   secret.Value
	registrarKey *[20]byte
	ssid         []byte
	hint         int // MHz
	nfcGrant     func(context.Context, drivers.NFCAccessPoint) error
	nfcRevoke    func(context.Context, drivers.NFCAccessPoint) error // see admission.revoke

	// generated says that the PIN is a new one, which the user has yet to type somewhere: that an
	// access point waits for another one does not mean that nobody will know ours.
	generated bool
}

// role is our part in it: an access point that is learned or configured is the Enrollee.
func (t *task) role() Role {
	if t.purpose == PurposeEnroll {
		return RoleEnrollee
	}
	return RoleRegistrar
}

func (t *task) wipe() {
	t.password.Wipe()
	t.privateKey.Wipe()
	if t.settings != nil {
		t.settings.Key.Wipe()
	}
}

// start checks a request and starts the session's goroutine.
func (s *Service) start(r StartRequest, t task) (Session, error) {
	ses, err := s.admit(r, t)
	if err != nil {
		t.wipe()
		return Session{}, err
	}
	return ses, nil
}

func (s *Service) admit(r StartRequest, t task) (Session, error) {
	if err := s.checkApply(r.Apply); err != nil {
		return Session{}, err
	}
	if r.BSSID.IsMulticast() {
		return Session{}, fmt.Errorf("%w (%s)", ErrUnknownBSSID, r.BSSID)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i, err := s.place(r, &t)
	if err != nil {
		return Session{}, err
	}
	if s.sessions.running(false) >= maxSessions {
		return Session{}, ErrTooMany
	}
	if err := i.giveWay(r.Anew); err != nil {
		return Session{}, err
	}
	now := time.Now()
	ctx, cancel := context.WithCancelCause(s.ctx)
	ses := s.sessions.prepare(Session{
		Interface: r.Interface, Owner: r.Owner, User: r.User,
		Detached: r.Detach, Role: t.role(), Purpose: t.purpose, Method: t.method,
		State: StateScanning, Started: now, Deadline: now.Add(walkTime), Wanted: r.BSSID,
	})
	ses.iface, ses.cancel = i, cancel
	run := newEnrolment(s, ses, r, t, s.deviceFor(i.HardwareAddr)).run
	if t.purpose == PurposeAdmit {
		run = newAdmission(s, ses, r, t).run
	}
	if err := s.begin(func() { run(ctx) }); err != nil {
		cancel(err)
		return Session{}, err
	}
	i.stopScan() // a session comes before somebody's curiosity
	i.session = ses
	added := s.sessions.add(ses)
	s.emit(InterfaceChanged{Interface: i.snapshot()})
	return added, nil
}

// place finds the interface for a task. The caller holds mu.
func (s *Service) place(r StartRequest, t *task) (*iface, error) {
	switch {
	case t.purpose == PurposeAdmit && (r.Beside || r.MultiAP):
		return nil, fmt.Errorf("%w: beside and multi-ap are for stations: leave them out at an access point", ErrNotSupported)
	case t.purpose == PurposeAdmit:
		return s.accessPoint(r)
	case r.Timeout != 0:
		return nil, fmt.Errorf("%w: a timeout is for access points: leave it out, a station has two minutes", ErrNotSupported)
	case !r.MAC.IsZero():
		return nil, fmt.Errorf("%w: the address of a device is for access points: leave it out, or name an access point with bssid", ErrNotSupported)
	}
	return s.station(r.Interface)
}

// Session returns a session that runs or ended not long ago.
func (s *Service) Session(id SessionID) (Session, bool) {
	return s.published.Session(id)
}

// Credentials returns what a session received, with keys; nothing if it received nothing (yet).
// What is returned is the caller's to wipe.
func (s *Service) Credentials(id SessionID) ([]credential.Network, error) {
	return s.sessions.networks(id, func(ses *session) []credential.Network {
		return ses.credentials
	})
}

// Received returns a network for each Credential attribute that a session received, as it came:
// also those that Credentials has as one network, or leaves out. What is returned is the caller's
// to wipe.
func (s *Service) Received(id SessionID) ([]credential.Network, error) {
	return s.sessions.networks(id, func(ses *session) []credential.Network {
		return ses.received
	})
}

// Cancel tells a session to end and returns at once: SessionEnded tells when it has.
func (s *Service) Cancel(_ context.Context, id SessionID) error {
	if s.sessions.stop(errCanceled, func(ses *session) bool { return ses.ID == id }) == 0 {
		return fmt.Errorf("%w, or it has ended (%d)", ErrNoSession, id)
	}
	return nil
}

// CancelInterface cancels whatever session runs on an interface.
func (s *Service) CancelInterface(ctx context.Context, ifname string) error {
	s.mu.Lock()
	i, ok := s.interfaces[ifname]
	var ses *session
	if ok {
		ses = i.session
	}
	s.mu.Unlock()
	if !ok {
		return fmt.Errorf("%w (%q)", ErrNoInterface, ifname)
	}
	if ses == nil {
		return fmt.Errorf("%w: none runs on %s", ErrNoSession, ifname)
	}
	return s.Cancel(ctx, ses.ID)
}

// ReleaseOwner ends the sessions of an owner that is gone, except the detached ones, its agents,
// and External Registrars that ran for it alone.
func (s *Service) ReleaseOwner(owner string) {
	s.agents.ReleaseOwner(owner)
	s.sessions.stop(errOwnerLeft, func(ses *session) bool {
		return ses.Owner == owner && !ses.Detached
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range s.interfaces {
		if i.er != nil {
			i.er.release(owner)
		}
	}
}

// end says how a session ended, after the interface was given back, and keeps it for a while.
func (s *Service) end(ses *session, f failure) {
	err := s.fenced("the end of a session", func() { s.endWith(ses, f, failure.explain) })
	if err != nil {
		_ = s.fenced("the end of a session", func() {
			s.endWith(ses, failure{state: StateFailed, reason: ReasonInternal, err: err},
				func(_ failure, ses *Session) { ses.Detail.Case = outcome.Case(ReasonInternal) })
		})
	}
}

// endWith is end with whoever finds out what is said of it.
func (s *Service) endWith(ses *session, f failure, explain func(failure, *Session)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.sessions.finish(ses, func(told *Session) {
		told.State, told.Reason, told.ConfigError = f.state, f.reason, f.configError
		f.detail(&told.Detail)
		explain(f, told)
		ses.iface.addNames(told)
		told.Sentence = outcome.Sentence(told.Reason, told.Detail)
	}) {
		return
	}
	if i := ses.iface; i.session == ses {
		i.session = nil
		if s.interfaces[i.Name] == i {
			s.emit(InterfaceChanged{Interface: i.snapshot()})
			s.lookAfter(i)
		}
	}
	s.restSoon()
	s.logEnd(ses, f.err)
}
