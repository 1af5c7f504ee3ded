package eapwsc

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"wpsd/engine"
)

// play makes the turns on m and fails where it answers otherwise. It returns the last Step.
func play(t *testing.T, m engine.Machine, turns []turn) engine.Step {
	t.Helper()
	now := epoch
	s := m.Start(now)
	for i, x := range turns {
		now = now.Add(x.after)
		if x.timeout {
			if !s.Deadline.Equal(now) {
				t.Fatalf("turn %d: the deadline is %v after the start, want %v", i,
					s.Deadline.Sub(epoch), now.Sub(epoch))
			}
			s = m.Timeout(now)
		} else {
			s = m.Handle(now, x.in)
		}
		if got := bytes.Join(s.Send, nil); !bytes.Equal(got, x.out) {
			t.Fatalf("turn %d: sent %x, want %x", i, s.Send, x.out)
		}
	}
	return s
}

// Turns that many runs begin with. The messages of the talk in tables are "m1", "m2", ...
var (
	askIdentity = turn{in: request(1, methodIdentity),
		out: response(1, methodIdentity, []byte(IdentityEnrollee)...)}
	askRegistar = turn{in: request(1, methodIdentity),
		out: response(1, methodIdentity, []byte(IdentityRegistrar)...)}
	startToM1 = turn{in: wscRequest(2, opStart, 0), out: wscResponse(2, opMsg, 0, 'm', '1')}
)

func hear(f []byte) turn { return turn{in: f} }

func messages(text ...string) talk {
	var t talk
	for _, m := range text {
		t = append(t, []byte(m))
	}
	return t
}

