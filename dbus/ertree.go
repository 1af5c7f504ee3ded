package dbus

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/engine/er"
	"wpsd/engine/wsc"
	"wpsd/service/state"
)

// erAPKey names an access point that an External Registrar found, erEnrolleeKey a device that one
// of them hears.
type erAPKey struct {
	ifname string
	id     er.APID
}

type erEnrolleeKey struct {
	erAPKey
	mac wsc.MAC
}

// erTree is what the External Registrars found. Their objects have the UUIDs in their paths; as two
// access points can have the same UUID the paths are kept.
type erTree struct {
	running       map[string]state.ER
	accessPoints  map[erAPKey]erObject
	enrolleePaths map[erEnrolleeKey]godbus.ObjectPath
}

// erObject is where an access point is, and whose UUID it has by now.
type erObject struct {
	path godbus.ObjectPath
	uuid wsc.UUID
}

func newERTree() erTree {
	return erTree{
		running:       map[string]state.ER{},
		accessPoints:  map[erAPKey]erObject{},
		enrolleePaths: map[erEnrolleeKey]godbus.ObjectPath{},
	}
}

// applyER takes an event of an External Registrar and reports whether it was one. Lists change once
// for many of these.
func (t *tree) applyER(e state.Event, emit emitter) bool {
	switch e := e.(type) {
	case state.ERChanged:
		t.er.running[e.ER.Interface] = e.ER
		t.stale[interfacePath(e.ER.Interface)] = true
	case state.ERAPAdded:
		path := t.putERAccessPoint(e.AccessPoint, emit)
		emit(signal{interfacePath(e.AccessPoint.Interface), erIface, "AccessPointAdded",
			[]any{path}})
	case state.ERAPChanged:
		t.putERAccessPoint(e.AccessPoint, emit)
	case state.ERAPRemoved:
		t.removeERAccessPoint(e.AccessPoint, emit)
	case state.EREnrolleeAdded:
		path := t.putEREnrollee(e.Enrollee, emit)
		emit(signal{interfacePath(e.Enrollee.Interface), erIface, "EnrolleeAdded", []any{path}})
	case state.EREnrolleeChanged:
		t.putEREnrollee(e.Enrollee, emit)
	case state.EREnrolleeRemoved:
		t.removeEREnrollee(e.Enrollee, emit)
	default:
		return false
	}
	return true
}

// putERAccessPoint makes or updates the object of an access point.
func (t *tree) putERAccessPoint(ap state.ERAccessPoint, emit emitter) godbus.ObjectPath {
	key := erAPKey{ap.Interface, ap.ID}
	o, known := t.er.accessPoints[key]
	if !known {
		o.path = t.free(interfacePath(ap.Interface)+"/er/aps/"+element(ap.UUID.String()), ap.ID)
		t.staleER(key)
	}
	o.uuid = ap.UUID
	t.er.accessPoints[key] = o
	t.put(o.path, identity{ifname: ap.Interface}, emit, face{iface: erAccessPointIface,
		snapshot: true, render: func() values { return erAccessPointValues(ap) }})
	return o.path
}

// put makes an object of a snapshot, or gives the one that is there another snapshot.
func (t *tree) put(path godbus.ObjectPath, of identity, emit emitter, f face) {
	if o := t.objects[path]; o != nil {
		t.renew(o, []face{f}, emit)
		return
	}
	t.add(path, of, emit, f)
}

func (t *tree) removeERAccessPoint(ap state.ERAccessPoint, emit emitter) {
	key := erAPKey{ap.Interface, ap.ID}
	o, known := t.er.accessPoints[key]
	if !known {
		return
	}
	delete(t.er.accessPoints, key)
	t.remove(o.path, emit)
	emit(signal{interfacePath(ap.Interface), erIface, "AccessPointRemoved",
		[]any{o.path, ap.UUID.String()}})
	t.staleER(key)
}

// putEREnrollee makes or updates the object of a device.
func (t *tree) putEREnrollee(e state.EREnrollee, emit emitter) godbus.ObjectPath {
	key := erEnrolleeKey{erAPKey{e.Interface, e.AP}, e.MAC}
	path, known := t.er.enrolleePaths[key]
	if !known {
		path = t.free(interfacePath(e.Interface)+"/er/enrollees/"+
			element(e.Device.UUID.String()+"_"+e.MAC.String()), e.AP)
		t.er.enrolleePaths[key] = path
		t.stale[interfacePath(e.Interface)] = true
	}
	t.put(path, identity{ifname: e.Interface}, emit, face{iface: erEnrolleeIface,
		snapshot: true, render: func() values { return t.erEnrolleeValues(e) }})
	return path
}

func (t *tree) removeEREnrollee(e state.EREnrollee, emit emitter) {
	key := erEnrolleeKey{erAPKey{e.Interface, e.AP}, e.MAC}
	path, known := t.er.enrolleePaths[key]
	if !known {
		return
	}
	delete(t.er.enrolleePaths, key)
	t.remove(path, emit)
	emit(signal{interfacePath(e.Interface), erIface, "EnrolleeRemoved",
		[]any{path, e.Device.UUID.String(), e.MAC.String()}})
	t.stale[interfacePath(e.Interface)] = true
}

