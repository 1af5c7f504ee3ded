package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"wpsd/engine/credential"
	"wpsd/service/ending"
	"wpsd/service/receive"
)

// Sink takes a network that was received: a network manager, which then connects on its own.
type Sink interface {
	// Name is networkmanager, wpa_supplicant or iwd.
	Name() string
	// Deliver makes the manager know the networks, at least one, and connect the interface to one
	// of them: rather to the first. It returns once that is connected, as far as 802.11 goes; an
	// address comes later. Its errors hold no key.
	Deliver(ctx context.Context, ifname string, offers []credential.Offer) error
}

// deliverTime bounds a hand-over: a manager scans, connects, and may have to give up the connection
// that it has.
const deliverTime = 45 * time.Second

// checkApply refuses what nobody here can do.
func (s *Service) checkApply(apply string) error {
	if apply == "" || apply == ApplyAuto || apply == ApplyNone || s.sink(apply) != nil {
		return nil
	}
	return fmt.Errorf("%w: handing the network to %q: use auto or none", ErrNotSupported, apply)
}

func (s *Service) sink(name string) Sink {
	i := slices.IndexFunc(s.sinks, func(k Sink) bool { return k.Name() == name })
	if i < 0 {
		return nil
	}
	return s.sinks[i]
}

// sinkFor finds who gets the network: who was named, else who is configured, else who has the
// interface; nil: nobody.
func (s *Service) sinkFor(apply, owner string) Sink {
	for _, name := range []string{apply, s.apply, owner} {
		if name != "" && name != ApplyAuto {
			return s.sink(name) // none, too, is nobody
		}
	}
	return nil
}

// finish gives the interface back, and hands over what was received.
func (e *enrolment) finish(ctx context.Context, h *holding) error {
	s := e.service
	sink := s.sinkFor(e.apply, h.owner)
	useless := errors.Is(e.came.err, receive.ErrUseless)
	if !e.received || useless || sink == nil || e.external &&
		(e.apply == "" || e.apply == ApplyAuto) {
		h.giveBack(ctx, true)
		return e.came.err
	}
	e.change(func(ses *Session) { ses.State, ses.Detail.Manager = StateHandingOver, sink.Name() })
	h.giveBack(ctx, false)
	networks, offers := e.offers()
	for i := range offers {
		offers[i].Backhaul = e.backhaul
		if !h.apart {
			offers[i].Station = e.device.MAC
		}
	}
	defer credential.WipeAll(networks)
	within, cancel := keeping(ctx)
	defer cancel()
	err := s.deliver(within, sink, e.session.Interface, offers)
	// then what the manager does now is what the next session gives back
	if err == nil || errors.Is(err, ending.ErrSuperseded) {
		h.settled()
	} else {
		h.giveBack(ctx, true) // the connection that was there is better than none
	}
	if err != nil {
		if failed, ok := errors.AsType[*HandoverError](err); ok && h.apart {
			failed.Run = e.device.MAC
		}
		return errors.Join(e.came.err, err)
	}
	e.change(func(ses *Session) { ses.Detail.HandedOver = true })
	return e.came.err
}

// offers are the networks that were received, with secrets of the caller's own, and what was heard
// of them.
func (e *enrolment) offers() ([]credential.Network, []credential.Offer) {
	networks := e.session.Usable()
	s := e.service
	s.mu.Lock()
	defer s.mu.Unlock()
	return networks, s.terms.of(e.iface.air.offers(networks, e.session.Peer))
}

// deliver hands networks over: a Credential for each band may come, and not each need be in reach.
// The manager has them all in the end, and is connected to one.
func (s *Service) deliver(ctx context.Context, sink Sink, ifname string,
	offers []credential.Offer) error {
	if len(offers) == 0 {
		return &HandoverError{Manager: sink.Name(),
			Err: errors.New("no network that was received has a name")}
	}
	within, cancel := context.WithTimeout(ctx, deliverTime)
	defer cancel()
	start := time.Now()
	err := sink.Deliver(within, ifname, offers)
	switch {
	case err == nil:
		s.log.Info("the network was handed over", "interface", ifname, "manager", sink.Name(),
			"networks", len(offers),
			"took", time.Since(start).Round(time.Millisecond))
		return nil
	case ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded):
		return context.Cause(ctx)
	case within.Err() != nil && errors.Is(err, context.DeadlineExceeded):
		err = errors.New("it takes too long")
	}
	s.log.Warn("a network was not taken", "interface", ifname, "manager", sink.Name(), "err", err)
	return &HandoverError{Manager: sink.Name(), Err: err}
}
