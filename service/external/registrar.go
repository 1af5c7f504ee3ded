package external

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"wpsd/engine/er"
	"wpsd/engine/upnp"
	"wpsd/service/keypair"
	"wpsd/service/state"
	"wpsd/service/tags"
)

// externalRegistrar is the External Registrar on one interface. Its goroutine owns what is not said
// to be others'.
type externalRegistrar struct {
	room     *Registrars
	ifname   string
	address  netip.Addr
	point    ControlPoint
	cancel   context.CancelCauseFunc
	commands chan func(now time.Time) // what others want to be done
	over     chan struct{}            // closed when no more commands are taken

	registrar *er.Registrar
	keys      *keypair.Maker // for the next run, made while nobody waits for it
	runs      map[er.RunID]*erRun
	tags      map[er.RunID]*tags.Use // of runs that use one
	requests  context.Context        // of requests under way
	replies   chan erReply
	tasks     sync.WaitGroup // requests
	leaving   bool
	wake      chan struct{} // holds at most one: see canceled

	canceled cancellations

	// Registrars.mu guards these.
	owners   map[string]string
	users    map[string]struct{} // of those who started it for good
	detached bool                // somebody wants it to run for good
}

// erReply is how a request ended.
type erReply struct {
	id       uint64
	response upnp.Response
	err      error
}

// command lets the goroutine do something, and waits for it. It fails if the External Registrar
// ends before.
func (e *externalRegistrar) command(ctx context.Context, do func(now time.Time)) error {
	done := make(chan struct{})
	carriedOut := false
	select {
	case e.commands <- func(now time.Time) { defer close(done); do(now); carriedOut = true }:
		if <-done; !carriedOut {
			return ErrBroken
		}
		return nil
	case <-e.over:
		return state.ErrERStopped
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// ErrBroken tells a caller that its call is what the External Registrar has failed at; the log has
// more.
var ErrBroken = errors.New("external: the External Registrar failed, which is a mistake in it")

// findER is runningER for who does not hold mu.
func (s *Registrars) findER(ifname string) (*externalRegistrar, error) {
	if _, err := s.hub.Interface(ifname); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.runningER(ifname)
}

// runningER finds the External Registrar on an interface. The caller holds mu.
func (s *Registrars) runningER(ifname string) (*externalRegistrar, error) {
	if e := s.running[ifname]; e != nil {
		return e, nil
	}
	return nil, fmt.Errorf("%w (%s)", state.ErrERStopped, ifname)
}

// askER lets the goroutine of a running External Registrar do something.
func (s *Registrars) askER(ctx context.Context, ifname string,
	do func(e *externalRegistrar, now time.Time) error) error {
	e, err := s.findER(ifname)
	if err != nil {
		return err
	}
	var result error
	if err := e.command(ctx, func(now time.Time) { result = do(e, now) }); err != nil {
		return err
	}
	return result
}

// all are those that run.
func (s *Registrars) all() []*externalRegistrar {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.running))
}
