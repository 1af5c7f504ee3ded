package main

import (
	"strings"
	"time"

	godbus "github.com/godbus/dbus/v5"
	"github.com/spf13/cobra"
)

// erAccessPoint is an access point that the External Registrar found.
type erAccessPoint struct {
	Path             godbus.ObjectPath `json:"path"`
	Interface        string            `json:"interface"`
	UUID             string            `json:"uuid"`
	BSSID            string            `json:"bssid,omitempty"`
	Address          string            `json:"address"`
	OtherAddresses   []string          `json:"other_addresses,omitempty"`
	Location         string            `json:"location"`
	FriendlyName     string            `json:"friendly_name"`
	Manufacturer     string            `json:"manufacturer"`
	ManufacturerURL  string            `json:"manufacturer_url"`
	ModelDescription string            `json:"model_description"`
	ModelName        string            `json:"model_name"`
	ModelNumber      string            `json:"model_number"`
	ModelURL         string            `json:"model_url"`
	SerialNumber     string            `json:"serial_number"`
	UPC              string            `json:"upc"`
	PresentationURL  string            `json:"presentation_url"`
	DeviceName       string            `json:"device_name"`
	DeviceType       string            `json:"device_type"`
	Version          string            `json:"version"`
	ConfigMethods    []string          `json:"config_methods"`
	State            string            `json:"state"`
	Locked           bool              `json:"setup_locked"`
	HasSettings      bool              `json:"has_settings"`
	Subscribed       bool              `json:"subscribed"`
	Dropped          bool              `json:"dropped"`
	Problem          string            `json:"problem,omitempty"`
	LastSeen         time.Time         `json:"last_seen"`
	Expires          time.Time         `json:"expires"`
}

// erEnrollee is a device that asks an access point to let it in.
type erEnrollee struct {
	Path          godbus.ObjectPath `json:"path"`
	Interface     string            `json:"interface"`
	AccessPoint   godbus.ObjectPath `json:"access_point"`
	UUID          string            `json:"uuid"`
	MAC           string            `json:"mac"`
	DeviceName    string            `json:"device_name"`
	Manufacturer  string            `json:"manufacturer"`
	ModelName     string            `json:"model_name"`
	ModelNumber   string            `json:"model_number"`
	SerialNumber  string            `json:"serial_number"`
	DeviceType    string            `json:"device_type"`
	ConfigMethods []string          `json:"config_methods"`
	PasswordID    uint16            `json:"password_id"`
	Introduced    bool              `json:"introduced"`
	LastSeen      time.Time         `json:"last_seen"`
	apName        string
}

// erParent is the interface that an object of the External Registrar belongs to.
func erParent(p godbus.ObjectPath) godbus.ObjectPath {
	parent, _, _ := strings.Cut(string(p), "/er/")
	return godbus.ObjectPath(parent)
}

// newERAccessPoint makes one; names maps interface objects to their names.
func newERAccessPoint(at godbus.ObjectPath, p props,
	names map[godbus.ObjectPath]string) erAccessPoint {
	return erAccessPoint{Path: at, Interface: names[erParent(at)], UUID: get[string](p, "Uuid"),
		BSSID: get[string](p, "Bssid"), Address: get[string](p, "Address"),
		OtherAddresses: get[[]string](p, "OtherAddresses"), Location: get[string](p, "Location"),
		FriendlyName:     get[string](p, "FriendlyName"),
		Manufacturer:     get[string](p, "Manufacturer"),
		ManufacturerURL:  get[string](p, "ManufacturerUrl"),
		ModelDescription: get[string](p, "ModelDescription"),
		ModelName:        get[string](p, "ModelName"), ModelNumber: get[string](p, "ModelNumber"),
		ModelURL:     get[string](p, "ModelUrl"),
		SerialNumber: get[string](p, "SerialNumber"), UPC: get[string](p, "Upc"),
		PresentationURL: get[string](p, "PresentationUrl"),
		DeviceName:      get[string](p, "DeviceName"), DeviceType: get[string](p, "DeviceType"),
		Version:       get[string](p, "Version"),
		ConfigMethods: get[[]string](p, "ConfigMethods"), State: get[string](p, "State"),
		Locked:      get[bool](p, "SetupLocked"),
		HasSettings: get[bool](p, "HasSettings"), Subscribed: get[bool](p, "Subscribed"),
		Dropped: get[bool](p, "Dropped"), Problem: get[string](p, "Problem"),
		LastSeen: when(p, "LastSeen"), Expires: when(p, "Expires")}
}

// newEREnrollee makes one; aps are the access points, to name the one that heard it.
func newEREnrollee(at godbus.ObjectPath, p props, names map[godbus.ObjectPath]string,
	aps []erAccessPoint) erEnrollee {
	e := erEnrollee{Path: at, Interface: names[erParent(at)],
		AccessPoint: get[godbus.ObjectPath](p, "AccessPoint"), UUID: get[string](p, "Uuid"),
		MAC:        get[string](p, "MacAddress"),
		DeviceName: get[string](p, "DeviceName"), Manufacturer: get[string](p, "Manufacturer"),
		ModelName:   get[string](p, "ModelName"),
		ModelNumber: get[string](p, "ModelNumber"), SerialNumber: get[string](p, "SerialNumber"),
		DeviceType:    get[string](p, "DeviceType"),
		ConfigMethods: get[[]string](p, "ConfigMethods"), PasswordID: get[uint16](p, "PasswordId"),
		Introduced: get[bool](p, "Introduced"), LastSeen: when(p, "LastSeen")}
	for _, ap := range aps {
		if ap.Path == e.AccessPoint {
			e.apName = ap.FriendlyName
			if e.apName == "" {
				e.apName = ap.UUID
			}
		}
	}
	return e
}

// erAccessPoints offers the access points of the External Registrar: by BSSID, which is shorter, or
// UUID, or, if others say to be the same, by address.
func (c completion) erAccessPoints(cmd *cobra.Command, args []string, _ string) ([]string,
	cobra.ShellCompDirective) {
	var names []string
	if len(args) == 0 {
		for _, ap := range c.known(cmd).ERAccessPoints {
			names = append(names,
				cobra.CompletionWithDesc(printable(ap.shortName()), printable(ap.FriendlyName)))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// enrollees offers the devices that ask to be let in.
func (c completion) enrollees(cmd *cobra.Command, args []string, _ string) ([]string,
	cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	names := []string{"any"}
	for _, e := range c.known(cmd).EREnrollees {
		names = append(names, cobra.CompletionWithDesc(printable(e.MAC), printable(e.DeviceName)))
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
