package dbus

import (
	"context"

	godbus "github.com/godbus/dbus/v5"
	"wpsd/service/outcome"
)

// addInterface implements Manager.AddInterface. Interfaces with a radio, and access points that
// hostapd runs, are found without being named; what needs a name is an interface without a radio.
func addInterface(ctx context.Context, r *request) ([]any, error) {
	name, driver, control := r.text(0), "none", ""
	if err := decodeOptions(r.options(1),
		map[string]any{"driver": &driver, "control-path": &control}); err != nil {
		return nil, err
	}
	if control != "" {
		return nil, outcome.ControlPathGiven.Of()
	}
	if err := r.svc.AddInterface(ctx, name, driver); err != nil {
		return nil, err
	}
	return []any{interfacePath(name)}, nil
}

// removeInterface implements Manager.RemoveInterface.
func removeInterface(ctx context.Context, r *request) ([]any, error) {
	path, _ := r.args[0].(godbus.ObjectPath)
	name, ok := interfaceOf(path)
	if !ok {
		return nil, outcome.NoInterfacePath.Of(quote(string(path)))
	}
	return nil, r.svc.RemoveInterface(ctx, name)
}
