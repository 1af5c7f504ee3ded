package registration

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"time"

	"wpsd/engine"
	"wpsd/engine/devpass"
	"wpsd/engine/wsc"
	"wpsd/engine/wsccrypto"
)

// handled is a message that was handled, and our answer, for its repetitions.
type handled struct {
	heard   []byte
	answer  [][]byte
	repeats int // answered
}

// core is what both machines have in common: the state, the keys, the last messages.
type core struct {
	state   State
	version wsc.Version // ours; 0: no WFA extension in what we send
	random  io.Reader
	peer    wsc.Device
	last    wsc.MessageType // newest message of the run, either way

	enrolleeNonce  wsc.Nonce
	registrarNonce wsc.Nonce
	enrolleeKey    []byte // PK_E as it was on the wire
	registrarKey   []byte // PK_R
	pair           *wsccrypto.KeyPair
	// made ahead of time, and not in use yet; it is this run's in any case
	given     *wsccrypto.KeyPair
	keys      *wsccrypto.Keys
	password  devpass.Password
	psk       [2][16]byte // PSK1 and PSK2: halves of the device password, not Wi-Fi PSKs
	ownSNonce [2]wsc.Nonce
	peerHash  [2][32]byte // the peer's E-Hash1/2 or R-Hash1/2

	previous []byte // the message that the next Authenticator covers as well
	newest   handled
	deadline time.Time
	outcome  Outcome
}

// draw fills b from the configured source.
func (c *core) draw(b []byte) error {
	if _, err := io.ReadFull(c.random, b); err != nil {
		return fmt.Errorf("%w: randomness: %w", ErrInternal, err)
	}
	return nil
}

func orRandom(r io.Reader) io.Reader {
	if r == nil {
		return rand.Reader
	}
	return r
}

// isRepeat reports whether frame is the newest handled message once more. EAP takes care of its
// own repetitions; UPnP and a lossy transport do not.
func (c *core) isRepeat(frame []byte) bool {
	return c.newest.heard != nil && bytes.Equal(frame, c.newest.heard)
}

// maxRepeats is how many repetitions are answered in one run. Who lost an answer repeats its
// message two or three times; a peer that goes on with that would have us answer for as long as a
// run may last.
const maxRepeats = 16

// repeat answers the newest handled message once more.
func (c *core) repeat() engine.Step {
	if c.newest.repeats == maxRepeats {
		return c.ignore()
	}
	c.newest.repeats++
	return engine.Step{Send: cloneAll(c.newest.answer), Deadline: c.deadline}
}

// ignore is the Step for a frame that does not count: nothing is sent, the deadline stays.
func (c *core) ignore() engine.Step {
	return engine.Step{Deadline: c.deadline, Done: c.state == finished}
}

// reply sends msg and waits for what next says.
func (c *core) reply(now time.Time, heard, msg []byte, next State) engine.Step {
	c.newest.heard = bytes.Clone(heard)
	c.newest.answer = [][]byte{msg}
	c.state = next
	if t, err := wsc.PeekMessageType(msg); err == nil {
		c.last = t
	}
	if next == finished {
		return c.finish(c.newest.answer)
	}
	c.deadline = now.Add(MessageTimeout)
	return engine.Step{Send: [][]byte{bytes.Clone(msg)}, Deadline: c.deadline}
}

// finish ends the machine and forgets every key.
func (c *core) finish(send [][]byte) engine.Step {
	c.state = finished
	c.deadline = time.Time{}
	if c.keys != nil {
		c.keys.Wipe()
	}
	for _, pair := range []*wsccrypto.KeyPair{c.pair, c.given} {
		if pair != nil {
			pair.Wipe()
		}
	}
	clear(c.psk[:])
	clear(c.ownSNonce[:])
	return engine.Step{Send: send, Done: true}
}

// fail records why the run ended, unless that is known already. A run that succeeded stays so.
func (c *core) fail(e *Error) {
	if c.outcome.Err == nil && c.state != finished {
		e.State = c.state
		c.outcome.Err = e
	}
}

// nack ends the run because of something found here, and says so to the peer.
func (c *core) nack(code wsc.ConfigError, half int, err error) engine.Step {
	c.fail(&Error{ConfigError: code, Local: true, Half: half, Err: err})
	return c.finish([][]byte{c.nackMessage(code)})
}

// reject is nack for what a message's method found. M6 and M7 prove the second half of the
// password.
func (c *core) reject(err error) engine.Step {
	half := 0
	if errors.Is(err, ErrPassword) {
		half = 1
		if c.state == expectM6 || c.state == expectM7 {
			half = 2
		}
	}
	return c.nack(codeFor(err), half, err)
}

func (c *core) nackMessage(code wsc.ConfigError) []byte {
	n := wsc.Nack{EnrolleeNonce: c.enrolleeNonce, RegistrarNonce: c.registrarNonce,
		ConfigError: code, Version2: c.version}
	c.last = wsc.MsgNack
	return n.Append(nil)
}

// heardNack ends the run because the peer says so, and answers with an empty NACK (hostap does).
func (c *core) heardNack(frame []byte) engine.Step {
	n, err := wsc.ParseNack(frame)
	if err != nil || n.EnrolleeNonce != c.enrolleeNonce || n.RegistrarNonce != c.registrarNonce {
		return c.ignore()
	}
	reason, half := ErrNack, 0
	switch n.ConfigError {
	case wsc.ConfigErrorDevicePasswordAuthFailure:
		// The Registrar's check of M5 or M7, or the Enrollee's of M4 or M6, failed.
		reason, half = ErrPassword, 1
		if c.state == expectM7 || c.state == expectM8 || c.state == expectDone {
			half = 2
		}
	case wsc.ConfigErrorSetupLocked:
		reason = ErrLocked
	case wsc.ConfigErrorMultiplePBCSessions:
		reason = ErrOverlap
	}
	c.fail(&Error{ConfigError: n.ConfigError, Half: half, Err: reason})
	c.last = wsc.MsgNack
	return c.finish([][]byte{c.nackMessage(wsc.ConfigErrorNone)})
}

