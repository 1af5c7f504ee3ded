//go:build hwsim

package hwsim

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"
)

// In these scenarios wpsd is the External Registrar of hostapd, over the loopback interface and
// without a radio (--driver none), and a real wpa_supplicant is the Enrollee.

// registrar is wpsd as an External Registrar.
type registrar struct{ *daemon }

// startER starts wpsd on the loopback interface, and the External Registrar there.
func (w *world) startER() *registrar {
	w.t.Helper()
	w.startBus()
	r := w.startERDaemon()
	r.mustCall(r.iface(), "ER.Start", options())
	return r
}

// startERDaemon starts wpsd on the loopback interface, on the bus that is there.
func (w *world) startERDaemon(config ...string) *registrar {
	w.t.Helper()
	if _, err := os.Stat("/in/wpsd"); err != nil {
		w.t.Skip("wpsd was not built: run test/hwsim/run")
	}
	w.sh("ip link set lo up")
	// The sample er.conf that wpa_supplicant's manual has for this.
	file := w.write("er.conf", strings.Join(append(config,
		"device_name=WPS External Registrar\n"), "\n"))
	d := &daemon{w: w, radio: "lo", wired: true}
	d.process = w.startWpsd(file, "-Dnone", "-ilo")
	w.t.Cleanup(d.leaksNothing)
	d.client = w.connect()
	d.shows()
	d.isConfined()
	return &registrar{d}
}

// finds waits until the External Registrar has told of an access point, and returns its object.
func (r *registrar) finds(uuid string, timeout time.Duration) godbus.ObjectPath {
	r.w.t.Helper()
	path := r.iface() + "/er/aps/" + godbus.ObjectPath(strings.ReplaceAll(uuid, "-", "_"))
	r.client.wait(0, timeout, "AccessPointAdded of "+uuid, func(g signal) bool {
		return g.Name == busName+".ER.AccessPointAdded" && g.Body[0] == path
	})
	return path
}

// only is what the External Registrar says of its access point, if that is the only one: one that
// restarts can say goodbye between the look for it and the look at it.
func (r *registrar) only() (properties map[string]godbus.Variant) {
	r.w.t.Helper()
	all := r.property(r.iface(), "ER", "AccessPoints").([]godbus.ObjectPath)
	if len(all) != 1 {
		return nil
	}
	err := r.conn.Object(busName, all[0]).Call("org.freedesktop.DBus.Properties.GetAll", 0,
		busName+".ER.AccessPoint").Store(&properties)
	if err != nil && !strings.Contains(err.Error(), "There is no object") {
		r.w.t.Fatal(err)
	}
	return properties
}

// loses waits until it is told, after a mark, that an access point is gone.
func (r *registrar) loses(mark int, uuid string, timeout time.Duration) {
	r.w.t.Helper()
	r.client.wait(mark, timeout, "AccessPointRemoved of "+uuid, func(g signal) bool {
		return g.Name == busName+".ER.AccessPointRemoved" && g.Body[1] == uuid
	})
}

// er calls a method of the External Registrar that starts a session.
func (r *registrar) er(method string, args ...any) *session {
	r.w.t.Helper()
	return r.erFor(r.client, method, args...)
}

func (r *registrar) erFor(owner *client, method string, args ...any) *session {
	r.w.t.Helper()
	s := &session{d: r.daemon, owner: owner, from: owner.signals.len(), began: time.Now()}
	s.path = owner.mustCall(r.iface(), "ER."+method, args...)[0].(godbus.ObjectPath)
	return s
}

// admits waits until the session has given the device on a radio the network.
func (s *session) admitsByER(radio string, timeout time.Duration) {
	t := s.d.w.t
	t.Helper()
	o := s.end(timeout)
	if o.networks == nil {
		t.Fatalf("the session failed: %s (configuration error %d): %s", o.reason,
			o.configError, o.sentence)
	}
	if peer, role, purpose := s.property("Peer"), s.property("Role"),
		s.property("Purpose"); peer != s.d.w.mac(radio) || role != "external-registrar" ||
		purpose != "admit" {
		t.Errorf("Peer %v, Role %v, Purpose %v", peer, role, purpose)
	}
}

// learned starts everything and learns the access point, so that devices can be let in.
func (w *world) learned(a ap) (*hostapd, *registrar) {
	w.t.Helper()
	h := w.startAP(withUPnP(a))
	r := w.startER()
	r.finds(upnpUUID, 10*time.Second)
	h.gives(r.er("Learn", upnpUUID, labelPIN, options()).succeeds(oneRun))
	return h, r
}

