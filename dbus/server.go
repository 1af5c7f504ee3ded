package dbus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/introspection"
	"wpsd/service/fence"
	"wpsd/service/state"
)

// maxJobs is how many calls are carried out at once, maxLooks of how many it is found out at once
// what they will do.
const (
	maxJobs  = 64
	maxLooks = 8
)

// Options are what a Server can do without.
type Options struct {
	// Log gets what callers are not told; nil: nowhere.
	Log *slog.Logger
	// Authorizer decides who may do what; nil: OnlyRoot, and the user that we run as.
	Authorizer Authorizer
	// Ready is called once we own our name, before the first call is answered.
	Ready func()
	// Idle says when to end; the zero value: never.
	Idle Idle
	// Alive, if set, is called every Pulse by the goroutine that answers calls: it proves that
	// calls are answered.
	Alive func()
	Pulse time.Duration
	// Managers are the names of the network managers that networks can be handed to, as the option
	// "apply" takes them.
	Managers []string
}

// pulse proves that calls are answered: tell is called every so often.
type pulse struct {
	tell  func()
	every time.Duration
}

// Server answers for all objects on one Bus. Its fields belong to the goroutine of Run.
type Server struct {
	bus      *Bus
	svc      Rooms
	handlers map[string]handler
	log      *slog.Logger
	auth     Authorizer
	ready    func()
	idle     idle
	pulse    pulse
	managers []string
	watchers map[string]bool
	api      map[string]*introspection.Interface

	ctx     context.Context // ends with Run
	expired context.Context // has ended: to take events without waiting
	sub     *state.Subscription
	objects *tree
	peers   map[string]*peer
	uses    uint64
	jobs    jobs
}

// idle is when the Server leaves, and what it asks for that.
type idle struct {
	Idle
	busy  func() string   // why not; empty: it may
	calm  <-chan struct{} // that may have changed
	timer *time.Timer     // for leave
}

// jobs are the calls that are carried out.
type jobs struct {
	running int
	results chan result
	places  chan struct{} // of those that do something
	looks   chan struct{} // of those that find out what a call will do
}

// New makes a Server. It does nothing before Run.
func New(bus *Bus, svc Rooms, o Options) (*Server, error) {
	all, err := introspection.Served()
	if err != nil {
		return nil, err
	}
	s := &Server{
		bus: bus, svc: svc, handlers: handlers, log: o.Log, auth: o.Authorizer, ready: o.Ready,
		idle:  idle{Idle: o.Idle, busy: svc.Busy, calm: svc.Calm()},
		pulse: pulse{o.Alive, o.Pulse}, managers: o.Managers,
		watchers: map[string]bool{},
		api:      map[string]*introspection.Interface{}, peers: map[string]*peer{},
		jobs: jobs{results: make(chan result, maxJobs), places: make(chan struct{}, maxJobs),
			looks: make(chan struct{}, maxLooks)},
	}
	for i := range all {
		s.api[all[i].Name] = &all[i]
	}
	s.objects = newTree(s.api, s.managers)
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.objects.leftOut = func(path godbus.ObjectPath, why string) {
		s.log.Error("an object is left out: it cannot be told", "object", string(path), "why", why)
	}
	if s.auth == nil {
		s.auth = OnlyRoot{Also: uint32(os.Geteuid())}
	}
	expired, cancel := context.WithCancel(context.Background())
	cancel()
	s.expired = expired
	return s, nil
}

