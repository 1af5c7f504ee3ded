package eapol

import (
	"time"

	"wpsd/engine"
)

// AuthenticatorConfig is what an Authenticator needs.
type AuthenticatorConfig struct {
	Inner engine.Machine // an eapwsc.Server
	// WaitForStart holds the first EAP request back until EAPOL-Start, as hostapd does with a
	// station whose association request has no Version2.
	WaitForStart bool
}

// Authenticator is the access point's side of 802.1X, an engine.Machine for one goroutine.
type Authenticator struct {
	config   AuthenticatorConfig
	begun    bool
	deadline time.Time
	done     bool
}

var _ engine.Machine = (*Authenticator)(nil)

// NewAuthenticator makes an Authenticator.
func NewAuthenticator(c AuthenticatorConfig) *Authenticator { return &Authenticator{config: c} }

// Start implements engine.Machine.
func (a *Authenticator) Start(now time.Time) engine.Step {
	if a.config.WaitForStart {
		return a.step(now, nil)
	}
	return a.begin(now)
}

// Handle implements engine.Machine.
func (a *Authenticator) Handle(now time.Time, frame []byte) engine.Step {
	t, body, ok := parse(frame)
	switch {
	case !ok || a.done:
	case t == typeStart && !a.begun:
		return a.begin(now)
	case t == typeEAP && a.begun:
		return a.carry(now, a.config.Inner.Handle(now, body))
	case t == typeLogoff:
		return a.Abort(now)
	}
	return a.step(now, nil) // another EAPOL-Start crossed our request, which is repeated anyway
}

// Timeout implements engine.Machine.
func (a *Authenticator) Timeout(now time.Time) engine.Step {
	if a.done || !due(a.deadline, now) {
		return a.step(now, nil)
	}
	return a.carry(now, a.config.Inner.Timeout(now))
}

// Abort implements engine.Machine.
func (a *Authenticator) Abort(now time.Time) engine.Step {
	if a.done {
		return engine.Step{Done: true}
	}
	return a.carry(now, a.config.Inner.Abort(now))
}

func (a *Authenticator) begin(now time.Time) engine.Step {
	a.begun = true
	return a.carry(now, a.config.Inner.Start(now))
}

// carry passes on what the machine inside wants.
func (a *Authenticator) carry(now time.Time, inner engine.Step) engine.Step {
	a.deadline, a.done = inner.Deadline, a.done || inner.Done
	return a.step(now, wrap(versionAuthenticator, inner.Send))
}

func (a *Authenticator) step(now time.Time, frames [][]byte) engine.Step {
	return step(now, frames, a.done, a.deadline)
}