func TestERFindsAnAccessPoint(t *testing.T) {
	w := newWorld(t)
	h := w.startAP(withUPnP(ap{}))
	r := w.startER()
	path := r.finds(upnpUUID, 10*time.Second)
	for name, want := range map[string]any{
		"Uuid": upnpUUID, "Bssid": h.bssid, "Address": "127.0.0.1", "FriendlyName": "AP <of> wpsd",
		"Manufacturer": "wpsd", "ManufacturerUrl": "http://www.example.com/",
		"ModelDescription": `A "test" & more`, "ModelName": "hwsim", "ModelNumber": "1",
		"ModelUrl": "http://www.example.com/model/", "SerialNumber": "12345",
		"Upc": "123456789012", "DeviceName": "Test access point", "DeviceType": "6-0050F204-1",
		"State": "configured", "Version": "2.0", "Problem": "",
		"Dropped": false, "Subscribed": true, "HasSettings": false, "SetupLocked": false,
	} {
		if got := r.property(path, "ER.AccessPoint", name); got != want {
			t.Errorf("%s is %v, not %v", name, got, want)
		}
	}
	if seen := time.UnixMicro(int64(r.property(path, "ER.AccessPoint",
		"LastSeen").(uint64))); time.Since(seen) > time.Minute {
		t.Errorf("seen %v", seen)
	}
	if paths := r.property(r.iface(), "ER",
		"AccessPoints").([]godbus.ObjectPath); len(paths) != 1 || paths[0] != path {
		t.Errorf("AccessPoints %v", paths)
	}

	t.Log("started again, it tells what it knows")
	mark := r.signals.len()
	r.mustCall(r.iface(), "ER.Start", options())
	r.client.wait(mark, 5*time.Second, "AccessPointAdded", func(g signal) bool {
		return g.Name == busName+".ER.AccessPointAdded"
	})
	r.refused("Busy", r.iface(), "ER.Start", options("address", "127.0.0.2"))

	t.Log("the access point says goodbye, and comes back")
	mark = r.signals.len()
	h.stop()
	r.loses(mark, upnpUUID, 10*time.Second)
	mark = r.signals.len()
	w.startAP(withUPnP(ap{}))
	r.client.wait(mark, 30*time.Second, "AccessPointAdded", func(g signal) bool {
		return g.Name == busName+".ER.AccessPointAdded"
	})

	t.Log("stopped, it forgets")
	mark = r.signals.len()
	r.mustCall(r.iface(), "ER.Stop")
	r.loses(mark, upnpUUID, time.Second)
	if r.property(r.iface(), "ER", "Running").(bool) ||
		len(r.property(r.iface(), "ER", "AccessPoints").([]godbus.ObjectPath)) != 0 {
		t.Error("it still runs")
	}
	r.refused("NotRunning", r.iface(), "ER.Stop")
	r.refused("NotRunning", r.iface(), "ER.Learn", upnpUUID, labelPIN, options())
}

func TestERWithOneAddressOnly(t *testing.T) {
	w := newWorld(t)
	w.startAP(withUPnP(ap{}))
	w.startBus()
	r := w.startERDaemon()
	r.mustCall(r.iface(), "ER.Start", options("address", "127.0.0.7"))
	time.Sleep(5 * time.Second)
	if paths := r.property(r.iface(), "ER", "AccessPoints").([]godbus.ObjectPath); len(
		paths) != 0 || r.property(r.iface(), "ER", "Address") != "127.0.0.7" {
		t.Errorf("found %v", paths)
	}
	r.mustCall(r.iface(), "ER.Stop")
	r.mustCall(r.iface(), "ER.Start", options("address", "127.0.0.1"))
	r.finds(upnpUUID, 10*time.Second)
}

