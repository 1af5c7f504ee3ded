package sim

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"wpsd/drivers"
	"wpsd/engine/admission"
	"wpsd/engine/devpass"
	"wpsd/engine/ndef"
	"wpsd/engine/registration"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/engine/wsccrypto"
)

// nfc is what an access point knows by NFC.
type nfc struct {
	// that were read, each for one run (hostapd: a token with a hash is used up by M1)
	tokens  []registration.Token
	own     *ndef.PasswordToken // its own, for Registrars; nil: none is enabled
	private secret.Value        // the key of own, and of handovers
}

// maxNFCTokens bounds what is kept of tags.
const maxNFCTokens = 16

var errNFCTag = errors.New("sim: the tag holds no device password")

// ReadTag lets the access point read a tag: the device whose password is on it may join within two
// minutes.
func (ap *AP) ReadTag(tag []byte) error {
	t, err := ndef.Parse(tag)
	if err != nil {
		return err
	}
	defer t.Wipe()
	if t.Password == nil {
		return errNFCTag
	}
	password, err := devpass.FromNFC(t.Password.ID, t.Password.Password.Bytes())
	if err != nil {
		return err
	}
	hash := t.Password.PublicKeyHash
	return ap.expectToken(registration.Token{Password: password, EnrolleeKeyHash: &hash})
}

// expectToken adds a token and selects the Registrar for whoever has it.
func (ap *AP) expectToken(t registration.Token) error {
	ap.world.mu.Lock()
	defer ap.world.mu.Unlock()
	now := time.Now()
	ap.refresh(now)
	if ap.o.NoWPS {
		return drivers.ErrNotSupported
	}
	if len(ap.nfc.tokens) >= maxNFCTokens {
		ap.nfc.tokens = slices.Delete(ap.nfc.tokens, 0, 1)
	}
	ap.nfc.tokens = append(ap.nfc.tokens, t)
	ap.selection = selection{until: now.Add(admission.WalkTime), macs: []wsc.MAC{wsc.Broadcast}}
	ap.tell(Event{At: now, Kind: PINAdded})
	return nil
}

// keys makes the access point's key pair for NFC, once. The lock is held.
func (ap *AP) keys() (*wsccrypto.KeyPair, error) {
	if !ap.nfc.private.IsZero() {
		return wsccrypto.KeyPairFromPrivate(ap.nfc.private)
	}
	k, err := wsccrypto.GenerateKeyPair(ap.randomness())
	if err == nil {
		ap.nfc.private = k.Private().Clone()
	}
	return k, err
}

// PasswordToken makes and enables the access point's own token: who reads that tag can read and
// change its settings. The AP PIN stays good beside it.
func (ap *AP) PasswordToken() ([]byte, error) {
	t, err := ap.passwordToken()
	if err != nil {
		return nil, err
	}
	defer t.Wipe()
	return t.AppendNDEF(nil), nil
}

// passwordToken is PasswordToken before it is written; the caller wipes it.
func (ap *AP) passwordToken() (*ndef.PasswordToken, error) {
	ap.world.mu.Lock()
	defer ap.world.mu.Unlock()
	k, err := ap.keys()
	if err != nil {
		return nil, err
	}
	defer k.Wipe()
	if ap.nfc.own == nil {
		if ap.nfc.own, err = ndef.NewPasswordToken(ap.randomness(),
			wsccrypto.PublicKeyHash(k.Public())); err != nil {
			return nil, err
		}
	}
	t := *ap.nfc.own
	t.Password = t.Password.Clone()
	return &t, nil
}

// Handover answers a handover request: the device that made it may join within two minutes.
func (ap *AP) Handover(request []byte) ([]byte, error) {
	r, err := ndef.ParseHandoverRequest(request)
	if err != nil {
		return nil, err
	}
	s, err := ap.handoverSelect()
	if err != nil {
		return nil, err
	}
	return s.AppendMessage(nil), ap.expectHandover(r)
}

