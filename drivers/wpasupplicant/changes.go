package wpasupplicant

import (
	"context"
	"errors"

	"wpsd/engine/credential"
)

// Changes reports whether a network with the name of this one is configured for the interface. wpa_supplicant tells nobody
// the keys that it has, so only an open network is known to be the same.
func (m *Manager) Changes(ctx context.Context, ifname string, n credential.Network) (bool, error) {
	i, err := m.dial(ctx, ifname)
	if err == nil {
		defer i.Close()
	}
	if isAbsent(err) || err == nil && i.path == "" {
		p, socketErr := m.socket(ctx, ifname)
		if p == nil {
			return false, wrap(socketErr)
		}
		defer p.Close()
		return p.changes(ctx, n)
	}
	if err != nil {
		return false, err
	}
	all, _, err := i.networks(ctx, n)
	for _, have := range all {
		if have.named && (n.KeyKind != credential.KeyNone || !have.fits) {
			return true, wrap(err)
		}
	}
	return false, wrap(err)
}

// changes is Changes over the control socket.
func (p *process) changes(ctx context.Context, n credential.Network) (bool, error) {
	found := errors.New("found")
	err := p.each(ctx, func(c configured) error {
		if named(c.values, n) && (n.KeyKind != credential.KeyNone || !fits(c.values, n)) {
			return found
		}
		return nil
	})
	if errors.Is(err, found) {
		return true, nil
	}
	return false, wrap(err)
}
