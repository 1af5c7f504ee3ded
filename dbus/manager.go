package dbus

import (
	"context"
	"strings"

	"wpsd/dbus/bus"
	"wpsd/engine/devpass"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/outcome"
	"wpsd/service/state"
)

// managerValues are the properties of fi.w1.wps.Manager.
func (t *tree) managerValues() values {
	d := t.manager.Device
	return values{
		"Version":              variant(t.manager.Version),
		"ApiVersion":           variant(apiVersion),
		"Managers":             variant(t.managers),
		"Interfaces":           variant(sortedPaths(t.interfaces, interfacePath)),
		"Networks":             variant(sortedPaths(t.networks, networkPath)),
		"Uuid":                 variant(d.UUID.String()),
		"DeviceName":           variant(d.DeviceName),
		"Manufacturer":         variant(d.Manufacturer),
		"ModelName":            variant(d.ModelName),
		"ModelNumber":          variant(d.ModelNumber),
		"SerialNumber":         variant(d.SerialNumber),
		"DeviceType":           variant(d.PrimaryDeviceType.String()),
		"OsVersion":            variant(d.OSVersion),
		"ConfigMethods":        variant(d.ConfigMethods.Names()),
		"CredentialProcessing": variant(string(t.manager.Processing)),
		"WaitingCredentials":   variant(uint32(max(t.manager.Waiting, 0))),
	}
}

// generatePin implements Manager.GeneratePin.
func generatePin(_ context.Context, svc Rooms, _ struct{}) ([]any, error) {
	pin, err := svc.GeneratePIN()
	if err != nil {
		return nil, err
	}
	return []any{bus.Text{Value: pin}}, nil
}

// readPin reads the argument of Manager.CheckPin.
func readPin(r *request) (secret.Value, error) { return devpass.CheckPIN(r.secret(0).Bytes()) }

// checkPin implements Manager.CheckPin: the service need not be asked.
func checkPin(_ context.Context, _ Rooms, pin secret.Value) ([]any, error) {
	return []any{bus.Text{Value: pin}}, nil
}

// readPermission is for Manager.GetPermissions.
func readPermission(r *request) (func(context.Context, Action) Permission, error) {
	return r.permission, nil
}

// getPermissions implements Manager.GetPermissions.
func getPermissions(ctx context.Context, _ Rooms,
	permission func(context.Context, Action) Permission) ([]any, error) {
	all := make(map[string]string, len(actions))
	for _, a := range actions {
		all[string(a)] = string(permission(ctx, a))
	}
	if ctx.Err() != nil {
		return nil, errCallerLeft
	}
	return []any{all}, nil
}

// apiVersion counts the versions of the API. What has a version never changes; one with more in it
// has the next number, and what is new says so ("Since"). The manual has the rules, in STABILITY.
const apiVersion uint32 = 1

// maxOSVersion is the largest OS Version: its topmost bit is reserved and always set on the wire.
const maxOSVersion = 1<<31 - 1

// setting is a change of the Manager's that was read and is allowed.
type setting func(ctx context.Context, svc Rooms) error

// ofDevice is a setting of what we say of ourselves.
func ofDevice(change func(*wsc.Device)) setting {
	return func(ctx context.Context, svc Rooms) error { return svc.SetDevice(ctx, change) }
}

// setters read the properties of the Manager that can be written. The value has the property's
// type.
var setters = map[string]func(value any) (setting, error){
	"DeviceName": textSetter("DeviceName", wsc.MaxDeviceName, func(d *wsc.Device) *string {
		return &d.DeviceName
	}),
	"Manufacturer": textSetter("Manufacturer", wsc.MaxManufacturer, func(d *wsc.Device) *string {
		return &d.Manufacturer
	}),
	"ModelName": textSetter("ModelName", wsc.MaxModelName, func(d *wsc.Device) *string {
		return &d.ModelName
	}),
	"ModelNumber": textSetter("ModelNumber", wsc.MaxModelNumber, func(d *wsc.Device) *string {
		return &d.ModelNumber
	}),
	"SerialNumber": textSetter("SerialNumber", wsc.MaxSerialNumber, func(d *wsc.Device) *string {
		return &d.SerialNumber
	}),
	"DeviceType": func(value any) (setting, error) {
		text, _ := value.(string)
		t, err := wsc.ParseDeviceType(text)
		if err != nil {
			return nil, outcome.BadDeviceType.Of(quote(text))
		}
		return ofDevice(func(d *wsc.Device) { d.PrimaryDeviceType = t }), nil
	},
	"OsVersion": func(value any) (setting, error) {
		v, _ := value.(uint32)
		if v > maxOSVersion {
			return nil, outcome.BadOSVersion.Of(v)
		}
		return ofDevice(func(d *wsc.Device) { d.OSVersion = v }), nil
	},
	"ConfigMethods": func(value any) (setting, error) {
		words, _ := value.([]string)
		for _, w := range words {
			if m, err := wsc.ParseConfigMethods(w); err != nil || m == 0 ||
				strings.ContainsAny(w, " \t\n") {
				return nil, outcome.NoConfigMethod.Of(quote(w))
			}
		}
		methods, err := wsc.ParseConfigMethods(strings.Join(words, " "))
		if err != nil {
			return nil, outcome.ConfigMethodsApart.Of()
		}
		return ofDevice(func(d *wsc.Device) { d.ConfigMethods = methods }), nil
	},
	"CredentialProcessing": func(value any) (setting, error) {
		text, _ := value.(string)
		switch p := state.Processing(text); p {
		case state.ProcessingInternal, state.ProcessingExternal, state.ProcessingBoth:
			return func(ctx context.Context, svc Rooms) error {
				return svc.SetProcessing(ctx, p)
			}, nil
		}
		return nil, outcome.NoProcessing.Of(quote(text))
	},
}

// textSetter makes the setter of a text of limited length.
func textSetter(name string, most int,
	field func(*wsc.Device) *string) func(value any) (setting, error) {
	return func(value any) (setting, error) {
		text, _ := value.(string)
		if len(text) > most {
			return nil, outcome.TooLong.Of(name, len(text), most)
		}
		if text != printable(text) {
			return nil, outcome.ControlCharacters.Of(name)
		}
		return ofDevice(func(d *wsc.Device) { *field(d) = text }), nil
	}
}
