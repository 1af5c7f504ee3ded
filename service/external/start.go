package external

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"wpsd/drivers"
	"wpsd/engine/er"
	"wpsd/service/ending"
	"wpsd/service/keypair"
	"wpsd/service/state"
	"wpsd/service/tags"
)

// Start says where, for whom and with which access points to be External Registrar.
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
		runs:      make(map[er.RunID]*erRun), tags: make(map[er.RunID]*tags.Use),
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

// InterfaceGone ends the External Registrar on an interface that is gone.
func (s *Registrars) InterfaceGone(ifname string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.running[ifname]; e != nil {
		e.stop(drivers.ErrInterfaceGone)
	}
}

// EndAll tells all to end, and why.
func (s *Registrars) EndAll(cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.running {
		e.stop(cause)
	}
}

// ReleaseOwner forgets an owner that left, and ends the External Registrars that ran for it alone.
func (s *Registrars) ReleaseOwner(owner string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.running {
		e.release(owner)
	}
}

// LookAgain lets all look for their access points again, which may have forgotten them while the
// machine slept.
func (s *Registrars) LookAgain() {
	for _, e := range s.all() {
		// it may have ended
		_ = e.command(context.Background(), func(now time.Time) {
			e.perform(now, e.registrar.Moved(now))
		})
	}
}
