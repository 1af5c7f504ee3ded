package store

import (
	"fmt"

	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

const tokenName = "nfc-token.json"

// Bounds of a token: those of its attribute on the tag (WSC, OOB Device Password), and of the
// group's keys.
const (
	minTokenPassword = 16
	maxTokenPassword = 32
	maxTokenKey      = 192
)

// Token is this device's own NFC password token. The key pair is part of it: what is written on a
// tag announces its hash, so every run with that tag has to use it.
type Token struct {
	ID       wsc.DevicePasswordID
	Private  secret.Value // Diffie-Hellman
	Password secret.Value // as on the tag, binary
}

// Clone gives t secrets of its own.
func (t Token) Clone() Token {
	return Token{ID: t.ID, Private: t.Private.Clone(), Password: t.Password.Clone()}
}

// Wipe overwrites the secrets of t.
func (t Token) Wipe() {
	t.Private.Wipe()
	t.Password.Wipe()
}

// Token returns the stored token, with secrets of its own; false if there is none.
func (s *Store) Token() (Token, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token.ID == 0 {
		return Token{}, false
	}
	return s.token.Clone(), true
}

// SetToken stores t in place of the one before. Its secrets are copied.
func (s *Store) SetToken(t Token) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := checkToken(t); err != nil {
		return err
	}
	text, err := encode(tokenFile{Version: formatVersion, ID: uint16(t.ID),
		Private: t.Private.Bytes(), Password: t.Password.Bytes()})
	if err != nil {
		return err
	}
	defer clear(text)
	if err := s.write(tokenName, text); err != nil {
		return err
	}
	s.token.Wipe()
	s.token = t.Clone()
	return nil
}

// tokenFile is a token as JSON; see networkFile for its secrets.
type tokenFile struct {
	Version  int    `json:"version"`
	ID       uint16 `json:"device-password-id"`
	Private  []byte `json:"private-key"`
	Password []byte `json:"password"`
}

func parseToken(text []byte) (Token, error) {
	var f tokenFile
	err := decode(text, &f)
	defer clear(f.Private)
	defer clear(f.Password)
	if err != nil {
		return Token{}, err
	}
	t := Token{ID: wsc.DevicePasswordID(f.ID), Private: secret.New(f.Private),
		Password: secret.New(f.Password)}
	if err := checkToken(t); err != nil {
		t.Wipe()
		return Token{}, err
	}
	return t, nil
}

// checkToken is what every stored token fulfils, whoever wrote the file.
func checkToken(t Token) error {
	switch n := t.Password.Len(); {
	case t.ID < wsc.PasswordIDFirstToken:
		return fmt.Errorf("%w: a token with the id %d", ErrInvalid, uint16(t.ID))
	case n < minTokenPassword || n > maxTokenPassword:
		return fmt.Errorf("%w: a token with a password of %d bytes", ErrInvalid, n)
	case t.Private.Len() == 0 || t.Private.Len() > maxTokenKey:
		return fmt.Errorf("%w: a token with a key of %d bytes", ErrInvalid, t.Private.Len())
	}
	return nil
}

func (s *Store) loadToken() {
	text, err := s.dir.read(tokenName)
	if err == nil {
		defer clear(text)
		s.token, err = parseToken(text)
	}
	if err != nil {
		s.report(tokenName, err)
	}
}
