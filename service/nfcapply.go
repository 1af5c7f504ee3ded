package service

import (
	"context"
	"maps"
	"slices"

	"wpsd/drivers"
	"wpsd/engine/credential"
	"wpsd/engine/wsc"
	"wpsd/service/lending"
	"wpsd/service/nfc"
	"wpsd/service/session"
	"wpsd/service/state"
)

// applyTag hands over the networks of a tag as those of a session, in the background: touching a
// tag is all that its user does. Whoever has the interface gets them, of no interface in particular
// the first that is a station. The networks are the task's own.
func (s *Service) applyTag(r nfc.TagRequest, processing state.Processing,
	networks []credential.Network) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ifname, ok := s.tagStation(r, processing)
	if !ok {
		credential.WipeAll(networks)
		return
	}
	radio := s.radio(ifname)
	if err := s.begin(func() {
		defer credential.WipeAll(networks)
		select {
		case radio <- struct{}{}: // not while a session has it
		case <-s.ctx.Done():
			return
		}
		defer func() { <-radio }()
		sink := s.tagSink(s.ctx, r, ifname)
		if sink == nil {
			return
		}
		if r.Allowed == nfc.TagAdds && s.lenders.Changes(s.ctx, sink, ifname, networks) {
			s.log.Warn("the network of an NFC tag is stored, and was not handed over: the manager has got one of this name meanwhile",
				"interface", ifname, "manager", sink.Name())
			return
		}
		offers := locked(&s.mu, func() []credential.Offer {
			if i := s.interfaces[ifname]; i != nil {
				return s.lenders.OnTerms(i.air.offers(networks, wsc.MAC{}))
			}
			return nil
		})
		if err := s.lenders.Deliver(s.ctx, sink, ifname, offers); err != nil {
			s.log.Warn("the network of an NFC tag is stored, and was not handed over", "interface",
				ifname, "manager", sink.Name(), "err", err)
		}
	}); err != nil {
		credential.WipeAll(networks)
	}
}

// tagStation is the interface whose manager gets the networks of a tag; false: nobody gets them.
// The caller holds mu.
func (s *Service) tagStation(r nfc.TagRequest, processing state.Processing) (string, bool) {
	named := r.Apply != "" && r.Apply != session.ApplyAuto
	ifname := r.Interface
	if ifname == "" {
		for _, name := range slices.Sorted(maps.Keys(s.interfaces)) {
			if s.interfaces[name].Mode == drivers.ModeStation {
				ifname = name
				break
			}
		}
	}
	i := s.interfaces[ifname]
	if !s.lenders.TakeNetworks() || i == nil || i.Mode != drivers.ModeStation ||
		processing == state.ProcessingExternal && !named {
		return "", false
	}
	return ifname, true
}

// tagSink is the manager that gets the networks of a tag; nil: none.
func (s *Service) tagSink(ctx context.Context, r nfc.TagRequest, ifname string) lending.Sink {
	owner, err := s.lenders.Owner(ctx, ifname)
	sink := s.lenders.SinkFor(r.Apply, owner)
	if sink == nil && err != nil {
		s.log.Warn("the networks of an NFC tag are handed to nobody", "interface",
			ifname, "err", err)
	}
	return sink
}
