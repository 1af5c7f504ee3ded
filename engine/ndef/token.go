package ndef

import (
	"encoding/binary"
	"fmt"
	"io"

	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

// rawStart is the first byte of WSC attributes without NDEF around them: all attributes have it. As
// the flags of a record it would be one that does not begin a message (hostap's distinction).
const rawStart = 0x10

// Tag is what a WSC tag holds: exactly one of the two is set. Both have secrets, which are the
// reader's to wipe (Wipe).
type Tag struct {
	Password      *PasswordToken
	Configuration *ConfigurationToken
}

// Parse reads a tag, with NDEF around its attributes or without. Where a tag has Credentials and a
// password, the Credentials count (hostap behaviour). One Credential that is none makes the tag
// invalid; one that lacks what a reader does not need is one (see wsc.ParseTagCredential), and so
// are the attributes of a network without a Credential around them.
func Parse(b []byte) (*Tag, error) {
	if len(b) > 0 && b[0] == rawStart {
		return parseTag(b)
	}
	records, err := ParseMessage(b)
	if err != nil {
		return nil, err
	}
	defer wipe(records)
	r, err := findWSC(records)
	if err != nil {
		return nil, err
	}
	tag, err := parseTag(r.Payload.Bytes())
	if first := &records[0]; err != nil &&
		(first.is(TNFWellKnown, typeRequest) || first.is(TNFWellKnown, typeSelect)) {
		return nil, ErrHandoverMessage
	}
	return tag, err
}

func parseTag(b []byte) (*Tag, error) {
	a, err := readAttributes("NFC token", b)
	if err != nil {
		return nil, err
	}
	if len(a.credentials) == 0 && a.oob == nil && a.ssid != nil && a.network {
		a.credentials = [][]byte{b}
	}
	if len(a.credentials) > 0 {
		c, err := a.configuration()
		if err != nil {
			return nil, err
		}
		return &Tag{Configuration: c}, nil
	}
	p, err := a.password()
	if err != nil {
		return nil, err
	}
	return &Tag{Password: p}, nil
}

// Wipe overwrites the secrets of t.
func (t *Tag) Wipe() {
	if t.Password != nil {
		t.Password.Wipe()
	}
	if t.Configuration != nil {
		t.Configuration.Wipe()
	}
}

// PasswordToken is a device password on a tag, of an Enrollee or of an access point that takes new
// Registrars. The run that follows must use the public key that the hash announces.
type PasswordToken struct {
	PublicKeyHash [20]byte
	ID            wsc.DevicePasswordID // from wsc.PasswordIDFirstToken on
	// Password has 16 to 32 bytes. The Registration Protocol does not use these but their
	// hexadecimal text: see devpass.FromNFC.
	Password secret.Value
	Version2 wsc.Version
}

// NewPasswordToken makes a token with a random id and password for the key with this hash. It draws
// the id, two bytes at a time until they are a token's, and then the 32 bytes of the password.
func NewPasswordToken(rand io.Reader, publicKeyHash [20]byte) (*PasswordToken, error) {
	var draw [maxPassword]byte
	defer clear(draw[:])
	t := &PasswordToken{PublicKeyHash: publicKeyHash, Version2: wsc.Version20}
	for t.ID < wsc.PasswordIDFirstToken { // the lower ids have other meanings
		if _, err := io.ReadFull(rand, draw[:2]); err != nil {
			return nil, fmt.Errorf("ndef: randomness: %w", err)
		}
		t.ID = wsc.DevicePasswordID(binary.BigEndian.Uint16(draw[:]))
	}
	if _, err := io.ReadFull(rand, draw[:]); err != nil {
		return nil, fmt.Errorf("ndef: randomness: %w", err)
	}
	t.Password = secret.New(draw[:])
	return t, nil
}

// password reads a password token. Without password it would be half of a handover, and an id below
// the tokens' would let a tag stand in for a PIN or a button.
func (a *attributes) password() (*PasswordToken, error) {
	hash, id, password, err := a.splitOOB()
	if err != nil {
		return nil, err
	}
	if id < wsc.PasswordIDFirstToken {
		return nil, a.fail(wsc.AttrOOBDevicePassword, wsc.ErrValue)
	}
	if len(password) == 0 {
		return nil, a.fail(wsc.AttrOOBDevicePassword, wsc.ErrLength)
	}
	return &PasswordToken{PublicKeyHash: hash, ID: id, Password: secret.New(password),
		Version2: a.version2}, nil
}

// Append appends the token's attributes, without NDEF.
func (t *PasswordToken) Append(b []byte) []byte {
	return appendVersion2(appendOOB(b, t.PublicKeyHash, t.ID, t.Password), t.Version2)
}

// AppendNDEF appends the token as a message of one record, which is what a tag holds.
func (t *PasswordToken) AppendNDEF(b []byte) []byte { return appendWSC(b, t.Append(nil)) }

// Wipe overwrites the password, in every copy of t.
func (t *PasswordToken) Wipe() { t.Password.Wipe() }

// ConfigurationToken is a network on a tag: whoever reads it can join.
type ConfigurationToken struct {
	Credentials []wsc.Credential // one to ten; wrong in themselves is for package credential to say
	// Where the access point was that made the tag, as a hint for the scan; zero for what is not
	// said.
	RFBands   wsc.RFBands
	APChannel uint16
	BSSID     wsc.MAC
	Version2  wsc.Version
}

func (a *attributes) configuration() (*ConfigurationToken, error) {
	t := &ConfigurationToken{Version2: a.version2}
	t.RFBands, t.APChannel, t.BSSID = a.channel()
	for _, v := range a.credentials {
		c, err := parseCredential(v)
		if err != nil {
			t.Wipe()
			return nil, err
		}
		t.Credentials = append(t.Credentials, c)
	}
	return t, nil
}

// parseCredential reads a Credential as M8 has it, or as tags have it.
func parseCredential(value []byte) (wsc.Credential, error) {
	attr := wsc.AppendAttribute(make([]byte, 0, 4+len(value)), wsc.AttrCredential, value)
	defer clear(attr)
	if c, err := wsc.ParseCredential(attr); err == nil {
		return c, nil // with its bytes as they came
	}
	return wsc.ParseTagCredential(value)
}

// Append appends the token's attributes, without NDEF.
func (t *ConfigurationToken) Append(b []byte) []byte {
	for i := range t.Credentials {
		b = t.Credentials[i].Append(b)
	}
	b = appendChannel(b, t.RFBands, t.APChannel, t.BSSID)
	return appendVersion2(b, t.Version2)
}

// AppendNDEF appends the token as a message of one record, which is what a tag holds.
func (t *ConfigurationToken) AppendNDEF(b []byte) []byte { return appendWSC(b, t.Append(nil)) }

// Wipe overwrites the keys, in every copy of t.
func (t *ConfigurationToken) Wipe() {
	for i := range t.Credentials {
		t.Credentials[i].Wipe()
	}
}