func TestPeer(t *testing.T) {
	t.Parallel()
	m2 := wscRequest(3, opMsg, 0, 'm', '2')
	m3 := wscResponse(3, opMsg, 0, 'm', '3')
	toM3 := turn{in: m2, out: m3}
	part1 := wscRequest(3, opMsg, flagMore|flagLength, 0, 2, 'm')
	fragAck3 := wscResponse(3, opFragAck, 0)
	for _, c := range []struct {
		name      string
		registrar bool
		talk      talk // default: m1 m2 m3
		size      int
		turns     []turn
		done      bool
		complete  bool
		aborted   bool
		timedOut  bool
	}{
		{name: "a run goes its way and ends with EAP-Failure", done: true, complete: true,
			turns: []turn{askIdentity, startToM1, toM3, hear(newResult(codeFailure, 3))}},
		{name: "EAP-Success ends a run that is over as well", done: true, complete: true,
			turns: []turn{askIdentity, startToM1, toM3, hear(newResult(codeSuccess, 4))}},
		{name: "without either, a run that is over ends after 2 s", done: true, complete: true,
			turns: []turn{askIdentity, startToM1, toM3, {timeout: true, after: 2 * time.Second}}},
		{name: "the last answer is repeated if it was lost", complete: true,
			turns: []turn{askIdentity, startToM1, toM3, toM3,
				{in: m2, out: m3, after: time.Second}}},
		{name: "op codes follow the message types", complete: true,
			talk: talk{[]byte("m1"), ackMessage, ackMessage, nackMessage, doneMessage},
			turns: []turn{askIdentity, startToM1,
				{in: wscRequest(3, opAck, 0, ackMessage...),
					out: wscResponse(3, opAck, 0, ackMessage...)},
				{in: wscRequest(4, opNack, 0, nackMessage...),
					out: wscResponse(4, opDone, 0, doneMessage...)}}},
		{name: "an op code that does not fit the message type is ignored",
			talk: talk{[]byte("m1"), nackMessage, []byte("m3")},
			turns: []turn{askIdentity, startToM1, hear(wscRequest(3, opMsg, 0, nackMessage...)),
				hear(wscRequest(4, opDone, 0, nackMessage...))}},
		{name: "a Registrar begins with the access point's M1, without WSC_Start", registrar: true,
			talk: messages("m1", "m2", "m3", "m4"), complete: true,
			turns: []turn{askRegistar,
				{in: wscRequest(2, opMsg, 0, 'm', '1'), out: wscResponse(2, opMsg, 0, 'm', '2')},
				{in: wscRequest(3, opMsg, 0, 'm', '3'), out: wscResponse(3, opMsg, 0, 'm', '4')}}},
		{name: "a Registrar ignores WSC_Start", registrar: true,
			turns: []turn{askRegistar, hear(wscRequest(2, opStart, 0))}},
		{name: "an Enrollee ignores messages before WSC_Start",
			turns: []turn{askIdentity, hear(wscRequest(2, opMsg, 0, 'm', '1')), startToM1}},
		{name: "a second WSC_Start is ignored",
			turns: []turn{askIdentity, startToM1, hear(wscRequest(3, opStart, 0))}},
		{name: "an unknown op code is ignored",
			turns:    []turn{askIdentity, startToM1, hear(wscRequest(3, 0, 0, 'm', '2')), toM3},
			complete: true},
		{name: "a WSC_FRAG_ACK of nothing is ignored",
			turns: []turn{askIdentity, startToM1, hear(wscRequest(3, opFragAck, 0))}},
		{name: "a packet without flags is ignored",
			turns: []turn{askIdentity, startToM1,
				hear(request(3, methodExpanded, append(expandedWSC[:7:7], 4)...)),
				toM3}, complete: true},
		{name: "a packet cut within the message length is ignored",
			turns: []turn{askIdentity, startToM1,
				hear(wscRequest(3, opMsg, flagMore|flagLength, 0)), toM3}, complete: true},
		{name: "padding behind the packet is ignored", complete: true,
			turns: []turn{askIdentity, startToM1, {in: append(bytes.Clone(m2), 0, 0, 0), out: m3}}},
		{name: "a response is not for us", turns: []turn{askIdentity, startToM1,
			hear(wscResponse(3, opMsg, 0, 'm', '2')), toM3}, complete: true},
		{name: "EAP code 10 is ignored",
			turns: []turn{askIdentity, hear([]byte{10, 2, 0, 6, 254, 0}), startToM1}},
		{name: "the access point may begin without asking the identity",
			turns: []turn{startToM1, toM3}, complete: true},
		{name: "an identity is asked again, and answered again",
			turns: []turn{askIdentity, {in: request(2, methodIdentity),
				out: response(2, methodIdentity, []byte(IdentityEnrollee)...)}}},
		{name: "in the middle of the method the identity is not told",
			turns:    []turn{askIdentity, startToM1, hear(request(3, methodIdentity)), toM3},
			complete: true},
		{name: "a notification is acknowledged",
			turns: []turn{askIdentity, startToM1,
				{in: request(9, methodNotification, 'h', 'i'),
					out: response(9, methodNotification)}, toM3}, complete: true},
		{name: "EAP-TLS is refused with a legacy Nak",
			turns: []turn{askIdentity,
				{in: request(2, 13, 0x20), out: response(2, methodNak, 254)}}},
		{name: "another expanded method is refused with an expanded Nak",
			turns: []turn{askIdentity, {
				in: request(2, methodExpanded, 0, 0, 9, 0, 0, 0, 1),
				out: response(2, methodExpanded, 0, 0, 0, 0, 0, 0, 3, 254, 0, 0x37, 0x2a, 0,
					0, 0, 1)}}},
		{name: "a Nak as a request is ignored",
			turns: []turn{askIdentity, hear(request(2, methodNak, 254))}},
		{name: "another method in the middle of ours is ignored",
			turns:    []turn{askIdentity, startToM1, hear(request(3, 13, 0x20)), toM3},
			complete: true},
		{name: "a new request with the id of the last one is answered", complete: true,
			turns: []turn{askIdentity, startToM1,
				{in: wscRequest(2, opMsg, 0, 'm', '2'), out: wscResponse(2, opMsg, 0, 'm', '3')}}},

		{name: "EAP-Failure in the middle ends the run",
			turns: []turn{askIdentity, startToM1, hear(newResult(codeFailure, 2))}, done: true,
			aborted: true},
		{name: "and so does EAP-Success: nothing was given to us",
			turns: []turn{askIdentity, startToM1, hear(newResult(codeSuccess, 2))}, done: true,
			aborted: true},
		{name: "EAP-Failure after the identity ends the run",
			turns: []turn{askIdentity, hear(newResult(codeFailure, 1))}, done: true, aborted: true},
		{name: "EAP-Failure with a later id counts",
			turns: []turn{askIdentity, startToM1, hear(newResult(codeFailure, 4))}, done: true,
			aborted: true},
		{name: "EAP-Failure with a far id does not",
			turns: []turn{askIdentity, startToM1, hear(newResult(codeFailure, 5)),
				hear(newResult(codeFailure, 1)), toM3}, complete: true},
		{name: "EAP-Failure before any request is from another run",
			turns: []turn{hear(newResult(codeFailure, 0)), hear(newResult(codeFailure, 1)),
				askIdentity}},
		{name: "15 s of silence end the run",
			turns: []turn{askIdentity, startToM1, {timeout: true, after: 15 * time.Second}},
			done:  true, aborted: true, timedOut: true},
		{name: "silence after the identity as well",
			turns: []turn{askIdentity, {timeout: true, after: 15 * time.Second}}, done: true,
			aborted: true, timedOut: true},
		{name: "a repetition is no silence", turns: []turn{askIdentity, startToM1,
			{in: startToM1.in, out: startToM1.out, after: 10 * time.Second},
			{timeout: true, after: 15 * time.Second}}, done: true, aborted: true, timedOut: true},
		{name: "what is ignored does not break the silence",
			turns: []turn{askIdentity, startToM1,
				{in: wscRequest(3, 0, 0), after: 10 * time.Second},
				{timeout: true, after: 5 * time.Second,
					out: wscResponse(3, opNack, 0,
						nackMessage...)}}, done: true, aborted: true, timedOut: true},

		{name: "a message in two fragments is put together", complete: true,
			turns: []turn{askIdentity, startToM1, {in: part1, out: fragAck3},
				{in: wscRequest(4, opMsg, 0, '2'), out: wscResponse(4, opMsg, 0, 'm', '3')}}},
		{name: "a fragment that comes twice counts once", complete: true,
			turns: []turn{askIdentity, startToM1, {in: part1, out: fragAck3},
				{in: part1, out: fragAck3},
				{in: wscRequest(4, opMsg, 0, '2'), out: wscResponse(4, opMsg, 0, 'm', '3')}}},
		{name: "the length told again in a later fragment is taken if it is the same",
			complete: true,
			turns: []turn{askIdentity, startToM1, {in: part1, out: fragAck3},
				{in: wscRequest(4, opMsg, flagLength, 0, 2, '2'),
					out: wscResponse(4, opMsg, 0, 'm', '3')}}},
		{name: "and ignored if it is another", complete: true,
			turns: []turn{askIdentity, startToM1, {in: part1, out: fragAck3},
				hear(wscRequest(4, opMsg, flagLength, 0, 3, '2')),
				{in: wscRequest(4, opMsg, 0, '2'), out: wscResponse(4, opMsg, 0, 'm', '3')}}},
		{name: "a whole message may tell its length", complete: true,
			turns: []turn{askIdentity, startToM1,
				{in: wscRequest(3, opMsg, flagLength, 0, 2, 'm', '2'), out: m3}}},
		{name: "a whole message that tells another length is ignored", complete: true,
			turns: []turn{askIdentity, startToM1,
				hear(wscRequest(3, opMsg, flagLength, 0, 3, 'm', '2')),
				hear(wscRequest(3, opMsg, flagLength, 0, 1, 'm', '2')), toM3}},
		{name: "a first fragment without the length is ignored", complete: true,
			turns: []turn{askIdentity, startToM1, hear(wscRequest(3, opMsg, flagMore, 'm')), toM3}},
		{name: "a first fragment longer than the message is ignored", complete: true,
			turns: []turn{askIdentity, startToM1,
				hear(wscRequest(3, opMsg, flagMore|flagLength, 0, 1, 'm', '2')), toM3}},
		{name: "a message of 50,001 bytes is not begun", complete: true,
			turns: []turn{askIdentity, startToM1,
				hear(wscRequest(3, opMsg, flagMore|flagLength, 0xc3, 0x51, 'm')), toM3}},
		{name: "a fragment of nothing is ignored", complete: true,
			turns: []turn{askIdentity, startToM1,
				hear(wscRequest(3, opMsg, flagMore|flagLength, 0, 2)), toM3}},
		{name: "a fragment with another op code is ignored", complete: true,
			turns: []turn{askIdentity, startToM1, {in: part1, out: fragAck3},
				hear(wscRequest(4, opAck, 0, '2')),
				{in: wscRequest(4, opMsg, 0, '2'), out: wscResponse(4, opMsg, 0, 'm', '3')}}},
		{name: "more data than announced ends the run with our last word", aborted: true,
			turns: []turn{askIdentity, startToM1, {in: part1, out: fragAck3},
				{in: wscRequest(4, opMsg, 0, '2', '3'),
					out: wscResponse(4, opNack, 0, nackMessage...)}}},
		{name: "less data than announced ends it too", aborted: true,
			turns: []turn{askIdentity, startToM1,
				{in: wscRequest(3, opMsg, flagMore|flagLength, 0, 3, 'm'), out: fragAck3},
				{in: wscRequest(4, opMsg, 0, '2'),
					out: wscResponse(4, opNack, 0, nackMessage...)}}},
		{name: "more fragments than the message needs end it too", aborted: true,
			turns: []turn{askIdentity, startToM1, {in: part1, out: fragAck3},
				{in: wscRequest(4, opMsg, flagMore, '2'),
					out: wscResponse(4, opNack, 0, nackMessage...)}}},
		{name: "our message goes out in fragments, each after WSC_FRAG_ACK", size: 16,
			complete: true,
			talk:     messages(strings.Repeat("a", 12)+strings.Repeat("b", 14)+"c", "m2", "m3"),
			turns: []turn{askIdentity,
				{in: wscRequest(2, opStart, 0),
					out: wscResponse(2, opMsg, flagMore|flagLength,
						append([]byte{0, 27}, strings.Repeat("a", 12)...)...)},
				{in: wscRequest(3, opFragAck, 0),
					out: wscResponse(3, opMsg, flagMore, []byte(strings.Repeat("b", 14))...)},
				{in: wscRequest(3, opFragAck, 0),
					out: wscResponse(3, opMsg, flagMore, []byte(strings.Repeat("b", 14))...)},
				hear(wscRequest(4, opMsg, 0, 'm', '2')),
				{in: wscRequest(4, opFragAck, 0), out: wscResponse(4, opMsg, 0, 'c')},
				{in: wscRequest(5, opMsg, 0, 'm', '2'), out: wscResponse(5, opMsg, 0, 'm', '3')}}},
		{name: "a run does not end before the last fragment is out", size: 16,
			complete: true, done: true,
			talk: messages("m1", "m2", strings.Repeat("a", 12)+"bcd"),
			turns: []turn{askIdentity, startToM1,
				{in: m2, out: wscResponse(3, opMsg, flagMore|flagLength,
					append([]byte{0, 15}, strings.Repeat("a", 12)...)...)},
				{in: wscRequest(4, opFragAck, 0), out: wscResponse(4, opMsg, 0, 'b', 'c', 'd'),
					after: 10 * time.Second},
				{timeout: true, after: 2 * time.Second}}},
		{name: "a run that is over without a word ends at once", talk: messages("m1", "m2"),
			turns: []turn{askIdentity, startToM1, hear(m2)}, done: true, complete: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			identity := IdentityEnrollee
			if c.registrar {
				identity = IdentityRegistrar
			}
			if c.talk == nil {
				c.talk = messages("m1", "m2", "m3")
			}
			inner := &talker{talk: c.talk, begins: !c.registrar, lastly: nackMessage}
			p := NewPeer(PeerConfig{Identity: identity, Inner: inner, FragmentSize: c.size})
			s := play(t, p, c.turns)
			if s.Done != c.done || inner.complete() != c.complete || inner.aborted != c.aborted ||
				p.TimedOut() != c.timedOut {
				t.Errorf("done %v, complete %v, aborted %v, timed out %v", s.Done, inner.complete(),
					inner.aborted, p.TimedOut())
			}
		})
	}
}

