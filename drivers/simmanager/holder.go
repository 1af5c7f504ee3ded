package simmanager

import (
	"context"
	"encoding/json"
	"fmt"

	"wpsd/engine/wsc"
)

// debt is what the manager is owed for an interface.
type debt struct {
	// Network is the UUID of that which it was in; empty: it was in none.
	Network string `json:"network,omitempty"`
}

// Claim implements lending.Holder.
func (m *Manager) Claim(_ context.Context, ifname string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := m.interfaces[ifname]
	if i == nil || i.released {
		return nil, nil
	}
	owed := debt{}
	if state, there := m.world.RadioState(ifname); there && !state.Associated.IsZero() {
		owed.Network = i.network
	}
	return json.Marshal(owed)
}

// Release implements lending.Holder.
func (m *Manager) Release(_ context.Context, ifname string, _ []byte) (apart bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, err := m.has(ifname)
	if err != nil {
		return false, err
	}
	i.released = true
	m.world.Occupy(ifname, wsc.MAC{})
	return false, nil
}

// Shares implements lending.Holder.
func (*Manager) Shares() bool { return true }

// Restore implements lending.Holder.
func (m *Manager) Restore(_ context.Context, ifname string, text []byte, reconnect bool) error {
	var owed debt
	if err := json.Unmarshal(text, &owed); err != nil {
		return fmt.Errorf("simmanager: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	i := m.interfaces[ifname]
	if i == nil {
		return nil // gone, or not the manager's any more
	}
	i.released, i.taking = false, !reconnect
	if !reconnect || m.connected(ifname) {
		return nil
	}
	if p, known := m.profileOf(owed.Network); !known ||
		m.joinOne(ifname, i, p, wsc.MAC{}) != nil {
		m.joinAny(ifname, i)
	}
	return nil
}

// Disconnect implements lending.Holder.
func (m *Manager) Disconnect(_ context.Context, ifname string) error { return m.leave(ifname) }
