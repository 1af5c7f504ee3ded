package dbus

import (
	"fmt"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/drivers/sim"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/introspection"
)

// moments compares what objects say with what the simulated world is like, and what changes from
// one moment to the next with what clients were told.
type moments struct {
	w      *world
	c      *client
	before map[godbus.ObjectPath]map[string]map[string]godbus.Variant
}

// now checks properties of an object, those that the manual says are told with each change too.
func (m *moments) now(path godbus.ObjectPath, iface string, want map[string]any) {
	m.w.t.Helper()
	got, _ := m.c.must(path, getAll, iface)[0].(map[string]godbus.Variant)
	for name, v := range want {
		if text := fmt.Sprint(v); plain(got[name]) != text {
			m.w.t.Errorf("%s of %s is %s, want %s", name, path, plain(got[name]), text)
		}
	}
}

// told checks that everything that has changed since it was called last was told.
func (m *moments) told() {
	m.w.t.Helper()
	synctest.Wait()
	told, after := m.c.changesTold(), m.c.everything()
	for path, faces := range m.before {
		for iface, values := range faces {
			for _, p := range m.w.srv.api[iface].Properties {
				now, there := after[path][iface][p.Name]
				if there && !same(values[p.Name], now) && p.Emits == introspection.EmitsValue &&
					!told[path][iface+"."+p.Name] {
					m.w.t.Errorf("%s of %s changed from %v to %v, and nobody was told", p.Name,
						path, values[p.Name], now)
				}
			}
		}
	}
	m.before = after
}

// TestPropertiesOfTheSimulation: a router is switched on, lets us in, locks its setup, and refuses
// a PIN. What the objects say is what is so, and each change is told.
func TestPropertiesOfTheSimulation(t *testing.T) {
	t.Parallel()
	inBubble(t, Options{}, func(w *world) {
		c := w.client(0).listen()
		m := &moments{w: w, c: c, before: c.everything()}
		stamp := func(t time.Time) string { return fmt.Sprint(t.UnixMicro()) }
		quiet := map[string]any{"Name": "wlan0", "Driver": "sim", "Mode": "station",
			"HardwareAddress": laptop, "Scanning": false, "AccessPoints": "[]", "Enrollees": "[]",
			"Session": "/", "SetupLocked": false, "Manager": `""`, "Connected": false,
			"Disconnects":  false,
			"Capabilities": "[scan pbc pin nfc learn configure er]"}
		m.now(wlan0, interfaceIface, quiet)
		m.now(network7, networkIface, map[string]any{"Ssid": `"home"`, "Auth": "WPA2PSK",
			"Encryption": "CCMP", "Bssid": bssid1, "Source": "pbc", "Created": stamp(epoch)})

		device := wsc.Device{UUID: wsc.UUIDFromMAC(wsc.MAC{2, 7}), DeviceName: "Living room",
			Manufacturer: "maker", ModelName: "model", ModelNumber: "12", SerialNumber: "345",
			PrimaryDeviceType: wsc.DeviceType{0, 6, 0, 0x50, 0xf2, 4, 0, 1},
			ConfigMethods:     wsc.ConfigLabel}
		ap, err := w.svc.air.AddAP(sim.APOptions{SSID: "guests", Security: sim.WPA2,
			Key: secret.FromString(key), Device: device,
			BSSs: []sim.BSS{{BSSID: bssid1, Frequency: 2437, Signal: -51}}})
		if err != nil {
			t.Fatal(err)
		}
		c.must(wlan0, interfaceIface+".Scan", options())
		synctest.Wait()
		m.now(wlan0, interfaceIface, map[string]any{"Scanning": true})
		time.Sleep(20 * time.Second)
		m.told()
		m.now(wlan0, interfaceIface, map[string]any{"Scanning": false,
			"AccessPoints": "[" + string(ap1) + "]"})
		says := map[string]any{"Bssid": bssid1, "Ssid": `"guests"`, "Frequency": 2437,
			"Signal": -51, "Flags": "WPS", "Security": "[wpa2]", "Band": "2.4", "Channel": 6,
			"Usable": true, "Why": `""`, "Configured": true, "SetupLocked": false,
			"Uuid": device.UUID, "Router": device.UUID, "Version": "2.0",
			"DeviceName": device.DeviceName, "Manufacturer": device.Manufacturer,
			"ModelName": device.ModelName, "ModelNumber": device.ModelNumber,
			"SerialNumber": device.SerialNumber, "DeviceType": "6-0050F204-1",
			"ConfigMethods": "[label]"}
		m.now(ap1, accessPointIface, says)

		began := time.Now()
		c.must(wlan0, startPbcMethod, options("bssid", bssid1.String(), "detach", true))
		synctest.Wait()
		m.told()
		m.now(wlan0, interfaceIface, map[string]any{"Session": session1, "Scanning": true})
		m.now(session1, sessionIface, map[string]any{"Interface": wlan0, "Role": "enrollee",
			"Purpose": "enroll", "Method": "pbc", "State": "scanning", "Message": `""`,
			"Peer": `""`, "AccessPoint": "/", "Started": stamp(began), "Step": "looking",
			"Deadline": stamp(began.Add(2 * time.Minute)), "Progress": 0, "Reason": `""`,
			"ConfigError": 0, "Networks": "[]"})
		press(ap)
		time.Sleep(10 * time.Second)
		m.told()
		says["Flags"] = "WPS-PBC" // as it was heard last
		m.now(ap1, accessPointIface, says)
		const network8 = "/fi/w1/wps/networks/8"
		m.now(session1, sessionIface, map[string]any{"Peer": bssid1, "AccessPoint": ap1,
			"State": "succeeded", "Step": "ended", "Progress": 1, "Reason": `""`,
			"Networks": "[" + network8 + "]", "Message": "WSC_DONE"})
		got, _ := c.must(network8, getAll, networkIface)[0].(map[string]godbus.Variant)
		created, _ := got["Created"].Value().(uint64)
		if late := time.Since(time.UnixMicro(int64(created))); late < 0 || late > 10*time.Second {
			t.Errorf("the network was stored %v ago", late)
		}
		m.now(network8, networkIface, map[string]any{"Ssid": `"guests"`, "Auth": "WPA2PSK",
			"Encryption": "CCMP", "Bssid": bssid1, "Source": "pbc"})
		m.now(rootPath, managerIface, map[string]any{
			"Networks": "[" + string(network7) + " " + network8 + "]"})
		m.now(wlan0, interfaceIface, map[string]any{"Session": "/", "Scanning": false})

		c.must(wlan0, startPinMethod, options("pin", "12345670", "bssid", bssid1.String()))
		if err := ap.SetPIN(secret.FromString("76543210")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		m.told()
		m.now("/fi/w1/wps/sessions/2", sessionIface, map[string]any{"Method": "pin",
			"State": "failed", "Step": "ended", "ConfigError": 18, "Reason": "wrong-pin-first-half",
			"Networks": "[]", "Peer": bssid1})

		c.must(wlan0, erIface+".Start", options("address", "192.0.2.9"))
		m.told()
		m.now(wlan0, erIface, map[string]any{"Running": true, "Address": "192.0.2.9",
			"AccessPoints": "[]", "Enrollees": "[]"})
		c.must(wlan0, erIface+".Stop")
		m.told()
		m.now(wlan0, erIface, map[string]any{"Running": false, "Address": `""`})
		off := maps.Clone(quiet)
		off["AccessPoints"] = "[" + string(ap1) + "]"
		m.now(wlan0, interfaceIface, off)
	})
}
