package service

import (
	"context"
	"fmt"
	"time"

	"wpsd/engine/credential"
	"wpsd/engine/devpass"
	"wpsd/engine/secret"
	"wpsd/service/ending"
	"wpsd/service/hotspot"
	"wpsd/service/outcome"
	"wpsd/service/session"
	"wpsd/service/state"
	"wpsd/service/station"
)

const (
	// maxSessions bounds what runs at once, over all interfaces.
	maxSessions = 64
)

// StartPBC begins an enrolment by push button, or, at an access point, lets one Enrollee in that
// pressed its. The session ends on its own, 120 s later at most.
func (s *Service) StartPBC(_ context.Context, r session.StartRequest) (state.Session, error) {
	return s.start(r, session.Task{Purpose: s.purposeOf(r), Method: state.MethodPBC,
		Password: devpass.PushButton()})
}

// StartPIN begins an enrolment with a PIN, or, at an access point, lets the Enrollee in whose PIN
// it is. It returns the PIN in use, which is the caller's to wipe.
func (s *Service) StartPIN(_ context.Context, r session.StartRequest) (state.Session,
	secret.Value, error) {
	var pin secret.Value
	var err error
	if r.PIN.IsZero() {
		pin, err = s.settings.GeneratePIN()
	} else {
		pin, err = session.ReadPIN(r.PIN, r.Force)
	}
	if err != nil {
		return state.Session{}, secret.Value{}, err
	}
	ses, err := s.start(r, session.Task{Purpose: s.purposeOf(r), Method: state.MethodPIN,
		Password: devpass.FromPIN(pin.Clone()), Generated: r.PIN.IsZero()})
	if err != nil {
		pin.Wipe()
		return state.Session{}, secret.Value{}, err
	}
	return ses, pin, nil
}

// start checks a request and starts the session's goroutine.
func (s *Service) start(r session.StartRequest, t session.Task) (state.Session, error) {
	ses, err := s.admit(r, t)
	if err != nil {
		t.Wipe()
		return state.Session{}, err
	}
	return ses, nil
}

func (s *Service) admit(r session.StartRequest, t session.Task) (state.Session, error) {
	if err := s.lenders.CheckApply(r.Apply); err != nil {
		return state.Session{}, err
	}
	if r.BSSID.IsMulticast() {
		return state.Session{}, fmt.Errorf("%w (%s)", state.ErrUnknownBSSID, r.BSSID)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i, err := s.place(r, &t)
	if err != nil {
		return state.Session{}, err
	}
	if s.sessions.Running(false) >= maxSessions {
		return state.Session{}, state.ErrTooMany
	}
	if err := i.giveWay(r.Anew); err != nil {
		return state.Session{}, err
	}
	now := time.Now()
	ctx, cancel := context.WithCancelCause(s.life.ctx)
	ses := s.sessions.Prepare(state.Session{
		Interface: r.Interface, Owner: r.Owner, User: r.User,
		Detached: r.Detach, Role: t.Role(), Purpose: t.Purpose, Method: t.Method,
		State: state.StateScanning, Started: now, Deadline: now.Add(session.WalkTime),
		Wanted: r.BSSID,
	})
	ses.Cancel = cancel
	run := s.stations.Enrolment(station.Job{Interface: s.asStation(i), Session: ses, Request: r, Task: t,
		Device: s.settings.Device(i.HardwareAddr), FragmentSize: s.settings.FragmentSize()}).Run
	if t.Purpose == state.PurposeAdmit {
		run = s.hotspots.Admission(ses, i.steering, s.radios.Of(i.Name), r, t).Run
	}
	if err := s.life.begin(s.log, func() { run(ctx) }); err != nil {
		cancel(err)
		return state.Session{}, err
	}
	i.stopScan() // a session comes before somebody's curiosity
	i.session = ses
	added := s.sessions.Add(ses)
	s.published.Publish(state.InterfaceChanged{Interface: i.snapshot()})
	return added, nil
}

// place finds the interface for a task. The caller holds mu.
func (s *Service) place(r session.StartRequest, t *session.Task) (*iface, error) {
	switch {
	case t.Purpose == state.PurposeAdmit && (r.Beside || r.BesideOnly || r.MultiAP):
		return nil, fmt.Errorf("%w: beside and multi-ap are for stations: leave them out at an access point", state.ErrNotSupported)
	case t.Purpose == state.PurposeAdmit:
		i, err := s.accessPoint(r.Interface)
		if err == nil {
			err = hotspot.Check(r)
		}
		return i, err
	case r.Timeout != 0:
		return nil, fmt.Errorf("%w: a timeout is for access points: leave it out, a station has two minutes", state.ErrNotSupported)
	case !r.MAC.IsZero():
		return nil, fmt.Errorf("%w: the address of a device is for access points: leave it out, or name an access point with bssid", state.ErrNotSupported)
	}
	return s.station(r.Interface)
}

// Credentials returns what a session received, with keys; nothing if it received nothing (yet).
// What is returned is the caller's to wipe.
func (s *Service) Credentials(id state.SessionID) ([]credential.Network, error) {
	return s.sessions.Networks(id, func(ses *session.Running) []credential.Network {
		return ses.Credentials
	})
}

// Received returns a network for each Credential attribute that a session received, as it came:
// also those that Credentials has as one network, or leaves out. What is returned is the caller's
// to wipe.
func (s *Service) Received(id state.SessionID) ([]credential.Network, error) {
	return s.sessions.Networks(id, func(ses *session.Running) []credential.Network {
		return ses.Received
	})
}

// Cancel tells a session to end and returns at once: SessionEnded tells when it has.
func (s *Service) Cancel(_ context.Context, id state.SessionID) error {
	if s.sessions.Stop(ending.ErrCanceled, func(ses *session.Running) bool {
		return ses.ID == id
	}) == 0 {
		return fmt.Errorf("%w, or it has ended (%d)", state.ErrNoSession, id)
	}
	return nil
}

// CancelInterface cancels whatever session runs on an interface.
func (s *Service) CancelInterface(ctx context.Context, ifname string) error {
	s.mu.Lock()
	i, ok := s.interfaces[ifname]
	var ses *session.Running
	if ok {
		ses = i.session
	}
	s.mu.Unlock()
	if !ok {
		return fmt.Errorf("%w (%q)", state.ErrNoInterface, ifname)
	}
	if ses == nil {
		return outcome.NoSessionOn(ifname)
	}
	return s.Cancel(ctx, ses.ID)
}

// ReleaseOwner ends the sessions of an owner that is gone, except the detached ones, its agents,
// and External Registrars that ran for it alone.
func (s *Service) ReleaseOwner(owner string) {
	s.agents.ReleaseOwner(owner)
	s.sessions.Stop(ending.ErrOwnerLeft, func(ses *session.Running) bool {
		return ses.Owner == owner && !ses.Detached
	})
	s.registrars.ReleaseOwner(owner)
}

// sessionOver is called with how a session ends: it is told in one step with the interface's being
// free again.
func (s *Service) sessionOver(ses *session.Running, finish func() bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !finish() {
		return
	}
	for _, i := range s.interfaces {
		if i.session == ses {
			i.session = nil
			s.published.Publish(state.InterfaceChanged{Interface: i.snapshot()})
			s.lookAfter(i)
		}
	}
	s.restSoon()
}