func TestPeerLastWord(t *testing.T) {
	t.Parallel()
	nack := wscResponse(3, opNack, 0, nackMessage...)
	newRun := func(limit time.Duration) (*Peer, *talker) {
		inner := &talker{talk: messages("m1", "m2", "m3"), begins: true, lastly: nackMessage,
			limit: limit}
		return NewPeer(PeerConfig{Identity: IdentityEnrollee, Inner: inner}), inner
	}
	t.Run("Abort answers the request that was ignored", func(t *testing.T) {
		t.Parallel()
		p, _ := newRun(0)
		play(t, p, []turn{askIdentity, startToM1, hear(wscRequest(3, 0, 0))})
		if s := p.Abort(epoch); !s.Done || !bytes.Equal(bytes.Join(s.Send, nil), nack) {
			t.Errorf("got %+v", s)
		}
	})
	t.Run("Abort says nothing when nothing was asked", func(t *testing.T) {
		t.Parallel()
		p, inner := newRun(0)
		play(t, p, []turn{askIdentity, startToM1})
		if s := p.Abort(epoch); !s.Done || len(s.Send) != 0 || !inner.aborted {
			t.Errorf("got %+v", s)
		}
	})
	t.Run("when the machine inside runs out of time, its last word answers the next request",
		func(t *testing.T) {
			t.Parallel()
			p, _ := newRun(4 * time.Second)
			s := play(t, p, []turn{askIdentity, startToM1, {timeout: true, after: 4 * time.Second},
				{in: wscRequest(3, opMsg, 0, 'm', '2'), out: nack},
				{timeout: true, after: 2 * time.Second}})
			if !s.Done || p.TimedOut() {
				t.Errorf("got %+v", s)
			}
		})
	t.Run("or the repetition of one that was ignored", func(t *testing.T) {
		t.Parallel()
		p, _ := newRun(4 * time.Second)
		play(t, p, []turn{askIdentity, startToM1, hear(wscRequest(3, opStart, 0)),
			{timeout: true, after: 4 * time.Second, out: nack}})
	})
	t.Run("or nothing within 2 s", func(t *testing.T) {
		t.Parallel()
		p, _ := newRun(4 * time.Second)
		s := play(t, p, []turn{askIdentity, startToM1, {timeout: true, after: 4 * time.Second},
			{timeout: true, after: 2 * time.Second}})
		if !s.Done {
			t.Errorf("got %+v", s)
		}
	})
	t.Run("a message that no receiver takes ends the run", func(t *testing.T) {
		t.Parallel()
		inner := &talker{talk: talk{make([]byte, maxMessage+1), {}}, begins: true}
		p := NewPeer(PeerConfig{Identity: IdentityEnrollee, Inner: inner})
		if s := play(t, p, []turn{askIdentity, hear(wscRequest(2, opStart, 0))}); !s.Done ||
			!inner.aborted {
			t.Errorf("got %+v", s)
		}
	})
}

