package station

import (
	"fmt"
	"time"

	"wpsd/engine"
	"wpsd/engine/eapol"
	"wpsd/engine/eapwsc"
	"wpsd/engine/registration"
	"wpsd/engine/wsc"
	"wpsd/engine/wsccrypto"
	"wpsd/service/arrival"
	"wpsd/service/receive"
	"wpsd/service/search"
	"wpsd/service/state"
)

// startDelay is how long to wait for the access point's first EAP request before EAPOL-Start: a 1.0
// one needs it, a 2.0 one knows from the association that we are here (wpa_supplicant waits as
// long).
const (
	startDelay1 = 1 * time.Second
	startDelay2 = 2 * time.Second
)

// protocol is the Registration Protocol in either role.
type protocol interface {
	engine.Machine
	LastMessage() wsc.MessageType
	State() registration.State
	Outcome() registration.Outcome
}

// machine makes the Enrollee or the Registrar of one attempt.
func (e *Enrolment) machine(c search.Candidate, pair *wsccrypto.KeyPair) (protocol, error) {
	device := e.device
	device.RFBands = wsc.BandOf(c.Frequency)
	if e.Purpose == state.PurposeEnroll {
		return registration.NewEnrollee(registration.EnrolleeConfig{
			Device: device, Password: e.Password, KeyPair: pair, RegistrarKeyHash: e.RegistrarKey,
			Check: e.check, Rand: e.Rand,
			MultiAP: e.multiAP(),
		})
	}
	config := registration.RegistrarConfig{
		Device: device, Password: e.apPassword, AckDone: true, KeyPair: pair, Rand: e.Rand,
	}
	if e.Method == state.MethodNFC {
		config.Token = e.tag.Find
	}
	if e.Settings != nil {
		settings := e.Settings.Credential()
		config.NewSettings = &settings
	}
	return registration.NewRegistrar(config)
}

// stack is a machine with what carries its messages to an access point.
func (e *Enrolment) stack(c search.Candidate, machine protocol) *eapol.Supplicant {
	identity := eapwsc.IdentityEnrollee
	if e.Purpose != state.PurposeEnroll {
		identity = eapwsc.IdentityRegistrar
	}
	delay := startDelay2
	if c.Ad.Version2 == 0 {
		delay = startDelay1
	}
	peer := eapwsc.NewPeer(eapwsc.PeerConfig{
		Identity: identity, Inner: e.trace(machine, "message", describeMessage),
		FragmentSize: e.fragmentSize,
	})
	return eapol.NewSupplicant(eapol.SupplicantConfig{Inner: peer, StartDelay: delay})
}

// check reads Credentials, and refuses those of an M8 that make no network; the access point is
// told so.
func (e *Enrolment) check(cs []wsc.Credential) (err error) {
	e.read.Wipe()
	e.read, err = e.Arrivals.Read(e.iface.Name, cs, e.device.MAC)
	return err
}

// progress tells what message was the last, and takes the credentials as soon as M8 is verified:
// before WSC_Done says that we have them, and long before the access point ends the run.
func (e *Enrolment) progress(c search.Candidate, machine protocol) {
	if m := machine.LastMessage(); m != e.message {
		e.begin.Stop()
		e.message = m
		e.session.ChangeSoon(func(s *state.Session) { s.Message = m })
		e.Log.Debug("message", "session", e.session.ID, "type", m, "awaits",
			machine.State())
	}
	if e.received || e.unusable != nil {
		return
	}
	if cs := e.brought(machine); len(cs) > 0 {
		e.received = true
		e.take(c, cs)
	}
}

// brought is what the run has given so far: an Enrollee's Credentials, the settings that an access
// point showed in M7, or those that it took.
func (e *Enrolment) brought(machine protocol) []wsc.Credential {
	outcome := machine.Outcome()
	switch {
	case e.Purpose == state.PurposeEnroll:
		return outcome.Credentials
	case outcome.APSettings == nil || outcome.Err != nil:
		return nil
	case e.Purpose == state.PurposeConfigure && machine.LastMessage() != wsc.MsgDone:
		return nil // so far these are its old ones
	}
	settings := *outcome.APSettings
	if e.Purpose == state.PurposeConfigure {
		settings = e.Settings.Taken()
		settings.MAC = outcome.APSettings.MAC
	}
	cs := receive.FromSettings(settings)
	if err := e.check(cs); err != nil {
		e.unusable = fmt.Errorf("%w: %w", registration.ErrCredential, err)
		return nil
	}
	return cs
}

// take takes what was received, as check has read it, and wipes cs.
func (e *Enrolment) take(c search.Candidate, cs []wsc.Credential) {
	for i := range cs {
		cs[i].Wipe()
	}
	got := e.read
	e.read = nil // they are the session's
	e.came = e.Arrivals.Take(arrival.Arrival{Session: e.session, Credentials: got,
		From: receive.Origin{Own: e.device.MAC, BSSID: c.BSSID, Source: e.source()}})
	e.external = e.came.Processing == state.ProcessingExternal
}

// source is what a stored network says of where it comes from.
func (e *Enrolment) source() string {
	if e.Purpose == state.PurposeEnroll {
		return string(e.Method)
	}
	return string(e.Purpose)
}
