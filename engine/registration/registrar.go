package registration

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"wpsd/engine"
	"wpsd/engine/devpass"
	"wpsd/engine/wsc"
	"wpsd/engine/wsccrypto"
)

// RegistrarConfig says whom a Registrar lets in and what it gives.
type RegistrarConfig struct {
	// Device is what M2 and M2D say of us; Device.UUID is UUID-R.
	Device wsc.Device
	// Password finds the device password for an Enrollee; false means M2D. The Password's own ID
	// goes into M2, so that a PIN can be offered to an Enrollee whose NFC token is unknown.
	Password func(now time.Time, enrollee wsc.Device,
		id wsc.DevicePasswordID) (devpass.Password, bool)
	// Token finds what an NFC tag or a handover told about the Enrollee, by the id of its M1 (7, or
	// 0x10 and more) and the hash of its key; asked before Password, which is asked if there is
	// none. nil: there are none.
	Token func(now time.Time, id wsc.DevicePasswordID, keyHash [20]byte) (Token, bool)
	// Overlap reports a PBC session overlap: M2D, or later NACK, with error 12. nil: never.
	Overlap func(now time.Time) bool
	// SetupLocked makes M2D say 15 in place of 0.
	SetupLocked bool
	// Give are the Credentials for a station. MAC Address and Network Index are filled in.
	Give []wsc.Credential
	// NewSettings configure an access point. With neither Give nor NewSettings the run learns an
	// access point's settings and ends with NACK 0 after M7, which is its success.
	NewSettings *wsc.Credential
	// AckDone sends WSC_ACK for WSC_Done: over EAP, when the Registrar is the station.
	AckDone bool
	// KeyPair is a pair made ahead of time, used for this run only; nil: a fresh one.
	KeyPair *wsccrypto.KeyPair
	// Rand is drawn from in this order: Registrar Nonce 16, DH private key 32 (none when KeyPair is
	// given), R-SNonce1 16, R-SNonce2 16, IV of M4 16, IV of M6 16, IV of M8 16; in a handover IV
	// of M2 16 after the key. Nothing is drawn before an M1 is accepted. nil: crypto/rand.
	Rand io.Reader
}

// Registrar is the side that lets a station in, or learns and configures an access point.
//
//	Start ──▶ expectM1 ── M2 ──▶ expectM3 ── M4 ──▶ expectM5 ── M6 ──▶ expectM7 ── M8 ──▶ expectDone ──▶ finished
//	            │└── handover: M2 with Credentials ──▶ expectDone         └── learn: NACK 0 ──▶ finished
//	            └── M2D ──▶ expectM2DAck ──▶ finished
//	any ── check failed, NACK, Abort, Timeout ──▶ finished
//
// It is not safe for concurrent use.
type Registrar struct {
	core
	c       RegistrarConfig
	refused error // why M2D was sent
	code    wsc.ConfigError
	// handover: both sides' keys were announced over NFC, so M2 gives the Credentials and no
	// password is proved.
	handover bool
}

var _ engine.Machine = (*Registrar)(nil)

// NewRegistrar makes a Registrar.
func NewRegistrar(c RegistrarConfig) (*Registrar, error) {
	if c.Password == nil {
		return nil, errors.New("registration: a Registrar needs a Password function")
	}
	if len(c.Give) > 0 && c.NewSettings != nil {
		return nil, errors.New("registration: a run enrols a station or configures an access point, not both")
	}
	r := &Registrar{c: c}
	r.random = orRandom(c.Rand)
	r.version, r.given = c.Device.Version2, c.KeyPair
	return r, nil
}

// Start implements engine.Machine: it waits for M1.
func (r *Registrar) Start(now time.Time) engine.Step {
	if r.state != notStarted {
		return r.ignore()
	}
	r.state = expectM1
	r.deadline = now.Add(MessageTimeout)
	return engine.Step{Deadline: r.deadline}
}

// Handle implements engine.Machine.
func (r *Registrar) Handle(now time.Time, frame []byte) engine.Step {
	if r.state == finished || r.state == notStarted {
		return r.ignore()
	}
	if r.isRepeat(frame) {
		return r.repeat()
	}
	kind, err := wsc.PeekMessageType(frame)
	if err != nil {
		return r.ignore()
	}
	switch kind {
	case wsc.MsgM1:
		return r.m1(now, frame)
	case wsc.MsgM3:
		return r.handle(now, frame, expectM3, r.m3)
	case wsc.MsgM5:
		return r.handle(now, frame, expectM5, r.m5)
	case wsc.MsgM7:
		return r.handle(now, frame, expectM7, r.m7)
	case wsc.MsgDone:
		return r.done(frame)
	case wsc.MsgAck:
		return r.ack(frame)
	case wsc.MsgNack:
		if r.state == expectM2DAck {
			return r.nackToM2D(frame)
		}
		return r.heardNack(frame)
	case wsc.MsgM2, wsc.MsgM2D:
		return r.otherRegistrar()
	default:
		return r.ignore()
	}
}

