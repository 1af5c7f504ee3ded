package dbus

import (
	"context"
	"errors"
	"fmt"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/dbus/bus"
	"wpsd/service/outcome"
)

// maxPeers is how many callers we know at once. The bus allows a connection 512 match rules, and
// each takes one.
const maxPeers = 256

// peer is a caller who did, or tried, something that needs an authorization. We watch whether it
// leaves the bus. The worker owns it, but for known and uid, which belong to its job while there is
// one.
type peer struct {
	name   string
	known  bool
	uid    uint32
	job    bool // one of its calls is being worked on
	gone   bool
	ctx    context.Context // ends when it leaves
	cancel context.CancelCauseFunc
	used   uint64 // when last, counted in uses
}

// identify finds out who a caller is and begins to watch it. Its absence is noticed in any case:
// if it leaves before the match rule is there, the question fails.
func (p *peer) identify(ctx context.Context, b *Bus) error {
	if p.known {
		return nil
	}
	err := b.ask(ctx, "AddMatch", nil, leftRule(p.name))
	if err == nil {
		if err = b.ask(ctx, "GetConnectionUnixUser", &p.uid, p.name); err != nil {
			b.tell("RemoveMatch", leftRule(p.name))
		}
	}
	var e godbus.Error
	switch {
	case errors.As(err, &e) && e.Name == outcome.NameLimits:
		return outcome.TooManyCallers.Of()
	case errors.As(err, &e) && e.Name == "org.freedesktop.DBus.Error.NameHasNoOwner",
		ctx.Err() != nil:
		return errCallerLeft
	case err != nil:
		return fmt.Errorf("dbus: who is %s: %w", p.name, err)
	}
	p.known = true
	return nil
}

// leftRule matches the signal that a connection left the bus. arg2, the new owner, is empty then.
func leftRule(name string) string {
	return fmt.Sprintf("type='signal',sender='%s',interface='%s',member='NameOwnerChanged',arg0='%s',arg2=''", bus.Driver, bus.Driver, name)
}

// peer gives what we know of a caller.
func (s *Server) peer(name string) *peer {
	p := s.peers[name]
	if p == nil {
		s.forgetPeers()
		p = &peer{name: name}
		p.ctx, p.cancel = context.WithCancelCause(s.ctx)
		s.peers[name] = p
	}
	s.uses++
	p.used = s.uses
	return p
}

// forgetPeers makes room by forgetting who called the longest ago, unless we have to know when it
// leaves.
func (s *Server) forgetPeers() {
	for len(s.peers) >= maxPeers {
		var oldest *peer
		for _, p := range s.peers {
			if !p.job && (oldest == nil || p.used < oldest.used) && !s.objects.owns(p.name) &&
				!s.svc.HasAgent(p.name) && !s.svc.WantsER(p.name) {
				oldest = p
			}
		}
		if oldest == nil {
			// there is one job for each connection; sessions and agents are bounded themselves
			return
		}
		s.forget(oldest)
	}
}

// forget stops watching a caller.
func (s *Server) forget(p *peer) {
	delete(s.peers, p.name)
	p.cancel(errCallerLeft)
	if !p.job { // else finish does it: known belongs to the job
		s.unwatch(p)
	}
}

// unwatch takes back the match rule.
func (s *Server) unwatch(p *peer) {
	if p.known {
		s.bus.tell("RemoveMatch", leftRule(p.name))
	}
}

// peerLeft ends what a caller has going.
func (s *Server) peerLeft(name string) {
	p := s.peers[name]
	if p == nil {
		return
	}
	p.gone = true
	s.forget(p)
	s.bus.queue.drop(name)
	s.svc.ReleaseOwner(name)
}
