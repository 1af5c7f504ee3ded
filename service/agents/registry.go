package agents

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"wpsd/engine/credential"
	"wpsd/service/fence"
	"wpsd/service/outcome"
	"wpsd/service/state"
)

const (
	// Max bounds the agents, those included that are gone but still have a call to answer.
	Max = 16
	// CallTime is how long an agent may take for one credential. One that takes longer is
	// unregistered.
	CallTime = 25 * time.Second
	// Pause is how long an agent that refused a credential is left alone with it.
	Pause = time.Minute
	// LastTime is what agents have when the daemon ends.
	LastTime = 2 * time.Second
)

// What RegisterAgent and UnregisterAgent return.
var (
	ErrExists  = outcome.ErrAgentExists
	ErrUnknown = outcome.ErrNoAgent
	ErrTooMany = outcome.ErrTooManyAgents
)

// errHangs is why an agent was unregistered, for the log.
var errHangs = errors.New("it did not answer in time")

// Hub is what the registry tells. It is called with the registry's lock held, and must not call
// back.
type Hub interface {
	// CredentialsWaiting tells how many credentials wait for an agent, when that changed.
	CredentialsWaiting(n int)
	// AgentEnded tells that an agent is gone, which nobody else tells.
	AgentEnded()
}

// Registry has the agents, and the credentials that wait for them. Its methods are safe for
// concurrent use.
type Registry struct {
	hub   Hub
	log   *slog.Logger
	tasks sync.WaitGroup // one goroutine for each agent

	mu       sync.Mutex
	closed   error // why no agent is taken any more; nil: it is
	draining bool  // agents get what is left, and end
	agents   map[*agent]struct{}
	pending  pendingCredentials
	waiting  int // as the hub was told last
}

// New makes a Registry without agents.
func New(hub Hub, log *slog.Logger) *Registry {
	return &Registry{hub: hub, log: log, agents: make(map[*agent]struct{})}
}

// Agent is a program that takes credentials when processing is external or both. An Agent is called
// by one goroutine at a time, and a slow one delays no other.
type Agent interface {
	// Take hands over one credential and returns nil once the agent has it. What d holds is wiped
	// when Take returns. The error must not hold what the agent said: that could be the key.
	Take(ctx context.Context, d Delivery) error
	// Release tells that there are no more calls. It does not block.
	Release()
}

// Delivery is one Credential attribute on its way to an Agent.
type Delivery struct {
	Session state.SessionID // which may be forgotten already
	// Network is made of this attribute alone; Raw is the attribute with its header, as it came.
	// Auth may be one that Session's own credentials leave out: an agent may have use for it.
	Network credential.Network
}

// agent is an Agent at work. Registry.mu guards it.
type agent struct {
	Agent
	owner, name string
	cancel      context.CancelFunc
	gone        bool          // unregistered: nothing more is offered
	left        bool          // and nobody is there to be told
	wake        chan struct{} // holds a value while there may be news
}

// awaken makes the agent's goroutine look at what there is to do.
func (a *agent) awaken() {
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// RegisterAgent lets an agent have every credential from now on, and first those that nobody took
// so far. owner is opaque (see ReleaseOwner), and name tells the agents of an owner apart. After
// Close it fails with what Close was told.
func (r *Registry) RegisterAgent(_ context.Context, owner, name string, to Agent) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.findAgent(owner, name) != nil:
		return ErrExists
	case len(r.agents) >= Max:
		return ErrTooMany
	case r.closed != nil:
		return r.closed
	}
	// Not ended by the daemon's end: Close gives it a moment for what was received last.
	ctx, cancel := context.WithCancel(context.Background())
	a := &agent{Agent: to, owner: owner, name: name, cancel: cancel, wake: make(chan struct{}, 1)}
	r.agents[a] = struct{}{}
	r.pending.offerAll(a)
	r.tasks.Go(fence.Func(r.log, "a credential agent", func() { r.serveAgent(ctx, a) }, nil))
	r.log.Info("credential agent registered", "owner", owner, "name", name)
	return nil
}

// UnregisterAgent ends what RegisterAgent began. A call that the agent is answering goes on and
// counts; the agent is released after it.
func (r *Registry) UnregisterAgent(owner, name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := r.findAgent(owner, name)
	if a == nil {
		return ErrUnknown
	}
	r.dismiss(a, "reason", "it asked for it")
	return nil
}

// HasAgent reports whether an owner has an agent.
func (r *Registry) HasAgent(owner string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for a := range r.agents {
		if a.owner == owner && !a.gone {
			return true
		}
	}
	return false
}

// findAgent is called with mu held.
func (r *Registry) findAgent(owner, name string) *agent {
	for a := range r.agents {
		if a.owner == owner && a.name == name && !a.gone {
			return a
		}
	}
	return nil
}

// dismiss lets an agent end after the call it is in. The caller holds mu.
func (r *Registry) dismiss(a *agent, why ...any) {
	if a.gone {
		return
	}
	a.gone = true
	r.pending.removeAgent(a)
	r.publishWaiting()
	a.awaken()
	r.log.Info("credential agent unregistered",
		append([]any{"owner", a.owner, "name", a.name}, why...)...)
}

