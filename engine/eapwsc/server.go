package eapwsc

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"time"

	"wpsd/engine"
)

// methodRepeats is when a Server repeats a request of the method, and when it gives up (hostap:
// three sends, 5 s apart).
var methodRepeats = []time.Duration{5 * time.Second, 5 * time.Second, 5 * time.Second}

// identityRepeats is the same for the Identity request, where the station may not be there yet.
var identityRepeats = []time.Duration{3 * time.Second, 6 * time.Second, 12 * time.Second,
	20 * time.Second, 20 * time.Second, 20 * time.Second}

// ServerConfig is what a Server needs.
type ServerConfig struct {
	// Inner gives the machine that talks to a station of this identity: a Registrar for
	// IdentityEnrollee, an Enrollee (of the access point) for IdentityRegistrar; nil refuses it.
	Inner        func(identity string) engine.Machine
	FragmentSize int // 0: DefaultFragmentSize
}

// serverState says which response a Server waits for.
//
//	expectIdentity ── known identity: WSC_Start or M1 ──▶ expectResponse ◀─────┐ last fragment is out,
//	     │                                                   │     ▲ FRAG_ACK  │ FRAG_ACK
//	     │ unknown                                           ▼     ▼           │
//	     │                                      expectAck (our message has more fragments)
//	     ▼                                                   │ Inner is Done, and all it said is answered
//	serverFinished ◀──────────────── EAP-Failure ────────────┘
type serverState uint8

const (
	expectIdentity serverState = iota
	expectResponse             // a message, or a fragment of one
	expectAck                  // WSC_FRAG_ACK
	serverFinished
)

// Server is the access point's side of EAP-WSC, an engine.Machine for one goroutine. Its frames are
// EAP packets. wpsd itself never runs an access point's EAP: a Server is the counterpart of Peers
// in simulations and tests, and behaves as hostapd's.
type Server struct {
	config   ServerConfig
	state    serverState
	identity string
	timedOut bool

	id      uint8  // of the request that waits for its response
	request []byte // to repeat it
	repeats []time.Duration
	repeat  time.Time

	discarded bool              // a response to it was discarded:
	lastSum   [sha256.Size]byte // its digest; its repetitions are as well

	in            assembler
	out           sender
	messages      int // whole ones
	inner         engine.Machine
	innerDone     bool
	innerDeadline time.Time
	queue         [][]byte
}

var _ engine.Machine = (*Server)(nil)

// NewServer makes a Server.
func NewServer(c ServerConfig) *Server {
	return &Server{config: c, out: sender{size: fragmentSize(c.FragmentSize)}}
}

// Identity is what the station called itself; empty before it did.
func (s *Server) Identity() string { return s.identity }

// TimedOut reports whether the run ended because the station fell silent.
func (s *Server) TimedOut() bool { return s.timedOut }

// Start implements engine.Machine.
func (s *Server) Start(now time.Time) engine.Step {
	if s.request != nil || s.state == serverFinished {
		return s.step(now)
	}
	return s.ask(now, newPacket(codeRequest, s.id+1, methodIdentity, nil), identityRepeats)
}

// Handle implements engine.Machine.
func (s *Server) Handle(now time.Time, frame []byte) engine.Step {
	pkt, ok := parsePacket(frame)
	if !ok || s.state == serverFinished || s.request == nil || pkt.code != codeResponse ||
		pkt.id != s.id {
		return s.step(now) // late, early or no response
	}
	switch {
	case s.state == expectIdentity && pkt.method == methodIdentity:
		return s.begin(now, string(pkt.data))
	case pkt.isNak(): // also in place of an identity: whatever it wants, we have nothing else
		return s.fail(now)
	case s.state == expectIdentity || !pkt.isWSC():
		return s.step(now)
	}
	f, ok := parseFragment(pkt.data)
	sum := sha256.Sum256(pkt.raw)
	if !ok || s.discarded && sum == s.lastSum {
		return s.step(now)
	}
	s.discarded, s.lastSum = false, sum
	if s.state == expectAck {
		if f.op != opFragAck {
			return s.fail(now)
		}
		return s.sendFragment(now)
	}
	return s.receive(now, f)
}

// begin starts the method with whatever the identity calls for.
func (s *Server) begin(now time.Time, identity string) engine.Step {
	s.identity = identity
	if s.inner = s.config.Inner(identity); s.inner == nil {
		return s.fail(now)
	}
	s.state = expectResponse
	s.take(now, s.inner.Start(now))
	if len(s.queue) == 0 && !s.innerDone { // a Registrar waits for M1
		return s.ask(now, newPacket(codeRequest, s.id+1, methodExpanded, bare(opStart)),
			methodRepeats)
	}
	return s.speak(now)
}

