package model

import (
	"context"
	"errors"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/dbus/bus"
)

// NetworkManager's name and object. It is the one that can switch radios on without more rights than
// the user has.
const (
	nmName  = "org.freedesktop.NetworkManager"
	nmPath  = godbus.ObjectPath("/org/freedesktop/NetworkManager")
	nmIface = "org.freedesktop.NetworkManager"
)

// SwitchOn has NetworkManager switch Wi-Fi on.
func (m *Model) SwitchOn() error {
	m.mu.Lock()
	conn := m.conn
	m.mu.Unlock()
	if conn == nil {
		return errors.New("model: there is no bus")
	}
	ctx, cancel := context.WithTimeout(m.run, callTime)
	defer cancel()
	if err := conn.Follow(ctx, bus.Name{Name: nmName}); err != nil {
		return err
	}
	return asError(conn.Call(ctx, bus.Request{To: nmName, Path: nmPath,
		Method: propsIface + ".Set",
		Args:   []any{nmIface, "WirelessEnabled", godbus.MakeVariant(true)},
		Flags:  godbus.FlagAllowInteractiveAuthorization}))
}

// neardName is the name of the NFC service.
const neardName = "org.neard"

// NFCReader tells whether the NFC service is on the bus.
func (m *Model) NFCReader() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.conn != nil && m.conn.Owner(neardName) != ""
}
