//go:build hwsim

package hwsim

import (
	"slices"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"
)

// oneRun is time enough for one run against an access point that is ready: a full scan and the
// exchange.
const oneRun = 30 * time.Second

func TestPushButtonEnrolsAndTheNetworkWorks(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{})
	d := w.startDaemon()
	bystander := w.connect()
	a.mustOK("WPS_PBC")
	s := d.startPBC()
	c := s.succeeds(oneRun)
	a.gives(c)
	a.wait(0, "WPS-REG-SUCCESS "+w.mac(station), time.Second)
	a.wait(0, "WPS-PBC-DISABLE", time.Second)
	for _, g := range bystander.signals.all(0) {
		if g.Name == busName+".Session.CredentialReceived" {
			t.Error("a client that started nothing got the credential")
		}
	}
	w.connects(station, c, a)
}

func TestPushButtonPressedLongAfterTheStart(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{})
	d := w.startDaemon()
	s := d.startPBC()
	time.Sleep(60 * time.Second)
	if state := s.property("State"); state != "scanning" {
		t.Errorf("State is %v while nobody presses the button", state)
	}
	a.mustOK("WPS_PBC")
	a.gives(s.succeeds(oneRun))
}

func TestPushButtonsOfTwoAccessPointsOverlap(t *testing.T) {
	w := newWorld(t)
	a, b := w.startAP(ap{}), w.startAP(ap{radio: "wlan2", channel: 6, ssid: "neighbour"})
	d := w.startDaemon()
	a.mustOK("WPS_PBC")
	b.mustOK("WPS_PBC")
	s := d.startPBC()
	o := s.fails(oneRun, "pbc-overlap")
	if o.configError != 12 {
		t.Errorf("configuration error %d, want 12 (Multiple PBC sessions detected)", o.configError)
	}
	detail, _ := s.property("Detail").(map[string]godbus.Variant)
	got, _ := detail["bssids"].Value().([]string)
	slices.Sort(got)
	if want := []string{a.bssid, b.bssid}; !slices.Equal(got, want) {
		t.Errorf("Detail names %v, want %v", got, want)
	}
	for _, h := range []*hostapd{a, b} {
		if h.saw(0, "AP-STA-CONNECTED") || h.saw(0, "CTRL-EVENT-EAP-STARTED") {
			t.Errorf("%s was contacted in spite of the overlap", h.ap.ssid)
		}
	}
}

func TestOverlapDoesNotMatterForANamedAccessPoint(t *testing.T) {
	w := newWorld(t)
	a, b := w.startAP(ap{}), w.startAP(ap{radio: "wlan2", channel: 6, ssid: "neighbour"})
	d := w.startDaemon()
	a.mustOK("WPS_PBC")
	b.mustOK("WPS_PBC")
	b.gives(d.startPBC("bssid", b.bssid).succeeds(oneRun))
	if a.saw(0, "CTRL-EVENT-EAP-STARTED") {
		t.Error("the other access point was contacted")
	}
}

func TestOneAccessPointOnTwoBandsIsNoOverlap(t *testing.T) {
	w := newWorld(t)
	// Two access points of one hostapd share UUID and button.
	both := w.startAPs(ap{}, ap{radio: "wlan2", channel: 36})
	d := w.startDaemon()
	both[0].mustOK("WPS_PBC")
	c := d.startPBC().succeeds(oneRun)
	both[0].gives(c)
	w.connects(station, c, both[0])
}

func TestNobodyPressesTheButton(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{})
	d := w.startDaemon()
	s := d.startPBC()
	o := s.fails(125*time.Second, "walk-time-expired")
	if took := o.at.Sub(s.began); took < 119*time.Second || took > 122*time.Second {
		t.Errorf("the walk time was %v, want 120 s", took)
	}
	if o.configError != 16 {
		t.Errorf("configuration error %d, want 16 (Walk time expired)", o.configError)
	}
	if a.saw(0, "AP-STA-CONNECTED") {
		t.Error("an access point without a pressed button was contacted")
	}
}

func TestNoAccessPointIsThere(t *testing.T) {
	w := newWorld(t)
	d := w.startDaemon()
	d.startPBC().fails(125*time.Second, "walk-time-expired", "no-access-point")
}

func TestAccessPointComesUpAfterTheScanCacheWasFilled(t *testing.T) {
	w := newWorld(t)
	d := w.startDaemon()
	from := d.signals.len()
	d.mustCall(d.iface(), "Interface.Scan", options())
	d.client.wait(from, oneRun, "ScanDone", func(g signal) bool {
		return g.Name == busName+".Interface.ScanDone"
	})
	a := w.startAP(ap{channel: 11})
	a.mustOK("WPS_PBC")
	a.gives(d.startPBC().succeeds(oneRun))
}

func TestScanShowsAccessPointsAndTheirFlags(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{uuid: "12345678-9abc-def0-1234-56789abcdef0"})
	d := w.startDaemon()
	scan := func() map[string]any {
		from := d.signals.len()
		d.mustCall(d.iface(), "Interface.Scan", options())
		d.client.wait(from, oneRun, "ScanDone", func(g signal) bool {
			return g.Name == busName+".Interface.ScanDone" && g.Body[0] == true
		})
		d.givenBack()
		aps := d.property(d.iface(), "Interface", "AccessPoints").([]godbus.ObjectPath)
		if len(aps) != 1 {
			t.Fatalf("access points: %v", aps)
		}
		got := map[string]any{}
		for _, name := range []string{"Bssid", "Ssid", "Frequency", "Flags", "Configured", "Uuid",
			"DeviceName", "Manufacturer"} {
			got[name] = d.property(aps[0], "AccessPoint", name)
		}
		return got
	}
	got := scan()
	want := map[string]any{"Bssid": a.bssid, "Ssid": testSSID, "Frequency": uint32(2412),
		"Flags": "WPS", "Configured": true,
		"Uuid": a.ap.uuid, "DeviceName": "Test access point", "Manufacturer": "wpsd"}
	for name, v := range want {
		if b, ok := got[name].([]byte); ok {
			got[name] = string(b)
		}
		if got[name] != v {
			t.Errorf("%s is %v, want %v", name, got[name], v)
		}
	}
	a.mustOK("WPS_PBC")
	if got := scan(); got["Flags"] != "WPS-PBC" {
		t.Errorf("Flags are %v with the button pressed", got["Flags"])
	}
	a.mustOK("WPS_CANCEL")
	a.mustOK("WPS_PIN any %s", labelPIN)
	if got := scan(); got["Flags"] != "WPS-AUTH" {
		t.Errorf("Flags are %v with a PIN for everybody", got["Flags"])
	}
}
