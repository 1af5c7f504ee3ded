package sim

import (
	"log/slog"
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

// tell remembers an event, passes it on to whoever steers the access point, and logs it. The
// World's lock is held.
func (ap *AP) tell(e Event) {
	if len(ap.events) >= maxEvents {
		ap.events = append(ap.events[:0], ap.events[maxEvents/2:]...)
	}
	ap.events = append(ap.events, e)
	for s := range ap.steered {
		s.hear(e)
	}
	if ap.world.log == nil {
		return
	}
	attrs := []any{slog.String("event", string(e.Kind)), slog.String("ssid", string(ap.net.ssid)),
		slog.String("ap", ap.bsss[0].BSSID.String())}
	if !e.Station.IsZero() {
		attrs = append(attrs, slog.String("station", e.Station.String()))
	}
	if e.Err != nil {
		attrs = append(attrs, slog.String("err", e.Err.Error()))
	}
	ap.world.log.Info("sim: access point", attrs...)
}

// Events returns what happened at the access point so far, oldest first.
func (ap *AP) Events() []Event {
	ap.world.mu.Lock()
	defer ap.world.mu.Unlock()
	ap.refresh(time.Now())
	return append([]Event(nil), ap.events...)
}

// Happened reports whether an event of this kind is among Events.
func (ap *AP) Happened(kind EventKind) bool {
	for _, e := range ap.Events() {
		if e.Kind == kind {
			return true
		}
	}
	return false
}
