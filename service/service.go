package service

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"

	"wpsd/drivers"
	"wpsd/engine/wsc"
	"wpsd/service/agents"
	"wpsd/service/air"
	"wpsd/service/arrival"
	"wpsd/service/external"
	"wpsd/service/fence"
	"wpsd/service/hotspot"
	"wpsd/service/lending"
	"wpsd/service/listening"
	"wpsd/service/nfc"
	"wpsd/service/radio"
	"wpsd/service/session"
	"wpsd/service/settings"
	"wpsd/service/state"
	"wpsd/service/station"
	"wpsd/service/store"
	"wpsd/service/tags"
)

// Config is what a Service is made of.
type Config struct {
	// Device, Processing and FragmentSize are settings that Reload replaces; see settings.Values.
	Device       wsc.Device
	Processing   state.Processing
	FragmentSize int
	// Drivers are asked for interfaces. They are closed by whoever made them, after Run.
	Drivers []drivers.Driver
	// Interfaces are the only ones to be used; empty: all that the drivers list.
	Interfaces []string
	// AccessPoints steers interfaces that are access points; nil: nobody does.
	AccessPoints drivers.AccessPoints
	// ControlPoint opens the sockets of an External Registrar on an interface; nil: there can be
	// none.
	ControlPoint func(ifname string) (external.ControlPoint, error)
	// Store keeps networks and identity; nil: only in memory.
	Store *store.Store
	// Token is this device's NFC password token; of id 0: the stored one, or one that is made when
	// it is needed. Its secrets are copied.
	Token store.Token
	// Managers are the network managers; its Hub and Log are set here.
	Managers lending.Config
	// Rand is drawn from by one goroutine at a time; nil: crypto/rand.
	Rand io.Reader
	// Log; nil: none.
	Log *slog.Logger
	// Version of the program, for Manager.
	Version string
}

// Service is the heart of the daemon. Its methods are safe for concurrent use.
type Service struct {
	sources sources
	store   *store.Store
	log     *slog.Logger
	holds   *holds

	published  *state.Published // what subscribers see
	sessions   *session.Table
	registrars *external.Registrars
	lenders    *lending.Managers
	arrivals   *arrival.Arrivals
	scans      *listening.Scans // of others
	hotspots   *hotspot.Hotspots
	stations   *station.Stations
	settings   *settings.Settings
	tags       *tags.Tags
	nfc        *nfc.Exchange
	agents     *agents.Registry // which ends after all tasks

	mu         sync.Mutex
	life       life
	interfaces map[string]*iface
	radios     radio.Turns
}

