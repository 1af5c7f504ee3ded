package service

import (
	"slices"
	"sync"

	"wpsd/service/session"
)

// Busy says in a few words why the daemon must not end, though nobody calls it; empty: it may, and
// nothing would be lost.
func (s *Service) Busy() string {
	read, handovers := s.tags.Count() > 0, s.nfc.HasHandovers()
	registrar := s.registrars.First() != ""
	altered := s.settings.Altered()
	agents, waiting := s.agents.Count(), s.agents.Waiting()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.sessions.Count(func(*session.Running) bool { return true }) > 0:
		// also those that ended not long ago: their owners may still ask what they received
		return "a session"
	case agents > 0:
		return "a credential agent"
	case waiting > 0:
		return "a credential that waits for an agent"
	case altered:
		return "settings that last until the daemon ends"
	case s.store.Volatile() && s.published.CountNetworks() > 0:
		return "networks that are kept in memory only"
	case read:
		return "the password of an NFC tag that was read"
	case handovers:
		return "an NFC handover"
	}
	if why := s.holds.first(); why != "" {
		return why
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

// holds are reasons more for Busy, and who is told when it may give another answer. Their lock is
// taken after the service's.
type holds struct {
	calm chan struct{}

	mu   sync.Mutex
	list []*hold
}

// hold is one of them.
type hold struct{ why string }

func newHolds() *holds { return &holds{calm: make(chan struct{}, 1)} }

// add adds one until release is called, which may be more than once.
func (h *holds) add(why string) (release func()) {
	one := &hold{why}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.list = append(h.list, one)
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.list = slices.DeleteFunc(h.list, func(other *hold) bool { return other == one })
		h.calmDown()
	}
}

// first is the oldest one; empty: there is none.
func (h *holds) first() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.list) == 0 {
		return ""
	}
	return h.list[0].why
}

// calmDown tells that Busy may give another answer than before though no event told so.
func (h *holds) calmDown() {
	select {
	case h.calm <- struct{}{}:
	default:
	}
}

// Hold gives Busy a reason until release is called, which may be more than once.
func (s *Service) Hold(why string) (release func()) { return s.holds.add(why) }

// Calm receives a value when Busy may give another answer than before though no event told so.
func (s *Service) Calm() <-chan struct{} { return s.holds.calm }
