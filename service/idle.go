package service

import (
	"slices"

	"wpsd/service/session"
)

// Busy says in a few words why the daemon must not end, though nobody calls it; empty: it may, and
// nothing would be lost.
func (s *Service) Busy() string {
	read, handovers := s.tokens.HasTokens(), s.tokens.HasHandovers()
	registrar := s.registrars.First() != ""
	agents, waiting := s.agents.Count(), s.agents.Waiting()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.sessions.Count(func(*session.Running) bool { return true }) > 0: // also those that ended not long ago: their owners may still ask what they received
		return "a session"
	case agents > 0:
		return "a credential agent"
	case waiting > 0:
		return "a credential that waits for an agent"
	case s.altered:
		return "settings that last until the daemon ends"
	case s.store.Volatile() && s.published.CountNetworks() > 0:
		return "networks that are kept in memory only"
	case read:
		return "the password of an NFC tag that was read"
	case handovers:
		return "an NFC handover"
	case len(s.holds) > 0:
		return s.holds[0].why
	}
	for _, i := range s.interfaces {
		if i.cancelScan != nil {
			return "a scan"
		}
	}
	if registrar {
		return "an External Registrar"
	}
	return ""
}

// hold is one reason more for Busy.
type hold struct{ why string }

// Hold gives Busy a reason until release is called, which may be more than once.
func (s *Service) Hold(why string) (release func()) {
	h := &hold{why}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holds = append(s.holds, h)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.holds = slices.DeleteFunc(s.holds, func(other *hold) bool { return other == h })
		s.calmDown()
	}
}

// Calm receives a value when Busy may give another answer than before though no event told so.
func (s *Service) Calm() <-chan struct{} { return s.calm }

// calmDown is what Calm is told by.
func (s *Service) calmDown() {
	select {
	case s.calm <- struct{}{}:
	default:
	}
}