// ReleaseOwner ends the agents of an owner that is gone, and their calls.
func (r *Registry) ReleaseOwner(owner string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for a := range r.agents {
		if a.owner == owner {
			a.left = true
			r.dismiss(a, "reason", "it left")
			a.cancel()
		}
	}
}

// Offer gives credentials to all agents, and keeps them until one has taken them. They are the
// registry's from now on.
func (r *Registry) Offer(id state.SessionID, networks []credential.Network) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, n := range networks {
		k := &pendingCredential{Delivery: Delivery{id, n}, due: make(map[*agent]time.Time)}
		for a := range r.agents {
			if !a.gone {
				k.due[a] = time.Time{}
				a.awaken()
			}
		}
		if dropped := r.pending.add(k); dropped != nil && !dropped.taken {
			r.log.Error("too many credentials wait for an agent: the oldest one is gone", "session",
				dropped.Session)
		}
		k.expire = time.AfterFunc(KeepTime,
			fence.Func(r.log, "forgetting a credential", func() { r.expire(k) }, nil))
	}
	r.publishWaiting()
}

// expire drops a credential that nobody took in time.
func (r *Registry) expire(k *pendingCredential) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pending.remove(k) && !k.taken {
		r.log.Error("no agent took a credential in time: it is gone", "session", k.Session)
	}
	r.publishWaiting()
}

// publishWaiting tells how many credentials wait, if that changed. The caller holds mu.
func (r *Registry) publishWaiting() {
	if n := r.pending.untaken(); n != r.waiting {
		r.waiting = n
		r.hub.CredentialsWaiting(n)
	}
}

// Waiting counts the credentials that no agent has taken yet.
func (r *Registry) Waiting() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.pending.untaken()
}

// Count counts the agents, those included that are gone but still have a call to answer.
func (r *Registry) Count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.agents)
}

// serveAgent is an agent's goroutine: it hands over what is due, one after the other.
func (r *Registry) serveAgent(ctx context.Context, a *agent) {
	defer r.endAgent(a)
	for {
		k, d, next := r.nextFor(a)
		if k != nil {
			r.call(ctx, a, k, d)
			continue
		}
		if r.agentIsDone(a) {
			return
		}
		if !a.wait(ctx, next) {
			return
		}
	}
}

// wait waits for news or the time next, unless that is zero. It reports whether to go on.
func (a *agent) wait(ctx context.Context, next time.Time) bool {
	var later <-chan time.Time
	if !next.IsZero() {
		t := time.NewTimer(time.Until(next))
		defer t.Stop()
		later = t.C
	}
	select {
	case <-a.wake:
	case <-later:
	case <-ctx.Done():
		return false
	}
	return true
}

// nextFor finds what an agent gets next, with secrets of its own, or says when there is something.
func (r *Registry) nextFor(a *agent) (k *pendingCredential, d Delivery, next time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if a.gone {
		return nil, Delivery{}, time.Time{}
	}
	k, next = r.pending.next(a, time.Now())
	if k != nil {
		d = Delivery{k.Session, k.Network.Clone()}
	}
	return k, d, next
}

// agentIsDone reports whether an agent that has nothing to do ends.
func (r *Registry) agentIsDone(a *agent) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return a.gone || r.draining
}

// call makes one call, and draws the conclusion. Whatever happens to the call, the credential
// is there until somebody has it: an agent may get it twice, but no credential is lost.
func (r *Registry) call(ctx context.Context, a *agent, k *pendingCredential, d Delivery) {
	within, cancel := context.WithTimeoutCause(ctx, CallTime, errHangs)
	defer cancel()
	err := fence.Do(r.log, "a call to a credential agent", func() error {
		return a.Take(within, d)
	})
	d.Network.Wipe()
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil:
		r.pending.took(a, k)
		r.log.Info("credential handed to an agent", "session", k.Session, "owner", a.owner,
			"name", a.name)
	case a.gone:
	case within.Err() != nil:
		r.dismiss(a, "err", context.Cause(within))
	default:
		again := r.pending.refused(a, k, time.Now().Add(Pause))
		r.log.Warn("an agent did not take a credential", "session", k.Session, "owner", a.owner,
			"name", a.name, "again", again, "err", err)
	}
	r.publishWaiting()
}

// endAgent is the last act of an agent's goroutine.
func (r *Registry) endAgent(a *agent) {
	if present := r.remove(a); present {
		a.Release()
	}
}

// remove removes an agent, and reports whether somebody is there to be told.
func (r *Registry) remove(a *agent) (present bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a.cancel()
	if !a.gone {
		r.dismiss(a, "reason", "the service ends")
	}
	delete(r.agents, a)
	r.hub.AgentEnded()
	return !a.left
}

// drain tells all agents that the end is near, and takes no more.
func (r *Registry) drain(why error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.draining, r.closed = true, why
	for a := range r.agents {
		a.awaken()
	}
}

// Close lets all agents take what is due, for a moment, and wipes what nobody took. RegisterAgent
// fails with why from now on. It is called once nothing is offered any more.
func (r *Registry) Close(why error) {
	r.drain(why)
	enough := time.AfterFunc(LastTime, fence.Func(r.log, "the end of agents", func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		for a := range r.agents {
			a.cancel()
		}
	}, nil))
	r.tasks.Wait()
	enough.Stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := r.pending.untaken(); n > 0 {
		r.log.Warn("credentials that no agent took are gone", "count", n)
	}
	r.pending.wipe()
}
