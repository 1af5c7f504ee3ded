package iwd

import (
	"context"
	"errors"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/engine/credential"
	"wpsd/engine/secret"
)

const (
	agentPath = godbus.ObjectPath("/fi/w1/wps/iwd")
	agentI    = busName + ".Agent"
)

// ErrAgent means that iwd's agent can say passphrases only.
var ErrAgent = errors.New("its directory cannot be written, and a key of 64 digits cannot be told otherwise: let wpsd write there")

// agent answers iwd's question for a passphrase. It lives for one Connect.
type agent struct {
	conn  *godbus.Conn
	owner string // iwd's unique name: nobody else gets an answer
	key   secret.Value
}

// RequestPassphrase is called by iwd.
func (a *agent) RequestPassphrase(sender godbus.Sender, _ godbus.ObjectPath) (string, *godbus.Error) {
	if string(sender) != a.owner {
		return "", godbus.NewError(agentI+".Error.Canceled", nil)
	}
	return string(a.key.Bytes()), nil
}

// Release and Cancel are called by iwd when it does not need an answer any more.
func (*agent) Release() *godbus.Error      { return nil }
func (*agent) Cancel(string) *godbus.Error { return nil }

// connectWithAgent joins a network that iwd does not know yet, and answers when it asks for the passphrase.
func (d *device) connectWithAgent(ctx context.Context, n credential.Network) error {
	if n.KeyKind == credential.KeyRawPSK {
		return ErrAgent
	}
	a := &agent{conn: d.Bus(), key: n.Key}
	if err := a.conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.GetNameOwner", 0, busName).Store(&a.owner); err != nil {
		return err
	}
	if err := a.conn.Export(a, agentPath, agentI); err != nil {
		return err
	}
	const manager = godbus.ObjectPath("/net/connman/iwd")
	if err := d.Call(ctx, manager, busName+".AgentManager.RegisterAgent", []any{agentPath}); err != nil {
		return err
	}
	err := d.connect(ctx, string(n.SSID), kindOf(n))
	return errors.Join(err, d.Call(context.WithoutCancel(ctx), manager, busName+".AgentManager.UnregisterAgent", []any{agentPath}))
}