// TestPeerMemory: what a peer announces costs nothing; only what it sends does, up to the limit.
func TestPeerMemory(t *testing.T) {
	t.Parallel()
	p, inner := fuzzPeer(IdentityEnrollee)
	play(t, p, []turn{askIdentity})
	p.Handle(epoch, wscRequest(2, opStart, 0))
	for id := uint8(3); p.state == expectFragmentAck; id++ {
		p.Handle(epoch, wscRequest(id, opFragAck, 0))
	}
	arrived := 1
	p.Handle(epoch, wscRequest(99, opMsg, flagMore|flagLength, 0xc3, 0x50, 'x'))
	bounded(t, &p.in, arrived)
	chunk := bytes.Repeat([]byte{'y'}, 1000)
	for i := range 200 {
		s := p.Handle(epoch, wscRequest(uint8(100+i), opMsg, flagMore, chunk...))
		arrived += len(chunk)
		bounded(t, &p.in, arrived)
		if i < 49 && len(s.Send) != 1 {
			t.Fatalf("fragment %d is not acknowledged", i)
		}
	}
	if !inner.aborted || p.in.buffer != nil {
		t.Error("a message without an end goes on")
	}
}

// m2ToM3 is the middle of a run.
var m2ToM3 = turn{in: wscRequest(3, opMsg, 0, 'm', '2'), out: wscResponse(3, opMsg, 0, 'm', '3')}

