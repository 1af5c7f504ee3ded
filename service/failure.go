package service

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
	"wpsd/service/receive"
	"wpsd/service/search"
)

// Causes and errors that only procedures know. They end up as Reasons.
var (
	errCanceled      = errors.New("canceled")
	errOwnerLeft     = errors.New("its owner left")
	errWalkTime      = errors.New("the walk time expired")
	errNoAccessPoint = errors.New("no access point")
	errRejected      = errors.New("the access point ended the run without a reason")
	errLockedAlready = fmt.Errorf("%w: it says so itself", registration.ErrLocked)
	errUnanswered    = errors.New("the access point let us associate, and began nothing")
	errSilent        = errors.New("the access point stopped answering")
	errERStopped     = fmt.Errorf("%w: the External Registrar was stopped", errCanceled)
	errAttemptTime   = errors.New("the access point takes too long")

	// errReplaced ends a session that somebody else's command began anew.
	errReplaced = fmt.Errorf("%w: another one began in its place", errCanceled)
	// errSuperseded ends a session that has given its network to a manager and waits for the
	// connection: the manager keeps the network.
	errSuperseded = fmt.Errorf("%w: another one began before the network was connected: %w",
		errCanceled, credential.ErrKeep)

	// Those of an access point of this machine.
	errAPGone = fmt.Errorf("the access point's software stopped or was restarted: %w",
		drivers.ErrUnreachable)
	errAPWithoutWPS  = fmt.Errorf("WPS is off at the access point: %w", drivers.ErrNotSupported)
	errCanceledThere = fmt.Errorf("%w at the access point", errCanceled)
)

// failure is how a session ended; its zero value is no success. err stays out of what users see.
type failure struct {
	state       State
	reason      Reason
	configError wsc.ConfigError
	err         error
}

// reasons maps what can go wrong to what is told: the first line that fits counts.
var reasons = []struct {
	err         error
	reason      Reason
	configError wsc.ConfigError
}{
	{receive.ErrUseless, ReasonUnsupported, 0},
	{ErrSuspended, ReasonSuspended, 0},
	{drivers.ErrRadioBlocked, ReasonRadioBlocked, 0},
	{drivers.ErrInterfaceGone, ReasonInterfaceGone, 0},
	{drivers.ErrNoInterface, ReasonInterfaceGone, 0},
	{drivers.ErrBusy, ReasonInterfaceBusy, 0},
	{drivers.ErrNotSupported, ReasonNotSupported, 0},
	{drivers.ErrAssociation, ReasonAssociationFailed, wsc.ConfigErrorNetworkAssociationFailure},
	{er.ErrOverlap, ReasonOverlap, wsc.ConfigErrorMultiplePBCSessions},
	{er.ErrExpired, ReasonWalkTime, wsc.ConfigErrorMessageTimeout},
	{er.ErrAPGone, ReasonLinkLost, 0},
	{er.ErrUnreachable, ReasonLinkLost, 0},
	{er.ErrNonsense, ReasonProtocolError, 0},
	{er.ErrNoSettings, ReasonNoCredential, 0},
	{registration.ErrOverlap, ReasonOverlap, wsc.ConfigErrorMultiplePBCSessions},
	{registration.ErrLocked, ReasonSetupLocked, wsc.ConfigErrorSetupLocked},
	{registration.ErrM2D, ReasonRegistrarBusy, 0},
	{registration.ErrTimeout, ReasonMessageTimeout, wsc.ConfigErrorMessageTimeout},
	{registration.ErrCredential, ReasonBadCredential, 0},
	{registration.ErrNoCredential, ReasonNoCredential, 0},
	// push button: no PIN to be wrong
	{registration.ErrPassword, ReasonRejected, wsc.ConfigErrorDevicePasswordAuthFailure},
	{registration.ErrNack, ReasonRejected, 0},
	{registration.ErrInternal, ReasonInternal, 0},
	{registration.ErrProtocol, ReasonProtocolError, 0},
	{registration.ErrAuthenticator, ReasonProtocolError, 0},
	{registration.ErrPublicKey, ReasonProtocolError, 0},
	{registration.ErrPasswordID, ReasonProtocolError, 0},
	{errUnanswered, ReasonMessageTimeout, wsc.ConfigErrorMessageTimeout},
	{errSilent, ReasonMessageTimeout, wsc.ConfigErrorMessageTimeout},
	{errAttemptTime, ReasonMessageTimeout, wsc.ConfigErrorMessageTimeout},
	{drivers.ErrOverlap, ReasonOverlap, wsc.ConfigErrorMultiplePBCSessions},
	{drivers.ErrUnreachable, ReasonLinkLost, 0},
	{drivers.ErrRefused, ReasonRejected, 0},
	{drivers.ErrLinkLost, ReasonLinkLost, 0},
	{errRejected, ReasonRejected, 0},
	{search.ErrWPA3Only, ReasonWPA3Only, 0},
	{search.ErrHidden, ReasonHidden, 0},
	{search.ErrNoWPS, ReasonNoAccessPoint, 0},
	{errNoAccessPoint, ReasonNoAccessPoint, wsc.ConfigErrorMessageTimeout},
	{errWalkTime, ReasonWalkTime, wsc.ConfigErrorMessageTimeout},
}

// failureOf tells users what err means for a session with this method.
func failureOf(err error, method Method) failure {
	f := failure{state: StateFailed, reason: ReasonInternal, err: err}
	run, hasRun := errors.AsType[*registration.Error](err)
	switch {
	case err == nil:
		return failure{state: StateSucceeded}
	case errors.As(err, new(*notStoredError)): // whatever became of it then
		f.reason = ReasonNotStored
	case errors.Is(err, credential.ErrWPA3Only):
		f.reason = ReasonWPA3Only
	case isHandover(err): // whatever the manager's own error is
		f.reason = ReasonHandoverFailed
	case errors.Is(err, errCanceled), errors.Is(err, er.ErrReplaced), errors.Is(err, ErrShutdown),
		errors.Is(err, context.Canceled):
		return failure{state: StateCanceled, reason: ReasonCanceled, err: err}
	case errors.Is(err, errOwnerLeft):
		return failure{state: StateCanceled, reason: ReasonOwnerLeft, err: err}
	case isOverlap(err):
		f.reason, f.configError = ReasonOverlap, wsc.ConfigErrorMultiplePBCSessions
	case hasRun && errors.Is(err, registration.ErrPassword) && method != MethodPBC:
		f.reason, f.configError = ReasonWrongPINFirst, wsc.ConfigErrorDevicePasswordAuthFailure
		if run.Half == 2 {
			f.reason = ReasonWrongPINSecond
		}
	default:
		for _, r := range reasons {
			if errors.Is(err, r.err) {
				f.reason, f.configError = r.reason, r.configError
				break
			}
		}
	}
	if _, refused := errors.AsType[*upnp.Fault](err); refused && f.reason == ReasonInternal {
		f.reason = ReasonRejected
	}
	if hasRun && run.ConfigError != wsc.ConfigErrorNone {
		f.configError = run.ConfigError // the peers' own word is more exact
	}
	return f
}

func isOverlap(err error) bool {
	_, ok := errors.AsType[*discovery.OverlapError](err)
	return ok
}

func isHandover(err error) bool { return errors.Is(err, ErrHandover) }
