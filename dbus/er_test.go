package dbus

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/engine/er"
	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
	"wpsd/service/state"
)

// What the tests of the External Registrar are about.
var (
	erUUID     = wsc.UUIDFromMAC(bssid1)
	enrollee1  = wsc.MAC{2, 0, 0, 0, 0, 9}
	erAPPath   = wlan0 + "/er/aps/" + element(erUUID.String())
	erPeerPath = wlan0 + "/er/enrollees/" + element(wsc.UUIDFromMAC(enrollee1).String()+"_"+
		enrollee1.String())
)

// erAccessPoint is one that says everything.
func erAccessPoint(id er.APID) state.ERAccessPoint {
	return state.ERAccessPoint{Interface: "wlan0", AP: &er.AP{
		ID: id, UUID: erUUID, BSSID: bssid1, Addr: netip.MustParseAddr("192.0.2.1"),
		Also: []netip.Addr{netip.MustParseAddr("192.0.2.2")},
		Location: upnp.URL{Host: netip.MustParseAddrPort("192.0.2.1:49152"),
			Path: "/wps_device.xml"},
		Description: upnp.Description{FriendlyName: "An AP\x1b[2J\xff", Manufacturer: "maker",
			ManufacturerURL: "http://a/", ModelURL: "http://b/", UPC: "1"},
		HasDevice: true, Device: wsc.Device{
			DeviceName: "ap", Manufacturer: "its M1 says another", ModelName: "model of M1",
			State: wsc.Configured, Version2: wsc.Version20,
			PrimaryDeviceType: wsc.DeviceType{0, 6, 0, 0x50, 0xf2, 4, 0, 1},
			ConfigMethods:     wsc.ConfigLabel,
		},
		HasSettings: true, Subscribed: true, LastSeen: epoch, Expires: epoch.Add(time.Hour),
	}}
}

func erEnrollee(ap er.APID) state.EREnrollee {
	return state.EREnrollee{Interface: "wlan0", Enrollee: &er.Enrollee{
		AP: ap, APUUID: erUUID, MAC: enrollee1, PasswordID: wsc.PasswordIDPushButton, M1: true,
		LastSeen: epoch,
		Device: wsc.Device{UUID: wsc.UUIDFromMAC(enrollee1), DeviceName: "printer\x00",
			ConfigMethods: wsc.ConfigPushButton},
	}}
}

