//go:build hwsim

package hwsim

import (
	"os"
	"strings"
	"testing"
	"time"
)

// changeBus makes another program the system's bus, with nobody on it but who comes back: systemd at
// once, the others when they are called. It gives the first one back at the end of the scenario.
func (u *unit) changeBus(service string) {
	u.t.Helper()
	const alias = "/etc/systemd/system/dbus.service"
	change := func(link string) {
		u.sh("systemctl stop wpsd wpsd-upnp.service polkit; systemctl stop dbus.socket dbus.service; "+
			"%s; systemctl daemon-reload; systemctl start dbus.socket dbus.service", link)
		u.until("systemd is on the bus", 30*time.Second, func() bool {
			return u.run("busctl", "status", "org.freedesktop.systemd1").status == 0
		})
	}
	change("ln -sfn /lib/systemd/system/" + service + " " + alias)
	u.t.Cleanup(func() { change("rm " + alias) })
	if got := strings.TrimSpace(u.sh("systemctl show -P Id dbus.service")); got != service {
		u.t.Fatalf("the bus is %s", got)
	}
}

// testUnitBroker: dbus-broker is the bus, which Fedora and Arch Linux have. It reads the same policy,
// and has systemd start wpsd at a call, again and again; it starts no program itself.
func testUnitBroker(t *testing.T) {
	if _, err := os.Stat("/usr/bin/dbus-broker-launch"); err != nil {
		t.Fatal(err)
	}
	u := newUnit(t, "idle_exit=1")
	u.changeBus("dbus-broker.service")
	u.mustCall()
	u.becomes("ActiveState", "inactive", 20*time.Second)
	if got := u.show("Result") + " " + u.show("NRestarts"); got != "success 0" {
		t.Errorf("the end: %s", got)
	}

	const driver = "busctl call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus "
	u.as(farUser, 1, driver+"RequestName su fi.w1.wps 0")
	u.as(farUser, 0, "wpsctl status")
	u.as(farUser, 4, "wpsctl -i "+station+" pbc")

	a := u.startAP(ap{})
	a.mustOK("WPS_PBC")
	out := u.wpsctl(0, "-i", station, "pbc", "--show-key")
	if !strings.Contains(out, testSSID) || !strings.Contains(out, testPassphrase) {
		t.Errorf("wpsctl pbc:\n%s", out)
	}
	a.wait(0, "WPS-REG-SUCCESS "+u.mac(station), 5*time.Second)
	u.stillHas(testSSID)
	if got := u.show("Result") + " " + u.show("NRestarts"); got != "success 0" {
		t.Errorf("after a session: %s", got)
	}
}
