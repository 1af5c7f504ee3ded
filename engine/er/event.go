package er

import (
	"errors"
	"net/netip"
	"time"

	"wpsd/engine/admission"
	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
)

// What callers branch on. An error of a command means that nothing was begun.
var (
	// ErrNotRunning means that Start was not called, or Stop was.
	ErrNotRunning = errors.New("er: the External Registrar is not running")
	// ErrUnknownAP means that there is no such access point.
	ErrUnknownAP = errors.New("er: no such access point")
	// ErrDropped means that the access point misbehaved; its Problem says how.
	ErrDropped = errors.New("er: the access point is not used because it misbehaves")
	// ErrBusy means that the access point is being learned or configured already.
	ErrBusy = errors.New("er: the access point is busy with another run")
	// ErrNoSettings means that we have nothing to give: the settings have to be learned or set
	// first.
	ErrNoSettings = errors.New("er: the settings of the access point are not known: learn or set them first")
	// ErrTooMany means that as many grants wait as can.
	ErrTooMany = admission.ErrTooMany
	// ErrExpired means that the time of a grant passed and nobody had come.
	ErrExpired = errors.New("er: nobody enrolled in time")
	// ErrCanceled means that Cancel was called.
	ErrCanceled = errors.New("er: canceled")
	// ErrOverlap means that two buttons are pressed, and nobody knows whose was meant.
	ErrOverlap = errors.New("er: session overlap: more than one device has its button pressed")
	// ErrLocked means that a PIN was tried in a run that broke off; it is not tried again.
	ErrLocked = errors.New("er: the PIN was tried, and is not tried again")
	// ErrReplaced means that a newer grant for the same device took the place of this one.
	ErrReplaced = errors.New("er: a newer request for the same device replaced this one")
	// ErrKeyHash means that the device has not the public key that its NFC token announced.
	ErrKeyHash = admission.ErrKeyHash
	// ErrAPGone means that the access point went away.
	ErrAPGone = errors.New("er: the access point went away")
	// ErrStopped means that Stop was called.
	ErrStopped = errors.New("er: the External Registrar was stopped")
	// ErrUnreachable means that the access point did not answer.
	ErrUnreachable = errors.New("er: the access point does not answer")
	// ErrNonsense means that an access point answered with something that does not belong there.
	ErrNonsense = errors.New("er: the access point's answer is of no use")
)

// APID names an entry of the list of access points. It is never used twice: an access point that
// went and came back has another one.
type APID uint32

// RunID names a run: an access point learned or configured, or a grant. It is never used twice.
type RunID uint32

// AP is an access point as it was when it was published. Its texts come from the network: they are
// to be shown, not to be trusted.
type AP struct {
	ID          APID
	UUID        wsc.UUID
	BSSID       wsc.MAC // of its M1; zero while unknown: one without an AP PIN does not give an M1
	Addr        netip.Addr
	Also        []netip.Addr // where others are that say to be the same access point
	Location    upnp.URL
	Description upnp.Description
	Device      wsc.Device // of its M1, with the WPS state; without extensions of vendors
	HasDevice   bool
	SetupLocked bool // by its events, or its answer to a Registrar
	HasSettings bool // we have settings to give to its Enrollees
	Subscribed  bool // we hear what it hears
	Dropped     bool // not used at all; Problem says why
	Problem     string
	LastSeen    time.Time
	Expires     time.Time
}

// Enrollee is a device that was heard by an access point. One that several of them hear is several
// Enrollees.
type Enrollee struct {
	AP         APID
	APUUID     wsc.UUID
	MAC        wsc.MAC
	Device     wsc.Device
	PasswordID wsc.DevicePasswordID // which password it wants to use
	M1         bool                 // from its M1, not only from a Probe Request
	LastSeen   time.Time
}

// Reason tells why an access point is no longer there.
type Reason uint8

// The reasons.
const (
	_           Reason = iota
	Byebye             // it said so
	Expired            // it was silent for longer than it announced
	Unreachable        // it does not answer
	Replaced           // it announces another description, and does not know us any more
	Evicted            // there were too many, and it was silent the longest
	Filtered           // Start asked for another address only
	Stopped            // Stop was called
)

var reasonNames = [...]string{
	"unknown", Byebye: "byebye", Expired: "expired", Unreachable: "unreachable", Replaced: "replaced",
	Evicted: "evicted", Filtered: "filtered", Stopped: "stopped",
}

// String gives the reason as a word.
func (r Reason) String() string {
	if int(r) < len(reasonNames) {
		return reasonNames[r]
	}
	return reasonNames[0]
}

// AskState is how far a SetSelectedRegistrar is.
type AskState uint8

// The states.
const (
	_          AskState = iota
	AskSent             // it is on its way
	AskTaken            // the access point does what it was asked
	AskRefused          // it does not, or does not answer
)

// Event is something to publish.
type Event interface{ event() }

// The events. Each is a snapshot that belongs to the receiver.
type (
	// APAdded tells of an access point that is ready, or that is Dropped from the start.
	APAdded struct{ AP AP }
	// APChanged tells what became of one. That it was heard again is not published.
	APChanged struct{ AP AP }
	// APRemoved tells that an access point is no longer there. Its Enrollees were removed before.
	APRemoved struct {
		AP     AP
		Reason Reason
	}
	// EnrolleeAdded tells of a device that was heard for the first time.
	EnrolleeAdded struct{ Enrollee Enrollee }
	// EnrolleeChanged tells of each new M1 of a device, and if its Probe Request says something
	// new.
	EnrolleeChanged struct{ Enrollee Enrollee }
	// EnrolleeRemoved tells of a device that was not heard for a while, or was let in.
	EnrolleeRemoved struct{ Enrollee Enrollee }
	// APAsked tells that an access point was asked to invite somebody, or nobody any more
	// (SetSelectedRegistrar), and then what it said. It is no news of the access point: APChanged
	// has that.
	APAsked struct {
		AP         AP
		State      AskState
		Selected   bool
		PasswordID wsc.DevicePasswordID
		Methods    wsc.ConfigMethods
	}
	// RunChanged tells the newest message of a run. Peer is the access point's BSSID or the
	// Enrollee's address.
	RunChanged struct {
		Run      RunID
		AP       APID
		Message  wsc.MessageType
		Peer     wsc.MAC
		PeerUUID wsc.UUID
	}
	// RunEnded is the last word of a run.
	RunEnded struct {
		Run      RunID
		AP       APID // zero if no Enrollee ever came
		Peer     wsc.MAC
		PeerUUID wsc.UUID
		Device   wsc.Device // of the peer
		// Settings are what was learned, configured or given; nil unless Err is. The receiver wipes
		// them.
		Settings *wsc.Credential
		// Err is nil, one of this package's errors, a *registration.Error or a *upnp.Fault,
		// possibly wrapped.
		Err error
	}
)

func (APAdded) event() {}

func (APChanged) event() {}

func (APRemoved) event() {}

func (EnrolleeAdded) event() {}

func (EnrolleeChanged) event() {}

func (EnrolleeRemoved) event() {}

func (APAsked) event() {}

func (RunChanged) event() {}

func (RunEnded) event() {}
