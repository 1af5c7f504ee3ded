package iwd

import (
	"context"
	"errors"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/dbus/bus"
	"wpsd/engine/credential"
	"wpsd/engine/secret"
)

const (
	agentPath = godbus.ObjectPath("/fi/w1/wps/iwd")
	agentI    = busName + ".Agent"
)

// ErrAgent means that iwd's agent can say passphrases only.
var ErrAgent = errors.New("its directory cannot be written, and a key of 64 digits cannot be told otherwise: let wpsd write there")

// withdrawTime bounds the end of an agent.
const withdrawTime = 5 * time.Second

// answers are the methods of an agent that says one passphrase. Nobody but iwd may call them.
func answers(key secret.Value) map[string]bus.Method {
	nothing := func(context.Context, []any) ([]any, error) { return nil, nil }
	return map[string]bus.Method{
		"RequestPassphrase": {In: "o", Do: func(context.Context, []any) ([]any, error) {
			return []any{string(key.Bytes())}, nil
		}},
		// iwd does not need an answer any more.
		"Release": {Do: nothing},
		"Cancel":  {In: "s", Do: nothing},
	}
}

// connectWithAgent joins a network that iwd does not know yet, and answers when it asks for the
// passphrase.
func (m *Manager) connectWithAgent(ctx context.Context, d *device, n *credential.Offer) error {
	if n.KeyKind == credential.KeyRawPSK {
		return ErrAgent
	}
	// iwd asks the agent of the connection that wants to connect: two sessions have two.
	conn, err := m.Bus.Alone(ctx, busName)
	if err != nil {
		return err
	}
	defer conn.Close()
	d = &device{conn, d.path}
	defer d.Serve(agentPath, agentI, answers(n.Key))()
	const manager = godbus.ObjectPath("/net/connman/iwd")
	if err := d.Call(ctx, manager, busName+".AgentManager.RegisterAgent",
		[]any{agentPath}); err != nil {
		return err
	}
	err = d.connect(ctx, string(n.SSID), kindOf(n.Network))
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), withdrawTime)
	defer cancel()
	return errors.Join(err, d.Call(ctx, manager, busName+".AgentManager.UnregisterAgent",
		[]any{agentPath}))
}
