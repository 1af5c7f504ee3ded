package lending

import "wpsd/engine/credential"

// terms are how managers are to take networks that are received, as far as somebody has said.
type terms struct {
	priority int
	noSAE    bool
}

// OnTerms puts what somebody has said into offers of networks that were received.
func (m *Managers) OnTerms(offers []credential.Offer) []credential.Offer {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range offers {
		offers[i].Priority, offers[i].NoSAE = m.terms.priority, m.terms.noSAE
	}
	return offers
}

// SetPriority says by what managers are to rank networks that are received from now on, where they
// can; 0: they rank by themselves.
func (m *Managers) SetPriority(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.terms.priority = n
}

// SetAddSAE says whether networks of WPA2 that are received from now on are joined by WPA3 where
// radio, manager and access point have it. Unless somebody says otherwise they are.
func (m *Managers) SetAddSAE(add bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.terms.noSAE = !add
}
