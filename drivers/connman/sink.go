package connman

import (
	"context"
	"errors"
	"time"
	"unicode/utf8"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/dbus/bus"
	"wpsd/drivers/managerbus"
	"wpsd/engine/credential"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

// Why ConnMan cannot have a network.
var (
	ErrWEP      = errors.New("connman: WEP is broken: set the access point to WPA2")
	ErrText     = errors.New("connman: it takes passphrases only if they are UTF-8")
	ErrNotFound = errors.New("the network is not in reach")
	ErrAway     = errors.New("connman: it does not have the interface")
)

const (
	agentPath = godbus.ObjectPath("/fi/w1/wps/connman")
	agentI    = busName + ".Agent"
	// withdrawTime bounds the end of an agent.
	withdrawTime = 5 * time.Second
)

// Deliver implements Sink: it has ConnMan connect, to the first network that it gets into, and
// answers when it asks for the passphrase. It keeps what it has connected with.
func (m *Manager) Deliver(ctx context.Context, ifname string,
	offers []credential.Offer) (credential.Connection, error) {
	usable, err := credential.Usable(offers, check)
	if len(usable) == 0 {
		return credential.Connection{}, err
	}
	// ConnMan asks the agent of the connection that wants to connect: two sessions have two.
	c, err := m.Bus.Alone(ctx, busName)
	if err != nil {
		return credential.Connection{}, wrap(err)
	}
	defer c.Close()
	on, err := powered(ctx, c)
	switch {
	case err != nil:
		return credential.Connection{}, wrap(err)
	case !on:
		return credential.Connection{}, ErrAway
	}
	if err := m.hearAnew(ctx, ifname); err != nil {
		return credential.Connection{}, wrap(err)
	}
	var errs error
	for n, o := range usable {
		err := m.connect(ctx, c, ifname, o, len(usable)-n)
		if err == nil {
			return credential.Connection{}, nil
		}
		errs = errors.Join(errs, err)
		if ctx.Err() != nil {
			break
		}
	}
	return credential.Connection{}, wrap(errs)
}

const (
	supplicantName = "fi.w1.wpa_supplicant1"
	supplicantRoot = godbus.ObjectPath("/fi/w1/wpa_supplicant1")
)

// hearAnew has wpa_supplicant forget what it has heard, and so ConnMan. A network that it heard
// first while a button was pressed there ConnMan 1.41 does not ask a passphrase for: it would push
// the button itself, where nobody presses one any more. With iwd it does not do so.
func (m *Manager) hearAnew(ctx context.Context, ifname string) error {
	c, err := m.Bus.Dial(ctx, supplicantName)
	if errors.Is(err, managerbus.ErrAbsent) {
		return nil
	}
	if err != nil {
		return err
	}
	defer c.Close()
	var path godbus.ObjectPath
	err = c.Call(ctx, supplicantRoot, supplicantName+".GetInterface", []any{ifname}, &path)
	if err == nil {
		err = c.Call(ctx, path, supplicantName+".Interface.FlushBSS", []any{uint32(0)})
	}
	if managerbus.Is(err, supplicantName+".InterfaceUnknown") ||
		errors.Is(err, managerbus.ErrAbsent) {
		return nil
	}
	return err
}

func check(o *credential.Offer) error {
	switch {
	case o.KeyKind == credential.KeyWEP || o.Encryption&wsc.EncrWEP != 0:
		return ErrWEP
	case !utf8.Valid(o.Key.Bytes()):
		return ErrText
	}
	return nil
}

// kindOf is ConnMan's word for a network's security, as its services have it.
func kindOf(n credential.Network) string {
	if n.KeyKind == credential.KeyNone {
		return "none"
	}
	return "psk"
}

// connect joins one network, within its share of the time that is left for so many. What ConnMan
// knows of it already may be an old passphrase, for which it does not ask: where that does not work
// it has to forget it first.
func (m *Manager) connect(ctx context.Context, c *managerbus.Conn, ifname string,
	o *credential.Offer, attempts int) error {
	ctx, cancel := managerbus.Part(ctx, attempts)
	defer cancel()
	defer c.Serve(agentPath, agentI, answers(o.Key))()
	if err := c.Call(ctx, root, managerI+".RegisterAgent", []any{agentPath}); err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), withdrawTime)
		defer cancel()
		// it goes with c anyway
		_ = c.Call(ctx, root, managerI+".UnregisterAgent", []any{agentPath})
	}()
	n, err := find(ctx, c, ifname, o.SSID, kindOf(o.Network))
	if err != nil {
		return err
	}
	err = join(ctx, c, n.path)
	if err == nil || !n.favorite || n.fixed || ctx.Err() != nil {
		return err
	}
	if forget := c.Call(ctx, n.path, serviceI+".Remove", nil); forget != nil {
		return errors.Join(err, forget)
	}
	return join(ctx, c, n.path)
}

// answers are the methods of an agent that says one passphrase. Nobody but ConnMan may call them.
func answers(key secret.Value) map[string]bus.Method {
	nothing := func(context.Context, []any) ([]any, error) { return nil, nil }
	return map[string]bus.Method{
		"RequestInput": {In: "oa{sv}", Do: func(_ context.Context, args []any) ([]any, error) {
			fields, _ := args[1].(map[string]godbus.Variant)
			if _, asked := fields["Passphrase"]; !asked || key.IsZero() {
				return nil, godbus.Error{Name: agentI + ".Error.Canceled",
					Body: []any{"There is only a passphrase to give."}}
			}
			return []any{map[string]godbus.Variant{"Passphrase": godbus.MakeVariantWithSignature(
				bus.Text{Value: key.Clone()}, godbus.ParseSignatureMust("s"))}}, nil
		}},
		// What went wrong the call says that it belongs to.
		"ReportError": {In: "os", Do: nothing},
		// ConnMan does not need an answer any more.
		"Release": {Do: nothing},
		"Cancel":  {Do: nothing},
	}
}

// Changes reports whether ConnMan knows a network of this name. What it knows of it cannot be read.
func (m *Manager) Changes(ctx context.Context, ifname string, n credential.Network) (bool, error) {
	c, ours, err := m.dial(ctx, ifname)
	if err != nil || c == nil {
		return false, wrap(err)
	}
	defer c.Close()
	for _, s := range ours {
		if s.favorite && (s.isOf(n.SSID, "psk") || s.isOf(n.SSID, "none")) {
			return n.KeyKind != credential.KeyNone || !s.isOf(n.SSID, "none"), nil
		}
	}
	return false, nil
}
