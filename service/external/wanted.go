package external

import (
	"wpsd/service/ending"
	"wpsd/service/session"
)

// join notes one more who wants it to run. The caller holds Registrars.mu.
func (e *externalRegistrar) join(r Start) {
	if r.Detach {
		e.detached = true
		e.users[r.User] = struct{}{}
		return
	}
	e.owners[r.Owner] = r.User
}

// release forgets an owner that left, and ends the External Registrar if nobody is left. The caller
// holds Registrars.mu.
func (e *externalRegistrar) release(owner string) {
	delete(e.owners, owner)
	e.stopUnwanted()
}

// stopUnwanted ends the External Registrar if all who started it have left and no session needs it.
// The caller holds Registrars.mu.
func (e *externalRegistrar) stopUnwanted() {
	if e.detached || len(e.owners) > 0 {
		return
	}
	if e.room.sessions.Count(func(ses *session.Running) bool {
		return ses.By == any(e) && !ses.Stopping && !ses.State.Ended()
	}) == 0 {
		e.stop(ending.ErrOwnerLeft)
	}
}

// stop lets its goroutine end, and tells that it has: who asks from now on is told that none runs.
// The caller holds Registrars.mu.
func (e *externalRegistrar) stop(cause error) {
	e.cancel(cause)
	s := e.room
	if s.running[e.ifname] != e {
		return
	}
	delete(s.running, e.ifname)
	s.published.RemoveER(e.ifname)
	s.log.Info("External Registrar stopped", "interface", e.ifname, "why", cause)
}

// stopNow is stop for who does not hold Registrars.mu.
func (e *externalRegistrar) stopNow(cause error) {
	e.room.mu.Lock()
	defer e.room.mu.Unlock()
	e.stop(cause)
}

// isOnlyOf reports whether one user alone has started it and its sessions. The caller holds
// Registrars.mu.
func (e *externalRegistrar) isOnlyOf(user string) bool {
	for of := range e.users {
		if of != user {
			return false
		}
	}
	for _, of := range e.owners {
		if of != user {
			return false
		}
	}
	return e.room.sessions.Count(func(ses *session.Running) bool {
		return ses.By == any(e) && !ses.State.Ended() && ses.User != user
	}) == 0
}

// OwnsER reports whether the External Registrar on an interface, and its sessions, are those of one
// user; also where none runs.
func (s *Registrars) OwnsER(ifname, user string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.runningER(ifname)
	return err != nil || e.isOnlyOf(user)
}

// WantsER reports whether an External Registrar runs because this owner started it.
func (s *Registrars) WantsER(owner string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.running {
		if _, wants := e.owners[owner]; wants {
			return true
		}
	}
	return false
}
