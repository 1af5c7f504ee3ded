package er

import (
	"crypto/rand"
	"errors"
	"testing"

	"wpsd/engine/devpass"
	"wpsd/engine/registration"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/engine/wsccrypto"
)

// pairOf makes a key pair and its hash.
func pairOf(t *testing.T) (*wsccrypto.KeyPair, secret.Value, [20]byte) {
	t.Helper()
	k, err := wsccrypto.GenerateKeyPair(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k, k.Private().Clone(), wsccrypto.PublicKeyHash(k.Public())
}

// TestHandover: an Enrollee that asked over an NFC link gets its network in M2.
func TestHandover(t *testing.T) {
	t.Parallel()
	handover := devpass.Password{ID: wsc.PasswordIDNFCConnectionHandover}
	for _, c := range []struct {
		name   string
		change func(g *NFCGrant, e *registration.EnrolleeConfig)
		in     bool
		over   error // nil with in: done; nil otherwise: the grant waits on
	}{
		{"both have the keys that they announced", func(*NFCGrant, *registration.EnrolleeConfig) {
		}, true, nil},
		{"it was for another device", func(g *NFCGrant, _ *registration.EnrolleeConfig) {
			g.UUID = wsc.UUIDFromMAC(tablet)
		}, false, nil},
		{"the Enrollee has another key", func(_ *NFCGrant, e *registration.EnrolleeConfig) {
			e.KeyPair, _, _ = pairOf(t)
		}, false, ErrKeyHash},
		{"we have another key", func(g *NFCGrant, _ *registration.EnrolleeConfig) {
			_, g.Key, _ = pairOf(t)
		}, false, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w, aps := giving(t, 1)
			pairE, _, hashE := pairOf(t)
			_, private, hashR := pairOf(t)
			g := NFCGrant{Password: handover, KeyHash: &hashE, Key: private,
				UUID: wsc.UUIDFromMAC(phone)}
			e := registration.EnrolleeConfig{Device: device("station", phone), Password: handover,
				KeyPair: pairE, RegistrarKeyHash: &hashR}
			c.change(&g, &e)
			run := w.allow(g)
			if s := aps[0].selected; s == nil || s.DevicePasswordID != handover.ID {
				t.Errorf("the access point tells %+v", s)
			}
			s := aps[0].joinAs(e, 0)
			if got := s.got(); (got == home) != c.in || !c.in && got != "" {
				t.Errorf("got %q: %q", got, w.told())
			}
			end, over := w.ended(run)
			if over != (c.in || c.over != nil) || over && !errors.Is(end.Err, c.over) {
				t.Errorf("over %v, %v", over, end.Err)
			}
			if c.in && (end.Settings == nil || s.heard != 1) {
				t.Errorf("%+v after %d messages", end, s.heard)
			}
		})
	}
	// Who is expected has to be said.
	w, _ := giving(t, 1)
	hash := [20]byte{1}
	for _, bad := range []NFCGrant{{Password: handover}, {Password: handover, KeyHash: &hash},
		{Password: handover, Key: secret.FromString("1")}} {
		if _, _, err := w.r.AllowNFC(w.now, bad); !errors.Is(err, ErrKeyHash) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}
