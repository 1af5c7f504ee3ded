package store

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

func someToken(change func(*Token)) Token {
	t := Token{ID: 0xbfab, Private: secret.New(bytes.Repeat([]byte{7}, 32)),
		Password: secret.New(bytes.Repeat([]byte{0xfe}, 32))}
	if change != nil {
		change(&t)
	}
	return t
}

func sameToken(a, b Token) bool {
	return a.ID == b.ID && a.Private.Equal(b.Private) && a.Password.Equal(b.Password)
}

func TestToken(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	s := open(t, dir)
	if got, ok := s.Token(); ok || got.ID != 0 {
		t.Errorf("a new store has the token %v", got.ID)
	}
	for _, want := range []Token{someToken(nil),
		someToken(func(k *Token) {
			k.ID = 0x10
			k.Private = secret.New(bytes.Repeat([]byte{9}, 192))
		})} {
		if err := s.SetToken(want); err != nil {
			t.Fatal(err)
		}
		got, ok := s.Token()
		if !ok || !sameToken(got, want) {
			t.Errorf("%+v, %v", got, ok)
		}
		got.Wipe() // is not the store's
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, dir)
		if got, ok := s.Token(); !ok || !sameToken(got, want) || len(s.Damaged()) != 0 {
			t.Errorf("after a restart: %+v, %v, %v", got, ok, s.Damaged())
		}
		if info, err := os.Stat(filepath.Join(dir, tokenName)); err != nil || info.Mode() != 0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
	}
}

func TestTokensThatAreNone(t *testing.T) {
	t.Parallel()
	s := Memory()
	for name, bad := range map[string]Token{
		"an id below the tokens'": someToken(func(k *Token) {
			k.ID = wsc.PasswordIDNFCConnectionHandover
		}),
		"a password of 15 bytes": someToken(func(k *Token) {
			k.Password = secret.New(make([]byte, 15))
		}),
		"a password of 33 bytes": someToken(func(k *Token) {
			k.Password = secret.New(make([]byte, 33))
		}),
		"no key": someToken(func(k *Token) { k.Private = secret.Value{} }),
		"a key longer than the group": someToken(func(k *Token) {
			k.Private = secret.New(make([]byte, 193))
		}),
	} {
		if err := s.SetToken(bad); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, ok := s.Token(); ok {
		t.Error("one of them was taken")
	}
	if err := s.SetToken(someToken(nil)); err != nil {
		t.Fatal(err)
	}
	if _, ok := s.Token(); !ok {
		t.Error("memory has no token")
	}
}

// A file that is no token is set aside, and a new one can be made.
func TestDamagedToken(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	s := open(t, dir)
	if err := s.SetToken(someToken(nil)); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, tokenName))
	if err != nil {
		t.Fatal(err)
	}
	text = []byte(strings.Replace(string(text), `"device-password-id": 49067`,
		`"device-password-id": 7`, 1))
	if err := os.WriteFile(filepath.Join(dir, tokenName), text, 0o600); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	if _, ok := s.Token(); ok || len(s.Damaged()) != 1 ||
		s.Damaged()[0].Name != tokenName+damagedSuffix {
		t.Errorf("%v, %v", ok, s.Damaged())
	}
	if err := s.SetToken(someToken(nil)); err != nil {
		t.Error(err)
	}
}

func FuzzTokenFile(f *testing.F) {
	good, err := encode(tokenFile{Version: 1, ID: 0x10, Private: make([]byte, 32),
		Password: make([]byte, 16)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"version":1,"device-password-id":16}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		k, err := parseToken(text)
		if err != nil {
			if !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrVersion) {
				t.Error(err)
			}
			return
		}
		again, err := encode(tokenFile{Version: 1, ID: uint16(k.ID), Private: k.Private.Bytes(),
			Password: k.Password.Bytes()})
		if err != nil {
			t.Fatal(err)
		}
		if b, err := parseToken(again); err != nil || !sameToken(b, k) {
			t.Errorf("%v", err)
		}
	})
}
