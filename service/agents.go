package service

import (
	"context"
	"errors"
	"time"

	"wpsd/engine/credential"
	"wpsd/service/fence"
)

const (
	// maxAgents bounds the agents, those included that are gone but still have a call to answer.
	maxAgents = 16
	// agentTime is how long an agent may take for one credential. One that takes longer is
	// unregistered.
	agentTime = 25 * time.Second
	// agentPause is how long an agent that refused a credential is left alone with it.
	agentPause = time.Minute
	// agentLastTime is what agents have when the daemon ends.
	agentLastTime = 2 * time.Second
)

// errAgentHangs is why an agent was unregistered, for the log.
var errAgentHangs = errors.New("it did not answer in time")

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
	Session SessionID // which may be forgotten already
	// Network is made of this attribute alone; Raw is the attribute with its header, as it came.
	// Auth may be one that Session's own credentials leave out: an agent may have use for it.
	Network credential.Network
}

// agent is an Agent at work. Service.mu guards it.
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
// so far. owner is opaque (see ReleaseOwner), and name tells the agents of an owner apart.
func (s *Service) RegisterAgent(_ context.Context, owner, name string, to Agent) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.findAgent(owner, name) != nil:
		return ErrAgentExists
	case len(s.agents) >= maxAgents:
		return ErrTooManyAgents
	case s.closing || s.ctx == nil:
		return ErrShutdown
	}
	// Not ended by the daemon's end: shutDown gives it a moment for what was received last.
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.ctx))
	a := &agent{Agent: to, owner: owner, name: name, cancel: cancel, wake: make(chan struct{}, 1)}
	s.agents[a] = struct{}{}
	s.kept.offerAll(a)
	s.agentTasks.Go(fence.Func(s.log, "a credential agent", func() { s.serveAgent(ctx, a) }, nil))
	s.log.Info("credential agent registered", "owner", owner, "name", name)
	return nil
}

// UnregisterAgent ends what RegisterAgent began. A call that the agent is answering goes on and
// counts; the agent is released after it.
func (s *Service) UnregisterAgent(owner, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.findAgent(owner, name)
	if a == nil {
		return ErrNoAgent
	}
	s.dismiss(a, "reason", "it asked for it")
	return nil
}

// HasAgent reports whether an owner has an agent.
func (s *Service) HasAgent(owner string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for a := range s.agents {
		if a.owner == owner && !a.gone {
			return true
		}
	}
	return false
}

// findAgent is called with mu held.
func (s *Service) findAgent(owner, name string) *agent {
	for a := range s.agents {
		if a.owner == owner && a.name == name && !a.gone {
			return a
		}
	}
	return nil
}

// dismiss lets an agent end after the call it is in. The caller holds mu.
func (s *Service) dismiss(a *agent, why ...any) {
	if a.gone {
		return
	}
	a.gone = true
	s.kept.forgetAgent(a)
	s.tellKept()
	a.awaken()
	s.log.Info("credential agent unregistered",
		append([]any{"owner", a.owner, "name", a.name}, why...)...)
}

// dismissOwner ends the agents of an owner that is gone, and their calls. The caller holds mu.
func (s *Service) dismissOwner(owner string) {
	for a := range s.agents {
		if a.owner == owner {
			a.left = true
			s.dismiss(a, "reason", "it left")
			a.cancel()
		}
	}
}

// offer gives credentials to all agents, and keeps them until one has taken them. They are the
// registry's from now on. The caller holds mu.
func (s *Service) offer(id SessionID, networks []credential.Network) {
	for _, n := range networks {
		k := &keptCredential{Delivery: Delivery{id, n}, due: make(map[*agent]time.Time)}
		for a := range s.agents {
			if !a.gone {
				k.due[a] = time.Time{}
				a.awaken()
			}
		}
		if dropped := s.kept.add(k); dropped != nil && !dropped.taken {
			s.log.Error("too many credentials wait for an agent: the oldest one is gone", "session",
				dropped.Session)
		}
		k.expire = time.AfterFunc(keepUntaken,
			fence.Func(s.log, "forgetting a credential", func() { s.expireKept(k) }, nil))
	}
	s.tellKept()
}

// expireKept drops a credential that nobody took in time.
func (s *Service) expireKept(k *keptCredential) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept.remove(k) && !k.taken {
		s.log.Error("no agent took a credential in time: it is gone", "session", k.Session)
	}
	s.tellKept()
}

// tellKept tells how many credentials wait, if that changed. The caller holds mu.
func (s *Service) tellKept() {
	if n := s.kept.untaken(); n != s.manager.Waiting {
		s.manager.Waiting = n
		s.emit(ManagerChanged{s.manager})
	}
}

// serveAgent is an agent's goroutine: it hands over what is due, one after the other.
func (s *Service) serveAgent(ctx context.Context, a *agent) {
	defer s.endAgent(a)
	for {
		k, d, next := s.nextFor(a)
		if k != nil {
			s.handOver(ctx, a, k, d)
			continue
		}
		if s.agentIsDone(a) {
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
func (s *Service) nextFor(a *agent) (k *keptCredential, d Delivery, next time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a.gone {
		return nil, Delivery{}, time.Time{}
	}
	k, next = s.kept.next(a, time.Now())
	if k != nil {
		d = Delivery{k.Session, cloneNetwork(k.Network)}
	}
	return k, d, next
}

// agentIsDone reports whether an agent that has nothing to do ends.
func (s *Service) agentIsDone(a *agent) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return a.gone || s.draining
}

// handOver makes one call, and draws the conclusion. Whatever happens to the call, the credential
// is there until somebody has it: an agent may get it twice, but no credential is lost.
func (s *Service) handOver(ctx context.Context, a *agent, k *keptCredential, d Delivery) {
	call, cancel := context.WithTimeoutCause(ctx, agentTime, errAgentHangs)
	defer cancel()
	err := s.fence("a call to a credential agent", func() error { return a.Take(call, d) })
	wipeNetwork(d.Network)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil:
		s.kept.took(a, k)
		s.log.Info("credential handed to an agent", "session", k.Session, "owner", a.owner,
			"name", a.name)
	case a.gone:
	case call.Err() != nil:
		s.dismiss(a, "err", context.Cause(call))
	default:
		again := s.kept.refused(a, k, time.Now().Add(agentPause))
		s.log.Warn("an agent did not take a credential", "session", k.Session, "owner", a.owner,
			"name", a.name, "again", again, "err", err)
	}
	s.tellKept()
}

// endAgent is the last act of an agent's goroutine.
func (s *Service) endAgent(a *agent) {
	left := locked(&s.mu, func() bool {
		a.cancel()
		if !a.gone {
			s.dismiss(a, "reason", "the service ends")
		}
		delete(s.agents, a)
		s.calmDown()
		return a.left
	})
	if !left {
		a.Release()
	}
}

// drain tells all agents that the end is near.
func (s *Service) drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draining = true
	for a := range s.agents {
		a.awaken()
	}
}

// endAgents lets all agents take what is due, for a moment, and forgets what nobody took. It is
// called once no session runs any more.
func (s *Service) endAgents() {
	s.drain()
	enough := time.AfterFunc(agentLastTime, fence.Func(s.log, "the end of agents", func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for a := range s.agents {
			a.cancel()
		}
	}, nil))
	s.agentTasks.Wait()
	enough.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.kept.untaken(); n > 0 {
		s.log.Warn("credentials that no agent took are gone", "count", n)
	}
	s.kept.wipe()
}
