package lending

import (
	"context"

	"wpsd/engine/credential"
	"wpsd/service/session"
	"wpsd/service/state"
)

// Touch is why networks come that no session waits for: somebody touched an NFC tag.
type Touch struct {
	Interface  string // "": the first that is a station
	Apply      string // as in session.StartRequest
	Processing state.Processing
	AddsOnly   bool // it may not change what a manager has
}

// HandOver hands networks over as those of a session, in the background, since touching a tag is
// all that its user does. Whoever has the interface gets them. The networks are wiped then.
func (m *Managers) HandOver(t Touch, networks []credential.Network) {
	ifname := m.receiver(t)
	if ifname == "" {
		credential.WipeAll(networks)
		return
	}
	if err := m.hub.Begin(func(ctx context.Context) {
		defer credential.WipeAll(networks)
		_ = m.hub.WithRadio(ctx, ifname, func() error { // not while a session has it
			m.handOver(ctx, t, ifname, networks)
			return nil
		})
	}); err != nil {
		credential.WipeAll(networks)
	}
}

// handOver is HandOver of who has the radio.
func (m *Managers) handOver(ctx context.Context, t Touch, ifname string,
	networks []credential.Network) {
	sink := m.giveTo(ctx, t, ifname)
	if sink == nil {
		return
	}
	if t.AddsOnly && m.Changes(ctx, sink, ifname, networks) {
		m.log.Warn("the network of an NFC tag is stored, and was not handed over: the manager "+
			"has got one of this name meanwhile", "interface", ifname, "manager", sink.Name())
		return
	}
	if err := m.Deliver(ctx, sink, ifname,
		m.OnTerms(m.hub.Offers(ifname, networks))); err != nil {
		m.log.Warn("the network of an NFC tag is stored, and was not handed over", "interface",
			ifname, "manager", sink.Name(), "err", err)
	}
}

// HasOthers reports whether the manager that would get networks has others of their names.
func (m *Managers) HasOthers(ctx context.Context, t Touch, networks []credential.Network) bool {
	ifname := m.receiver(t)
	if ifname == "" {
		return false
	}
	sink := m.giveTo(ctx, t, ifname)
	return sink != nil && m.Changes(ctx, sink, ifname, networks)
}

// receiver is the interface whose manager gets the networks of a tag; "": nobody gets them.
func (m *Managers) receiver(t Touch) string {
	named := t.Apply != "" && t.Apply != session.ApplyAuto
	if !m.TakeNetworks() || t.Processing == state.ProcessingExternal && !named {
		return ""
	}
	return m.hub.Receiver(t.Interface)
}

// giveTo is the manager that gets the networks of a tag; nil: none.
func (m *Managers) giveTo(ctx context.Context, t Touch, ifname string) Sink {
	owner, err := m.Owner(ctx, ifname)
	sink := m.SinkFor(t.Apply, owner)
	if sink == nil && err != nil {
		m.log.Warn("the networks of an NFC tag are handed to nobody", "interface", ifname, "err",
			err)
	}
	return sink
}
