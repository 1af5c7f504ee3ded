package external

import (
	"context"
	"time"

	"wpsd/engine/er"
	"wpsd/service/fence"
)

// Goodbye bounds how long access points are told, at the end, that we are gone.
const Goodbye = 2 * time.Second

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
			tag.End(false)
		}
		e.finish(run.session, why)
	}
}

// leave ends all sessions and says goodbye to access points, not longer than Goodbye.
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
