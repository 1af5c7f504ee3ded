package main

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"wpsd/cmd/wpsd/simulation"
	"wpsd/test/scripttest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"wpsd": main, "wpsd-sim": func() {
		newSimulation = func() simulatedRadio { return simulation.New() }
		main()
	}})
}

// TestScripts runs the daemon's command line; scripts that need a bus have one of their own.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(e *testscript.Env) error {
			e.Values["systemd"] = &systemd{}
			_, err := scripttest.Bus(e)
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":    scripttest.Exits,
			"systemd":  cmdSystemd,
			"ready":    cmdReady,
			"waitfile": cmdWaitFile,
			"reload":   cmdReload,
		},
		RequireUniqueNames: true,
	})
}

// systemd is where a script listens as systemd does.
type systemd struct {
	*net.UnixConn
	pid int // who told something last; the kernel's word
}

// cmdSystemd is "systemd": it listens on $NOTIFY_SOCKET, as systemd does for a unit with
// Type=notify.
func cmdSystemd(ts *testscript.TestScript, _ bool, _ []string) {
	// An abstract address: the path of a socket in a test's directory can be too long.
	address := "@wpsd-test-" + strconv.FormatInt(time.Now().UnixNano(), 36)
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: address, Net: "unixgram"})
	ts.Check(err)
	ts.Defer(func() { _ = conn.Close() })
	raw, err := conn.SyscallConn()
	ts.Check(err)
	ts.Check(raw.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET,
			syscall.SO_PASSCRED, 1)
	}))
	ts.Check(err)
	ts.Setenv("NOTIFY_SOCKET", address)
	ts.Value("systemd").(*systemd).UnixConn = conn
}

// cmdReady is "ready TEXT": the next thing that wpsd tells systemd must be TEXT, where \n ends a
// line and a * at the end stands for anything. What tells only that wpsd lives may come more often.
func cmdReady(ts *testscript.TestScript, _ bool, args []string) {
	conn := ts.Value("systemd").(*systemd)
	want := strings.ReplaceAll(args[0], `\n`, "\n")
	begin, any := strings.CutSuffix(want, "*")
	for {
		ts.Check(conn.SetReadDeadline(time.Now().Add(scripttest.Patience)))
		buf, control := make([]byte, 256), make([]byte, 128)
		n, m, _, _, err := conn.ReadMsgUnix(buf, control)
		ts.Check(err)
		conn.takeControl(control[:m])
		got := string(buf[:n])
		if got == want || any && strings.HasPrefix(got, begin) {
			return
		}
		if got != "WATCHDOG=1" {
			ts.Fatalf("systemd was told %q, want %q", got, want)
		}
	}
}

// takeControl learns who told something, and closes the descriptors that came with it: that is how
// systemd says that it has read the message.
func (s *systemd) takeControl(control []byte) {
	messages, err := syscall.ParseSocketControlMessage(control)
	if err != nil {
		return
	}
	for _, m := range messages {
		if list, err := syscall.ParseUnixRights(&m); err == nil {
			for _, fd := range list {
				_ = syscall.Close(fd)
			}
		}
		if who, err := syscall.ParseUnixCredentials(&m); err == nil {
			s.pid = int(who.Pid)
		}
	}
}

// cmdReload is "reload": what systemctl reload does to whoever told systemd something last.
func cmdReload(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Check(syscall.Kill(ts.Value("systemd").(*systemd).pid, syscall.SIGHUP))
}

// cmdWaitFile is "waitfile PATH": until somebody else has made it.
func cmdWaitFile(ts *testscript.TestScript, _ bool, args []string) {
	if !scripttest.Until(func() bool { _, err := os.Stat(args[0]); return err == nil }) {
		ts.Fatalf("%s does not come", args[0])
	}
}
