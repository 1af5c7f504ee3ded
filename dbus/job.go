package dbus

import (
	"context"
	"errors"
	"strconv"
	"strings"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/dbus/bus"
	"wpsd/service/fence"
	"wpsd/service/state"
)

// result is how a job ended.
type result struct {
	call *call
	peer *peer
	body []any
	err  error
}

// perform carries out a call of ours: at once if anyone may make it, else in a job. name is its row
// in access.
func (s *Server) perform(c *call, r *request, name string, h handler) {
	row, known := access[name]
	if !known || h.do == nil { // a test sees to it that this does not happen
		s.answer(c, nil, ErrNotAuthorized)
		return
	}
	if row.action == Anyone && row.by == nil && !row.asks {
		body, err := r.handle(s.ctx, c, h)
		s.answer(c, body, err)
		return
	}
	p := s.peer(c.Sender)
	p.job = true
	s.jobs.running++
	ask := Request{
		Sender: c.Sender, Interactive: c.Flags&godbus.FlagAllowInteractiveAuthorization != 0,
		Details: map[string]string{"method": name[strings.LastIndex(name, ".")+1:]},
	}
	if r.ifname != "" {
		ask.Details["interface"] = r.ifname
	}
	go s.job(result{call: c, peer: p}, ask, row, r, h)
}

// job is a goroutine: who is it, may it, do it. There is one for each caller at most. While
// somebody decides, which can take minutes, it takes nobody's place.
func (s *Server) job(done result, ask Request, row rule, r *request, h handler) {
	defer func() { s.jobs.results <- done }()
	method := done.call.Interface + "." + done.call.Member
	if fence.Do(s.log, "the call "+method, func() error {
		s.carryOutJob(&done, ask, row, r, h)
		return nil
	}) != nil {
		done.err = errPanic
	}
}

func (s *Server) carryOutJob(done *result, ask Request, row rule, r *request, h handler) {
	p := done.peer
	s.work(func() { done.err = p.identify(p.ctx, s.bus) })
	if done.err != nil {
		return
	}
	ask.UID, r.user = p.uid, userName(p.uid)
	r.free = row.lets(r)
	r.permission = func(ctx context.Context, a Action) Permission {
		ask.Action = a
		return s.auth.Permission(ctx, ask)
	}
	for range maxChanges {
		if done.err = s.mayDo(p.ctx, ask, row, r, done.call); done.err != nil {
			return
		}
		do := s.work
		if slow[done.call.Interface+"."+done.call.Member] {
			do = func(f func()) { f() }
		}
		do(func() { done.body, done.err = r.handle(p.ctx, done.call, h) })
		if !errors.Is(done.err, state.ErrChanged) {
			return
		}
	}
}

// maxChanges is how often a call is looked at anew because what it would do has changed while
// somebody was asked.
const maxChanges = 3

// lets reports whether a call needs no authorization, because of whose session it is about.
func (w rule) lets(r *request) bool {
	return w.owner && (r.session == 0 || r.owner) || w.user && r.user == r.sessionUser
}

// userName is how the service knows a user.
func userName(uid uint32) string { return strconv.FormatUint(uint64(uid), 10) }

// mayDo finds out what a call will do, and asks whether its caller may.
func (s *Server) mayDo(ctx context.Context, ask Request, row rule, r *request,
	c *call) (err error) {
	if r.free || row.asks {
		return nil
	}
	ask.Action = row.action
	if row.by != nil {
		if ask.Action, err = s.look(ctx, row, r, c); err != nil {
			return err
		}
	}
	return s.authorize(ctx, ask)
}

// work does what is quick, once there are fewer than maxJobs who do.
func (s *Server) work(f func()) {
	s.jobs.places <- struct{}{}
	defer func() { <-s.jobs.places }()
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

// look decodes the arguments and finds out what a call will do. It is made for everybody who calls,
// so few are made at once.
func (s *Server) look(ctx context.Context, row rule, r *request, c *call) (Action, error) {
	s.jobs.looks <- struct{}{}
	defer func() { <-s.jobs.looks }()
	defer r.wipe()
	if err := r.decode(c); err != nil {
		return "", err
	}
	return row.by(ctx, r), nil
}

// handle decodes the arguments, and has done what they say.
func (r *request) handle(ctx context.Context, c *call, h handler) (body []any, err error) {
	defer r.wipe()
	if err := r.decode(c); err != nil {
		return nil, err
	}
	asked, err := h.read(r)
	if err != nil {
		return nil, err
	}
	return h.do(ctx, r.svc, asked)
}

// decode decodes the arguments. Each time anew: what is secret in them is wiped after each use.
func (r *request) decode(c *call) (err error) {
	r.args, err = c.args()
	return err
}

// wipe wipes what is secret in the arguments.
func (r *request) wipe() { bus.WipeBody(r.args) }

// finish takes the result of a job: first the signals of what it did, then its answer.
func (s *Server) finish(r result) error {
	s.jobs.running--
	p := r.peer
	p.job = false
	if err := s.drain(); err != nil {
		return err
	}
	switch {
	case p.gone:
		// The caller left while its session was being started, which did not know of that.
		s.svc.ReleaseOwner(p.name)
		s.unwatch(p)
	case !p.known:
		s.forget(p)
	}
	s.answer(r.call, r.body, r.err)
	return nil
}

// answer answers a call, and lets the next one of this caller come. The call is wiped: a PIN or a
// key may be in it.
func (s *Server) answer(c *call, body []any, err error) {
	defer clear(c.Frame)
	if err != nil && !expected(err) && !errors.Is(err, errPanic) && !errors.Is(err, errCallerLeft) {
		s.log.Error("call failed", "interface", c.Interface, "method", c.Member, "sender",
			c.Sender, "err", err)
	}
	s.bus.reply(c, body, err)
	s.bus.queue.release(c.Sender)
}
