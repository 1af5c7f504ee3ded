package service

import (
	"time"

	"wpsd/engine/credential"
	"wpsd/engine/eapol"
	"wpsd/engine/eapwsc"
	"wpsd/engine/registration"
	"wpsd/engine/wsc"
	"wpsd/service/store"
)

// startDelay is how long to wait for the access point's first EAP request before EAPOL-Start: a 1.0 one needs it,
// a 2.0 one knows from the association that we are here (wpa_supplicant waits as long).
const (
	startDelay1 = 1 * time.Second
	startDelay2 = 2 * time.Second
)

// stack is the Enrollee with what carries its messages to an access point.
func (e *enrolment) stack(c candidate, enrollee *registration.Enrollee) *eapol.Supplicant {
	delay := startDelay2
	if c.Ad.Version2 == 0 {
		delay = startDelay1
	}
	peer := eapwsc.NewPeer(eapwsc.PeerConfig{
		Identity: eapwsc.IdentityEnrollee, Inner: enrollee, FragmentSize: e.service.fragmentSize,
	})
	return eapol.NewSupplicant(eapol.SupplicantConfig{Inner: peer, StartDelay: delay})
}

// check refuses an M8 whose credentials make no network; the access point is told so.
func (e *enrolment) check(cs []wsc.Credential) error {
	networks, _, err := credential.FromRun(cs, e.device.MAC)
	for _, n := range networks {
		wipeNetwork(n)
	}
	return err
}

// progress tells what message was the last, and takes the credentials as soon as M8 is verified: before
// WSC_Done says that we have them, and long before the access point ends the run.
func (e *enrolment) progress(c candidate, enrollee *registration.Enrollee) {
	if m := enrollee.LastMessage(); m != e.message {
		e.message = m
		e.change(func(s *Session) { s.Message = m })
		e.service.log.Debug("message", "session", e.session.ID, "type", m.String(), "awaits", enrollee.State().String())
	}
	if cs := enrollee.Outcome().Credentials; len(cs) > 0 && !e.received {
		e.received = true
		e.take(c, cs)
	}
}

// take stores what was received, then tells of it. What cannot be stored stays with the session.
func (e *enrolment) take(c candidate, cs []wsc.Credential) {
	s := e.service
	networks, skipped, err := credential.FromRun(cs, e.device.MAC)
	for i := range cs {
		cs[i].Wipe()
	}
	if err != nil { // check let them pass
		s.log.Error("credentials that passed are refused now", "session", e.session.ID, "err", err)
	}
	for _, why := range skipped {
		s.log.Warn("a credential was left out", "session", e.session.ID, "err", why)
	}
	s.mu.Lock()
	keep := s.manager.Processing != ProcessingExternal
	s.mu.Unlock()
	var added []storedNetwork
	stored := true
	for _, n := range networks {
		if !keep || len(n.SSID) == 0 { // some Registrars send a stub without name first
			continue
		}
		a, err := s.put(n, c.BSSID, e.method)
		if err != nil {
			s.log.Error("the network cannot be stored", "session", e.session.ID, "err", err)
			stored = false
			continue
		}
		added = append(added, a)
	}
	s.tell(e.session, networks, added, stored)
}

// storedNetwork is a new network and the older ones that it replaces.
type storedNetwork struct {
	Network
	replaced []uint32
}

func (s *Service) put(n credential.Network, bssid wsc.MAC, method Method) (storedNetwork, error) {
	kept, replaced, err := s.store.Add(store.Network{Network: n, BSSID: bssid, Source: string(method), Created: time.Now()})
	if err != nil {
		return storedNetwork{}, err
	}
	return storedNetwork{networkOf(kept), replaced}, nil
}

// tell tells what a session received. The session owns networks from now on.
func (s *Service) tell(ses *session, networks []credential.Network, added []storedNetwork, stored bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ses.credentials = networks
	ses.Detail.Credentials, ses.Detail.NotStored = len(networks), !stored
	for _, a := range added {
		ses.Networks = append(ses.Networks, a.ID)
		s.networks[a.ID] = a.Network
		s.emit(NetworkAdded{a.Network})
		for _, id := range a.replaced {
			s.forgetNetwork(NetworkID(id))
		}
	}
	s.emit(SessionChanged{ses.Session.clone()})
	s.emit(CredentialReceived{ses.ID})
}
