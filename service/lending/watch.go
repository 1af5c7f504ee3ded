package lending

import (
	"context"
	"time"
)

// Settles is how long a manager may go on to say that something changed until it is asked:
// NetworkManager passes through ten states while it connects.
const Settles = 250 * time.Millisecond

// askAgain is when managers are asked once more after they said that something changed: one that
// was just started does not know its interfaces yet, and iwd does not tell when it does.
var askAgain = []time.Duration{time.Second, 5 * time.Second}

// Watch keeps up to date which manager has which interface, until ctx ends.
func (m *Managers) Watch(ctx context.Context) {
	if len(m.holders) == 0 {
		return
	}
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	defer timer.Stop()
	asked := len(askAgain) // how often since the last change
	for {
		select {
		case <-m.changed:
			asked = -1
			timer.Reset(Settles)
		case <-m.unsure:
			m.AskAll(ctx)
		case <-timer.C:
			m.AskAll(ctx)
			if asked++; asked < len(askAgain) {
				timer.Reset(askAgain[asked])
			}
		case <-ctx.Done():
			return
		}
	}
}

// AskSoon has the managers asked: an interface came, or is no session's any more.
func (m *Managers) AskSoon() {
	select {
	case m.unsure <- struct{}{}:
	default:
	}
}

// AskAll asks who has each interface, and tells the hub. While a session has one, whoever let go of
// it counts as the one that has it: that one gets it back.
func (m *Managers) AskAll(ctx context.Context) {
	if len(m.holders) == 0 {
		return
	}
	for _, ifname := range m.hub.Idle() {
		owner, err := m.Owner(ctx, ifname)
		if err != nil {
			m.log.Debug("who has the interface", "interface", ifname, "err", err)
			continue
		}
		m.hub.ManagerIs(ifname, owner)
	}
}

// AskNow is AskAll in place of an AskSoon that nobody has followed yet.
func (m *Managers) AskNow(ctx context.Context) {
	select {
	case <-m.unsure: // about interfaces that are asked for now
	default:
	}
	m.AskAll(ctx)
}
