package sim

import (
	"time"

	"wpsd/engine/wsc"
)

// EventKind says what happened at an access point.
type EventKind string

// What an access point tells.
const (
	ButtonPressed  EventKind = "button pressed"
	PBCTimeout     EventKind = "two minutes are over"
	PBCOverlap     EventKind = "session overlap"
	PINAdded       EventKind = "PIN added"
	PINNeeded      EventKind = "PIN needed"
	PINHidden      EventKind = "PIN no longer announced" // it is good all the same
	RunStarted     EventKind = "run started"
	Associated     EventKind = "associated"
	Enrolled       EventKind = "enrolled"
	RunFailed      EventKind = "run failed"
	SettingsShown  EventKind = "settings shown to a Registrar"
	SettingsTaken  EventKind = "new settings"
	SetupLocked    EventKind = "setup locked"
	SetupUnlocked  EventKind = "setup unlocked"
	Disassociated  EventKind = "disassociated"
	SelectionEnded EventKind = "cancelled"
	APPINExpired   EventKind = "AP PIN expired"
	// An External Registrar waits for somebody, or no longer.
	RegistrarSelected   EventKind = "External Registrar selected"
	RegistrarDeselected EventKind = "External Registrar deselected"
	SwitchedOff         EventKind = "switched off"
	SwitchedOn          EventKind = "switched on"
)

// Event is one of them. It holds no secret.
type Event struct {
	At          time.Time
	Kind        EventKind
	Station     wsc.MAC // zero: none
	UUID        wsc.UUID
	Message     wsc.MessageType // of a failed run: the newest message
	ConfigError wsc.ConfigError
	Err         error // of a failed run
	// Device is what an Enrollee says of itself in M1 (PINNeeded).
	Device wsc.Device
}

// maxEvents bounds what an access point remembers; the oldest half goes first.
const maxEvents = 1000
