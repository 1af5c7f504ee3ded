package service

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"wpsd/drivers"
	"wpsd/service/state"
)

// maxAdded bounds what one caller can make us list.
const maxAdded = 64

// AddInterface has a driver take one more network interface, which it does not find by itself: the
// driver none, for an External Registrar on a wired network. The interface is there when
// AddInterface returns.
func (s *Service) AddInterface(ctx context.Context, name, driver string) error {
	if name == "" || len(name) > 15 || strings.ContainsAny(name, "/ \t\n\x00") || name == "." ||
		name == ".." {
		return fmt.Errorf("%w: %q is not the name of a network interface", state.ErrInvalid, name)
	}
	d, err := s.sources.named(driver)
	if err != nil {
		return err
	}
	s.mu.Lock()
	_, there := s.interfaces[name]
	full := len(s.sources.added) >= maxAdded
	if !there && !full {
		s.sources.added[name] = true
	}
	s.mu.Unlock()
	if full && !there {
		return fmt.Errorf("%w: %d interfaces were added already: remove one",
			state.ErrInvalid, maxAdded)
	}
	if there {
		return fmt.Errorf("%w (%q)", state.ErrInterfaceExists, name)
	}
	if err := d.Add(name); err != nil && !errors.Is(err, drivers.ErrBusy) {
		return fmt.Errorf("service: adding %s: %w", name, err)
	}
	if err := s.list(ctx, d); err != nil {
		return err
	}
	s.warnOfMissing(name)
	return nil
}

// RemoveInterface takes back what AddInterface added. ErrNotSupported for an interface that its
// driver found by itself.
func (s *Service) RemoveInterface(ctx context.Context, name string) error {
	s.mu.Lock()
	i, there := s.interfaces[name]
	s.mu.Unlock()
	if !there {
		return fmt.Errorf("%w (%q)", state.ErrNoInterface, name)
	}
	if !i.driver.Named() {
		return fmt.Errorf("%w: %s was not added, it was found: use --interface to leave it alone",
			state.ErrNotSupported, name)
	}
	if err := i.driver.Remove(name); err != nil && !errors.Is(err, drivers.ErrNoInterface) {
		return fmt.Errorf("service: removing %s: %w", name, err)
	}
	s.mu.Lock()
	delete(s.sources.added, name)
	s.mu.Unlock()
	return s.list(ctx, i.driver)
}

// warnOfMissing tells of interfaces that were asked for and are not there (yet). A driver that takes
// any name lists it all the same, without the number that the system gives.
func (s *Service) warnOfMissing(names ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range names {
		if i := s.interfaces[name]; i == nil || i.Index == 0 {
			s.log.Warn("there is no such network interface: see \"ip link\" for those that there are; it is used when it comes", "interface", name)
		}
	}
}
