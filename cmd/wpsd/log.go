package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"wpsd/service/session"

	"github.com/coreos/go-systemd/v22/journal"
)

// newLog logs to the journal, with fields, if that is what standard error is, else to w as text.
// What it logs can be changed while it runs.
func newLog(w io.Writer, debug bool, conf *config) (*slog.Logger, *slog.LevelVar) {
	level := new(slog.LevelVar)
	level.Set(conf.LogLevel)
	if debug {
		level.Set(slog.LevelDebug)
	}
	o := &slog.HandlerOptions{Level: level}
	if os.Getenv("JOURNAL_STREAM") != "" { // whoever reads us adds the time
		o.ReplaceAttr = func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}
	}
	var h slog.Handler = slog.NewTextHandler(w, o)
	if is, err := journal.StderrIsJournalStream(); is && err == nil && journal.Enabled() {
		h = &journalHandler{level: level, send: journal.Send, otherwise: h}
	}
	return slog.New(&limiter{Handler: h, limits: &limits{sites: map[place]*site{}}}), level
}

// How often one line of our source may log: burst times at once, and once per pause later on.
// Devices in range and on the network decide how often some of them do.
const (
	logBurst = 30
	logPause = 2 * time.Second
)

// neverLimited are messages of which there are no more than calls that were allowed.
var neverLimited = map[string]bool{session.LogSessionStarted: true, session.LogSessionEnded: true}

// limiter is a slog.Handler that leaves out what comes too often: it says so with the last one
// before, and with the next one how many it were. What is below Info is asked for, and not limited.
type limiter struct {
	slog.Handler
	limits *limits // of all loggers that were made of one
}

// limits is safe for concurrent use.
type limits struct {
	mu    sync.Mutex
	sites map[place]*site
}

// place is a line of our source: there are so many, and no more.
type place struct {
	file string
	line int
}

// site is one place that logs.
type site struct {
	spent time.Time // until when its times are used up, less a burst of pauses
	left  int       // left out since the last one that was not
}

// Handle implements slog.Handler.
func (l *limiter) Handle(ctx context.Context, r slog.Record) error {
	if r.Level < slog.LevelInfo || neverLimited[r.Message] {
		return l.Handler.Handle(ctx, r)
	}
	source := r.Source()
	if source == nil {
		return l.Handler.Handle(ctx, r)
	}
	pass, note := l.limits.pass(place{source.File, source.Line}, r.Time)
	if !pass {
		return nil
	}
	if !note.Equal(slog.Attr{}) {
		r = r.Clone()
		r.AddAttrs(note)
	}
	return l.Handler.Handle(ctx, r)
}

// pass decides about one record, and says what to add to it.
func (l *limits) pass(at place, now time.Time) (bool, slog.Attr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.sites[at]
	if s == nil {
		s = &site{}
		l.sites[at] = s
	}
	if earliest := now.Add(-logBurst * logPause); s.spent.Before(earliest) {
		s.spent = earliest
	}
	next := s.spent.Add(logPause)
	if next.After(now) {
		s.left++
		if s.left == 1 {
			return true, slog.String("note", "more of these are left out for a while")
		}
		return false, slog.Attr{}
	}
	s.spent = next
	if s.left > 1 {
		note := slog.Int("left_out", s.left-1)
		s.left = 0
		return true, note
	}
	s.left = 0
	return true, slog.Attr{}
}

// WithAttrs implements slog.Handler.
func (l *limiter) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &limiter{l.Handler.WithAttrs(attrs), l.limits}
}

// WithGroup implements slog.Handler.
func (l *limiter) WithGroup(name string) slog.Handler {
	return &limiter{l.Handler.WithGroup(name), l.limits}
}
