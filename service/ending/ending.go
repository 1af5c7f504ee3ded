package ending

import (
	"context"
	"errors"
	"fmt"

	"wpsd/drivers"
	"wpsd/engine/credential"
	"wpsd/engine/discovery"
	"wpsd/engine/er"
	"wpsd/engine/registration"
	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
	"wpsd/service/outcome"
	"wpsd/service/receive"
	"wpsd/service/search"
	"wpsd/service/state"
)

// Causes and errors that only procedures know. They end up as Reasons.
var (
	ErrCanceled      = errors.New("canceled")
	ErrOwnerLeft     = errors.New("its owner left")
	ErrWalkTime      = errors.New("the walk time expired")
	ErrNoAccessPoint = errors.New("no access point")
	ErrRejected      = errors.New("the access point ended the run without a reason")
	ErrLockedAlready = fmt.Errorf("%w: it says so itself", registration.ErrLocked)
	ErrUnanswered    = errors.New("the access point let us associate, and began nothing")
	ErrSilent        = errors.New("the access point stopped answering")
	ErrERStopped     = fmt.Errorf("%w: the External Registrar was stopped", ErrCanceled)
	ErrAttemptTime   = errors.New("the access point takes too long")

	// ErrReplaced ends a session that somebody else's command began anew.
	ErrReplaced = fmt.Errorf("%w: another one began in its place", ErrCanceled)
	// ErrSuperseded ends a session that has given its network to a manager and waits for the
	// connection: the manager keeps the network.
	ErrSuperseded = fmt.Errorf("%w: another one began before the network was connected: %w",
		ErrCanceled, credential.ErrKeep)

	// Those of an access point of this machine.
	ErrAPGone = fmt.Errorf("the access point's software stopped or was restarted: %w",
		drivers.ErrUnreachable)
	ErrAPWithoutWPS  = fmt.Errorf("WPS is off at the access point: %w", drivers.ErrNotSupported)
	ErrCanceledThere = fmt.Errorf("%w at the access point", ErrCanceled)
)

// failure is how a session ended; its zero value is no success. err stays out of what users see.
type Ending struct {
	State       state.State
	Reason      outcome.Reason
	ConfigError wsc.ConfigError
	Err         error
}

// reasons maps what can go wrong to what is told: the first line that fits counts.
var reasons = []struct {
	err         error
	reason      outcome.Reason
	configError wsc.ConfigError
}{
	{receive.ErrUseless, outcome.ReasonUnsupported, 0},
	{state.ErrSuspended, outcome.ReasonSuspended, 0},
	{drivers.ErrRadioBlocked, outcome.ReasonRadioBlocked, 0},
	{drivers.ErrInterfaceGone, outcome.ReasonInterfaceGone, 0},
	{drivers.ErrNoInterface, outcome.ReasonInterfaceGone, 0},
	{drivers.ErrBusy, outcome.ReasonInterfaceBusy, 0},
	{drivers.ErrNotSupported, outcome.ReasonNotSupported, 0},
	{drivers.ErrAssociation, outcome.ReasonAssociationFailed, wsc.ConfigErrorNetworkAssociationFailure},
	{er.ErrOverlap, outcome.ReasonOverlap, wsc.ConfigErrorMultiplePBCSessions},
	{er.ErrExpired, outcome.ReasonWalkTime, wsc.ConfigErrorMessageTimeout},
	{er.ErrAPGone, outcome.ReasonLinkLost, 0},
	{er.ErrUnreachable, outcome.ReasonLinkLost, 0},
	{er.ErrNonsense, outcome.ReasonProtocolError, 0},
	{er.ErrNoSettings, outcome.ReasonNoCredential, 0},
	{registration.ErrOverlap, outcome.ReasonOverlap, wsc.ConfigErrorMultiplePBCSessions},
	{registration.ErrLocked, outcome.ReasonSetupLocked, wsc.ConfigErrorSetupLocked},
	{registration.ErrM2D, outcome.ReasonRegistrarBusy, 0},
	{registration.ErrTimeout, outcome.ReasonMessageTimeout, wsc.ConfigErrorMessageTimeout},
	{registration.ErrCredential, outcome.ReasonBadCredential, 0},
	{registration.ErrNoCredential, outcome.ReasonNoCredential, 0},
	// push button: no PIN to be wrong
	{registration.ErrPassword, outcome.ReasonRejected, wsc.ConfigErrorDevicePasswordAuthFailure},
	{registration.ErrNack, outcome.ReasonRejected, 0},
	{registration.ErrInternal, outcome.ReasonInternal, 0},
	{registration.ErrProtocol, outcome.ReasonProtocolError, 0},
	{registration.ErrAuthenticator, outcome.ReasonProtocolError, 0},
	{registration.ErrPublicKey, outcome.ReasonProtocolError, 0},
	{registration.ErrPasswordID, outcome.ReasonProtocolError, 0},
	{ErrUnanswered, outcome.ReasonMessageTimeout, wsc.ConfigErrorMessageTimeout},
	{ErrSilent, outcome.ReasonMessageTimeout, wsc.ConfigErrorMessageTimeout},
	{ErrAttemptTime, outcome.ReasonMessageTimeout, wsc.ConfigErrorMessageTimeout},
	{drivers.ErrOverlap, outcome.ReasonOverlap, wsc.ConfigErrorMultiplePBCSessions},
	{drivers.ErrUnreachable, outcome.ReasonLinkLost, 0},
	{drivers.ErrRefused, outcome.ReasonRejected, 0},
	{drivers.ErrLinkLost, outcome.ReasonLinkLost, 0},
	{ErrRejected, outcome.ReasonRejected, 0},
	{search.ErrWPA3Only, outcome.ReasonWPA3Only, 0},
	{search.ErrBand, outcome.ReasonBand, 0},
	{search.ErrHidden, outcome.ReasonHidden, 0},
	{search.ErrNoWPS, outcome.ReasonNoAccessPoint, 0},
	{ErrNoAccessPoint, outcome.ReasonNoAccessPoint, wsc.ConfigErrorMessageTimeout},
	{ErrWalkTime, outcome.ReasonWalkTime, wsc.ConfigErrorMessageTimeout},
}

