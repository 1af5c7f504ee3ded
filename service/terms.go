package service

import "wpsd/engine/credential"

// terms are how managers are to take networks that are received, as far as somebody has said.
// Service.mu guards them.
type terms struct {
	priority int
	noSAE    bool
}

// of puts the terms into offers.
func (t terms) of(offers []credential.Offer) []credential.Offer {
	for i := range offers {
		offers[i].Priority, offers[i].NoSAE = t.priority, t.noSAE
	}
	return offers
}

// SetPriority says by what managers are to rank networks that are received from now on, where they
// can; 0: they rank by themselves. It lasts until the daemon ends.
func (s *Service) SetPriority(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.terms.priority, s.altered = n, true
	s.emit(ManagerChanged{Manager: s.manager}) // the bus looks at who needs the daemon
}

// SetAddSAE says whether networks of WPA2 that are received from now on are joined by WPA3 where
// radio, manager and access point have it. Unless somebody says otherwise they are. It lasts until
// the daemon ends.
func (s *Service) SetAddSAE(add bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.terms.noSAE, s.altered = !add, true
	s.emit(ManagerChanged{Manager: s.manager})
}
