// Package registration is the Registration Protocol of Wi-Fi Simple Configuration: the Enrollee
// and the Registrar, each an engine.Machine whose frames are bare WSC messages (attributes,
// no EAP). The same machines run under EAP-WSC over a radio and, alone, over UPnP.
//
//	Enrollee                      Registrar
//	   M1  ──────────────────────────▶      nonce N1, public key PK_E
//	       ◀──────────────────────────  M2  nonce N2, public key PK_R (M2D: not now)
//	   M3  ──────────────────────────▶      E-Hash1, E-Hash2
//	       ◀──────────────────────────  M4  R-Hash1, R-Hash2, R-SNonce1: proves half one
//	   M5  ──────────────────────────▶      E-SNonce1: proves half one
//	       ◀──────────────────────────  M6  R-SNonce2: proves half two
//	   M7  ──────────────────────────▶      E-SNonce2: proves half two; an AP's settings
//	       ◀──────────────────────────  M8  the Credential, or an AP's new settings
//	 Done  ──────────────────────────▶
//
// What is not authenticated yet costs nothing: a message that cannot be parsed or carries another
// nonce is ignored, because anybody in range can send one; the peer's repetition is heard all the
// same. A message of this run that fails its checks ends it with WSC_NACK, as hostap does.
package registration

import (
	"errors"
	"fmt"
	"time"

	"wpsd/engine/wsc"
)

// MessageTimeout is how long either side waits for the other's next message. The EAP server side
// of hostap sends a request three times, 5 s apart, and gives up after that.
const MessageTimeout = 15 * time.Second

// Reasons for the end of a run, found with errors.Is in an Outcome's Err.
var (
	// ErrPassword: the device password was wrong; Error.Half tells which half.
	ErrPassword = errors.New("wrong device password")
	// ErrNack: the peer ended the run with WSC_NACK; Error.ConfigError is its reason.
	ErrNack = errors.New("the peer ended the run")
	// ErrM2D: the Registrar knows us, but has no device password for us (now).
	ErrM2D = errors.New("the Registrar is not ready for us")
	// ErrTimeout: the peer's next message did not come in time.
	ErrTimeout = errors.New("no message in time")
	// ErrAborted: our own side gave up.
	ErrAborted = errors.New("aborted")
	// ErrProtocol: a message of this run is malformed, out of order or lacks what it must have.
	ErrProtocol = errors.New("protocol error")
	// ErrAuthenticator: an Authenticator or a Key Wrap Authenticator does not fit.
	ErrAuthenticator = errors.New("authentication of a message failed")
	// ErrPublicKey: the peer's public key is degenerate, or not the one announced out of band.
	ErrPublicKey = errors.New("unusable public key")
	// ErrPasswordID: the Registrar wants another device password than we offered.
	ErrPasswordID = errors.New("another device password is wanted")
	// ErrLocked: AP Setup Locked.
	ErrLocked = errors.New("the access point's setup is locked")
	// ErrOverlap: more than one Enrollee pressed its button.
	ErrOverlap = errors.New("PBC session overlap")
	// ErrNoCredential: M8 has no Credential, or M7 no settings of the access point.
	ErrNoCredential = errors.New("no credential received")
	// ErrCredential: a Credential was refused by EnrolleeConfig.Check.
	ErrCredential = errors.New("unusable credential")
	// ErrInternal: our own randomness failed.
	ErrInternal = errors.New("internal error")
)

// State says what a machine waits for.
type State uint8

// The states of both machines.
const (
	notStarted State = iota
	expectM1
	expectM2
	expectM3
	expectM4
	expectM5
	expectM6
	expectM7
	expectM8
	expectDone
	expectAck    // an access point as Enrollee, after WSC_Done
	expectM2DAck // a Registrar, after M2D
	finished
)

// String names the message awaited.
func (s State) String() string {
	switch s {
	case notStarted:
		return "not started"
	case expectM1, expectM2, expectM3, expectM4, expectM5, expectM6, expectM7, expectM8:
		return fmt.Sprintf("expect M%d", int(s-expectM1)+1)
	case expectDone:
		return "expect WSC_Done"
	case expectAck:
		return "expect WSC_ACK"
	case expectM2DAck:
		return "expect WSC_ACK to M2D"
	case finished:
		return "finished"
	}
	return fmt.Sprintf("state %d", uint8(s))
}

// Error is how a run failed.
type Error struct {
	// ConfigError is what the WSC_NACK or M2D said, ours or the peer's.
	ConfigError wsc.ConfigError
	// Local: found on our side. Otherwise the peer said so.
	Local bool
	// State is what was awaited then.
	State State
	// Half tells which half of the device password was wrong, 1 or 2; 0: that was not it.
	Half int
	// PasswordID is the password that an M2D asked for; 0, the PIN, if it named none.
	PasswordID wsc.DevicePasswordID
	// Err is one of this package's sentinels, possibly wrapped with more.
	Err error
}

// Error implements error.
func (e *Error) Error() string {
	who := "peer"
	if e.Local {
		who = "local"
	}
	text := fmt.Sprintf("registration: %v (%s, %s", e.Err, who, e.State)
	if e.ConfigError != 0 {
		text += fmt.Sprintf(", configuration error %d", uint16(e.ConfigError))
	}
	if e.Half != 0 {
		text += fmt.Sprintf(", half %d", e.Half)
	}
	return text + ")"
}

// Unwrap gives the sentinel to errors.Is.
func (e *Error) Unwrap() error { return e.Err }

// Message is the message that was at fault: the awaited one if it was found on our side, and
// otherwise the one of ours that the peer answered with WSC_NACK. 0: none that proves anything yet,
// or the run stood still. It is what wpa_supplicant tells as "WPS-FAIL msg=".
func (e *Error) Message() wsc.MessageType {
	own := map[State]wsc.MessageType{
		expectM3: wsc.MsgM3, expectM4: wsc.MsgM4, expectM5: wsc.MsgM5, expectM6: wsc.MsgM6,
		expectM7: wsc.MsgM7, expectM8: wsc.MsgM8, expectDone: wsc.MsgDone,
	}
	answered := map[State]wsc.MessageType{
		expectM3: wsc.MsgM2, expectM4: wsc.MsgM3, expectM5: wsc.MsgM4, expectM6: wsc.MsgM5,
		expectM7: wsc.MsgM6, expectM8: wsc.MsgM7, expectDone: wsc.MsgM8,
	}
	switch {
	case errors.Is(e.Err, ErrTimeout), errors.Is(e.Err, ErrAborted), errors.Is(e.Err, ErrInternal):
		return 0
	case e.Local:
		return own[e.State]
	}
	return answered[e.State]
}

// Outcome is how a run ended. It is complete once the machine is Done; Credentials and
// APSettings are there as soon as the message that carried them passed all its checks.
type Outcome struct {
	// Credentials are what the Registrar gave to an Enrollee that is a station (M8).
	Credentials []wsc.Credential
	// APSettings are the settings of an access point: to its Registrar from M7, to the access
	// point itself from M8 (its new settings).
	APSettings *wsc.Credential
	// Err is nil after success, otherwise an *Error.
	Err error
}
