package service

import (
	"context"

	"wpsd/drivers"
	"wpsd/engine/wsc"
	"wpsd/service/state"
)

// followConnections tells of connections until ctx ends. Those that are there at the start are no
// news: lookAtInterfaces has seen them.
func (s *Service) followConnections(ctx context.Context, d drivers.Driver) {
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
	i := locked(&s.mu, func() *iface { return s.interfaces[ifname] })
	if i == nil {
		return
	}
	b, ok := s.linkOf(ctx, i)
	now := wsc.MAC{}
	if ok {
		now = wsc.MAC(b.BSSID)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.interfaces[ifname] != i {
		return
	}
	if i.online != ok {
		i.online = ok
		s.published.Publish(state.InterfaceChanged{Interface: i.snapshot()})
	}
	if i.session != nil {
		i.connected = wsc.MAC{} // the session has it; afterwards somebody may connect it again
		return
	}
	if i.connected == now {
		return
	}
	before := i.connected
	i.connected = now
	if tell {
		s.published.Publish(state.ConnectionChanged{Interface: ifname, BSSID: now, Before: before})
	}
}

// lookAfter looks at the connection of an interface whose session has ended, and who has it. The
// caller holds mu.
func (s *Service) lookAfter(i *iface) {
	s.lenders.AskSoon()
	if i.driver.Links() == nil || s.life.closing {
		return
	}
	ctx := s.life.ctx
	// at the end nobody wants to know
	_ = s.life.begin(s.log, func() { s.connectionNews(ctx, i.Name, true) })
}