func TestERCalls(t *testing.T) {
	t.Parallel()
	const bssid, pin = "02:00:00:00:03:00", "1234-5670"
	uuid := erUUID.String()
	settings := []any{"ssid", []byte("new"), "auth", "WPA2PSK", "encryption", "CCMP", "key",
		[]byte("new passphrase")}
	for _, c := range []struct {
		method string
		args   []any
		call   string // what the service is told; or
		refuse string // the error, and what its text has
		text   string
	}{
		{method: "Start", args: []any{options()}, call: "StartER wlan0 invalid IP detach=false"},
		{method: "Start", args: []any{options("address", "192.0.2.1", "detach", true)},
			call: "StartER wlan0 192.0.2.1 detach=true"},
		{method: "Start", args: []any{options("address", "router.example")},
			refuse: "InvalidArguments", text: "192.0.2.1"},
		{method: "Start", args: []any{options("address", "::1")}, refuse: "InvalidArguments",
			text: "192.0.2.1"},
		{method: "Start", args: []any{options("addr", "192.0.2.1")}, refuse: "InvalidArguments",
			text: `no option "addr"`},
		{method: "Stop", call: "StopOwnER wlan0 0"},
		{method: "Learn", args: []any{bssid, pin, options("detach", true)},
			call: "Start er learn " + bssid + " " + pin + " wlan0"},
		{method: "Learn", args: []any{strings.ToUpper(uuid), pin, options()},
			call: "Start er learn " + uuid + " " + pin + " wlan0"},
		{method: "Learn", args: []any{bssid, "nfc-pw", options()},
			call: "Start er learn " + bssid + " its tag wlan0"},
		{method: "Learn", args: []any{"any", pin, options()}, refuse: "InvalidArguments",
			text: "named neither"},
		{method: "Learn", args: []any{"00:00:00:00:00:00", pin, options()},
			refuse: "InvalidArguments", text: "named neither"},
		{method: "Learn", args: []any{bssid, "", options()}, refuse: "InvalidPin", text: "empty"},
		{method: "Learn", args: []any{bssid, pin, options("apply", "me")},
			refuse: "InvalidArguments", text: "No network manager"},
		{method: "SetConfig", args: []any{bssid, network7},
			call: "ERSetConfig wlan0 " + bssid + " 7"},
		{method: "SetConfig", args: []any{bssid, session1}, refuse: "InvalidArguments",
			text: "not a network"},
		{method: "Configure", args: []any{bssid, pin, options(settings...)},
			call: "Start er configure " + bssid + " " + pin + " wlan0"},
		{method: "Configure", args: []any{bssid, "nfc-pw", options(settings...)},
			call: "Start er configure " + bssid + " its tag wlan0"},
		{method: "Configure", args: []any{bssid, pin, options(settings[2:]...)},
			refuse: "InvalidArguments", text: `"ssid" is missing`},
		{method: "EnrollPbc", args: []any{bssid, options()},
			call: "Start er pbc " + bssid + " wlan0"},
		{method: "EnrollPbc", args: []any{"any", options("detach", true)},
			call: "Start er pbc any wlan0"},
		{method: "EnrollPbc", args: []any{"any", options("pin", "1234")},
			refuse: "InvalidArguments", text: `no option "pin"`},
		{method: "EnrollPbc", args: []any{"somebody", options()}, refuse: "InvalidArguments",
			text: "named neither"},
		{method: "EnrollPin", args: []any{"any", pin,
			options("mac", bssid, "ap", uuid, "timeout", uint32(60), "detach",
				true)}, call: "Start er pin any " + pin + " wlan0"},
		{method: "EnrollPin", args: []any{"any", "", options()}, refuse: "InvalidPin",
			text: "empty"},
		{method: "EnrollPin", args: []any{"any", pin, options("mac", "02")},
			refuse: "InvalidArguments", text: "not of the form"},
		{method: "EnrollPin", args: []any{"any", pin, options("ap", "02")},
			refuse: "InvalidArguments", text: "access point"},
		{method: "EnrollPin", args: []any{"any", pin, options("timeout", uint32(0))},
			refuse: "InvalidArguments", text: "two minutes"},
	} {
		t.Run(c.method+" "+c.call+c.text, func(t *testing.T) {
			t.Parallel()
			inBubble(t, Options{}, func(w *world) {
				w.svc.answer = w.svc.pretend
				client := w.client(0)
				if c.refuse != "" {
					if text := client.refused(c.refuse, wlan0, erIface+"."+c.method,
						c.args...); !strings.Contains(text, c.text) {
						t.Errorf("the text is %q", text)
					}
					return
				}
				got := client.must(wlan0, erIface+"."+c.method, c.args...)
				if calls := w.svc.calls(); !slices.Contains(calls, c.call) {
					t.Errorf("calls %q", calls)
				}
				if strings.Contains(c.call, "Start er") && (len(got) != 1 || got[0] != session1) {
					t.Errorf("returned %v", got)
				}
			})
		})
	}
}

func TestEREnrollPinOptions(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		w.svc.answer = w.svc.pretend
		w.client(0).must(wlan0, erIface+".EnrollPin", "any", "12345670",
			options("mac", bssid1.String(), "ap", erUUID.String(), "timeout", uint32(60),
				"detach", true))
		r := w.svc.lastER
		if r.MAC != bssid1 || r.AP.UUID != erUUID || r.Timeout != time.Minute || !r.Detach ||
			!r.Enrollee.IsAny() || string(r.PIN.Bytes()) != "12345670" {
			t.Errorf("%+v", r)
		}
	})
}

func TestERErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		name string
	}{
		{state.ErrERStopped, "NotRunning"}, {state.ErrNoERAP, "UnknownAccessPoint"},
		{state.ErrNoERSettings, "NoSettings"}, {state.ErrEROverlap, "Overlap"},
		{state.ErrERDropped, "Refused"}, {state.ErrERBusy, "Busy"},
	} {
		inBubble(t, Options{}, func(w *world) {
			w.svc.on = func(string) error { return c.err }
			w.client(0).refused(c.name, wlan0, erIface+".EnrollPbc", "any", options())
		})
	}
}

