//go:build hwsim

package hwsim

import (
	"strings"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"
)

// slow makes a run take many frames, so that there is a middle to disturb it in.
var slow = ap{extra: []string{"fragment_size=50"}}

// networks lists the stored networks.
func (d *daemon) networks() []godbus.ObjectPath {
	d.w.t.Helper()
	return d.property(rootPath, "Manager", "Networks").([]godbus.ObjectPath)
}

// stillWorks runs one good enrolment: what came before did no lasting harm.
func (d *daemon) stillWorks(a *hostapd) {
	d.w.t.Helper()
	a.ask("WPS_PIN any %s", otherPIN)
	a.gives(d.startPIN("pin", otherPIN, "bssid", a.bssid).succeeds(oneRun))
}

func TestCancelInTheMiddleOfARun(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(slow)
	d := w.startDaemon()
	a.mustOK("WPS_PBC")
	mark := a.mark()
	s := d.startPBC()
	a.holdMidRun(mark, s)
	d.mustCall(s.path, "Session.Cancel")
	s.fails(5*time.Second, "canceled")
	if state := s.property("State"); state != "canceled" {
		t.Errorf("State is %v", state)
	}
	a.goOn()
	w.until("the access point knows that the station left", 10*time.Second, func() bool {
		return a.ask("STA %s", w.mac(station)) == "FAIL"
	})
	if len(d.networks()) != 0 {
		t.Error("a canceled run left a network")
	}
	d.stillWorks(a)
}

func TestCancelOfTheInterfaceWhileScanning(t *testing.T) {
	w := newWorld(t)
	d := w.startDaemon()
	s := d.startPBC()
	s.reaches("State", 2*time.Second, "scanning")
	d.mustCall(d.iface(), "Interface.Cancel")
	s.fails(3*time.Second, "canceled")
	d.refused("NoSession", d.iface(), "Interface.Cancel")
}

func TestAccessPointDiesInTheMiddleOfARun(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(slow)
	d := w.startDaemon()
	a.mustOK("WPS_PBC")
	mark := a.mark()
	s := d.startPBC()
	a.holdMidRun(mark, s)
	// Its kernel goes on beaconing: nobody says that the program is gone.
	a.kill()
	s.fails(125*time.Second, "message-timeout", "link-lost", "association-failed",
		"walk-time-expired")
	d.stillWorks(w.startAP(ap{}))
}

func TestAccessPointLosesPowerInTheMiddleOfARun(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(slow)
	d := w.startDaemon()
	a.mustOK("WPS_PBC")
	mark := a.mark()
	s := d.startPBC()
	a.holdMidRun(mark, s)
	w.block("wlan0", true)
	s.fails(125*time.Second, "message-timeout", "link-lost", "association-failed",
		"walk-time-expired")
	a.kill()
	w.block("wlan0", false)
	d.stillWorks(w.startAP(ap{}))
}

func TestAccessPointIsRestartedAndThePINRunGoesOn(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(slow)
	d := w.startDaemon()
	a.ask("WPS_PIN any %s", otherPIN)
	mark := a.mark()
	s := d.startPIN("pin", otherPIN)
	a.holdMidRun(mark, s)
	a.kill()
	b := w.startAP(ap{})
	b.ask("WPS_PIN any %s", otherPIN)
	b.gives(s.succeeds(110 * time.Second))
}

func TestDaemonKilledInTheMiddleOfARunAndStartedAgain(t *testing.T) {
	w := newWorld(t)
	other := w.startAP(ap{radio: "wlan2", channel: 6, ssid: "neighbour"})
	d := w.startDaemon()
	d.stillWorks(other)
	uuid := d.property(rootPath, "Manager", "Uuid")
	before := d.networks()

	a := w.startAP(slow)
	a.mustOK("WPS_PBC")
	mark := a.mark()
	a.holdMidRun(mark, d.startPBC())
	d.kill()
	a.goOn()
	w.until("the kernel ends the association of a dead daemon", 5*time.Second, func() bool {
		return !w.isAssociated(station)
	})

	if !w.isUp(station) {
		t.Error("the link was not up, so there is nothing to restore")
	}
	w.restore()
	if w.isUp(station) {
		t.Error("the link that a killed wpsd brought up is still up")
	}
	d = w.startDaemonAgain()
	if after := d.networks(); len(after) != 1 || after[0] != before[0] {
		t.Errorf("networks are %v, were %v", after, before)
	}
	if after := d.property(rootPath, "Manager", "Uuid"); after != uuid {
		t.Errorf("UUID is %v, was %v", after, uuid)
	}
	d.stillWorks(a)
}

