package connman

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/drivers/managerbus"
)

// debt is how an interface was before it was released.
type debt struct {
	// Service is the network that it was in; empty: none.
	Service godbus.ObjectPath `json:"service,omitempty"`
}

// reconnectTime bounds the way back into a network that was there before; it may be out of reach
// now.
const reconnectTime = 15 * time.Second

// dial begins a conversation; nil without an error: ConnMan is not there, or does not look after
// the interface. Where nothing is in reach it tells nothing of its interfaces: then each is taken
// for one of them.
func (m *Manager) dial(ctx context.Context, ifname string) (*managerbus.Conn, []network, error) {
	c, err := m.Bus.Dial(ctx, busName)
	if errors.Is(err, managerbus.ErrAbsent) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	on, err := powered(ctx, c)
	if err == nil && on {
		var ours []network
		var others bool
		ours, others, err = networks(ctx, c, ifname)
		if err == nil && (len(ours) > 0 || !others) {
			return c, ours, nil
		}
	}
	c.Close()
	if errors.Is(err, managerbus.ErrAbsent) {
		err = nil
	}
	return nil, nil, err
}

// Claim implements Holder.
func (m *Manager) Claim(ctx context.Context, ifname string) ([]byte, error) {
	c, ours, err := m.dial(ctx, ifname)
	if err != nil || c == nil {
		return nil, wrap(err)
	}
	defer c.Close()
	var owed debt
	for _, n := range ours {
		if n.connected() {
			owed.Service = n.path
		}
	}
	return json.Marshal(owed)
}

// ErrRadios means that ConnMan looks after other radios, too: what drives them cannot be switched
// on for one of them (see Restore).
var ErrRadios = errors.New("connman: it looks after more than one radio, and can take none of " +
	"them back by itself: name the interface in NetworkInterfaceBlacklist of " +
	"/etc/connman/main.conf, and wpsd has it")

// Release implements Holder. ConnMan ends the connection and leaves that network alone. What drives
// the radio for it lets go after it, and ConnMan takes the technology for switched off then.
func (m *Manager) Release(ctx context.Context, ifname string, _ []byte) (apart bool, err error) {
	c, err := m.Bus.Dial(ctx, busName)
	if err != nil {
		return false, wrap(err)
	}
	_, others, err := networks(ctx, c, ifname)
	c.Close()
	switch {
	case err != nil:
		return false, wrap(err)
	case others:
		return false, ErrRadios
	}
	return false, m.Disconnect(ctx, ifname)
}

// Disconnect implements Holder.
func (m *Manager) Disconnect(ctx context.Context, ifname string) error {
	c, ours, err := m.dial(ctx, ifname)
	if err != nil || c == nil {
		return wrap(err)
	}
	defer c.Close()
	for _, n := range ours {
		if !n.connected() {
			continue
		}
		err := c.Call(ctx, n.path, serviceI+".Disconnect", nil)
		if err != nil && !managerbus.Is(err, errorPrefix+"NotConnected") {
			return wrap(err)
		}
	}
	return wrap(managerbus.Until(ctx, func() (bool, error) {
		ours, _, err := networks(ctx, c, ifname)
		for _, n := range ours {
			if n.connected() || n.state == "disconnect" {
				return false, err
			}
		}
		return true, err
	}))
}

// Shares implements Holder: ConnMan takes each interface that anybody makes.
func (*Manager) Shares() bool { return false }

// Restore implements Holder. An interface that was made anew in what drives the radio ConnMan 1.41
// takes only when the technology is switched on. That has been off since the interface was gone
// there, without a block of the radio. A network that somebody has disconnected ConnMan leaves
// alone, so it has to be told to join it again.
func (m *Manager) Restore(ctx context.Context, _ string, text []byte, reconnect bool) error {
	var owed debt
	if err := json.Unmarshal(text, &owed); err != nil {
		return wrap(err)
	}
	c, err := m.Bus.Dial(ctx, busName)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := switchOn(ctx, c); err != nil || owed.Service == "" || !reconnect {
		return wrap(err)
	}
	ctx, cancel := context.WithTimeout(ctx, reconnectTime)
	defer cancel()
	err = managerbus.Until(ctx, func() (bool, error) {
		err := join(ctx, c, owed.Service)
		if err == nil {
			return true, nil
		}
		if errors.Is(err, managerbus.ErrAbsent) || ctx.Err() != nil {
			return false, err
		}
		// It may not have heard the network again yet.
		_ = c.Call(ctx, technology, technologyI+".Scan", nil)
		return false, nil
	})
	if errors.Is(err, managerbus.ErrAbsent) {
		return wrap(err)
	}
	return nil // out of reach: what it is told of later is not for us to wait for
}

// switchOn has ConnMan look after radios again.
func switchOn(ctx context.Context, c *managerbus.Conn) error {
	return managerbus.Until(ctx, func() (bool, error) {
		on, err := powered(ctx, c)
		if err != nil || on {
			return on, err
		}
		err = c.Call(ctx, technology, technologyI+".SetProperty",
			[]any{"Powered", godbus.MakeVariant(true)})
		for _, passing := range []string{"AlreadyEnabled", "InProgress"} {
			if managerbus.Is(err, errorPrefix+passing) {
				err = nil
			}
		}
		return false, err
	})
}

// join connects to a service; it is over when ConnMan is connected.
func join(ctx context.Context, c *managerbus.Conn, path godbus.ObjectPath) error {
	err := c.Call(ctx, path, serviceI+".Connect", nil)
	switch {
	case managerbus.Is(err, errorPrefix+"AlreadyConnected"):
		return nil
	case managerbus.Is(err, errorPrefix+"InProgress"):
		return managerbus.Until(ctx, func() (bool, error) {
			var p map[string]godbus.Variant
			if err := c.Call(ctx, path, serviceI+".GetProperties", nil, &p); err != nil {
				return false, err
			}
			n := network{}
			n.state, _ = p["State"].Value().(string)
			if n.state == "failure" {
				return false, errFailed
			}
			return n.joined(), nil
		})
	}
	return err
}

// errFailed means that ConnMan could not connect, and says no more.
var errFailed = errors.New("it could not connect")
