// Package wpasupplicant lets wpa_supplicant let go of an interface and take networks, over D-Bus,
// or over its control socket where it is not on D-Bus.
package wpasupplicant

import (
	"context"
	"errors"
	"fmt"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/drivers/managerbus"
)

// Name is what users call it.
const Name = "wpa_supplicant"

const (
	busName    = "fi.w1.wpa_supplicant1"
	root       = godbus.ObjectPath("/fi/w1/wpa_supplicant1")
	interfaceI = busName + ".Interface"
	networkI   = busName + ".Network"
	noObject   = godbus.ObjectPath("/")

	errInterfaceUnknown = busName + ".InterfaceUnknown"
	errNotConnected     = busName + ".NotConnected"
)

// Manager is wpa_supplicant. It is safe for concurrent use.
type Manager struct {
	// Bus is where it is.
	Bus *managerbus.Bus
	// Sockets are the directories with control sockets of those that are not on D-Bus.
	Sockets []string
}

// Name implements Sink and Holder.
func (*Manager) Name() string { return Name }

// iface is one of its interfaces in one conversation.
type iface struct {
	*managerbus.Conn
	path godbus.ObjectPath // empty: it does not have the interface
}

func (m *Manager) dial(ctx context.Context, ifname string) (*iface, error) {
	conn, err := m.Bus.Dial(ctx, busName)
	if err != nil {
		return nil, wrap(err)
	}
	i := &iface{Conn: conn}
	err = conn.Call(ctx, root, busName+".GetInterface", []any{ifname}, &i.path)
	if err != nil && !managerbus.Is(err, errInterfaceUnknown) {
		conn.Close()
		return nil, wrap(err)
	}
	return i, nil
}

func wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("wpa_supplicant: %w", err)
}

// currentNetwork is the network that it is in, or tries; noObject: none.
func (i *iface) currentNetwork(ctx context.Context) (path godbus.ObjectPath, err error) {
	return path, i.Get(ctx, i.path, interfaceI, "CurrentNetwork", &path)
}

// create gives it an interface.
func (i *iface) create(ctx context.Context, args map[string]string) error {
	dict := map[string]godbus.Variant{}
	for key, value := range args {
		if value != "" {
			dict[key] = godbus.MakeVariant(value)
		}
	}
	err := i.Call(ctx, root, busName+".CreateInterface", []any{dict}, &i.path)
	if managerbus.Is(err, busName+".InterfaceExists") { // somebody was faster
		err = i.Call(ctx, root, busName+".GetInterface", []any{args["Ifname"]}, &i.path)
	}
	return err
}

var errAbsent = managerbus.ErrAbsent

func isAbsent(err error) bool { return errors.Is(err, errAbsent) }
