package lending

import (
	"context"
	"log/slog"
	"sync"

	"wpsd/drivers"
	"wpsd/engine/credential"
	"wpsd/service/state"
	"wpsd/service/store"
)

// Hub is what lending needs of the service.
type Hub interface {
	// LinkDown takes the link of an interface down, also of one that is not known yet.
	LinkDown(ctx context.Context, ifname string) error
	// WithRadio runs use while nobody else of us has the interface; an error of its own is why ctx
	// ended.
	WithRadio(ctx context.Context, ifname string, use func() error) error
	// WithStation opens an interface for use. The caller has the radio.
	WithStation(ctx context.Context, ifname string, use func(drivers.Station) error) error
	// Idle names the interfaces with a radio that no session has.
	Idle() []string
	// ManagerIs notes who has an interface, unless a session has it by now.
	ManagerIs(ifname, manager string)
	// Stations names the interface of that name, or, for "", all that a network may be handed over
	// on now: an error says why it is not one.
	Stations(ifname string) ([]string, error)
	// Offers are networks with what was heard of them on an interface. Their secrets are shared.
	Offers(ifname string, networks []credential.Network) []credential.Offer
	// Hold keeps the daemon from ending until release is called.
	Hold(why string) (release func())
	// Network returns a stored network, which is the caller's to wipe.
	Network(id state.NetworkID) (credential.Network, error)
	// Receiver is the named interface, or the first, if it is a station; "": it is not.
	Receiver(ifname string) string
	// Begin starts a task that the service waits for at its end.
	Begin(task func(ctx context.Context)) error
	// Altered is told that a setting is another than the configuration's.
	Altered()
}

// Config is what Managers work with.
type Config struct {
	Hub Hub
	// Holders are asked, in this order, to let go of an interface that a session needs.
	Holders []Holder
	// Sinks take networks; Apply says which does so if a session does not: one's name, ApplyNone,
	// or ApplyAuto and "" for the one that has the interface.
	Sinks []Sink
	Apply string
	// Journal keeps what is owed to interfaces that are taken; nil: nobody remembers it when we are
	// killed.
	Journal *store.Journal
	// Came receives a value when a manager may be there that was not before; nil: nobody tells.
	Came <-chan struct{}
	// Changed receives a value when a manager may have got or lost an interface; nil: nobody tells.
	Changed <-chan struct{}
	Log     *slog.Logger
}

// Managers are the network managers of this machine. Its methods are safe for concurrent use.
type Managers struct {
	hub     Hub
	holders []Holder
	sinks   []Sink
	apply   string
	journal *store.Journal
	came    <-chan struct{}
	changed <-chan struct{}
	owing   chan struct{} // gets a value when something is owed
	unsure  chan struct{} // see AskSoon
	log     *slog.Logger

	mu    sync.Mutex // guards terms; the hub is not called with it held
	terms terms
}

// New makes Managers that have lent nothing.
func New(c Config) *Managers {
	return &Managers{hub: c.Hub, holders: c.Holders, sinks: c.Sinks, apply: c.Apply,
		journal: c.Journal, came: c.Came, changed: c.Changed, owing: make(chan struct{}, 1),
		unsure: make(chan struct{}, 1), log: c.Log}
}
