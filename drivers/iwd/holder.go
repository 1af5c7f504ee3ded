package iwd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"wpsd/drivers/managerbus"
)

// debt is how a device was before it was released.
type debt struct {
	// Powered is the property: whoever switched it off wants it off.
	Powered bool `json:"powered"`
	// Network and Kind name the network that it was in.
	Network string `json:"network,omitempty"`
	Kind    string `json:"kind,omitempty"`
}

// reconnectTime bounds the search for a network that was there before; it may be out of reach now.
const reconnectTime = 15 * time.Second

// Claim implements Holder.
func (m *Manager) Claim(ctx context.Context, ifname string) ([]byte, error) {
	d, err := m.dial(ctx, ifname)
	if errors.Is(err, managerbus.ErrAbsent) || err == nil && d == nil {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer d.Close()
	var owed debt
	if err := d.Get(ctx, d.path, deviceI, "Powered", &owed.Powered); err != nil {
		return nil, wrap(err)
	}
	if owed.Network, owed.Kind, err = d.connected(ctx); err != nil {
		return nil, wrap(err)
	}
	return json.Marshal(owed)
}

// Release implements Holder. iwd has no way to let go of an interface: it switches a device on
// again as soon as anybody brings the link up, and takes the association for its own. So the device
// is off, and we stay apart.
func (m *Manager) Release(ctx context.Context, ifname string, _ []byte) (apart bool, err error) {
	d, err := m.dial(ctx, ifname)
	switch {
	case err != nil:
		return false, err
	case d == nil:
		return false, fmt.Errorf("iwd: %s is gone", ifname)
	}
	defer d.Close()
	if err := d.Set(ctx, d.path, deviceI, "Powered", false); err != nil {
		return false, wrap(err)
	}
	return true, wrap(managerbus.Until(ctx, func() (bool, error) {
		there, err := d.station(ctx)
		return !there, err
	}))
}

// Shares implements service.Sharer: iwd does not look at interfaces that others make while it runs.
func (*Manager) Shares() bool { return true }

// Restore implements Holder.
func (m *Manager) Restore(ctx context.Context, ifname string, text []byte, reconnect bool) error {
	var owed debt
	if err := json.Unmarshal(text, &owed); err != nil {
		return wrap(err)
	}
	if !owed.Powered {
		return nil // Release has left it off
	}
	d, err := m.dial(ctx, ifname)
	if err != nil {
		return err
	}
	if d == nil {
		return nil // gone, or not iwd's any more
	}
	defer d.Close()
	if err := d.on(ctx); err != nil || !reconnect || owed.Network == "" {
		return wrap(err)
	}
	ctx, cancel := context.WithTimeout(ctx, reconnectTime)
	defer cancel()
	if err := d.connect(ctx, owed.Network, owed.Kind); errors.Is(err, managerbus.ErrAbsent) {
		return wrap(err)
	}
	return nil // it goes on looking by itself, as it would have
}

// Disconnect implements service.Disconnecter. iwd returns when it is done.
func (m *Manager) Disconnect(ctx context.Context, ifname string) error {
	d, err := m.dial(ctx, ifname)
	if err != nil || d == nil {
		return err
	}
	defer d.Close()
	err = d.Call(ctx, d.path, stationI+".Disconnect", nil)
	if err != nil && !managerbus.Is(err, busName+".NotConnected") {
		return wrap(err)
	}
	return nil
}