// Run makes all objects, takes our name and answers calls until ctx ends. It closes the Bus.
func (s *Server) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	s.ctx = ctx
	defer func() {
		cancel()
		for s.jobs.running > 0 { // nobody is left behind
			<-s.jobs.results
			s.jobs.running--
		}
		_ = s.bus.Close() // says only that it was closed before
	}()
	s.resubscribe(nil)
	defer func() { s.sub.Close() }()
	if err := s.bus.ownName(ctx); err != nil {
		return err
	}
	if s.ready != nil {
		s.ready()
	}
	s.idle.timer = time.NewTimer(time.Hour)
	defer s.idle.timer.Stop()
	pulse, stopPulse := s.startPulse()
	defer stopPulse()
	for s.rest(); ; {
		if err := s.drain(); err != nil {
			return err
		}
		select {
		case <-s.idle.timer.C:
			if err := s.leave(); err != nil {
				return err
			}
			continue
		case <-pulse:
			s.idle.busy() // waits for the service's lock: a service that holds it for ever is not alive
			s.pulse.tell()
			continue
		case <-s.idle.calm:
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), s.drain())
		case <-s.bus.conn.Done():
			return ErrBusLost
		case <-s.bus.lost:
			return ErrNameLost
		case <-s.sub.Ready():
		case name := <-s.bus.left:
			s.peerLeft(name)
			s.watcherLeft(name)
		case r := <-s.jobs.results:
			if err := s.finish(r); err != nil {
				return err
			}
		case <-s.bus.queue.ready:
			s.serve()
		}
		s.rest()
	}
}

// startPulse makes the channel that says when to call alive.
func (s *Server) startPulse() (pulse <-chan time.Time, stop func()) {
	if s.pulse.tell == nil || s.pulse.every <= 0 {
		return nil, func() {}
	}
	t := time.NewTicker(s.pulse.every)
	return t.C, t.Stop
}

// resubscribe learns the present state anew. emit, if set, is told what is different from before.
func (s *Server) resubscribe(emit emitter) {
	snapshot, sub := s.svc.Published.Subscribe()
	s.sub = sub
	s.objects.reset(snapshot, emit)
}

// drain turns all events that are there into signals.
func (s *Server) drain() error {
	s.bus.conn.Hold()
	defer s.bus.conn.Release()
	for {
		e, err := s.sub.Next(s.expired)
		switch {
		case err == nil:
			s.apply(e)
			continue
		case errors.Is(err, context.Canceled): // there are none
			s.bus.conn.Flush() // what happened does not wait for the lists that it changes
			s.objects.flush(s.broadcast)
			return nil
		case errors.Is(err, state.ErrSubscriberTooSlow):
			// The bus did not take our signals for a while. Nobody gets those that are lost, but
			// properties and objects are told as they are now.
			s.log.Warn("too many events at once: signals were lost", "err", err)
			s.sub.Close()
			s.resubscribe(s.broadcast)
			continue
		}
		return err
	}
}

// apply turns one event into signals. It survives a mistake of ours: what an access point sends
// must not stop us.
func (s *Server) apply(e state.Event) {
	_ = fence.Do(s.log, fmt.Sprintf("the event %T", e), func() error { s.signalsOf(e); return nil })
}

func (s *Server) signalsOf(e state.Event) {
	s.objects.apply(e, s.broadcast)
	if e, ok := e.(state.CredentialReceived); ok {
		s.tellCredentials(e.Session)
	}
	if e, ok := e.(state.ERAPSettings); ok {
		s.tellSettings(e)
	}
}

// broadcast is the emitter for signals to everybody.
func (s *Server) broadcast(sig signal) {
	s.bus.emit("", sig.path, sig.iface, sig.member, sig.body...)
}

// onBus reports whether an owner is a client of the bus. Others, such as those of the control
// socket, are not told here: a bus ends the connection of who sends to a name that cannot be one.
func onBus(owner string) bool { return strings.HasPrefix(owner, ":") }

// tellCredentials sends what a session received to its owner, and to nobody else.
func (s *Server) tellCredentials(id state.SessionID) {
	session, ok := s.objects.sessions[id]
	if !ok || !onBus(session.Owner) {
		return
	}
	list, err := s.svc.Received(id)
	if err != nil {
		s.log.Error("credentials of a session", "session", id, "err", err)
		return
	}
	for _, n := range list {
		s.bus.emit(session.Owner, sessionPath(id), sessionIface, "CredentialReceived",
			credentialValues(n), octets(n.Raw.Bytes()))
		wipe(n)
	}
}