// failureOf tells users what err means for a session with this method.
func Of(err error, method state.Method) Ending {
	f := Ending{State: state.StateFailed, Reason: outcome.ReasonInternal, Err: err}
	run, hasRun := errors.AsType[*registration.Error](err)
	switch {
	case err == nil:
		return Ending{State: state.StateSucceeded}
	case errors.As(err, new(*NotStoredError)): // whatever became of it then
		f.Reason = outcome.ReasonNotStored
	case errors.Is(err, credential.ErrWPA3Only):
		f.Reason = outcome.ReasonWPA3Only
	case IsHandover(err): // whatever the manager's own error is
		f.Reason = outcome.ReasonHandoverFailed
	case errors.Is(err, ErrCanceled), errors.Is(err, er.ErrReplaced), errors.Is(err, state.ErrShutdown),
		errors.Is(err, context.Canceled):
		return Ending{State: state.StateCanceled, Reason: outcome.ReasonCanceled, Err: err}
	case errors.Is(err, ErrOwnerLeft):
		return Ending{State: state.StateCanceled, Reason: outcome.ReasonOwnerLeft, Err: err}
	case isOverlap(err):
		f.Reason, f.ConfigError = outcome.ReasonOverlap, wsc.ConfigErrorMultiplePBCSessions
	case hasRun && errors.Is(err, registration.ErrPassword) && method != state.MethodPBC:
		f.Reason, f.ConfigError = outcome.ReasonWrongPINFirst, wsc.ConfigErrorDevicePasswordAuthFailure
		if run.Half == 2 {
			f.Reason = outcome.ReasonWrongPINSecond
		}
	default:
		for _, r := range reasons {
			if errors.Is(err, r.err) {
				f.Reason, f.ConfigError = r.reason, r.configError
				break
			}
		}
	}
	if _, refused := errors.AsType[*upnp.Fault](err); refused && f.Reason == outcome.ReasonInternal {
		f.Reason = outcome.ReasonRejected
	}
	if hasRun && run.ConfigError != wsc.ConfigErrorNone {
		f.ConfigError = run.ConfigError // the peers' own word is more exact
	}
	return f
}

func isOverlap(err error) bool {
	_, ok := errors.AsType[*discovery.OverlapError](err)
	return ok
}

func IsHandover(err error) bool { return errors.Is(err, state.ErrHandover) }
