package external

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"wpsd/engine/er"
	"wpsd/engine/upnp"
	"wpsd/service/fence"
	"wpsd/service/keypair"
	"wpsd/service/state"
)

// erGoodbye bounds how long access points are told, at the end, that we are gone.
const Goodbye = 2 * time.Second

// cancellations are the runs that somebody wants to end, for the loop to end them: who cancels holds
// locks that the loop may wait for.
type cancellations struct {
	mu   sync.Mutex
	list []canceledRun
}

func (c *cancellations) add(run canceledRun) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, run)
}

// take empties the list.
func (c *cancellations) take() []canceledRun {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := c.list
	c.list = nil
	return list
}

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
	tags      map[er.RunID]*erTag // of runs that use one
	requests  context.Context     // of requests under way
	replies   chan erReply
	tasks     sync.WaitGroup // requests
	leaving   bool
	wake      chan struct{} // holds at most one: see canceled

	canceled cancellations

	// registrars.mu guards these.
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

// ErrBroken tells a caller that his call is what the External Registrar has failed at; the log has
// more.
var ErrBroken = errors.New("service: the External Registrar failed, which is a mistake in it")

// run is the goroutine. What goes wrong in it ends this External Registrar and its sessions, and
// nothing else.
func (e *externalRegistrar) run(ctx context.Context) {
	// they outlive ctx, to say goodbye
	requests, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	e.requests = requests
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	s := e.room
	why := s.fenced("an External Registrar", func() { e.serve(ctx, timer) })
	if why == nil {
		why = context.Cause(ctx)
	}
	close(e.over)
	e.leaving = true
	if err := s.fenced("the end of an External Registrar", func() {
		e.leave(why, timer)
	}); err != nil {
		_ = s.fenced("the end of an External Registrar", func() { e.abandon(err) })
	}
	end()
	e.tasks.Wait()
	_ = s.fenced("the end of an External Registrar", e.keys.Close)
	if err := e.point.Close(); err != nil {
		s.log.Debug("closing the sockets of the External Registrar", "interface",
			e.ifname, "err", err)
	}
}

// serve passes whatever happens to the engine, and does what it says.
func (e *externalRegistrar) serve(ctx context.Context, timer *time.Timer) {
	e.perform(time.Now(), e.registrar.Start(time.Now(), e.address))
	for ctx.Err() == nil {
		e.setTimer(timer)
		select {
		case do := <-e.commands:
			do(time.Now())
		case <-e.wake:
			e.cancelRuns(time.Now())
		case <-ctx.Done():
		default:
			e.next(ctx.Done(), timer)
		}
	}
}

// next waits for one thing to happen. What people want was looked at before, so that a flood of
// events delays it by one event at most.
func (e *externalRegistrar) next(stop <-chan struct{}, timer *time.Timer) {
	var now time.Time
	var actions []er.Action
	commands := e.commands
	if e.leaving {
		commands = nil
	}
	select {
	case a := <-e.point.Heard():
		now = time.Now()
		actions = e.registrar.Heard(now, a)
	case n := <-e.point.Notified():
		now = time.Now()
		actions = e.registrar.Notified(now, n)
	case <-e.point.Changed():
		now = time.Now()
		actions = e.registrar.Moved(now)
	case r := <-e.replies:
		now = time.Now()
		actions = e.registrar.Replied(now, r.id, r.response, r.err)
	case <-timer.C:
		now = time.Now()
		actions = e.registrar.Tick(now)
		e.expire(now)
	case do := <-commands:
		do(time.Now())
	case <-e.wake:
		e.cancelRuns(time.Now())
	case <-stop:
	}
	e.perform(now, actions)
}

// setTimer sets the timer to when the engine or a session wants to be called next.
func (e *externalRegistrar) setTimer(timer *time.Timer) {
	at := e.registrar.NextTick()
	for _, run := range e.runs {
		if at.IsZero() || run.deadline.Before(at) {
			at = run.deadline
		}
	}
	if at.IsZero() {
		timer.Stop()
		return
	}
	timer.Reset(max(time.Until(at), 0))
}

// perform does what the engine says, in this order.
func (e *externalRegistrar) perform(now time.Time, actions []er.Action) {
	for _, a := range actions {
		switch a := a.(type) {
		case er.Search:
			if err := e.point.Search(e.requests); err != nil {
				e.room.log.Debug("searching for access points", "interface",
					e.ifname, "err", err)
			}
		case er.Do:
			e.do(a)
		case er.Tell:
			e.tell(now, a.Event)
		}
	}
}

// do sends one request in a goroutine of its own, so that nobody waits for a device that is slow.
// The engine bounds how many there are.
func (e *externalRegistrar) do(a er.Do) {
	e.tasks.Go(func() {
		growStack(a.ID)
		var response upnp.Response
		err := fence.Do(e.room.log, "a request of the External Registrar", func() (err error) {
			response, err = e.point.Do(e.requests, a.Request)
			return err
		})
		e.room.log.Debug("request", "interface", e.ifname, "id", a.ID, "method",
			a.Request.Method, "to", a.Request.URL.Host,
			"action", a.Request.Header.Get("SOAPACTION"), "size", len(a.Request.Body), "status",
			response.Status, "answer", len(response.Body), "err", err)
		select {
		case e.replies <- erReply{a.ID, response, err}:
		case <-e.requests.Done():
		}
	})
}

// growStack makes room for a request on the stack of a new goroutine while there is hardly anything
// on it. It would grow twice on the way down otherwise, and be copied with all frames: a thirtieth
// of what a run costs.
//
//go:noinline
func growStack(n uint64) byte {
	var room [9 << 10]byte
	return room[n%uint64(len(room))]
}

// fenced runs f so that a panic in it is logged, and returned as an error.
func (s *Registrars) fenced(what string, f func()) error {
	return fence.Do(s.log, what, func() error { f(); return nil })
}

// abandon ends what leave has left over.
func (e *externalRegistrar) abandon(why error) {
	e.stopNow(why)
	for id, run := range e.runs {
		delete(e.runs, id)
		if tag := e.tags[id]; tag != nil {
			tag.over(false)
		}
		e.finish(run.session, why)
	}
}

// stopNow is stop for who does not hold registrars.mu.
func (e *externalRegistrar) stopNow(cause error) {
	e.room.mu.Lock()
	defer e.room.mu.Unlock()
	e.stop(cause)
}

// leave ends all sessions and says goodbye to access points, not longer than erGoodbye.
func (e *externalRegistrar) leave(cause error, timer *time.Timer) {
	e.stopNow(cause) // unless that was what led here
	for _, run := range e.runs {
		run.fail(cause)
	}
	e.perform(time.Now(), e.registrar.Stop(time.Now()))
	enough, stop := context.WithTimeout(e.requests, Goodbye)
	defer stop()
	for !e.registrar.Idle() && enough.Err() == nil {
		e.setTimer(timer)
		e.next(enough.Done(), timer)
	}
}
