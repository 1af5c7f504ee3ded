package sim

import (
	"time"

	"wpsd/engine"
	"wpsd/engine/wsc"
)

// Personality is how an access point differs from one that does everything right. Its functions are
// called from the goroutine of an association, without any lock held; only Elements is called with
// the lock of the World held, and must not call the World.
type Personality struct {
	// RefuseStatus refuses associations with this 802.11 status code; 0: not.
	RefuseStatus uint16
	// Deaf does not answer authentication and association at all.
	Deaf bool
	// Silent associates and then never says a word.
	Silent bool
	// M2DForever answers M1, and each WSC_ACK, with another M2D a second later.
	M2DForever bool
	// LeaveBefore deauthenticates (reason 3) in place of sending this WSC message; 0: not.
	LeaveBefore wsc.MessageType
	// StayAfter does not deauthenticate after the end of EAP.
	StayAfter bool
	// Message changes a WSC message on its way to the station, before EAP; nil back drops it.
	Message func(t wsc.MessageType, msg []byte) []byte
	// ToStation and FromStation change EAPOL frames: none back drops the frame, several repeat it.
	ToStation, FromStation func(frame []byte) [][]byte
	// Elements changes the elements of beacons and probe responses.
	Elements func(ies []byte) []byte
}

// m2dInterval paces M2DForever.
const m2dInterval = time.Second

// m2dForever is a Registrar that is never ready.
type m2dForever struct {
	device   wsc.Device
	nonce    wsc.Nonce
	due      time.Time // of the next M2D; zero: not before the station says something
	finished bool
}

var _ engine.Machine = (*m2dForever)(nil)

// Start implements engine.Machine.
func (m *m2dForever) Start(time.Time) engine.Step { return m.wait() }

// Handle implements engine.Machine.
func (m *m2dForever) Handle(now time.Time, frame []byte) engine.Step {
	t, err := wsc.PeekMessageType(frame)
	if err != nil || m.finished {
		return m.wait()
	}
	switch t {
	case wsc.MsgM1:
		if m1, err := wsc.ParseM1(frame); err == nil {
			m.nonce = m1.EnrolleeNonce
			return m.say()
		}
	case wsc.MsgAck:
		if (m.nonce != wsc.Nonce{}) {
			m.due = now.Add(m2dInterval)
		}
	case wsc.MsgNack:
		m.finished = true
	default: // nothing else is an answer to M2D
	}
	return m.wait()
}

func (m *m2dForever) wait() engine.Step {
	if m.finished {
		return engine.Step{Done: true}
	}
	return engine.Step{Deadline: m.due}
}

func (m *m2dForever) say() engine.Step {
	m.due = time.Time{}
	msg := wsc.M2D{Device: m.device, EnrolleeNonce: m.nonce}
	return engine.Step{Send: [][]byte{msg.Append(nil)}}
}

// Timeout implements engine.Machine.
func (m *m2dForever) Timeout(now time.Time) engine.Step {
	if m.finished || m.due.IsZero() || now.Before(m.due) {
		return m.wait()
	}
	return m.say()
}

// Abort implements engine.Machine.
func (m *m2dForever) Abort(time.Time) engine.Step {
	m.finished = true
	return m.wait()
}
