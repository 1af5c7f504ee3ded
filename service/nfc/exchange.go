package nfc

import (
	"context"
	"io"
	"log/slog"
	"sync"

	"wpsd/drivers"
	"wpsd/engine/credential"
	"wpsd/engine/er"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/arrival"
	"wpsd/service/external"
	"wpsd/service/lending"
	"wpsd/service/session"
	"wpsd/service/state"
	"wpsd/service/store"
	"wpsd/service/tags"
)

// Hub is what NFC needs of the service: its interfaces and sessions.
type Hub interface {
	// Known refuses the name of an interface that is not there; the empty name stands for none in
	// particular.
	Known(ifname string) error
	// IsAccessPoint reports whether an interface is one now.
	IsAccessPoint(ifname string) bool
	// AccessPoint is the first interface that is an access point which somebody steers; empty:
	// there is none.
	AccessPoint() string
	// Address is that of an interface, or zero.
	Address(ifname string) wsc.MAC
	// UUID is ours on an interface that is a station.
	UUID(ifname string) (wsc.UUID, error)
	// Start begins a session with a task, whose secrets are the session's from then on.
	Start(r session.StartRequest, t session.Task) (state.Session, error)
}

// Managers are the network managers, which get what a tag brought.
type Managers interface {
	// CheckApply refuses the name of a manager that is not there.
	CheckApply(apply string) error
	// HasOthers reports whether the manager that would get networks has others of their names.
	HasOthers(ctx context.Context, t lending.Touch, networks []credential.Network) bool
	// HandOver gives networks to a manager in the background, and wipes them then.
	HandOver(t lending.Touch, networks []credential.Network)
}

// AccessPoints are the access points of this machine.
type AccessPoints interface {
	// Ask asks the software of one of them.
	Ask(ctx context.Context, ifname string,
		ask func(drivers.AccessPoint) (secret.Value, error)) (secret.Value, error)
}

// Registrars are the External Registrars.
type Registrars interface {
	// Runs reports whether one runs on an interface, First on which one does; empty: on none.
	Runs(ifname string) bool
	First() string
	// ERConfig is what Enrollees of an access point are given, for the caller to wipe; NetworkOf
	// the access point, and the name of that network.
	ERConfig(ctx context.Context, ifname string, ap external.Peer) (wsc.Credential, error)
	NetworkOf(ctx context.Context, ifname string, ap external.Peer) (er.APID, []byte, error)
	// GrantNFC lets a device in.
	GrantNFC(ctx context.Context, r external.Request, g er.NFCGrant) (state.Session, error)
}

// Config is what an Exchange works with.
type Config struct {
	Hub          Hub
	Arrivals     *arrival.Arrivals // take the networks of tags
	Managers     Managers
	AccessPoints AccessPoints
	Registrars   Registrars
	Tags         *tags.Tags
	// Expired is called when a handover is forgotten since its time is over.
	Expired func()
	Store   *store.Store
	// Own is this device's password token; of id 0: the stored one, or one that is made when it is
	// needed. Its secrets are copied.
	Own  store.Token
	Rand io.Reader // drawn from by one goroutine at a time
	Log  *slog.Logger
}

// Exchange is what goes over NFC. Its methods are safe for concurrent use.
type Exchange struct {
	hub        Hub
	arrivals   *arrival.Arrivals
	managers   Managers
	hotspots   AccessPoints
	registrars Registrars
	tags       *tags.Tags
	handovers  handovers
	expired    func()
	store      *store.Store
	own        store.Token
	rand       io.Reader
	log        *slog.Logger
	making     sync.Mutex // one makes our token
}

// New makes an Exchange. ErrInvalid tells of a token that is none.
func New(c Config) (*Exchange, error) {
	s := &Exchange{hub: c.Hub, arrivals: c.Arrivals, managers: c.Managers, hotspots: c.AccessPoints,
		registrars: c.Registrars, tags: c.Tags, expired: c.Expired, store: c.Store, rand: c.Rand, log: c.Log}
	if c.Own.ID != 0 {
		if err := s.useToken(c.Own); err != nil {
			return nil, err
		}
	}
	return s, nil
}
