// Package scripttest has what the scripts of our programs (testscript) share: a bus of each
// script's own, exit statuses, and patience with whole processes, which cannot run in virtual time.
package scripttest

import (
	"bytes"
	"errors"
	"os/exec"
	"strconv"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"wpsd/test/testbus"
)

// Patience is how long a script waits for what should happen: long enough for a slow machine with
// much else to do, since it says nothing but that something hangs.
const Patience = 2 * time.Minute

// Until waits until f is true, looking often, and reports whether it came to that.
func Until(f func() bool) bool {
	for end := time.Now().Add(Patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if f() {
			return true
		}
	}
	return f()
}

// Bus gives a script a bus, and returns its address. Without dbus-daemon the script is skipped.
func Bus(e *testscript.Env) (string, error) {
	bus, err := testbus.Start()
	if errors.Is(err, testbus.ErrMissing) {
		e.T().Skip(err)
	}
	if err != nil {
		return "", err
	}
	e.Defer(func() { _ = bus.Close() })
	e.Setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.Address)
	// each short program would sleep for a second at its end
	e.Setenv("GORACE", "atexit_sleep_ms=0")
	return bus.Address, nil
}

// Exits is the command "exits CODE PROGRAM ARGS": the program must end with exactly this status.
func Exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("%v: exit status %d, want %d", args[1:], got, want)
	}
}

// Buffer is written by one goroutine while another reads. The zero value is empty.
type Buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (b *Buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// String returns what was written so far.
func (b *Buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
