package service

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wpsd/drivers"
	"wpsd/engine/credential"
	"wpsd/engine/ndef"
	"wpsd/engine/registration"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/outcome"
	"wpsd/service/receive"
	"wpsd/service/session"
)

// isUnsupported tells what another way may be tried after.
func isUnsupported(err error) bool {
	return errors.Is(err, drivers.ErrNotSupported) || errors.Is(err, ErrNotSupported)
}

// parseTag reads what was on a tag. ErrBadTag tells of what is no tag of Wi-Fi Protected Setup,
// ErrUselessTag of one of which nothing can be made, and why.
func parseTag(payload []byte) (*ndef.Tag, error) {
	tag, err := ndef.Parse(payload)
	if _, attributes := errors.AsType[*wsc.ParseError](err); attributes {
		return nil, fmt.Errorf("%w: %w", ErrUselessTag, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadTag, err)
	}
	return tag, nil
}

// NFCTagRequest is a tag that somebody has read, and for whom.
type NFCTagRequest struct {
	Interface string // empty: none in particular
	Payload   []byte // with NDEF around the attributes or without; the caller's
	Owner     string
	User      string
	Detach    bool
	Apply     string
	// Allowed is what the caller was allowed to do with the tag: if it would do something else by
	// now, ErrChanged. Empty: whatever it does.
	Allowed NFCTagEffect
	// Await, for ERNFCTagRead, lets a device in later that the External Registrar has no network
	// for yet: once it has one, as long as the tag's password is kept.
	Await bool
}

// NFCTagKind says what was on a tag.
type NFCTagKind string

// The kinds.
const (
	NFCTagConfiguration NFCTagKind = "configuration" // networks
	// the device password of a device or an access point
	NFCTagPassword NFCTagKind = "password"
)

// NFCTag is what came of reading a tag.
type NFCTag struct {
	Kind      NFCTagKind
	Networks  []NetworkID // stored of it; none where agents process credentials
	NotStored bool        // it had more networks than could be stored
	// lets the tag's device in at an access point of this machine; 0: none
	Session    SessionID
	PasswordID wsc.DevicePasswordID // of a password
}

// NFCTagRead takes what was read off a tag. The networks of a configuration token are processed
// like those that a session received. A device password is kept until a run with the access point
// that it is of has used it (StartRequest.NFC), or, where the interface is an access point, lets
// the device in that has it. ErrBadTag tells of a tag that is none of WPS.
func (s *Service) NFCTagRead(_ context.Context, r NFCTagRequest) (NFCTag, error) {
	if err := s.known(r.Interface); err != nil {
		return NFCTag{}, err
	}
	tag, err := parseTag(r.Payload)
	if err != nil {
		return NFCTag{}, err
	}
	defer tag.Wipe()
	switch {
	case tag.Configuration != nil:
		return s.takeConfiguration(r, tag.Configuration)
	case s.purposeFor(r.Interface) == PurposeAdmit:
		return s.admitToken(r, tag.Password)
	}
	if err := s.tokens.keep(tag.Password, nil); err != nil {
		return NFCTag{}, err
	}
	return NFCTag{Kind: NFCTagPassword, PasswordID: tag.Password.ID}, nil
}

// takeConfiguration makes networks of a configuration token.
func (s *Service) takeConfiguration(r NFCTagRequest, t *ndef.ConfigurationToken) (NFCTag, error) {
	if err := s.lenders.CheckApply(r.Apply); err != nil {
		return NFCTag{}, err
	}
	own := s.address(r.Interface)
	s.mu.Lock()
	heardBy := s.interfaces[r.Interface]
	s.mu.Unlock()
	c, err := receive.Convert(t.Credentials, own, s.saeOnly(heardBy))
	if err != nil {
		return NFCTag{}, errUseless(c)
	}
	defer c.Wipe()
	came := s.arrived(nil, c, receive.Origin{Own: own, BSSID: t.BSSID, Source: string(MethodNFC)},
		r.mayStore(s))
	if errors.Is(came.err, ErrChanged) {
		return NFCTag{}, came.err
	}
	if errors.Is(came.err, receive.ErrUseless) {
		return NFCTag{}, errUseless(c)
	}
	s.applyTag(r, came.processing, credential.CloneAll(c.Networks))
	s.log.Info("an NFC tag brought networks", "stored", len(came.stored), "processing",
		string(came.processing))
	if came.err != nil && len(came.stored) == 0 {
		return NFCTag{}, came.err
	}
	return NFCTag{Kind: NFCTagConfiguration, Networks: came.stored, NotStored: came.err != nil}, nil
}

// errUseless is the error for a tag with networks of which none can be used.
func errUseless(c *receive.Credentials) error {
	return fmt.Errorf("%w: %s", ErrUselessTag, outcome.ListLeftOut(leftOutOf(c.LeftOut)))
}

// address is that of an interface, or zero.
func (s *Service) address(ifname string) wsc.MAC {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.interfaces[ifname]; i != nil {
		return i.HardwareAddr
	}
	return wsc.MAC{}
}

// admitToken lets the device in, at an access point of this machine, whose tag was read.
func (s *Service) admitToken(r NFCTagRequest, t *ndef.PasswordToken) (NFCTag, error) {
	payload := NFCFormatNDEF.write(t)
	id := t.ID
	ses, err := s.start(StartRequest{Interface: r.Interface, Owner: r.Owner, User: r.User,
		Detach: r.Detach, Apply: r.Apply}, session.Task{
		Purpose: PurposeAdmit, Method: MethodNFC,
		NFCGrant: func(ctx context.Context, ap drivers.AccessPoint) error {
			return ap.AllowToken(ctx, payload.Bytes())
		},
		NFCRevoke: func(ctx context.Context, ap drivers.AccessPoint) error {
			nobody, err := ndef.NewPasswordToken(s.rand, [20]byte{})
			if err != nil {
				return fmt.Errorf("service: %w", err)
			}
			defer nobody.Wipe()
			nobody.ID = id
			return ap.AllowToken(ctx, nobody.AppendNDEF(nil))
		},
		PrivateKey: payload, // wiped with the task
	})
	if err != nil {
		return NFCTag{}, err
	}
	return NFCTag{Kind: NFCTagPassword, PasswordID: t.ID, Session: ses.ID}, nil
}

// apToken gives the password of the tag that M1 names. The secret is the session's own: a tag that
// is read meanwhile may take the kept one's place.
func (e *enrolment) apToken(_ time.Time, id wsc.DevicePasswordID,
	_ [20]byte) (registration.Token, bool) {
	password, hash, ok := e.service.tokens.TokenOf(id)
	if !ok {
		return registration.Token{}, false
	}
	e.Password.Wipe()
	e.Password = password
	return registration.Token{Password: password, EnrolleeKeyHash: &hash}, true
}

// usedToken forgets the password with which a run succeeded: a tag's password is for one.
func (e *enrolment) usedToken() {
	if e.Method != MethodNFC || e.Purpose == PurposeEnroll || !e.received {
		return
	}
	e.service.tokens.UsedUp(e.Password.ID)
}

// secretOf makes a secret of bytes that are not needed any more.
func secretOf(b []byte) secret.Value {
	defer clear(b)
	return secret.New(b)
}
