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

// EnrolleeConfig says who enrols and with what device password.
type EnrolleeConfig struct {
	// Device is what M1 says of us; Device.MAC goes into the keys. Device.Version2 zero makes us
	// a version 1.0 device.
	Device wsc.Device
	// Password is the push button, a PIN or an NFC token's password, with its Device Password ID.
	Password devpass.Password
	// APSettings are set when we are an access point: what M7 reveals to the Registrar.
	APSettings *wsc.Credential
	// SetupLocked makes an access point refuse every Registrar (NACK 15 to M2).
	SetupLocked bool
	// LearnOnly makes an access point show its settings but take no new ones (NACK 15 to M8).
	LearnOnly bool
	// KeyPair is a pair made ahead of time, used for this run only; nil: a fresh one.
	KeyPair *wsccrypto.KeyPair
	// MultiAP are the flags of the Multi-AP subelement in M1 (0x80: a backhaul station, which gets
	// the backhaul's Credential where the Registrar has one); 0: none.
	MultiAP uint8
	// Alternative is another password that the Registrar may choose in M2 by its id; nil: none. An
	// access point with an NFC token offers that in M1 and takes its PIN all the same (hostap).
	Alternative *devpass.Password
	// RegistrarKeyHash is the hash of the Registrar's public key as learned out of band (NFC
	// connection handover); nil: none. With it, Credentials come in M2 and nothing else is taken.
	RegistrarKeyHash *[20]byte
	// Check refuses what M8 brings, all or nothing: a station's Credentials, or an access point's
	// new settings as a single one. nil takes any that parse.
	Check func([]wsc.Credential) error
	// Rand is drawn from in this order: Enrollee Nonce 16, DH private key 32 (none when KeyPair
	// is given), E-SNonce1 16, E-SNonce2 16, IV of M5 16, IV of M7 16. nil: crypto/rand.
	Rand io.Reader
}

// Enrollee is the side that wants in, or the access point that is configured.
//
//	Start ── M1 ──▶ expectM2 ── M3 ──▶ expectM4 ── M5 ──▶ expectM6 ── M7 ──▶ expectM8 ── Done ──▶ finished
//	                 ▲  │ └── handover: Done ──▶ finished                       (an AP: expectAck ──▶ finished)
//	                 └──┘ M2D is acknowledged; another M2 may follow
//	any ── check failed, NACK, Abort, Timeout ──▶ finished
//
// It is not safe for concurrent use.
type Enrollee struct {
	core
	c   EnrolleeConfig
	m2d *wsc.M2D
}

var _ engine.Machine = (*Enrollee)(nil)

// NewEnrollee makes an Enrollee. It fails when a configured randomness source does.
func NewEnrollee(c EnrolleeConfig) (*Enrollee, error) {
	e := &Enrollee{c: c}
	e.random = orRandom(c.Rand)
	e.version = c.Device.Version2
	e.password = c.Password
	if err := e.draw(e.enrolleeNonce[:]); err != nil {
		return nil, err
	}
	e.pair = c.KeyPair
	if e.pair == nil {
		pair, err := wsccrypto.GenerateKeyPair(e.random)
		if err != nil {
			return nil, fmt.Errorf("registration: key pair: %w", err)
		}
		e.pair = pair
	}
	e.enrolleeKey = bytes.Clone(e.pair.Public())
	return e, nil
}

// Start implements engine.Machine: it sends M1.
func (e *Enrollee) Start(now time.Time) engine.Step {
	if e.state != notStarted {
		return e.ignore()
	}
	device := e.c.Device
	if e.c.APSettings == nil {
		device.State = wsc.NotConfigured // a station always says so (hostap)
	}
	m1 := wsc.M1{
		Device:           device,
		EnrolleeNonce:    e.enrolleeNonce,
		PublicKey:        e.enrolleeKey,
		DevicePasswordID: e.password.ID,
	}
	if e.c.MultiAP != 0 {
		m1.MultiAP = &e.c.MultiAP
	}
	msg := m1.Append(nil)
	e.previous = bytes.Clone(msg)
	return e.reply(now, nil, msg, expectM2)
}

