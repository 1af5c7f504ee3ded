package networkmanager

import (
	"context"
	"errors"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/drivers/managerbus"
	"wpsd/engine/credential"
)

// Changes reports whether there is a profile with the name of this network for the interface, or
// for any, and not with the very same kind of security and key.
func (m *Manager) Changes(ctx context.Context, ifname string, n credential.Network) (bool, error) {
	d, err := m.dial(ctx, ifname)
	switch {
	case errors.Is(err, managerbus.ErrAbsent):
		return false, nil
	case err != nil || d == nil:
		return false, err
	}
	defer d.Close()
	changes := false
	err = d.each(ctx, func(path godbus.ObjectPath, have profile) {
		changes = changes || have.named(ifname, n) && !d.same(ctx, path, have, ifname, n)
	})
	return changes, wrap(err)
}

// same reports whether a profile is for just this network, with its key. Whose key cannot be seen
// is another.
func (d *device) same(ctx context.Context, path godbus.ObjectPath, have profile, ifname string,
	n credential.Network) bool {
	if !have.fits(ifname, n) {
		return false
	}
	if n.KeyKind == credential.KeyNone {
		return true
	}
	var secrets profile
	if err := d.Call(ctx, path, profileI+".GetSecrets", []any{wirelessSecurity},
		&secrets); err != nil {
		return false
	}
	psk, _ := secrets[wirelessSecurity]["psk"].Value().(string)
	return psk == string(n.Key.Bytes())
}
