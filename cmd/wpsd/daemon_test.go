package main

import (
	"errors"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"wpsd/test/testbus"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"wpsd": main})
}

// TestScripts runs the daemon's command line; scripts that need a bus have one of their own.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(e *testscript.Env) error {
			bus, err := testbus.Start()
			if errors.Is(err, testbus.ErrMissing) {
				e.T().Skip(err)
			}
			if err != nil {
				return err
			}
			e.Defer(func() { _ = bus.Close() })
			e.Setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.Address)
			e.Setenv("GORACE", "atexit_sleep_ms=0") // each short program would sleep for a second at its end
			e.Values["systemd"] = &systemd{}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":   cmdExits,
			"systemd": cmdSystemd,
			"ready":   cmdReady,
		},
		RequireUniqueNames: true,
	})
}

// cmdExits is "exits CODE PROGRAM ARGS": the program must end with exactly this status.
func cmdExits(ts *testscript.TestScript, _ bool, args []string) {
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

// systemd is where a script listens as systemd does.
type systemd struct{ *net.UnixConn }

// cmdSystemd is "systemd": it listens on $NOTIFY_SOCKET, as systemd does for a unit with Type=notify.
func cmdSystemd(ts *testscript.TestScript, _ bool, _ []string) {
	// An abstract address: the path of a socket in a test's directory can be too long.
	address := "@wpsd-test-" + strconv.FormatInt(time.Now().UnixNano(), 36)
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: address, Net: "unixgram"})
	ts.Check(err)
	ts.Defer(func() { _ = conn.Close() })
	ts.Setenv("NOTIFY_SOCKET", address)
	ts.Value("systemd").(*systemd).UnixConn = conn
}

// cmdReady is "ready WORD": the next thing that wpsd tells systemd must be WORD.
func cmdReady(ts *testscript.TestScript, _ bool, args []string) {
	conn := ts.Value("systemd").(*systemd)
	ts.Check(conn.SetReadDeadline(time.Now().Add(20 * time.Second)))
	buf := make([]byte, 256)
	n, err := conn.Read(buf)
	ts.Check(err)
	if got := string(buf[:n]); got != args[0] {
		ts.Fatalf("systemd was told %q, want %q", got, args[0])
	}
}