func TestERLearns(t *testing.T) {
	w := newWorld(t)
	h := w.startAP(withUPnP(ap{}))
	r := w.startER()
	path := r.finds(upnpUUID, 10*time.Second)
	owner, spy := w.connect(), w.connect()
	s := r.erFor(owner, "Learn", h.bssid, labelPIN, options())
	c := s.succeeds(oneRun)
	h.gives(c)
	if s.property("AccessPoint") != path || s.property("Peer") != h.bssid ||
		s.property("Role") != "external-registrar" {
		t.Errorf("AccessPoint %v, Peer %v", s.property("AccessPoint"), s.property("Peer"))
	}
	settings := func(g signal) bool { return g.Name == busName+".ER.ApSettings" }
	got := owner.wait(s.from, time.Second, "ApSettings", settings)
	if told := newCredential(got.Body[1].(map[string]godbus.Variant)); got.Body[0] != path ||
		!told.equal(c) {
		t.Errorf("ApSettings of %v: %v", got.Body[0], told)
	}
	if _, heard := spy.signals.wait(0, time.Second, settings); heard {
		t.Error("everybody hears the settings")
	}
	if !r.property(path, "ER.AccessPoint", "HasSettings").(bool) {
		t.Error("HasSettings is not true")
	}
	if source := r.property(s.property("Networks").([]godbus.ObjectPath)[0], "Network",
		"Source"); source != "learn" {
		t.Errorf("Source %v", source)
	}
	if h.saw(0, "WPS-NEW-AP-SETTINGS") {
		t.Error("the access point has new settings")
	}
	w.connects(station, c, h)
}

func TestERWithAWrongAPPIN(t *testing.T) {
	w := newWorld(t)
	h := w.startAP(withUPnP(ap{}))
	r := w.startER()
	path := r.finds(upnpUUID, 10*time.Second)
	if o := r.er("Learn", upnpUUID, wrongHalfPIN, options()).fails(oneRun,
		"wrong-pin-first-half"); o.configError != 18 {
		t.Errorf("configuration error %d: %s", o.configError, o.sentence)
	}
	if o := r.er("Learn", upnpUUID, firstHalfPIN, options()).fails(oneRun,
		"wrong-pin-second-half"); o.configError != 18 {
		t.Errorf("configuration error %d: %s", o.configError, o.sentence)
	}
	r.er("Configure", upnpUUID, wrongHalfPIN,
		options("ssid", []byte("new"), "auth", "OPEN", "encryption", "NONE")).fails(oneRun,
		"wrong-pin-first-half")
	h.wait(0, "WPS-AP-SETUP-LOCKED", 10*time.Second)
	told := func(want bool) {
		t.Helper()
		if got := r.property(path, "ER.AccessPoint", "SetupLocked"); got != want {
			t.Errorf("SetupLocked is %v", got)
		}
		r.client.wait(0, 5*time.Second, fmt.Sprintf("PropertiesChanged: SetupLocked %v", want),
			func(g signal) bool {
				if g.Path != path || g.Name != "org.freedesktop.DBus.Properties.PropertiesChanged" {
					return false
				}
				v, ok := g.Body[1].(map[string]godbus.Variant)["SetupLocked"]
				return ok && v.Value() == want
			})
	}
	if o := r.er("Learn", upnpUUID, labelPIN, options()).fails(oneRun,
		"setup-locked"); o.configError != 15 {
		t.Errorf("configuration error %d: %s", o.configError, o.sentence)
	}
	told(true)
	if table := w.run("/in/wpsctl", "er", "aps").stdout; !strings.Contains(table, "setup locked") {
		t.Errorf("wpsctl er aps:\n%s", table)
	}
	h.wait(0, "WPS-AP-SETUP-UNLOCKED", 90*time.Second)
	h.gives(r.er("Learn", upnpUUID, labelPIN, options()).succeeds(oneRun))
	told(false)
}

// erConfigures gives an access point new settings over the network; hostapd must have them, and a
// station get in.
func erConfigures(t *testing.T, a, settings ap, pairs ...any) {
	t.Helper()
	w := newWorld(t)
	h := w.startAP(withUPnP(a))
	r := w.startER()
	path := r.finds(upnpUUID, 10*time.Second)
	t.Logf("the access point is %v", r.property(path, "ER.AccessPoint", "State"))
	c := r.er("Configure", upnpUUID, labelPIN,
		options(append([]any{"ssid", []byte(settings.ssid)}, pairs...)...)).succeeds(oneRun)
	h.wait(0, "WPS-NEW-AP-SETTINGS", 5*time.Second)
	w.until("hostapd has the new name", 10*time.Second, func() bool {
		return strings.Contains(h.ask("GET_CONFIG"), "\nssid="+settings.ssid+"\n")
	})
	h.ap.ssid, h.ap.passphrase, h.ap.security = settings.ssid, settings.passphrase,
		settings.security
	h.gives(c)
	w.until("hostapd beacons again", 20*time.Second, func() bool {
		return strings.Contains(h.ask("STATUS"), "state=ENABLED")
	})

	t.Log("a station is enrolled with the new settings")
	w.until("the External Registrar knows it again", 30*time.Second, func() bool {
		ap := r.only()
		return ap["HasSettings"].Value() == true && ap["Subscribed"].Value() == true
	})
	e := w.startSupplicant(station)
	s := r.er("EnrollPin", "any", labelPIN, options())
	mark := e.mark()
	e.ask("WPS_PIN any %s", labelPIN)
	s.admitsByER(station, oneRun)
	e.joins(mark, 10*time.Second)
}

