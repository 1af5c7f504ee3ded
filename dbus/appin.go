package dbus

import (
	"context"
	"slices"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/dbus/bus"
	"wpsd/engine/wsc"
	"wpsd/service/hotspot"
	"wpsd/service/outcome"
	"wpsd/service/session"
	"wpsd/service/state"
)

// readApPin reads the arguments of Interface.ApPin.
func readApPin(r *request) (ask hotspot.APPINRequest, err error) {
	var pin bus.Text
	var timeout uint32
	options := r.options(1)
	var force bool
	if err := decodeOptions(options,
		map[string]any{optionPIN: &pin, "timeout": &timeout, optionForce: &force}); err != nil {
		return ask, err
	}
	ask = hotspot.APPINRequest{Interface: r.ifname, Command: hotspot.APPINCommand(r.text(0)),
		Force: force}
	_, withPIN := options[optionPIN]
	if withPIN || ask.Command == hotspot.APPINSet {
		if pin.IsZero() {
			return ask, outcome.EmptyPINToSet.Of()
		}
		ask.PIN = pin.Value
	}
	if _, given := options["timeout"]; given {
		ask.Timeout, err = seconds(timeout)
	}
	return ask, err
}

// apPin implements Interface.ApPin.
func apPin(ctx context.Context, svc Rooms, ask hotspot.APPINRequest) ([]any, error) {
	used, err := svc.APPIN(ctx, ask)
	if err != nil {
		return nil, err
	}
	return []any{bus.Text{Value: used}}, nil
}

// seconds is an option that says how long; none at all is said by leaving it out.
func seconds(n uint32) (time.Duration, error) {
	if n == 0 {
		return 0, outcome.NoTimeout.Of()
	}
	return time.Duration(n) * time.Second, nil
}

// admitOptions reads what StartPin takes for an interface that is an access point.
func admitOptions(r *request, start *session.StartRequest, timeout uint32, mac string) error {
	options := r.options(0)
	if _, given := options["timeout"]; given {
		var err error
		if start.Timeout, err = seconds(timeout); err != nil {
			return err
		}
	}
	if _, given := options["mac"]; given {
		m, err := wsc.ParseMAC(mac)
		if err != nil || m.IsZero() {
			return outcome.BadMACOfAny.Of(quote(mac))
		}
		start.MAC = m
	}
	return nil
}

// enrolleeSignal tells of a device that wants in. The text in it is the device's own.
func enrolleeSignal(member string, e state.Enrollee) signal {
	device := values{}
	put := func(key, text string) {
		if text != "" {
			device[key] = variant(text)
		}
	}
	put("name", e.Name)
	put("manufacturer", e.Manufacturer)
	put("model-name", e.ModelName)
	put("model-number", e.ModelNumber)
	put("serial-number", e.SerialNumber)
	put("device-type", e.DeviceType)
	if e.ConfigMethods != 0 {
		device["config-methods"] = variant(e.ConfigMethods.Names())
	}
	if e.PasswordIDKnown {
		device["password-id"] = variant(uint16(e.PasswordID))
	}
	return signal{interfacePath(e.Interface), interfaceIface, member,
		[]any{printable(e.UUID), e.MAC.String(), device}}
}

// enrolleePath is that of a device that asks an access point of this machine to let it in.
func enrolleePath(e state.AskingEnrollee) godbus.ObjectPath {
	return interfacePath(e.Interface) + "/enrollees/" + element(e.MAC.String())
}

// enrolleePaths are those of the devices that ask on an interface; not nil.
func (t *tree) enrolleePaths(ifname string) []godbus.ObjectPath {
	return append([]godbus.ObjectPath{}, t.enrollees[ifname]...)
}

// putEnrollee makes or updates the object of a device.
func (t *tree) putEnrollee(e state.AskingEnrollee, emit emitter) {
	path := enrolleePath(e)
	if list := t.enrollees[e.Interface]; !slices.Contains(list, path) {
		list = append(slices.Clone(list), path)
		slices.Sort(list)
		t.enrollees[e.Interface] = list
		t.stale[interfacePath(e.Interface)] = true
	}
	t.put(path, identity{ifname: e.Interface}, emit, face{iface: enrolleeIface, snapshot: true,
		render: func() values { return enrolleeValues(e) }})
}

func (t *tree) removeEnrollee(e state.AskingEnrollee, emit emitter) {
	path := enrolleePath(e)
	left := slices.DeleteFunc(slices.Clone(t.enrollees[e.Interface]),
		func(p godbus.ObjectPath) bool { return p == path })
	if t.enrollees[e.Interface] = left; len(left) == 0 {
		delete(t.enrollees, e.Interface)
	}
	t.remove(path, emit)
	t.stale[interfacePath(e.Interface)] = true
}

// enrolleeValues are the properties of fi.w1.wps.Enrollee.
func enrolleeValues(e state.AskingEnrollee) values {
	return values{
		"MacAddress": variant(e.MAC.String()), "Uuid": variant(e.UUID),
		"DeviceName": variant(e.Name), "Manufacturer": variant(e.Manufacturer),
		"ModelName": variant(e.ModelName), "ModelNumber": variant(e.ModelNumber),
		"SerialNumber":  variant(e.SerialNumber),
		"DeviceType":    variant(e.DeviceType),
		"ConfigMethods": variant(append([]string{}, e.ConfigMethods.Names()...)),
		"PasswordId":    variant(uint16(e.PasswordID)),
		"PinNeeded":     variant(e.PINNeeded),
		"LastSeen":      variant(microseconds(e.LastSeen)),
	}
}
