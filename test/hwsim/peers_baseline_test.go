//go:build hwsim

package hwsim

import (
	"testing"
	"time"
)

// The peers have to work with each other before a failure of wpsd says anything about wpsd.

func TestPeersEnrolByPushButton(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{})
	s := w.startSupplicant(station)
	a.mustOK("WPS_PBC")
	s.mustOK("WPS_PBC")
	s.wait(0, "WPS-CRED-RECEIVED", 30*time.Second)
	a.wait(0, "WPS-REG-SUCCESS "+w.mac(station), 10*time.Second)
	s.wait(0, "CTRL-EVENT-CONNECTED", 20*time.Second)
}

func TestPeersEnrolByPIN(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{})
	s := w.startSupplicant(station)
	a.mustOK("WPS_PIN any %s", labelPIN)
	s.ask("WPS_PIN any %s", labelPIN)
	s.wait(0, "WPS-CRED-RECEIVED", 30*time.Second)
	s.wait(0, "CTRL-EVENT-CONNECTED", 20*time.Second)
}

func TestPeersConnectWithACredential(t *testing.T) {
	w := newWorld(t)
	a := w.startAP(ap{})
	w.connects(station, credential{ssid: []byte(testSSID), auth: "WPA2PSK",
		key: []byte(testPassphrase), keyKind: "passphrase"}, a)
	if w.isAssociated(station) {
		t.Errorf("%s is still associated", station)
	}
}
