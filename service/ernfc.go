package service

import (
	"context"
	"errors"
	"fmt"

	"wpsd/engine/devpass"
	"wpsd/engine/er"
	"wpsd/engine/ndef"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/engine/wsccrypto"
	"wpsd/service/external"
)

// ERNFCConfigToken returns a configuration token of what Enrollees of an access point are given by
// the External Registrar. It is the caller's to wipe.
func (s *Service) ERNFCConfigToken(ctx context.Context, ifname string, ap external.Peer,
	f NFCFormat) (secret.Value, error) {
	if err := f.check(); err != nil {
		return secret.Value{}, err
	}
	c, err := s.registrars.ERConfig(ctx, ifname, ap)
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
	by := external.Request{Interface: r.Interface, Owner: r.Owner, User: r.User, Detach: r.Detach}
	ses, err := s.registrars.GrantNFC(ctx, by,
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
	r.Payload = nil // the caller's
	return s.tokens.keep(t, &r)
}

// ERNFCHandoverSelect returns what the External Registrar answers to a handover request for an
// access point: its network, and a new key by which the Registrar will be known there. The BSSID is
// told only if the access point was named by it.
func (s *Service) ERNFCHandoverSelect(ctx context.Context, ifname string, ap external.Peer, f NFCFormat,
	c NFCCarrier) ([]byte, error) {
	if err := checkHandover(f, c); err != nil {
		return nil, err
	}
	sel := &ndef.HandoverSelect{BSSID: ap.MAC, Version2: wsc.Version20}
	id, ssid, err := s.registrars.NetworkOf(ctx, ifname, ap)
	if err != nil {
		return nil, err
	}
	sel.SSID = ssid
	pair, err := wsccrypto.GenerateKeyPair(s.rand)
	if err != nil {
		return nil, fmt.Errorf("service: %w", err)
	}
	defer pair.Wipe()
	sel.PublicKeyHash = wsccrypto.PublicKeyHash(pair.Public())
	s.tokens.keepHandover(handover{hash: sel.PublicKeyHash, private: pair.Private().Clone(),
		ifname: ifname, ap: id})
	return writeHandover(f, c, sel, func() []byte { return sel.AppendMessage(nil) })
}

// erAnswerHandover lets the device in whose request the External Registrar has answered.
func (s *Service) erAnswerHandover(ctx context.Context, h NFCHandover,
	request *ndef.HandoverRequest, sel *ndef.HandoverSelect) (Session, error) {
	ours, ok := s.tokens.takeHandover(h.Interface, sel.PublicKeyHash)
	if !ok {
		return Session{}, fmt.Errorf("%w: the handover select is not of this External Registrar, or was used already: make a new one", ErrNoToken)
	}
	defer ours.private.Wipe()
	by := external.Request{Interface: h.Interface, Owner: h.Owner, User: h.User, Detach: h.Detach}
	return s.registrars.GrantNFC(ctx, by, er.NFCGrant{
		Password: devpass.Password{ID: wsc.PasswordIDNFCConnectionHandover},
		KeyHash:  &request.PublicKeyHash, Key: ours.private,
		UUID: request.UUIDE, AP: ours.ap,
	})
}