func TestPeerAnswersOnlySoOften(t *testing.T) {
	t.Parallel()
	inner := &talker{talk: messages("m1", "m2", "m3"), begins: true}
	p := NewPeer(PeerConfig{Identity: IdentityEnrollee, Inner: inner})
	p.Start(epoch)
	n := 0
	for i := range 2 * maxRounds {
		n += len(p.Handle(epoch, request(uint8(i), methodNotification, byte(i>>8))).Send)
	}
	if n != maxAsides || inner.aborted {
		t.Errorf("%d notifications are answered", n)
	}
	play(t, p, []turn{startToM1, m2ToM3}) // whoever sent them has not ended the run
}

// TestPeerRepeatsOnlySoOften: the limit of silence goes on once nothing is answered any more.
func TestPeerRepeatsOnlySoOften(t *testing.T) {
	t.Parallel()
	inner := &talker{talk: messages("m1", "m2", "m3"), begins: true}
	p := NewPeer(PeerConfig{Identity: IdentityEnrollee, Inner: inner})
	p.Start(epoch)
	play(t, p, []turn{askIdentity, startToM1})
	n, deadline := 0, time.Time{}
	for i := range 1000 {
		s := p.Handle(epoch.Add(time.Duration(i)*time.Millisecond), startToM1.in)
		n, deadline = n+len(s.Send), s.Deadline
	}
	if want := epoch.Add(maxRepeats*time.Millisecond + silenceLimit); n != maxRepeats ||
		deadline.After(want) {
		t.Errorf("%d answers, and it waits until %v", n, deadline.Sub(epoch))
	}
	play(t, p, []turn{m2ToM3})
}

