package main

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coreos/go-systemd/v22/journal"

	"wpsd/engine/secret"
	"wpsd/service/session"
)

// entry is what the journal got.
type entry struct {
	message  string
	priority journal.Priority
	fields   map[string]string
}

// toJournal gives a logger whose entries are kept.
func toJournal(level slog.Level) (*slog.Logger, *[]entry) {
	var list []entry
	h := &journalHandler{level: level, otherwise: slog.DiscardHandler,
		send: func(m string, p journal.Priority, fields map[string]string) error {
			list = append(list, entry{m, p, fields})
			return nil
		}}
	return slog.New(h), &list
}

func TestJournal(t *testing.T) {
	t.Parallel()
	log, list := toJournal(slog.LevelInfo)
	for _, c := range []struct {
		name     string
		log      func()
		message  string
		priority journal.Priority
		fields   string
	}{
		{"a session's start", func() {
			log.Info(session.LogSessionStarted, "session", 7, "interface", "wlan0")
		},
			"session started session=7 interface=wlan0", journal.PriInfo,
			"MESSAGE_ID=1f0c4a2de5b84d0f9a6b7c5ce3f2a917 SYSLOG_IDENTIFIER=wpsd WPSD_INTERFACE=wlan0 WPSD_SESSION=7"},
		{"a warning with an error", func() { log.Warn("it fails", "err", errors.New("no way")) },
			`it fails err="no way"`, journal.PriWarning, "SYSLOG_IDENTIFIER=wpsd WPSD_ERR=no way"},
		{"groups, from a logger with attributes", func() {
			log.With("a", 1).WithGroup("g").With("b", true).Error("m",
				slog.Group("why", "config_error", uint16(18)), "d", 1500*time.Millisecond)
		}, "m a=1 g.b=true g.why.config_error=18 g.d=1.5s", journal.PriErr,
			"SYSLOG_IDENTIFIER=wpsd WPSD_A=1 WPSD_G_B=true WPSD_G_D=1.5s WPSD_G_WHY_CONFIG_ERROR=18"},
		{"a time, and nothing", func() {
			log.WithGroup("").Info("m", "at", time.Unix(0, 0).UTC(), slog.Attr{}, "none", nil)
		},
			"m at=1970-01-01T00:00:00Z none=<nil>", journal.PriInfo,
			"SYSLOG_IDENTIFIER=wpsd WPSD_AT=1970-01-01T00:00:00Z WPSD_NONE=<nil>"},
		{"what an access point says of itself", func() {
			log.Info("m", "ssid", "a\x1b[2J\nMESSAGE=x", "e", "")
		},
			`m ssid="a\x1b[2J\nMESSAGE=x" e=""`, journal.PriInfo,
			"SYSLOG_IDENTIFIER=wpsd WPSD_E= WPSD_SSID=a\x1b[2J\nMESSAGE=x"},
		{"a key that is no name", func() { log.Info("m", "ä-b.c", 1, strings.Repeat("x", 100), 2) },
			"m ä-b.c=1 " + strings.Repeat("x", 100) + "=2", journal.PriInfo,
			"SYSLOG_IDENTIFIER=wpsd WPSD_" + strings.Repeat("X", 59) + "=2 WPSD___B_C=1"},
	} {
		*list = nil
		c.log()
		if len(*list) != 1 {
			t.Fatalf("%s: %d entries", c.name, len(*list))
		}
		e := (*list)[0]
		var fields []string
		for _, key := range slices.Sorted(maps.Keys(e.fields)) {
			fields = append(fields, key+"="+e.fields[key])
		}
		if got := strings.Join(fields, " "); e.message != c.message || e.priority != c.priority ||
			got != c.fields {
			t.Errorf("%s: %q (%d), %s", c.name, e.message, e.priority, got)
		}
	}
}

// TestJournalHidesSecrets, however they are handed to it.
func TestJournalHidesSecrets(t *testing.T) {
	t.Parallel()
	log, list := toJournal(slog.LevelDebug)
	s := secret.FromString("correct horse")
	log.With("with", s).Debug("m", "plain", s, "pointer", &s, "inside", struct{ S secret.Value }{s},
		"list", []secret.Value{s}, slog.Group("g", "s", s))
	if text := fmt.Sprintf("%+v", *list); len(*list) != 1 || strings.Contains(text, "correct") {
		t.Error(text)
	}
}

// TestJournalIsGone: what it does not take goes to standard error, and levels hold.
func TestJournalIsGone(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	h := &journalHandler{level: slog.LevelWarn, otherwise: slog.NewTextHandler(&out, nil),
		send: func(string, journal.Priority, map[string]string) error {
			return errors.New("no journal")
		}}
	log := slog.New(h).With("a", 1).WithGroup("g")
	log.Info("nobody wants this")
	log.Warn("but this", "b", 2)
	if got := out.String(); strings.Count(got, "\n") != 1 ||
		!strings.HasSuffix(got, "level=WARN msg=\"but this\" a=1 g.b=2\n") {
		t.Errorf("%q", got)
	}
}

func TestLogIsLimited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := slog.New(&limiter{slog.NewTextHandler(&out,
			&slog.HandlerOptions{Level: slog.LevelDebug}), &limits{sites: map[place]*site{}}})
		lines := func() int { defer out.Reset(); return strings.Count(out.String(), "\n") }
		flood := func(n int) {
			for range n {
				log.With("a", 1).Warn("somebody in range does this")
			}
		}
		flood(logBurst)
		if n := lines(); n != logBurst {
			t.Errorf("%d of the first %d", n, logBurst)
		}
		flood(1000)
		if got := out.String(); !strings.HasSuffix(got,
			`a=1 note="more of these are left out for a while"`+"\n") || lines() != 1 {
			t.Error(got)
		}
		log.Warn("another place is not meant")
		for range 1000 {
			log.Info(session.LogSessionEnded)
			log.Debug("what was asked for")
		}
		if n := lines(); n != 2001 {
			t.Errorf("%d lines of others", n)
		}
		time.Sleep(logPause)
		flood(5)
		if got := out.String(); !strings.Contains(got, " left_out=999\n") || lines() != 2 {
			t.Error(got)
		}
		time.Sleep(time.Hour)
		flood(logBurst)
		if n := lines(); n != logBurst {
			t.Errorf("an hour later %d of %d", n, logBurst)
		}
	})
}
