package service

import (
	"errors"
	"io/fs"
	"strings"

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
)

// explain puts all into an ended session's Detail that its sentence says, and which sentence that
// is.
func (f failure) explain(s *Session) {
	d := &s.Detail
	d.ConfigError, d.Peer, d.Wanted.BSSID = f.configError, s.Peer, s.Wanted
	d.Stored, d.Session = len(s.Networks), uint32(s.ID)
	if s.Purpose == PurposeAdmit {
		d.Timeout = s.Deadline.Sub(s.Started)
	}
	if d.Case = f.caseOf(s); d.Case == "" {
		d.Case = outcome.Case(f.reason)
	}
}

// detail puts what an error knows into a session's Detail.
func (f failure) detail(d *Detail) {
	if overlap, ok := errors.AsType[*discovery.OverlapError](f.err); ok {
		d.Overlap = nil
		for _, m := range overlap.BSSIDs {
			d.Overlap = append(d.Overlap, outcome.AccessPoint{BSSID: m})
		}
	}
	if run, ok := errors.AsType[*registration.Error](f.err); ok &&
		(f.reason == ReasonWrongPINFirst || f.reason == ReasonWrongPINSecond) {
		d.PasswordHalf = run.Half
	}
	if lost, ok := errors.AsType[*drivers.LostError](f.err); ok {
		d.LinkReason, d.LinkStatus = lost.Reason, lost.Status
	}
	if refusal, ok := errors.AsType[*upnp.Fault](f.err); ok {
		d.UPnPError = refusal.Code
	}
	if held, ok := errors.AsType[*drivers.HeldError](f.err); ok {
		d.Interface = held.Interface
	}
	if lost, ok := errors.AsType[*notStoredError](f.err); ok {
		d.StoreFull, d.StoreError = errors.Is(lost, ErrStoreFull), outcome.OneLine(lost.err)
	}
	if failed, ok := errors.AsType[*HandoverError](f.err); ok {
		d.Manager, d.ReceivedWith = failed.Manager, failed.Run
		// the sentence names it
		d.ManagerError = strings.TrimPrefix(outcome.OneLine(failed.Err), failed.Manager+": ")
	}
}

// caseOf is the sentence that is said of an end; empty: that of its reason.
func (f failure) caseOf(s *Session) outcome.Case {
	if errors.Is(f.err, ErrShutdown) {
		if c := f.arrivalCase(s); c != "" {
			return c
		}
		return outcome.ShutDown
	}
	for _, special := range []func(*Session) outcome.Case{
		f.externalCase, f.admissionCase, f.arrivalCase, f.nfcCase, f.registrarCase,
		f.handoverCase, f.enrolleeCase,
	} {
		if c := special(s); c != "" {
			return c
		}
	}
	return ""
}

// externalCase is for sessions of the External Registrar, where they end otherwise than others.
func (f failure) externalCase(s *Session) outcome.Case {
	if s.Role != RoleExternalRegistrar {
		return ""
	}
	for _, row := range []struct {
		err error
		is  outcome.Case
	}{
		{errERStopped, outcome.RegistrarStopped},
		{drivers.ErrInterfaceGone, outcome.RegistrarUnplugged},
		{er.ErrReplaced, outcome.NewerPIN},
		{er.ErrAPGone, outcome.NetworkAPGone},
		{er.ErrUnreachable, outcome.NetworkAPSilent},
		{er.ErrNonsense, outcome.NetworkAPNonsense},
	} {
		if errors.Is(f.err, row.err) {
			return row.is
		}
	}
	switch _, refused := errors.AsType[*upnp.Fault](f.err); {
	case refused:
		return outcome.NetworkAPRefused
	case s.Purpose == PurposeAdmit:
		return f.externalAdmissionCase(s)
	case f.reason == ReasonWalkTime:
		return outcome.NetworkAPNotFinished
	}
	return ""
}

