package nfc

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
	"wpsd/service/state"
	"wpsd/service/tags"
)

// ERNFCConfigToken returns a configuration token of what Enrollees of an access point are given by
// the External Registrar. It is the caller's to wipe.
func (s *Exchange) ERNFCConfigToken(ctx context.Context, ifname string, ap external.Peer,
	f Format) (secret.Value, error) {
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
func (s *Exchange) ERNFCTagRead(ctx context.Context, r TagRequest) (Tag, error) {
	tag, err := parseTag(r.Payload)
	if err != nil {
		return Tag{}, err
	}
	defer tag.Wipe()
	if tag.Configuration != nil {
		if err := s.hub.Known(r.Interface); err != nil {
			return Tag{}, err
		}
		return s.takeConfiguration(r, tag.Configuration)
	}
	password, err := devpass.FromNFC(tag.Password.ID, tag.Password.Password.Bytes())
	if err != nil {
		return Tag{}, fmt.Errorf("%w: %w", state.ErrBadTag, err)
	}
	defer password.Wipe()
	by := external.Request{Interface: r.Interface, Owner: r.Owner, User: r.User, Detach: r.Detach}
	ses, err := s.registrars.GrantNFC(ctx, by,
		er.NFCGrant{Password: password, KeyHash: &tag.Password.PublicKeyHash})
	if r.Await && errors.Is(err, state.ErrNoERSettings) {
		// if a run with an access point uses it first, it was that one's tag
		err = s.tags.Keep(tag.Password, &tags.Grant{Interface: r.Interface, Owner: r.Owner,
			User: r.User, Detach: r.Detach})
	}
	if err != nil {
		return Tag{}, err
	}
	return Tag{Kind: TagPassword, PasswordID: password.ID, Session: ses.ID}, nil
}

// ERNFCHandoverSelect returns what the External Registrar answers to a handover request for an
// access point: its network, and a new key by which the Registrar will be known there. The BSSID is
// told only if the access point was named by it.
func (s *Exchange) ERNFCHandoverSelect(ctx context.Context, ifname string,
	ap external.Peer, f Format,
	c Carrier) ([]byte, error) {
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
		return nil, fmt.Errorf("nfc: %w", err)
	}
	defer pair.Wipe()
	sel.PublicKeyHash = wsccrypto.PublicKeyHash(pair.Public())
	s.handovers.keep(handover{hash: sel.PublicKeyHash, private: pair.Private().Clone(),
		ifname: ifname, ap: id}, s.log, s.expired)
	return writeHandover(f, c, sel, func() []byte { return sel.AppendMessage(nil) })
}

// erAnswerHandover lets the device in whose request the External Registrar has answered.
func (s *Exchange) erAnswerHandover(ctx context.Context, h Handover,
	request *ndef.HandoverRequest, sel *ndef.HandoverSelect) (state.Session, error) {
	ours, ok := s.handovers.take(h.Interface, sel.PublicKeyHash)
	if !ok {
		return state.Session{}, fmt.Errorf("%w: the handover select is not of this External Registrar, or was used already: make a new one", state.ErrNoToken)
	}
	defer ours.private.Wipe()
	by := external.Request{Interface: h.Interface, Owner: h.Owner, User: h.User, Detach: h.Detach}
	return s.registrars.GrantNFC(ctx, by, er.NFCGrant{
		Password: devpass.Password{ID: wsc.PasswordIDNFCConnectionHandover},
		KeyHash:  &request.PublicKeyHash, Key: ours.private,
		UUID: request.UUIDE, AP: ours.ap,
	})
}
