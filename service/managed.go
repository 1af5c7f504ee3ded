package service

import (
	"context"
	"time"

	"wpsd/drivers"
)

const (
	// firstLook bounds the look at all interfaces before anybody is answered: a manager that hangs
	// must not keep us from starting.
	firstLook = time.Second
	// managerSettles is how long a manager may go on to say that something changed until it is
	// asked: NetworkManager passes through ten states while it connects.
	managerSettles = 250 * time.Millisecond
	// managerTime bounds what one manager may take to say whether it has an interface.
	managerTime = 5 * time.Second
)

// askAgain is when managers are asked once more after they said that something changed: one that
// was just started does not know its interfaces yet, and iwd does not tell when it does.
var askAgain = []time.Duration{time.Second, 5 * time.Second}

// lookAtInterfaces learns who has each interface, and whether it is connected, before the first
// caller is answered.
func (s *Service) lookAtInterfaces(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, firstLook)
	defer cancel()
	select {
	case <-s.unsure: // about interfaces that are asked for now
	default:
	}
	_ = s.fenced("looking at the interfaces", func() {
		s.askManagers(ctx)
		for _, i := range s.ifaces() {
			s.connectionNews(ctx, i.Name, false)
		}
	})
}

// ifaces are those that there are.
func (s *Service) ifaces() []*iface {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*iface, 0, len(s.interfaces))
	for _, i := range s.interfaces {
		list = append(list, i)
	}
	return list
}

// followManagers keeps up to date which manager has which interface, until ctx ends.
func (s *Service) followManagers(ctx context.Context) {
	if len(s.holders) == 0 {
		return
	}
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	defer timer.Stop()
	asked := len(askAgain) // how often since the last change
	for {
		select {
		case <-s.managerChanged:
			asked = -1
			timer.Reset(managerSettles)
		case <-s.unsure:
			s.askManagers(ctx)
		case <-timer.C:
			s.askManagers(ctx)
			if asked++; asked < len(askAgain) {
				timer.Reset(askAgain[asked])
			}
		case <-ctx.Done():
			return
		}
	}
}

// askSoon has the managers asked: an interface came, or is no session's any more.
func (s *Service) askSoon() {
	select {
	case s.unsure <- struct{}{}:
	default:
	}
}

// askManagers asks who has each interface. While a session has one, whoever let go of it counts as
// the one that has it: that one gets it back.
func (s *Service) askManagers(ctx context.Context) {
	if len(s.holders) == 0 {
		return
	}
	for _, i := range s.ifaces() {
		if locked(&s.mu, func() bool { return i.session != nil }) || i.Mode == drivers.ModeNone {
			continue
		}
		now, err := s.managerOf(ctx, i.Name)
		if err != nil {
			s.log.Debug("who has the interface", "interface", i.Name, "err", err)
			continue
		}
		s.managerIs(i, now)
	}
}

// managerIs notes who has an interface, unless a session has it by now.
func (s *Service) managerIs(i *iface, now string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.interfaces[i.Name] == i && i.session == nil && i.manager != now {
		i.manager = now
		s.emit(InterfaceChanged{Interface: i.snapshot()})
	}
}

// managerOf asks which manager has an interface: the topmost; "" for none.
func (s *Service) managerOf(ctx context.Context, ifname string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, managerTime)
	defer cancel()
	for _, m := range s.holders {
		debt, err := m.Claim(ctx, ifname)
		if err != nil {
			return "", err
		}
		if debt != nil {
			return m.Name(), nil
		}
	}
	return "", nil
}
