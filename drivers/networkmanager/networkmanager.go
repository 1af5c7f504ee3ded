// Package networkmanager lets NetworkManager let go of an interface and take networks, over D-Bus.
package networkmanager

import (
	"context"
	"errors"
	"fmt"
	"sync"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/drivers/managerbus"
)

// Name is what users call it.
const Name = "networkmanager"

const (
	busName    = "org.freedesktop.NetworkManager"
	root       = godbus.ObjectPath("/org/freedesktop/NetworkManager")
	settings   = root + "/Settings"
	managerI   = busName
	deviceI    = busName + ".Device"
	wirelessI  = deviceI + ".Wireless"
	activeI    = busName + ".Connection.Active"
	settingsI  = busName + ".Settings"
	profileI   = busName + ".Settings.Connection"
	noObject   = godbus.ObjectPath("/")
	errUnknown = busName + ".UnknownDevice"
)

// States of a Device (NMDeviceState) that matter here.
const (
	deviceUnmanaged    = 10
	deviceUnavailable  = 20
	deviceDisconnected = 30
	deviceConfig       = 50 // it has its address, and joins the network
	deviceIPConfig     = 70 // associated and authenticated; the address is next
	deviceActivated    = 100
	deviceFailed       = 120
)

// Manager is NetworkManager. It is safe for concurrent use.
type Manager struct {
	// Bus is where it is.
	Bus *managerbus.Bus

	mu   sync.Mutex
	kept map[string]string // UUIDs of volatile profiles that are kept for now, by interface
}

// setKept notes which volatile profile is kept; "": none. It returns the one before.
func (m *Manager) setKept(ifname, uuid string) (before string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.kept == nil {
		m.kept = make(map[string]string)
	}
	before, m.kept[ifname] = m.kept[ifname], uuid
	return before
}

// Name implements Sink and Holder.
func (*Manager) Name() string { return Name }

// dial connects to it and finds the device of an interface. nil without an error: there is none.
func (m *Manager) dial(ctx context.Context, ifname string) (*device, error) {
	conn, err := m.Bus.Dial(ctx, busName)
	if err != nil {
		return nil, wrap(err)
	}
	d := &device{Conn: conn}
	err = conn.Call(ctx, root, managerI+".GetDeviceByIpIface", []any{ifname}, &d.path)
	if err != nil {
		conn.Close()
		if managerbus.Is(err, errUnknown) {
			return nil, nil
		}
		return nil, wrap(err)
	}
	return d, nil
}

func wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("networkmanager: %w", err)
}

// device is one of its devices in one conversation.
type device struct {
	*managerbus.Conn
	path godbus.ObjectPath
}

func (d *device) managed(ctx context.Context) (managed bool, err error) {
	return managed, d.Get(ctx, d.path, deviceI, "Managed", &managed)
}

func (d *device) state(ctx context.Context) (state uint32, err error) {
	return state, d.Get(ctx, d.path, deviceI, "State", &state)
}

// active tells the UUID of the profile that is active, or becomes so; empty: none.
func (d *device) active(ctx context.Context) (uuid string, err error) {
	var active godbus.ObjectPath
	if err := d.Get(ctx, d.path, deviceI, "ActiveConnection", &active); err != nil ||
		active == noObject {
		return "", err
	}
	err = d.Get(ctx, active, activeI, "Uuid", &uuid)
	if err != nil && !errors.Is(err, managerbus.ErrAbsent) && ctx.Err() == nil {
		return "", nil // it ended between the two questions
	}
	return uuid, err
}