// handoverSelect is what the access point answers to a handover request.
func (ap *AP) handoverSelect() (*ndef.HandoverSelect, error) {
	ap.world.mu.Lock()
	defer ap.world.mu.Unlock()
	k, err := ap.keys()
	if err != nil {
		return nil, err
	}
	defer k.Wipe()
	b := ap.bsss[0]
	return &ndef.HandoverSelect{
		SSID: ap.ssid(b), RFBands: b.band, BSSID: b.BSSID, Version2: wsc.Version20,
		PublicKeyHash: wsccrypto.PublicKeyHash(k.Public()),
	}, nil
}

// expectHandover lets in who made a handover request.
func (ap *AP) expectHandover(r *ndef.HandoverRequest) error {
	password := devpass.Password{ID: wsc.PasswordIDNFCConnectionHandover}
	return ap.expectToken(registration.Token{Password: password, EnrolleeKeyHash: &r.PublicKeyHash})
}

// token is the Registrar's question for what NFC told of an Enrollee.
func (e *enrolment) token(now time.Time, id wsc.DevicePasswordID,
	hash [20]byte) (registration.Token, bool) {
	ap := e.a.ap
	ap.world.mu.Lock()
	defer ap.world.mu.Unlock()
	ap.refresh(now)
	matches := func(t registration.Token) bool {
		return t.Password.ID == id &&
			(id != wsc.PasswordIDNFCConnectionHandover || *t.EnrolleeKeyHash == hash)
	}
	i := slices.IndexFunc(ap.nfc.tokens, matches)
	if i < 0 {
		return registration.Token{}, false
	}
	t := ap.nfc.tokens[i]
	ap.nfc.tokens = slices.Delete(ap.nfc.tokens, i, i+1)
	if k, err := ap.keys(); err == nil {
		t.KeyPair = k
	}
	return t, true
}

// ownPassword is what the access point offers as an Enrollee: its token if one is enabled, and its
// PIN as an alternative (hostapd), else its PIN. The lock is held.
func (ap *AP) ownPassword() (offered devpass.Password, alternative *devpass.Password,
	keys *wsccrypto.KeyPair, err error) {
	pin := devpass.FromPIN(ap.apPIN)
	if ap.nfc.own == nil {
		return pin, nil, nil, nil
	}
	if offered, err = devpass.FromNFC(ap.nfc.own.ID, ap.nfc.own.Password.Bytes()); err != nil {
		return pin, nil, nil, fmt.Errorf("sim: %w", err)
	}
	if !ap.apPIN.IsZero() {
		alternative = &pin
	}
	keys, err = ap.keys()
	return offered, alternative, keys, err
}

// commandDeviceTag is device-tag: the device's tag goes to a file.
func (w *World) commandDeviceTag(fields []string) error {
	if len(fields) != 2 {
		return fmt.Errorf("sim: device-tag needs a device and a file: %w", ErrCommand)
	}
	e := w.Enrollee(fields[0])
	if e == nil {
		return fmt.Errorf("sim: there is no device %q", fields[0])
	}
	tag, err := e.PasswordTag()
	if err != nil {
		return err
	}
	defer clear(tag)
	return os.WriteFile(fields[1], tag, 0o600)
}

// commandNFC carries out tag, token and handover: files take the place of tags and of the radio
// between two devices.
func (w *World) commandNFC(word string, fields []string) error {
	files := 1
	if word == "handover" {
		files = 2
	}
	if len(fields) <= files {
		return fmt.Errorf("sim: %s needs an access point and %d files: %w", word, files, ErrCommand)
	}
	at := len(fields) - files
	ap, err := w.named(strings.Join(fields[:at], " "))
	if err != nil {
		return err
	}
	var in, out []byte
	if word != "token" {
		if in, err = os.ReadFile(fields[at]); err != nil {
			return fmt.Errorf("sim: %w", err)
		}
	}
	switch word {
	case "tag":
		return ap.ReadTag(in)
	case "token":
		out, err = ap.PasswordToken()
	default:
		out, err = ap.Handover(in)
	}
	if err != nil {
		return err
	}
	return os.WriteFile(fields[len(fields)-1], out, 0o600)
}