// TestPeerTakesOnlySoManyMessages: new ids make each repetition of a message a request of its own.
func TestPeerTakesOnlySoManyMessages(t *testing.T) {
	t.Parallel()
	for name, identity := range map[string]string{"as Enrollee": IdentityEnrollee,
		"as Registrar": IdentityRegistrar} {
		inner := &parrot{}
		p := NewPeer(PeerConfig{Identity: identity, Inner: inner})
		p.Start(epoch)
		n := 0
		if identity == IdentityEnrollee {
			p.Handle(epoch, wscRequest(0, opStart, 0))
		}
		for i := range 5000 {
			n += len(p.Handle(epoch, wscRequest(uint8(i+1), opMsg, 0, 'm', '1')).Send)
		}
		if n > maxMessages+1 || !inner.aborted {
			t.Errorf("%s: %d answers, aborted %v", name, n, inner.aborted)
		}
	}
}

// parrot has an answer to everything.
type parrot struct{ aborted bool }

func (p *parrot) Start(time.Time) engine.Step { return engine.Step{} }
func (p *parrot) Handle(time.Time, []byte) engine.Step {
	return engine.Step{Send: [][]byte{[]byte("m2")}}
}
func (p *parrot) Timeout(time.Time) engine.Step { return engine.Step{} }
func (p *parrot) Abort(time.Time) engine.Step {
	p.aborted = true
	return engine.Step{Done: true}
}
