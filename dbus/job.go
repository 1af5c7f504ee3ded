package dbus

import (
	"context"
	"errors"

	godbus "github.com/godbus/dbus/v5"
)

// result is how a job ended.
type result struct {
	call *call
	peer *peer
	body []any
	err  error
}

// perform carries out a call of ours: at once if anyone may make it, else in a job. name is its row in access.
func (s *Server) perform(c *call, r *request, name string, h handler) {
	row, known := access[name]
	if !known || h == nil { // a test sees to it that this does not happen
		s.answer(c, nil, ErrNotAuthorized)
		return
	}
	if row.action == Anyone {
		body, err := r.handle(s.ctx, c, h)
		s.answer(c, body, err)
		return
	}
	if s.jobs == maxJobs {
		s.waiting = append(s.waiting, c) // one for each caller at most
		return
	}
	p := s.peer(c.sender)
	p.job = true
	s.jobs++
	ask := Request{
		Action: row.action, Sender: c.sender, Interactive: c.flags&godbus.FlagAllowInteractiveAuthorization != 0,
		Details: map[string]string{},
	}
	if r.ifname != "" {
		ask.Details["interface"] = r.ifname
	}
	free := row.orOwner && r.owner
	r.owner = free
	go s.job(result{call: c, peer: p}, ask, free, r, h)
}

// job is a goroutine: who is it, may he, do it.
func (s *Server) job(done result, ask Request, free bool, r *request, h handler) {
	defer func() { s.results <- done }()
	defer s.survive("call", done.call.iface+"."+done.call.member, func() { done.err = errPanic })
	p := done.peer
	if done.err = p.identify(p.ctx, s.bus); done.err != nil {
		return
	}
	if !free {
		ask.UID = p.uid
		if done.err = s.auth.Authorize(p.ctx, ask); done.err != nil {
			if !errors.Is(done.err, ErrNotAuthorized) {
				s.log.Warn("authorization", "action", ask.Action, "sender", ask.Sender, "error", done.err)
				done.err = ErrNotAuthorized // whatever went wrong, the answer is no
			}
			return
		}
	}
	done.body, done.err = r.handle(p.ctx, done.call, h)
}

// handle decodes the arguments and runs the handler.
func (r *request) handle(ctx context.Context, c *call, h handler) (body []any, err error) {
	if r.args, err = c.args(); err != nil {
		return nil, err
	}
	return h(ctx, r)
}

// finish takes the result of a job: first the signals of what it did, then its answer.
func (s *Server) finish(r result) error {
	s.jobs--
	p := r.peer
	p.job = false
	if err := s.drain(); err != nil {
		return err
	}
	switch {
	case p.gone:
		// He left while his session was being started, which did not know of it.
		s.svc.ReleaseOwner(p.name)
		s.unwatch(p)
	case !p.known:
		s.forget(p)
	}
	s.answer(r.call, r.body, r.err)
	if len(s.waiting) > 0 {
		next := s.waiting[0]
		s.waiting = s.waiting[1:]
		s.dispatch(next)
	}
	return nil
}

// answer answers a call, and lets the next one of this caller come.
func (s *Server) answer(c *call, body []any, err error) {
	if err != nil && !expected(err) && !errors.Is(err, errPanic) && !errors.Is(err, errCallerLeft) {
		s.log.Error("call failed", "interface", c.iface, "method", c.member, "sender", c.sender, "error", err)
	}
	s.bus.reply(c, body, err)
	s.bus.queue.release(c.sender)
}
