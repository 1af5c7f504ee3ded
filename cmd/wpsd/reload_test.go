package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"wpsd/drivers"
	"wpsd/drivers/none"
	"wpsd/engine/wsc"
	"wpsd/service"
)

// TestReloadLeavesTheLogLevelOfTheSocket: LOG_LEVEL counts until the file says another level, not
// until anybody reloads.
func TestReloadLeavesTheLogLevelOfTheSocket(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "wpsd.conf")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	svc, err := service.New(service.Config{Drivers: []drivers.Driver{none.New(nil)}})
	if err != nil {
		t.Fatal(err)
	}
	write("log_level=warning\n")
	conf, err := loadConfig(file, false)
	if err != nil {
		t.Fatal(err)
	}
	r := &reloader{flags: flags{config: file, named: true}, conf: conf, idle: &idleAfter{},
		svc: svc, log: slog.New(slog.DiscardHandler), level: new(slog.LevelVar),
		describe: func(_ context.Context, d wsc.Device) wsc.Device { return d }}
	r.level.Set(conf.LogLevel)
	step := func(text string, want slog.Level) {
		t.Helper()
		write(text)
		if err := r.reload(t.Context()); err != nil || r.level.Level() != want {
			t.Errorf("after %q: %v, not %v (%v)", text, r.level.Level(), want, err)
		}
	}
	step("log_level=warning\n", slog.LevelWarn)
	r.level.Set(slog.LevelDebug) // LOG_LEVEL DEBUG
	step("log_level=warning\ndevice_name=x\n", slog.LevelDebug)
	step("log_level=error\n", slog.LevelError)
	step("", slog.LevelInfo)
	r.flags.debug = true
	r.level.Set(slog.LevelDebug)
	step("log_level=error\n", slog.LevelDebug)
}
