// Package testbus starts a dbus-daemon of one's own for tests of whole programs: no root, nothing
// installed.
package testbus

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// ErrMissing means that dbus-daemon is not installed (Debian: apt-get install dbus-daemon).
var ErrMissing = errors.New("testbus: dbus-daemon is not installed")

// Bus is a running dbus-daemon on which everybody of this user may do everything.
type Bus struct {
	// Address is for DBUS_SYSTEM_BUS_ADDRESS, or for --bus.
	Address string

	dir string
	cmd *exec.Cmd
}

// Start starts a bus.
func Start() (*Bus, error) {
	program, err := exec.LookPath("dbus-daemon")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMissing, err)
	}
	// Not below a test's own directory: the path of a socket may have no more than 107 bytes.
	dir, err := os.MkdirTemp("", "wpsd-bus")
	if err != nil {
		return nil, err
	}
	b := &Bus{dir: dir}
	if err := b.run(program); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return b, nil
}

// For starts a bus for one test, which is skipped where there is no dbus-daemon.
func For(t testing.TB) *Bus {
	t.Helper()
	b, err := Start()
	if errors.Is(err, ErrMissing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// run starts the program, and waits until it listens.
func (b *Bus) run(program string) error {
	b.cmd = exec.Command(program, "--session", "--nofork", "--nopidfile", "--print-address",
		"--address=unix:path="+filepath.Join(b.dir, "bus"))
	// It ends with us even if we are killed.
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := b.cmd.StdoutPipe()
	if err == nil {
		err = b.cmd.Start()
	}
	if err != nil {
		return err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) || line == "" {
		b.kill()
		return fmt.Errorf("testbus: dbus-daemon printed no address: %w", err)
	}
	b.Address = strings.TrimSpace(line)
	return nil
}

// Restart ends the bus, and all connections with it, and starts another one in the same place.
func (b *Bus) Restart() error {
	b.kill()
	return b.run(b.cmd.Path)
}

func (b *Bus) kill() {
	_ = b.cmd.Process.Kill() // it fails only if the process has ended
	_ = b.cmd.Wait()         // says how it was killed
}

// Close ends the bus.
func (b *Bus) Close() error {
	b.kill()
	return os.RemoveAll(b.dir)
}
