package service

import (
	"context"
	"fmt"

	"wpsd/service/session"
	"wpsd/service/state"
)

// rest is how the service lets the machine sleep. Service.mu guards it.
type rest struct {
	asleep bool          // from Suspend to Resume: nothing begins
	still  chan struct{} // Suspend waits for it; nil: nobody does
	scans  []string      // interfaces on which a scan was cut short
}

// Suspend ends all sessions with ReasonSuspended, and all scans, and returns once every interface
// is given back; nothing begins before Resume. If ctx ends first it returns an error, and what it
// ended goes on ending. External Registrars stay: their sockets have nothing that the machine's
// sleep takes away.
func (s *Service) Suspend(ctx context.Context) error {
	select {
	case <-s.layDown():
		return nil
	case <-ctx.Done():
		return fmt.Errorf("service: not everything has come to rest: %w", context.Cause(ctx))
	}
}

// layDown tells everything to come to rest; what it returns is closed once it has.
func (s *Service) layDown() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.life.rest.asleep = true
	s.sessions.Stop(state.ErrSuspended, func(*session.Running) bool { return true })
	for _, i := range s.interfaces {
		if i.cancelScan != nil {
			s.life.rest.scans = append(s.life.rest.scans, i.Name)
			i.stopScan()
		}
	}
	still := s.life.rest.still
	if still == nil { // else somebody waits already
		still = make(chan struct{})
		s.life.rest.still = still
	}
	s.restSoon()
	return still
}

// restSoon tells Suspend when nothing runs any more. It is called whenever something ended; the
// caller holds mu.
func (s *Service) restSoon() {
	if s.life.rest.still == nil {
		return
	}
	if s.sessions.Count(func(ses *session.Running) bool { return !ses.State.Ended() }) > 0 {
		return
	}
	for _, i := range s.interfaces {
		if i.cancelScan != nil {
			return
		}
	}
	close(s.life.rest.still)
	s.life.rest.still = nil
}

// Resume takes Suspend back: sessions may begin again, and scans that were cut short begin anew.
// Sessions do not: who pressed a button before the machine slept has forgotten it by now. External
// Registrars look for their access points again, which may have forgotten them.
func (s *Service) Resume() {
	s.mu.Lock()
	scans := s.life.rest.scans
	s.life.rest = rest{}
	s.mu.Unlock()
	s.registrars.LookAgain()
	for _, name := range scans {
		if err := s.Scan(context.Background(), name); err != nil { // it may be gone, or busy by now
			s.log.Debug("the scan is not taken up again", "interface", name, "err", err)
		}
	}
}
