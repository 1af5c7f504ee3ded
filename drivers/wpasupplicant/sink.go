package wpasupplicant

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/drivers/managerbus"
	"wpsd/engine/credential"
	"wpsd/engine/wsc"
)

// Why wpa_supplicant cannot have a network.
var (
	ErrWEP    = errors.New("wpa_supplicant: WEP is broken and not handed over: set the access point to WPA2")
	ErrText   = errors.New("wpa_supplicant: over D-Bus it takes a passphrase only if that is UTF-8")
	ErrFailed = errors.New("it could not connect in time")
)

// network is one that is configured there.
type network struct {
	path        godbus.ObjectPath
	enabled     bool
	named, fits bool // it is for the name of the network in question; and for the same kind of security
}

// Deliver implements Sink: it changes the network that has this name already, else adds one, and selects it. The
// others are enabled again afterwards; SelectNetwork disables them.
func (m *Manager) Deliver(ctx context.Context, ifname string, n credential.Network) error {
	if n.KeyKind == credential.KeyWEP || n.Encryption&wsc.EncrWEP != 0 {
		return ErrWEP
	}
	if !utf8.Valid(n.Key.Bytes()) {
		return ErrText
	}
	i, err := m.dial(ctx, ifname)
	if isAbsent(err) || err == nil && i.path == "" {
		p, socketErr := m.socket(ctx, ifname)
		if p != nil {
			defer p.Close()
			if i != nil {
				i.Close()
			}
			return wrap(p.deliver(ctx, n))
		}
		err = errors.Join(err, socketErr)
	}
	if err != nil {
		return err
	}
	defer i.Close()
	if i.path == "" { // it was asked for by name: it does not have the interface
		if err := i.create(ctx, map[string]string{"Ifname": ifname, "Driver": "nl80211"}); err != nil {
			return wrap(err)
		}
	}
	settings, err := i.settings(ctx, n)
	if err != nil {
		return wrap(err)
	}
	all, same, err := i.networks(ctx, n)
	if err != nil {
		return wrap(err)
	}
	chosen := same
	if same == "" {
		err = i.Call(ctx, i.path, interfaceI+".AddNetwork", []any{settings}, &chosen)
	} else {
		err = i.Set(ctx, same, networkI, "Properties", settings)
	}
	if err != nil {
		return wrap(err)
	}
	err = i.connect(ctx, chosen)
	tidy := context.WithoutCancel(ctx)
	if err != nil && same == "" {
		err = errors.Join(err, i.Call(tidy, i.path, interfaceI+".RemoveNetwork", []any{chosen}))
	}
	for _, other := range all {
		if other.enabled && other.path != chosen {
			err = errors.Join(err, i.Set(tidy, other.path, networkI, "Enabled", true))
		}
	}
	if err != nil {
		return wrap(err)
	}
	// It saves only if its configuration file says so (update_config=1), and that is its owner's decision.
	_ = i.Call(ctx, i.path, interfaceI+".SaveConfig", nil)
	return nil
}

// settings are those of a network block. Strings are quoted by wpa_supplicant where they have to be, bytes become hex.
func (i *iface) settings(ctx context.Context, n credential.Network) (map[string]godbus.Variant, error) {
	s := map[string]godbus.Variant{"ssid": godbus.MakeVariant(n.SSID)}
	switch n.KeyKind {
	case credential.KeyNone:
		s["key_mgmt"] = godbus.MakeVariant("NONE")
	case credential.KeyRawPSK: // no password: SAE has no use for it
		psk := make([]byte, 32)
		if _, err := hex.Decode(psk, n.Key.Bytes()); err != nil {
			return nil, errors.New("the key is not 64 hex digits")
		}
		s["psk"], s["key_mgmt"] = godbus.MakeVariant(psk), godbus.MakeVariant("WPA-PSK")
	default:
		s["psk"] = godbus.MakeVariant(string(n.Key.Bytes()))
		management, err := i.management(ctx)
		if err != nil {
			return nil, err
		}
		s["key_mgmt"] = godbus.MakeVariant(management)
		s["ieee80211w"] = godbus.MakeVariant(int32(1)) // where the access point can: SAE needs it
	}
	return s, nil
}

// management is WPA2 and, so that a WPA2/WPA3 access point is joined with the better one, SAE where radio and build
// have it.
func (i *iface) management(ctx context.Context) (string, error) {
	var can map[string]godbus.Variant
	if err := i.Get(ctx, i.path, interfaceI, "Capabilities", &can); err != nil {
		return "", err
	}
	if list, _ := can["KeyMgmt"].Value().([]string); slices.Contains(list, "sae") {
		return "WPA-PSK WPA-PSK-SHA256 SAE", nil
	}
	return "WPA-PSK WPA-PSK-SHA256", nil
}

// networks lists what is configured, and which of them is for this name with the same kind of security; "": none.
func (i *iface) networks(ctx context.Context, n credential.Network) (all []network, same godbus.ObjectPath, err error) {
	var paths []godbus.ObjectPath
	if err := i.Get(ctx, i.path, interfaceI, "Networks", &paths); err != nil {
		return nil, "", err
	}
	for _, p := range paths {
		var have map[string]godbus.Variant
		item := network{path: p}
		if err := i.Get(ctx, p, networkI, "Properties", &have); err != nil {
			return nil, "", err
		}
		if err := i.Get(ctx, p, networkI, "Enabled", &item.enabled); err != nil {
			return nil, "", err
		}
		item.named, item.fits = named(have, n), fits(have, n)
		all = append(all, item)
		if same == "" && item.fits {
			same = p
		}
	}
	return all, same, nil
}

// text is a value as in the configuration file.
func text(have map[string]godbus.Variant, key string) string {
	s, _ := have[key].Value().(string)
	return s
}

// named reports whether a configured network has this one's name.
func named(have map[string]godbus.Variant, n credential.Network) bool {
	mode := text(have, "mode")
	return bytesOf(text(have, "ssid"), n.SSID) && (mode == "" || mode == "0")
}

// fits reports whether a configured network is this one.
func fits(have map[string]godbus.Variant, n credential.Network) bool {
	if !named(have, n) {
		return false
	}
	methods := strings.Fields(text(have, "key_mgmt"))
	if n.KeyKind == credential.KeyNone {
		return slices.Equal(methods, []string{"NONE"})
	}
	return slices.ContainsFunc(methods, func(m string) bool { return strings.HasPrefix(m, "WPA-PSK") || m == "SAE" })
}

// bytesOf reports whether a value of a configuration file, text in quotes or hex, is these bytes.
func bytesOf(value string, b []byte) bool {
	if len(value) >= 2 && value[0] == '"' {
		return value[1:len(value)-1] == string(b)
	}
	return strings.EqualFold(value, hex.EncodeToString(b))
}

// connect selects a network and waits until it is in it.
func (i *iface) connect(ctx context.Context, chosen godbus.ObjectPath) error {
	if err := i.Call(ctx, i.path, interfaceI+".SelectNetwork", []any{chosen}); err != nil {
		return err
	}
	err := managerbus.Until(ctx, func() (bool, error) {
		var state string
		if err := i.Get(ctx, i.path, interfaceI, "State", &state); err != nil || state != "completed" {
			return false, err
		}
		current, err := i.current(ctx)
		return current == chosen, err
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return ErrFailed
	}
	return err
}
