package simmanager

import (
	"fmt"
	"strings"

	"wpsd/drivers/sim"
	"wpsd/engine/wsc"
)

// connectCommand is "connect IFNAME AP".
func (m *Manager) connectCommand(rest string) error {
	ifname, name, _ := strings.Cut(rest, " ")
	name = strings.TrimSpace(name)
	m.mu.Lock()
	defer m.mu.Unlock()
	i, err := m.has(ifname)
	if err != nil {
		return err
	}
	if i.released {
		return fmt.Errorf("simmanager: it has let go of %s", ifname)
	}
	ap, err := m.accessPoint(name)
	if err != nil {
		return err
	}
	key := ap.Key()
	defer key.Wipe()
	return m.joinOne(ifname, i, m.learn(ap.Status().SSID, key), ap.BSSID())
}

// accessPoint finds one by BSSID or SSID. The caller holds mu.
func (m *Manager) accessPoint(name string) (*sim.AP, error) {
	bssid, _ := wsc.ParseMAC(name)
	for _, ap := range m.world.APs() {
		if ap.BSSID() == bssid || ap.Status().SSID == name {
			return ap, nil
		}
	}
	return nil, fmt.Errorf("simmanager: there is no access point %q", name)
}

// leave ends a connection until somebody asks for one.
func (m *Manager) leave(ifname string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, err := m.has(ifname)
	if err != nil {
		return err
	}
	i.stays, i.network = true, ""
	if !i.released {
		m.world.Occupy(ifname, wsc.MAC{})
	}
	return nil
}

// forget knows a network no more, and leaves it.
func (m *Manager) forget(ssid string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	gone := m.forgetNetwork(ssid)
	if len(gone) == 0 {
		return fmt.Errorf("simmanager: it knows no network %q", ssid)
	}
	for _, p := range gone {
		p.key.Wipe()
		for name, i := range m.interfaces {
			if i.network != p.uuid {
				continue
			}
			i.network = ""
			if !i.released {
				m.world.Occupy(name, wsc.MAC{})
				m.joinAny(name, i)
			}
		}
	}
	return nil
}

// refuse says whether networks that are handed over are taken.
func (m *Manager) refuse(ifname string, refuses bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, err := m.has(ifname)
	if err != nil {
		return err
	}
	i.refuses = refuses
	return nil
}
