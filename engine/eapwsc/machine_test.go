package eapwsc

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"time"

	"wpsd/engine"
	"wpsd/engine/enginetest"
	"wpsd/engine/wsc"
)

// epoch is when tests begin.
var epoch = enginetest.Epoch

// talk is what the two sides of a conversation say, in turns. The side that is the Enrollee begins.
type talk [][]byte

// talker is a machine inside Peer or Server that says its part of a talk and notes whether it hears
// the other's. It is Done with the last message, sent or heard.
type talker struct {
	talk    talk
	next    int    // message that comes next
	begins  bool   // it says the messages 0, 2, 4, ...
	wrong   string // what it heard instead
	aborted bool
	calls   int
	lastly  []byte // its last word when it is aborted or runs out of time
	limit   time.Duration
	done    bool
}

func (m *talker) say(now time.Time) engine.Step {
	var s engine.Step
	if !m.done && m.next < len(m.talk) && (m.next%2 == 0) == m.begins {
		s.Send = [][]byte{bytes.Clone(m.talk[m.next])}
		m.next++
	}
	m.done = m.done || m.next == len(m.talk)
	s.Done = m.done
	if m.limit > 0 && !m.done {
		s.Deadline = now.Add(m.limit)
	}
	return s
}

func (m *talker) Start(now time.Time) engine.Step {
	m.calls++
	return m.say(now)
}

func (m *talker) Handle(now time.Time, frame []byte) engine.Step {
	m.calls++
	if m.done || m.next >= len(m.talk) || !bytes.Equal(frame, m.talk[m.next]) {
		m.wrong = fmt.Sprintf("message %d is %d bytes", m.next, len(frame))
		return engine.Step{Done: m.done}
	}
	m.next++
	return m.say(now)
}

func (m *talker) Timeout(now time.Time) engine.Step {
	if m.limit == 0 {
		return engine.Step{Done: m.done}
	}
	return m.Abort(now)
}

func (m *talker) Abort(time.Time) engine.Step {
	s := engine.Step{Done: true}
	if !m.done && m.lastly != nil {
		s.Send = [][]byte{bytes.Clone(m.lastly)}
	}
	m.aborted, m.done = !m.done, true
	return s
}

// complete reports whether the whole talk was said and heard.
func (m *talker) complete() bool { return m.next == len(m.talk) && m.wrong == "" }

// newTalk makes a talk of random messages.
func newTalk(seed uint64, sizes ...int) talk {
	r := rand.New(rand.NewPCG(seed, 3))
	var t talk
	for _, n := range sizes {
		msg := make([]byte, n)
		for i := range msg {
			msg[i] = byte(r.IntN(256))
		}
		if n > 0 {
			msg[0] = 0xff // no attribute begins so, or chance could make it a WSC_ACK
		}
		t = append(t, msg)
	}
	return t
}

// Packets as they are on the air.

func request(id uint8, m method, data ...byte) []byte {
	return newPacket(codeRequest, id, m, data)
}
func response(id uint8, m method, data ...byte) []byte {
	return newPacket(codeResponse, id, m, data)
}

func wscPacket(c code, id uint8, op opCode, flags byte, data ...byte) []byte {
	b := append(append([]byte{}, expandedWSC[:]...), byte(op), flags)
	return newPacket(c, id, methodExpanded, append(b, data...))
}

func wscRequest(id uint8, op opCode, flags byte, data ...byte) []byte {
	return wscPacket(codeRequest, id, op, flags, data...)
}

func wscResponse(id uint8, op opCode, flags byte, data ...byte) []byte {
	return wscPacket(codeResponse, id, op, flags, data...)
}

// Messages with the Message Types that have Op-Codes of their own.
var (
	ackMessage  = (&wsc.Ack{}).Append(nil)
	nackMessage = (&wsc.Nack{}).Append(nil)
	doneMessage = (&wsc.Done{}).Append(nil)
)

// turn is one packet that arrives and what is answered.
type turn struct {
	in, out []byte
	timeout bool          // in place of a packet: the deadline has passed
	after   time.Duration // before it
}