// Handle implements engine.Machine.
func (e *Enrollee) Handle(now time.Time, frame []byte) engine.Step {
	if e.state == finished || e.state == notStarted {
		return e.ignore()
	}
	if e.isRepeat(frame) {
		return e.repeat()
	}
	kind, err := wsc.PeekMessageType(frame)
	if err != nil {
		return e.ignore()
	}
	switch kind {
	case wsc.MsgM2:
		return e.handle(now, frame, expectM2, e.m2)
	case wsc.MsgM2D:
		return e.handleM2D(now, frame)
	case wsc.MsgM4:
		return e.handle(now, frame, expectM4, e.m4)
	case wsc.MsgM6:
		return e.handle(now, frame, expectM6, e.m6)
	case wsc.MsgM8:
		return e.handle(now, frame, expectM8, e.m8)
	case wsc.MsgAck:
		return e.handleAck(frame)
	case wsc.MsgNack:
		return e.heardNack(frame)
	default:
		// M1, M3 … of another Enrollee, elements, unknown types: not for us.
		return e.ignore()
	}
}

// errIgnore says that a message is not of this run.
var errIgnore = errors.New("not of this run")

// handle runs one message's method if it is the one awaited. A message of this run out of order is
// answered with NACK 0 (hostap); one with another nonce is not of this run.
func (e *Enrollee) handle(now time.Time, frame []byte, want State,
	method func([]byte) ([]byte, State, error)) engine.Step {
	if e.state != want {
		if nonceOf(frame, wsc.AttrEnrolleeNonce) != e.enrolleeNonce {
			return e.ignore()
		}
		return e.nack(wsc.ConfigErrorNone, 0, fmt.Errorf("%w: message out of order", ErrProtocol))
	}
	msg, next, err := method(frame)
	if errors.Is(err, errIgnore) {
		return e.ignore()
	}
	if kind, peekErr := wsc.PeekMessageType(frame); peekErr == nil {
		e.last = kind
	}
	if err != nil {
		return e.reject(err)
	}
	return e.reply(now, frame, msg, next)
}

// errKeyHash is the ErrPublicKey of a key that does not fit its announced hash.
var errKeyHash = fmt.Errorf("%w: not the key that was announced", ErrPublicKey)

// m2 takes the Registrar's key and nonce and commits to our password with E-Hash1 and E-Hash2.
func (e *Enrollee) m2(frame []byte) ([]byte, State, error) {
	m, err := wsc.ParseM2(frame)
	if err != nil || m.EnrolleeNonce != e.enrolleeNonce {
		e.registrarNonce = nonceOf(frame, wsc.AttrRegistrarNonce) // for the NACK
		return nil, 0, ignoreUnless(err, frame, wsc.AttrEnrolleeNonce, e.enrolleeNonce)
	}
	e.registrarNonce = m.RegistrarNonce
	e.peer = m.Device
	if !acceptsPasswordID(e.password.ID, m.DevicePasswordID) {
		if alt := e.c.Alternative; alt == nil || alt.ID != m.DevicePasswordID {
			return nil, 0, fmt.Errorf("%w: %v, not %v", ErrPasswordID, m.DevicePasswordID,
				e.password.ID)
		}
		e.password = *e.c.Alternative
	}
	if e.c.APSettings != nil && e.c.SetupLocked {
		return nil, 0, ErrLocked
	}
	if h := e.c.RegistrarKeyHash; h != nil {
		if got := wsccrypto.PublicKeyHash(m.PublicKey); !equal(got[:], h[:]) {
			return nil, 0, errKeyHash
		}
	}
	e.registrarKey = bytes.Clone(m.PublicKey)
	if err := e.derive(m.PublicKey, e.c.Device.MAC); err != nil {
		return nil, 0, err
	}
	if !e.keys.CheckAuthenticator(e.previous, frame) {
		return nil, 0, ErrAuthenticator
	}
	e.previous = bytes.Clone(frame)
	if e.c.RegistrarKeyHash != nil {
		return e.abbreviated(m)
	}
	for i := range e.ownSNonce {
		if err := e.draw(e.ownSNonce[i][:]); err != nil {
			return nil, 0, err
		}
	}
	m3 := wsc.M3{RegistrarNonce: e.registrarNonce, EHash1: e.ownHash(0), EHash2: e.ownHash(1),
		Version2: e.version}
	return e.sign(m3.AppendBody(nil)), expectM4, nil
}

