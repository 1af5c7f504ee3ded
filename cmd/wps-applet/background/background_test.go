package background

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/cmd/wps-applet/model"
	"wpsd/test/scripttest"
	"wpsd/test/testbus"
)

// desktop is a stand-in for the desktop's notifications and panel.
type desktop struct {
	conn     *godbus.Conn
	notified chan string
	closed   chan uint32
	last     atomic.Uint32 // number of the newest notification
	items    chan string
}

// click clicks on a button of the newest notification until that has had its effect: who gets the
// notification's number may not know it as soon as we do.
func (d *desktop) click(t *testing.T, action string, done func() bool) {
	t.Helper()
	id := d.last.Load()
	scripttest.Until(func() bool {
		if err := d.conn.Emit(notifyPath, notifyName+".ActionInvoked", id, action); err != nil {
			t.Fatal(err)
		}
		return done()
	})
}

func newDesktop(t *testing.T, address string) *desktop {
	t.Helper()
	conn, err := godbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	d := &desktop{conn: conn, notified: make(chan string, 16), closed: make(chan uint32, 16),
		items: make(chan string, 16)}
	notifications := map[string]any{
		"Notify": func(app string, replaces uint32, icon, title, body string, actions []string,
			hints map[string]godbus.Variant, timeout int32) (uint32, *godbus.Error) {
			id := d.last.Add(1)
			d.notified <- title
			return id, nil
		},
		"CloseNotification": func(id uint32) *godbus.Error { d.closed <- id; return nil },
	}
	watcher := map[string]any{"RegisterStatusNotifierItem": func(name string) *godbus.Error {
		d.items <- name
		return nil
	}}
	if err := errors.Join(conn.ExportMethodTable(notifications, notifyPath, notifyName),
		conn.ExportMethodTable(watcher, watcherPath, watcherName)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{notifyName, watcherName} {
		if _, err := conn.RequestName(name, godbus.NameFlagDoNotQueue); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func startBus(t *testing.T) string { return testbus.For(t).Address }

// startSimulation starts the simulated neighbourhood on a bus.
func startSimulation(t *testing.T, bus string) (command func(string)) {
	t.Helper()
	dir := t.TempDir()
	var args []string
	if _, err := os.Stat(filepath.Join("..", "..", "wpsd", "radio_sim.go")); err != nil {
		args = []string{"--driver", "sim"}
	}
	program := filepath.Join(dir, "program")
	if out, err := exec.Command("go", "build", "-tags", "sim", "-o", program,
		"wpsd/cmd/wpsd").CombinedOutput(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			t.Skip("needs the go command:", err)
		}
		t.Fatalf("%v\n%s", err, out)
	}
	control := filepath.Join(dir, "control")
	if err := os.WriteFile(filepath.Join(dir, "conf"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	log := &scripttest.Buffer{}
	cmd := exec.Command(program, append(args, "--sim-speed", "40", "--bus", bus, "--config",
		filepath.Join(dir, "conf"), "--state-dir", filepath.Join(dir, "state"), "--sim-control",
		control)...)
	cmd.Stderr = log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	if !scripttest.Until(func() bool { return strings.Contains(log.String(), "wpsd is ready") }) {
		t.Fatalf("not ready:\n%s", log)
	}
	return func(line string) {
		t.Helper()
		if err := os.WriteFile(control, []byte(line+"\n"), 0); err != nil {
			t.Fatal(err)
		}
	}
}

// A button is pressed nearby while this computer is offline: the desktop asks, and a click joins.
// It is asked once, there is one instance, and it ends when it is switched off.
func TestAsksWhenAButtonIsPressed(t *testing.T) {
	session, system := startBus(t), startBus(t)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", session)
	d := newDesktop(t, session)
	command := startSimulation(t, system)
	log := slog.New(slog.DiscardHandler)
	joined, opened := make(chan string, 64), make(chan struct{}, 1)
	a := &Agent{Log: log, Icon: "icon", Words: Words{Title: "Wi-Fi", Join: "Join",
		Pressed: func(name string) string { return name + "?" },
		Name:    func(ssid []byte) string { return string(ssid) }},
		Open: func() { opened <- struct{}{} }, Join: func(bssid string) { joined <- bssid }}
	a.Model = model.New(system, log, a.Changed)
	a.Model.Start()
	defer a.Model.Close()
	ended := make(chan error, 1)
	go func() { ended <- a.Run(t.Context()) }()
	item := await(t, d.items)
	if err := (&Agent{Log: log}).Run(t.Context()); !errors.Is(err, ErrRuns) {
		t.Errorf("a second instance: %v", err)
	}
	icon := d.conn.Object(item, itemPath)
	var all map[string]godbus.Variant
	if err := icon.Call(propsIface+".GetAll", 0, itemIface).Store(&all); err != nil ||
		all["IconName"].Value() != "icon" {
		t.Errorf("the icon: %v, %v", all, err)
	}
	if err := icon.Call(itemIface+".Activate", 0, int32(1), int32(2)).Err; err != nil {
		t.Error(err)
	}
	await(t, opened)
	if err := icon.Call(itemIface+".NoSuchThing", 0).Err; err == nil {
		t.Error("a call of what there is not was answered")
	}
	command("pbc Sim Old")
	if !scripttest.Until(func() bool {
		state := a.Model.State()
		if station, ok := state.Station(""); ok {
			_ = a.Model.Scan(station.Path) // as a desktop does now and then; busy is fine
		}
		return len(d.notified) > 0
	}) {
		t.Fatalf("nobody was asked; there is %+v", a.Model.State())
	}
	if title := <-d.notified; title != "Sim Old?" {
		t.Errorf("asked %q", title)
	}
	d.click(t, "join", func() bool { return len(joined) > 0 })
	if bssid := await(t, joined); bssid != "02:5a:00:00:06:00" {
		t.Errorf("joins %s", bssid)
	}
	if len(d.notified) > 0 {
		t.Errorf("asked once more: %s", <-d.notified)
	}
	if !Runs(t.Context()) {
		t.Error("it does not run")
	}
	if err := Quit(t.Context()); err != nil {
		t.Error(err)
	}
	if err := await(t, ended); err != nil {
		t.Errorf("switched off: %v", err)
	}
	if err := Quit(context.Background()); err != nil {
		t.Errorf("nobody to switch off: %v", err)
	}
}
