package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"wpsd/service/state"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sys/unix"
)

const (
	// barrierTime is how long systemd may take to read what it was told.
	barrierTime = 5 * time.Second
	// extendBy is asked for every extendPause when wpsd goes on although it said that it ends.
	extendBy    = 30 * time.Second
	extendPause = 10 * time.Second
)

// notify tells systemd, if it waits for it. Several variables stand on a line each.
func notify(log *slog.Logger, state ...string) {
	if _, err := daemon.SdNotify(false, strings.Join(state, "\n")); err != nil {
		log.Warn("telling systemd", "state", state[0], "err", err)
	}
}

// underSystemd reports whether systemd waits to be told how we are.
func underSystemd() bool { return os.Getenv("NOTIFY_SOCKET") != "" }

// barrier returns once systemd has read all that it was told: it closes the pipe then
// (sd_notify_barrier(3)).
func barrier() error {
	address := os.Getenv("NOTIFY_SOCKET")
	if address == "" {
		return nil
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		err = unix.Sendmsg(fd, []byte("BARRIER=1"), unix.UnixRights(int(w.Fd())),
			&unix.SockaddrUnix{Name: address}, 0)
		_ = unix.Close(fd)
	}
	_ = w.Close()
	if err != nil {
		return err
	}
	if err := r.SetReadDeadline(time.Now().Add(barrierTime)); err != nil {
		return err
	}
	if n, err := r.Read(make([]byte, 1)); n != 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("no answer within %v", barrierTime)
	}
	return nil // end of file
}

// leaver is how wpsd ends when nobody needs it, as systemd sees it.
type leaver struct {
	log    *slog.Logger
	stayed chan struct{} // gets a value when wpsd goes on although it said that it ends
}

func newLeaver(log *slog.Logger) *leaver {
	return &leaver{log: log, stayed: make(chan struct{}, 1)}
}

// leaving tells systemd before the name is given back, and waits until it knows: else it would take
// the next call for one to a service that runs, and start nothing.
func (l *leaver) leaving() {
	l.log.Info("wpsd ends: nobody needs it")
	notify(l.log, daemon.SdNotifyStopping, "STATUS=nobody needs wpsd")
	if err := barrier(); err != nil {
		l.log.Warn("waiting for systemd", "err", err)
	}
}

func (l *leaver) staying() {
	select {
	case l.stayed <- struct{}{}:
	default:
	}
}

// run keeps systemd, which goes on to think that we end, from losing patience, until ctx ends.
func (l *leaver) run(ctx context.Context) {
	select {
	case <-l.stayed:
	case <-ctx.Done():
		return
	}
	t := time.NewTicker(extendPause)
	defer t.Stop()
	for ctx.Err() == nil {
		notify(l.log, fmt.Sprintf("EXTEND_TIMEOUT_USEC=%d", extendBy.Microseconds()))
		select {
		case <-t.C:
		case <-ctx.Done():
		}
	}
}

// pulse gives how often systemd wants to hear that we live: at half of its patience
// (sd_watchdog_enabled(3)).
func pulse(log *slog.Logger) time.Duration {
	patience, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		log.Warn("the watchdog's time cannot be read", "err", err)
	}
	return patience / 2
}

// statusLine is the line that systemctl status shows. It holds no names from the air. It is safe
// for concurrent use.
type statusLine struct {
	log     *slog.Logger
	mu      sync.Mutex
	work    string
	mistake error // why the configuration that is there is not the one that counts; nil: it is
}

// set tells systemd what goes on.
func (l *statusLine) set(work string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.work = work
	l.tell()
}

// reloaded tells systemd how it went. It does so in any case: what --check-config has said may
// stand there.
func (l *statusLine) reloaded(mistake error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mistake = mistake
	l.tell()
}

func (l *statusLine) tell() {
	text := l.work
	if l.mistake != nil {
		text += "; " + notTaken(l.mistake)
	}
	notify(l.log, "STATUS="+text)
}

// notTaken is a part of the status line. It tells where the first mistake is, and not what stands
// there: everybody may read the status, but not the configuration.
func notTaken(mistake error) string {
	where := "the journal says why"
	if e, ok := errors.AsType[*lineError](mistake); ok {
		where = fmt.Sprintf("see %s:%d, and the journal", e.file, e.line)
	}
	return "the new configuration was not taken, the old one counts: " + where
}

// status follows the sessions for that line.
type status struct {
	line     *statusLine
	sessions map[state.SessionID]state.Session
	told     string
}

func newStatus(first state.Snapshot, line *statusLine) *status {
	s := &status{line: line, sessions: make(map[state.SessionID]state.Session)}
	for _, ses := range first.Sessions {
		s.sessions[ses.ID] = ses
	}
	return s
}

// apply takes an event.
func (s *status) apply(e state.Event) {
	switch e := e.(type) {
	case state.SessionAdded:
		s.sessions[e.Session.ID] = e.Session
	case state.SessionChanged:
		s.sessions[e.Session.ID] = e.Session
	case state.SessionEnded:
		delete(s.sessions, e.Session.ID)
	default:
		return
	}
	s.tell()
}

// tell tells the line if it is another than before.
func (s *status) tell() {
	if text := s.text(); text != s.told {
		s.told = text
		s.line.set(text)
	}
}

// text is the line.
func (s *status) text() string {
	var parts []string
	for _, ses := range s.sessions {
		if !ses.State.Ended() {
			parts = append(parts,
				fmt.Sprintf("%s: %s by %s, %s", ses.Interface, ses.Purpose, ses.Method, ses.State))
		}
	}
	if len(parts) == 0 {
		return "idle"
	}
	slices.Sort(parts)
	return strings.Join(parts, "; ")
}
