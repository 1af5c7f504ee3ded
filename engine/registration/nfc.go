package registration

import (
	"fmt"
	"time"

	"wpsd/engine/devpass"
	"wpsd/engine/wsc"
	"wpsd/engine/wsccrypto"
)

// Token is what a Registrar was told about an Enrollee by an NFC tag, or over an NFC link (WSC, NFC
// out-of-band interface). Password's secret stays the caller's.
type Token struct {
	// Password is that of a password token. The one of a connection handover has the id 7 and no
	// value: whoever has the key that was announced is trusted, and M2 brings the Credentials at
	// once.
	Password devpass.Password
	// EnrolleeKeyHash is that of the Enrollee's public key; nil: not told. A handover always tells
	// it.
	EnrolleeKeyHash *[20]byte
	// KeyPair is the Registrar's own pair as it was announced to the Enrollee, for this run only;
	// nil: that of RegistrarConfig, or a fresh one.
	KeyPair *wsccrypto.KeyPair
}

// handover tells whether the run is the abbreviated one: M1, M2 with Credentials, WSC_Done.
func (t *Token) handover() bool { return t.Password.ID == wsc.PasswordIDNFCConnectionHandover }

// isTokenID tells the ids that stand for something told over NFC.
func isTokenID(id wsc.DevicePasswordID) bool {
	return id == wsc.PasswordIDNFCConnectionHandover || id >= wsc.PasswordIDFirstToken
}

// token looks for a token of the Enrollee. One whose key is another than was announced is an
// impostor, or has a new tag: M2D with configuration error 20 (hostap), whatever other password
// there may be.
func (r *Registrar) token(now time.Time, m *wsc.M1) (Token, bool, error) {
	if r.c.Token == nil || !isTokenID(m.DevicePasswordID) {
		return Token{}, false, nil
	}
	hash := wsccrypto.PublicKeyHash(m.PublicKey)
	t, ok := r.c.Token(now, m.DevicePasswordID, hash)
	switch {
	case !ok:
		return Token{}, false, nil
	case t.EnrolleeKeyHash != nil && !equal(hash[:], t.EnrolleeKeyHash[:]):
		return Token{}, false, errKeyHash
	case t.handover() && (t.EnrolleeKeyHash == nil || len(r.c.Give) == 0):
		// Without the hash anybody could come; and an access point is not configured by handover.
		return Token{}, false, ErrM2D
	}
	return t, true, nil
}

// credentials are the Encrypted Settings of the M2 of a handover.
func (r *Registrar) credentials() ([]byte, error) {
	give, err := r.settings(nil)
	if err != nil {
		return nil, err
	}
	return r.wrap(give)
}

// abbreviated takes the Credentials of an M2 whose key was announced over NFC. hostap insists on
// them, and so do we: a Registrar that wants a password instead would be one that knows none.
func (e *Enrollee) abbreviated(m *wsc.M2) ([]byte, State, error) {
	if m.EncryptedSettings == nil {
		return nil, 0, fmt.Errorf("%w: M2 of a connection handover without Encrypted Settings",
			ErrProtocol)
	}
	s, err := e.decrypt(m.EncryptedSettings)
	if err != nil {
		return nil, 0, err
	}
	return e.accept(s)
}