// receive takes a fragment or a whole message. A station that breaks the rules has lost (hostap's
// server): unlike a Peer, a Server knows that the response is meant for its request.
func (s *Server) receive(now time.Time, f fragment) engine.Step {
	if !f.op.carriesMessage() {
		return s.fail(now)
	}
	msg, v := s.in.add(f)
	switch v {
	case ignored:
		return s.step(now)
	case wantMore:
		return s.ask(now, newPacket(codeRequest, s.id+1, methodExpanded, bare(opFragAck)),
			methodRepeats)
	case complete:
		if op, known := opFor(msg); known && op != f.op {
			return s.fail(now)
		}
		if s.messages++; s.messages > maxMessages {
			return s.fail(now)
		}
		if !s.innerDone {
			s.take(now, s.inner.Handle(now, msg))
		}
		if s.innerDone && (f.op == opNack || f.op == opDone) {
			// a station that has said this answers no more (hostap's ends here too)
			return s.fail(now)
		}
		return s.speak(now)
	}
	return s.fail(now)
}

// take notes what the machine inside wants.
func (s *Server) take(now time.Time, step engine.Step) {
	if slices.ContainsFunc(step.Send, tooLong) {
		if !step.Done {
			s.inner.Abort(now)
		}
		step = engine.Step{Done: true}
	}
	if len(step.Send) > 0 {
		s.queue = step.Send
	}
	s.innerDeadline, s.innerDone = step.Deadline, step.Done
}

// speak sends what the machine inside has to say. If that is nothing, the response is discarded and
// its request repeated (RFC 4137), or the run is over.
func (s *Server) speak(now time.Time) engine.Step {
	switch {
	case len(s.queue) > 0:
		s.out.load(s.queue[0])
		s.queue = s.queue[1:]
		return s.sendFragment(now)
	case s.innerDone:
		return s.fail(now)
	}
	s.discarded = true
	return s.step(now)
}

func (s *Server) sendFragment(now time.Time) engine.Step {
	data := s.out.next()
	s.state = expectResponse
	if s.out.more() {
		s.state = expectAck
	}
	return s.ask(now, newPacket(codeRequest, s.id+1, methodExpanded, data), methodRepeats)
}

// ask sends a new request, and repeats it as told.
func (s *Server) ask(now time.Time, request []byte, repeats []time.Duration) engine.Step {
	s.id, s.request, s.discarded = s.id+1, bytes.Clone(request), false
	s.repeats, s.repeat = repeats[1:], now.Add(repeats[0])
	return s.step(now, request)
}

// Timeout implements engine.Machine.
func (s *Server) Timeout(now time.Time) engine.Step {
	switch {
	case s.state == serverFinished:
		return engine.Step{Done: true}
	case s.inner != nil && !s.innerDone && due(s.innerDeadline, now):
		s.take(now, s.inner.Timeout(now))
		if (len(s.queue) > 0 || s.innerDone) && !s.out.more() {
			return s.speak(now)
		}
		return s.step(now)
	case !due(s.repeat, now):
		return s.step(now)
	case len(s.repeats) == 0:
		s.timedOut = true
		return s.fail(now)
	}
	s.repeat, s.repeats = now.Add(s.repeats[0]), s.repeats[1:]
	return s.step(now, bytes.Clone(s.request))
}

// Abort implements engine.Machine. The last word of the machine inside goes out if it fits one
// packet, and EAP-Failure after it.
func (s *Server) Abort(now time.Time) engine.Step {
	if s.state == serverFinished || s.inner == nil || s.innerDone || s.out.more() {
		return s.fail(now)
	}
	s.take(now, s.inner.Abort(now))
	if len(s.queue) == 0 {
		return s.fail(now)
	}
	s.out.load(s.queue[0])
	data := s.out.next()
	if s.out.more() {
		return s.fail(now)
	}
	s.id++
	last := newPacket(codeRequest, s.id, methodExpanded, data)
	end := s.fail(now)
	end.Send = append([][]byte{last}, end.Send...)
	return end
}

// fail ends the run with EAP-Failure, as every run of this method ends. hostapd gives it the id of
// the last request.
func (s *Server) fail(now time.Time) engine.Step {
	if s.state == serverFinished {
		return engine.Step{Done: true}
	}
	if s.inner != nil && !s.innerDone {
		s.take(now, s.inner.Abort(now)) // for its Outcome
	}
	s.state = serverFinished
	s.queue, s.in, s.out.rest = nil, assembler{}, nil
	end := engine.Step{Done: true}
	if s.request != nil {
		end.Send = [][]byte{newResult(codeFailure, s.id)}
	}
	s.request = nil
	return end
}

// step is the Step of a run that goes on.
func (s *Server) step(now time.Time, send ...[]byte) engine.Step {
	if s.state == serverFinished {
		return engine.Step{Done: true}
	}
	deadline := s.repeat
	if s.inner != nil && !s.innerDone {
		deadline = engine.Earlier(deadline, s.innerDeadline)
	}
	if !deadline.IsZero() && deadline.Before(now) {
		deadline = now
	}
	return engine.Step{Send: send, Deadline: deadline}
}
