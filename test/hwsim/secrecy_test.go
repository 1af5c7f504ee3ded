//go:build hwsim

package hwsim

import (
	"testing"
	"time"
)

// In these scenarios a monitor and a stranger listen to everything that is said on the bus, from
// the beginning to the end.

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
	d.startPIN("pin", otherPIN, "bssid", a.bssid).fails(oneRun, "wrong-pin-first-half",
		"walk-time-expired")
	d.refused("InvalidPinChecksum", d.iface(), "Interface.StartPin", options("pin", "98765431"))

	d.mustCall(d.networks()[0], "Network.GetSecrets")
	d.mustCall(d.networks()[0], "Network.Delete")
	spies.check(6)
}

// TestSecrecyOfARegistrar: an access point's own PIN, its settings, and new ones; a network that is
// typed in.
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
	d.configure(a, "ssid", []byte(testSSID), "auth", "WPA2PSK", "encryption", "CCMP", "key",
		[]byte(newPassphrase)).succeeds(oneRun)
	d.mustCall(rootPath, "Manager.AddNetwork",
		options("ssid", []byte("cabin"), "auth", "WPA2PSK", "encryption", "CCMP", "key",
			[]byte(newPassphrase)))
	d.refused("InvalidArguments", rootPath, "Manager.AddNetwork",
		options("ssid", []byte{}, "auth", "WPA2PSK", "encryption", "CCMP", "key",
			[]byte(newPassphrase)))
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

// TestSecrecyOfAnExternalRegistrar: the access point's settings and PIN, and the PIN of a device
// that is let in, over the network.
func TestSecrecyOfAnExternalRegistrar(t *testing.T) {
	w := newWorld(t)
	h := w.startAP(withUPnP(ap{}))
	r := w.startER()
	path := r.finds(upnpUUID, 10*time.Second)
	owner := w.connect()
	spies := r.startSpies(owner)
	spies.hides("the passphrase", []byte(testPassphrase))
	spies.hides("the access point's PIN", []byte(labelPIN))
	spies.hides("a wrong PIN", []byte(wrongHalfPIN))
	spies.hides("the device's PIN", []byte(otherPIN))
	r.erFor(owner, "Learn", upnpUUID, wrongHalfPIN, options()).fails(oneRun, "wrong-pin-first-half")
	s := r.erFor(owner, "Learn", upnpUUID, labelPIN, options())
	h.gives(s.succeeds(oneRun))
	r.mustCall(r.iface(), "ER.SetConfig", upnpUUID, r.networks()[0])
	spies.looks()
	e := w.startSupplicant(station, "device_name=Some station", "uuid="+stationUUID)
	mark := e.mark()
	s = r.er("EnrollPin", "any", otherPIN, options())
	e.ask("WPS_PIN any %s", otherPIN)
	s.admitsByER(station, oneRun)
	e.joins(mark, 10*time.Second)
	r.mustCall(r.iface(), "ER.NfcConfigToken", upnpUUID, "WPS")
	spies.looks()
	r.property(path, "ER.AccessPoint", "HasSettings")
	spies.check(6)
}

// TestSecrecyOfTags: a run with our own password token, a token with a network, and a tag that
// brings one.
func TestSecrecyOfTags(t *testing.T) {
	w := newWorld(t)
	h := w.startAP(ap{})
	d := w.startDaemon()
	spies := d.startSpies()
	spies.hides("the passphrase", []byte(testPassphrase))
	token := d.nfc("NfcPasswordToken", "WPS")
	spies.hides("the password of our token", devicePassword(t, token))
	h.mustOK("WPS_NFC_TAG_READ %x", token)
	s := d.begin(d.client, "StartNfc")
	spies.looks()
	h.gives(s.succeeds(oneRun))
	network := d.networks()[0]
	config := d.nfc("NfcConfigToken", "NDEF", options("network", network))
	d.mustCall(network, "Network.Delete")
	h.gives(d.networkOfTag(d.readTag(config)))
	h.gives(d.networkOfTag(d.readTag(h.hex("WPS_NFC_CONFIG_TOKEN NDEF"))))
	d.nfc("NfcHandoverRequest", "NDEF", "WPS")
	spies.check(7)
}

// TestManagerSecrecyOfAHandOver: the network goes to the real NetworkManager, by calls to it alone.
func TestManagerSecrecyOfAHandOver(t *testing.T) {
	w := newWorld(t)
	_, fresh := w.home()
	w.startBus()
	nm := w.startNetworkManager()
	nm.connectedTo(oldSSID)
	d := w.startDaemonAgain()
	spies := d.startSpies()
	spies.trusts(nmName, "fi.w1.wpa_supplicant1")
	spies.hides("the passphrase", []byte(testPassphrase))
	spies.hides("the passphrase of the old network", []byte(oldPassphrase))
	fresh.mustOK("WPS_PBC")
	s := d.startPBC()
	spies.looks()
	if o := s.ends(2 * time.Minute); o.networks == nil {
		t.Fatalf("the session failed: %s: %s", o.reason, o.sentence)
	}
	nm.connectedTo(testSSID)
	d.mustCall(d.networks()[0], "Network.Activate", options())
	spies.check(2)
}

// devicePassword finds the password in a password token: behind the hash of our key and the
// password's id, in the attribute Out-of-Band Device Password (WSC 2.0.7, section 12).
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
