package service

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"wpsd/engine/er"
	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
	"wpsd/service/ending"
	"wpsd/service/session"
)

// ControlPoint is the sockets of an External Registrar on one network interface, and nothing else.
// What it hears stays on that interface. It is safe for concurrent use.
type ControlPoint interface {
	// Heard gives what devices announce, Notified the events of subscriptions.
	Heard() <-chan upnp.Announcement
	Notified() <-chan upnp.Notification
	// Changed tells that the interface has another address: subscriptions are lost.
	Changed() <-chan struct{}
	// Search asks all access points to answer. It does not wait.
	Search(ctx context.Context) error
	// Do sends one request and waits for the answer, in bounds of its own.
	Do(ctx context.Context, r upnp.Request) (upnp.Response, error)
	Close() error
}

// ERStart says where, for whom and with which access points to be External Registrar.
type ERStart struct {
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
func (s *Service) StartER(ctx context.Context, r ERStart) error {
	if s.controlPoint == nil {
		return fmt.Errorf("%w: there is no External Registrar here", ErrNotSupported)
	}
	s.erStarts.Lock() // only one opens sockets at a time
	defer s.erStarts.Unlock()
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
		if !errors.Is(err, ErrERStopped) { // in this very moment: then it is started anew
			return err
		}
	}
	point, err := s.controlPoint(r.Interface)
	if err != nil {
		s.log.Warn("the External Registrar cannot open its sockets", "interface",
			r.Interface, "err", err)
		return fmt.Errorf("%w (%s): %w", ErrERSockets, r.Interface, err)
	}
	if err := s.newER(r, point); err != nil {
		return errors.Join(err, point.Close())
	}
	return nil
}

// joinER finds the External Registrar that runs already, and notes who wants it now. nil: none
// runs.
func (s *Service) joinER(r ERStart) (*externalRegistrar, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, err := s.interfaceNamed(r.Interface)
	if err != nil || i.er == nil {
		return nil, err
	}
	if i.er.address != r.Address {
		return nil, fmt.Errorf("%w: the External Registrar on %s runs for other addresses: stop it first", ErrBusy, r.Interface)
	}
	i.er.join(r)
	return i.er, nil
}

// interfaceNamed finds an interface, whatever it is used as. The caller holds mu.
func (s *Service) interfaceNamed(ifname string) (*iface, error) {
	i, ok := s.interfaces[ifname]
	switch {
	case s.closing || s.ctx == nil:
		return nil, ErrShutdown
	case !ok:
		return nil, fmt.Errorf("%w (%q)", ErrNoInterface, ifname)
	}
	return i, nil
}

// newER starts the goroutine of an External Registrar, which owns point then.
func (s *Service) newER(r ERStart, point ControlPoint) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, err := s.interfaceNamed(r.Interface) // it may have gone meanwhile
	if err != nil {
		return err
	}
	if err := s.identifyAnyway(i.HardwareAddr); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(s.ctx)
	keys := &keyMaker{rand: s.rand}
	e := &externalRegistrar{
		service: s, iface: i, address: r.Address, point: point, cancel: cancel,
		commands: make(chan func(time.Time)), over: make(chan struct{}),
		replies: make(chan erReply),
		owners:  make(map[string]string), users: make(map[string]struct{}),
		registrar: er.New(er.Config{Device: s.deviceFor(i.HardwareAddr), Rand: s.rand,
			KeyPair: keys.prepared}), keys: keys,
		runs: make(map[er.RunID]*erRun), tags: make(map[er.RunID]*erTag),
		wake: make(chan struct{}, 1),
	}
	e.join(r)
	if err := s.begin(func() { e.run(ctx) }); err != nil {
		cancel(err)
		return err
	}
	i.er = e
	s.log.Info("External Registrar started", "interface", i.Name, "owner", r.Owner)
	s.emit(ERChanged{ER: e.snapshot()})
	return nil
}

// StopER ends the External Registrar on an interface, whoever started it, and its sessions. It
// returns at once; access points are told in the background.
func (s *Service) StopER(_ context.Context, ifname string) error {
	return s.stopER(ifname, func(*externalRegistrar) bool { return true })
}

// StopOwnER is StopER for one user: ErrChanged if it runs, or has a session, for anybody else as
// well.
func (s *Service) StopOwnER(_ context.Context, ifname, user string) error {
	return s.stopER(ifname, func(e *externalRegistrar) bool { return e.isOnlyOf(user) })
}

