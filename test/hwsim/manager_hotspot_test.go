//go:build hwsim

package hwsim

import (
	"fmt"
	"sync"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"
)

// NetworkManager's hotspot, as "nmcli device wifi hotspot" and the switch of a desktop make it, is
// an access point of a wpa_supplicant: a device is let in by push button and by PIN, is connected
// with what it got, and wpsd tells who asks. Meanwhile somebody looks at a page with routers, for
// which wpsd scans: NetworkManager takes the link down and up several times to change its address.
func TestManagerNetworkManagerHotspot(t *testing.T) {
	w := newWorld(t)
	w.startBus()
	nm := w.startNetworkManager()
	d := w.startDaemonAgain()
	leave := d.looksAround()
	nm.mustNmcli("-w", "40", "dev", "wifi", "hotspot", "ifname", station, "con-name", "hotspot",
		"ssid", "Hot", "band", "bg", "channel", "6", "password", "hot potato 12")
	leave()
	w.until("wpsd takes the station for an access point", 20*time.Second, func() bool {
		return d.property(d.iface(), "Interface", "Mode") == "ap"
	})
	device := w.startSupplicant("wlan2")

	t.Log("by push button")
	mark := device.mark()
	device.mustOK("WPS_PBC")
	r := w.run("/in/wpsctl", "-i", station, "pbc")
	if r.status != 0 {
		t.Fatalf("wpsctl pbc: status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	device.joins(mark, time.Minute)

	t.Log("by PIN, once the device has shown that it wants in")
	device.mustOK("REMOVE_NETWORK all")
	mark, from := device.mark(), d.signals.len()
	device.ask("WPS_PIN any %s", otherPIN)
	for _, name := range []string{"EnrolleeSeen", "PinNeeded"} {
		d.wait(from, time.Minute, name, func(s signal) bool {
			return s.Name == busName+".Interface."+name && s.Path == d.iface() &&
				fmt.Sprint(s.Body[1]) == w.mac("wlan2")
		})
	}
	if r := w.run("/in/wpsctl", "-i", station, "pin", otherPIN); r.status != 0 {
		t.Fatalf("wpsctl pin: status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	device.joins(mark, time.Minute)
	if got := d.property(d.iface(), "Interface", "Session"); got != godbus.ObjectPath("/") {
		t.Errorf("a session is left: %v", got)
	}
	w.owesNothing()
}

// looksAround has wpsd scan again and again, until the returned function is called.
func (d *daemon) looksAround() (leave func()) {
	var work sync.WaitGroup
	over := make(chan struct{})
	work.Go(func() {
		for {
			// That a scan is under way already, or that there is no station any more, is no news.
			_ = d.conn.Object(busName, d.iface()).Call(busName+".Interface.Scan", 0, options()).Err
			select {
			case <-over:
				return
			case <-time.After(150 * time.Millisecond):
			}
		}
	})
	return func() { close(over); work.Wait() }
}