func TestERSignals(t *testing.T) {
	t.Parallel()
	ap, other, enrollee := erAccessPoint(1), erAccessPoint(2), erEnrollee(1)
	locked, later, silent := erAccessPoint(1), erEnrollee(1), erAccessPoint(1)
	locked.SetupLocked, locked.Problem = true, "does not answer"
	later.M1 = false
	silent.LastSeen, silent.Expires = epoch.Add(1), epoch.Add(2*time.Hour)
	started := state.ERChanged{ER: state.ER{Interface: "wlan0", Running: true,
		Address: netip.MustParseAddr("192.0.2.1")}}
	const changed = "/interfaces/wlan0 PropertiesChanged fi.w1.wps.ER map["
	apRel, peerRel := strings.TrimPrefix(string(erAPPath), string(rootPath)),
		strings.TrimPrefix(string(erPeerPath), string(rootPath))
	second := string(erAPPath) + "_2"
	for _, c := range []eventCase{
		{"it starts", []state.Event{started},
			[]string{changed + "Address:192.0.2.1 Running:true] []"}},
		{"it finds an access point", []state.Event{state.ERAPAdded{AccessPoint: ap}}, []string{
			" InterfacesAdded " + string(erAPPath) + " map[fi.w1.wps.ER.AccessPoint:…]",
			"/interfaces/wlan0 AccessPointAdded " + string(erAPPath), changed + "] [AccessPoints]",
		}},
		{"a second one has the same UUID", []state.Event{state.ERAPAdded{AccessPoint: ap},
			state.ERAPAdded{AccessPoint: other}, state.ERAPRemoved{AccessPoint: ap}}, []string{
			" InterfacesAdded " + string(erAPPath),
			"/interfaces/wlan0 AccessPointAdded " + string(erAPPath),
			" InterfacesAdded " + second, "/interfaces/wlan0 AccessPointAdded " + second,
			" InterfacesRemoved " + string(erAPPath) + " [fi.w1.wps.ER.AccessPoint]",
			"/interfaces/wlan0 AccessPointRemoved " + string(erAPPath) + " " + erUUID.String(),
			changed + "] [AccessPoints]",
		}},
		{"an access point locks its setup and is dropped; when it was heard nobody is told",
			[]state.Event{state.ERAPAdded{AccessPoint: ap},
				state.ERAPChanged{AccessPoint: silent},
				state.ERAPChanged{AccessPoint: locked}}, []string{
				" InterfacesAdded", "/interfaces/wlan0 AccessPointAdded",
				apRel + " PropertiesChanged fi.w1.wps.ER.AccessPoint map[Problem:does not answer SetupLocked:true] []", changed,
			}},
		{"started again, it tells what it knows",
			[]state.Event{state.ERAPAdded{AccessPoint: ap}, state.ERAPAdded{AccessPoint: ap},
				state.EREnrolleeAdded{Enrollee: enrollee},
				state.EREnrolleeAdded{Enrollee: enrollee}}, []string{
				" InterfacesAdded " + string(erAPPath), "/interfaces/wlan0 AccessPointAdded",
				"/interfaces/wlan0 AccessPointAdded",
				" InterfacesAdded " + string(erPeerPath),
				"/interfaces/wlan0 EnrolleeAdded " + string(erPeerPath),
				"/interfaces/wlan0 EnrolleeAdded " + string(erPeerPath),
				changed + "] [AccessPoints Enrollees]",
			}},
		{"a device asks, and goes", []state.Event{state.EREnrolleeAdded{Enrollee: later},
			state.EREnrolleeChanged{Enrollee: enrollee},
			state.EREnrolleeRemoved{Enrollee: enrollee}}, []string{
			" InterfacesAdded " + string(erPeerPath), "/interfaces/wlan0 EnrolleeAdded",
			peerRel + " PropertiesChanged fi.w1.wps.ER.Enrollee map[Introduced:true] []",
			" InterfacesRemoved " + string(erPeerPath),
			"/interfaces/wlan0 EnrolleeRemoved " + string(erPeerPath) + " " +
				wsc.UUIDFromMAC(enrollee1).String() + " " + enrollee1.String(),
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, Options{}, func(w *world) {
				listener := w.client(stranger).listen()
				w.svc.tell(c.tell...)
				expect(t, listener.heard(), c.want...)
			})
		})
	}
}