// acceptsPasswordID compares what we offered with what M2 says. WSC lets Default stand for
// Registrar-specified and back (P2P); some access points answer a push button with Default.
func acceptsPasswordID(ours, theirs wsc.DevicePasswordID) bool {
	switch {
	case ours == theirs:
		return true
	case ours == wsc.PasswordIDDefault:
		return theirs == wsc.PasswordIDRegistrarSpecified
	case ours == wsc.PasswordIDRegistrarSpecified, ours == wsc.PasswordIDPushButton:
		return theirs == wsc.PasswordIDDefault
	}
	return false
}

// m4 checks the Registrar's proof of half one, and only then gives ours: a rogue Registrar that
// does not know the password learns nothing it could test guesses on.
func (e *Enrollee) m4(frame []byte) ([]byte, State, error) {
	m, err := wsc.ParseM4(frame)
	if err != nil || m.EnrolleeNonce != e.enrolleeNonce {
		return nil, 0, ignoreUnless(err, frame, wsc.AttrEnrolleeNonce, e.enrolleeNonce)
	}
	s, err := e.open(frame, m.EncryptedSettings)
	if err != nil {
		return nil, 0, err
	}
	if s.RSNonce1 == nil {
		return nil, 0, fmt.Errorf("%w: M4 without R-SNonce1", ErrProtocol)
	}
	e.peerHash = [2][32]byte{m.RHash1, m.RHash2}
	if !e.proves(0, s.RSNonce1) {
		return nil, 0, ErrPassword
	}
	e.previous = bytes.Clone(frame)
	sealed, err := e.wrap(&wsc.Settings{ESNonce1: &e.ownSNonce[0]})
	if err != nil {
		return nil, 0, err
	}
	m5 := wsc.M5{RegistrarNonce: e.registrarNonce, EncryptedSettings: sealed, Version2: e.version}
	return e.sign(m5.AppendBody(nil)), expectM6, nil
}

// m6 checks the Registrar's proof of half two; M7 gives ours, and an access point's settings.
func (e *Enrollee) m6(frame []byte) ([]byte, State, error) {
	m, err := wsc.ParseM6(frame)
	if err != nil || m.EnrolleeNonce != e.enrolleeNonce {
		return nil, 0, ignoreUnless(err, frame, wsc.AttrEnrolleeNonce, e.enrolleeNonce)
	}
	s, err := e.open(frame, m.EncryptedSettings)
	if err != nil {
		return nil, 0, err
	}
	if s.RSNonce2 == nil {
		return nil, 0, fmt.Errorf("%w: M6 without R-SNonce2", ErrProtocol)
	}
	if !e.proves(1, s.RSNonce2) {
		return nil, 0, ErrPassword
	}
	e.previous = bytes.Clone(frame)
	sealed, err := e.wrap(&wsc.Settings{ESNonce2: &e.ownSNonce[1], AP: e.c.APSettings})
	if err != nil {
		return nil, 0, err
	}
	m7 := wsc.M7{RegistrarNonce: e.registrarNonce, EncryptedSettings: sealed, Version2: e.version}
	return e.sign(m7.AppendBody(nil)), expectM8, nil
}

// m8 takes what the run was for.
func (e *Enrollee) m8(frame []byte) ([]byte, State, error) {
	m, err := wsc.ParseM8(frame)
	if err != nil || m.EnrolleeNonce != e.enrolleeNonce {
		return nil, 0, ignoreUnless(err, frame, wsc.AttrEnrolleeNonce, e.enrolleeNonce)
	}
	s, err := e.open(frame, m.EncryptedSettings)
	if err != nil {
		return nil, 0, err
	}
	return e.accept(s)
}