// externalAdmissionCase is for devices that the External Registrar lets in.
func (f failure) externalAdmissionCase(s *Session) outcome.Case {
	switch {
	case f.state == StateSucceeded:
		return outcome.AdmittedThere
	case f.reason == ReasonNoCredential:
		return outcome.SettingsUnknown
	case errors.Is(f.err, er.ErrLocked), errors.Is(f.err, registration.ErrLocked):
		return outcome.DeviceLocked
	case f.reason == ReasonMessageTimeout:
		return outcome.DeviceSilent
	case f.reason == ReasonWalkTime && s.Method != MethodPBC:
		return outcome.NoDeviceCame
	case f.reason == ReasonRejected && f.configError != wsc.ConfigErrorNone:
		return outcome.DeviceEnded
	}
	return "" // as at an access point of this machine
}

// admissionCase is for devices that an access point of this machine was to let in.
func (f failure) admissionCase(s *Session) outcome.Case {
	if s.Purpose != PurposeAdmit {
		return ""
	}
	switch {
	case f.state == StateSucceeded:
		return outcome.Admitted
	case errors.Is(f.err, errCanceledThere):
		return outcome.CanceledThere
	case errors.Is(f.err, errAPWithoutWPS):
		return outcome.WPSOff
	case errors.Is(f.err, fs.ErrPermission):
		return outcome.SoftwareClosed
	case errors.Is(f.err, drivers.ErrUnreachable):
		return outcome.SoftwareSilent
	}
	if s.Method == MethodNFC {
		switch {
		case errors.Is(f.err, drivers.ErrNotSupported):
			return outcome.SoftwareWithout
		case f.reason == ReasonWalkTime:
			return outcome.TaggedDidNotCome
		case f.reason == ReasonRejected && s.Peer.IsZero():
			return outcome.TagRefused
		}
	}
	switch f.reason {
	case ReasonOverlap:
		return outcome.DevicesOverlap
	case ReasonWalkTime:
		if s.Method == MethodPBC {
			return outcome.NoDevicePressed
		}
		return outcome.NoDeviceCame
	case ReasonWrongPINFirst, ReasonWrongPINSecond:
		return outcome.DeviceWrongPIN
	case ReasonRejected:
		if f.configError == wsc.ConfigErrorNone && errors.Is(f.err, drivers.ErrRefused) {
			return outcome.SoftwareRefused
		}
		return outcome.DeviceFailed
	case ReasonInterfaceGone:
		return outcome.NoLongerAP
	case ReasonMessageTimeout, ReasonLinkLost:
		return outcome.DeviceSilent
	case ReasonProtocolError:
		return outcome.DeviceFailed
	default:
	}
	return ""
}

// arrivalCase is for sessions that received something, and for those that made room for another.
func (f failure) arrivalCase(s *Session) outcome.Case {
	switch {
	case errors.As(f.err, new(*notStoredError)):
		return outcome.Case(ReasonNotStored)
	case errors.Is(f.err, receive.ErrUseless) && s.Role != RoleEnrollee:
		return outcome.NothingLearned
	case errors.Is(f.err, receive.ErrUseless):
		return outcome.NothingUsable
	case errors.Is(f.err, errSuperseded):
		return outcome.NotConnectedYet
	case errors.Is(f.err, errReplaced):
		return outcome.Replaced
	case f.state != StateSucceeded:
		return ""
	case s.Purpose == PurposeLearn:
		return outcome.Learned
	case s.Purpose == PurposeConfigure:
		return outcome.Configured
	case len(s.Detail.LeftOut) > 0:
		return outcome.ReceivedPartly
	}
	return outcome.Received
}

// nfcCase is for what is otherwise when the password is on a tag, or none is needed.
func (f failure) nfcCase(s *Session) outcome.Case {
	if s.Method != MethodNFC {
		return ""
	}
	registrar := s.Role == RoleRegistrar || s.Role == RoleExternalRegistrar &&
		s.Purpose != PurposeAdmit
	key := f.configError == wsc.ConfigErrorPublicKeyHashMismatch ||
		errors.Is(f.err, registration.ErrPublicKey)
	password := f.reason == ReasonWrongPINFirst || f.reason == ReasonWrongPINSecond
	switch {
	case key && registrar:
		return outcome.TagHasOtherKey
	case key && isOtherKey(f.err):
		return outcome.TouchedOtherKey
	case key:
		return outcome.OtherTagRead
	case password && registrar:
		return outcome.TagHasOtherSecret
	case password:
		return outcome.OtherPasswordRead
	case f.reason == ReasonRegistrarBusy && registrar:
		return outcome.TagNotAwaited
	// hostapd says both of an unknown token
	case f.reason == ReasonRegistrarBusy, f.reason == ReasonSetupLocked && !registrar:
		return outcome.TagNotRead
	case f.reason == ReasonWalkTime && !registrar:
		return outcome.TagNotReadInTime
	}
	return ""
}

