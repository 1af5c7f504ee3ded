package wpasupplicant

import (
	"context"

	"wpsd/engine/credential"
)

// Changes reports whether a network with the name of this one is configured for the interface.
// wpa_supplicant tells nobody the keys that it has, so only an open network is known to be the
// same.
func (m *Manager) Changes(ctx context.Context, ifname string, n credential.Network) (bool, error) {
	t, err := m.owner(ctx, ifname)
	if t == nil {
		return false, wrap(err)
	}
	defer t.Close()
	all, err := t.networks(ctx)
	for _, have := range all {
		if have.named(&n) && (n.KeyKind != credential.KeyNone || !have.fits(&n)) {
			return true, wrap(err)
		}
	}
	return false, wrap(err)
}
