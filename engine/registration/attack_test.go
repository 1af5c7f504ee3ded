package registration

import (
	"bytes"
	"errors"
	"testing"

	"wpsd/engine/devpass"
	"wpsd/engine/enginetest"
	"wpsd/engine/wsc"
)

// altered is a message in which one bit of an attribute is another.
func altered(frame []byte, id wsc.AttributeID) []byte {
	var b []byte
	for a, v := range wsc.Attributes(frame) {
		v = bytes.Clone(v)
		if a == id {
			v[len(v)-1] ^= 1
		}
		b = wsc.AppendAttribute(b, a, v)
	}
	return b
}

// with runs p, and lets alter change what it wants of each message of a kind that arrives.
func (p pair) with(t *testing.T, kind wsc.MessageType,
	alter func(e *Enrollee, r *Registrar, frame []byte) [][]byte) (*Enrollee, *Registrar) {
	t.Helper()
	e, r := p.machines(t)
	met := false
	l := enginetest.Loopback{A: e, B: r, Describe: describe,
		Channel: func(_ int, _ bool, frame []byte) [][]byte {
			if got, err := wsc.PeekMessageType(frame); err != nil || got != kind {
				return [][]byte{frame}
			}
			met = true
			return alter(e, r, frame)
		}}
	if text, err := l.Run(); err != nil || !met {
		t.Fatalf("%v\n%s", err, text)
	}
	return e, r
}

// TestEachAuthenticatorCounts: a message with a wrong one ends the run at that message, and not
// when a later one shows it.
func TestEachAuthenticatorCounts(t *testing.T) {
	t.Parallel()
	for kind, at := range map[wsc.MessageType]State{
		wsc.MsgM2: expectM2, wsc.MsgM3: expectM3, wsc.MsgM4: expectM4, wsc.MsgM5: expectM5,
		wsc.MsgM6: expectM6, wsc.MsgM7: expectM7, wsc.MsgM8: expectM8,
	} {
		t.Run(kind.String(), func(t *testing.T) {
			t.Parallel()
			e, r := stationPair(pin("12345670")).with(t, kind,
				func(_ *Enrollee, _ *Registrar, frame []byte) [][]byte {
					return [][]byte{altered(frame, wsc.AttrAuthenticator)}
				})
			outcome := e.Outcome()
			if at == expectM3 || at == expectM5 || at == expectM7 {
				outcome = r.Outcome()
			}
			var err *Error
			if !errors.As(outcome.Err, &err) || !errors.Is(err, ErrAuthenticator) ||
				err.State != at {
				t.Errorf("it ended with %v", outcome.Err)
			}
			if n := len(e.Outcome().Credentials); n != 0 {
				t.Errorf("%d Credentials", n)
			}
		})
	}
}

// TestWhoCommittedToAnotherPIN: an Enrollee that does not know a half of the PIN commits to a guess
// in M3. That it lets the Registrar's proof pass, and learns from it, does not help it: it cannot
// open what it committed to.
func TestWhoCommittedToAnotherPIN(t *testing.T) {
	t.Parallel()
	for half, guess := range map[int]string{1: "99995670", 2: "12349999"} {
		p := stationPair(pin(guess))
		p.r.Password = knows(pin("12345670"))
		e, r := p.with(t, wsc.MsgM4, func(e *Enrollee, r *Registrar, frame []byte) [][]byte {
			e.psk = r.psk // from now on it believes everything
			return [][]byte{frame}
		})
		checkEnd(t, "Registrar", r.Outcome().Err, ErrPassword,
			wsc.ConfigErrorDevicePasswordAuthFailure, half)
		if n := len(e.Outcome().Credentials); n != 0 {
			t.Errorf("half %d: %d Credentials", half, n)
		}
	}
}

// TestMessagesOfAnotherRun are ignored: they neither move a run nor end it.
func TestMessagesOfAnotherRun(t *testing.T) {
	t.Parallel()
	for kind, nonce := range map[wsc.MessageType]wsc.AttributeID{
		wsc.MsgM2: wsc.AttrEnrolleeNonce, wsc.MsgM3: wsc.AttrRegistrarNonce,
		wsc.MsgM4: wsc.AttrEnrolleeNonce, wsc.MsgM5: wsc.AttrRegistrarNonce,
		wsc.MsgM6: wsc.AttrEnrolleeNonce, wsc.MsgM7: wsc.AttrRegistrarNonce,
		wsc.MsgM8: wsc.AttrEnrolleeNonce,
	} {
		e, r := stationPair(pin("12345670")).with(t, kind,
			func(_ *Enrollee, _ *Registrar, frame []byte) [][]byte {
				return [][]byte{altered(frame, nonce), frame}
			})
		if e.Outcome().Err != nil || r.Outcome().Err != nil || r.LastMessage() != wsc.MsgDone {
			t.Errorf("%v of another run: %v, %v", kind, e.Outcome().Err, r.Outcome().Err)
		}
	}
	for _, nonce := range []wsc.AttributeID{wsc.AttrEnrolleeNonce, wsc.AttrRegistrarNonce} {
		wrong := stationPair(pin("99995670"))
		wrong.r.Password = knows(pin("12345670"))
		_, r := wrong.with(t, wsc.MsgNack, func(_ *Enrollee, _ *Registrar, frame []byte) [][]byte {
			return [][]byte{altered(frame, nonce)}
		})
		if err := r.Outcome().Err; !errors.Is(err, ErrTimeout) {
			t.Errorf("WSC_NACK with another %v counts: %v", nonce, err)
		}
	}
	refused := stationPair(pin("12345670"))
	refused.r.Password = knows(devpass.PushButton())
	refusedAP := apPair(pin("12345670"))
	refusedAP.r.Password = knows(devpass.PushButton())
	configured, settings := apPair(pin("12345670")), credential("new name", "new passphrase")
	configured.r.NewSettings = &settings
	for _, c := range []struct {
		name  string
		pair  pair
		kind  wsc.MessageType
		nonce wsc.AttributeID
	}{
		{"WSC_Done with another Enrollee Nonce", stationPair(pin("12345670")), wsc.MsgDone,
			wsc.AttrEnrolleeNonce},
		{"WSC_Done with another Registrar Nonce", stationPair(pin("12345670")), wsc.MsgDone,
			wsc.AttrRegistrarNonce},
		{"WSC_ACK with another Enrollee Nonce", refused, wsc.MsgAck, wsc.AttrEnrolleeNonce},
		{"WSC_NACK to M2D with another Enrollee Nonce", refusedAP, wsc.MsgNack,
			wsc.AttrEnrolleeNonce},
		{"an access point's WSC_ACK with another Enrollee Nonce", configured, wsc.MsgAck,
			wsc.AttrEnrolleeNonce},
		{"an access point's WSC_ACK with another Registrar Nonce", configured, wsc.MsgAck,
			wsc.AttrRegistrarNonce},
	} {
		e, r := c.pair.with(t, c.kind, func(_ *Enrollee, _ *Registrar, frame []byte) [][]byte {
			return [][]byte{altered(frame, c.nonce)}
		})
		last := r.LastMessage()
		if c.pair.r.NewSettings != nil {
			last = e.LastMessage()
		}
		if last == c.kind {
			t.Errorf("%s counts", c.name)
		}
	}
}
