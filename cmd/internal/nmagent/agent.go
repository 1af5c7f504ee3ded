package nmagent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/dbus/bus"
)

// NetworkManager on the bus, and what it calls of ours.
const (
	networkManager = "org.freedesktop.NetworkManager"
	managerPath    = godbus.ObjectPath("/org/freedesktop/NetworkManager")
	registryPath   = managerPath + "/AgentManager"
	registryIface  = networkManager + ".AgentManager"
	agentPath      = managerPath + "/SecretAgent"
	agentIface     = networkManager + ".SecretAgent"
)

// Identifier is what NetworkManager knows the agent by, unless an Agent says otherwise. It takes
// one of a kind for each user.
const Identifier = "fi.w1.wps"

const (
	// answerTime is how long a question of ours may take to be answered.
	answerTime = 25 * time.Second
	// patience is how long NetworkManager is made to wait for a key. It gives up after 120 s.
	patience = 115 * time.Second
)

// againAfter is when registering is tried again that NetworkManager has refused: it has its name on
// the bus a moment before it can be called (seen with 1.42). The last one is for ever.
var againAfter = []time.Duration{250 * time.Millisecond, time.Second, 5 * time.Second, time.Minute}

// Agent answers NetworkManager. Its fields are set before Run, and not changed.
type Agent struct {
	// Identifier is another one than usual; empty: the usual one.
	Identifier string
	// Unattended lets the agent answer also where nobody is at the computer, and for connections
	// that NetworkManager makes by itself.
	Unattended bool
	// Terminal says that whoever started the agent sits at a terminal, which counts as being there.
	Terminal bool
	// OnEvent is told what happens, for a person; nil: nobody is. It is called by several
	// goroutines, and must not wait.
	OnEvent func(Event)
	// Log gets what happens; nil: nowhere.
	Log *slog.Logger
}

// EventKind is what happened.
type EventKind string

// What happens.
const (
	// Registered: NetworkManager knows the agent.
	Registered EventKind = "registered"
	// Refused: NetworkManager does not take the agent, as Sentence says; it is tried again.
	Refused EventKind = "refused"
	// Left: NetworkManager is not there any more, or not yet; the agent waits for it.
	Left EventKind = "left"
	// Declined: the question is for somebody else, as Sentence says.
	Declined EventKind = "declined"
	// Waiting: the button of the access point is to be pressed, until Deadline.
	Waiting EventKind = "waiting"
	// Answered: NetworkManager has the key.
	Answered EventKind = "answered"
	// Failed: there is no key, as Sentence says.
	Failed EventKind = "failed"
	// Canceled: NetworkManager does not want the key any more, or somebody has ended the session.
	Canceled EventKind = "canceled"
)

// Event is told to Agent.OnEvent. There is never a key in it.
type Event struct {
	Kind EventKind
	// SSID and Interface of the connection; empty where none is meant.
	SSID      []byte
	Interface string
	// Session is wpsd's, to be followed or canceled; Deadline its end at the latest.
	Session  godbus.ObjectPath
	Deadline time.Time
	Sentence string
	// Decline, of Waiting, hands the question on to the user's next agent, which may ask for the
	// key; Cancel ends NetworkManager's attempt. Neither waits, and later on both do nothing.
	Decline, Cancel func()
}

// agent is one conversation with NetworkManager and wpsd.
type agent struct {
	Agent
	conn  *bus.Conn
	tries int // in a row that NetworkManager has refused

	mu   sync.Mutex
	runs map[question]*run
}

// question is what NetworkManager names a question by.
type question struct {
	connection godbus.ObjectPath
	setting    string
}

// Run serves NetworkManager until ctx ends, over connections of its own to the bus that is named
// so.
func (a *Agent) Run(ctx context.Context, address string) error {
	log := cmp.Or(a.Log, slog.New(slog.DiscardHandler))
	return bus.Stay(ctx, address, bus.Options{Log: log}, log,
		func(ctx context.Context, conn *bus.Conn) error {
			g := &agent{Agent: *a, conn: conn, runs: map[question]*run{}}
			g.Log = log
			return g.serve(ctx)
		})
}

