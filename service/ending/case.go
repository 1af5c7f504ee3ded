package ending

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
	"wpsd/service/state"
)

// Explain puts all into an ended session's Detail that its sentence says, and which sentence that
// is.
func (f Ending) Explain(s *state.Session) {
	d := &s.Detail
	d.ConfigError, d.Peer, d.Wanted.BSSID = f.ConfigError, s.Peer, s.Wanted
	d.Stored, d.Session = len(s.Networks), uint32(s.ID)
	if s.Purpose == state.PurposeAdmit {
		d.Timeout = s.Deadline.Sub(s.Started)
	}
	if d.Case = f.caseOf(s); d.Case == "" {
		d.Case = outcome.Case(f.Reason)
	}
}

// Detail puts what an error knows into a session's Detail.
func (f Ending) Detail(d *outcome.Detail) {
	if overlap, ok := errors.AsType[*discovery.OverlapError](f.Err); ok {
		d.Overlap = nil
		for _, m := range overlap.BSSIDs {
			d.Overlap = append(d.Overlap, outcome.AccessPoint{BSSID: m})
		}
	}
	if other, ok := errors.AsType[*search.BandError](f.Err); ok {
		d.Wanted.SSID, d.Frequency = other.SSID, other.Frequency
		if c := other.Instead; c != nil {
			d.Instead = outcome.AccessPoint{BSSID: c.BSSID, SSID: c.SSID}
		}
	}
	if run, ok := errors.AsType[*registration.Error](f.Err); ok &&
		(f.Reason == outcome.ReasonWrongPINFirst || f.Reason == outcome.ReasonWrongPINSecond) {
		d.PasswordHalf = run.Half
	}
	if lost, ok := errors.AsType[*drivers.LostError](f.Err); ok {
		d.LinkReason, d.LinkStatus = lost.Reason, lost.Status
	}
	if refusal, ok := errors.AsType[*upnp.Fault](f.Err); ok {
		d.UPnPError = refusal.Code
	}
	if full, ok := errors.AsType[*NoRoomError](f.Err); ok {
		d.Manager = full.Manager
	}
	if held, ok := errors.AsType[*drivers.HeldError](f.Err); ok {
		d.Interface = held.Interface
	}
	if lost, ok := errors.AsType[*NotStoredError](f.Err); ok {
		d.StoreFull, d.StoreError = errors.Is(lost, state.ErrStoreFull), outcome.OneLine(lost.Err)
	}
	if failed, ok := errors.AsType[*HandoverError](f.Err); ok {
		d.Manager, d.ReceivedWith = failed.Manager, failed.Run
		// the sentence names it
		d.ManagerError = strings.TrimPrefix(outcome.OneLine(failed.Err), failed.Manager+": ")
	}
}