// handle runs one message's method if it is the one awaited.
func (r *Registrar) handle(now time.Time, frame []byte, want State,
	method func([]byte) ([]byte, State, error)) engine.Step {
	if r.state == expectM1 || nonceOf(frame, wsc.AttrRegistrarNonce) != r.registrarNonce {
		return r.ignore()
	}
	if r.state != want {
		return r.nack(wsc.ConfigErrorNone, 0, fmt.Errorf("%w: message out of order", ErrProtocol))
	}
	if r.c.Overlap != nil && r.password.ID == wsc.PasswordIDPushButton && r.c.Overlap(now) {
		return r.nack(wsc.ConfigErrorMultiplePBCSessions, 0, ErrOverlap)
	}
	msg, next, err := method(frame)
	if kind, peekErr := wsc.PeekMessageType(frame); peekErr == nil {
		r.last = kind
	}
	switch {
	case errors.Is(err, errLearned):
		return r.finish([][]byte{r.nackMessage(wsc.ConfigErrorNone)})
	case err != nil:
		return r.reject(err)
	}
	return r.reply(now, frame, msg, next)
}

// m1 decides whether this Enrollee is expected: M2 or M2D. An M1 that lacks something is ignored
// (hostap fails the EAP method without a word; nothing of ours is lost by waiting).
func (r *Registrar) m1(now time.Time, frame []byte) engine.Step {
	if r.state != expectM1 {
		return r.ignore()
	}
	m, err := wsc.ParseM1(frame)
	if err != nil {
		return r.ignore()
	}
	r.peer, r.enrolleeNonce, r.last = m.Device, m.EnrolleeNonce, wsc.MsgM1
	if r.c.Overlap != nil && m.DevicePasswordID == wsc.PasswordIDPushButton && r.c.Overlap(now) {
		return r.m2d(now, frame, wsc.ConfigErrorMultiplePBCSessions, ErrOverlap)
	}
	token, ok, err := r.token(now, m)
	if err != nil {
		return r.m2d(now, frame, codeFor(err), err)
	}
	password := token.Password
	if !ok {
		password, ok = r.c.Password(now, m.Device, m.DevicePasswordID)
	}
	if !ok {
		if r.c.SetupLocked {
			return r.m2d(now, frame, wsc.ConfigErrorSetupLocked, ErrLocked)
		}
		return r.m2d(now, frame, wsc.ConfigErrorNone, ErrM2D)
	}
	r.password = password
	next := expectM3
	r.pair = token.KeyPair
	if r.handover = token.handover(); r.handover {
		next = expectDone
	}
	msg, err := r.m2(m, frame)
	if err != nil {
		// A degenerate key, or no randomness: nothing to say that the peer could check.
		r.fail(&Error{Local: true, Err: err})
		return r.finish(nil)
	}
	return r.reply(now, frame, msg, next)
}

// m2 makes our key and nonce and derives the keys of the run.
func (r *Registrar) m2(m *wsc.M1, frame []byte) ([]byte, error) {
	if err := r.draw(r.registrarNonce[:]); err != nil {
		return nil, err
	}
	if r.pair == nil { // otherwise the one that was announced
		r.pair = r.c.KeyPair
	}
	if r.pair == nil {
		pair, err := wsccrypto.GenerateKeyPair(r.random)
		if err != nil {
			return nil, fmt.Errorf("%w: key pair: %w", ErrInternal, err)
		}
		r.pair = pair
	}
	r.enrolleeKey, r.registrarKey = bytes.Clone(m.PublicKey), bytes.Clone(r.pair.Public())
	if err := r.derive(m.PublicKey, m.MAC); err != nil {
		return nil, err
	}
	r.previous = bytes.Clone(frame)
	m2 := wsc.M2{
		Device:           r.c.Device,
		EnrolleeNonce:    r.enrolleeNonce,
		RegistrarNonce:   r.registrarNonce,
		PublicKey:        r.registrarKey,
		DevicePasswordID: r.password.ID,
	}
	if r.handover {
		sealed, err := r.credentials()
		if err != nil {
			return nil, err
		}
		m2.EncryptedSettings = sealed
	}
	return r.sign(m2.AppendBody(nil)), nil
}

