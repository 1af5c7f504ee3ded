package eapwsc

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"time"

	"wpsd/engine"
)

const (
	// silenceLimit is how long the access point may be silent: hostap repeats a request after 5 s,
	// twice, and gives up 5 s after that.
	silenceLimit = 15 * time.Second
	// endLimit is how long we wait for the closing EAP-Failure once all is said (hostap's peer).
	endLimit = 2 * time.Second
	// maxRounds bounds the requests that a Peer answers. The longest message takes 3,600 of the
	// smallest fragments; EAP's customary 100 would not do for a good run in fragments of 50 bytes.
	maxRounds = 10_000
	// maxRepeats bounds the answers to one request: hostapd repeats it twice, and others up to five
	// times.
	maxRepeats = 10
	// maxMessages bounds the whole messages of one run: it takes four, and one M2D for each
	// Registrar that does not want us.
	maxMessages = 64
	// maxAsides bounds the requests that are not the method's: a good access point asks for the
	// identity, perhaps twice, and may propose another method.
	maxAsides = 16
)

// PeerConfig is what a Peer needs.
type PeerConfig struct {
	Identity     string         // IdentityEnrollee or IdentityRegistrar: what Inner is
	Inner        engine.Machine // an Enrollee or Registrar; the Peer calls its Start
	FragmentSize int            // 0: DefaultFragmentSize
}

// peerState says what a Peer waits for.
//
//	             WSC_Start, or the
//	expectBegin ── AP's first M1 ──▶ expectMessage ◀────────────┐
//	     │                              │      ▲ whole message │ last fragment is out
//	     │                              ▼      └───── or FRAG_ACK of the AP's fragments
//	     │                       expectFragmentAck ─────────────┘
//	     │ EAP-Failure, silence         │ Inner is Done and its last message is out
//	     ▼                              ▼
//	  finished ◀── EAP-Failure, 2 s ── expectEnd
type peerState uint8

const (
	expectBegin       peerState = iota // nothing of the method yet: Identity, Nak
	expectMessage                      // a message, or a fragment of one
	expectFragmentAck                  // WSC_FRAG_ACK: our message has more fragments
	expectEnd                          // EAP-Failure or EAP-Success
	peerFinished
)

// Peer is the station's side of EAP-WSC, an engine.Machine for one goroutine. Its frames are EAP
// packets. How the run ended is asked of the machine inside.
type Peer struct {
	config   PeerConfig
	state    peerState
	rounds   int
	repeats  int // of the latest request
	messages int // whole ones
	asides   int // requests that are not the method's
	timedOut bool

	answered bool       // a request was answered: the following two hold
	last     requestKey // the newest of them
	response []byte     // our answer to it

	open     bool       // a request of the method is unanswered: the following holds
	asked    requestKey // Inner may still have something to say to it
	deadline time.Time  // of ours: silence, or the end

	in            assembler
	out           sender
	started       bool // Inner was started
	innerDone     bool
	innerDeadline time.Time
	queue         [][]byte // what Inner wants to send
}

// requestKey tells a request from the others: some servers use an id twice in a row.
type requestKey struct {
	id  uint8
	sum [sha256.Size]byte // of the whole packet
}

var _ engine.Machine = (*Peer)(nil)

// NewPeer makes a Peer.
func NewPeer(c PeerConfig) *Peer {
	return &Peer{config: c, out: sender{size: fragmentSize(c.FragmentSize)}}
}

// TimedOut reports whether the run ended because the access point fell silent.
func (p *Peer) TimedOut() bool { return p.timedOut }

// Start implements engine.Machine. A Peer waits for the access point, and for as long as its driver
// cares to: the limit of silence begins with the first request.
func (p *Peer) Start(now time.Time) engine.Step { return p.step(now, nil) }

// Handle implements engine.Machine.
func (p *Peer) Handle(now time.Time, frame []byte) engine.Step {
	pkt, ok := parsePacket(frame)
	switch {
	case !ok || p.state == peerFinished:
		return p.step(now, nil)
	case pkt.code == codeRequest:
		return p.request(now, pkt)
	case pkt.code == codeSuccess || pkt.code == codeFailure:
		return p.result(now, pkt)
	}
	return p.step(now, nil) // a response: not for us
}