func TestERConfigures(t *testing.T) {
	erConfigures(t, ap{}, ap{ssid: "new name", passphrase: "new passphrase"}, "auth", "WPA2PSK",
		"encryption", "CCMP", "key", []byte("new passphrase"))
}

func TestERConfiguresAnUnconfiguredAccessPoint(t *testing.T) {
	erConfigures(t, ap{security: "open", extra: []string{"wps_state=1"}},
		ap{ssid: "first name", passphrase: "new passphrase"},
		"auth", "WPA2PSK", "encryption", "CCMP", "key", []byte("new passphrase"))
}

func TestEREnrolsByPIN(t *testing.T) {
	w := newWorld(t)
	h, r := w.learned(ap{})
	e := w.startSupplicant(station, "device_name=Some station", "config_methods=display keypad",
		"uuid="+stationUUID)
	mac := w.mac(station)
	again := func() {
		e.mustOK("REMOVE_NETWORK all")
		e.mustOK("DISCONNECT")
		time.Sleep(time.Second)
	}

	t.Log("any")
	s := r.er("EnrollPin", "any", labelPIN, options())
	mark := e.mark()
	e.ask("WPS_PIN any %s", labelPIN)
	s.admitsByER(station, oneRun)
	e.joins(mark, 10*time.Second)
	if uuid := s.detail()["uuid"].Value(); uuid != stationUUID {
		t.Errorf("uuid %v", uuid)
	}

	t.Log("by UUID, with its address")
	again()
	s = r.er("EnrollPin", stationUUID, otherPIN,
		options("mac", mac, "ap", h.bssid, "timeout", uint32(60)))
	mark = e.mark()
	e.ask("WPS_PIN any %s", otherPIN)
	s.admitsByER(station, oneRun)
	e.joins(mark, 10*time.Second)

	t.Log("by its address")
	again()
	s = r.er("EnrollPin", strings.ToUpper(mac), otherPIN, options())
	mark = e.mark()
	e.ask("WPS_PIN %s %s", h.bssid, otherPIN)
	s.admitsByER(station, oneRun)
	e.joins(mark, 10*time.Second)

	t.Log("another one is not meant")
	again()
	s = r.er("EnrollPin", "02:00:00:00:77:00", otherPIN, options())
	mark = e.mark()
	e.ask("WPS_PIN %s %s", h.bssid, otherPIN)
	time.Sleep(15 * time.Second)
	if e.saw(mark, "WPS-SUCCESS") || s.property("State") != "exchanging" {
		t.Errorf("somebody else got in: %v", s.property("State"))
	}
	r.mustCall(s.path, "Session.Cancel")
	s.fails(5*time.Second, "canceled")
}

const stationUUID = "87654321-9abc-def0-1234-56789abc0002"

