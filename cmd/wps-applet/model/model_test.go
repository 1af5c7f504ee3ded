package model

import (
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"wpsd/test/scripttest"
	"wpsd/test/testbus"
)

// world is a bus, the simulation on it, and a Model that follows.
type world struct {
	t       *testing.T
	bus     *testbus.Bus
	program string
	args    []string
	dir     string
	sim     *exec.Cmd
	log     *scripttest.Buffer
	model   *Model
	changes atomic.Int64
}

func newWorld(t *testing.T) *world {
	t.Helper()
	bus := testbus.For(t)
	w := &world{t: t, bus: bus, dir: t.TempDir(), log: &scripttest.Buffer{}}
	w.build()
	if err := os.WriteFile(filepath.Join(w.dir, "conf"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w.model = New(bus.Address, slog.New(slog.DiscardHandler), func() { w.changes.Add(1) })
	w.model.Start()
	t.Cleanup(w.model.Close)
	t.Cleanup(w.kill)
	return w
}

// build builds the simulation: a program of its own, or a driver of wpsd's.
func (w *world) build() {
	w.t.Helper()
	if _, err := os.Stat(filepath.Join("..", "..", "wpsd", "radio_sim.go")); err != nil {
		w.args = []string{"--driver", "sim"}
	}
	w.program = filepath.Join(w.dir, "sim-program")
	out, err := exec.Command("go", "build", "-tags", "sim", "-o", w.program,
		"wpsd/cmd/wpsd").CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		w.t.Skip("needs the go command:", err)
	}
	if err != nil {
		w.t.Fatalf("%v\n%s", err, out)
	}
}

// start starts the simulation.
func (w *world) start() {
	w.t.Helper()
	w.log = &scripttest.Buffer{}
	w.sim = exec.Command(w.program, append([]string{"--sim-speed", "40", "--bus", w.bus.Address,
		"--config", filepath.Join(w.dir, "conf"), "--state-dir", filepath.Join(w.dir, "state"),
		"--sim-control", filepath.Join(w.dir, "control")}, w.args...)...)
	w.sim.Stderr = w.log
	w.sim.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := w.sim.Start(); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) kill() {
	if w.sim != nil {
		_ = w.sim.Process.Kill()
		_ = w.sim.Wait()
		w.sim = nil
	}
}

// command has somebody in the simulation do something.
func (w *world) command(line string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, "control"), []byte(line+"\n"), 0); err != nil {
		w.t.Fatal(err)
	}
}

// until waits for a state.
func (w *world) until(what string, f func(State) bool) (s State) {
	w.t.Helper()
	if !scripttest.Until(func() bool { s = w.model.State(); return f(s) }) {
		w.t.Fatalf("waited in vain: %s; there is %+v\n%s", what, s, w.log)
	}
	return s
}

// The Model has what the service has, from its coming to its end and after.
func TestFollowsTheService(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.until("nobody to start", func(s State) bool { return s.Service == NotInstalled })
	w.start()
	s := w.until("the service", func(s State) bool {
		return s.Service == Ready && len(s.Interfaces) > 0
	})
	station, ok := s.Station("")
	if !ok || station.Name != "sim0" || s.Version == "" {
		t.Fatalf("no station: %+v", s)
	}
	if err := w.model.Scan(station.Path); err != nil {
		t.Fatal(err)
	}
	s = w.until("the routers", func(s State) bool { return len(s.Routers) >= 8 })
	for _, r := range s.Routers {
		if string(r.SSID) == "Sim Home" && (len(r.BSSs) != 2 || len(r.Bands()) != 2) {
			t.Errorf("Sim Home is not one router with two radios: %+v", r)
		}
	}
	session := joined(t, w, station)
	credentials, err := w.model.Credentials(session)
	if err != nil || len(credentials) != 1 ||
		string(credentials[0].Key.Bytes()) != "correct horse battery" {
		t.Fatalf("credentials: %v, %v", credentials, err)
	}
	s = w.until("the network", func(s State) bool { return len(s.Networks) == 1 })
	if string(s.Networks[0].SSID) != "Sim Home" || s.Networks[0].Source != "pbc" {
		t.Errorf("%+v", s.Networks[0])
	}
	w.kill()
	w.until("that it is gone", func(s State) bool {
		return s.Service != Ready && len(s.Routers) == 0
	})
	if _, err := w.model.StartPBC(station.Path, nil); errorNamed(err) != NoService {
		t.Errorf("a call to nobody: %v", err)
	}
	w.start()
	w.until("that it is back", func(s State) bool {
		return s.Service == Ready && len(s.Networks) == 1
	})
	if err := w.bus.Restart(); err != nil {
		t.Fatal(err)
	}
	w.until("that there is no bus", func(s State) bool { return s.Service != Ready })
	w.kill()
	w.start()
	w.until("the service on the new bus", func(s State) bool { return s.Service == Ready })
}

// joined joins by push button and waits for the end of the session.
func joined(t *testing.T, w *world, station Interface) Path {
	t.Helper()
	var session Path
	var err error
	if !scripttest.Until(func() bool { // a scan may be under way
		session, err = w.model.StartPBC(station.Path, Options{})
		return errorNamed(err) != "Busy"
	}) || err != nil {
		t.Fatal(err)
	}
	s := w.until("the end of the session", func(s State) bool {
		one, ok := s.Session(session)
		return ok && one.Over()
	})
	one, _ := s.Session(session)
	if one.State != "succeeded" || one.Purpose != "enroll" || len(one.Networks) != 1 {
		t.Fatalf("%+v", one)
	}
	return session
}

func errorNamed(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Name
	}
	return ""
}

// A wrong PIN, and one of another kind, have names that a page can tell apart.
func TestPINs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	w.until("the service", func(s State) bool { return s.Service == Ready })
	for text, want := range map[string]string{"12345670": "", "1234-5670": "",
		"12345678": "InvalidPinChecksum", "none": "InvalidPin"} {
		pin, err := w.model.CheckPIN(text)
		if errorNamed(err) != want || want == "" && pin != "12345670" {
			t.Errorf("%q: %q, %v", text, pin, err)
		}
	}
}

// Devices that are let in at an access point of this machine.
func TestHotspot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	w.until("the service", func(s State) bool { return s.Service == Ready })
	w.command("hotspot ap0 Sim New")
	s := w.until("the access point", func(s State) bool { _, ok := s.AccessPoint(); return ok })
	ap, _ := s.AccessPoint()
	session, err := w.model.StartPBC(ap.Path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.model.Cancel(session); err != nil {
		t.Error(err)
	}
	w.until("the end of the session", func(s State) bool {
		one, ok := s.Session(session)
		return ok && one.State == "canceled"
	})
	if err := w.model.Cancel(session); err != nil {
		t.Errorf("a second cancel: %v", err)
	}
	pin, err := w.model.APPIN(ap.Path, "random")
	if err != nil || pin.Len() != 8 {
		t.Errorf("own PIN: %d digits, %v", pin.Len(), err)
	}
}

// While nothing happens nobody is woken.
func TestIsQuiet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	w.until("the service", func(s State) bool { return s.Service == Ready })
	last := w.changes.Load()
	quiet := scripttest.Until(func() bool { // until two looks in a row see the same
		now := w.changes.Load()
		same := now == last
		last = now
		time.Sleep(300 * time.Millisecond)
		return same && w.changes.Load() == now
	})
	if !quiet {
		t.Error("the Model changes all the time")
	}
	if strings.Contains(w.log.String(), "session started") {
		t.Error("following starts something")
	}
}
