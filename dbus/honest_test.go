package dbus

import (
	"maps"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/drivers"
	"wpsd/engine/discovery"
	"wpsd/engine/er"
	"wpsd/engine/ie"
	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
	"wpsd/introspection"
	"wpsd/service/outcome"
	"wpsd/service/state"
)

// TestEveryPropertyChangesAndTells: there is a world of which nothing is known, and one of which
// everything is. Every property that is not constant differs between them, and its change was told
// as the introspection data promise.
func TestEveryPropertyChangesAndTells(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		c := w.client(0).listen()
		w.svc.tell(nothingKnown()...)
		synctest.Wait()
		before := c.everything()
		c.forgetSignals()
		w.svc.tell(everythingKnown()...)
		synctest.Wait()
		told := c.changesTold()
		after := c.everything()
		all, err := introspection.All()
		if err != nil {
			t.Fatal(err)
		}
		checked := 0
		for _, i := range all {
			for _, p := range i.Properties {
				if p.Emits == introspection.EmitsConst {
					continue
				}
				checked++
				changed := false
				for path, faces := range after {
					old, there := before[path][i.Name]
					if !there || faces[i.Name] == nil || same(old[p.Name], faces[i.Name][p.Name]) {
						continue
					}
					changed = true
					if p.Emits != introspection.EmitsNothing && !told[path][i.Name+"."+p.Name] {
						t.Errorf("%s: %s.%s changed and nobody was told", path, i.Name, p.Name)
					}
				}
				if !changed {
					t.Errorf("%s.%s is the same whatever happens", i.Name, p.Name)
				}
			}
		}
		if checked < 90 {
			t.Errorf("only %d properties were looked at", checked)
		}
	})
}

// everything is all properties of all objects, the root's too.
func (c *client) everything() map[godbus.ObjectPath]map[string]map[string]godbus.Variant {
	c.w.t.Helper()
	all, _ := c.must(rootPath, objectManagerIface+
		".GetManagedObjects")[0].(map[godbus.ObjectPath]map[string]map[string]godbus.Variant)
	root, _ := c.must(rootPath, propertiesIface+".GetAll",
		managerIface)[0].(map[string]godbus.Variant)
	all[rootPath] = map[string]map[string]godbus.Variant{managerIface: root}
	return all
}

func (c *client) forgetSignals() {
	synctest.Wait()
	for len(c.signals) > 0 {
		<-c.signals
	}
}

// changesTold are the properties that signals told of, by object: "fi.w1.wps.Interface.Mode".
func (c *client) changesTold() map[godbus.ObjectPath]map[string]bool {
	told := map[godbus.ObjectPath]map[string]bool{}
	for len(c.signals) > 0 {
		s := <-c.signals
		if s.Name != propertiesIface+".PropertiesChanged" {
			continue
		}
		iface, _ := s.Body[0].(string)
		values, _ := s.Body[1].(map[string]godbus.Variant)
		stale, _ := s.Body[2].([]string)
		if told[s.Path] == nil {
			told[s.Path] = map[string]bool{}
		}
		for _, name := range slices.Concat(slices.Collect(maps.Keys(values)), stale) {
			told[s.Path][iface+"."+name] = true
		}
	}
	return told
}

// nothingKnown makes an object of each kind that says as little as it can.
func nothingKnown() []state.Event {
	return []state.Event{
		state.InterfaceAdded{Interface: state.Interface{Name: "wlan2",
			Mode: drivers.ModeStation}},
		state.AccessPointAdded{AccessPoint: state.AccessPoint{Interface: "wlan0",
			BSSID: bssid1}},
		state.SessionAdded{Session: state.Session{ID: 1, Interface: "wlan0",
			Role: state.RoleEnrollee, Purpose: state.PurposeEnroll, Method: state.MethodPIN,
			State: state.StateAssociating, Started: epoch}},
		state.NetworkAdded{Network: state.Network{ID: 9}},
		state.EnrolleeAdded{Enrollee: state.AskingEnrollee{Enrollee: state.Enrollee{
			Interface: "wlan0", MAC: enrollee1}}},
		state.ERAPAdded{AccessPoint: state.ERAccessPoint{Interface: "wlan0",
			AP: &er.AP{ID: 1, UUID: erUUID}}},
		state.EREnrolleeAdded{Enrollee: state.EREnrollee{Interface: "wlan0",
			Enrollee: &er.Enrollee{AP: 2, MAC: enrollee1,
				Device: wsc.Device{UUID: wsc.UUIDFromMAC(enrollee1)}}}},
	}
}