func (s *Service) stopER(ifname string, may func(*externalRegistrar) bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.runningER(ifname)
	if err != nil {
		return err
	}
	if !may(e) {
		return ErrChanged
	}
	e.stop(ending.ErrERStopped)
	return nil
}

// OwnsER reports whether the External Registrar on an interface, and its sessions, are those of one
// user; also where none runs.
func (s *Service) OwnsER(ifname, user string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.runningER(ifname)
	return err != nil || e.isOnlyOf(user)
}

// isOnlyOf reports whether one user alone has started it and its sessions. The caller holds
// Service.mu.
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
	return e.service.sessions.Count(func(ses *session.Running) bool {
		return ses.By == any(e) && !ses.State.Ended() && ses.User != user
	}) == 0
}

// runningER finds the External Registrar on an interface. The caller holds mu.
func (s *Service) runningER(ifname string) (*externalRegistrar, error) {
	i, err := s.interfaceNamed(ifname)
	if err != nil {
		return nil, err
	}
	if i.er == nil {
		return nil, fmt.Errorf("%w (%s)", ErrERStopped, ifname)
	}
	return i.er, nil
}

// WantsER reports whether an External Registrar runs because this owner started it.
func (s *Service) WantsER(owner string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range s.interfaces {
		if i.er != nil {
			if _, wants := i.er.owners[owner]; wants {
				return true
			}
		}
	}
	return false
}

// join notes one more who wants it to run. The caller holds Service.mu.
func (e *externalRegistrar) join(r ERStart) {
	if r.Detach {
		e.detached = true
		e.users[r.User] = struct{}{}
		return
	}
	e.owners[r.Owner] = r.User
}

// release forgets an owner that left, and ends the External Registrar if nobody is left. The caller
// holds Service.mu.
func (e *externalRegistrar) release(owner string) {
	delete(e.owners, owner)
	e.stopUnwanted()
}

// stopUnwanted ends the External Registrar if all who started it have left and no session needs it.
// The caller holds Service.mu.
func (e *externalRegistrar) stopUnwanted() {
	if e.detached || len(e.owners) > 0 {
		return
	}
	if e.service.sessions.Count(func(ses *session.Running) bool {
		return ses.By == any(e) && !ses.Stopping && !ses.State.Ended()
	}) == 0 {
		e.stop(ending.ErrOwnerLeft)
	}
}

// stop lets its goroutine end, and tells that it has: who asks from now on is told that none runs.
// The caller holds Service.mu.
func (e *externalRegistrar) stop(cause error) {
	e.cancel(cause)
	if e.iface.er != e {
		return
	}
	s := e.service
	e.iface.er = nil
	s.published.RemoveER(e.iface.Name)
	s.log.Info("External Registrar stopped", "interface", e.iface.Name, "why", cause)
}

// snapshot is what subscribers see of it.
func (e *externalRegistrar) snapshot() ER {
	return ER{Interface: e.iface.Name, Running: true, Address: e.address}
}

// ERConfig returns what the External Registrar gives to Enrollees of an access point, with the key.
// It is the caller's to wipe.
func (s *Service) ERConfig(ctx context.Context, ifname string, ap ERPeer) (wsc.Credential, error) {
	var settings wsc.Credential
	err := s.askER(ctx, ifname, func(e *externalRegistrar, _ time.Time) error {
		found, err := e.findAP(ap)
		if err != nil {
			return err
		}
		var known bool
		if settings, known = e.registrar.Settings(found.ID); !known {
			return ErrNoERSettings
		}
		return nil
	})
	return settings, err
}

// ERSetConfig says that Enrollees of an access point are to be given a stored network. Nothing is
// sent to the access point.
func (s *Service) ERSetConfig(ctx context.Context, ifname string, ap ERPeer,
	network NetworkID) error {
	n, err := s.NetworkSecrets(network)
	if err != nil {
		return err
	}
	defer n.Wipe()
	settings := wsc.Credential{NetworkIndex: 1, SSID: n.SSID, AuthType: n.Auth,
		EncrType: n.Encryption, NetworkKey: n.Key}
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
func (s *Service) findER(ifname string) (*externalRegistrar, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.runningER(ifname)
}

// askER lets the goroutine of a running External Registrar do something.
func (s *Service) askER(ctx context.Context, ifname string,
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
