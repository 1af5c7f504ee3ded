package simmanager

import (
	"context"
	"errors"
	"time"

	"wpsd/engine/credential"
)

// Times of a hand-over at speed 1: an authentication with a key, and how long a network is looked
// for.
const (
	joinTime  = 200 * time.Millisecond
	lookPause = 500 * time.Millisecond
	looks     = 10
)

// Deliver implements lending.Sink.
func (m *Manager) Deliver(ctx context.Context, ifname string,
	offers []credential.Offer) (credential.Connection, error) {
	profiles, err := m.take(ifname, offers)
	if err != nil {
		return credential.Connection{}, err
	}
	wait := m.air(joinTime)
	for range looks {
		if err := sleep(ctx, wait); err != nil {
			return credential.Connection{}, err
		}
		var p profile
		if p, err = m.joinFirst(ifname, profiles, offers); err == nil {
			return credential.Connection{UUID: p.uuid}, nil
		}
		if !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrKey) {
			break
		}
		wait = m.air(lookPause) // an access point that was set up in the run begins anew
	}
	return credential.Connection{}, err
}

// take makes the networks known.
func (m *Manager) take(ifname string, offers []credential.Offer) ([]profile, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, err := m.has(ifname)
	if err != nil {
		return nil, err
	}
	if i.refuses {
		return nil, ErrRefuses
	}
	i.taking = true
	profiles := make([]profile, len(offers))
	for at := len(offers) - 1; at >= 0; at-- { // the first is preferred
		o := &offers[at]
		profiles[at] = m.learn(string(o.SSID), keyOf(&o.Network))
	}
	return profiles, nil
}

// joinFirst joins the first of the networks that can be joined.
func (m *Manager) joinFirst(ifname string, profiles []profile,
	offers []credential.Offer) (profile, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, err := m.has(ifname)
	if err != nil {
		return profile{}, err
	}
	for at, p := range profiles {
		if err = m.joinOne(ifname, i, p, offers[at].BSSID); err == nil {
			return p, nil
		}
	}
	return profile{}, err
}

// sleep waits unless ctx ends before.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Changes implements lending.Sink.
func (m *Manager) Changes(_ context.Context, _ string, n credential.Network) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range m.known {
		if p.ssid == string(n.SSID) && !p.key.Equal(keyOf(&n)) {
			return true, nil
		}
	}
	return false, nil
}
