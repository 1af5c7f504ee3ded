package state

import (
	"net/netip"
	"slices"
	"time"

	"wpsd/drivers"
	"wpsd/engine/credential"
	"wpsd/engine/discovery"
	"wpsd/engine/er"
	"wpsd/engine/ie"
	"wpsd/engine/wsc"
	"wpsd/service/outcome"
)

// SessionID names a session. Ids are never used twice within a run of the daemon; 0 is none.
type SessionID uint32

// NetworkID names a stored network. It survives a restart of the daemon.
type NetworkID uint32

// Snapshot is all that there is at one moment. None of its values holds a secret.
type Snapshot struct {
	Manager      Manager
	Interfaces   []Interface
	AccessPoints []AccessPoint
	Sessions     []Session
	Networks     []Network
	Enrollees    []AskingEnrollee // at access points of this machine

	ERs            []ER // those that run
	ERAccessPoints []ERAccessPoint
	EREnrollees    []EREnrollee
}

// Manager is the service itself.
type Manager struct {
	Version    string
	Device     wsc.Device // what we say of ourselves; Device.MAC is not set
	Processing Processing
	Waiting    int // credentials that no agent has taken yet
}

// Processing says what becomes of a received credential.
type Processing string

// The ways of processing, wps_cred_processing 0, 1 and 2 of wpa_supplicant.conf.
const (
	ProcessingInternal Processing = "internal" // stored as a network
	// given to the session's owner and to agents, stored nowhere
	ProcessingExternal Processing = "external"
	ProcessingBoth     Processing = "both" // stored, and given to agents
)

// Interface is one network interface.
type Interface struct {
	Name, Driver string
	Mode         drivers.Mode
	HardwareAddr wsc.MAC
	Blocked      bool      // by rfkill
	Scanning     bool      // because of Scan; that a session scans its State tells
	Session      SessionID // 0: none
	Steered      bool      // an access point of which devices can be let in from here
	Registrar    bool      // an External Registrar can run here
	SetupLocked  bool      // an access point that takes its own PIN no more, after wrong ones
	Manager      string    // the network manager that has it; "": none
	Connected    bool      // to a network, by whomever
}

// Disconnects reports whether a session ends the connection that the interface has, while it runs
// the protocol with an access point: a radio is with one at a time.
func (i Interface) Disconnects() bool { return i.Connected && i.Mode == drivers.ModeStation }

// Capabilities names what can be done on an interface, as fi.w1.wps.Interface has it.
func (i Interface) Capabilities() []string {
	var list []string
	switch {
	case i.Mode == drivers.ModeStation:
		list = []string{"scan", "pbc", "pin", "nfc", "learn", "configure"}
	case i.Steered:
		list = []string{"pbc", "pin", "nfc", "ap-pin"}
	}
	if i.Registrar {
		list = append(list, "er")
	}
	return list
}

// AccessPoint is a BSS with WPS as last heard on an interface.
type AccessPoint struct {
	Interface string
	BSSID     wsc.MAC
	SSID      []byte // shared by all snapshots: not to be changed
	Frequency int    // MHz
	Signal    int    // dBm
	Class     discovery.Class
	Ad        wsc.Advertisement
	LastSeen  time.Time
	WPA3Only  bool
	Security  ie.Security // what its network offers
}

// Role is our part in a session.
type Role string

// The roles.
const (
	RoleEnrollee          Role = "enrollee"
	RoleRegistrar         Role = "registrar"
	RoleExternalRegistrar Role = "external-registrar"
)

// Purpose is what a session is for.
type Purpose string

// The purposes. With learn and configure we are the Registrar, and the access point is the
// Enrollee.
const (
	PurposeEnroll    Purpose = "enroll"    // to receive a network
	PurposeLearn     Purpose = "learn"     // to read an access point's settings
	PurposeConfigure Purpose = "configure" // to give an access point new ones
	// to let a device in at an access point of this machine, or through the External Registrar
	PurposeAdmit Purpose = "admit"
)

