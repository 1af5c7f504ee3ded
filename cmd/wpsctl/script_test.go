package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"wpsd/test/scripttest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"wpsctl": main})
}

// TestScripts runs wpsctl against a real wpsd with simulated access points, on a private bus for
// each script.
func TestScripts(t *testing.T) {
	t.Parallel()
	program := buildDaemon(t)
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(e *testscript.Env) error {
			bus, err := scripttest.Bus(e)
			if err != nil {
				return err
			}
			d := &daemon{program: program, dir: e.WorkDir, bus: bus,
				background: map[string]*running{}}
			e.Defer(d.kill)
			e.Values["daemon"] = d
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"daemon":    cmdDaemon,
			"stop":      cmdStop,
			"sim":       cmdSim,
			"exits":     scripttest.Exits,
			"interrupt": cmdInterrupt,
			"logged":    cmdLogged,

			"eventually": cmdEventually,
			"background": cmdBackground,
			"shows":      cmdShows,
			"finished":   cmdFinished,
			"ends":       cmdEnds,
		},
		RequireUniqueNames: true,
	})
}

// buildDaemon builds wpsd once for all scripts.
func buildDaemon(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "wpsd-sim")
	out, err := exec.Command("go", "build", "-tags", "sim", "-o", program,
		"wpsd/cmd/wpsd").CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip("needs the go command:", err)
	}
	if err != nil {
		t.Fatalf("building wpsd: %v\n%s", err, out)
	}
	return program
}

// daemon is a script's wpsd.
type daemon struct {
	program, dir, bus string
	cmd               *exec.Cmd
	log               *scripttest.Buffer
	background        map[string]*running
}

// kill ends the daemon if it still runs.
func (d *daemon) kill() {
	if d.cmd != nil {
		_ = d.cmd.Process.Kill() // it may have ended
		_ = d.cmd.Wait()
		d.cmd = nil
	}
}

// cmdDaemon is "daemon [ARGS]": it starts wpsd with fast simulated radios and waits until it is
// ready.
func cmdDaemon(ts *testscript.TestScript, _ bool, args []string) {
	d := ts.Value("daemon").(*daemon)
	conf := filepath.Join(d.dir, "wpsd.conf")
	if _, err := os.Stat(conf); err != nil {
		ts.Check(os.WriteFile(conf, nil, 0o600))
	}
	args = append([]string{"--sim-speed", "40", "--sim-control",
		filepath.Join(d.dir, "sim"),
		"--config", conf, "--state-dir", filepath.Join(d.dir, "state"), "--bus", d.bus}, args...)
	d.log = &scripttest.Buffer{}
	d.cmd = exec.Command(d.program, args...)
	d.cmd.Stderr = d.log
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	ts.Check(d.cmd.Start())
	if !scripttest.Until(func() bool { return strings.Contains(d.log.String(), "wpsd is ready") }) {
		ts.Fatalf("wpsd is not ready:\n%s", d.log)
	}
}

// cmdStop is "stop": it ends wpsd as systemd does, and its exit status must be 0.
func cmdStop(ts *testscript.TestScript, _ bool, _ []string) {
	d := ts.Value("daemon").(*daemon)
	ts.Check(d.cmd.Process.Signal(syscall.SIGTERM))
	err := d.cmd.Wait()
	d.cmd = nil
	if err != nil {
		ts.Fatalf("wpsd: %v\n%s", err, d.log)
	}
}

// cmdLogged is "logged TEXT": it waits until wpsd has logged it.
func cmdLogged(ts *testscript.TestScript, _ bool, args []string) {
	d := ts.Value("daemon").(*daemon)
	if !scripttest.Until(func() bool { return strings.Contains(d.log.String(), args[0]) }) {
		ts.Fatalf("wpsd did not log %q:\n%s", args[0], d.log)
	}
}

// cmdSim is "sim COMMAND": it tells the simulated access points something, and waits until it is
// done.
func cmdSim(ts *testscript.TestScript, _ bool, args []string) {
	d := ts.Value("daemon").(*daemon)
	done := func() int { return strings.Count(d.log.String(), `msg="sim: command`) }
	before := done()
	pipe, err := os.OpenFile(filepath.Join(d.dir, "sim"), os.O_WRONLY, 0)
	ts.Check(err)
	_, err = fmt.Fprintln(pipe, strings.Join(args, " "))
	ts.Check(errors.Join(err, pipe.Close()))
	if !scripttest.Until(func() bool { return done() > before }) {
		ts.Fatalf("the simulation did not take %q", args)
	}
}

