package drivers

import (
	"context"
	"errors"
	"time"

	"wpsd/engine/secret"
)

var (
	// ErrOverlap: the access point refuses its push button because two Enrollees pressed theirs.
	ErrOverlap = errors.New("PBC session overlap")
	// ErrRefused: the access point understood the request and said no.
	ErrRefused = errors.New("refused by the access point")
	// ErrUnreachable: the access point's software does not answer; it may have been restarted.
	ErrUnreachable = errors.New("the access point's software does not answer")
)

// AccessPoints is implemented by drivers that steer access points.
type AccessPoints interface {
	// AccessPoint takes the interface in its role as an access point.
	AccessPoint(ctx context.Context, ifname string) (AccessPoint, error)
}

// AccessPoint is an access point whose own software speaks EAP and runs the Registrar (hostapd,
// wpa_supplicant in AP mode): we steer it. Its methods are safe for concurrent use.
type AccessPoint interface {
	// Settings returns the configuration that the access point gives to stations.
	Settings(ctx context.Context) (APSettings, error)
	// AllowPIN lets an Enrollee with this PIN in.
	AllowPIN(ctx context.Context, g PINGrant) error
	// AllowPBC presses the button: two minutes. ErrOverlap when two Enrollees pressed theirs.
	AllowPBC(ctx context.Context) error
	// Withdraw ends what AllowPIN and AllowPBC began.
	Withdraw(ctx context.Context) error
	// APPIN manages the access point's own PIN, with which an External Registrar configures it.
	// It returns the PIN for APPINRandom, APPINGet and APPINSet.
	APPIN(ctx context.Context, r APPINRequest) (secret.Value, error)
	// Events receives what happens at the access point, in order. It is closed by Close.
	Events() <-chan APEvent
	// Close leaves the access point as it is and ends Events.
	Close() error
	APTokens
}

// APTokens is what an access point's software does with NFC. What it does not know it answers with
// ErrNotSupported. Formats are "WPS", the attributes alone, and "NDEF".
type APTokens interface {
	// AllowToken lets the device in whose password token was read, within two minutes. tag is the
	// caller's.
	AllowToken(ctx context.Context, tag []byte) error
	// PasswordToken returns the access point's own password token and enables it: a Registrar that
	// has read it may read and change the settings.
	PasswordToken(ctx context.Context, format string) (secret.Value, error)
	// ConfigToken returns the access point's network as a configuration token.
	ConfigToken(ctx context.Context, format string) (secret.Value, error)
	// HandoverSelect returns the carrier record that answers a handover request.
	HandoverSelect(ctx context.Context) ([]byte, error)
	// HandoverReport lets the device in whose request was answered with sel; both are carrier
	// records.
	HandoverReport(ctx context.Context, request, sel []byte) error
}

// APSettings are what an access point gives to a station.
type APSettings struct {
	BSSID      [6]byte
	SSID       []byte
	Configured bool         // WPS state
	WPS        bool         // WPS is on at all
	Key        secret.Value // passphrase, or 64 hex digits; empty: open
	WPA, RSN   bool
	TKIP, CCMP bool
	SAE        bool
	Frequency  int // MHz; 0: not told
}

// PINGrant is one Enrollee's PIN.
type PINGrant struct {
	PIN     secret.Value
	UUID    string        // of the Enrollee; empty: any
	MAC     [6]byte       // goes into AuthorizedMACs; zero: any
	Timeout time.Duration // how long the PIN is good for; 0: until used
}

// APPINCommand is what to do with the access point's own PIN.
type APPINCommand uint8

// The commands of README-WPS's wps_ap_pin.
const (
	APPINDisable APPINCommand = iota
	APPINRandom
	APPINGet
	APPINSet
)

// APPINRequest is one such command.
type APPINRequest struct {
	Command APPINCommand
	PIN     secret.Value  // APPINSet
	Timeout time.Duration // APPINRandom, APPINSet; 0: none
}

// APEventKind tells what happened at an access point.
type APEventKind uint8

// What an access point tells.
const (
	APEnrolleeSeen  APEventKind = iota + 1 // a station's probe request with WSC
	APPINNeeded                            // an Enrollee came whose PIN is not known
	APEnrolled                             // a station was given the settings: MAC, UUID
	APSuccess                              // a run ended well
	APFailed                               // a run failed: Message, ConfigError
	APTimeout                              // the push button's two minutes are over
	APOverlap                              // PBC session overlap
	APPBCActive                            // the button is pressed
	APPBCDisabled                          // and used
	APCanceled                             // Withdraw took effect
	APSetupLocked                          // too many wrong AP PINs
	APSetupUnlocked                        //
	APPINDisabled                          // the AP PIN expired
	APNewSettings                          // a Registrar configured the access point
	APGone                                 // the software no longer answers
	APBack                                 // it answers again; grants are lost
	APRunStarted                           // EAP began with a station: MAC
)

// APEvent is one of them.
type APEvent struct {
	Kind APEventKind
	MAC  [6]byte
	UUID string
	// Device is what an Enrollee says of itself.
	Device APEnrollee
	// Message is the WSC message type that a failed run ended at, ConfigError its reason.
	Message     uint8
	ConfigError uint16
}

// APEnrollee is a device as its probe request or M1 describes it. All text is the device's own.
type APEnrollee struct {
	Name, Manufacturer, ModelName, ModelNumber, SerialNumber, DeviceType string
	ConfigMethods, DevicePasswordID                                      uint16
}
