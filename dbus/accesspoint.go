package dbus

import (
	"maps"
	"slices"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/engine/wsc"
	"wpsd/service/state"
)

// applyAccessPoint takes an event about an access point.
func (t *tree) applyAccessPoint(e state.Event, emit emitter) {
	switch e := e.(type) {
	case state.AccessPointAdded:
		t.putAccessPoint(e.AccessPoint, true, emit)
	case state.AccessPointChanged:
		t.putAccessPoint(e.AccessPoint, e.FlagsChanged, emit)
	case state.AccessPointRemoved:
		delete(t.accessPoints, accessPointKey{e.Interface, e.BSSID})
		t.remove(accessPointPath(e.Interface, e.BSSID), emit)
		t.staleLists(e.Interface)
	}
}

// putAccessPoint makes or updates the object of an access point, and announces it if available is
// set.
func (t *tree) putAccessPoint(ap state.AccessPoint, available bool, emit emitter) {
	key := accessPointKey{ap.Interface, ap.BSSID}
	path := accessPointPath(ap.Interface, ap.BSSID)
	t.accessPoints[key] = ap
	if t.objects[path] == nil {
		t.staleLists(ap.Interface)
	}
	t.add(path, identity{ifname: ap.Interface}, emit,
		face{iface: accessPointIface, render: func() values {
			return accessPointValues(t.accessPoints[key])
		}})
	if available {
		emit(signal{interfacePath(ap.Interface), interfaceIface, "AccessPointAvailable",
			[]any{path, ap.Class.String()}})
	}
}

// staleLists marks what names the access points of an interface.
func (t *tree) staleLists(ifname string) {
	t.stale[interfacePath(ifname)] = true
	t.staleSessions(ifname)
}

// accessPointPaths lists the access points of an interface.
func (t *tree) accessPointPaths(ifname string) []godbus.ObjectPath {
	paths := []godbus.ObjectPath{}
	for key := range maps.Keys(t.accessPoints) {
		if key.ifname == ifname {
			paths = append(paths, accessPointPath(ifname, key.bssid))
		}
	}
	slices.Sort(paths)
	return paths
}

// accessPointValues are the properties of fi.w1.wps.AccessPoint.
func accessPointValues(ap state.AccessPoint) values {
	uuid, deviceType := "", ""
	if ap.Ad.HasUUIDE {
		uuid = ap.Ad.UUIDE.String()
	}
	if ap.Ad.PrimaryDeviceType != (wsc.DeviceType{}) {
		deviceType = ap.Ad.PrimaryDeviceType.String()
	}
	band, channel := bandAndChannel(ap.Frequency)
	usable, why := joinable(ap)
	return values{
		"Bssid":         variant(ap.BSSID.String()),
		"Ssid":          variant(octets(ap.SSID)),
		"Frequency":     variant(uint32(max(ap.Frequency, 0))),
		"Signal":        variant(int32(ap.Signal)),
		"Flags":         variant(ap.Class.String()),
		"Security":      variant(securityList(ap.Security)),
		"Band":          variant(band),
		"Channel":       variant(channel),
		"Usable":        variant(usable),
		"Why":           variant(why),
		"Configured":    variant(ap.Ad.State == wsc.Configured),
		"SetupLocked":   variant(ap.Ad.SetupLocked),
		"Uuid":          variant(uuid),
		"Router":        variant(routerOf(ap)),
		"Version":       variant(ap.Ad.Version2.String()),
		"DeviceName":    variant(ap.Ad.DeviceName),
		"Manufacturer":  variant(ap.Ad.Manufacturer),
		"ModelName":     variant(ap.Ad.ModelName),
		"ModelNumber":   variant(ap.Ad.ModelNumber),
		"SerialNumber":  variant(ap.Ad.SerialNumber),
		"DeviceType":    variant(deviceType),
		"ConfigMethods": variant(ap.Ad.ConfigMethods.Names()),
		"LastSeen":      variant(microseconds(ap.LastSeen)),
	}
}
