// Package hostnamed asks what this machine is called and what kind of machine it is: of
// systemd-hostnamed, or whoever has its name on the bus (org.freedesktop.hostname1(5)). What it
// says goes over the air, so it is bounded as texts of WPS are.
package hostnamed

import (
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/dbus/bus"
	"wpsd/engine/wsc"
)

const (
	name  = "org.freedesktop.hostname1"
	path  = godbus.ObjectPath("/org/freedesktop/hostname1")
	iface = name
)

// Machine is what it says. What is empty it does not know.
type Machine struct {
	Name, Manufacturer, Model string
	Type                      wsc.DeviceType
}

// kinds are the primary device types (WSC 2.0.8, 12, "Primary Device Type") of what hostnamed calls
// the chassis (machine-info(5)). What is no thing of a person, as a virtual machine, has none.
var kinds = map[string]wsc.DeviceType{
	"desktop": wifiAlliance(1, 6), "server": wifiAlliance(1, 2), "laptop": wifiAlliance(1, 5),
	"convertible": wifiAlliance(1, 5), "tablet": wifiAlliance(1, 9),
	"handset": wifiAlliance(10, 5),
}

// wifiAlliance is a type of those that the Wi-Fi Alliance has numbered.
func wifiAlliance(category, subcategory byte) wsc.DeviceType {
	return wsc.DeviceType{0, category, 0, 0x50, 0xf2, 4, 0, subcategory}
}

// Ask asks, and has the bus start hostnamed for it, which ends by itself soon.
func Ask(ctx context.Context, conn *bus.Conn) (Machine, error) {
	owner, err := find(ctx, conn)
	if err != nil {
		return Machine{}, fmt.Errorf("hostnamed: %w", err)
	}
	var says map[string]godbus.Variant
	if err := conn.Call(ctx, bus.Request{To: owner, Path: path,
		Method: "org.freedesktop.DBus.Properties.GetAll", Args: []any{iface}}, &says); err != nil {
		return Machine{}, fmt.Errorf("hostnamed: %w", err)
	}
	text := func(property string, most int) string {
		s, _ := says[property].Value().(string)
		return fit(s, most)
	}
	chassis, _ := says["Chassis"].Value().(string)
	m := Machine{Manufacturer: text("HardwareVendor", wsc.MaxManufacturer),
		Model: text("HardwareModel", wsc.MaxModelName), Type: kinds[chassis]}
	for _, property := range []string{"PrettyHostname", "StaticHostname", "Hostname"} {
		m.Name = text(property, wsc.MaxDeviceName)
		if m.Name != "" && m.Name != "localhost" {
			return m, nil
		}
	}
	m.Name = ""
	return m, nil
}

// find gives hostnamed's unique name: who calls that need not be told when it ends.
func find(ctx context.Context, conn *bus.Conn) (owner string, err error) {
	if err := conn.Ask(ctx, "GetNameOwner", []any{name}, &owner); err == nil {
		return owner, nil
	}
	var started uint32
	if err := conn.Ask(ctx, "StartServiceByName", []any{name, uint32(0)}, &started); err != nil {
		return "", err
	}
	err = conn.Ask(ctx, "GetNameOwner", []any{name}, &owner)
	return owner, err
}

// Complete fills in what the configuration leaves open.
func (m Machine) Complete(d wsc.Device) wsc.Device {
	for _, f := range []struct {
		to   *string
		from string
	}{{&d.DeviceName, m.Name}, {&d.Manufacturer, m.Manufacturer}, {&d.ModelName, m.Model}} {
		if *f.to == "" {
			*f.to = f.from
		}
	}
	if d.PrimaryDeviceType == (wsc.DeviceType{}) {
		d.PrimaryDeviceType = m.Type
	}
	return d
}

// Needed reports whether the configuration leaves anything open.
func Needed(d wsc.Device) bool {
	return d.DeviceName == "" || d.Manufacturer == "" || d.ModelName == "" ||
		d.PrimaryDeviceType == (wsc.DeviceType{})
}

// fit makes a text of at most so many bytes that can be shown.
func fit(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if len(s) > most {
		s = s[:most]
		for !utf8.ValidString(s) {
			s = s[:len(s)-1]
		}
	}
	return strings.TrimSpace(s)
}