// New makes a Service, which does nothing before Run.
func New(c Config) (*Service, error) {
	s := &Service{
		sources: sources{drivers: c.Drivers, only: c.Interfaces, added: make(map[string]bool)},
		store:   c.Store, log: c.Log,
		life: life{ready: make(chan struct{})}, holds: newHolds(),
		interfaces: make(map[string]*iface),
	}
	if s.store == nil {
		s.store = store.Memory()
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	c.Managers.Hub, c.Managers.Log = lendingHub{s}, s.log
	s.lenders = lending.New(c.Managers)
	s.agents = agents.New(agentsHub{s}, s.log)
	s.scans = listening.New(listeningHub{s}, air.StaleAfter, s.log)
	s.tags = tags.New(s.log, s.holds.calmDown)
	random := &lockedReader{r: c.Rand}
	if c.Rand == nil {
		random.r = rand.Reader
	}
	s.published = state.New(state.Manager{})
	var err error
	if s.settings, err = settings.New(settings.Config{Values: settings.Values{
		Device: c.Device, Processing: c.Processing, FragmentSize: c.FragmentSize}, Version: c.Version,
		Store: s.store, Published: s.published, Rand: random, Log: s.log}); err != nil {
		return nil, err
	}
	s.sessions = session.New(s.published, s.log, s.sessionOver)
	s.arrivals = arrival.New(arrival.Config{Hub: arrivalHub{s}, Store: s.store,
		Published: s.published, Agents: s.agents, Log: s.log})
	s.registrars = external.New(external.Config{Hub: registrarsHub{s},
		ControlPoint: c.ControlPoint, Sessions: s.sessions, Published: s.published,
		Arrivals: s.arrivals, Tags: s.tags, Rand: random, Log: s.log})
	s.hotspots = hotspot.New(hotspotHub{s}, c.AccessPoints, s.log)
	s.stations = station.New(station.Config{Managers: s.lenders, Arrivals: s.arrivals,
		Store: s.store, Published: s.published, Device: s.settings.Device, Tags: s.tags,
		Rand: random, Log: s.log})
	if s.nfc, err = nfc.New(nfc.Config{Hub: nfcHub{s}, Arrivals: s.arrivals, Managers: s.lenders,
		AccessPoints: s.hotspots, Registrars: s.registrars, Tags: s.tags,
		Expired: s.holds.calmDown, Store: s.store, Own: c.Token, Rand: random, Log: s.log}); err != nil {
		return nil, err
	}
	for _, n := range s.store.Networks() {
		s.published.AddNetwork(arrival.NetworkOf(n))
	}
	for _, id := range s.store.Tidied() {
		s.log.Info("an older copy of a stored network was removed", "network", id)
	}
	for _, d := range s.store.Damaged() {
		s.log.Warn("a file of the state directory cannot be used", "file", d.Name, "err", d.Err)
	}
	return s, nil
}

// Published is what there is, as subscribers see it.
func (s *Service) Published() *state.Published { return s.published }

// Agents are the credential agents.
func (s *Service) Agents() *agents.Registry { return s.agents }

// Registrars are the External Registrars.
func (s *Service) Registrars() *external.Registrars { return s.registrars }

// Scans are the scans of others.
func (s *Service) Scans() *listening.Scans { return s.scans }

// Hotspots are the access points of this machine.
func (s *Service) Hotspots() *hotspot.Hotspots { return s.hotspots }

// Settings are what may be changed while the service runs.
func (s *Service) Settings() *settings.Settings { return s.settings }

// NFC is what goes over NFC.
func (s *Service) NFC() *nfc.Exchange { return s.nfc }

// agentsHub is what the agents tell.
type agentsHub struct{ s *Service }

// CredentialsWaiting implements agents.Hub.
func (h agentsHub) CredentialsWaiting(n int) { h.s.settings.SetWaiting(n) }

// AgentEnded implements agents.Hub.
func (h agentsHub) AgentEnded() { h.s.holds.calmDown() }

// Ready is closed once Run has listed the interfaces for the first time.
func (s *Service) Ready() <-chan struct{} { return s.life.ready }

// Run follows the interfaces until ctx ends, then ends all sessions and returns when every
// interface was given back. It is called once. It fails only if a driver cannot list its interfaces
// at the start.
func (s *Service) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s.mu.Lock()
	s.life.ctx = ctx
	s.mu.Unlock()
	s.lenders.PayAll(ctx)
	var err error
	for _, d := range s.sources.drivers {
		if listErr := s.list(ctx, d); listErr != nil {
			err = errors.Join(err, fmt.Errorf("service: driver %s: %w", d.Name(), listErr))
		}
	}
	s.warnOfMissing(s.sources.only...)
	s.lookAtInterfaces(ctx)
	close(s.life.ready)
	if err == nil {
		var followers sync.WaitGroup
		for _, d := range s.sources.drivers {
			followers.Go(fence.Func(s.log, "following the interfaces of "+d.Name(), func() {
				s.follow(ctx, d)
			}, nil))
			followers.Go(fence.Keep(s.log, "following the connections of "+d.Name(), func() {
				s.followConnections(ctx, d)
			}))
		}
		for _, d := range s.sources.drivers {
			if d.Heard() != nil { // one driver has radios
				followers.Go(fence.Keep(s.log, "hearing the scans of others", func() {
					s.scans.Run(ctx, d)
				}))
				break
			}
		}
		followers.Go(fence.Keep(s.log, "following the managers", func() {
			s.lenders.Watch(ctx)
		}))
		followers.Go(fence.Keep(s.log, "paying debts", func() { s.lenders.Pay(ctx) }))
		<-ctx.Done()
		followers.Wait()
	}
	s.shutDown(cancel)
	return err
}

// stopAll lets nothing begin any more, and tells what runs to end.
func (s *Service) stopAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.life.closing = true
	s.sessions.StopAll(state.ErrShutdown)
	s.registrars.EndAll(state.ErrShutdown)
	for _, i := range s.interfaces {
		i.stopScan()
	}
}

// shutDown ends what runs and waits for it.
func (s *Service) shutDown(cancel context.CancelCauseFunc) {
	s.stopAll()
	cancel(state.ErrShutdown)
	s.life.tasks.Wait()
	s.agents.Close(state.ErrShutdown)
	s.sessions.Close()
	s.tags.Wipe()
	s.nfc.Wipe()
}

// lockedReader lets the session goroutines and those that prepare key pairs share one source.
type lockedReader struct {
	mu sync.Mutex
	r  io.Reader
}

// Read implements io.Reader.
func (l *lockedReader) Read(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.r.Read(b)
}
