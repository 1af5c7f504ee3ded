package service

import (
	"fmt"
	"time"

	"wpsd/engine"
	"wpsd/engine/credential"
	"wpsd/engine/eapol"
	"wpsd/engine/eapwsc"
	"wpsd/engine/registration"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/engine/wsccrypto"
	"wpsd/service/search"
	"wpsd/service/store"
)

// startDelay is how long to wait for the access point's first EAP request before EAPOL-Start: a 1.0 one needs it,
// a 2.0 one knows from the association that we are here (wpa_supplicant waits as long).
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
func (e *enrolment) machine(c search.Candidate, pair *wsccrypto.KeyPair) (protocol, error) {
	device := e.device
	device.RFBands = wsc.BandOf(c.Frequency)
	if e.purpose == PurposeEnroll {
		return registration.NewEnrollee(registration.EnrolleeConfig{
			Device: device, Password: e.password, KeyPair: pair, RegistrarKeyHash: e.registrarKey, Check: e.check, Rand: e.service.rand,
			MultiAP: e.multiAP(),
		})
	}
	config := registration.RegistrarConfig{
		Device: device, Password: e.apPassword, AckDone: true, KeyPair: pair, Rand: e.service.rand,
	}
	if e.method == MethodNFC {
		config.Token = e.apToken
	}
	if e.settings != nil {
		settings := e.settings.credential()
		config.NewSettings = &settings
	}
	return registration.NewRegistrar(config)
}

// stack is a machine with what carries its messages to an access point.
func (e *enrolment) stack(c search.Candidate, machine protocol) *eapol.Supplicant {
	identity := eapwsc.IdentityEnrollee
	if e.purpose != PurposeEnroll {
		identity = eapwsc.IdentityRegistrar
	}
	delay := startDelay2
	if c.Ad.Version2 == 0 {
		delay = startDelay1
	}
	peer := eapwsc.NewPeer(eapwsc.PeerConfig{
		Identity: identity, Inner: e.trace(machine, "message", describeMessage), FragmentSize: e.fragmentSize,
	})
	return eapol.NewSupplicant(eapol.SupplicantConfig{Inner: peer, StartDelay: delay})
}

// check refuses an M8 whose credentials make no network; the access point is told so.
func (e *enrolment) check(cs []wsc.Credential) error {
	networks, _, err := credential.FromRun(cs, e.device.MAC)
	usable, skipped := e.service.requireSAE(e.session.iface, networks)
	wipeNetworks(usable)
	if err == nil && len(usable) == 0 && len(skipped) > 0 {
		err = skipped[0]
	}
	return err
}

// progress tells what message was the last, and takes the credentials as soon as M8 is verified: before
// WSC_Done says that we have them, and long before the access point ends the run.
func (e *enrolment) progress(c search.Candidate, machine protocol) {
	if m := machine.LastMessage(); m != e.message {
		e.begin.Stop()
		e.message = m
		e.service.changeSoon(e.session, func(s *Session) { s.Message = m })
		e.service.log.Debug("message", "session", e.session.ID, "type", m, "awaits", machine.State())
	}
	if e.received || e.unusable != nil {
		return
	}
	if cs := e.brought(machine); len(cs) > 0 {
		e.received = true
		e.take(c, cs)
	}
}

// brought is what the run has given so far: an Enrollee's Credentials, the settings that an access point
// showed in M7, or those that it took.
func (e *enrolment) brought(machine protocol) []wsc.Credential {
	outcome := machine.Outcome()
	switch {
	case e.purpose == PurposeEnroll:
		return outcome.Credentials
	case outcome.APSettings == nil || outcome.Err != nil:
		return nil
	case e.purpose == PurposeConfigure && machine.LastMessage() != wsc.MsgDone:
		return nil // so far these are its old ones
	}
	settings := *outcome.APSettings
	if e.purpose == PurposeConfigure {
		settings = e.settings.credential()
		settings.MAC = outcome.APSettings.MAC
	}
	cs := asCredential(settings)
	if err := e.check(cs); err != nil {
		e.unusable = fmt.Errorf("%w: %w", registration.ErrCredential, err)
		return nil
	}
	return cs
}