// m3 takes the Enrollee's commitments and proves half one of the password.
func (r *Registrar) m3(frame []byte) ([]byte, State, error) {
	m, err := wsc.ParseM3(frame)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	if !r.keys.CheckAuthenticator(r.previous, frame) {
		return nil, 0, ErrAuthenticator
	}
	r.previous = bytes.Clone(frame)
	r.peerHash = [2][32]byte{m.EHash1, m.EHash2}
	for i := range r.ownSNonce {
		if err := r.draw(r.ownSNonce[i][:]); err != nil {
			return nil, 0, err
		}
	}
	sealed, err := r.wrap(&wsc.Settings{RSNonce1: &r.ownSNonce[0]})
	if err != nil {
		return nil, 0, err
	}
	m4 := wsc.M4{EnrolleeNonce: r.enrolleeNonce, RHash1: r.ownHash(0), RHash2: r.ownHash(1),
		EncryptedSettings: sealed, Version2: r.version}
	return r.sign(m4.AppendBody(nil)), expectM5, nil
}

// m5 checks the Enrollee's proof of half one and proves half two.
func (r *Registrar) m5(frame []byte) ([]byte, State, error) {
	m, err := wsc.ParseM5(frame)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	s, err := r.open(frame, m.EncryptedSettings)
	switch {
	case err != nil:
		return nil, 0, err
	case s.ESNonce1 == nil:
		return nil, 0, fmt.Errorf("%w: M5 without E-SNonce1", ErrProtocol)
	case !r.proves(0, s.ESNonce1):
		return nil, 0, ErrPassword
	}
	r.previous = bytes.Clone(frame)
	sealed, err := r.wrap(&wsc.Settings{RSNonce2: &r.ownSNonce[1]})
	if err != nil {
		return nil, 0, err
	}
	m6 := wsc.M6{EnrolleeNonce: r.enrolleeNonce, EncryptedSettings: sealed, Version2: r.version}
	return r.sign(m6.AppendBody(nil)), expectM7, nil
}

// errLearned ends a run that was to learn an access point's settings and did.
var errLearned = errors.New("learned")

// m7 checks the Enrollee's proof of half two and gives what the run is for.
func (r *Registrar) m7(frame []byte) ([]byte, State, error) {
	m, err := wsc.ParseM7(frame)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	s, err := r.open(frame, m.EncryptedSettings)
	switch {
	case err != nil:
		return nil, 0, err
	case s.ESNonce2 == nil:
		return nil, 0, fmt.Errorf("%w: M7 without E-SNonce2", ErrProtocol)
	case !r.proves(1, s.ESNonce2):
		return nil, 0, ErrPassword
	}
	r.previous = bytes.Clone(frame)
	r.outcome.APSettings = s.AP
	give, err := r.settings(s.AP)
	if err != nil {
		return nil, 0, err
	}
	sealed, err := r.wrap(give)
	if err != nil {
		return nil, 0, err
	}
	m8 := wsc.M8{EnrolleeNonce: r.enrolleeNonce, EncryptedSettings: sealed, Version2: r.version}
	return r.sign(m8.AppendBody(nil)), expectDone, nil
}

// settings is the content of M8. A station gets Credentials with its own MAC address in them; an
// access point gets its new settings with the MAC address of its M7 (facts of hostap's Registrar).
func (r *Registrar) settings(ap *wsc.Credential) (*wsc.Settings, error) {
	if len(r.c.Give) > 0 {
		give := make([]wsc.Credential, len(r.c.Give))
		for i, c := range r.c.Give {
			if c.NetworkIndex == 0 {
				c.NetworkIndex = 1
			}
			c.MAC = r.peer.MAC
			give[i] = c
		}
		return &wsc.Settings{Credentials: give}, nil
	}
	if ap == nil {
		return nil, fmt.Errorf("%w: M7 without settings of an access point", ErrNoCredential)
	}
	if r.c.NewSettings == nil {
		return nil, errLearned
	}
	settings := *r.c.NewSettings
	settings.MAC = ap.MAC
	if settings.NetworkIndex == 0 {
		settings.NetworkIndex = 1
	}
	return &wsc.Settings{AP: &settings}, nil
}

// done ends a run that gave what it had.
func (r *Registrar) done(frame []byte) engine.Step {
	d, err := wsc.ParseDone(frame)
	if err != nil || r.state != expectDone || d.EnrolleeNonce != r.enrolleeNonce ||
		d.RegistrarNonce != r.registrarNonce {
		return r.ignore()
	}
	r.last = wsc.MsgDone
	if !r.c.AckDone {
		return r.finish(nil)
	}
	ack := wsc.Ack{EnrolleeNonce: r.enrolleeNonce, RegistrarNonce: r.registrarNonce,
		Version2: r.version}
	return r.finish([][]byte{ack.Append(nil)})
}

// Timeout implements engine.Machine.
func (r *Registrar) Timeout(now time.Time) engine.Step {
	if r.state == expectM2DAck && !now.Before(r.deadline) {
		return r.giveUp(r.refused, r.code)
	}
	return r.core.Timeout(now)
}

// Abort implements engine.Machine.
func (r *Registrar) Abort(time.Time) engine.Step {
	if r.state == expectM2DAck {
		return r.giveUp(r.refused, r.code)
	}
	return r.giveUp(ErrAborted, wsc.ConfigErrorNone)
}
