package arrival

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"wpsd/engine/credential"
	"wpsd/engine/wsc"
	"wpsd/service/agents"
	"wpsd/service/ending"
	"wpsd/service/outcome"
	"wpsd/service/receive"
	"wpsd/service/session"
	"wpsd/service/state"
	"wpsd/service/store"
)

// Hub is what arrivals need of the service.
type Hub interface {
	// Processing says what becomes of Credentials now.
	Processing() state.Processing
	// SAEOnly reports whether a network was heard, on an interface, to take SAE only.
	SAEOnly(ifname string, ssid []byte) bool
}

// Config is what Arrivals work with.
type Config struct {
	Hub       Hub
	Store     *store.Store
	Published *state.Published
	Agents    *agents.Registry
	Log       *slog.Logger
}

// Arrivals take what arrives. It is safe for concurrent use.
type Arrivals struct {
	hub       Hub
	store     *store.Store
	published *state.Published
	agents    *agents.Registry
	log       *slog.Logger
	storing   sync.Mutex // held while a network is stored; the hub is not called then
}

// New makes Arrivals.
func New(c Config) *Arrivals {
	return &Arrivals{hub: c.Hub, store: c.Store, published: c.Published, agents: c.Agents,
		log: c.Log}
}

// Processing says what becomes of Credentials now.
func (a *Arrivals) Processing() state.Processing { return a.hub.Processing() }

// Network returns what arrived once and is stored, with its key. It is the caller's to wipe.
func (a *Arrivals) Network(id state.NetworkID) (credential.Network, error) {
	n, err := a.store.Network(uint32(id))
	if err != nil {
		return credential.Network{}, fmt.Errorf("%w (%d)", state.ErrNoNetwork, id)
	}
	return n.Network, nil
}

// Convert makes networks of Credentials that came to an interface, and wipes cs; see
// receive.Convert. It is done once, and Take has the result.
func (a *Arrivals) Convert(ifname string, cs []wsc.Credential,
	own wsc.MAC) (*receive.Credentials, error) {
	return receive.Convert(cs, own, a.saeOnly(ifname))
}

// Read is Convert for who does not own cs: a run, which answers before it is over.
func (a *Arrivals) Read(ifname string, cs []wsc.Credential,
	own wsc.MAC) (*receive.Credentials, error) {
	return receive.Read(cs, own, a.saeOnly(ifname))
}

func (a *Arrivals) saeOnly(ifname string) func(ssid []byte) bool {
	return func(ssid []byte) bool { return a.hub.SAEOnly(ifname, ssid) }
}

// Arrival is Credentials that came.
type Arrival struct {
	// Session received them, and owns Credentials from now on; nil: none did, and they stay the
	// caller's.
	Session     *session.Running
	Credentials *receive.Credentials
	From        receive.Origin
	// Typed says that a person has asked for just this: it is stored, whatever happens to what the
	// network says, and no agent is told.
	Typed bool
	// May is asked for each network before any is stored, and its error is all that happens then;
	// nil: they may.
	May func(credential.Network) error
}

// Result is what became of an Arrival.
type Result struct {
	Processing state.Processing // as it was then
	Stored     []state.NetworkID
	// what is wrong all the same: receive.ErrUseless, *ending.NotStoredError; nil: nothing
	Err error
}

// Take is what happens to Credentials that arrived.
func (a *Arrivals) Take(r Arrival) Result {
	c, id := r.Credentials, state.SessionID(0)
	if r.Session != nil {
		id = r.Session.ID
	}
	for _, l := range c.LeftOut {
		a.log.Warn("a credential was left out", "session", id, "source", r.From.Source, "ssid",
			outcome.LeftOut{SSID: l.SSID}.Name(), "err", l)
	}
	came := Result{Processing: a.hub.Processing()}
	if r.Typed {
		came.Processing = state.ProcessingInternal
	}
	if came.Processing != state.ProcessingExternal {
		if err := a.keep(r); err != nil {
			return Result{Err: err}
		}
	}
	if c.NotStored != nil {
		a.log.Error("a network cannot be stored", "session", id, "source", r.From.Source, "err",
			c.NotStored)
	}
	came.Err = whatIsWrong(c, came.Processing)
	if came.Processing != state.ProcessingInternal {
		a.agents.Offer(id, credential.CloneAll(c.Received))
	}
	came.Stored = a.announce(c.Stored)
	if r.Session != nil {
		r.Session.Keep(c.Networks, c.Received, func(told *state.Session) {
			told.Detail.Credentials, told.Detail.NotStored = len(c.Networks), c.NotStored != nil
			told.Detail.LeftOut = ending.LeftOut(c.LeftOut)
			told.Networks = append(told.Networks, came.Stored...)
		})
	}
	return came
}

// keep stores what arrived, if it may: nothing else is stored between the question and the act.
func (a *Arrivals) keep(r Arrival) error {
	a.storing.Lock()
	defer a.storing.Unlock()
	for _, n := range r.Credentials.Networks {
		if r.May == nil {
			break
		}
		if err := r.May(n); err != nil {
			return err
		}
	}
	r.Credentials.Store(a.store, r.From)
	return nil
}

// whatIsWrong says what keeps an arrival from being a success.
func whatIsWrong(c *receive.Credentials, processing state.Processing) error {
	switch {
	case c.NotStored != nil:
		return &ending.NotStoredError{Err: c.NotStored}
	case len(c.Networks) > 0:
		return nil
	case processing == state.ProcessingExternal && len(c.Received) > 0:
		return nil // the agent may know what to do with it
	}
	why := make([]error, len(c.LeftOut))
	for i, l := range c.LeftOut {
		why[i] = l
	}
	return fmt.Errorf("%w: %w", receive.ErrUseless, errors.Join(why...))
}

// announce tells of networks that were stored, and returns which these are.
func (a *Arrivals) announce(stored []receive.Stored) []state.NetworkID {
	var ids []state.NetworkID
	for _, n := range stored {
		told := NetworkOf(n.Network)
		a.published.AddNetwork(told)
		for _, id := range n.Removed {
			a.published.RemoveNetwork(state.NetworkID(id))
		}
		if !slices.Contains(ids, told.ID) { // two Credentials for one name
			ids = append(ids, told.ID)
		}
	}
	return ids
}

// NetworkOf is what is told of a stored network.
func NetworkOf(n store.Network) state.Network {
	return state.Network{
		ID: state.NetworkID(n.ID), SSID: n.SSID, Auth: n.Auth, Encryption: n.Encryption,
		KeyKind: n.KeyKind, WPA3Only: n.WPA3Only,
		BSSID: n.BSSID, Source: n.Source, Created: n.Created,
	}
}