// asCredential makes a Credential, which is what clients know, of an access point's settings.
func asCredential(settings wsc.Credential) []wsc.Credential {
	settings.NetworkIndex = 1
	raw := settings.Append(nil)
	settings.Raw = secret.New(raw)
	clear(raw)
	return []wsc.Credential{settings}
}

// take takes what was received.
func (e *enrolment) take(c search.Candidate, cs []wsc.Credential) {
	e.external = e.service.receive(e.session, cs, origin{own: e.device.MAC, bssid: c.BSSID, source: e.source()}) == ProcessingExternal
}

// origin is where credentials come from.
type origin struct {
	own    wsc.MAC // ours
	bssid  wsc.MAC
	source string // what a stored network says of it
}

// receive stores what a session received, then tells of it. What cannot be stored stays with the session. It returns how
// credentials are processed now.
func (s *Service) receive(ses *session, cs []wsc.Credential, from origin) Processing {
	networks, skipped, err := credential.FromRun(cs, from.own)
	networks, weak := s.requireSAE(ses.iface, networks)
	skipped = append(skipped, weak...)
	received, _ := s.requireSAE(ses.iface, attributes(cs, from.own))
	for i := range cs {
		cs[i].Wipe()
	}
	if err != nil { // check let them pass
		s.log.Error("credentials that passed are refused now", "session", ses.ID, "err", err)
	}
	for _, why := range skipped {
		s.log.Warn("a credential was left out", "session", ses.ID, "err", why)
	}
	s.mu.Lock()
	processing := s.manager.Processing
	s.mu.Unlock()
	var added []storedNetwork
	stored := true
	for _, n := range networks {
		if processing == ProcessingExternal || len(n.SSID) == 0 { // some Registrars send a stub without name first
			continue
		}
		a, err := s.put(n, from.bssid, from.source)
		if err != nil {
			s.log.Error("the network cannot be stored", "session", ses.ID, "err", err)
			stored = false
			continue
		}
		added = append(added, a)
	}
	if processing != ProcessingInternal {
		s.mu.Lock()
		s.offer(ses.ID, cloneNetworks(received))
		s.mu.Unlock()
	}
	s.tell(ses, networks, received, added, stored)
	return processing
}

// storedNetwork is a new network and the older ones that it replaces.
type storedNetwork struct {
	Network
	replaced []uint32
}

// source is what a stored network says of where it comes from.
func (e *enrolment) source() string {
	if e.purpose == PurposeEnroll {
		return string(e.method)
	}
	return string(e.purpose)
}

func (s *Service) put(n credential.Network, bssid wsc.MAC, source string) (storedNetwork, error) {
	s.storing.Lock()
	defer s.storing.Unlock()
	return s.putLocked(n, bssid, source)
}

// putLocked is put for a caller who holds storing.
func (s *Service) putLocked(n credential.Network, bssid wsc.MAC, source string) (storedNetwork, error) {
	kept, replaced, err := s.store.Add(store.Network{Network: n, BSSID: bssid, Source: source, Created: time.Now()})
	if err != nil {
		return storedNetwork{}, err
	}
	return storedNetwork{networkOf(kept), replaced}, nil
}

// tell tells what a session received. The session owns networks and received from now on.
func (s *Service) tell(ses *session, networks, received []credential.Network, added []storedNetwork, stored bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ses.credentials, ses.received = networks, received
	ses.Detail.Credentials, ses.Detail.NotStored = len(networks), !stored
	for _, a := range added {
		ses.Networks = append(ses.Networks, a.ID)
		s.announce(a)
	}
	s.tellChange(ses)
	s.emit(CredentialReceived{ses.ID})
}

// announce tells of a network that was stored. The caller holds mu.
func (s *Service) announce(a storedNetwork) {
	s.networks[a.ID] = a.Network
	s.emit(NetworkAdded{a.Network})
	for _, id := range a.replaced {
		s.forgetNetwork(NetworkID(id))
	}
}

// credentialNetwork makes a network of a Credential that nobody sent.
func credentialNetwork(c wsc.Credential) (credential.Network, error) {
	n, err := credential.FromWSC(c, wsc.MAC{})
	if err != nil {
		return credential.Network{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return n, nil
}