// cmdInterrupt is "interrupt CODE PATTERN ARGS": it runs wpsctl, presses Ctrl-C once its output
// matches PATTERN, and wants the exit status. What it printed is put into the file "interrupted".
func cmdInterrupt(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	pattern := regexp.MustCompile(args[1])
	var out scripttest.Buffer
	cmd := wpsctl(ts, args[2:])
	cmd.Stdout, cmd.Stderr = &out, &out
	ts.Check(cmd.Start())
	matched := scripttest.Until(func() bool { return pattern.MatchString(out.String()) })
	ts.Check(cmd.Process.Signal(os.Interrupt))
	_ = cmd.Wait() // the status is looked at next
	if !matched || cmd.ProcessState.ExitCode() != want {
		ts.Fatalf("exit status %d, want %d; output:\n%s", cmd.ProcessState.ExitCode(), want, &out)
	}
	ts.Check(os.WriteFile(ts.MkAbs("interrupted"), []byte(out.String()), 0o600))
}

// wpsctl makes a command that runs ourselves.
func wpsctl(ts *testscript.TestScript, args []string) *exec.Cmd {
	self, err := os.Executable()
	ts.Check(err)
	cmd := exec.Command(self, args...)
	cmd.Args[0] = "wpsctl" // testscript.Main looks at the name
	cmd.Env = append(os.Environ(), "DBUS_SYSTEM_BUS_ADDRESS="+ts.Getenv("DBUS_SYSTEM_BUS_ADDRESS"))
	return cmd
}

// cmdEventually is "eventually ARGS PATTERN": it runs wpsctl until its output matches. ARGS is one
// word.
func cmdEventually(ts *testscript.TestScript, _ bool, args []string) {
	pattern := regexp.MustCompile(args[1])
	var out []byte
	if !scripttest.Until(func() bool {
		out, _ = wpsctl(ts, strings.Fields(args[0])).CombinedOutput()
		return pattern.Match(out)
	}) {
		ts.Fatalf("wpsctl %s never says %s:\n%s", args[0], args[1], out)
	}
}

// running is a wpsctl in the background.
type running struct {
	cmd *exec.Cmd
	out scripttest.Buffer
}

// cmdBackground is "background NAME ARGS": it starts wpsctl, and goes on once it has said
// something.
func cmdBackground(ts *testscript.TestScript, _ bool, args []string) {
	r := &running{cmd: wpsctl(ts, args[1:])}
	r.cmd.Stdout, r.cmd.Stderr = &r.out, &r.out
	ts.Check(r.cmd.Start())
	ts.Defer(func() { _ = r.cmd.Process.Kill() }) // it may have ended
	ts.Value("daemon").(*daemon).background[args[0]] = r
	if !scripttest.Until(func() bool { return r.out.String() != "" }) {
		ts.Fatalf("wpsctl %v says nothing", args[1:])
	}
}

// cmdShows is "shows NAME PATTERN": it waits until what was started has printed something.
func cmdShows(ts *testscript.TestScript, _ bool, args []string) {
	r := ts.Value("daemon").(*daemon).background[args[0]]
	pattern := regexp.MustCompile(args[1])
	if !scripttest.Until(func() bool { return pattern.MatchString(r.out.String()) }) {
		ts.Fatalf("it does not show %s:\n%s", args[1], &r.out)
	}
}

// cmdFinished is "finished NAME CODE PATTERN": it waits for the end of what was started, and looks
// at how that was.
func cmdFinished(ts *testscript.TestScript, _ bool, args []string) {
	r := ts.Value("daemon").(*daemon).background[args[0]]
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	_ = r.cmd.Wait() // the status is looked at next
	if got := r.cmd.ProcessState.ExitCode(); got != want ||
		!regexp.MustCompile(args[2]).MatchString(r.out.String()) {
		ts.Fatalf("exit status %d, want %d and %s:\n%s", got, want, args[2], &r.out)
	}
}

// cmdEnds is "ends NAME": it presses Ctrl-C where NAME runs, waits for its end, and puts what it
// printed into a file of that name.
func cmdEnds(ts *testscript.TestScript, _ bool, args []string) {
	r := ts.Value("daemon").(*daemon).background[args[0]]
	ts.Check(r.cmd.Process.Signal(os.Interrupt))
	ts.Check(r.cmd.Wait())
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(r.out.String()), 0o600))
}
