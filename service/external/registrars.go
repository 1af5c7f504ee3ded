package external

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"wpsd/engine/er"
	"wpsd/engine/wsc"
	"wpsd/service/ending"
	"wpsd/service/keypair"
	"wpsd/service/session"
	"wpsd/service/state"
)

// ERStart says where, for whom and with which access points to be External Registrar.
type Start struct {
	Interface string
	Address   netip.Addr // of the only access point; zero: all
	Owner     string     // opaque; see ReleaseOwner
	User      string     // opaque: whose process the owner is
	Detach    bool       // it outlives its owner
}

// StartER makes us External Registrar on an interface, or, if we are, tells again of every access
// point and Enrollee that we know. It lasts until StopER, until the interface goes, or until
// everybody who started it has left: it stays for good if one of them detached it, and as long as a
// session of it runs.
func (s *Registrars) StartER(ctx context.Context, r Start) error {
	if s.point == nil {
		return fmt.Errorf("%w: there is no External Registrar here", state.ErrNotSupported)
	}
	s.starts.Lock() // only one opens sockets at a time
	defer s.starts.Unlock()
	for {
		e, err := s.joinER(r)
		if err != nil {
			return err
		}
		if e == nil {
			break
		}
		err = e.command(ctx, func(now time.Time) {
			e.perform(now, e.registrar.Start(now, e.address))
		})
		if !errors.Is(err, state.ErrERStopped) { // in this very moment: then it is started anew
			return err
		}
	}
	point, err := s.point(r.Interface)
	if err != nil {
		s.log.Warn("the External Registrar cannot open its sockets", "interface",
			r.Interface, "err", err)
		return fmt.Errorf("%w (%s): %w", state.ErrERSockets, r.Interface, err)
	}
	if err := s.newER(r, point); err != nil {
		return errors.Join(err, point.Close())
	}
	return nil
}

// joinER finds the External Registrar that runs already, and notes who wants it now. nil: none
// runs.
func (s *Registrars) joinER(r Start) (*externalRegistrar, error) {
	if _, err := s.hub.Interface(r.Interface); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.running[r.Interface]
	if e == nil {
		return nil, nil
	}
	if e.address != r.Address {
		return nil, fmt.Errorf("%w: the External Registrar on %s runs for other addresses: stop it first", state.ErrBusy, r.Interface)
	}
	e.join(r)
	return e, nil
}

// newER starts the goroutine of an External Registrar, which owns point then.
func (s *Registrars) newER(r Start, point ControlPoint) error {
	device, err := s.hub.Device(r.Interface) // it may have gone meanwhile
	if err != nil {
		return err
	}
	keys := &keypair.Maker{Rand: s.rand}
	e := &externalRegistrar{
		room: s, ifname: r.Interface, address: r.Address, point: point,
		commands: make(chan func(time.Time)), over: make(chan struct{}),
		replies: make(chan erReply),
		owners:  make(map[string]string), users: make(map[string]struct{}),
		registrar: er.New(er.Config{Device: device, Rand: s.rand, KeyPair: keys.Prepared}),
		keys:      keys,
		runs:      make(map[er.RunID]*erRun), tags: make(map[er.RunID]*erTag),
		wake: make(chan struct{}, 1),
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	e.cancel = cancel
	s.enter(e, r)
	// The service's end and the interface's are told by EndAll and InterfaceGone.
	if err := s.hub.Begin(r.Interface, func() { e.run(ctx) }); err != nil {
		s.leave(e)
		cancel(err)
		return err
	}
	s.log.Info("External Registrar started", "interface", r.Interface, "owner", r.Owner)
	return nil
}

// enter notes that an External Registrar runs, and tells.
func (s *Registrars) enter(e *externalRegistrar, r Start) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.join(r)
	s.running[e.ifname] = e
	s.published.Publish(state.ERChanged{ER: state.ER{Interface: e.ifname, Running: true, Address: e.address}})
}

// leave takes back what enter noted.
func (s *Registrars) leave(e *externalRegistrar) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running[e.ifname] == e {
		delete(s.running, e.ifname)
		s.published.RemoveER(e.ifname)
	}
}

// StopER ends the External Registrar on an interface, whoever started it, and its sessions. It
// returns at once; access points are told in the background.
func (s *Registrars) StopER(_ context.Context, ifname string) error {
	return s.stopER(ifname, func(*externalRegistrar) bool { return true })
}

// StopOwnER is StopER for one user: ErrChanged if it runs, or has a session, for anybody else as
// well.
func (s *Registrars) StopOwnER(_ context.Context, ifname, user string) error {
	return s.stopER(ifname, func(e *externalRegistrar) bool { return e.isOnlyOf(user) })
}

