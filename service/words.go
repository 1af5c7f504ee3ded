package service

import (
	"wpsd/service/ending"
	"wpsd/service/external"
	"wpsd/service/nfc"
	"wpsd/service/session"
	"wpsd/service/state"
)

// The words of package state, under the names that callers of a Service know.
type (
	AccessPoint        = state.AccessPoint
	AccessPointAdded   = state.AccessPointAdded
	AccessPointChanged = state.AccessPointChanged
	AccessPointRemoved = state.AccessPointRemoved
	ConnectionChanged  = state.ConnectionChanged
	CredentialReceived = state.CredentialReceived
	ER                 = state.ER
	ERAPAdded          = state.ERAPAdded
	ERAPAsked          = state.ERAPAsked
	ERAPChanged        = state.ERAPChanged
	ERAPRemoved        = state.ERAPRemoved
	ERAPSettings       = state.ERAPSettings
	ERAccessPoint      = state.ERAccessPoint
	ERChanged          = state.ERChanged
	EREnrollee         = state.EREnrollee
	EREnrolleeAdded    = state.EREnrolleeAdded
	EREnrolleeChanged  = state.EREnrolleeChanged
	EREnrolleeRemoved  = state.EREnrolleeRemoved
	Enrollee           = state.Enrollee
	EnrolleeSeen       = state.EnrolleeSeen
	Event              = state.Event
	Interface          = state.Interface
	InterfaceAdded     = state.InterfaceAdded
	InterfaceChanged   = state.InterfaceChanged
	InterfaceRemoved   = state.InterfaceRemoved
	Manager            = state.Manager
	ManagerChanged     = state.ManagerChanged
	Method             = state.Method
	Network            = state.Network
	NetworkAdded       = state.NetworkAdded
	NetworkChanged     = state.NetworkChanged
	NetworkID          = state.NetworkID
	NetworkRemoved     = state.NetworkRemoved
	PINNeeded          = state.PINNeeded
	Processing         = state.Processing
	Purpose            = state.Purpose
	Role               = state.Role
	RunFailed          = state.RunFailed
	ScanDone           = state.ScanDone
	Session            = state.Session
	SessionAdded       = state.SessionAdded
	SessionChanged     = state.SessionChanged
	SessionEnded       = state.SessionEnded
	SessionID          = state.SessionID
	SessionRemoved     = state.SessionRemoved
	Snapshot           = state.Snapshot
	State              = state.State
	Step               = state.Step
	Subscription       = state.Subscription
)

// Its constants.
const (
	MethodNFC             = state.MethodNFC
	MethodPBC             = state.MethodPBC
	MethodPIN             = state.MethodPIN
	ProcessingBoth        = state.ProcessingBoth
	ProcessingExternal    = state.ProcessingExternal
	ProcessingInternal    = state.ProcessingInternal
	PurposeAdmit          = state.PurposeAdmit
	PurposeConfigure      = state.PurposeConfigure
	PurposeEnroll         = state.PurposeEnroll
	PurposeLearn          = state.PurposeLearn
	RoleEnrollee          = state.RoleEnrollee
	RoleExternalRegistrar = state.RoleExternalRegistrar
	RoleRegistrar         = state.RoleRegistrar
	StateAssociating      = state.StateAssociating
	StateCanceled         = state.StateCanceled
	StateExchanging       = state.StateExchanging
	StateFailed           = state.StateFailed
	StateHandingOver      = state.StateHandingOver
	StateScanning         = state.StateScanning
	StateSucceeded        = state.StateSucceeded
	StepChecking          = state.StepChecking
	StepEnded             = state.StepEnded
	StepExchanging        = state.StepExchanging
	StepHandingOver       = state.StepHandingOver
	StepJoining           = state.StepJoining
	StepLooking           = state.StepLooking
	StepWaiting           = state.StepWaiting
)

// Its errors.
var (
	ErrBadTag            = state.ErrBadTag
	ErrBusy              = state.ErrBusy
	ErrChanged           = state.ErrChanged
	ErrERAmbiguous       = state.ErrERAmbiguous
	ErrERBusy            = state.ErrERBusy
	ErrERDropped         = state.ErrERDropped
	ErrEROverlap         = state.ErrEROverlap
	ErrERSockets         = state.ErrERSockets
	ErrERStopped         = state.ErrERStopped
	ErrHandover          = state.ErrHandover
	ErrInterfaceExists   = state.ErrInterfaceExists
	ErrInvalid           = state.ErrInvalid
	ErrNoERAP            = state.ErrNoERAP
	ErrNoERSettings      = state.ErrNoERSettings
	ErrNoInterface       = state.ErrNoInterface
	ErrNoNetwork         = state.ErrNoNetwork
	ErrNoSession         = state.ErrNoSession
	ErrNoToken           = state.ErrNoToken
	ErrNotSupported      = state.ErrNotSupported
	ErrRadioBlocked      = state.ErrRadioBlocked
	ErrRefused           = state.ErrRefused
	ErrShutdown          = state.ErrShutdown
	ErrStore             = state.ErrStore
	ErrStoreFull         = state.ErrStoreFull
	ErrSubscriberTooSlow = state.ErrSubscriberTooSlow
	ErrSuspended         = state.ErrSuspended
	ErrTooMany           = state.ErrTooMany
	ErrUnknownBSSID      = state.ErrUnknownBSSID
	ErrUnreachable       = state.ErrUnreachable
	ErrUselessTag        = state.ErrUselessTag
)

// The words of packages ending and session.
type (
	HandoverError = ending.HandoverError
	Settings      = session.Settings
	StartRequest  = session.StartRequest
)

// The messages of a session's two lines in the log, and who may get the network.
const (
	ApplyAuto         = session.ApplyAuto
	ApplyNone         = session.ApplyNone
	LogSessionEnded   = session.LogSessionEnded
	LogSessionStarted = session.LogSessionStarted
)

// The words of package nfc.
type (
	NFCCarrier    = nfc.Carrier
	NFCFormat     = nfc.Format
	NFCHandover   = nfc.Handover
	NFCTag        = nfc.Tag
	NFCTagEffect  = nfc.TagEffect
	NFCTagRequest = nfc.TagRequest
)

// Its constants.
const (
	NFCCarrierMessage   = nfc.CarrierMessage
	NFCCarrierRecord    = nfc.CarrierRecord
	NFCFormatNDEF       = nfc.FormatNDEF
	NFCFormatWPS        = nfc.FormatWPS
	NFCTagAdds          = nfc.TagAdds
	NFCTagAdmits        = nfc.TagAdmits
	NFCTagChanges       = nfc.TagChanges
	NFCTagConfiguration = nfc.TagConfiguration
	NFCTagPassword      = nfc.TagPassword
)

// The words of package external.
type (
	ControlPoint = external.ControlPoint
	ERPeer       = external.Peer
	ERRequest    = external.Request
	ERStart      = external.Start
)