// request answers a request, or ignores it and lets the access point repeat it.
func (p *Peer) request(now time.Time, pkt packet) engine.Step {
	key := requestKey{pkt.id, sha256.Sum256(pkt.raw)}
	switch {
	case p.answered && key == p.last:
		// A repetition: our answer was lost (RFC 3748, section 4.1). An equal id alone does not
		// make one, because some servers use ids twice in a row (hostap behaviour).
		if p.repeats++; p.repeats > maxRepeats {
			return p.step(now, nil) // not silence, and no run either: the limit of silence ends it
		}
		p.extend(now)
		return p.step(now, bytes.Clone(p.response))
	case p.open && key == p.asked:
		// ignored before and again, unless there is something to say now
		return p.step(now, p.flush(now))
	}
	p.open, p.asked = true, key
	if p.rounds >= maxRounds {
		return p.giveUp(now)
	}
	switch {
	case pkt.isWSC():
		if f, ok := parseFragment(pkt.data); ok {
			return p.method(now, f)
		}
	case p.tooManyAsides():
		p.open = false // anybody near can forge them: they are not answered, and end nothing
	case pkt.method == methodNotification:
		return p.step(now, p.answer(now, newPacket(codeResponse, pkt.id, methodNotification, nil)))
	case p.state != expectBegin || pkt.method == methodNak:
		// Another identity or method in the middle of ours: a peer's method is fixed (RFC 4137).
		p.open = false
	case pkt.method == methodIdentity:
		return p.step(now, p.answer(now, newPacket(codeResponse, pkt.id, methodIdentity,
			[]byte(p.config.Identity))))
	default:
		return p.step(now, p.answer(now, nak(pkt)))
	}
	return p.step(now, nil)
}

// tooManyAsides counts a request that is not the method's.
func (p *Peer) tooManyAsides() bool {
	p.asides++
	return p.asides > maxAsides
}

// method handles a request of our method.
func (p *Peer) method(now time.Time, f fragment) engine.Step {
	registrar := p.config.Identity == IdentityRegistrar
	switch p.state {
	case expectBegin:
		if f.op == opStart && !registrar {
			p.begin(now)
			return p.speak(now)
		}
		if registrar { // an access point that enrols begins with M1, without WSC_Start
			return p.receive(now, f)
		}
	case expectMessage:
		return p.receive(now, f)
	case expectFragmentAck:
		if f.op == opFragAck {
			return p.step(now, p.fragment(now))
		}
	}
	return p.step(now, nil) // a second WSC_Start, a WSC_FRAG_ACK of nothing, ...
}

// receive takes a fragment or a whole message. What cannot be is ignored (hostap's peer).
func (p *Peer) receive(now time.Time, f fragment) engine.Step {
	if !f.op.carriesMessage() {
		return p.step(now, nil)
	}
	msg, v := p.in.add(f)
	switch v {
	case wantMore:
		return p.step(now, p.answer(now, newPacket(codeResponse, p.asked.id, methodExpanded,
			bare(opFragAck))))
	case broken:
		return p.giveUp(now)
	case complete:
		if op, known := opFor(msg); known && op != f.op {
			return p.step(now, nil) // M5 as WSC_ACK: nobody sends that in earnest
		}
		if p.messages++; p.messages > maxMessages {
			return p.giveUp(now)
		}
		p.begin(now)
		p.take(now, p.config.Inner.Handle(now, msg))
		return p.speak(now)
	}
	return p.step(now, nil)
}

// begin starts the machine inside, once.
func (p *Peer) begin(now time.Time) {
	if !p.started {
		p.started, p.state = true, expectMessage
		p.take(now, p.config.Inner.Start(now))
	}
}

// take notes what the machine inside wants.
func (p *Peer) take(now time.Time, s engine.Step) {
	if slices.ContainsFunc(s.Send, tooLong) { // there is no receiver for it, so the run is over
		if !s.Done {
			p.config.Inner.Abort(now)
		}
		s = engine.Step{Done: true}
	}
	if len(s.Send) > 0 {
		p.queue = s.Send
	}
	p.innerDeadline, p.innerDone = s.Deadline, s.Done
}

// speak answers the open request with what the machine inside has to say. If that is nothing, the
// request stays open, or the run is over without a word, which hostap's peer does too.
func (p *Peer) speak(now time.Time) engine.Step {
	if len(p.queue) == 0 && p.innerDone {
		return p.finish(nil)
	}
	return p.step(now, p.flush(now))
}

