package state

import (
	"wpsd/engine/er"
	"wpsd/engine/wsc"
)

// Event is one of the types below: a snapshot of what it tells, without secrets.
type Event interface{ event() }

// The events. Each object's Added comes before all else that is told of it, its Removed after.
type (
	// InterfaceAdded tells of an interface that a driver found.
	InterfaceAdded struct{ Interface Interface }
	// InterfaceRemoved tells that it is gone. Its sessions end on their own, right after.
	InterfaceRemoved struct{ Name string }
	// InterfaceChanged tells that anything of it changed.
	InterfaceChanged struct{ Interface Interface }

	// AccessPointAdded tells of a BSS with WPS that was heard for the first time.
	AccessPointAdded struct{ AccessPoint AccessPoint }
	// AccessPointChanged tells what changed of it; of LastSeen and small changes of Signal, only
	// now and then.
	AccessPointChanged struct {
		AccessPoint  AccessPoint
		FlagsChanged bool // Class is another than before
	}
	// AccessPointRemoved tells that it was not heard for a while, though looked for.
	AccessPointRemoved struct {
		Interface string
		BSSID     wsc.MAC
	}
	// ScanDone tells that all channels were looked at, for a caller of Scan or within a session.
	ScanDone struct {
		Interface string
		Success   bool
	}

	// SessionAdded tells that a session began.
	SessionAdded struct{ Session Session }
	// SessionChanged tells that it went on.
	SessionChanged struct{ Session Session }
	// RunFailed tells that a run with one access point gave nothing. A session with a PIN may go on
	// with the next one.
	RunFailed struct {
		Session SessionID
		Peer    wsc.MAC
		// that was at fault, or that the access point refused; MsgM2D: it has no password for us;
		// 0: the run got nowhere
		Message     wsc.MessageType
		ConfigError wsc.ConfigError
		PasswordID  wsc.DevicePasswordID // that an M2D asked for; 0 if it named none
		WEP         bool                 // what came is a network with WEP
		// the reason code with which the access point ended the link; 0: it did not
		Lost   uint16
		Unsent bool // nothing was sent, since the access point says itself how it would end
	}
	// CredentialReceived tells that the credential is there, verified, and stored if it is to be.
	// It comes before the end of the session. What was received is fetched with Credentials.
	CredentialReceived struct{ Session SessionID }
	// SessionEnded tells how it ended; the interface was given back before.
	SessionEnded struct{ Session Session }
	// SessionRemoved tells that an ended session, with its credentials, was dropped.
	SessionRemoved struct{ ID SessionID }

	// EnrolleeSeen tells of a device that looks for an access point to let it in. The same is told
	// again only after a while, and not more than a few at once.
	EnrolleeSeen struct{ Enrollee Enrollee }
	// PINNeeded tells of a device that wanted in with a PIN which the access point does not know.
	PINNeeded struct{ Enrollee Enrollee }

	// EnrolleeAdded tells of a device that asks an access point of this machine to let it in.
	EnrolleeAdded struct{ Enrollee AskingEnrollee }
	// EnrolleeChanged tells what changed of it; it was heard again, at least.
	EnrolleeChanged struct{ Enrollee AskingEnrollee }
	// EnrolleeRemoved tells that it is in, or was not heard any more.
	EnrolleeRemoved struct{ Enrollee AskingEnrollee }

	// ERChanged tells that an External Registrar began or ended.
	ERChanged struct{ ER ER }
	// ERAPAdded tells of an access point that the External Registrar found, and again of each when
	// it is started again.
	ERAPAdded struct{ AccessPoint ERAccessPoint }
	// ERAPChanged tells what changed of it.
	ERAPChanged struct{ AccessPoint ERAccessPoint }
	// ERAPRemoved tells that it is gone, and why, in a word.
	ERAPRemoved struct {
		AccessPoint ERAccessPoint
		Reason      string
	}
	// EREnrolleeAdded tells of a device that asks an access point to let it in, and again of each
	// when the External Registrar is started again.
	EREnrolleeAdded struct{ Enrollee EREnrollee }
	// EREnrolleeChanged tells what changed of it.
	EREnrolleeChanged struct{ Enrollee EREnrollee }
	// EREnrolleeRemoved tells that it was not heard any more.
	EREnrolleeRemoved struct{ Enrollee EREnrollee }
	// ERAPAsked tells that an access point was asked to invite somebody, or nobody any more, and
	// what it said.
	ERAPAsked struct {
		AccessPoint ERAccessPoint
		Asked       er.APAsked
	}
	// ERAPSettings tells that a session learned the settings of an access point. They are fetched
	// with Received, and for its owner alone.
	ERAPSettings struct {
		Session     SessionID
		Interface   string
		AccessPoint er.APID
	}

	// NetworkAdded tells of a network that was stored.
	NetworkAdded struct{ Network Network }
	// NetworkChanged tells that a stored network was received again: its key may be a new one, and
	// how it is protected.
	NetworkChanged struct{ Network Network }
	// NetworkRemoved tells of one that was deleted, or was a further copy of another.
	NetworkRemoved struct{ ID NetworkID }
	// ManagerChanged tells that a setting of the service is another.
	ManagerChanged struct{ Manager Manager }
)

func (InterfaceAdded) event()     {}
func (InterfaceRemoved) event()   {}
func (InterfaceChanged) event()   {}
func (AccessPointAdded) event()   {}
func (AccessPointChanged) event() {}
func (AccessPointRemoved) event() {}
func (ScanDone) event()           {}
func (SessionAdded) event()       {}
func (SessionChanged) event()     {}
func (RunFailed) event()          {}
func (CredentialReceived) event() {}
func (SessionEnded) event()       {}
func (SessionRemoved) event()     {}
func (EnrolleeSeen) event()       {}
func (EnrolleeAdded) event()      {}
func (EnrolleeChanged) event()    {}
func (EnrolleeRemoved) event()    {}
func (PINNeeded) event()          {}
func (ERChanged) event()          {}
func (ERAPAdded) event()          {}
func (ERAPChanged) event()        {}
func (ERAPRemoved) event()        {}
func (EREnrolleeAdded) event()    {}
func (EREnrolleeChanged) event()  {}
func (EREnrolleeRemoved) event()  {}
func (ERAPAsked) event()          {}
func (ERAPSettings) event()       {}
func (NetworkAdded) event()       {}
func (NetworkChanged) event()     {}
func (NetworkRemoved) event()     {}
func (ManagerChanged) event()     {}
func (ConnectionChanged) event()  {}

// ConnectionChanged tells that an interface got, changed or lost its connection, by whichever
// network manager. What a session does with the interface is not told so.
type ConnectionChanged struct {
	Interface string
	BSSID     wsc.MAC // of the access point; zero: there is no connection
	Before    wsc.MAC // the one that it was connected to
}
