package wsc

import (
	"fmt"
	"strings"
)

// nameOf gives the name of a number in a table, or what it is of and the number.
func nameOf[T ~uint8 | ~uint16](v T, names []string, what string) string {
	if int(v) < len(names) && names[v] != "" {
		return names[v]
	}
	return fmt.Sprintf("%s %d", what, v)
}

// State is the Wi-Fi Protected Setup State of an access point.
type State uint8

// The states; 0 is reserved.
const (
	NotConfigured State = 1
	Configured    State = 2
)

var stateNames = [...]string{
	NotConfigured: "not configured", Configured: "configured",
}

// String gives "not configured" or "configured".
func (s State) String() string { return nameOf(s, stateNames[:], "state") }

// AssociationState tells how an Enrollee's last association went. Everybody sends 0.
type AssociationState uint16

// The association states.
const (
	AssociationNone                 AssociationState = 0
	AssociationSuccess              AssociationState = 1
	AssociationConfigurationFailure AssociationState = 2
	AssociationFailure              AssociationState = 3
	AssociationIPFailure            AssociationState = 4
)

var associationNames = [...]string{
	AssociationNone: "not associated", AssociationSuccess: "connection success",
	AssociationConfigurationFailure: "configuration failure",
	AssociationFailure:              "association failure", AssociationIPFailure: "IP failure",
}

// String says it in words.
func (s AssociationState) String() string { return nameOf(s, associationNames[:], "association state") }

// RequestType says in probe and association requests what a station wants to be.
type RequestType uint8

// The request types.
const (
	RequestEnrolleeInfo     RequestType = 0
	RequestEnrollee         RequestType = 1
	RequestRegistrar        RequestType = 2
	RequestManagerRegistrar RequestType = 3
)

var requestNames = [...]string{
	RequestEnrolleeInfo: "Enrollee, info only", RequestEnrollee: "Enrollee",
	RequestRegistrar: "Registrar", RequestManagerRegistrar: "WLAN manager Registrar",
}

// String says it in words.
func (t RequestType) String() string { return nameOf(t, requestNames[:], "request type") }

// ResponseType says in probe and association responses what the sender is.
type ResponseType uint8

// The response types.
const (
	ResponseEnrolleeInfo ResponseType = 0
	ResponseEnrollee     ResponseType = 1
	ResponseRegistrar    ResponseType = 2
	ResponseAP           ResponseType = 3
)

var responseNames = [...]string{
	ResponseEnrolleeInfo: "Enrollee, info only", ResponseEnrollee: "Enrollee",
	ResponseRegistrar: "Registrar", ResponseAP: "access point",
}

// String says it in words.
func (t ResponseType) String() string { return nameOf(t, responseNames[:], "response type") }

// ConnType is the value of Connection Type Flags.
type ConnType uint8

// The connection types, to be combined.
const (
	ConnESS  ConnType = 1
	ConnIBSS ConnType = 2
)

// String gives "ESS", "ESS|IBSS"; bits without name are shown in hex.
func (t ConnType) String() string {
	return join(uint16(t), []word{{uint16(ConnESS), "ESS"}, {uint16(ConnIBSS), "IBSS"}})
}

// RFBands is a set of frequency bands.
type RFBands uint8

// The bands, to be combined.
const (
	Band24GHz RFBands = 1
	Band5GHz  RFBands = 2
	Band60GHz RFBands = 4
)

// BandOf gives the band of a channel, 0 for one that WSC has no bit for (6 GHz among others).
func BandOf(frequencyMHz int) RFBands {
	switch {
	case frequencyMHz >= 2400 && frequencyMHz < 2500:
		return Band24GHz
	case frequencyMHz >= 4900 && frequencyMHz < 5925:
		return Band5GHz
	case frequencyMHz >= 57000 && frequencyMHz < 72000:
		return Band60GHz
	}
	return 0
}

// WithoutWPS reports whether a channel is in a band where WPS is not used: 6 GHz, which has WPA3
// only (hostapd 2.10 and 2.11 take no key management of WPA2 there), and whatever WSC has no bit for
// (WSC 2.0.8, 12, "RF Bands"). Of a frequency that nobody told, 0, nothing is known.
func WithoutWPS(frequencyMHz int) bool { return frequencyMHz != 0 && BandOf(frequencyMHz) == 0 }

// In6GHz reports whether a channel is in the 6 GHz band (IEEE 802.11-2020, annex E, operating
// classes 131 to 136: 5.925 to 7.125 GHz).
func In6GHz(frequencyMHz int) bool { return frequencyMHz >= 5925 && frequencyMHz < 7125 }

// String gives "2.4 GHz", "2.4 GHz|5 GHz"; bits without name are shown in hex.
func (r RFBands) String() string {
	s := join(uint16(r), []word{{uint16(Band24GHz), "2.4 GHz"}, {uint16(Band5GHz), "5 GHz"},
		{uint16(Band60GHz), "60 GHz"}})
	return strings.Replace(s, "0x0000", "no band", 1)
}