func TestERTellsWhoAsks(t *testing.T) {
	w := newWorld(t)
	h, r := w.learned(ap{})
	e := w.startSupplicant(station, "device_name=Some station", "manufacturer=Company",
		"model_name=cmodel", "model_number=123", "serial_number=12345",
		"device_type=1-0050F204-1", "config_methods=display keypad", "uuid="+stationUUID)
	mac := w.mac(station)
	e.ask("WPS_PIN %s %s", h.bssid, labelPIN)
	path := r.iface() + "/er/enrollees/" + godbus.ObjectPath(
		strings.NewReplacer("-", "_", ":", "_").Replace(stationUUID+"_"+mac))
	added := r.client.wait(0, 20*time.Second, "EnrolleeAdded", func(g signal) bool {
		return g.Name == busName+".ER.EnrolleeAdded"
	})
	if added.Body[0] != path {
		t.Errorf("EnrolleeAdded %v, not %s", added.Body[0], path)
	}
	w.until("it has introduced itself", 20*time.Second, func() bool {
		return r.property(path, "ER.Enrollee", "Introduced").(bool)
	})
	for name, want := range map[string]any{
		"Uuid": stationUUID, "MacAddress": mac, "DeviceName": "Some station",
		"Manufacturer": "Company", "ModelName": "cmodel", "ModelNumber": "123",
		"SerialNumber": "12345", "DeviceType": "1-0050F204-1", "PasswordId": uint16(0),
		"AccessPoint": r.finds(upnpUUID, time.Second),
	} {
		if got := r.property(path, "ER.Enrollee", name); got != want {
			t.Errorf("%s is %v, not %v", name, got, want)
		}
	}

	t.Log("it is let in, and does not ask any more")
	mark := e.mark()
	r.er("EnrollPin", stationUUID, labelPIN, options()).admitsByER(station, oneRun)
	e.joins(mark, 10*time.Second)
	r.client.wait(0, 200*time.Second, "EnrolleeRemoved", func(g signal) bool {
		return g.Name == busName+".ER.EnrolleeRemoved" && g.Body[1] == stationUUID &&
			g.Body[2] == mac
	})
}

func TestEREnrolsByPushButton(t *testing.T) {
	w := newWorld(t)
	h, r := w.learned(ap{})
	e := w.startSupplicant(station)

	t.Log("the button here first")
	s := r.er("EnrollPbc", "any", options())
	mark := e.mark()
	e.mustOK("WPS_PBC")
	s.admitsByER(station, oneRun)
	e.joins(mark, 10*time.Second)

	t.Log("the device's first, which is named by its address then")
	e.mustOK("REMOVE_NETWORK all")
	e.mustOK("DISCONNECT")
	time.Sleep(6 * time.Second) // hostapd takes no notice of who has just pushed a button for 5 s
	from := r.signals.len()
	mark = e.mark()
	e.mustOK("WPS_PBC")
	mac := w.mac(station)
	w.until("its button is seen", 20*time.Second, func() bool {
		for _, p := range r.property(r.iface(), "ER", "Enrollees").([]godbus.ObjectPath) {
			if r.property(p, "ER.Enrollee", "MacAddress") == mac &&
				r.property(p, "ER.Enrollee", "PasswordId") == uint16(4) {
				return true
			}
		}
		return false
	})
	t.Logf("seen after %d signals", r.signals.len()-from)
	r.er("EnrollPbc", mac, options()).admitsByER(station, oneRun)
	e.joins(mark, 10*time.Second)

	t.Log("nobody comes")
	s = r.er("EnrollPbc", h.bssid, options())
	if o := s.fails(130*time.Second, "walk-time-expired"); time.Since(s.began) < 115*time.Second {
		t.Errorf("it gave up after %v: %s", time.Since(s.began), o.sentence)
	}
}

func TestERPushButtonOverlap(t *testing.T) {
	w := newWorld(t)
	_, r := w.learned(ap{})
	first, second := w.startSupplicant(station), w.startSupplicant("wlan2")
	second.mustOK("WPS_PBC")
	first.mustOK("WPS_PBC")
	w.until("both buttons are seen", 30*time.Second, func() bool {
		return len(r.property(r.iface(), "ER", "Enrollees").([]godbus.ObjectPath)) == 2
	})
	r.refused("Overlap", r.iface(), "ER.EnrollPbc", "any", options())
	first.mustOK("WPS_CANCEL")
	second.mustOK("WPS_CANCEL")

	t.Log("the second one presses his after ours: nobody gets in")
	time.Sleep(125 * time.Second)
	mark := first.mark()
	s := r.er("EnrollPbc", "any", options())
	second.mustOK("WPS_PBC")
	first.mustOK("WPS_PBC")
	o := s.end(oneRun)
	t.Logf("%+v", o)
	if o.reason != "pbc-overlap" && first.saw(mark, "WPS-SUCCESS") {
		t.Errorf("ended with %q", o.reason)
	}
}

