package dbus

import (
	"context"

	"wpsd/service/outcome"
)

// interfaceToAdd is an interface that nobody else finds.
type interfaceToAdd struct{ name, driver string }

// readAddInterface reads the arguments of Manager.AddInterface. Interfaces with a radio, and access
// points that hostapd runs, are found without being named; what needs a name is an interface
// without a radio.
func readAddInterface(r *request) (interfaceToAdd, error) {
	add, control := interfaceToAdd{r.text(0), "none"}, ""
	if err := decodeOptions(r.options(1),
		map[string]any{"driver": &add.driver, "control-path": &control}); err != nil {
		return add, err
	}
	if control != "" {
		return add, outcome.ControlPathGiven.Of()
	}
	return add, nil
}

// addInterface implements Manager.AddInterface.
func addInterface(ctx context.Context, svc Rooms, add interfaceToAdd) ([]any, error) {
	if err := svc.AddInterface(ctx, add.name, add.driver); err != nil {
		return nil, err
	}
	return []any{interfacePath(add.name)}, nil
}

// readRemoveInterface reads the argument of Manager.RemoveInterface.
func readRemoveInterface(r *request) (string, error) {
	name, ok := interfaceOf(r.path(0))
	if !ok {
		return "", outcome.NoInterfacePath.Of(quote(string(r.path(0))))
	}
	return name, nil
}
