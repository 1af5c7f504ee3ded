package service

import "wpsd/service/outcome"

// What package outcome says of the end of a session.
type (
	Reason = outcome.Reason
	Detail = outcome.Detail
)

// Its reasons.
const (
	ReasonOverlap           = outcome.ReasonOverlap
	ReasonWalkTime          = outcome.ReasonWalkTime
	ReasonNoAccessPoint     = outcome.ReasonNoAccessPoint
	ReasonSetupLocked       = outcome.ReasonSetupLocked
	ReasonWrongPINFirst     = outcome.ReasonWrongPINFirst
	ReasonWrongPINSecond    = outcome.ReasonWrongPINSecond
	ReasonRegistrarBusy     = outcome.ReasonRegistrarBusy
	ReasonNoCredential      = outcome.ReasonNoCredential
	ReasonBadCredential     = outcome.ReasonBadCredential
	ReasonWPA3Only          = outcome.ReasonWPA3Only
	ReasonHidden            = outcome.ReasonHidden
	ReasonRadioBlocked      = outcome.ReasonRadioBlocked
	ReasonInterfaceBusy     = outcome.ReasonInterfaceBusy
	ReasonInterfaceGone     = outcome.ReasonInterfaceGone
	ReasonAssociationFailed = outcome.ReasonAssociationFailed
	ReasonLinkLost          = outcome.ReasonLinkLost
	ReasonMessageTimeout    = outcome.ReasonMessageTimeout
	ReasonProtocolError     = outcome.ReasonProtocolError
	ReasonRejected          = outcome.ReasonRejected
	ReasonNotSupported      = outcome.ReasonNotSupported
	ReasonSuspended         = outcome.ReasonSuspended
	ReasonOwnerLeft         = outcome.ReasonOwnerLeft
	ReasonCanceled          = outcome.ReasonCanceled
	ReasonHandoverFailed    = outcome.ReasonHandoverFailed
	ReasonNotStored         = outcome.ReasonNotStored
	ReasonUnsupported       = outcome.ReasonUnsupported
	ReasonInternal          = outcome.ReasonInternal
)

// Reasons lists all reasons, for manuals and tests.
func Reasons() []Reason { return outcome.Reasons() }
