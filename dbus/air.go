package dbus

import (
	"bytes"

	"wpsd/engine/ie"
	"wpsd/engine/wsc"
	"wpsd/service/state"
)

// securityWords are what clients call what a BSS offers, in the order from the weakest.
var securityWords = []struct {
	is   ie.Security
	word string
}{
	{ie.Open, "open"}, {ie.OWE, "owe"}, {ie.WEP, "wep"}, {ie.WPAPSK, "wpa"}, {ie.WPA2PSK, "wpa2"},
	{ie.SAE, "wpa3"},
	{ie.Enterprise, "enterprise"}, {ie.Other, "other"},
}

// securityList is Security as a property.
func securityList(s ie.Security) []string {
	list := []string{}
	for _, w := range securityWords {
		if s&w.is != 0 {
			list = append(list, w.word)
		}
	}
	return list
}

// bandAndChannel names a frequency in MHz as people do (IEEE 802.11-2020, annex E, and 802.11ad for
// 60 GHz): "5", 36. "" and 0 for one that nobody uses.
func bandAndChannel(frequency int) (band string, channel uint32) {
	number := func(from, step int) uint32 { return uint32((frequency - from) / step) }
	switch f := frequency; {
	case f == 2484:
		return "2.4", 14
	case f >= 2412 && f <= 2472:
		return "2.4", number(2407, 5)
	case f >= 5160 && f <= 5885:
		return "5", number(5000, 5)
	case f == 5935:
		return "6", 2
	case f >= 5955 && f <= 7115:
		return "6", number(5950, 5)
	case f >= 58320 && f <= 70200:
		return "60", number(56160, 2160)
	}
	return "", 0
}

// joinable reports whether a station can join the network of an access point with WPS, as far as
// its announcements tell, and what stands in the way, or may.
func joinable(ap state.AccessPoint) (usable bool, why string) {
	const personal = ie.Open | ie.WPAPSK | ie.WPA2PSK | ie.SAE
	switch {
	case len(bytes.Trim(ap.SSID, "\x00")) == 0:
		return false, "hidden"
	case ap.Security == ie.WEP:
		return false, "wep"
	case ap.Security != 0 && ap.Security&personal == 0:
		return false, "enterprise"
	case wsc.WithoutWPS(ap.Frequency):
		return false, "band"
	case ap.Ad.SetupLocked:
		return true, "locked"
	case ap.WPA3Only:
		return true, "wpa3-only"
	}
	return true, ""
}

// routerOf names the device that a BSS belongs to: BSSs with one UUID-E have one button, so they
// are one thing to a person (discovery.SameAP). One that does not tell stands for itself.
func routerOf(ap state.AccessPoint) string {
	if ap.Ad.HasUUIDE && ap.Ad.UUIDE != (wsc.UUID{}) {
		return ap.Ad.UUIDE.String()
	}
	return ap.BSSID.String()
}