// TestERObjects: what GetManagedObjects and GetAll have, also for who comes later, with the types
// of the manual.
func TestERObjects(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.svc.tell(state.ERChanged{ER: state.ER{Interface: "wlan0", Running: true}},
			state.ERAPAdded{AccessPoint: erAccessPoint(1)},
			state.EREnrolleeAdded{Enrollee: erEnrollee(1)})
		w.start(Options{})
		synctest.Wait()
		c := w.client(stranger)
		for iface, want := range map[godbus.ObjectPath]struct {
			iface string
			text  []string
		}{
			wlan0: {erIface, []string{"Running:true", "AccessPoints:[" + string(erAPPath) + "]",
				"Enrollees:[" + string(erPeerPath) + "]", `Address:""`}},
			erAPPath: {erAccessPointIface, []string{
				"FriendlyName:An AP�[2J�", "Manufacturer:maker", "ModelName:model of M1",
				"State:configured", "Bssid:02:00:00:00:01:00", "Address:192.0.2.1",
				"OtherAddresses:[192.0.2.2]", "Location:http://192.0.2.1:49152/wps_device.xml",
				"DeviceType:6-0050F204-1", "Upc:1", "Version:2.0", "HasSettings:true",
			}},
			erPeerPath: {erEnrolleeIface, []string{"AccessPoint:" + string(erAPPath),
				"DeviceName:printer�", "PasswordId:4", "Introduced:true",
				"ConfigMethods:[push_button]", "MacAddress:" + enrollee1.String()}},
		} {
			all, _ := c.must(iface, getAll, want.iface)[0].(map[string]godbus.Variant)
			checkTypes(t, w.srv.api[want.iface], all, "")
			if len(all) != len(w.srv.api[want.iface].Properties) {
				t.Errorf("%s: %d of %d properties", iface, len(all),
					len(w.srv.api[want.iface].Properties))
			}
			text := plain(all)
			for _, part := range want.text {
				if !strings.Contains(text, part) {
					t.Errorf("%s: %s is not in %s", iface, part, text)
				}
			}
		}
		w.stop()
	})
}

// TestERSettingsGoToTheOwnerAlone: what was learned is for nobody else. world.stop looks at
// everything that went over the bus.
func TestERSettingsGoToTheOwnerAlone(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		owner, spy := w.client(0), w.client(0).listen()
		w.svc.tell(state.ERAPAdded{AccessPoint: erAccessPoint(1)})
		owner.must(wlan0, startPbcMethod, options())
		w.svc.received(t, press)
		owner.heard()
		w.svc.tell(state.ERAPSettings{Session: 1, Interface: "wlan0", AccessPoint: 1})
		expect(t, owner.heard(), "/interfaces/wlan0 ApSettings "+string(erAPPath)+
			` map[auth:WPA2PSK encryption:CCMP key:"`+key)
		w.svc.tell(state.ERAPRemoved{AccessPoint: erAccessPoint(1)},
			state.ERAPSettings{Session: 1, Interface: "wlan0", AccessPoint: 1})
		expect(t, owner.heard(), "/interfaces/wlan0 ApSettings / map[auth:WPA2PSK")
		for _, s := range spy.heard() {
			if strings.Contains(s, "ApSettings") || strings.Contains(s, key) {
				t.Errorf("the spy heard %s", s)
			}
		}
	})
}

// TestERSessionNamesItsAccessPoint, as long as it is there.
func TestERSessionNamesItsAccessPoint(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		c := w.client(stranger).listen()
		s := state.Session{ID: 1, Interface: "wlan0", Role: state.RoleExternalRegistrar,
			Purpose: state.PurposeAdmit, State: state.StateExchanging}
		w.svc.tell(state.ERAPAdded{AccessPoint: erAccessPoint(3)},
			state.SessionAdded{Session: s})
		c.heard()
		s.ERAP, s.ERAPUUID, s.Peer, s.PeerUUID = 3, erUUID, enrollee1, wsc.UUIDFromMAC(enrollee1)
		w.svc.tell(state.SessionChanged{Session: s},
			state.ERAPRemoved{AccessPoint: erAccessPoint(3)})
		expect(t, c.heard(),
			"/sessions/1 PropertiesChanged fi.w1.wps.Session map[AccessPoint:"+string(erAPPath)+
				" Detail:map[ap-uuid:"+erUUID.String()+" uuid:"+s.PeerUUID.String()+"] Peer:"+
				enrollee1.String(),
			" InterfacesRemoved "+string(erAPPath), "/interfaces/wlan0 AccessPointRemoved",
			"/interfaces/wlan0 PropertiesChanged fi.w1.wps.ER map[] [AccessPoints]",
			"/sessions/1 PropertiesChanged fi.w1.wps.Session map[AccessPoint:/] []")
	})
}

// TestEROwnerIsNotForgotten, however many callers there are: his leaving may end the External
// Registrar.
func TestEROwnerIsNotForgotten(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		owner := w.client(0)
		owner.must(wlan0, erIface+".Start", options())
		for range maxPeers + 10 {
			w.client(stranger).refused("NotAuthorized", wlan0, interfaceIface+".Scan", options())
		}
		name := owner.conn.Names()[0]
		owner.conn.Close()
		synctest.Wait()
		if !w.svc.released(name) {
			t.Error("the owner was forgotten")
		}
	})
}
