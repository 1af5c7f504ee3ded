package nmagent

import (
	"context"
	"fmt"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/dbus/bus"
)

// Of NetworkManager's question: its flags (NMSecretAgentGetSecretsFlags), and what it says of the
// connection.
const (
	allowInteraction = 0x1
	userRequested    = 0x4
	ownPushButton    = 0x8 // NetworkManager runs WPS itself meanwhile (WPS_PBC_ACTIVE)

	wirelessSecurity = "802-11-wireless-security"
	wireless         = "802-11-wireless"
	flagAgentOwned   = 0x1 // of psk-flags: an agent keeps the key (NMSettingSecretFlags)
)

// settings are those of a connection, by setting and property.
type settings = map[string]map[string]godbus.Variant

// get reads a property of a connection; its zero value if it is not there, or of another type.
func get[T any](s settings, setting, property string) T {
	v, _ := s[setting][property].Value().(T)
	return v
}

// asked is a question that was taken apart.
type asked struct {
	question
	settings settings
	flags    uint32
	ssid     []byte
}

// newAsked takes a call of GetSecrets apart, whose types the bus has checked.
func newAsked(args []any) asked {
	q := asked{}
	q.settings, _ = args[0].(settings)
	q.connection, _ = args[1].(godbus.ObjectPath)
	q.setting, _ = args[2].(string)
	q.flags, _ = args[4].(uint32)
	q.ssid = get[[]byte](q.settings, wireless, "ssid")
	return q
}

// decline says why a question is not for push button; empty: it is.
func (q *asked) decline(unattended bool) string {
	management := get[string](q.settings, wirelessSecurity, "key-mgmt")
	switch {
	case q.setting != wirelessSecurity:
		return "This is not about the key of a Wi-Fi network."
	case len(q.ssid) == 0 || len(q.ssid) > 32:
		return "The connection names no network."
	case management != "wpa-psk" && management != "sae":
		return "This network has no key that all its devices share, so WPS cannot give it."
	case q.flags&allowInteraction == 0:
		return "NetworkManager wants nobody to be asked."
	case q.flags&ownPushButton != 0:
		return "NetworkManager runs push button itself: press the button of the router, or have wps-method=disabled in the connection."
	case q.flags&userRequested == 0 && !unattended:
		return "NetworkManager tries to connect by itself: nobody asked for it."
	case get[uint32](q.settings, wirelessSecurity, "psk-flags")&flagAgentOwned != 0:
		return "The connection has its key kept by another agent, such as a keyring."
	}
	return ""
}

// mode of a connection that is a hotspot of this machine: its key nobody else has.
func (q *asked) isHotspot() bool { return get[string](q.settings, wireless, "mode") == "ap" }

// device finds the interface on which NetworkManager makes a connection; empty: it does not say.
func (g *agent) device(ctx context.Context, q *asked) (string, error) {
	var active []godbus.ObjectPath
	if err := g.property(ctx, managerPath, networkManager, "ActiveConnections", &active); err != nil {
		return "", err
	}
	const iface = networkManager + ".Connection.Active"
	for _, path := range active[:min(len(active), maxActive)] {
		var of godbus.ObjectPath
		var devices []godbus.ObjectPath
		if g.property(ctx, path, iface, "Connection", &of) != nil || of != q.connection ||
			g.property(ctx, path, iface, "Devices", &devices) != nil || len(devices) == 0 {
			continue // it may just have ended
		}
		var name string
		err := g.property(ctx, devices[0], networkManager+".Device", "Interface", &name)
		return name, err
	}
	return get[string](q.settings, "connection", "interface-name"), nil
}

// maxActive bounds how many connections are looked at.
const maxActive = 64

// property reads a property of NetworkManager's.
func (g *agent) property(ctx context.Context, path godbus.ObjectPath, iface, name string,
	out any) error {
	var v godbus.Variant
	err := g.conn.Call(ctx, bus.Request{To: networkManager, Path: path,
		Method: "org.freedesktop.DBus.Properties.Get", Args: []any{iface, name},
		Flags: godbus.FlagNoAutoStart}, &v)
	if err == nil {
		err = v.Store(out)
	}
	if err != nil {
		return fmt.Errorf("nmagent: NetworkManager's %s: %w", name, err)
	}
	return nil
}
