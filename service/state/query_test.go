package state

import (
	"testing"

	"wpsd/engine/er"
	"wpsd/engine/wsc"
)

// TestOneThing: each question is answered as a snapshot would, for what is there and what is not.
func TestOneThing(t *testing.T) {
	t.Parallel()
	p := New(Manager{Version: "1"})
	mac := wsc.MAC{2, 0, 0, 0, 0, 9}
	for _, e := range []Event{
		InterfaceAdded{Interface{Name: "wlan1"}}, InterfaceAdded{Interface{Name: "wlan0"}},
		ERChanged{ER{Interface: "wlan0", Running: true}},
		ERAPAdded{ERAccessPoint{"wlan0", &er.AP{ID: 1, BSSID: mac}}},
		EREnrolleeAdded{EREnrollee{"wlan0", &er.Enrollee{AP: 1, MAC: mac}}},
	} {
		p.Publish(e)
	}
	p.AddNetwork(Network{ID: 7, SSID: []byte("home")})
	if p.Manager().Version != "1" {
		t.Error("another Manager")
	}
	if i, ok := p.Interface("wlan1"); !ok || i.Name != "wlan1" {
		t.Errorf("wlan1: %v, %v", i, ok)
	}
	if _, ok := p.Interface("wlan9"); ok {
		t.Error("there is a wlan9")
	}
	if all := p.Interfaces(); len(all) != 2 || all[0].Name != "wlan0" {
		t.Errorf("%v", all)
	}
	if n, ok := p.Network(7); !ok || string(n.SSID) != "home" {
		t.Errorf("network 7: %v, %v", n, ok)
	}
	if _, ok := p.Network(8); ok {
		t.Error("there is a network 8")
	}
	isAP := func(want wsc.MAC) func(*ERAccessPoint) bool {
		return func(a *ERAccessPoint) bool { return a.BSSID == want }
	}
	isDevice := func(want wsc.MAC) func(*EREnrollee) bool {
		return func(e *EREnrollee) bool { return e.MAC == want }
	}
	for ifname, here := range map[string]bool{"wlan0": true, "wlan1": false} {
		if p.ER(ifname).Running != here || p.HasERAccessPoint(ifname, isAP(mac)) != here ||
			p.HasEREnrollee(ifname, isDevice(mac)) != here {
			t.Errorf("%s: the External Registrar there is %v", ifname, !here)
		}
		if p.HasERAccessPoint(ifname, isAP(wsc.MAC{1})) ||
			p.HasEREnrollee(ifname, isDevice(wsc.MAC{1})) {
			t.Errorf("%s: somebody is found who is not there", ifname)
		}
	}
}
