package lending

import (
	"wpsd/engine/credential"
	"wpsd/service/fence"
)

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
// can; 0: they rank by themselves. It lasts until the daemon ends.
func (m *Managers) SetPriority(n int) { m.agree(func(t *terms) { t.priority = n }) }

// SetAddSAE says whether networks of WPA2 that are received from now on are joined by WPA3 where
// radio, manager and access point have it. Unless somebody says otherwise they are. It lasts until
// the daemon ends.
func (m *Managers) SetAddSAE(add bool) { m.agree(func(t *terms) { t.noSAE = !add }) }

// agree changes the terms, and tells that they are other than the configuration's.
func (m *Managers) agree(change func(*terms)) {
	fence.Locked(&m.mu, func() (none struct{}) {
		change(&m.terms)
		return none
	})
	m.hub.Altered()
}