func TestERSetConfigThenEnrol(t *testing.T) {
	w := newWorld(t)
	h := w.startAP(withUPnP(ap{}))
	r := w.startER()
	path := r.finds(upnpUUID, 10*time.Second)
	r.refused("NoSettings", r.iface(), "ER.EnrollPin", "any", labelPIN, options())
	r.refused("NoSettings", r.iface(), "ER.EnrollPbc", "any", options())
	network := r.mustCall(rootPath, "Manager.AddNetwork",
		options("ssid", []byte(testSSID), "auth", "WPA2PSK", "encryption", "CCMP", "key",
			[]byte(testPassphrase)))[0]
	r.mustCall(r.iface(), "ER.SetConfig", h.bssid, network)
	if !r.property(path, "ER.AccessPoint", "HasSettings").(bool) {
		t.Error("HasSettings is not true")
	}
	e := w.startSupplicant(station)
	s := r.er("EnrollPin", "any", labelPIN, options())
	mark := e.mark()
	e.ask("WPS_PIN any %s", labelPIN)
	s.admitsByER(station, oneRun)
	e.joins(mark, 10*time.Second)
	r.refused("NoNetwork", r.iface(), "ER.SetConfig", h.bssid,
		godbus.ObjectPath("/fi/w1/wps/networks/99"))
}

func TestERWithAWrongEnrolleePIN(t *testing.T) {
	w := newWorld(t)
	h, r := w.learned(ap{})
	e := w.startSupplicant(station)
	s := r.er("EnrollPin", "any", labelPIN, options())
	mark := e.mark()
	e.ask("WPS_PIN %s %s", h.bssid, otherPIN)
	if o := s.fails(oneRun, "wrong-pin-first-half"); o.configError != 18 {
		t.Errorf("configuration error %d: %s", o.configError, o.sentence)
	}
	e.mustOK("WPS_CANCEL")
	t.Log("the PIN is good no more")
	e.ask("WPS_PIN %s %s", h.bssid, labelPIN)
	time.Sleep(15 * time.Second)
	if e.saw(mark, "WPS-SUCCESS") {
		t.Error("a PIN that was tried is good still")
	}
}

func TestERPINExpires(t *testing.T) {
	w := newWorld(t)
	h, r := w.learned(ap{})
	e := w.startSupplicant(station)
	s := r.er("EnrollPin", "any", labelPIN, options("timeout", uint32(20)))
	o := s.fails(30*time.Second, "walk-time-expired")
	if took := o.at.Sub(s.began); took < 19*time.Second || took > 22*time.Second ||
		!strings.Contains(o.sentence, "20 seconds") {
		t.Errorf("after %v: %s", took, o.sentence)
	}
	mark := e.mark()
	e.ask("WPS_PIN %s %s", h.bssid, labelPIN)
	time.Sleep(15 * time.Second)
	if e.saw(mark, "WPS-SUCCESS") {
		t.Error("the PIN is good still")
	}

	t.Log("one that is good for longer than access points announce it lets in late")
	e.mustOK("WPS_CANCEL")
	s = r.er("EnrollPin", "any", otherPIN, options("timeout", uint32(600)))
	time.Sleep(250 * time.Second)
	mark = e.mark()
	e.ask("WPS_PIN any %s", otherPIN)
	s.admitsByER(station, oneRun)
	e.joins(mark, 10*time.Second)
}

const secondUUID = "12345678-9abc-def0-1234-56789abcdef2"

func TestERWithTwoAccessPoints(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(withUPnP(ap{}))
	other := withUPnP(ap{radio: "wlan2", channel: 6, ssid: "second",
		passphrase: "another passphrase"})
	other.uuid = secondUUID
	b := w.startAP(other)
	r := w.startER()
	r.finds(upnpUUID, 10*time.Second)
	r.finds(secondUUID, 10*time.Second)
	a.gives(r.er("Learn", a.bssid, labelPIN, options()).succeeds(oneRun))
	b.gives(r.er("Learn", secondUUID, labelPIN, options()).succeeds(oneRun))

	t.Log("each gives its own network")
	e := w.startSupplicant(station)
	for _, h := range []*hostapd{b, a} {
		s := r.er("EnrollPin", "any", otherPIN, options("ap", h.bssid))
		mark := e.mark()
		e.ask("WPS_PIN %s %s", h.bssid, otherPIN)
		s.admitsByER(station, oneRun)
		e.joins(mark, 10*time.Second)
		if status := e.ask("STATUS"); !strings.Contains(status, "bssid="+h.bssid) {
			t.Errorf("the station is elsewhere:\n%s", status)
		}
		e.mustOK("REMOVE_NETWORK all")
		time.Sleep(time.Second)
	}

	t.Log("one hangs, which the other does not notice")
	b.signal(syscall.SIGSTOP)
	defer b.signal(syscall.SIGCONT)
	stuck := r.er("Learn", secondUUID, labelPIN, options())
	s := r.er("Learn", upnpUUID, labelPIN, options())
	a.gives(s.succeeds(5 * time.Second))
	stuck.fails(60*time.Second, "link-lost", "message-timeout")
}

