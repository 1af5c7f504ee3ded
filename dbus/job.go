package dbus

import (
	"context"
	"errors"
	"strings"

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
	p := s.peer(c.Sender)
	p.job = true
	s.jobs++
	ask := Request{
		Action: row.action, Sender: c.Sender, Interactive: c.Flags&godbus.FlagAllowInteractiveAuthorization != 0,
		Details: map[string]string{"method": name[strings.LastIndex(name, ".")+1:]},
	}
	if r.ifname != "" {
		ask.Details["interface"] = r.ifname
	}
	free := row.orOwner && r.owner
	r.owner = free
	go s.job(result{call: c, peer: p}, ask, free, r, h)
}

// job is a goroutine: who is it, may he, do it. There is one for each caller at most. While somebody decides, which can
// take minutes, it takes nobody's place.
func (s *Server) job(done result, ask Request, free bool, r *request, h handler) {
	defer func() { s.results <- done }()
	defer s.survive("call", done.call.Interface+"."+done.call.Member, func() { done.err = errPanic })
	p := done.peer
	s.work(func() { done.err = p.identify(p.ctx, s.bus) })
	if done.err != nil {
		return
	}
	if !free {
		ask.UID = p.uid
		if done.err = s.authorize(p.ctx, ask); done.err != nil {
			return
		}
	}
	do := s.work
	if slow[done.call.Interface+"."+done.call.Member] {
		do = func(f func()) { f() }
	}
	do(func() { done.body, done.err = r.handle(p.ctx, done.call, h) })
}

// work does what is quick, once there are fewer than maxJobs who do.
func (s *Server) work(f func()) {
	s.places <- struct{}{}
	defer func() { <-s.places }()
	f()
}

// authorize asks the Authorizer.
func (s *Server) authorize(ctx context.Context, ask Request) error {
	err := s.auth.Authorize(ctx, ask)
	switch {
	case ctx.Err() != nil: // nobody waits for the answer any more
		return errCallerLeft
	case err != nil && !expected(err):
		s.log.Warn("authorization", "action", ask.Action, "sender", ask.Sender, "err", err)
		return ErrNotAuthorized // whatever went wrong, the answer is no
	}
	return err
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
	return nil
}

// answer answers a call, and lets the next one of this caller come.
func (s *Server) answer(c *call, body []any, err error) {
	if err != nil && !expected(err) && !errors.Is(err, errPanic) && !errors.Is(err, errCallerLeft) {
		s.log.Error("call failed", "interface", c.Interface, "method", c.Member, "sender", c.Sender, "err", err)
	}
	s.bus.reply(c, body, err)
	s.bus.queue.release(c.Sender)
}
