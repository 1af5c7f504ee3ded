//go:build hwsim

package hwsim

import (
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"
)

// In these scenarios a monitor and a stranger listen to everything that is said on the bus, from the beginning to the end.

const newPassphrase = "tremendous new passphrase"

// TestSecrecyOfEnrolments: push button and PIN, with an agent that takes every credential.
func TestSecrecyOfEnrolments(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{})
	d := w.startDaemon("wps_cred_processing=2")
	agent := d.agent(nil)
	spies := d.startSpies(agent.client)
	spies.hides("the passphrase", []byte(testPassphrase))
	a.mustOK("WPS_PBC")
	s := d.startPBC()
	s.reaches("State", 20*time.Second, "associating", "exchanging", "succeeded")
	spies.looks()
	a.gives(s.succeeds(oneRun))
	agent.gets(1)

	s = d.startPIN()
	spies.hides("the generated PIN", []byte(s.pin))
	spies.looks()
	a.ask("WPS_PIN any %s", s.pin)
	a.gives(s.succeeds(oneRun))

	spies.hides("a wrong PIN", []byte(otherPIN))
	a.ask("WPS_PIN any %s", labelPIN)
	d.startPIN("pin", otherPIN, "bssid", a.bssid).fails(oneRun, "wrong-pin-first-half", "walk-time-expired")
	d.refused("InvalidPinChecksum", d.iface(), "Interface.StartPin", options("pin", "98765431"))

	d.mustCall(d.networks()[0], "Network.GetSecrets")
	d.mustCall(d.networks()[0], "Network.Delete")
	spies.check(6)
}

// TestSecrecyOfARegistrar: an access point's own PIN, its settings, and new ones; a network that is typed in.
func TestSecrecyOfARegistrar(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(withAPPIN(ap{}))
	d := w.startDaemon()
	spies := d.startSpies()
	spies.hides("the passphrase", []byte(testPassphrase))
	spies.hides("the new passphrase", []byte(newPassphrase))
	spies.hides("the access point's PIN", []byte(labelPIN))
	spies.hides("another PIN", []byte(otherPIN))
	a.gives(d.learn(a, labelPIN).succeeds(oneRun))
	spies.looks()
	d.learn(a, otherPIN).fails(oneRun, "wrong-pin-first-half")
	d.configure(a, "ssid", []byte(testSSID), "auth", "WPA2PSK", "encryption", "CCMP", "key", []byte(newPassphrase)).succeeds(oneRun)
	d.mustCall(rootPath, "Manager.AddNetwork", options("ssid", []byte("cabin"), "auth", "WPA2PSK", "encryption", "CCMP", "key", []byte(newPassphrase)))
	d.refused("InvalidArguments", rootPath, "Manager.AddNetwork", options("ssid", []byte{}, "auth", "WPA2PSK", "encryption", "CCMP", "key", []byte(newPassphrase)))
	for _, n := range d.networks() {
		d.mustCall(n, "Network.GetSecrets")
	}
	spies.check(8)
}

// TestSecrecyAtAnAccessPoint: the PINs of the devices that are let in, and the access point's own.
func TestSecrecyAtAnAccessPoint(t *testing.T) {
	w := newWorld(t)
	_, d := w.startHotspot(ap{})
	spies := d.startSpies()
	spies.hides("the passphrase", []byte(testPassphrase))
	spies.hides("the device's PIN", []byte(labelPIN))
	e := w.startSupplicant(station, "device_name=Camera")
	mark := e.mark()
	s := d.startPIN("pin", labelPIN)
	spies.looks()
	e.ask("WPS_PIN any %s", labelPIN)
	s.admits(station, oneRun)
	e.joins(mark, 10*time.Second)
	own := d.mustCall(d.iface(), "Interface.ApPin", "random", options())[0].(string)
	spies.hides("the access point's PIN", []byte(own))
	d.mustCall(d.iface(), "Interface.ApPin", "get", options())
	spies.check(4)
}

// TestSecrecyOfTags: a token with our password, one with a network, and a tag that brings one.
func TestSecrecyOfTags(t *testing.T) {
	w := newWorld(t)
	d := w.startDaemon()
	spies := d.startSpies()
	spies.hides("the passphrase", []byte(testPassphrase))
	d.mustCall(rootPath, "Manager.AddNetwork", options("ssid", []byte(testSSID), "auth", "WPA2PSK", "encryption", "CCMP", "key", []byte(testPassphrase)))
	network := d.networks()[0]
	config := d.mustCall(d.iface(), "Interface.NfcConfigToken", "NDEF", options("network", network))[0].([]byte)
	d.mustCall(network, "Network.Delete")
	what := d.mustCall(d.iface(), "Interface.NfcTagRead", config)[0].(map[string]godbus.Variant)
	if what["kind"].Value() != "configuration" || len(d.networks()) != 1 {
		t.Errorf("the tag is %v, and there are the networks %v", what, d.networks())
	}
	password := d.mustCall(d.iface(), "Interface.NfcPasswordToken", "WPS")[0].([]byte)
	spies.hides("the password of our token", devicePassword(t, password))
	spies.looks()
	spies.check(4)
}

// devicePassword finds the password in a password token: behind the hash of our key and the password's id, in the
// attribute Out-of-Band Device Password (WSC 2.0.7, section 12).
func devicePassword(t *testing.T, token []byte) []byte {
	t.Helper()
	for len(token) >= 4 {
		id, n := uint16(token[0])<<8|uint16(token[1]), int(token[2])<<8|int(token[3])
		if len(token) < 4+n {
			break
		}
		if value := token[4 : 4+n]; id == 0x102c && n > 22+8 {
			return value[22:]
		}
		token = token[4+n:]
	}
	t.Fatal("the token has no password")
	return nil
}