// serve is one conversation, until ctx or the connection ends.
func (g *agent) serve(ctx context.Context) error {
	signals := g.conn.Signals()
	defer g.conn.Serve(bus.Object{Path: agentPath, Interface: agentIface, Caller: networkManager,
		Methods: map[string]bus.Method{
			"GetSecrets":       {In: "a{sa{sv}}osasu", Hides: isSecret, Do: g.getSecrets},
			"CancelGetSecrets": {In: "os", Do: g.cancelGetSecrets},
			"SaveSecrets":      {In: "a{sa{sv}}o", Hides: isSecret, Do: keepsNothing},
			"DeleteSecrets":    {In: "a{sa{sv}}o", Hides: isSecret, Do: keepsNothing},
		}})()
	if err := g.follow(ctx); err != nil {
		return err
	}
	defer g.cancelAll()
	again := g.arrives(ctx, g.conn.Owner(networkManager))
	for {
		select {
		case <-ctx.Done():
			g.unregister()
			return context.Cause(ctx)
		case <-g.conn.Done():
			return g.conn.Err()
		case <-again:
			again = g.arrives(ctx, g.conn.Owner(networkManager))
		case s, ok := <-signals:
			if !ok {
				return g.conn.Err()
			}
			name, before, owner, changed := ownerChange(s)
			switch {
			case changed && name == networkManager:
				g.cancelAll() // whoever asked is gone
				g.tries = 0
				again = g.arrives(ctx, owner)
			case changed && name == wpsd:
				g.wpsdLeft(before)
			case !changed:
				g.heard(s)
			}
		}
	}
}

// follow listens to whom the agent speaks with.
func (g *agent) follow(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	return g.conn.Follow(ctx, bus.Name{Name: networkManager}, bus.Name{Name: loginManager},
		bus.Name{Name: wpsd, Signals: []bus.Signals{
			{Path: wpsdPath, Below: true, Interface: sessionIface},
			{Path: wpsdPath, Below: true, Interface: interfaceIface, Member: "ScanDone"}}})
}

// ownerChange takes apart the bus's word that a name has another owner.
func ownerChange(s *godbus.Signal) (name, before, owner string, ok bool) {
	if s.Sender != bus.Driver || s.Name != bus.Driver+".NameOwnerChanged" || len(s.Body) != 3 {
		return "", "", "", false
	}
	name, _ = s.Body[0].(string)
	before, _ = s.Body[1].(string)
	owner, _ = s.Body[2].(string)
	return name, before, owner, true
}

// arrives registers with NetworkManager, if it is there; it tells when to try again.
func (g *agent) arrives(ctx context.Context, owner string) (again <-chan time.Time) {
	if owner == "" {
		g.tell(Event{Kind: Left, Sentence: "NetworkManager is not there: waiting for it."})
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	err := g.conn.Call(ctx, bus.Request{To: owner, Path: registryPath,
		Method: registryIface + ".Register",
		Args:   []any{cmp.Or(g.Identifier, Identifier)}, Flags: godbus.FlagNoAutoStart})
	if err == nil {
		g.tries = 0
		g.tell(Event{Kind: Registered, Sentence: "NetworkManager asks here for missing keys."})
		return nil
	}
	text := fmt.Sprintf("NetworkManager does not take this agent (%v): it is tried again.", err)
	if e, ok := errors.AsType[godbus.Error](err); ok &&
		e.Name == registryIface+".PermissionDenied" {
		text = "NetworkManager does not take this agent: another one of this user, such as an applet, answers already."
	}
	if g.tries > 0 || errors.Is(err, context.DeadlineExceeded) { // not the moment of its start
		g.tell(Event{Kind: Refused, Sentence: text})
	}
	g.tries++
	return time.After(againAfter[min(g.tries, len(againAfter))-1])
}

// unregister ends it in order. NetworkManager would notice as well that we are gone.
func (g *agent) unregister() {
	if owner := g.conn.Owner(networkManager); owner != "" {
		g.conn.Tell(bus.Request{To: owner, Path: registryPath,
			Method: registryIface + ".Unregister", Flags: godbus.FlagNoAutoStart})
	}
}

// tell tells whoever wants to know.
func (g *agent) tell(e Event) {
	g.Log.Debug("secret agent", "event", e.Kind, "ssid", e.SSID, "interface", e.Interface,
		"session", e.Session, "sentence", e.Sentence)
	if g.OnEvent != nil {
		g.OnEvent(e)
	}
}

// keepsNothing answers what NetworkManager would have an agent keep, or forget: its keys are its
// own.
func keepsNothing(context.Context, []any) ([]any, error) { return nil, nil }

// isSecret tells which values of a connection are keys and passwords. They are of no use here.
func isSecret(at bus.Place) bool {
	switch at.In {
	case wirelessSecurity:
		switch at.Key {
		case "psk", "leap-password", "wep-key0", "wep-key1", "wep-key2", "wep-key3":
			return true
		}
	case "802-1x":
		switch at.Key {
		case "password", "password-raw", "private-key-password", "phase2-private-key-password",
			"ca-cert-password", "client-cert-password", "phase2-ca-cert-password",
			"phase2-client-cert-password", "pin":
			return true
		}
	}
	return false
}