func (s *Registrars) stopER(ifname string, may func(*externalRegistrar) bool) error {
	if _, err := s.hub.Interface(ifname); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.runningER(ifname)
	if err != nil {
		return err
	}
	if !may(e) {
		return state.ErrChanged
	}
	e.stop(ending.ErrERStopped)
	return nil
}

// OwnsER reports whether the External Registrar on an interface, and its sessions, are those of one
// user; also where none runs.
func (s *Registrars) OwnsER(ifname, user string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.runningER(ifname)
	return err != nil || e.isOnlyOf(user)
}

// isOnlyOf reports whether one user alone has started it and its sessions. The caller holds
// registrars.mu.
func (e *externalRegistrar) isOnlyOf(user string) bool {
	for of := range e.users {
		if of != user {
			return false
		}
	}
	for _, of := range e.owners {
		if of != user {
			return false
		}
	}
	return e.room.sessions.Count(func(ses *session.Running) bool {
		return ses.By == any(e) && !ses.State.Ended() && ses.User != user
	}) == 0
}

// runningER finds the External Registrar on an interface. The caller holds mu.
func (s *Registrars) runningER(ifname string) (*externalRegistrar, error) {
	if e := s.running[ifname]; e != nil {
		return e, nil
	}
	return nil, fmt.Errorf("%w (%s)", state.ErrERStopped, ifname)
}

// WantsER reports whether an External Registrar runs because this owner started it.
func (s *Registrars) WantsER(owner string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.running {
		if _, wants := e.owners[owner]; wants {
			return true
		}
	}
	return false
}

// join notes one more who wants it to run. The caller holds registrars.mu.
func (e *externalRegistrar) join(r Start) {
	if r.Detach {
		e.detached = true
		e.users[r.User] = struct{}{}
		return
	}
	e.owners[r.Owner] = r.User
}

// release forgets an owner that left, and ends the External Registrar if nobody is left. The caller
// holds registrars.mu.
func (e *externalRegistrar) release(owner string) {
	delete(e.owners, owner)
	e.stopUnwanted()
}

// stopUnwanted ends the External Registrar if all who started it have left and no session needs it.
// The caller holds registrars.mu.
func (e *externalRegistrar) stopUnwanted() {
	if e.detached || len(e.owners) > 0 {
		return
	}
	if e.room.sessions.Count(func(ses *session.Running) bool {
		return ses.By == any(e) && !ses.Stopping && !ses.State.Ended()
	}) == 0 {
		e.stop(ending.ErrOwnerLeft)
	}
}

// stop lets its goroutine end, and tells that it has: who asks from now on is told that none runs.
// The caller holds registrars.mu.
func (e *externalRegistrar) stop(cause error) {
	e.cancel(cause)
	s := e.room
	if s.running[e.ifname] != e {
		return
	}
	delete(s.running, e.ifname)
	s.published.RemoveER(e.ifname)
	s.log.Info("External Registrar stopped", "interface", e.ifname, "why", cause)
}

// ERConfig returns what the External Registrar gives to Enrollees of an access point, with the key.
// It is the caller's to wipe.
func (s *Registrars) ERConfig(ctx context.Context, ifname string, ap Peer) (wsc.Credential, error) {
	var settings wsc.Credential
	err := s.askER(ctx, ifname, func(e *externalRegistrar, _ time.Time) error {
		found, err := e.findAP(ap)
		if err != nil {
			return err
		}
		var known bool
		if settings, known = e.registrar.Settings(found.ID); !known {
			return state.ErrNoERSettings
		}
		return nil
	})
	return settings, err
}

// ERSetConfig says that Enrollees of an access point are to be given a stored network. Nothing is
// sent to the access point.
func (s *Registrars) ERSetConfig(ctx context.Context, ifname string, ap Peer,
	network state.NetworkID) error {
	settings, err := s.hub.Network(network)
	if err != nil {
		return err
	}
	defer settings.Wipe()
	return s.askER(ctx, ifname, func(e *externalRegistrar, now time.Time) error {
		found, err := e.findAP(ap)
		if err != nil {
			return err
		}
		actions, err := e.registrar.SetConfig(now, found.ID, settings)
		if err != nil {
			return erError(err)
		}
		e.perform(now, actions)
		e.admitAwaited(now)
		return nil
	})
}

// findER is runningER for who does not hold mu.
func (s *Registrars) findER(ifname string) (*externalRegistrar, error) {
	if _, err := s.hub.Interface(ifname); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.runningER(ifname)
}

// askER lets the goroutine of a running External Registrar do something.
func (s *Registrars) askER(ctx context.Context, ifname string,
	do func(e *externalRegistrar, now time.Time) error) error {
	e, err := s.findER(ifname)
	if err != nil {
		return err
	}
	var result error
	if err := e.command(ctx, func(now time.Time) { result = do(e, now) }); err != nil {
		return err
	}
	return result
}
