package main

import (
	"fmt"
	"io"
	"path"
	"time"

	godbus "github.com/godbus/dbus/v5"
)

// enrollee is a device that asks an access point of this machine to let it in.
type enrollee struct {
	Path         godbus.ObjectPath `json:"path"`
	Interface    string            `json:"interface"`
	MAC          string            `json:"mac"`
	UUID         string            `json:"uuid"`
	DeviceName   string            `json:"device_name"`
	Manufacturer string            `json:"manufacturer"`
	ModelName    string            `json:"model_name"`
	DeviceType   string            `json:"device_type"`
	PasswordID   uint16            `json:"password_id"`
	PINNeeded    bool              `json:"pin_needed"`
	LastSeen     time.Time         `json:"last_seen"`
}

// newEnrollee makes one; names maps interface objects to their names.
func newEnrollee(at godbus.ObjectPath, p props, names map[godbus.ObjectPath]string) enrollee {
	ifname := names[godbus.ObjectPath(path.Dir(path.Dir(string(at))))]
	return enrollee{Path: at, Interface: ifname, MAC: get[string](p, "MacAddress"),
		UUID: get[string](p, "Uuid"), DeviceName: get[string](p, "DeviceName"),
		Manufacturer: get[string](p, "Manufacturer"), ModelName: get[string](p, "ModelName"),
		DeviceType: get[string](p, "DeviceType"), PasswordID: get[uint16](p, "PasswordId"),
		PINNeeded: get[bool](p, "PinNeeded"), LastSeen: when(p, "LastSeen")}
}

// writeEnrollees tells who asks, a line each.
func writeEnrollees(w io.Writer, all []enrollee) {
	for _, e := range all {
		who := e.MAC
		if e.DeviceName != "" {
			who = fmt.Sprintf("%s (%s)", e.DeviceName, e.MAC)
		}
		wants := "looks for a network"
		switch {
		case e.PINNeeded:
			wants = `wants in with its PIN: "wpsctl pin"`
		case e.PasswordID == 4:
			wants = `has its button pressed: "wpsctl pbc"`
		}
		fmt.Fprintf(w, "%s: %s %s\n", printable(e.Interface), printable(who), wants)
	}
}
