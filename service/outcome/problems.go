package outcome

import "fmt"

// Names of errors that every D-Bus service has.
const (
	NameFailed           = "org.freedesktop.DBus.Error.Failed"
	NameInvalidArgs      = "org.freedesktop.DBus.Error.InvalidArgs"
	NameLimits           = "org.freedesktop.DBus.Error.LimitsExceeded"
	NameReadOnly         = "org.freedesktop.DBus.Error.PropertyReadOnly"
	NameUnknownInterface = "org.freedesktop.DBus.Error.UnknownInterface"
	NameUnknownMethod    = "org.freedesktop.DBus.Error.UnknownMethod"
	NameUnknownObject    = "org.freedesktop.DBus.Error.UnknownObject"
	NameUnknownProperty  = "org.freedesktop.DBus.Error.UnknownProperty"
	NameInteractive      = "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"
)

// Problem is what can be wrong with a call itself, before anything is done: the name of its error
// on D-Bus, without the prefix if it is ours, and its sentence, with verbs of fmt for what was
// said.
type Problem struct{ name, text string }

// Of is the error of one call.
func (p Problem) Of(said ...any) error {
	return &problem{p.name, fmt.Sprintf(p.text, said...)}
}

// problem is a Problem of one call. Its text is a sentence for a person.
type problem struct{ name, text string }

// Error implements error.
func (p *problem) Error() string { return p.text }

// Problems of calls.
var (
	ActivateByNobody    = Problem{"InvalidArguments", "With none nobody would connect to it: take auto, or one of these: %s."}
	ArgumentTypes       = Problem{NameInvalidArgs, "%s takes arguments of the types %q, not %q."}
	BadAddress          = Problem{"InvalidArguments", "The address %s is not of the form 192.0.2.1; leave it out for all access points."}
	BadArguments        = Problem{NameInvalidArgs, "The arguments of %s cannot be decoded."}
	BadBSSID            = Problem{"InvalidArguments", "The bssid %s is not of the form 02:00:00:00:03:00."}
	BadBSSIDOfAny       = Problem{"InvalidArguments", "The bssid %s is not of the form 02:00:00:00:03:00; leave it out for any access point."}
	BadBSSIDOfNetwork   = Problem{"InvalidArguments", "The bssid %s is not of the form 02:00:00:00:03:00; leave it out if any access point will do."}
	BadDeviceType       = Problem{"InvalidArguments", "The DeviceType %s is not of the form 1-0050F204-1: category, OUI and type in hex, subcategory."}
	BadMAC              = Problem{"InvalidArguments", "The mac %s is not of the form 02:00:00:00:03:00; leave it out if it is not known."}
	BadMACOfAny         = Problem{"InvalidArguments", "The mac %s is not of the form 02:00:00:00:03:00; leave it out for any device."}
	BadOSVersion        = Problem{"InvalidArguments", "The OsVersion %d is too large: its topmost bit is reserved."}
	BadPeer             = Problem{"InvalidArguments", "The %s %s is named neither by a UUID nor by an address such as 02:00:00:00:03:00%s."}
	ConfigMethodsApart  = Problem{"InvalidArguments", "These config methods do not go together."}
	ControlCharacters   = Problem{"InvalidArguments", "The %s has control characters in it: take them out."}
	ControlPathGiven    = Problem{"NotSupported", "Control sockets of access points are found by themselves: name their directory with hostapd_ctrl_interface in wpsd.conf."}
	EmptyAccessPointPIN = Problem{"InvalidPin", "The PIN is empty: give the one of the access point, from its label or its settings."}
	EmptyDevicePIN      = Problem{"InvalidPin", "The PIN is empty: give the one on the label or the screen."}
	EmptyPIN            = Problem{"InvalidPin", "The PIN is empty: leave it out if you want a new one."}
	EmptyPINToSet       = Problem{"InvalidPin", "The PIN is empty: give one to set, or take the command random."}
	BadAnswer           = Problem{NameFailed, "The answer cannot be encoded."}
	MessageTooLong      = Problem{NameLimits, "The message is longer than %d bytes."}
	NoAuth              = Problem{"InvalidArguments", "The auth %s is none: take OPEN, WPAPSK or WPA2PSK, or WPAPSK|WPA2PSK."}
	NoConfigMethod      = Problem{"InvalidArguments", "There is no config method %s: take words like label, virtual_display, virtual_push_button, keypad."}
	NoEncryption        = Problem{"InvalidArguments", "The encryption %s is none: take NONE, WEP, TKIP or CCMP, or TKIP|CCMP."}
	NoInterfacePath     = Problem{"InvalidArguments", "%s is not the path of a network interface: see Interfaces of the Manager for those there are."}
	NoInterfaceThere    = Problem{NameUnknownInterface, "The object %s has no interface %s."}
	NoMachineID         = Problem{NameFailed, "This machine has no identity: %v."}
	NoManager           = Problem{"InvalidArguments", "No network manager is called %s: take auto, none, or one of these: %s."}
	NoMethod            = Problem{NameUnknownMethod, "The interface %s has no method %s."}
	NoMethodThere       = Problem{NameUnknownMethod, "The object %s has no method %s."}
	NoNFCCarrier        = Problem{"InvalidArguments", "There is no carrier %s: say WPS."}
	NoNFCRole           = Problem{"InvalidArguments", "There is no role %s: say INIT if the request was ours, or RESP if the answer was."}
	NoNetworkOption     = Problem{"InvalidArguments", "The network %s is none: take one of Networks of the Manager."}
	NoNetworkPath       = Problem{"InvalidArguments", "The object %s is not a network: take one of Networks of the Manager."}
	NoObject            = Problem{NameUnknownObject, "There is no object %s, or no longer."}
	NoOption            = Problem{"InvalidArguments", "There is no option %s: %s."}
	NoProcessing        = Problem{"InvalidArguments", "There is no CredentialProcessing %s: take internal, external or both."}
	NoProperty          = Problem{NameUnknownProperty, "There is no property %s."}
	NoTimeToLetIn       = Problem{"InvalidArguments", "A timeout of 0 seconds lets nobody in: leave it out for two minutes."}
	NoTimeout           = Problem{"InvalidArguments", "A timeout of 0 seconds is no time at all: leave it out for the usual one."}
	OptionType          = Problem{"InvalidArguments", "The option %s is of type %q, not %q."}
	PropertyType        = Problem{NameInvalidArgs, "The property %s is of type %q, not %q."}
	ReadOnly            = Problem{NameReadOnly, "The property %s cannot be written."}
	SettingMissing      = Problem{"InvalidArguments", "The setting %s is missing."}
	TooLong             = Problem{"InvalidArguments", "The %s is %d bytes long: it may have %d at most."}
	TooManyAsked        = Problem{NameLimits, "Too many of your calls wait for an authorization: wait for the answers to some before making more."}
	TooManyCallers      = Problem{NameLimits, "There are too many callers: try again later."}
	TooManyCalls        = Problem{NameLimits, "Too many calls are waiting: wait for the answers to some before making more."}
	TooManyQuestions    = Problem{NameLimits, "Too many questions for a password are open on your screen: answer those first."}
)