// everythingKnown changes all that there is, and adds one more of each kind.
func everythingKnown() []state.Event {
	ap := accessPoint()
	ap.Class, ap.Security, ap.Ad.SetupLocked = discovery.PBC, ie.WPA2PSK, true
	other := accessPoint()
	other.BSSID[5]++
	device := wsc.Device{
		UUID: wsc.UUIDFromMAC(bssid1), DeviceName: "a", Manufacturer: "b", ModelName: "c",
		ModelNumber: "d", SerialNumber: "e",
		PrimaryDeviceType: wsc.DeviceType{0, 6, 0, 0x50, 0xf2, 4, 0, 1},
		ConfigMethods:     wsc.ConfigLabel, OSVersion: 7, Version2: wsc.Version20,
		State: wsc.Configured,
	}
	erAP, erOther, enrollee := erAccessPoint(1), erAccessPoint(2), erEnrollee(1)
	erAP.Device, erAP.SetupLocked, erAP.Dropped, erAP.Problem = device, true, true,
		"it repeats itself"
	erAP.Description = upnp.Description{
		FriendlyName: "a", Manufacturer: "b", ManufacturerURL: "c", ModelDescription: "d",
		ModelName: "e", ModelNumber: "f", ModelURL: "g", SerialNumber: "h",
		UPC: "i", PresentationURL: "j",
	}
	erOther.UUID = wsc.UUIDFromMAC(wsc.MAC{2, 7})
	device.UUID = wsc.UUIDFromMAC(wsc.MAC{2, 6}) // it says another by now
	enrollee.Device, enrollee.AP = device, 2
	device.UUID = wsc.UUIDFromMAC(wsc.MAC{2, 8})
	return []state.Event{
		state.ManagerChanged{Manager: state.Manager{Version: "0.1", Device: device,
			Processing: state.ProcessingBoth, Waiting: 3}},
		state.InterfaceChanged{Interface: state.Interface{
			Name: "wlan0", Driver: "hostapd", Mode: drivers.ModeAP, HardwareAddr: wsc.MAC{2, 9},
			Scanning: true, Session: 1, SetupLocked: true, Steered: true, Connected: true,
			Manager: "iwd",
		}},
		state.InterfaceAdded{Interface: state.Interface{Name: "wlan1"}},
		state.InterfaceChanged{Interface: state.Interface{Name: "wlan2",
			Mode: drivers.ModeStation, Connected: true}},
		state.AccessPointChanged{AccessPoint: ap}, state.AccessPointAdded{AccessPoint: other},
		state.NetworkChanged{Network: state.Network{
			ID: 9, SSID: []byte("home"), Auth: wsc.AuthWPA2PSK, Encryption: wsc.EncrAES,
			BSSID: bssid1, Source: "pbc", Created: epoch,
		}},
		state.NetworkAdded{Network: state.Network{ID: 10}},
		state.EnrolleeChanged{Enrollee: state.AskingEnrollee{Enrollee: state.Enrollee{
			Interface: "wlan0", MAC: enrollee1, UUID: "a", Name: "b", Manufacturer: "c",
			ModelName: "d", ModelNumber: "e", SerialNumber: "f", DeviceType: "g",
			ConfigMethods: wsc.ConfigLabel, PasswordID: 4, PasswordIDKnown: true,
		}, PINNeeded: true, LastSeen: epoch}},
		state.EnrolleeAdded{Enrollee: state.AskingEnrollee{Enrollee: state.Enrollee{
			Interface: "wlan0", MAC: bssid1}}},
		state.ERChanged{ER: state.ER{Interface: "wlan0", Running: true,
			Address: netip.MustParseAddr("192.0.2.9")}},
		state.ERAPChanged{AccessPoint: erAP}, state.ERAPAdded{AccessPoint: erOther},
		state.EREnrolleeChanged{Enrollee: enrollee},
		state.EREnrolleeAdded{Enrollee: state.EREnrollee{Interface: "wlan0",
			Enrollee: &er.Enrollee{AP: 2, MAC: bssid1}}},
		state.SessionChanged{Session: state.Session{
			ID: 1, Interface: "wlan0", State: state.StateExchanging, Message: wsc.MsgM4,
			Role: state.RoleEnrollee, Purpose: state.PurposeEnroll, Method: state.MethodPIN,
			Started: epoch,
			Peer:    bssid1, Deadline: epoch.Add(time.Minute),
			Reason: outcome.ReasonCanceled, ConfigError: 18,
			Detail: outcome.Detail{AccessPointsTried: 2}, Networks: []state.NetworkID{9},
		}},
	}
}

// TestFlagsAreAsToldAndChange: a property that says yes or no says what the service does, either
// way.
func TestFlagsAreAsToldAndChange(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		c := w.client(0)
		flag := func(path godbus.ObjectPath, iface, name string) bool {
			v, _ := c.must(path, get, iface, name)[0].(godbus.Variant)
			b, ok := v.Value().(bool)
			if !ok {
				t.Errorf("%s.%s is no flag: %v", iface, name, v)
			}
			return b
		}
		for _, want := range []bool{true, false, true} {
			ap := accessPoint()
			ap.Ad.SetupLocked = want
			w.svc.tell(state.AccessPointAdded{AccessPoint: ap},
				state.AccessPointChanged{AccessPoint: ap},
				state.InterfaceChanged{Interface: state.Interface{Name: "wlan0",
					Connected: want, SetupLocked: want, Scanning: want}})
			synctest.Wait()
			if got := flag(ap1, accessPointIface, "SetupLocked"); got != want {
				t.Errorf("AccessPoint.SetupLocked is %v", got)
			}
			for _, name := range []string{"Connected", "SetupLocked", "Scanning"} {
				if got := flag(wlan0, interfaceIface, name); got != want {
					t.Errorf("Interface.%s is %v, want %v", name, got, want)
				}
			}
		}
	})
}
