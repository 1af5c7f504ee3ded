package eapol

import (
	"time"

	"wpsd/engine"
)

const (
	// startPeriod and maxStart: how often EAPOL-Start is said (802.1X defaults, hostap behaviour).
	startPeriod = 30 * time.Second
	maxStart    = 3
	// defaultStartDelay is for an access point of version 2.0, which begins unasked.
	defaultStartDelay = 2 * time.Second
)

// SupplicantConfig is what a Supplicant needs.
type SupplicantConfig struct {
	Inner engine.Machine // an eapwsc.Peer
	// StartDelay is how long the access point has to begin before we ask it to. hostap waits 1 s if
	// its element has no Version2, because then it waits for EAPOL-Start, and 2 s otherwise. 0: 2
	// s.
	StartDelay time.Duration
}

// Supplicant is the station's side of 802.1X, an engine.Machine for one goroutine. It asks the
// access point to begin, and from then on carries EAP packets. Key frames are ignored: there is no
// handshake in a WPS association.
type Supplicant struct {
	config   SupplicantConfig
	starts   int       // EAPOL-Starts sent
	next     time.Time // when to say the next one, or to give up; zero: the access point has begun
	deadline time.Time // Inner's
	timedOut bool
	done     bool
}

var _ engine.Machine = (*Supplicant)(nil)

// NewSupplicant makes a Supplicant.
func NewSupplicant(c SupplicantConfig) *Supplicant {
	if c.StartDelay == 0 {
		c.StartDelay = defaultStartDelay
	}
	return &Supplicant{config: c}
}

// TimedOut reports whether the run ended because the access point never began, or because the
// machine inside says that it fell silent.
func (s *Supplicant) TimedOut() bool {
	inner, ok := s.config.Inner.(interface{ TimedOut() bool })
	return s.timedOut || ok && inner.TimedOut()
}

// Start implements engine.Machine.
func (s *Supplicant) Start(now time.Time) engine.Step {
	s.next = now.Add(s.config.StartDelay)
	return s.carry(now, s.config.Inner.Start(now))
}

// Handle implements engine.Machine.
func (s *Supplicant) Handle(now time.Time, frame []byte) engine.Step {
	t, body, ok := parse(frame)
	if !ok || t != typeEAP || s.done {
		return s.step(now, nil)
	}
	inner := s.config.Inner.Handle(now, body)
	if len(inner.Send) > 0 {
		s.next = time.Time{} // it has begun: that was a request, or there would be no answer
	}
	return s.carry(now, inner)
}

// Timeout implements engine.Machine.
func (s *Supplicant) Timeout(now time.Time) engine.Step {
	if s.done {
		return engine.Step{Done: true}
	}
	var frames [][]byte
	if due(s.next, now) {
		if s.starts == maxStart {
			s.timedOut = true
			return s.Abort(now)
		}
		s.starts++
		s.next = now.Add(startPeriod)
		frames = append(frames, newFrame(versionSupplicant, typeStart, nil))
	}
	if due(s.deadline, now) {
		inner := s.carry(now, s.config.Inner.Timeout(now))
		inner.Send = append(frames, inner.Send...)
		return inner
	}
	return s.step(now, frames)
}

// Abort implements engine.Machine.
func (s *Supplicant) Abort(now time.Time) engine.Step {
	if s.done {
		return engine.Step{Done: true}
	}
	return s.carry(now, s.config.Inner.Abort(now))
}

// carry passes on what the machine inside wants.
func (s *Supplicant) carry(now time.Time, inner engine.Step) engine.Step {
	s.deadline, s.done = inner.Deadline, s.done || inner.Done
	return s.step(now, wrap(versionSupplicant, inner.Send))
}

func (s *Supplicant) step(now time.Time, frames [][]byte) engine.Step {
	return step(now, frames, s.done, engine.Earlier(s.next, s.deadline))
}

// step makes a Step whose deadline is not in the past.
func step(now time.Time, frames [][]byte, done bool, deadline time.Time) engine.Step {
	switch {
	case done:
		deadline = time.Time{}
	case !deadline.IsZero() && deadline.Before(now):
		deadline = now
	}
	return engine.Step{Send: frames, Deadline: deadline, Done: done}
}

// due reports whether a deadline, which may be none, has passed.
func due(deadline, now time.Time) bool { return !deadline.IsZero() && !now.Before(deadline) }