// Timeout implements engine.Machine.
func (c *core) Timeout(now time.Time) engine.Step {
	if c.state == finished || c.deadline.IsZero() || now.Before(c.deadline) {
		return c.ignore()
	}
	return c.giveUp(ErrTimeout, wsc.ConfigErrorMessageTimeout)
}

// giveUp ends the run from our side. Before both nonces are known there is nobody to tell.
func (c *core) giveUp(why error, code wsc.ConfigError) engine.Step {
	if c.state == finished {
		return engine.Step{Done: true}
	}
	c.fail(&Error{ConfigError: code, Local: true, Err: why})
	if c.registrarNonce == (wsc.Nonce{}) || c.enrolleeNonce == (wsc.Nonce{}) {
		return c.finish(nil)
	}
	return c.finish([][]byte{c.nackMessage(code)})
}

// derive computes the keys of the run and both halves' PSKs.
func (c *core) derive(peerKey []byte, enrollee wsc.MAC) error {
	z, err := c.pair.SharedSecret(peerKey)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPublicKey, err)
	}
	c.keys = wsccrypto.DeriveKeys(z, c.enrolleeNonce, enrollee, c.registrarNonce)
	z.Wipe()
	first, second := c.password.Halves()
	c.psk = [2][16]byte{c.keys.PSK(first), c.keys.PSK(second)}
	return nil
}

// ownHash is our E-Hash or R-Hash over half i (0, 1).
func (c *core) ownHash(i int) [32]byte {
	return c.keys.Hash(c.ownSNonce[i], c.psk[i], c.enrolleeKey, c.registrarKey)
}

// open checks a message of the peer that carries Encrypted Settings: the Authenticator first.
func (c *core) open(frame, encrypted []byte) (*wsc.Settings, error) {
	if !c.keys.CheckAuthenticator(c.previous, frame) {
		return nil, ErrAuthenticator
	}
	return c.decrypt(encrypted)
}

// decrypt opens Encrypted Settings of a message that is authenticated.
func (c *core) decrypt(encrypted []byte) (*wsc.Settings, error) {
	plain, err := c.keys.Unwrap(encrypted)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAuthenticator, err)
	}
	defer clear(plain)
	s, err := wsc.ParseSettings(plain)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProtocol, err)
	}
	return s, nil
}

// proves checks the peer's proof of half i of the device password: its secret nonce must give the
// hash it committed to. Constant time: which byte differs must not show.
func (c *core) proves(i int, nonce *wsc.Nonce) bool {
	h := c.keys.Hash(*nonce, c.psk[i], c.enrolleeKey, c.registrarKey)
	return equal(h[:], c.peerHash[i][:])
}

// wrap encrypts settings for the peer.
func (c *core) wrap(s *wsc.Settings) ([]byte, error) {
	plain := s.Append(nil)
	defer clear(plain)
	b, err := c.keys.Wrap(c.random, plain)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInternal, err)
	}
	return b, nil
}

// sign completes a message with its Authenticator and remembers it for the next one.
func (c *core) sign(body []byte) []byte {
	msg := wsc.AppendAuthenticator(body, c.keys.Authenticator(c.previous, body))
	c.previous = bytes.Clone(msg)
	return msg
}

// State says what is awaited.
func (c *core) State() State { return c.state }

// LastMessage is the newest message of the run, sent or received; 0 before the first.
func (c *core) LastMessage() wsc.MessageType { return c.last }

// Peer is what the other side said of itself in M1, M2 or M2D.
func (c *core) Peer() wsc.Device { return c.peer }

// Outcome tells how the run ended, or what it holds so far.
func (c *core) Outcome() Outcome { return c.outcome }

// codeFor maps an error found here to the Configuration Error that the peer is told. hostap sends
// 0 for everything but the password, the lock and the key.
func codeFor(err error) wsc.ConfigError {
	switch {
	case errors.Is(err, ErrPassword):
		return wsc.ConfigErrorDevicePasswordAuthFailure
	case errors.Is(err, ErrLocked):
		return wsc.ConfigErrorSetupLocked
	case errors.Is(err, ErrOverlap):
		return wsc.ConfigErrorMultiplePBCSessions
	case errors.Is(err, errKeyHash):
		return wsc.ConfigErrorPublicKeyHashMismatch
	}
	return wsc.ConfigErrorNone
}

// equal compares in constant time.
func equal(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }

// nonceOf returns the nonce attribute id of a message, zero when it has none.
func nonceOf(frame []byte, id wsc.AttributeID) wsc.Nonce {
	var n wsc.Nonce
	for a, v := range wsc.Attributes(frame) {
		if a == id && len(v) == len(n) {
			n = wsc.Nonce(v)
		}
	}
	return n
}

// ignoreUnless turns a parse error into ErrProtocol if the message carries our nonce and is thus of
// this run, otherwise into errIgnore.
func ignoreUnless(err error, frame []byte, id wsc.AttributeID, nonce wsc.Nonce) error {
	if err == nil || nonceOf(frame, id) != nonce {
		return errIgnore
	}
	return fmt.Errorf("%w: %w", ErrProtocol, err)
}

func cloneAll(frames [][]byte) [][]byte {
	c := make([][]byte, len(frames))
	for i, f := range frames {
		c[i] = bytes.Clone(f)
	}
	return c
}
