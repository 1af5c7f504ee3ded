package dbus

import (
	"context"
	"strings"

	"wpsd/dbus/bus"
	"wpsd/engine/devpass"
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
func generatePin(_ context.Context, r *request) ([]any, error) {
	pin, err := r.svc.GeneratePIN()
	if err != nil {
		return nil, err
	}
	return []any{bus.Text{Value: pin}}, nil
}

// checkPin implements Manager.CheckPin.
func checkPin(_ context.Context, r *request) ([]any, error) {
	pin, err := devpass.CheckPIN(r.secret(0).Bytes())
	if err != nil {
		return nil, err
	}
	return []any{bus.Text{Value: pin}}, nil
}

// getPermissions implements Manager.GetPermissions.
func getPermissions(ctx context.Context, r *request) ([]any, error) {
	all := make(map[string]string, len(actions))
	for _, a := range actions {
		all[string(a)] = string(r.permission(ctx, a))
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

// setters change the properties of the Manager that can be written. The value has the property's
// type.
var setters = map[string]func(ctx context.Context, svc calls, value any) error{
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
	"DeviceType": func(ctx context.Context, svc calls, value any) error {
		text, _ := value.(string)
		t, err := wsc.ParseDeviceType(text)
		if err != nil {
			return outcome.BadDeviceType.Of(quote(text))
		}
		return svc.SetDevice(ctx, func(d *wsc.Device) { d.PrimaryDeviceType = t })
	},
	"OsVersion": func(ctx context.Context, svc calls, value any) error {
		v, _ := value.(uint32)
		if v > maxOSVersion {
			return outcome.BadOSVersion.Of(v)
		}
		return svc.SetDevice(ctx, func(d *wsc.Device) { d.OSVersion = v })
	},
	"ConfigMethods": func(ctx context.Context, svc calls, value any) error {
		words, _ := value.([]string)
		for _, w := range words {
			if m, err := wsc.ParseConfigMethods(w); err != nil || m == 0 ||
				strings.ContainsAny(w, " \t\n") {
				return outcome.NoConfigMethod.Of(quote(w))
			}
		}
		methods, err := wsc.ParseConfigMethods(strings.Join(words, " "))
		if err != nil {
			return outcome.ConfigMethodsApart.Of()
		}
		return svc.SetDevice(ctx, func(d *wsc.Device) { d.ConfigMethods = methods })
	},
	"CredentialProcessing": func(ctx context.Context, svc calls, value any) error {
		text, _ := value.(string)
		switch p := state.Processing(text); p {
		case state.ProcessingInternal, state.ProcessingExternal, state.ProcessingBoth:
			return svc.SetProcessing(ctx, p)
		}
		return outcome.NoProcessing.Of(quote(text))
	},
}

// textSetter makes the setter of a text of limited length.
func textSetter(name string, most int, field func(*wsc.Device) *string) func(context.Context, calls,
	any) error {
	return func(ctx context.Context, svc calls, value any) error {
		text, _ := value.(string)
		if len(text) > most {
			return outcome.TooLong.Of(name, len(text), most)
		}
		if text != printable(text) {
			return outcome.ControlCharacters.Of(name)
		}
		return svc.SetDevice(ctx, func(d *wsc.Device) { *field(d) = text })
	}
}