// element makes an element of a path of a UUID or an address.
func element(s string) godbus.ObjectPath {
	return godbus.ObjectPath(strings.NewReplacer("-", "_", ":", "_").Replace(s))
}

// free is path, with the number of an access point behind it if there is such an object already.
func (t *tree) free(path godbus.ObjectPath, id er.APID) godbus.ObjectPath {
	if t.objects[path] == nil {
		return path
	}
	return godbus.ObjectPath(fmt.Sprintf("%s_%d", path, id))
}

// staleER marks what names an access point that an External Registrar found: it came or went.
func (t *tree) staleER(ap erAPKey) {
	t.stale[interfacePath(ap.ifname)] = true
	for id, s := range t.sessions {
		if s.Interface == ap.ifname && s.ERAP == ap.id {
			t.stale[sessionPath(id)] = true
		}
	}
}

// textIf is the text of what there may be, an address or a name of a BSS; empty: there is none.
func textIf(there bool, what fmt.Stringer) string {
	if !there {
		return ""
	}
	return what.String()
}

// erValues are the properties of fi.w1.wps.ER.
func (t *tree) erValues(ifname string) values {
	aps, enrollees := []godbus.ObjectPath{}, []godbus.ObjectPath{}
	for key, o := range t.er.accessPoints {
		if key.ifname == ifname {
			aps = append(aps, o.path)
		}
	}
	for key, path := range t.er.enrolleePaths {
		if key.ifname == ifname {
			enrollees = append(enrollees, path)
		}
	}
	slices.Sort(aps)
	slices.Sort(enrollees)
	now := t.er.running[ifname]
	return values{
		"Running": variant(now.Running), "Address": variant(textIf(now.Address.IsValid(), now.Address)),
		"AccessPoints": variant(aps), "Enrollees": variant(enrollees),
	}
}

// erAccessPointValues are the properties of fi.w1.wps.ER.AccessPoint.
func erAccessPointValues(ap state.ERAccessPoint) values {
	version, state := "", ""
	if ap.HasDevice {
		version, state = ap.Device.Version2.String(),
			map[wsc.State]string{wsc.Configured: "configured",
				wsc.NotConfigured: "not-configured"}[ap.Device.State]
	}
	others := []string{}
	for _, a := range ap.Also {
		others = append(others, a.String())
	}
	v := deviceValues(ap.Device)
	maps.Copy(v, values{
		"Uuid": variant(ap.UUID.String()), "Bssid": variant(textIf(!ap.BSSID.IsZero(), ap.BSSID)),
		"Address":        variant(textIf(ap.Addr.IsValid(), ap.Addr)),
		"OtherAddresses": variant(others),
		"Location":       variant(ap.Location.String()), "Version": variant(version),
		"State":       variant(state),
		"SetupLocked": variant(ap.SetupLocked), "HasSettings": variant(ap.HasSettings),
		"Subscribed": variant(ap.Subscribed),
		"Dropped":    variant(ap.Dropped), "Problem": variant(ap.Problem),
		"LastSeen": variant(microseconds(ap.LastSeen)),
		"Expires":  variant(microseconds(ap.Expires)),
	})
	d := ap.Description
	for name, text := range map[string]string{
		"FriendlyName": d.FriendlyName, "Manufacturer": d.Manufacturer,
		"ManufacturerUrl": d.ManufacturerURL, "ModelDescription": d.ModelDescription,
		"ModelName": d.ModelName, "ModelNumber": d.ModelNumber, "ModelUrl": d.ModelURL,
		"SerialNumber": d.SerialNumber, "Upc": d.UPC,
		"PresentationUrl": d.PresentationURL,
	} {
		if _, said := v[name]; !said || text != "" { // its M1 says some of it as well
			v[name] = variant(text)
		}
	}
	return v
}

// erEnrolleeValues are the properties of fi.w1.wps.ER.Enrollee.
func (t *tree) erEnrolleeValues(e state.EREnrollee) values {
	ap := noPath
	if o, known := t.er.accessPoints[erAPKey{e.Interface, e.AP}]; known {
		ap = o.path
	}
	v := values{
		"AccessPoint": variant(ap), "Uuid": variant(e.Device.UUID.String()),
		"MacAddress": variant(e.MAC.String()),
		"PasswordId": variant(uint16(e.PasswordID)), "Introduced": variant(e.M1),
		"LastSeen": variant(microseconds(e.LastSeen)),
	}
	maps.Copy(v, deviceValues(e.Device))
	return v
}

// deviceValues are the properties that tell what a device says of itself in the Registration
// Protocol.
func deviceValues(d wsc.Device) values {
	deviceType := ""
	if d.PrimaryDeviceType != (wsc.DeviceType{}) {
		deviceType = d.PrimaryDeviceType.String()
	}
	return values{
		"DeviceName": variant(d.DeviceName), "Manufacturer": variant(d.Manufacturer),
		"ModelName":   variant(d.ModelName),
		"ModelNumber": variant(d.ModelNumber), "SerialNumber": variant(d.SerialNumber),
		"DeviceType": variant(deviceType), "ConfigMethods": variant(d.ConfigMethods.Names()),
	}
}
