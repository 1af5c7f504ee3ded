package state

import "errors"

// What calls return, found with errors.Is. Each text is a sentence for a person. devpass.ErrPIN and
// devpass.ErrPINChecksum come from StartPIN as well.
var (
	ErrBusy              = errors.New("service: a session or a scan is running on this interface: wait for its end, or cancel it")
	ErrInterfaceExists   = errors.New("service: this network interface is there already: see the list of interfaces")
	ErrNoInterface       = errors.New("service: there is no such network interface: see the list of interfaces")
	ErrNoSession         = errors.New("service: there is no such session: it may have ended more than ten minutes ago")
	ErrNoNetwork         = errors.New("service: there is no such stored network: see the list of networks")
	ErrUnknownBSSID      = errors.New("service: this BSSID cannot be one of an access point: give six bytes as in 02:11:22:33:44:55")
	ErrRadioBlocked      = errors.New("service: the radio is switched off: unblock it with the hardware switch or rfkill")
	ErrNoToken           = errors.New("service: there is no NFC token for this")
	ErrBadTag            = errors.New("service: this is no NFC tag of Wi-Fi Protected Setup")
	ErrChanged           = errors.New("service: what this would do has changed in this very moment: try again")
	ErrNotSupported      = errors.New("service: this interface or this version cannot do that")
	ErrInvalid           = errors.New("service: invalid value")
	ErrUnreachable       = errors.New("service: the access point's software does not answer: see whether hostapd or wpa_supplicant runs, and has ctrl_interface set, with a group that wpsd is in (netdev)")
	ErrRefused           = errors.New("service: the access point refused: look at its WPS settings and its log")
	ErrTooMany           = errors.New("service: too many sessions at once: wait for one to end, or cancel one")
	ErrHandover          = errors.New("service: the network manager did not connect to the network")
	ErrStoreFull         = errors.New("service: as many networks are stored as can be: delete some")
	ErrStore             = errors.New("service: the state directory cannot be written")
	ErrSuspended         = errors.New("service: the computer goes to sleep: try again when it is awake")
	ErrShutdown          = errors.New("service: shutting down")
	ErrERStopped         = errors.New("service: the External Registrar does not run on this interface: start it")
	ErrERSockets         = errors.New("service: the External Registrar cannot use the network on this interface: see the log")
	ErrERBusy            = errors.New("service: this access point is being learned or configured: wait for the end of that session, or cancel it")
	ErrERDropped         = errors.New("service: this access point misbehaves and is not used: see its Problem")
	ErrERAmbiguous       = errors.New("service: several access points are named")
	ErrEROverlap         = errors.New("service: the buttons of two devices are pressed, and nobody can tell which one is meant: wait two minutes, then press one only")
	ErrNoERAP            = errors.New("service: there is no such access point: see the list of those that the External Registrar found")
	ErrNoERSettings      = errors.New("service: the settings of the access point are not known, so there is nothing to give: read them first with its PIN, or set a stored network for it")
	ErrSubscriberTooSlow = errors.New("service: the subscriber lags more than 4096 events behind")
)

// ErrUselessTag is an ErrBadTag: the tag is one of Wi-Fi Protected Setup, and nothing can be made
// of it here.
var ErrUselessTag error = uselessTag{}

// uselessTag is the type of ErrUselessTag, which has a text of its own: the tag is one of Wi-Fi
// Protected Setup.
type uselessTag struct{}

// Error implements error.
func (uselessTag) Error() string {
	return "service: this NFC tag of Wi-Fi Protected Setup has nothing that can be used here"
}

// Unwrap lets callers who know ErrBadTag only know what to do.
func (uselessTag) Unwrap() error { return ErrBadTag }