// Method is how the device password comes about.
type Method string

// The methods.
const (
	MethodPBC Method = "pbc"
	MethodPIN Method = "pin"
	MethodNFC Method = "nfc"
)

// State is how far a session is.
type State string

// The states. The last three are ends.
const (
	StateScanning    State = "scanning"
	StateAssociating State = "associating"
	StateExchanging  State = "exchanging"
	StateHandingOver State = "handing-over"
	StateSucceeded   State = "succeeded"
	StateFailed      State = "failed"
	StateCanceled    State = "canceled"
)

// Ended reports whether a session in this state is over.
func (s State) Ended() bool {
	return s == StateSucceeded || s == StateFailed || s == StateCanceled
}

// Session is one WPS run, perhaps with several access points in turn.
type Session struct {
	ID          SessionID
	Interface   string
	Owner       string // opaque; who started it
	User        string // opaque; whose process that was
	Detached    bool   // outlives its owner
	Role        Role
	Purpose     Purpose
	Method      Method
	State       State
	Checking    bool            // StateScanning: a button is pressed, is another one, too?
	Message     wsc.MessageType // newest WSC message of the run; 0: none yet
	Peer        wsc.MAC         // access point tried last; zero: none yet
	Wanted      wsc.MAC         // the access point that whoever started it named; zero: any
	Started     time.Time
	Deadline    time.Time      // end of the walk time
	Reason      outcome.Reason // why it ended without success; empty until then
	ConfigError wsc.ConfigError
	Detail      outcome.Detail
	Networks    []NetworkID // stored of this session
	Sentence    string      // for a person: what happened and what to do; empty while it runs
	Replaced    bool        // it ends, or has ended, since another session began on the interface

	// Of an External Registrar's session: the access point it deals with, 0 as long as there is
	// none, and the UUID of the Enrollee.
	ERAP     er.APID
	ERAPUUID wsc.UUID
	PeerUUID wsc.UUID
}

// Enrollee is a device that an access point of this machine has heard of. It describes itself: text
// is its own.
type Enrollee struct {
	// the access point's
	Interface                                                            string
	MAC                                                                  wsc.MAC
	UUID                                                                 string
	Name, Manufacturer, ModelName, ModelNumber, SerialNumber, DeviceType string
	ConfigMethods                                                        wsc.ConfigMethods
	PasswordID                                                           wsc.DevicePasswordID
	PasswordIDKnown                                                      bool
}

// AskingEnrollee is one that asked lately, and is not let in yet.
type AskingEnrollee struct {
	Enrollee
	PINNeeded bool // it wanted in with a PIN that the access point does not know
	LastSeen  time.Time
}

// ER is the External Registrar on one interface.
type ER struct {
	Interface string
	Running   bool
	Address   netip.Addr // only the access point there; zero: all
}

// ERAccessPoint is an access point that the External Registrar on an interface found. It describes
// itself: texts are its own. AP is never nil, is shared with all who follow, and never changes: a
// change comes with another one.
type ERAccessPoint struct {
	Interface string
	*er.AP
}

// EREnrollee is a device that asks an access point to let it in. Enrollee is shared, and never nil,
// as ERAccessPoint's AP.
type EREnrollee struct {
	Interface string
	*er.Enrollee
}

// Network is a stored network without its secrets.
type Network struct {
	ID         NetworkID
	SSID       []byte
	Auth       wsc.AuthType
	Encryption wsc.EncrType
	KeyKind    credential.KeyKind
	WPA3Only   bool    // its access points take SAE only, whatever Auth says
	BSSID      wsc.MAC // of the access point that gave it
	// Source is the method or purpose of the session that brought it ("pbc", "learn"), "nfc" for a
	// tag, or how else it came.
	Source  string
	Created time.Time // when it came last, in UTC, in whole seconds
}

// Clone returns a copy that shares nothing which the session still changes.
func (s Session) Clone() Session {
	s.Networks = slices.Clone(s.Networks)
	s.Detail = s.Detail.Clone()
	return s
}
