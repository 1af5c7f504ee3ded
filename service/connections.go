package service

import (
	"context"

	"wpsd/drivers"
	"wpsd/engine/wsc"
)

// followConnections tells of connections until ctx ends. Those that are there at the start are no
// news.
func (s *Service) followConnections(ctx context.Context, d drivers.LinkTeller) {
	s.mu.Lock()
	var names []string
	for name := range s.interfaces {
		names = append(names, name)
	}
	s.mu.Unlock()
	for _, name := range names {
		s.connectionNews(ctx, name, false)
	}
	for {
		select {
		case name, open := <-d.Links():
			if !open {
				return
			}
			s.connectionNews(ctx, name, true)
		case <-ctx.Done():
			return
		}
	}
}

// connectionNews looks at the connection of an interface, and tells if it is another one than
// before.
func (s *Service) connectionNews(ctx context.Context, ifname string, tell bool) {
	s.mu.Lock()
	i := s.interfaces[ifname]
	if i != nil && i.session != nil {
		i.connected = wsc.MAC{} // the session has it; afterwards somebody may connect it again
		i = nil
	}
	s.mu.Unlock()
	if i == nil {
		return
	}
	b, ok := s.Connection(ctx, ifname)
	now := wsc.MAC{}
	if ok {
		now = wsc.MAC(b.BSSID)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.interfaces[ifname] != i || i.session != nil || i.connected == now {
		return
	}
	before := i.connected
	i.connected = now
	if tell {
		s.emit(ConnectionChanged{Interface: ifname, BSSID: now, Before: before})
	}
}

// lookAfter looks at the connection of an interface whose session has ended. The caller holds mu.
func (s *Service) lookAfter(i *iface) {
	if _, ok := i.driver.(drivers.LinkTeller); !ok || s.closing {
		return
	}
	ctx := s.ctx
	_ = s.begin(func() { s.connectionNews(ctx, i.Name, true) }) // at the end nobody wants to know
}
