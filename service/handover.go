package service

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"wpsd/drivers"
	"wpsd/engine/credential"
	"wpsd/engine/ie"
	"wpsd/service/ending"
	"wpsd/service/receive"
)

// Sink takes a network that was received: a network manager, which then connects on its own.
type Sink interface {
	// Name is the one by which the configuration and D-Bus know it.
	Name() string
	// Deliver makes the manager know the networks, at least one, and connect the interface to one
	// of them: rather to the first. It returns once that is connected, as far as 802.11 goes; an
	// address comes later. Its errors hold no key.
	Deliver(ctx context.Context, ifname string, offers []credential.Offer) error
	// Changes reports whether the manager has a network of this name for the interface, unless it
	// has this very one: the same kind of security and, as far as it tells that, the same key. A
	// manager that is not there has none. drivers.ErrNotSupported: it cannot tell.
	Changes(ctx context.Context, ifname string, n credential.Network) (bool, error)
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
	s.refresh(ctx, e.session.Interface, offers) // gives way to the next session at once
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

const (
	// refreshTime bounds how long a network is waited for before its manager looks for it: an
	// access point that takes its settings from the run (hostapd 2.10, not configured yet) is off
	// the air for a second or two.
	refreshTime = 4 * time.Second
	// refreshPause is the time between two looks; one channel takes 30 to 110 ms.
	refreshPause = 200 * time.Millisecond
	// maxRefresh is how many channels are looked at: more take as long as a manager's own scan.
	maxRefresh = 4
)

// refresh has the interface's manager hear a network that it is to be given: looks at its channel
// while the manager has the interface, whose results the kernel tells everybody. wpa_supplicant
// 2.10 connects by results of the last 5 s (SCAN_RES_VALID_FOR_CONNECT) without a scan of its own,
// for itself and for NetworkManager, and iwd 2.3 takes them for those of its own search. Each would
// look at all channels otherwise, for 4 to 8 s. So what a manager has begun to scan is ended for
// this. The caller has the radio.
func (s *Service) refresh(ctx context.Context, ifname string, offers []credential.Offer) {
	look := drivers.ScanRequest{Urgent: true}
	for i := range offers {
		if o := &offers[i]; o.Frequency != 0 && !slices.Contains(look.Frequencies, o.Frequency) {
			look.Frequencies = append(look.Frequencies, o.Frequency)
			look.SSID = o.SSID // a network that hides its name answers to that only
		}
	}
	i := locked(&s.mu, func() *iface { return s.interfaces[ifname] })
	if len(look.Frequencies) == 0 || len(look.Frequencies) > maxRefresh || i == nil {
		return
	}
	if len(look.Frequencies) > 1 {
		look.SSID = nil
	}
	ctx, cancel := context.WithTimeout(ctx, refreshTime)
	defer cancel()
	err := s.withStation(ctx, i, false, func(station drivers.Station) error {
		for {
			heard, err := station.Scan(ctx, look)
			if err != nil || slices.ContainsFunc(heard, func(b drivers.BSS) bool {
				return offered(&b, offers)
			}) {
				return err
			}
			if err := pause(ctx, refreshPause); err != nil {
				return err
			}
		}
	})
	if err != nil { // then the manager looks by itself
		s.log.Debug("no look before the hand-over", "interface", ifname, "err", err)
	}
}

// offered reports whether a BSS is of one of the networks, and protected as that is.
func offered(b *drivers.BSS, offers []credential.Offer) bool {
	name, _ := ie.SSID(b.IEs)
	return slices.ContainsFunc(offers, func(o credential.Offer) bool {
		return bytes.Equal(name, o.SSID) && suits(ie.SecurityOf(b.IEs, b.Privacy), &o.Network)
	})
}
