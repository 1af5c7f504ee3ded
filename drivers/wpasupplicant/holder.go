package wpasupplicant

import (
	"bytes"
	"context"
	"encoding/json"
	"os"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/drivers/managerbus"
)

// way is how it lets go.
type way string

// The ways. To disconnect leaves everything as it is, but over D-Bus it works only where there is a
// connection; over the control socket, where there is one, it always does (bySocket). To remove the
// interface is the thorough one, but what was added at run time is lost with it, and its keys
// cannot be read. Otherwise the interface stays: wpa_supplicant would deauthenticate whatever is
// not its own network on it.
const (
	byDisconnecting way = "disconnect"
	byRemoving      way = "remove"
	apart           way = "apart"
)

// debt is how an interface was before it was released.
type debt struct {
	Way way `json:"way"`
	// The arguments of CreateInterface.
	Driver     string `json:"driver,omitempty"`
	Bridge     string `json:"bridge,omitempty"`
	ConfigFile string `json:"config-file,omitempty"`
}

// Claim implements Holder.
func (m *Manager) Claim(ctx context.Context, ifname string) ([]byte, error) {
	i, err := m.dial(ctx, ifname)
	if isAbsent(err) {
		return m.claimSocket(ctx, ifname)
	}
	if err != nil {
		return nil, err
	}
	defer i.Close()
	if i.path == "" {
		return m.claimSocket(ctx, ifname)
	}
	var owed debt
	for name, value := range map[string]*string{"Driver": &owed.Driver,
		"BridgeIfname": &owed.Bridge, "ConfigFile": &owed.ConfigFile} {
		if err := i.Get(ctx, i.path, interfaceI, name, value); err != nil {
			return nil, wrap(err)
		}
	}
	if owed.Way, err = i.way(ctx, owed.ConfigFile); err != nil {
		return nil, wrap(err)
	}
	if owed.Way != byDisconnecting {
		if text, err := m.claimSocket(ctx, ifname); text != nil || ctx.Err() != nil {
			return text, err
		}
	}
	return json.Marshal(owed)
}

// way chooses how the interface can be left without a loss.
func (i *iface) way(ctx context.Context, file string) (way, error) {
	current, err := i.currentNetwork(ctx)
	if err != nil {
		return "", err
	}
	if current != noObject {
		return byDisconnecting, nil
	}
	var networks []godbus.ObjectPath
	if err := i.Get(ctx, i.path, interfaceI, "Networks", &networks); err != nil {
		return "", err
	}
	if len(networks) == inFile(file) {
		return byRemoving, nil
	}
	return apart, nil
}

// inFile counts the networks in a configuration file; -1: it cannot be read.
func inFile(name string) int {
	if name == "" {
		return 0
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return -1
	}
	defer clear(text)
	n := 0
	for line := range bytes.Lines(text) {
		if bytes.HasPrefix(bytes.TrimSpace(line), []byte("network={")) {
			n++
		}
	}
	return n
}

// Release implements Holder.
func (m *Manager) Release(ctx context.Context, ifname string, text []byte) (bool, error) {
	var owed debt
	if err := json.Unmarshal(text, &owed); err != nil {
		return false, wrap(err)
	}
	if owed.Way == bySocket {
		return false, m.releaseSocket(ctx, ifname)
	}
	i, err := m.dial(ctx, ifname)
	if err != nil {
		return false, err
	}
	defer i.Close()
	if i.path == "" {
		return owed.Way == apart, nil
	}
	// What it scans by itself would hold us up for seconds; that it does not is an error, too.
	_ = i.Call(ctx, i.path, interfaceI+".AbortScan", nil)
	switch owed.Way {
	case apart:
		return true, nil
	case byRemoving:
		return false, wrap(i.Call(ctx, root, busName+".RemoveInterface", []any{i.path}))
	default:
	}
	err = i.Call(ctx, i.path, interfaceI+".Disconnect", nil)
	if managerbus.Is(err, errNotConnected) {
		return true, nil // it has lost its network just now, and will look for another
	}
	if err != nil {
		return false, wrap(err)
	}
	return false, wrap(managerbus.Until(ctx, func() (bool, error) {
		current, err := i.currentNetwork(ctx)
		return current == noObject, err
	}))
}

// Shares implements service.Sharer: wpa_supplicant has the interfaces that it is given, and no
// others.
func (*Manager) Shares() bool { return true }

// Restore implements Holder.
func (m *Manager) Restore(ctx context.Context, ifname string, text []byte, reconnect bool) error {
	var owed debt
	if err := json.Unmarshal(text, &owed); err != nil {
		return wrap(err)
	}
	switch owed.Way {
	case apart:
		return nil
	case bySocket:
		return m.restoreSocket(ctx, ifname, reconnect)
	default:
	}
	i, err := m.dial(ctx, ifname)
	if err != nil {
		return err
	}
	defer i.Close()
	if i.path == "" {
		if owed.Way == byDisconnecting {
			return nil // it was started anew, without this interface: not our doing
		}
		return wrap(i.create(ctx, map[string]string{"Ifname": ifname, "Driver": owed.Driver,
			"BridgeIfname": owed.Bridge, "ConfigFile": owed.ConfigFile}))
	}
	if owed.Way == byDisconnecting && reconnect {
		return wrap(i.Call(ctx, i.path, interfaceI+".Reconnect", nil))
	}
	return nil
}

// Disconnect implements service.Disconnecter.
func (m *Manager) Disconnect(ctx context.Context, ifname string) error {
	i, err := m.dial(ctx, ifname)
	if isAbsent(err) {
		return m.releaseSocket(ctx, ifname)
	}
	if err != nil {
		return err
	}
	defer i.Close()
	if i.path == "" {
		return m.releaseSocket(ctx, ifname)
	}
	err = i.Call(ctx, i.path, interfaceI+".Disconnect", nil)
	if err != nil && !managerbus.Is(err, errNotConnected) {
		return wrap(err)
	}
	return wrap(managerbus.Until(ctx, func() (bool, error) {
		current, err := i.currentNetwork(ctx)
		return current == noObject, err
	}))
}
