package service

import (
	"context"
	"errors"

	"wpsd/drivers"
)

// Connection returns the access point that an interface is connected to, by whichever network
// manager; false: none, or that cannot be told. During a session the connection is the session's.
func (s *Service) Connection(ctx context.Context, ifname string) (drivers.BSS, bool) {
	s.mu.Lock()
	i := s.interfaces[ifname]
	busy := i == nil || i.session != nil
	s.mu.Unlock()
	if busy {
		return drivers.BSS{}, false
	}
	return s.linkOf(ctx, i)
}

// linkOf is Connection also during a session, where the manager may have kept its own.
func (s *Service) linkOf(ctx context.Context, i *iface) (drivers.BSS, bool) {
	b, ok, err := i.driver.Connection(ctx, i.Name)
	if errors.Is(err, drivers.ErrNotSupported) {
		return drivers.BSS{}, false
	}
	if err != nil {
		s.log.Debug("whether the interface is connected", "interface", i.Name, "err", err)
		return drivers.BSS{}, false
	}
	return b, ok
}
