package wpasupplicant

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	godbus "github.com/godbus/dbus/v5"
)

var _ talk = (*iface)(nil)

func (i *iface) networks(ctx context.Context) (all []network, err error) {
	var paths []godbus.ObjectPath
	if err := i.Get(ctx, i.path, interfaceI, "Networks", &paths); err != nil {
		return nil, err
	}
	for _, p := range paths {
		var settings map[string]godbus.Variant
		n := network{id: string(p), have: map[string]string{}}
		if err := i.Get(ctx, p, networkI, "Properties", &settings); err != nil {
			return nil, err
		}
		for _, name := range configured {
			n.have[name], _ = settings[name].Value().(string)
		}
		if err := i.Get(ctx, p, networkI, "Enabled", &n.enabled); err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, nil
}

func (i *iface) can(ctx context.Context) (abilities, error) {
	var dict map[string]godbus.Variant
	if err := i.Get(ctx, i.path, interfaceI, "Capabilities", &dict); err != nil {
		return abilities{}, err
	}
	list := func(name string) []string {
		words, _ := dict[name].Value().([]string)
		return strings.Fields(strings.ToUpper(strings.Join(words, " ")))
	}
	return abilities{list("KeyMgmt"), list("Pairwise"), list("Group"), list("GroupMgmt")}, nil
}

// properties are settings as D-Bus has them: wpa_supplicant quotes strings where that has to be,
// bytes become hex.
func properties(values []value) (map[string]godbus.Variant, error) {
	dict := map[string]godbus.Variant{}
	for _, v := range values {
		switch v.form {
		case number:
			n, err := strconv.ParseInt(v.text, 10, 32)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", v.name, err)
			}
			dict[v.name] = godbus.MakeVariant(int32(n))
		case octets:
			dict[v.name] = godbus.MakeVariant(v.content())
		default:
			dict[v.name] = godbus.MakeVariant(string(v.content()))
		}
	}
	return dict, nil
}

func (i *iface) add(ctx context.Context, values []value) (string, error) {
	dict, err := properties(values)
	if err != nil {
		return "", err
	}
	var path godbus.ObjectPath
	err = i.Call(ctx, i.path, interfaceI+".AddNetwork", []any{dict}, &path)
	return string(path), err
}

func (i *iface) change(ctx context.Context, id string, values []value) error {
	dict, err := properties(values)
	if err != nil {
		return err
	}
	return i.Set(ctx, godbus.ObjectPath(id), networkI, "Properties", dict)
}

func (i *iface) remove(ctx context.Context, id string) error {
	return i.Call(ctx, i.path, interfaceI+".RemoveNetwork", []any{godbus.ObjectPath(id)})
}

func (i *iface) choose(ctx context.Context, id string) error {
	return i.Call(ctx, i.path, interfaceI+".SelectNetwork", []any{godbus.ObjectPath(id)})
}

func (i *iface) enable(ctx context.Context, id string) error {
	return i.Set(ctx, godbus.ObjectPath(id), networkI, "Enabled", true)
}

func (i *iface) current(ctx context.Context) (id string, connected bool, err error) {
	path, err := i.currentNetwork(ctx)
	if err != nil || path == noObject {
		return "", false, err
	}
	var state string
	err = i.Get(ctx, i.path, interfaceI, "State", &state)
	return string(path), state == "completed", err
}

func (i *iface) save(ctx context.Context) { _ = i.Call(ctx, i.path, interfaceI+".SaveConfig", nil) }

// again: each call over D-Bus has a number of its own.
func (*iface) again() error { return nil }