func TestERAccessPointRestartsAndDies(t *testing.T) {
	w := newWorld(t)
	h, r := w.learned(ap{})

	t.Log("a restart: found again, and its settings are known still")
	mark := r.signals.len()
	h.stop()
	r.loses(mark, upnpUUID, 10*time.Second)
	mark = r.signals.len()
	h = w.startAP(withUPnP(ap{}))
	added := r.client.wait(mark, 30*time.Second, "AccessPointAdded", func(g signal) bool {
		return g.Name == busName+".ER.AccessPointAdded"
	})
	path := added.Body[0].(godbus.ObjectPath)
	if !r.property(path, "ER.AccessPoint", "HasSettings").(bool) {
		t.Error("its settings are forgotten")
	}
	e := w.startSupplicant(station)
	s := r.er("EnrollPin", "any", labelPIN, options())
	supplicant := e.mark()
	e.ask("WPS_PIN any %s", labelPIN)
	s.admitsByER(station, oneRun)
	e.joins(supplicant, 10*time.Second)
	e.stop()

	t.Log("killed without a goodbye, and started again at once: it does not know us any more")
	mark = r.signals.len()
	h.kill()
	h = w.startAP(withUPnP(ap{}))
	r.loses(mark, upnpUUID, 10*time.Second) // hostapd begins with a goodbye
	w.until("it is subscribed again", 60*time.Second, func() bool {
		ap := r.only()
		return ap["Subscribed"].Value() == true && ap["Problem"].Value() == ""
	})
	h.gives(r.er("Learn", upnpUUID, labelPIN, options()).succeeds(oneRun))

	t.Log("killed in the middle of a run")
	h.signal(syscall.SIGSTOP)
	s = r.er("Learn", upnpUUID, labelPIN, options())
	time.Sleep(time.Second)
	h.kill()
	s.fails(60*time.Second, "link-lost", "message-timeout")

	t.Log("and gone with that: it did not answer")
	w.until("it is in the list no more", 30*time.Second, func() bool {
		return len(r.property(r.iface(), "ER", "AccessPoints").([]godbus.ObjectPath)) == 0
	})

	t.Log("it hangs while nobody wants anything of it: that is noticed within two minutes")
	mark = r.signals.len()
	h = w.startAP(withUPnP(ap{}))
	r.client.wait(mark, 30*time.Second, "AccessPointAdded", func(g signal) bool {
		return g.Name == busName+".ER.AccessPointAdded"
	})
	mark = r.signals.len()
	h.signal(syscall.SIGSTOP)
	r.loses(mark, upnpUUID, 2*time.Minute)
	h.signal(syscall.SIGCONT)
}

func TestERBelongsToItsStarter(t *testing.T) {
	w := newWorld(t)
	h := w.startAP(withUPnP(ap{}))
	w.startBus()
	r := w.startERDaemon()
	starter := w.connect()
	starter.mustCall(r.iface(), "ER.Start", options())
	r.finds(upnpUUID, 10*time.Second)
	running := func() bool { return r.property(r.iface(), "ER", "Running").(bool) }
	if !running() {
		t.Fatal("it does not run")
	}
	starter.conn.Close()
	w.until("it ends with its starter", 5*time.Second, func() bool { return !running() })

	starter = w.connect()
	starter.mustCall(r.iface(), "ER.Start", options("detach", true))
	starter.conn.Close()
	time.Sleep(3 * time.Second)
	if !running() {
		t.Error("detached, it ended with its starter")
	}

	t.Log("wpsd stops in good order: hostapd hears that nobody is there")
	r.finds(upnpUUID, 10*time.Second)
	r.er("Learn", h.bssid, labelPIN, options()).succeeds(oneRun)
	r.er("EnrollPin", "any", labelPIN, options("detach", true))
	w.until("hostapd invites devices", 5*time.Second, func() bool {
		return strings.Contains(h.output(), "SetSelectedRegistrar")
	})
	r.stop()
	w.until("hostapd is told", 5*time.Second, func() bool {
		return strings.Contains(h.output()[strings.LastIndex(h.output(), "SetSelectedRegistrar"):],
			"UNSUBSCRIBE")
	})
}

