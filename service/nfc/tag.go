package nfc

import (
	"context"
	"errors"
	"fmt"

	"wpsd/drivers"
	"wpsd/engine/credential"
	"wpsd/engine/ndef"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/arrival"
	"wpsd/service/ending"
	"wpsd/service/lending"
	"wpsd/service/outcome"
	"wpsd/service/receive"
	"wpsd/service/session"
	"wpsd/service/state"
)

// parseTag reads what was on a tag. ErrBadTag tells of what is no tag of Wi-Fi Protected Setup,
// ErrUselessTag of one of which nothing can be made, and why.
func parseTag(payload []byte) (*ndef.Tag, error) {
	tag, err := ndef.Parse(payload)
	if _, attributes := errors.AsType[*wsc.ParseError](err); attributes {
		return nil, fmt.Errorf("%w: %w", state.ErrUselessTag, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", state.ErrBadTag, err)
	}
	return tag, nil
}

// TagRequest is a tag that somebody has read, and for whom.
type TagRequest struct {
	Interface string // empty: none in particular
	Payload   []byte // with NDEF around the attributes or without; the caller's
	Owner     string
	User      string
	Detach    bool
	Apply     string
	// Allowed is what the caller was allowed to do with the tag: if it would do something else by
	// now, ErrChanged. Empty: whatever it does.
	Allowed TagEffect
	// Await, for ERNFCTagRead, lets a device in later that the External Registrar has no network
	// for yet: once it has one, as long as the tag's password is kept.
	Await bool
}

// touch is what the managers need to know of it.
func (r TagRequest) touch(p state.Processing) lending.Touch {
	return lending.Touch{Interface: r.Interface, Apply: r.Apply, Processing: p,
		AddsOnly: r.Allowed == TagAdds}
}

// TagKind says what was on a tag.
type TagKind string

// The kinds.
const (
	TagConfiguration TagKind = "configuration" // networks
	// the device password of a device or an access point
	TagPassword TagKind = "password"
)

// Tag is what came of reading a tag.
type Tag struct {
	Kind      TagKind
	Networks  []state.NetworkID // stored of it; none where agents process credentials
	NotStored bool              // it had more networks than could be stored
	// lets the tag's device in at an access point of this machine; 0: none
	Session    state.SessionID
	PasswordID wsc.DevicePasswordID // of a password
}

// NFCTagRead takes what was read off a tag. The networks of a configuration token are processed
// like those that a session received. A device password is kept until a run with the access point
// that it is of has used it (session.StartRequest.NFC), or, where the interface is an access point,
// lets the device in that has it. ErrBadTag tells of a tag that is none of WPS.
func (s *Exchange) NFCTagRead(_ context.Context, r TagRequest) (Tag, error) {
	if err := s.hub.Known(r.Interface); err != nil {
		return Tag{}, err
	}
	tag, err := parseTag(r.Payload)
	if err != nil {
		return Tag{}, err
	}
	defer tag.Wipe()
	switch {
	case tag.Configuration != nil:
		return s.takeConfiguration(r, tag.Configuration)
	case s.hub.IsAccessPoint(r.Interface):
		return s.admitToken(r, tag.Password)
	}
	if err := s.tags.Keep(tag.Password, nil); err != nil {
		return Tag{}, err
	}
	return Tag{Kind: TagPassword, PasswordID: tag.Password.ID}, nil
}

// takeConfiguration makes networks of a configuration token.
func (s *Exchange) takeConfiguration(r TagRequest, t *ndef.ConfigurationToken) (Tag, error) {
	if err := s.managers.CheckApply(r.Apply); err != nil {
		return Tag{}, err
	}
	from := receive.Origin{Own: s.hub.Address(r.Interface), BSSID: t.BSSID,
		Source: string(state.MethodNFC)}
	c, err := s.arrivals.Convert(r.Interface, t.Credentials, from.Own)
	if err != nil {
		return Tag{}, errUseless(c)
	}
	defer c.Wipe()
	came := s.arrivals.Take(arrival.Arrival{Credentials: c, From: from, May: s.mayStore(r)})
	if errors.Is(came.Err, state.ErrChanged) {
		return Tag{}, came.Err
	}
	if errors.Is(came.Err, receive.ErrUseless) {
		return Tag{}, errUseless(c)
	}
	s.managers.HandOver(r.touch(came.Processing), credential.CloneAll(c.Networks))
	s.log.Info("an NFC tag brought networks", "stored", len(came.Stored), "processing",
		string(came.Processing))
	if came.Err != nil && len(came.Stored) == 0 {
		return Tag{}, came.Err
	}
	return Tag{Kind: TagConfiguration, Networks: came.Stored, NotStored: came.Err != nil}, nil
}

// errUseless is the error for a tag with networks of which none can be used.
func errUseless(c *receive.Credentials) error {
	return fmt.Errorf("%w: %s", state.ErrUselessTag, outcome.ListLeftOut(ending.LeftOut(c.LeftOut)))
}

// admitToken lets the device in, at an access point of this machine, whose tag was read.
func (s *Exchange) admitToken(r TagRequest, t *ndef.PasswordToken) (Tag, error) {
	payload := FormatNDEF.write(t)
	id := t.ID
	ses, err := s.hub.Start(session.StartRequest{Interface: r.Interface, Owner: r.Owner,
		User:   r.User,
		Detach: r.Detach, Apply: r.Apply}, session.Task{
		Purpose: state.PurposeAdmit, Method: state.MethodNFC,
		NFCGrant: func(ctx context.Context, ap drivers.AccessPoint) error {
			return ap.AllowToken(ctx, payload.Bytes())
		},
		NFCRevoke: func(ctx context.Context, ap drivers.AccessPoint) error {
			nobody, err := ndef.NewPasswordToken(s.rand, [20]byte{})
			if err != nil {
				return fmt.Errorf("nfc: %w", err)
			}
			defer nobody.Wipe()
			nobody.ID = id
			return ap.AllowToken(ctx, nobody.AppendNDEF(nil))
		},
		PrivateKey: payload, // wiped with the task
	})
	if err != nil {
		return Tag{}, err
	}
	return Tag{Kind: TagPassword, PasswordID: t.ID, Session: ses.ID}, nil
}

// secretOf makes a secret of bytes that are not needed any more.
func secretOf(b []byte) secret.Value {
	defer clear(b)
	return secret.New(b)
}