// flush begins the next message if a request is open to answer it to.
func (p *Peer) flush(now time.Time) []byte {
	if len(p.queue) == 0 || !p.open || p.out.more() {
		return nil
	}
	p.out.load(p.queue[0])
	p.queue = p.queue[1:]
	return p.fragment(now)
}

// fragment answers the open request with the next fragment of our message.
func (p *Peer) fragment(now time.Time) []byte {
	b := p.answer(now, newPacket(codeResponse, p.asked.id, methodExpanded, p.out.next()))
	switch {
	case p.out.more():
		p.state = expectFragmentAck
	case p.innerDone && len(p.queue) == 0:
		p.state = expectEnd
		p.deadline = now.Add(endLimit)
	default:
		p.state = expectMessage
	}
	return b
}

// answer makes b the answer to the open request.
func (p *Peer) answer(now time.Time, b []byte) []byte {
	p.answered, p.last, p.response = true, p.asked, bytes.Clone(b)
	p.open = false
	p.repeats = 0
	p.rounds++
	p.extend(now)
	return b
}

// extend begins the limit of silence anew.
func (p *Peer) extend(now time.Time) {
	if p.state != expectEnd {
		p.deadline = now.Add(silenceLimit)
	}
}

// result handles EAP-Success and EAP-Failure. Neither is authentic, neither says how the run went,
// and both end it. The id must be that of a request near the last one we answered; access points
// count it in three ways (hostap behaviour). One before any request is left from an earlier run.
func (p *Peer) result(now time.Time, pkt packet) engine.Step {
	if !p.answered || pkt.id-p.last.id > 2 {
		return p.step(now, nil)
	}
	if !p.innerDone {
		p.take(now, p.config.Inner.Abort(now)) // for its Outcome: there is nobody left to tell
	}
	return p.finish(nil)
}

// Timeout implements engine.Machine.
func (p *Peer) Timeout(now time.Time) engine.Step {
	if p.state == peerFinished {
		return engine.Step{Done: true}
	}
	if p.state != expectEnd && !p.innerDone && due(p.deadline, now) {
		p.timedOut = true
		p.take(now, p.config.Inner.Timeout(now)) // its own limit may be the same
		return p.Abort(now)
	}
	var frame []byte
	if !p.innerDone && due(p.innerDeadline, now) {
		p.take(now, p.config.Inner.Timeout(now))
		frame = p.flush(now)
		switch {
		case !p.innerDone || frame != nil:
		case len(p.queue) == 0:
			return p.finish(nil)
		default: // a last word, and no request to answer with it: a short while for one to come
			p.deadline = now.Add(endLimit)
		}
	}
	if due(p.deadline, now) {
		return p.finish(frame)
	}
	return p.step(now, frame)
}

// Abort implements engine.Machine. The last word of the machine inside goes out only if a request
// is unanswered and it fits one packet: a Peer cannot speak unasked.
func (p *Peer) Abort(now time.Time) engine.Step {
	if p.state == peerFinished {
		return engine.Step{Done: true}
	}
	if !p.innerDone {
		p.take(now, p.config.Inner.Abort(now))
	}
	return p.finish(p.flush(now))
}

// giveUp ends the run because of what the access point sent. The machine inside has the last word,
// as the answer to it.
func (p *Peer) giveUp(now time.Time) engine.Step {
	if !p.innerDone {
		p.take(now, p.config.Inner.Abort(now))
	}
	p.innerDone = true
	if p.out.more() {
		return p.finish(nil)
	}
	return p.speak(now)
}

// finish ends the run.
func (p *Peer) finish(frame []byte) engine.Step {
	p.state = peerFinished
	p.response, p.queue, p.in, p.out.rest = nil, nil, assembler{}, nil
	s := engine.Step{Done: true}
	if frame != nil {
		s.Send = [][]byte{frame}
	}
	return s
}

// step is the Step of a run that goes on.
func (p *Peer) step(now time.Time, frame []byte) engine.Step {
	if p.state == peerFinished {
		return engine.Step{Done: true}
	}
	s := engine.Step{Deadline: p.deadline}
	if !p.innerDone {
		s.Deadline = engine.Earlier(s.Deadline, p.innerDeadline)
	}
	if !s.Deadline.IsZero() && s.Deadline.Before(now) {
		s.Deadline = now
	}
	if frame != nil {
		s.Send = [][]byte{frame}
	}
	return s
}