func TestERWithWpsctl(t *testing.T) {
	w := newWorld(t)
	h := w.startAP(withUPnP(ap{}))
	w.startBus()
	r := w.startERDaemon()
	expect := func(status int, want string, args ...string) string {
		t.Helper()
		got := w.run(append([]string{"/in/wpsctl", "er"}, args...)...)
		if got.status != status || !strings.Contains(got.stdout+got.stderr, want) {
			t.Errorf("wpsctl er %v: status %d, want %d and %q\n%s%s", args, got.status, status,
				want, got.stdout, got.stderr)
		}
		return got.stdout
	}
	expect(16, "wpsctl er start", "stop")
	expect(16, "no External Registrar runs", "aps")
	expect(0, "runs on lo", "start")
	r.finds(upnpUUID, 10*time.Second)
	if table := expect(0, "AP <of> wpsd", "aps"); !strings.Contains(table, h.bssid) ||
		!strings.Contains(table, "configured") || !strings.Contains(table, "unknown") {
		t.Errorf("table:\n%s", table)
	}
	expect(16, "er learn", "pin", "any", labelPIN)
	expect(10, "first half", "learn", h.bssid, wrongHalfPIN)
	expect(0, testPassphrase, "learn", h.bssid, labelPIN, "--show-key")
	e := w.startSupplicant(station, "device_name=Some station", "uuid="+stationUUID)
	done := make(chan result, 1)
	go func() { done <- w.run("/in/wpsctl", "--json", "er", "pin", stationUUID, labelPIN) }()
	w.until("a session runs", 5*time.Second, func() bool {
		return strings.Contains(r.output(), "purpose=admit")
	})
	e.ask("WPS_PIN any %s", labelPIN)
	if got := <-done; got.status != 0 || !strings.Contains(got.stdout, `"succeeded"`) ||
		!strings.Contains(got.stdout, w.mac(station)) {
		t.Errorf("wpsctl er pin: status %d\n%s%s", got.status, got.stdout, got.stderr)
	}
	var list struct {
		AccessPoints []struct {
			UUID        string
			HasSettings bool `json:"has_settings"`
		} `json:"access_points"`
	}
	if err := json.Unmarshal([]byte(w.run("/in/wpsctl", "--json", "er", "aps").stdout),
		&list); err != nil || len(list.AccessPoints) != 1 || !list.AccessPoints[0].HasSettings {
		t.Errorf("%+v, %v", list, err)
	}
	expect(0, "stopped", "stop")
}

// TestERWithBusctl does it with nothing but the tool that every machine with systemd has.
func TestERWithBusctl(t *testing.T) {
	w := newWorld(t)
	h := w.startAP(withUPnP(ap{}))
	w.startBus()
	r := w.startERDaemon()
	call := func(method string, args ...string) string {
		t.Helper()
		got := w.run(append([]string{"busctl", "--system", "call", busName, string(r.iface()),
			busName + ".ER", method}, args...)...)
		if got.status != 0 {
			t.Fatalf("busctl %s: %s%s", method, got.stdout, got.stderr)
		}
		return got.stdout
	}
	call("Start", "a{sv}", "1", "detach", "b", "true")
	r.finds(upnpUUID, 10*time.Second)
	var path string
	if _, err := fmt.Sscanf(call("Learn", "ssa{sv}", h.bssid, labelPIN, "1", "detach", "b", "true"),
		"o %q", &path); err != nil {
		t.Fatal(err)
	}
	w.until("the session succeeds", oneRun, func() bool {
		time.Sleep(time.Second) // it is a slow way to ask
		return strings.TrimSpace(w.run("busctl", "--system", "get-property", busName, path,
			busName+".Session", "State").stdout) == `s "succeeded"`
	})
	if tree := w.run("busctl", "--system", "tree", busName); !strings.Contains(tree.stdout,
		"/er/aps/"+strings.ReplaceAll(upnpUUID, "-", "_")) {
		t.Errorf("tree:\n%s", tree.stdout)
	}
	if got := w.run("busctl", "--system", "introspect", busName,
		string(r.iface())); !strings.Contains(got.stdout,
		"EnrollPbc") || !strings.Contains(got.stdout, "StartPbc") {
		t.Errorf("introspect: %s%s", got.stdout, got.stderr)
	}
	call("Stop")
}
