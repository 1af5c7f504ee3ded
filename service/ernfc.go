package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wpsd/engine/devpass"
	"wpsd/engine/er"
	"wpsd/engine/ndef"
	"wpsd/engine/registration"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/engine/wsccrypto"
	"wpsd/service/session"
)

// ERNFCConfigToken returns a configuration token of what Enrollees of an access point are given by
// the External Registrar. It is the caller's to wipe.
func (s *Service) ERNFCConfigToken(ctx context.Context, ifname string, ap ERPeer,
	f NFCFormat) (secret.Value, error) {
	if err := f.check(); err != nil {
		return secret.Value{}, err
	}
	c, err := s.ERConfig(ctx, ifname, ap)
	if err != nil {
		return secret.Value{}, err
	}
	defer c.Wipe()
	c.NetworkIndex = 1
	return f.write(&ndef.ConfigurationToken{Credentials: []wsc.Credential{c},
		Version2: wsc.Version20}), nil
}

// ERNFCTagRead takes what was read off a tag. The device that has the tag's password is let in at
// the access points whose settings the External Registrar has; networks are processed as by
// NFCTagRead.
func (s *Service) ERNFCTagRead(ctx context.Context, r NFCTagRequest) (NFCTag, error) {
	tag, err := parseTag(r.Payload)
	if err != nil {
		return NFCTag{}, err
	}
	defer tag.Wipe()
	if tag.Configuration != nil {
		if err := s.known(r.Interface); err != nil {
			return NFCTag{}, err
		}
		return s.takeConfiguration(r, tag.Configuration)
	}
	password, err := devpass.FromNFC(tag.Password.ID, tag.Password.Password.Bytes())
	if err != nil {
		return NFCTag{}, fmt.Errorf("%w: %w", ErrBadTag, err)
	}
	defer password.Wipe()
	by := ERRequest{Interface: r.Interface, Owner: r.Owner, User: r.User, Detach: r.Detach}
	ses, err := s.erGrantNFC(ctx, by,
		er.NFCGrant{Password: password, KeyHash: &tag.Password.PublicKeyHash})
	if r.Await && errors.Is(err, ErrNoERSettings) {
		err = s.awaitER(r, tag.Password)
	}
	if err != nil {
		return NFCTag{}, err
	}
	return NFCTag{Kind: NFCTagPassword, PasswordID: password.ID, Session: ses.ID}, nil
}

// awaitER keeps the password of a tag, and notes that its device is to be let in once an External
// Registrar has a network. If a run with an access point uses it first, it was that one's tag.
func (s *Service) awaitER(r NFCTagRequest, t *ndef.PasswordToken) error {
	if err := s.keepToken(t); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r.Payload = nil // the caller's
	for n := range s.readTokens {
		if s.readTokens[n].password.ID == t.ID {
			s.readTokens[n].awaits = &r
		}
	}
	return nil
}

// takeAwaited takes the tags that waited for a network of the External Registrar on an interface,
// with secrets of the caller's own.
func (s *Service) takeAwaited(ifname string) (list []readToken) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n, t := range s.readTokens {
		if t.awaits != nil && t.awaits.Interface == ifname {
			t.password.Value = t.password.Value.Clone()
			list = append(list, t)
			s.readTokens[n].awaits = nil
		}
	}
	return list
}

// admitAwaited lets the devices in whose tags waited for a network of this External Registrar. Its
// goroutine calls it.
func (e *externalRegistrar) admitAwaited(now time.Time) {
	s := e.service
	if s.asleep() || s.tooManyERSessions() {
		return // at the next network
	}
	for _, t := range s.takeAwaited(e.iface.Name) {
		run, actions, err := e.registrar.AllowNFC(now,
			er.NFCGrant{Password: t.password, KeyHash: &t.hash, Timeout: session.WalkTime})
		t.password.Wipe()
		if err != nil {
			s.log.Info("the device of an NFC tag cannot be let in", "interface", e.iface.Name, "id",
				uint16(t.password.ID), "err", err)
			continue
		}
		r := ERRequest{Interface: e.iface.Name, Owner: t.awaits.Owner, User: t.awaits.User,
			Detach: t.awaits.Detach}
		e.addSession(now, run, r, PurposeAdmit, MethodNFC)
		e.perform(now, actions)
	}
}

