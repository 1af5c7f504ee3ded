//go:build clients

package clients

import (
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"wpsd/test/testbus"
)

var programs = flag.String("programs", "", "directory with the simulation, wpsctl and the files of the API")

// patience is how long a client may take: the machine may be busy.
const patience = 3 * time.Minute

// neighbourhood is a simulation on a bus of its own.
type neighbourhood struct {
	*testing.T
	dir string
	env []string
	sim *os.Process
}

// newNeighbourhood starts one; a button is pressed in it from the start.
func newNeighbourhood(t *testing.T) *neighbourhood {
	t.Helper()
	bus, err := testbus.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bus.Close() })
	n := &neighbourhood{T: t, dir: t.TempDir(),
		env: append(os.Environ(), "DBUS_SYSTEM_BUS_ADDRESS="+bus.Address, "LC_ALL=C.UTF-8")}
	config := filepath.Join(n.dir, "wpsd.conf")
	if err := os.WriteFile(config, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"--config", config, "--state-dir", filepath.Join(n.dir, "state"),
		"--sim-control", filepath.Join(n.dir, "sim")}
	program := filepath.Join(*programs, "wpsd-sim")
	if _, err := os.Stat(program); err != nil {
		program = filepath.Join(*programs, "wpsd")
		args = append(args, "--driver", "sim")
	}
	log, err := os.Create(filepath.Join(n.dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(program, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = n.env, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if text, err := os.ReadFile(log.Name()); t.Failed() && err == nil {
			t.Logf("the simulation:\n%s", text)
		}
	})
	n.sim = cmd.Process
	n.until("the simulation answers", func() bool {
		_, err := n.run(filepath.Join(*programs, "wpsctl"), "scan")
		return err == nil
	})
	return n
}

// until waits until something is so.
func (n *neighbourhood) until(what string, is func() bool) {
	n.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			n.Fatalf("in vain: %s", what)
		}
	}
}

// run runs a program to its end, and returns all that it printed.
func (n *neighbourhood) run(name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(n.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = n.env
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestServiceIsStopped: a client whose wpsd is stopped ends, too, and says so.
func TestServiceIsStopped(t *testing.T) {
	for _, client := range []string{"pbc.sh", "pbc.py", "pbc.js"} {
		t.Run(client, func(t *testing.T) {
			t.Parallel()
			path, err := filepath.Abs(client)
			if err != nil {
				t.Fatal(err)
			}
			n := newNeighbourhood(t)
			n.say("off Sim Home") // nobody presses a button
			over := make(chan error, 1)
			var out string
			go func() {
				var err error
				out, err = n.run(path, "sim0")
				over <- err
			}()
			n.until("a session runs", func() bool {
				status, err := n.run(filepath.Join(*programs, "wpsctl"), "status")
				return err == nil && strings.Contains(status, "left")
			})
			_ = n.sim.Kill()
			if err := <-over; err == nil || !strings.Contains(out, "failed") {
				t.Errorf("%v:\n%s", err, out)
			}
		})
	}
}

// say has somebody in the simulation do something.
func (n *neighbourhood) say(command string) {
	n.Helper()
	if err := os.WriteFile(filepath.Join(n.dir, "sim"), []byte(command+"\n"), 0); err != nil {
		n.Fatal(err)
	}
	n.until(command, func() bool {
		text, err := os.ReadFile(filepath.Join(n.dir, "log"))
		return err == nil && strings.Contains(string(text), "sim: command done")
	})
}

// TestClients: each of them lists the routers, tells how far it is and how much time is left, and
// says what came of it: the network, or why there is none.
func TestClients(t *testing.T) {
	for _, client := range []string{"pbc.sh", "pbc.py", "pbc.js"} {
		t.Run(client, func(t *testing.T) {
			t.Parallel()
			path, err := filepath.Abs(client)
			if err != nil {
				t.Fatal(err)
			}
			n := newNeighbourhood(t)
			out, err := n.run(path, "sim0")
			if err != nil {
				t.Errorf("%v:\n%s", err, out)
			}
			network := "network Sim"
			if client == "pbc.sh" {
				network = "network byte 0x53, 0x69, 0x6d" // a shell has bytes only
			}
			for _, want := range []string{"router ", " s left", "exchanging", network} {
				if !strings.Contains(out, want) {
					t.Errorf("it says nothing of %q:\n%s", want, out)
				}
			}
			n.say("overlap")
			out, err = n.run(path, "sim0")
			if err == nil || !strings.Contains(out, "failed") || !strings.Contains(out, "pbc-overlap") {
				t.Errorf("two buttons: %v:\n%s", err, out)
			}
		})
	}
}
