package outcome

// Reason says why a session ended without success. The values are stable API.
type Reason string

// The reasons.
const (
	ReasonOverlap           Reason = "pbc-overlap"
	ReasonWalkTime          Reason = "walk-time-expired"
	ReasonNoAccessPoint     Reason = "no-access-point"
	ReasonSetupLocked       Reason = "setup-locked"
	ReasonWrongPINFirst     Reason = "wrong-pin-first-half"
	ReasonWrongPINSecond    Reason = "wrong-pin-second-half"
	ReasonRegistrarBusy     Reason = "registrar-busy"
	ReasonNoCredential      Reason = "no-credential"
	ReasonBadCredential     Reason = "bad-credential"
	ReasonWPA3Only          Reason = "wpa3-only"
	ReasonBand              Reason = "band-without-wps"
	ReasonHidden            Reason = "hidden-network"
	ReasonRadioBlocked      Reason = "radio-blocked"
	ReasonInterfaceBusy     Reason = "interface-busy"
	ReasonInterfaceGone     Reason = "interface-gone"
	ReasonAssociationFailed Reason = "association-failed"
	ReasonLinkLost          Reason = "link-lost"
	ReasonMessageTimeout    Reason = "message-timeout"
	ReasonProtocolError     Reason = "protocol-error"
	ReasonRejected          Reason = "rejected"
	ReasonNotSupported      Reason = "not-supported"
	ReasonSuspended         Reason = "suspended"
	ReasonOwnerLeft         Reason = "owner-left"
	ReasonCanceled          Reason = "canceled"
	ReasonHandoverFailed    Reason = "handover-failed"
	ReasonNotStored         Reason = "not-stored"
	ReasonUnsupported       Reason = "unsupported-security"
	ReasonInternal          Reason = "internal"
)

// Reasons lists all reasons, for manuals and tests.
func Reasons() []Reason {
	return []Reason{
		ReasonOverlap, ReasonWalkTime, ReasonNoAccessPoint, ReasonSetupLocked, ReasonWrongPINFirst,
		ReasonWrongPINSecond,
		ReasonRegistrarBusy, ReasonNoCredential, ReasonBadCredential, ReasonWPA3Only, ReasonBand, ReasonHidden,
		ReasonRadioBlocked, ReasonInterfaceBusy,
		ReasonInterfaceGone, ReasonAssociationFailed, ReasonLinkLost, ReasonMessageTimeout,
		ReasonProtocolError, ReasonRejected,
		ReasonNotSupported, ReasonSuspended, ReasonOwnerLeft, ReasonCanceled, ReasonHandoverFailed,
		ReasonNotStored, ReasonUnsupported,
		ReasonInternal,
	}
}
