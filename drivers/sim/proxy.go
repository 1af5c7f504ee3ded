package sim

import (
	"net/netip"
	"slices"
	"time"

	"wpsd/engine"
	"wpsd/engine/registration"
	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
)

// Times of a run with an External Registrar.
const (
	// proxyPatience is how long a station's message may wait for the External Registrar's answer
	// (hostapd).
	proxyPatience = 5 * time.Second
	// proxyLook is how often the machine looks for it: it is woken by nothing but its deadline.
	proxyLook = 10 * time.Millisecond
	// maxProxied bounds the answers that wait for the station.
	maxProxied = 8
)

// proxyState says who talks to the station.
//
//	own ── M1 without a password of ours: M2D ──▶ asked ── M2 of an External Registrar ──▶ external
//	 │                                             │                                           │
//	 │ M2                                          │ nobody answers       Done, NACK, no answer │
//	 ▼                                             ▼                                           ▼
//	(our Registrar alone)                         over                                        over
type proxyState uint8

const (
	proxyOwn      proxyState = iota
	proxyAsked               // External Registrars were asked; ours has said M2D
	proxyExternal            // one of them runs the protocol
	proxyOver
)

// proxy is our Registrar with External ones behind it: each M1 is told to them, and if ours has no
// password for it, one of them may let the station in (hostapd behaviour). Without subscribers it
// does nothing.
type proxy struct {
	inner   *registration.Registrar
	ap      *AP
	station wsc.MAC

	state   proxyState
	was     bool      // an External Registrar ran the protocol
	until   time.Time // its answer has to be there; zero: none is awaited
	done    bool      // the station said WSC_Done to it
	nack    wsc.ConfigError
	refused bool // WSC_NACK, of either

	// Guarded by the World's lock.
	registrar netip.Addr // of the External Registrar that runs the protocol
	pending   [][]byte   // what External Registrars answered
}

var _ engine.Machine = (*proxy)(nil)

// engaged reports whether an External Registrar ran the protocol.
func (p *proxy) engaged() bool { return p.was }

// failure is how a run of an External Registrar failed; nil: it did not.
func (p *proxy) failure() error {
	switch {
	case p.done:
		return nil
	case p.refused:
		return &registration.Error{ConfigError: p.nack, Err: registration.ErrNack}
	}
	return &registration.Error{ConfigError: wsc.ConfigErrorMessageTimeout,
		Err: registration.ErrTimeout}
}

// Start implements engine.Machine.
func (p *proxy) Start(now time.Time) engine.Step { return p.inner.Start(now) }

// Handle implements engine.Machine.
func (p *proxy) Handle(now time.Time, frame []byte) engine.Step {
	kind, err := wsc.PeekMessageType(frame)
	switch {
	case err != nil && p.state == proxyOwn:
		return p.inner.Handle(now, frame)
	case err != nil:
		return p.wait(now)
	case p.state == proxyOwn && kind != wsc.MsgM1:
		return p.inner.Handle(now, frame)
	case p.state == proxyOwn:
		return p.ask(now, frame)
	case p.state == proxyOver:
		return engine.Step{Done: true}
	}
	if kind == wsc.MsgAck { // of M2D: it goes on if somebody else answers
		p.until = now.Add(proxyPatience)
		return p.wait(now)
	}
	p.forward(frame)
	switch kind {
	case wsc.MsgDone:
		p.state, p.done = proxyOver, true
	case wsc.MsgNack:
		p.state, p.refused = proxyOver, true
		if n, err := wsc.ParseNack(frame); err == nil {
			p.nack = n.ConfigError
		}
	default:
		p.until = now.Add(proxyPatience)
	}
	return p.wait(now)
}

// ask tells External Registrars of a station and lets our own answer.
func (p *proxy) ask(now time.Time, m1 []byte) engine.Step {
	step := p.inner.Handle(now, m1)
	answered := false
	for _, m := range step.Send {
		kind, _ := wsc.PeekMessageType(m)
		answered = answered || kind == wsc.MsgM2
	}
	w := p.ap.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if !p.ap.lan.subscribed() {
		return step
	}
	p.ap.lan.tell(upnp.EventMessage, p.station, m1)
	if answered || len(step.Send) == 0 {
		return step
	}
	p.state, p.pending = proxyAsked, nil
	p.ap.lan.proxies = append(p.ap.lan.proxies, p)
	return step // its deadline is that of the station's WSC_ACK
}

// forward tells External Registrars what the station said.
func (p *proxy) forward(message []byte) {
	p.ap.world.mu.Lock()
	defer p.ap.world.mu.Unlock()
	p.ap.lan.tell(upnp.EventMessage, p.station, message)
}

// take keeps an answer for the station and reports whether there is a run for it. Once one
// Registrar runs the protocol the others are not heard. The World's lock is held.
func (p *proxy) take(from netip.Addr, message []byte) bool {
	kind, err := wsc.PeekMessageType(message)
	if err != nil || len(p.pending) >= maxProxied {
		return false
	}
	if p.registrar.IsValid() && p.registrar != from {
		return false
	}
	if kind == wsc.MsgM2 {
		p.registrar = from
	}
	p.pending = append(p.pending, slices.Clone(message))
	return true
}

// wait says what is to be done until an answer is there.
func (p *proxy) wait(now time.Time) engine.Step {
	if p.state == proxyOver {
		p.leave()
		return engine.Step{Done: true}
	}
	if p.until.IsZero() {
		return engine.Step{} // the station's turn; EAP repeats, and ends it
	}
	return engine.Step{Deadline: now.Add(proxyLook)}
}

// Timeout implements engine.Machine.
func (p *proxy) Timeout(now time.Time) engine.Step {
	if p.state == proxyOwn {
		return p.inner.Timeout(now)
	}
	if p.state == proxyAsked && p.until.IsZero() { // the station has not answered M2D
		p.state = proxyOver
		return p.wait(now)
	}
	next := p.next()
	switch {
	case next != nil:
		p.until = time.Time{}
		if kind, _ := wsc.PeekMessageType(next); kind != wsc.MsgM2D {
			p.state, p.was = proxyExternal, true
		}
		return engine.Step{Send: [][]byte{next}}
	case !now.Before(p.until):
		p.state = proxyOver
	}
	return p.wait(now)
}

// next takes the oldest answer.
func (p *proxy) next() []byte {
	p.ap.world.mu.Lock()
	defer p.ap.world.mu.Unlock()
	if len(p.pending) == 0 {
		return nil
	}
	m := p.pending[0]
	p.pending = p.pending[1:]
	return m
}

// leave takes the run out of the access point's books.
func (p *proxy) leave() {
	p.ap.world.mu.Lock()
	defer p.ap.world.mu.Unlock()
	p.ap.lan.proxies = slices.DeleteFunc(p.ap.lan.proxies, func(o *proxy) bool { return o == p })
}

// Abort implements engine.Machine.
func (p *proxy) Abort(now time.Time) engine.Step {
	p.leave()
	if p.state == proxyOwn {
		return p.inner.Abort(now)
	}
	p.state = proxyOver
	p.inner.Abort(now)
	return engine.Step{Done: true}
}
