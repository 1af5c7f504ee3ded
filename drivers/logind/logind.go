// Package logind lets the machine sleep only when wpsd has come to rest: it holds a delay lock of
// logind's (or elogind's; "org.freedesktop.login1", systemd's "Inhibitor Locks"), and gives it back
// when everything has ended. Where there is no logind it waits for one, and nothing is different.
package logind

import (
	"context"
	"log/slog"
	"os"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/dbus/bus"
)

// logind on the bus.
const (
	name    = "org.freedesktop.login1"
	path    = godbus.ObjectPath("/org/freedesktop/login1")
	manager = "org.freedesktop.login1.Manager"
)

const (
	// answerTime is how long logind may take to answer.
	answerTime = 10 * time.Second
	// usualDelay is logind's own default for how long a lock may delay sleep (InhibitDelayMaxSec).
	usualDelay = 5 * time.Second
	// margin is what we leave of that delay: later, logind would say that we are why it had to
	// wait.
	margin = 500 * time.Millisecond
)

// Sleeper is what has to come to rest before the machine may sleep; *service.Service is one.
type Sleeper interface {
	// Suspend returns once everything is at rest, or ctx ends.
	Suspend(ctx context.Context) error
	Resume()
}

// guard belongs to the goroutine of Run.
type guard struct {
	conn    *bus.Conn
	sleeper Sleeper
	log     *slog.Logger
	owner   string   // logind's unique name; empty: it is not there
	lock    *os.File // nil: we hold none
	asleep  bool     // between Suspend and Resume
}

// Run guards the machine's sleep until ctx ends, with a connection of its own to the bus that is
// named so: the lock is a file descriptor, which the connection that everybody may call does not
// take.
func Run(ctx context.Context, address string, s Sleeper, log *slog.Logger) error {
	log = log.With("for", "logind")
	return bus.Stay(ctx, address, bus.Options{Files: true}, log,
		func(ctx context.Context, conn *bus.Conn) error {
			g := &guard{conn: conn, sleeper: s, log: log}
			defer g.end()
			return g.run(ctx)
		})
}

// run follows logind until ctx or the connection ends.
func (g *guard) run(ctx context.Context) error {
	signals := g.conn.Signals()
	if err := g.listen(ctx); err != nil {
		return err
	}
	if owner := g.conn.Owner(name); owner != "" {
		g.arrives(ctx, owner)
	}
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-g.conn.Done():
			return g.conn.Err()
		case sig, ok := <-signals:
			if ok {
				g.take(ctx, sig)
			}
		}
	}
}

// end lets go of everything.
func (g *guard) end() {
	g.release()
	if g.asleep {
		g.sleeper.Resume()
	}
}

// listen asks the bus for what we want to hear.
func (g *guard) listen(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	return g.conn.Follow(ctx, bus.Name{Name: name,
		Signals: []bus.Signals{{Path: path, Interface: manager, Member: "PrepareForSleep"}}})
}

// take handles a signal. The connection hears those of the bus and of logind only.
func (g *guard) take(ctx context.Context, s *godbus.Signal) {
	switch {
	case s.Sender == bus.Driver && s.Name == bus.Driver+".NameOwnerChanged" && len(s.Body) == 3 &&
		s.Body[0] == name:
		owner, _ := s.Body[2].(string)
		if owner != "" && owner == g.owner {
			return // it came while we asked whether it is there
		}
		g.leaves()
		if owner != "" {
			g.arrives(ctx, owner)
		}
	case g.owner != "" && s.Sender == g.owner && s.Name == manager+".PrepareForSleep" &&
		len(s.Body) == 1:
		if begins, _ := s.Body[0].(bool); begins {
			g.sleep(ctx)
		} else {
			g.wake(ctx)
		}
	}
}

// arrives is called when logind is there. It may be about to sleep already.
func (g *guard) arrives(ctx context.Context, owner string) {
	g.owner = owner
	g.hold(ctx)
	if preparing, ok := g.property(ctx, "PreparingForSleep").(bool); ok && preparing {
		g.sleep(ctx)
	}
}

// leaves is called when logind is gone, and its locks with it. The machine does not sleep without
// it.
func (g *guard) leaves() {
	g.owner = ""
	g.release()
	g.resume()
}

// sleep brings everything to rest, in the time there is, and lets the machine sleep.
func (g *guard) sleep(ctx context.Context) {
	defer g.release()
	if g.asleep {
		return
	}
	delay := usualDelay
	if us, ok := g.property(ctx, "InhibitDelayMaxUSec").(uint64); ok &&
		us < uint64(time.Hour/time.Microsecond) {
		delay = time.Duration(us) * time.Microsecond
	}
	ctx, cancel := context.WithTimeout(ctx, max(delay-margin, delay/2))
	defer cancel()
	began := time.Now()
	g.asleep = true
	if err := g.sleeper.Suspend(ctx); err != nil {
		g.log.Warn("the computer goes to sleep", "took",
			time.Since(began).Round(time.Millisecond), "err", err)
		return
	}
	g.log.Info("the computer goes to sleep", "took", time.Since(began).Round(time.Millisecond))
}

// wake holds a new lock, for the next time, and goes on.
func (g *guard) wake(ctx context.Context) {
	g.hold(ctx)
	g.resume()
}

func (g *guard) resume() {
	if !g.asleep {
		return
	}
	g.asleep = false
	g.log.Info("the computer is awake")
	g.sleeper.Resume()
}

// hold takes a lock. Without one the machine sleeps all the same, and sessions end when they
// notice.
func (g *guard) hold(ctx context.Context) {
	if g.lock != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	lock, err := g.conn.CallFile(ctx,
		bus.Request{To: g.owner, Path: path, Method: manager + ".Inhibit",
			Args:  []any{"sleep", "wpsd", "Network interfaces are given back", "delay"},
			Flags: godbus.FlagNoAutoStart})
	if err != nil {
		g.log.Warn("no lock of logind's: the computer will not wait for sessions to end before it sleeps", "err", err)
		return
	}
	g.lock = lock
}

// release gives the lock back.
func (g *guard) release() {
	if g.lock != nil {
		_ = g.lock.Close() // a pipe to logind: nothing can be lost
		g.lock = nil
	}
}

// property reads a property of logind's; nil if that fails.
func (g *guard) property(ctx context.Context, property string) any {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	var v godbus.Variant
	err := g.conn.Call(ctx, bus.Request{To: g.owner, Path: path,
		Method: "org.freedesktop.DBus.Properties.Get",
		Args:   []any{manager, property}, Flags: godbus.FlagNoAutoStart}, &v)
	if err != nil {
		g.log.Debug("logind", "property", property, "err", err)
		return nil
	}
	return v.Value()
}
