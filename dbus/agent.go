package dbus

import (
	"context"
	"errors"
	"fmt"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/dbus/bus"
	"wpsd/service/agents"
)

// agent calls an object of a client that takes credentials. Its calls go to one connection by its
// unique name, so nobody else can get them; and nobody else's answers count.
type agent struct {
	bus   *Bus
	owner string
	path  godbus.ObjectPath
}

// Take implements agents.Agent.
func (a *agent) Take(ctx context.Context, d agents.Delivery) error {
	session := noPath // read off an NFC tag
	if d.Session != 0 {
		session = sessionPath(d.Session)
	}
	args := []any{session, credentialValues(d.Network), bus.Octets{Value: d.Network.Raw.Clone()}}
	defer bus.WipeBody(args)
	err := a.bus.conn.Call(ctx, a.request("CredentialReceived", args...))
	var e godbus.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		// Not the text: it is the agent's, and may have the key in it. Nor the whole of a long
		// name.
		return fmt.Errorf("dbus: the agent answered with the error %s", quote(e.Name))
	default:
		return fmt.Errorf("dbus: calling the agent: %w", err)
	}
}

// Release implements agents.Agent. No answer is waited for.
func (a *agent) Release() {
	a.bus.conn.Tell(a.request("Release"))
}

// request is a call of one of its methods.
func (a *agent) request(member string, args ...any) bus.Request {
	return bus.Request{To: a.owner, Path: a.path, Method: agentIface + "." + member, Args: args,
		Flags: godbus.FlagNoAutoStart}
}

// readAgent reads the argument of Manager.RegisterCredentialAgent and of its counterpart.
func readAgent(r *request) (*agent, error) {
	return &agent{bus: r.bus, owner: r.caller, path: r.path(0)}, nil
}

// registerAgent implements Manager.RegisterCredentialAgent.
func registerAgent(svc Rooms, ctx context.Context, a *agent) error {
	return svc.RegisterAgent(ctx, a.owner, string(a.path), a)
}

// unregisterAgent implements Manager.UnregisterCredentialAgent.
func unregisterAgent(svc Rooms, _ context.Context, a *agent) error {
	return svc.UnregisterAgent(a.owner, string(a.path))
}
