// Package logind lets the machine sleep only when wpsd has come to rest: it holds a delay lock of logind's (or elogind's;
// "org.freedesktop.login1", systemd's "Inhibitor Locks"), and gives it back when everything has ended. Where there is no
// logind it waits for one, and nothing is different.
package logind

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	godbus "github.com/godbus/dbus/v5"
)

// logind on the bus.
const (
	name    = "org.freedesktop.login1"
	path    = godbus.ObjectPath("/org/freedesktop/login1")
	manager = "org.freedesktop.login1.Manager"

	busName = "org.freedesktop.DBus"
)

const (
	// answerTime is how long logind may take to answer.
	answerTime = 10 * time.Second
	// usualDelay is logind's own default for how long a lock may delay sleep (InhibitDelayMaxSec).
	usualDelay = 5 * time.Second
	// margin is what we leave of that delay: later, logind would say that we are why it had to wait.
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
	conn    *godbus.Conn
	sleeper Sleeper
	log     *slog.Logger
	owner   string   // logind's unique name; empty: it is not there
	lock    *os.File // nil: we hold none
	asleep  bool     // between Suspend and Resume
}

// Run guards the machine's sleep until ctx ends, with a connection of its own to the bus at this address: the lock is a
// file descriptor, which the connection that everybody may send to does not take.
func Run(ctx context.Context, address string, s Sleeper, log *slog.Logger) error {
	conn, err := godbus.Connect(address, godbus.WithSignalHandler(godbus.NewSequentialSignalHandler()), godbus.WithContext(ctx))
	if err != nil {
		return fmt.Errorf("logind: %w", err)
	}
	g := &guard{conn: conn, sleeper: s, log: log}
	defer g.end()
	signals := make(chan *godbus.Signal, 64)
	conn.Signal(signals)
	if err := g.listen(ctx); err != nil {
		return fmt.Errorf("logind: %w", err)
	}
	var owner string
	if err := g.call(ctx, busName, "/org/freedesktop/DBus", busName+".GetNameOwner", &owner, name); err == nil {
		g.arrives(ctx, owner)
	} // else it is not there, or not yet
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case sig, ok := <-signals:
			switch {
			case ctx.Err() != nil: // which closes the connection
				return context.Cause(ctx)
			case !ok:
				return errors.New("logind: the connection to the bus is lost")
			}
			g.take(ctx, sig)
		}
	}
}

// end lets go of everything.
func (g *guard) end() {
	g.release()
	_ = g.conn.Close()
	if g.asleep {
		g.sleeper.Resume()
	}
}

// listen asks the bus for what we want to hear.
func (g *guard) listen(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	return errors.Join(
		g.conn.AddMatchSignalContext(ctx, godbus.WithMatchSender(busName), godbus.WithMatchInterface(busName),
			godbus.WithMatchMember("NameOwnerChanged"), godbus.WithMatchArg(0, name)),
		g.conn.AddMatchSignalContext(ctx, godbus.WithMatchSender(name), godbus.WithMatchObjectPath(path),
			godbus.WithMatchInterface(manager), godbus.WithMatchMember("PrepareForSleep")))
}

// take handles a signal. Anybody can send us one to our own name, so it has to be from whom it should.
func (g *guard) take(ctx context.Context, s *godbus.Signal) {
	switch {
	case s.Sender == busName && s.Name == busName+".NameOwnerChanged" && len(s.Body) == 3 && s.Body[0] == name:
		g.leaves()
		if owner, _ := s.Body[2].(string); owner != "" {
			g.arrives(ctx, owner)
		}
	case g.owner != "" && s.Sender == g.owner && s.Name == manager+".PrepareForSleep" && len(s.Body) == 1:
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

// leaves is called when logind is gone, and its locks with it. The machine does not sleep without it.
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
	if us, ok := g.property(ctx, "InhibitDelayMaxUSec").(uint64); ok && us < uint64(time.Hour/time.Microsecond) {
		delay = time.Duration(us) * time.Microsecond
	}
	ctx, cancel := context.WithTimeout(ctx, max(delay-margin, delay/2))
	defer cancel()
	began := time.Now()
	g.asleep = true
	if err := g.sleeper.Suspend(ctx); err != nil {
		g.log.Warn("the computer goes to sleep", "took", time.Since(began).Round(time.Millisecond), "err", err)
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

// hold takes a lock. Without one the machine sleeps all the same, and sessions end when they notice.
func (g *guard) hold(ctx context.Context) {
	if g.lock != nil {
		return
	}
	var fd godbus.UnixFD
	err := g.call(ctx, g.owner, path, manager+".Inhibit", &fd, "sleep", "wpsd", "Network interfaces are given back", "delay")
	if err != nil {
		g.log.Warn("no lock of logind's: the computer will not wait for sessions to end before it sleeps", "err", err)
		return
	}
	g.lock = os.NewFile(uintptr(fd), "logind's lock")
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
	var v godbus.Variant
	if err := g.call(ctx, g.owner, path, "org.freedesktop.DBus.Properties.Get", &v, manager, property); err != nil {
		g.log.Debug("logind", "property", property, "err", err)
		return nil
	}
	return v.Value()
}

// call calls a method. It never has logind started.
func (g *guard) call(ctx context.Context, to string, object godbus.ObjectPath, method string, result any, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	return g.conn.Object(to, object).CallWithContext(ctx, method, godbus.FlagNoAutoStart, args...).Store(result)
}