// caseOf is the sentence that is said of an end; empty: that of its reason.
func (f Ending) caseOf(s *state.Session) outcome.Case {
	if errors.Is(f.Err, state.ErrShutdown) {
		if c := f.arrivalCase(s); c != "" {
			return c
		}
		return outcome.ShutDown
	}
	for _, special := range []func(*state.Session) outcome.Case{
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
func (f Ending) externalCase(s *state.Session) outcome.Case {
	if s.Role != state.RoleExternalRegistrar {
		return ""
	}
	for _, row := range []struct {
		err error
		is  outcome.Case
	}{
		{ErrERStopped, outcome.RegistrarStopped},
		{drivers.ErrInterfaceGone, outcome.RegistrarUnplugged},
		{er.ErrReplaced, outcome.NewerPIN},
		{er.ErrAPGone, outcome.NetworkAPGone},
		{er.ErrUnreachable, outcome.NetworkAPSilent},
		{er.ErrNonsense, outcome.NetworkAPNonsense},
	} {
		if errors.Is(f.Err, row.err) {
			return row.is
		}
	}
	switch _, refused := errors.AsType[*upnp.Fault](f.Err); {
	case refused:
		return outcome.NetworkAPRefused
	case s.Purpose == state.PurposeAdmit:
		return f.externalAdmissionCase(s)
	case f.Reason == outcome.ReasonWalkTime:
		return outcome.NetworkAPNotFinished
	}
	return ""
}

// externalAdmissionCase is for devices that the External Registrar lets in.
func (f Ending) externalAdmissionCase(s *state.Session) outcome.Case {
	switch {
	case f.State == state.StateSucceeded:
		return outcome.AdmittedThere
	case f.Reason == outcome.ReasonNoCredential:
		return outcome.SettingsUnknown
	case errors.Is(f.Err, er.ErrLocked), errors.Is(f.Err, registration.ErrLocked):
		return outcome.DeviceLocked
	case f.Reason == outcome.ReasonMessageTimeout:
		return outcome.DeviceSilent
	case f.Reason == outcome.ReasonWalkTime && s.Method != state.MethodPBC:
		return outcome.NoDeviceCame
	case f.Reason == outcome.ReasonRejected && f.ConfigError != wsc.ConfigErrorNone:
		return outcome.DeviceEnded
	}
	return "" // as at an access point of this machine
}

// admissionCase is for devices that an access point of this machine was to let in.
func (f Ending) admissionCase(s *state.Session) outcome.Case {
	if s.Purpose != state.PurposeAdmit {
		return ""
	}
	switch {
	case f.State == state.StateSucceeded:
		return outcome.Admitted
	case errors.Is(f.Err, ErrCanceledThere):
		return outcome.CanceledThere
	case errors.Is(f.Err, ErrAPWithoutWPS):
		return outcome.WPSOff
	case errors.Is(f.Err, fs.ErrPermission):
		return outcome.SoftwareClosed
	case errors.Is(f.Err, drivers.ErrUnreachable):
		return outcome.SoftwareSilent
	}
	if s.Method == state.MethodNFC {
		switch {
		case errors.Is(f.Err, drivers.ErrNotSupported):
			return outcome.SoftwareWithout
		case f.Reason == outcome.ReasonWalkTime:
			return outcome.TaggedDidNotCome
		case f.Reason == outcome.ReasonRejected && s.Peer.IsZero():
			return outcome.TagRefused
		}
	}
	switch f.Reason {
	case outcome.ReasonOverlap:
		return outcome.DevicesOverlap
	case outcome.ReasonWalkTime:
		if s.Method == state.MethodPBC {
			return outcome.NoDevicePressed
		}
		return outcome.NoDeviceCame
	case outcome.ReasonWrongPINFirst, outcome.ReasonWrongPINSecond:
		return outcome.DeviceWrongPIN
	case outcome.ReasonRejected:
		if f.ConfigError == wsc.ConfigErrorNone && errors.Is(f.Err, drivers.ErrRefused) {
			return outcome.SoftwareRefused
		}
		return outcome.DeviceFailed
	case outcome.ReasonInterfaceGone:
		return outcome.NoLongerAP
	case outcome.ReasonMessageTimeout, outcome.ReasonLinkLost:
		return outcome.DeviceSilent
	case outcome.ReasonProtocolError:
		return outcome.DeviceFailed
	default:
	}
	return ""
}

// arrivalCase is for sessions that received something, and for those that made room for another.
func (f Ending) arrivalCase(s *state.Session) outcome.Case {
	switch {
	case errors.As(f.Err, new(*NotStoredError)):
		return outcome.Case(outcome.ReasonNotStored)
	case errors.Is(f.Err, receive.ErrUseless) && s.Role != state.RoleEnrollee:
		return outcome.NothingLearned
	case errors.Is(f.Err, receive.ErrUseless):
		return outcome.NothingUsable
	case errors.Is(f.Err, ErrSuperseded):
		return outcome.NotConnectedYet
	case errors.Is(f.Err, ErrReplaced):
		return outcome.Replaced
	case f.State != state.StateSucceeded:
		return ""
	case s.Purpose == state.PurposeLearn:
		return outcome.Learned
	case s.Purpose == state.PurposeConfigure:
		return outcome.Configured
	case len(s.Detail.LeftOut) > 0:
		return outcome.ReceivedPartly
	}
	return outcome.Received
}

// nfcCase is for what is otherwise when the password is on a tag, or none is needed.
func (f Ending) nfcCase(s *state.Session) outcome.Case {
	if s.Method != state.MethodNFC {
		return ""
	}
	registrar := s.Role == state.RoleRegistrar || s.Role == state.RoleExternalRegistrar &&
		s.Purpose != state.PurposeAdmit
	key := f.ConfigError == wsc.ConfigErrorPublicKeyHashMismatch ||
		errors.Is(f.Err, registration.ErrPublicKey)
	password := f.Reason == outcome.ReasonWrongPINFirst || f.Reason == outcome.ReasonWrongPINSecond
	switch {
	case key && registrar:
		return outcome.TagHasOtherKey
	case key && IsOtherKey(f.Err):
		return outcome.TouchedOtherKey
	case key:
		return outcome.OtherTagRead
	case password && registrar:
		return outcome.TagHasOtherSecret
	case password:
		return outcome.OtherPasswordRead
	case f.Reason == outcome.ReasonRegistrarBusy && registrar:
		return outcome.TagNotAwaited
	// hostapd says both of an unknown token
	case f.Reason == outcome.ReasonRegistrarBusy, f.Reason == outcome.ReasonSetupLocked && !registrar:
		return outcome.TagNotRead
	case f.Reason == outcome.ReasonWalkTime && !registrar:
		return outcome.TagNotReadInTime
	}
	return ""
}

// registrarCase is for what is otherwise when the PIN is the access point's.
func (f Ending) registrarCase(s *state.Session) outcome.Case {
	if f.Reason == outcome.ReasonBadCredential && errors.Is(f.Err, credential.ErrSSID) {
		return outcome.NameUnusable
	}
	if s.Role == state.RoleEnrollee {
		return ""
	}
	switch f.Reason {
	case outcome.ReasonWrongPINFirst, outcome.ReasonWrongPINSecond:
		return outcome.APWrongPIN
	case outcome.ReasonSetupLocked:
		if errors.Is(f.Err, ErrLockedAlready) {
			return outcome.APLocked
		}
		return outcome.APTakesNoPIN
	case outcome.ReasonRegistrarBusy:
		return outcome.APOffersNoPIN
	case outcome.ReasonBadCredential, outcome.ReasonNoCredential:
		return outcome.APUnusable
	case outcome.ReasonRejected:
		if s.Purpose == state.PurposeConfigure {
			return outcome.APRefusedSetting
		}
	case outcome.ReasonWalkTime, outcome.ReasonNoAccessPoint:
		if !errors.Is(f.Err, search.ErrNoWPS) {
			return outcome.WantedNotFound
		}
	default:
	}
	return ""
}

// handoverCase is for a network that came and that no manager is connected to.
func (f Ending) handoverCase(*state.Session) outcome.Case {
	failed, tried := errors.AsType[*HandoverError](f.Err)
	switch wpa3 := errors.Is(f.Err, credential.ErrWPA3Only); {
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
func (f Ending) enrolleeCase(s *state.Session) outcome.Case {
	button, named := s.Method == state.MethodPBC, !s.Wanted.IsZero()
	switch f.Reason {
	case outcome.ReasonOverlap:
		if isOverlap(f.Err) {
			return outcome.RoutersOverlap
		}
	case outcome.ReasonWrongPINFirst, outcome.ReasonWrongPINSecond:
		if !named { // it may be a stranger's, whose owner waits for another device
			return outcome.StrangersPIN
		}
	case outcome.ReasonNoAccessPoint:
		switch {
		case errors.Is(f.Err, search.ErrNoWPS):
			return outcome.WantedWithoutWPS
		case named:
			return outcome.WantedNotFound
		}
	case outcome.ReasonWalkTime:
		switch {
		case named && button:
			return outcome.WantedNotPressed
		case named:
			return outcome.WantedDidNotAsk
		case button:
			return outcome.NobodyPressed
		}
		return outcome.NobodyAsked
	case outcome.ReasonRegistrarBusy:
		if button {
			return outcome.ButtonInactive
		}
		return outcome.PINUnknown
	case outcome.ReasonAssociationFailed:
		return outcome.RefusedWith(s.Detail.LinkStatus)
	case outcome.ReasonInterfaceBusy:
		switch {
		case errors.Is(f.Err, drivers.ErrHeldBehindSocket):
			return outcome.SupplicantClosed
		case errors.Is(f.Err, drivers.ErrHeldLinkDown):
			return outcome.SupplicantLinkDown
		}
	case outcome.ReasonNotSupported:
		if errors.As(f.Err, new(*NoRoomError)) {
			return outcome.NoRoomBeside
		}
	default:
	}
	return ""
}

// IsOtherKey tells that the Registrar has not the key that it announced in a handover: a handover
// is with one Registrar.
func IsOtherKey(err error) bool {
	run, ok := errors.AsType[*registration.Error](err)
	return ok && run.Local && errors.Is(err, registration.ErrPublicKey) &&
		run.ConfigError == wsc.ConfigErrorPublicKeyHashMismatch
}