func TestRadioThatIsOff(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{})
	d := w.startDaemon()
	w.block(station, true)
	d.refused("RadioBlocked", d.iface(), "Interface.StartPbc", options())
	d.refused("RadioBlocked", d.iface(), "Interface.StartPin", options())
	d.refused("RadioBlocked", d.iface(), "Interface.Scan", options())
	w.block(station, false)
	d.stillWorks(a)
}

func TestRadioIsSwitchedOffInTheMiddleOfARun(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(slow)
	d := w.startDaemon()
	a.mustOK("WPS_PBC")
	mark := a.mark()
	s := d.startPBC()
	a.holdMidRun(mark, s)
	w.block(station, true)
	s.fails(10*time.Second, "radio-blocked")
	a.goOn()
	w.block(station, false)
	d.stillWorks(a)
}

func TestInterfaceVanishesAndComesBack(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{})
	d := w.startDaemon()
	s := d.startPBC()
	time.Sleep(time.Second)
	// Another network namespace is as good as unplugged.
	w.sh("ip netns add away && iw phy $(cat /sys/class/net/%s/phy80211/name) set netns name away", station)
	t.Cleanup(func() { w.sh("ip netns del away; true") })
	got := s.owner.wait(s.from, 10*time.Second, "Failed", func(g signal) bool {
		return g.Path == s.path && g.Name == busName+".Session.Failed"
	})
	if got.Body[0] != "interface-gone" {
		t.Errorf("the session failed with %v", got.Body)
	}
	w.until("the interface's object is gone", 3*time.Second, func() bool {
		return len(d.property(rootPath, "Manager", "Interfaces").([]godbus.ObjectPath)) == 0
	})
	w.sh("ip netns exec away iw phy $(ip netns exec away iw phy | awk '/^Wiphy/{print $2}') set netns 1")
	w.until("the interface's object is back", 5*time.Second, func() bool {
		return len(d.property(rootPath, "Manager", "Interfaces").([]godbus.ObjectPath)) == 1
	})
	d.stillWorks(a)
}

func TestLinkThatWasUpStaysUp(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{})
	w.sh("ip link set %s up", station)
	d := w.startDaemon()
	if !d.wasUp {
		t.Fatal("the interface is not up")
	}
	d.stillWorks(a) // end checks it
}

func TestOwnerLeavesTheBus(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(slow)
	d := w.startDaemon()
	a.mustOK("WPS_PBC")
	mark := a.mark()
	owner := w.connect()
	s := d.begin(owner, "StartPbc")
	s.owner = d.client // for reading on
	a.holdMidRun(mark, s)
	owner.conn.Close()
	s.fails(5*time.Second, "owner-left")
	a.goOn()
	d.stillWorks(a)
}

func TestDetachedSessionOutlivesItsOwner(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{})
	d := w.startDaemon()
	owner := w.connect()
	s := d.begin(owner, "StartPbc", "detach", true)
	owner.conn.Close()
	time.Sleep(10 * time.Second)
	a.mustOK("WPS_PBC")
	s.owner = d.client
	if o := s.end(oneRun); o.networks == nil {
		t.Errorf("the session failed: %s", o.reason)
	}
	if strings.Contains(d.output(), "panic") {
		t.Error("wpsd panicked")
	}
}

func TestDaemonIsToldToEndInTheMiddleOfARun(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(slow)
	d := w.startDaemon()
	a.mustOK("WPS_PBC")
	mark := a.mark()
	a.holdMidRun(mark, d.startPBC())
	d.stop()
	d.givenBack()
	if code := d.exitStatus(); code != 0 {
		t.Errorf("wpsd ended with %d after SIGTERM", code)
	}
}
