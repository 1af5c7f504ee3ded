package fence

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestDo(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	if err := Do(log, "x", func() error { return nil }); err != nil || out.Len() != 0 {
		t.Errorf("%v, %s", err, out.String())
	}
	mine := errors.New("mine")
	if err := Do(log, "x", func() error { return mine }); err != mine || Caught(err) ||
		out.Len() != 0 {
		t.Errorf("%v, %s", err, out.String())
	}
	var mu sync.Mutex
	err := Do(log, "a session", func() error {
		mu.Lock()
		defer mu.Unlock()
		unmade()["x"] = 1
		return nil
	})
	if !Caught(err) || !strings.Contains(err.Error(), "a session") ||
		strings.Contains(err.Error(), "goroutine") {
		t.Errorf("%v", err)
	}
	if !mu.TryLock() {
		t.Error("the lock is held still")
	}
	if text := out.String(); !strings.Contains(text, "assignment to entry in nil map") ||
		!strings.Contains(text, "fence_test.go") {
		t.Errorf("not logged with its stack: %s", text)
	}
}

func TestFunc(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	var told []error
	failed := func(err error) { told = append(told, err) }
	Func(log, "x", func() {}, failed)()
	Func(log, "x", func() { panic("boom") }, nil)()
	Func(log, "x", func() { panic("boom") }, failed)()
	Func(log, "x", func() { panic("boom") }, func(error) { panic("again") })()
	if len(told) != 1 || !Caught(told[0]) {
		t.Errorf("told %v", told)
	}
}

func TestKeep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start, runs := time.Now(), 0
		Keep(slog.New(slog.DiscardHandler), "x", func() {
			if runs++; runs < 3 {
				panic("boom")
			}
		})()
		if runs != 3 || time.Since(start) != 2*time.Second {
			t.Errorf("%d runs in %v", runs, time.Since(start))
		}
	})
}

// unmade is a map that nobody has made, out of the sight of who looks for such mistakes.
func unmade() map[string]int { return nil }
