package external

import (
	"context"
	"io"
	"log/slog"
	"sync"

	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
	"wpsd/service/arrival"
	"wpsd/service/session"
	"wpsd/service/state"
	"wpsd/service/tags"
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

// Hub is what External Registrars need of the service.
type Hub interface {
	// Interface returns the address of a network interface; an error: there is none.
	Interface(ifname string) (wsc.MAC, error)
	// Device is what we say of ourselves on it, always with a UUID.
	Device(ifname string) (wsc.Device, error)
	// Begin starts a task that the service waits for at its end, if the interface is there.
	Begin(ifname string, task func()) error
	// Asleep reports whether nothing may begin.
	Asleep() bool
}

// Config is what the External Registrars work with.
type Config struct {
	Hub Hub
	// ControlPoint opens the sockets on an interface; nil: there can be no External Registrar.
	ControlPoint func(ifname string) (ControlPoint, error)
	Sessions     *session.Table
	Published    *state.Published
	Arrivals     *arrival.Arrivals // take the settings of access points
	Tags         *tags.Tags
	Rand         io.Reader // drawn from by one goroutine at a time
	Log          *slog.Logger
}

// Registrars are the External Registrars, one for each interface where one runs. Its methods are
// safe for concurrent use.
type Registrars struct {
	hub       Hub
	point     func(ifname string) (ControlPoint, error)
	sessions  *session.Table
	published *state.Published
	arrivals  *arrival.Arrivals
	tags      *tags.Tags
	rand      io.Reader
	log       *slog.Logger
	starts    sync.Mutex // of External Registrars, one at a time

	// mu guards running, and who wants each. The hub is not called with it held.
	mu      sync.Mutex
	running map[string]*externalRegistrar // by interface
}

// New makes Registrars of which none runs.
func New(c Config) *Registrars {
	return &Registrars{hub: c.Hub, point: c.ControlPoint, sessions: c.Sessions,
		published: c.Published, arrivals: c.Arrivals, tags: c.Tags, rand: c.Rand, log: c.Log,
		running: make(map[string]*externalRegistrar)}
}

// Possible reports whether there can be External Registrars here.
func (s *Registrars) Possible() bool { return s.point != nil }

// Runs reports whether an External Registrar runs on an interface.
func (s *Registrars) Runs(ifname string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running[ifname] != nil
}

// First is the first interface, by name, on which one runs; empty: there is none.
func (s *Registrars) First() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := ""
	for ifname := range s.running {
		if first == "" || ifname < first {
			first = ifname
		}
	}
	return first
}