// accept takes what a verified message brought, and says so.
func (e *Enrollee) accept(s *wsc.Settings) ([]byte, State, error) {
	isAP := e.c.APSettings != nil
	switch {
	case isAP && e.c.LearnOnly:
		return nil, 0, ErrLocked
	case isAP && s.AP == nil, !isAP && len(s.Credentials) == 0:
		return nil, 0, ErrNoCredential
	}
	next, brought := finished, s.Credentials
	if isAP {
		next, brought = expectAck, []wsc.Credential{*s.AP}
	}
	if e.c.Check != nil {
		if err := e.c.Check(brought); err != nil {
			return nil, 0, fmt.Errorf("%w: %w", ErrCredential, err)
		}
	}
	if isAP {
		e.outcome.APSettings = s.AP
	} else {
		e.outcome.Credentials = s.Credentials
	}
	done := wsc.Done{EnrolleeNonce: e.enrolleeNonce, RegistrarNonce: e.registrarNonce,
		Version2: e.version}
	return done.Append(nil), next, nil
}

// handleM2D acknowledges a Registrar that cannot enrol us now; another, or the same later, may.
func (e *Enrollee) handleM2D(now time.Time, frame []byte) engine.Step {
	m, err := wsc.ParseM2D(frame)
	if err != nil || m.EnrolleeNonce != e.enrolleeNonce || e.state != expectM2 {
		return e.ignore()
	}
	e.peer, e.m2d, e.last = m.Device, m, wsc.MsgM2D
	if e.c.APSettings != nil {
		e.registrarNonce = m.RegistrarNonce
		return e.nack(wsc.ConfigErrorNone, 0, ErrM2D)
	}
	ack := wsc.Ack{EnrolleeNonce: e.enrolleeNonce, RegistrarNonce: m.RegistrarNonce,
		Version2: e.version}
	return e.reply(now, frame, ack.Append(nil), expectM2)
}

// handleAck ends the run of an access point: the Registrar has our WSC_Done.
func (e *Enrollee) handleAck(frame []byte) engine.Step {
	a, err := wsc.ParseAck(frame)
	if err != nil || e.state != expectAck || a.EnrolleeNonce != e.enrolleeNonce ||
		a.RegistrarNonce != e.registrarNonce {
		return e.ignore()
	}
	e.last = wsc.MsgAck
	return e.finish(nil)
}

// Timeout implements engine.Machine. An access point that sent WSC_Done has what it needs; after
// M2D the reason is that the Registrar was not ready.
func (e *Enrollee) Timeout(now time.Time) engine.Step {
	switch {
	case e.state == finished || e.deadline.IsZero() || now.Before(e.deadline):
		return e.ignore()
	case e.state == expectAck:
		return e.finish(nil)
	case e.m2d != nil && e.state == expectM2:
		return e.endAfterM2D()
	}
	return e.core.Timeout(now)
}

// Abort implements engine.Machine.
func (e *Enrollee) Abort(time.Time) engine.Step {
	switch {
	case e.state == expectAck:
		return e.finish(nil)
	case e.m2d != nil && e.state == expectM2:
		return e.endAfterM2D()
	}
	return e.giveUp(ErrAborted, wsc.ConfigErrorNone)
}

// endAfterM2D ends a run whose last word was M2D, with the Registrar's reason.
func (e *Enrollee) endAfterM2D() engine.Step {
	reason := ErrM2D
	switch e.m2d.ConfigError {
	case wsc.ConfigErrorSetupLocked:
		reason = fmt.Errorf("%w: %w", ErrM2D, ErrLocked)
	case wsc.ConfigErrorMultiplePBCSessions:
		reason = fmt.Errorf("%w: %w", ErrM2D, ErrOverlap)
	case wsc.ConfigErrorPublicKeyHashMismatch:
		reason = fmt.Errorf("%w: %w", ErrM2D, ErrPublicKey)
	}
	e.fail(&Error{ConfigError: e.m2d.ConfigError, PasswordID: e.m2d.DevicePasswordID, Err: reason})
	return e.finish(nil)
}