// erProof is by what an access point lets itself be managed: its PIN, or its tag.
type erProof struct {
	pin devpass.Password
	tag *erTag
}

// erTag is the tag of an access point in a run with it. The goroutine of the External Registrar
// owns it.
type erTag struct {
	service *Service
	used    devpass.Password // a copy: a tag that is read meanwhile may take the kept one's place
}

// find implements er.TagFinder.
func (t *erTag) find(_ time.Time, id wsc.DevicePasswordID, _ [20]byte) (registration.Token, bool) {
	password, hash, ok := t.service.tokenOf(id)
	if !ok {
		return registration.Token{}, false
	}
	t.used.Wipe()
	t.used = password
	return registration.Token{Password: password, EnrolleeKeyHash: &hash}, true
}

// over ends the use of the tag. A tag's password is for one run that succeeds.
func (t *erTag) over(succeeded bool) {
	if succeeded && t.used.ID != 0 {
		t.service.usedUp(t.used.ID)
	}
	t.used.Wipe()
}

// erGrantNFC lets the device in that a tag or a handover told of, within two minutes.
func (s *Service) erGrantNFC(ctx context.Context, request ERRequest,
	g er.NFCGrant) (Session, error) {
	g.Timeout = session.WalkTime
	return s.erSession(ctx, request, PurposeAdmit, MethodNFC,
		func(e *externalRegistrar, now time.Time) (er.RunID, []er.Action, error) {
			return e.registrar.AllowNFC(now, g)
		})
}

// ERNFCHandoverSelect returns what the External Registrar answers to a handover request for an
// access point: its network, and a new key by which the Registrar will be known there. The BSSID is
// told only if the access point was named by it.
func (s *Service) ERNFCHandoverSelect(ctx context.Context, ifname string, ap ERPeer, f NFCFormat,
	c NFCCarrier) ([]byte, error) {
	if err := checkHandover(f, c); err != nil {
		return nil, err
	}
	sel := &ndef.HandoverSelect{BSSID: ap.MAC, Version2: wsc.Version20}
	var id er.APID
	err := s.askER(ctx, ifname, func(e *externalRegistrar, _ time.Time) error {
		found, err := e.findAP(ap)
		if err != nil {
			return err
		}
		settings, known := e.registrar.Settings(found.ID)
		if !known {
			return ErrNoERSettings
		}
		id, sel.SSID = found.ID, settings.SSID
		settings.NetworkKey.Wipe()
		return nil
	})
	if err != nil {
		return nil, err
	}
	pair, err := wsccrypto.GenerateKeyPair(s.rand)
	if err != nil {
		return nil, fmt.Errorf("service: %w", err)
	}
	defer pair.Wipe()
	sel.PublicKeyHash = wsccrypto.PublicKeyHash(pair.Public())
	s.keepHandover(handover{hash: sel.PublicKeyHash, private: pair.Private().Clone(),
		ifname: ifname, ap: id})
	return writeHandover(f, c, sel, func() []byte { return sel.AppendMessage(nil) })
}

// erAnswerHandover lets the device in whose request the External Registrar has answered.
func (s *Service) erAnswerHandover(ctx context.Context, h NFCHandover,
	request *ndef.HandoverRequest, sel *ndef.HandoverSelect) (Session, error) {
	ours, ok := s.takeHandover(h.Interface, sel.PublicKeyHash)
	if !ok {
		return Session{}, fmt.Errorf("%w: the handover select is not of this External Registrar, or was used already: make a new one", ErrNoToken)
	}
	defer ours.private.Wipe()
	by := ERRequest{Interface: h.Interface, Owner: h.Owner, User: h.User, Detach: h.Detach}
	return s.erGrantNFC(ctx, by, er.NFCGrant{
		Password: devpass.Password{ID: wsc.PasswordIDNFCConnectionHandover},
		KeyHash:  &request.PublicKeyHash, Key: ours.private,
		UUID: request.UUIDE, AP: ours.ap,
	})
}