// registrarCase is for what is otherwise when the PIN is the access point's.
func (f failure) registrarCase(s *Session) outcome.Case {
	if f.reason == ReasonBadCredential && errors.Is(f.err, credential.ErrSSID) {
		return outcome.NameUnusable
	}
	if s.Role == RoleEnrollee {
		return ""
	}
	switch f.reason {
	case ReasonWrongPINFirst, ReasonWrongPINSecond:
		return outcome.APWrongPIN
	case ReasonSetupLocked:
		if errors.Is(f.err, errLockedAlready) {
			return outcome.APLocked
		}
		return outcome.APTakesNoPIN
	case ReasonRegistrarBusy:
		return outcome.APOffersNoPIN
	case ReasonBadCredential, ReasonNoCredential:
		return outcome.APUnusable
	case ReasonRejected:
		if s.Purpose == PurposeConfigure {
			return outcome.APRefusedSetting
		}
	case ReasonWalkTime, ReasonNoAccessPoint:
		if !errors.Is(f.err, search.ErrNoWPS) {
			return outcome.WantedNotFound
		}
	default:
	}
	return ""
}

// handoverCase is for a network that came and that no manager is connected to.
func (f failure) handoverCase(*Session) outcome.Case {
	failed, tried := errors.AsType[*HandoverError](f.err)
	switch wpa3 := errors.Is(f.err, credential.ErrWPA3Only); {
	case wpa3 && tried:
		return outcome.ManagerWithoutWPA3
	case wpa3:
		return outcome.KeyNoPassphrase
	case tried && !failed.Run.IsZero():
		return outcome.KeyTiedToAddress
	case tried:
		return outcome.NotConnected
	}
	return ""
}

// enrolleeCase is for what a Reason alone does not tell.
func (f failure) enrolleeCase(s *Session) outcome.Case {
	button, named := s.Method == MethodPBC, !s.Wanted.IsZero()
	switch f.reason {
	case ReasonOverlap:
		if isOverlap(f.err) {
			return outcome.RoutersOverlap
		}
	case ReasonWrongPINFirst, ReasonWrongPINSecond:
		if !named { // it may be a stranger's, whose owner waits for another device
			return outcome.StrangersPIN
		}
	case ReasonNoAccessPoint:
		switch {
		case errors.Is(f.err, search.ErrNoWPS):
			return outcome.WantedWithoutWPS
		case named:
			return outcome.WantedNotFound
		}
	case ReasonWalkTime:
		switch {
		case named && button:
			return outcome.WantedNotPressed
		case named:
			return outcome.WantedDidNotAsk
		case button:
			return outcome.NobodyPressed
		}
		return outcome.NobodyAsked
	case ReasonRegistrarBusy:
		if button {
			return outcome.ButtonInactive
		}
		return outcome.PINUnknown
	case ReasonAssociationFailed:
		return outcome.RefusedWith(s.Detail.LinkStatus)
	case ReasonInterfaceBusy:
		switch {
		case errors.Is(f.err, drivers.ErrHeldBehindSocket):
			return outcome.SupplicantClosed
		case errors.Is(f.err, drivers.ErrHeldLinkDown):
			return outcome.SupplicantLinkDown
		}
	default:
	}
	return ""
}

// isOtherKey tells that the Registrar has not the key that it announced in a handover: a handover
// is with one Registrar.
func isOtherKey(err error) bool {
	run, ok := errors.AsType[*registration.Error](err)
	return ok && run.Local && errors.Is(err, registration.ErrPublicKey) &&
		run.ConfigError == wsc.ConfigErrorPublicKeyHashMismatch
}
