package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"wpsd/engine/credential"
)

// Sink takes a network that was received: a network manager, which then connects on its own.
type Sink interface {
	// Name is networkmanager, wpa_supplicant or iwd.
	Name() string
	// Deliver makes the manager know the network and connect the interface to it. It returns once that is connected,
	// as far as 802.11 goes; an address comes later. Its errors hold no key.
	Deliver(ctx context.Context, ifname string, n credential.Network) error
}

// ApplyAuto and ApplyNone stand for no manager in particular: whoever has the interface, or nobody.
const (
	ApplyAuto = "auto"
	ApplyNone = "none"
)

// deliverTime bounds the hand-over of one network: a manager scans, connects, and may have to give up the connection
// that it has.
const deliverTime = 45 * time.Second

// HandoverError tells that a manager did not take a network, which is stored all the same.
type HandoverError struct {
	Manager string
	Err     error
}

// Error implements error.
func (e *HandoverError) Error() string {
	return fmt.Sprintf("service: %s did not connect to the network: %v", e.Manager, e.Err)
}

// Unwrap gives ErrHandover and the manager's own error to errors.Is.
func (e *HandoverError) Unwrap() []error { return []error{ErrHandover, e.Err} }

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

// sinkFor finds who gets the network: who was named, else who is configured, else who has the interface; nil: nobody.
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
	if !e.received || sink == nil || e.external && (e.apply == "" || e.apply == ApplyAuto) {
		h.giveBack(ctx, true)
		return nil
	}
	e.change(func(ses *Session) { ses.State, ses.Detail.Manager = StateHandingOver, sink.Name() })
	h.giveBack(ctx, false)
	s.mu.Lock()
	networks := cloneNetworks(e.session.credentials)
	s.mu.Unlock()
	defer wipeNetworks(networks)
	err := s.deliver(ctx, sink, e.session.Interface, networks)
	if err != nil {
		h.giveBack(ctx, true) // the connection that was there is better than none
		return err
	}
	h.settled()
	return nil
}

// deliver hands networks over, one after the other until one is connected: a Credential for each band may come, and
// not each need be in reach.
func (s *Service) deliver(ctx context.Context, sink Sink, ifname string, networks []credential.Network) error {
	errs := []error{}
	for _, n := range networks {
		if len(n.SSID) == 0 {
			continue
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		err := s.deliverOne(ctx, sink, ifname, n)
		if err == nil {
			return nil
		}
		s.log.Warn("a network was not taken", "interface", ifname, "manager", sink.Name(), "err", err)
		errs = append(errs, err)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return &HandoverError{sink.Name(), errors.Join(errs...)}
}

func (s *Service) deliverOne(ctx context.Context, sink Sink, ifname string, n credential.Network) error {
	ctx, cancel := context.WithTimeout(ctx, deliverTime)
	defer cancel()
	start := time.Now()
	if err := sink.Deliver(ctx, ifname, n); err != nil {
		return err
	}
	s.log.Info("the network was handed over", "interface", ifname, "manager", sink.Name(), "took", time.Since(start).Round(time.Millisecond))
	return nil
}
