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

// HandOver implements nfc.Networks: the networks of a tag are handed over as those of a session, in
// the background, since touching a tag is all that its user does. Whoever has the interface gets
// them, of no interface in particular the first that is a station. The networks are the task's own.
func (h nfcHub) HandOver(r nfc.TagRequest, processing state.Processing,
	networks []credential.Network) {
	s := h.s
	s.mu.Lock()
	defer s.mu.Unlock()
	ifname, ok := h.station(r, processing)
	if !ok {
		credential.WipeAll(networks)
		return
	}
	radio := s.radios.Of(ifname)
	if err := s.begin(func() {
		defer credential.WipeAll(networks)
		select {
		case radio <- struct{}{}: // not while a session has it
		case <-s.ctx.Done():
			return
		}
		defer func() { <-radio }()
		sink := h.sink(s.ctx, r, ifname)
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
				return s.lenders.OnTerms(i.air.Offers(networks, wsc.MAC{}))
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

// ManagerChanges implements nfc.Networks.
func (h nfcHub) ManagerChanges(ctx context.Context, r nfc.TagRequest,
	networks []credential.Network) bool {
	var ifname string
	ok := locked(&h.s.mu, func() (ok bool) {
		ifname, ok = h.station(r, h.s.manager.Processing)
		return ok
	})
	if !ok {
		return false
	}
	sink := h.sink(ctx, r, ifname)
	return sink != nil && h.s.lenders.Changes(ctx, sink, ifname, networks)
}

// station is the interface whose manager gets the networks of a tag; false: nobody gets them.
// The caller holds mu.
func (h nfcHub) station(r nfc.TagRequest, processing state.Processing) (string, bool) {
	s := h.s
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

// sink is the manager that gets the networks of a tag; nil: none.
func (h nfcHub) sink(ctx context.Context, r nfc.TagRequest, ifname string) lending.Sink {
	s := h.s
	owner, err := s.lenders.Owner(ctx, ifname)
	sink := s.lenders.SinkFor(r.Apply, owner)
	if sink == nil && err != nil {
		s.log.Warn("the networks of an NFC tag are handed to nobody", "interface",
			ifname, "err", err)
	}
	return sink
}
