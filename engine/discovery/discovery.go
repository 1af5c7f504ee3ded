// Package discovery reads what access points say of WSC in their elements and decides with whom to
// try: which of them waits for a push button, in what order to offer a PIN, which to leave alone
// for a while after a failure.
//
// Nothing an element says is authentic. What this package picks is a candidate; only the device
// password proves that it is the right one, and with a push button nothing does, which is why
// session overlap ends such a run.
package discovery

import (
	"bytes"
	"time"

	"wpsd/engine/ie"
	"wpsd/engine/wsc"
)

// Class is how ready an access point is, the strongest last.
type Class uint8

// The classes, with the flags that users of wpa_supplicant know.
const (
	None  Class = iota // no WSC element
	Plain              // "WPS": WSC is spoken
	PIN                // "WPS-PIN": a Registrar waits for a PIN or another password
	Auth               // "WPS-AUTH": a Registrar waits for us, or for anybody
	PBC                // "WPS-PBC": the button was pressed
)

var classNames = [...]string{None: "", Plain: "WPS", PIN: "WPS-PIN", Auth: "WPS-AUTH",
	PBC: "WPS-PBC"}

// String gives the flag, "WPS-PBC"; None has none.
func (c Class) String() string {
	if int(c) < len(classNames) {
		return classNames[c]
	}
	return "unknown"
}

// Classify tells how ready an access point is for the station own. The first that fits counts:
// button, AuthorizedMACs, selected Registrar (hostap behaviour). Selected Registrar Config Methods
// are not looked at, because deployed access points set them wrongly. A nil ad, of an element that
// could not be read, is Plain.
func Classify(ad *wsc.Advertisement, own wsc.MAC) Class {
	switch {
	case ad == nil:
		return Plain
	case ad.SelectedRegistrar && ad.HasDevicePasswordID &&
		ad.DevicePasswordID == wsc.PasswordIDPushButton:
		return PBC
	case ad.Authorizes(own), ad.Authorizes(wsc.Broadcast):
		return Auth
	case ad.SelectedRegistrar:
		return PIN
	}
	return Plain
}

// The values of Candidate.Authorized.
const (
	NotAuthorized  = 0
	AnyAuthorized  = 1 // anybody is
	SelfAuthorized = 2 // we are by our own address
)

// authorized tells whether the access point waits for own. Version 1.0 has no AuthorizedMACs: there
// a selected Registrar with another password than the button waits for anybody. A 2.0 access point
// with a selected Registrar and no list waits for nobody (hostap behaviour).
func authorized(ad *wsc.Advertisement, own wsc.MAC) int {
	pushButton := ad.HasDevicePasswordID && ad.DevicePasswordID == wsc.PasswordIDPushButton
	switch {
	case ad.Authorizes(own):
		return SelfAuthorized
	case ad.Authorizes(wsc.Broadcast), ad.Version2 == 0 && ad.SelectedRegistrar && !pushButton:
		return AnyAuthorized
	}
	return NotAuthorized
}

// Candidate is an access point that speaks WSC.
type Candidate struct {
	BSSID     wsc.MAC
	SSID      []byte
	Frequency int                // MHz
	Signal    int                // dBm
	Ad        *wsc.Advertisement // never nil; empty if Unreadable
	// the WSC element is malformed: WSC is spoken, nothing else is known
	Unreadable bool
	Class      Class
	Authorized int  // NotAuthorized, AnyAuthorized, SelfAuthorized
	WPA3Only   bool // its passphrase is for SAE alone, which a WSC credential is not
	Security   ie.Security
	Seen       time.Time
}

// FromBSS makes a Candidate of one scan result with the elements ies; privacy is the capability
// bit, own our address. It returns false for a BSS without WSC element, and allocates nothing for
// it.
func FromBSS(bssid wsc.MAC, frequency, signal int, seen time.Time, ies []byte, privacy bool,
	own wsc.MAC) (Candidate, bool) {
	data, ok := ie.WSC(ies, nil)
	if !ok {
		return Candidate{}, false
	}
	c := Candidate{BSSID: bssid, Frequency: frequency, Signal: signal, Seen: seen, Class: Plain}
	ssid, _ := ie.SSID(ies)
	c.SSID = bytes.Clone(ssid)
	c.Security = ie.SecurityOf(ies, privacy)
	c.WPA3Only = c.Security.WPA3Only()
	ad, err := wsc.ParseAdvertisement(data)
	if err != nil {
		// Shown with the flag WPS and never tried, not dropped: the user sees why (hostap
		// behaviour).
		c.Ad, c.Unreadable = new(wsc.Advertisement), true
		return c, true
	}
	c.Ad = ad
	c.Class = Classify(ad, own)
	c.Authorized = authorized(ad, own)
	return c, true
}
