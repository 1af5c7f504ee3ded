package dbus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrIdle ends Run when nobody has needed us for a while.
var ErrIdle = errors.New("dbus: nobody needs wpsd")

// maxWatchers bounds the clients we stay for, because they follow our objects; each takes a match
// rule.
const maxWatchers = 128

// Idle says when Run ends by itself.
type Idle struct {
	// After returns how long nobody must have needed us; 0: for ever.
	After func() time.Duration
	// Leaving is called before we give our name back: whoever activates us has to know by its
	// return that a call which finds the name without owner needs a new process.
	Leaving func()
	// Staying is called if we are needed after all: a call came in the last moment. Run goes on,
	// and tries again later.
	Staying func()
}

// rest decides how long the worker may sleep: it is called after each thing that happened.
func (s *Server) rest() {
	s.idle.timer.Stop()
	if s.idle.After == nil {
		return
	}
	if after := s.idle.After(); after > 0 {
		s.idle.timer.Reset(after)
	}
}

// needed says in a few words for what we are needed; empty: for nothing. A client that asked for
// all objects follows them, and is why we stay, too: it would wait in vain for what only a running
// wpsd hears.
func (s *Server) needed() string {
	switch {
	case s.jobs.running > 0:
		return "a call"
	case len(s.watchers) > 0:
		return "a client that follows the objects"
	}
	return s.idle.busy()
}

// leave ends Run, with ErrIdle, unless we are needed. No call is lost on the way: the bus answers
// our giving up of the name after it has passed on the last call to it, so all of them are in the
// queue then. Later ones find no owner, and the bus has a new process started.
func (s *Server) leave() error {
	if err := s.forgetWatchers(); err != nil {
		return err
	}
	if why := s.needed(); why != "" {
		s.log.Debug("wpsd stays", "for", why)
		return nil
	}
	if s.idle.Leaving != nil {
		s.idle.Leaving()
	}
	for {
		if err := s.bus.releaseName(s.ctx); err != nil {
			return err
		}
		if !s.bus.queue.some() && s.needed() == "" {
			return errors.Join(s.drain(), ErrIdle)
		}
		why, err := s.answerLast()
		if err != nil {
			return err
		}
		if why != "" {
			s.log.Info("wpsd stays: it was called in the last moment", "for", why)
			if s.idle.Staying != nil {
				s.idle.Staying()
			}
			s.rest()
			return nil
		}
	}
}

// answerLast takes the name again, answers the calls that came while it was given back, and says
// for what we are needed then. The name comes first: whoever is answered finds that we own it, and
// can tell by that, when they hear late that it was given back, that we have not left.
func (s *Server) answerLast() (why string, err error) {
	err = s.bus.ownName(s.ctx)
	for s.bus.queue.some() {
		s.serve()
	}
	if err := errors.Join(err, s.drain()); err != nil {
		return "", err
	}
	return s.needed(), nil
}

// watch notes that a client follows our objects.
func (s *Server) watch(name string) {
	if s.idle.After == nil || s.watchers[name] || len(s.watchers) >= maxWatchers {
		return
	}
	s.watchers[name] = true
	s.svc.Follow(true)
	s.bus.tell("AddMatch", leftRule(name))
}

// watcherLeft notes that a client left the bus.
func (s *Server) watcherLeft(name string) {
	if s.watchers[name] {
		delete(s.watchers, name)
		s.svc.Follow(len(s.watchers) > 0)
		s.bus.tell("RemoveMatch", leftRule(name))
	}
}

// forgetWatchers forgets those that left before the bus knew that we want to hear of it.
func (s *Server) forgetWatchers() error {
	if len(s.watchers) == 0 {
		return nil
	}
	var there []string
	if err := s.bus.ask(s.ctx, "ListNames", &there); err != nil {
		return fmt.Errorf("dbus: who is on the bus: %w", err)
	}
	for name := range s.watchers {
		if !slices.Contains(there, name) {
			s.watcherLeft(name)
		}
	}
	return nil
}

// releaseName gives our name back.
func (b *Bus) releaseName(ctx context.Context) error {
	b.leaving.Store(true) // the bus will say that the name is lost
	defer b.leaving.Store(false)
	var got uint32
	if err := b.ask(ctx, "ReleaseName", &got, BusName); err != nil {
		return fmt.Errorf("dbus: giving back the name %s: %w", BusName, err)
	}
	return nil
}
