package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/drivers/managerbus"
	"wpsd/drivers/managerbus/managertest"
	"wpsd/drivers/networkmanager"
	"wpsd/service/lending"
	"wpsd/service/store"
)

func TestRestore(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		prepare func(t *testing.T, state string)
		want    int
		says    string
	}{
		{"nothing is owed", func(*testing.T, string) {}, exitOK, ""},
		{"a daemon runs", func(t *testing.T, state string) {
			j, err := store.OpenJournal(state)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { j.Close() })
		}, exitOK, "nothing to give back"},
		{"a directory that anybody may write to", func(t *testing.T, state string) {
			if err := os.MkdirAll(filepath.Join(state, "owed"), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(filepath.Join(state, "owed"), 0o777); err != nil {
				t.Fatal(err)
			}
		}, exitFailure, "chmod"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			state := filepath.Join(t.TempDir(), "state")
			config := filepath.Join(t.TempDir(), "wpsd.conf")
			if err := os.WriteFile(config, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			c.prepare(t, state)
			var stdout, stderr bytes.Buffer
			got := run([]string{"--restore", "--state-dir", state, "--config", config},
				&stdout, &stderr)
			if got != c.want || !strings.Contains(stderr.String(), c.says) || stdout.Len() > 0 {
				t.Errorf("exit code %d: %s", got, stderr.String())
			}
		})
	}
}

// TestRestoreWaitsForTheManager: one that is restarted at the same time, for an update, is there
// again soon. It does not run beside others: a child that one of them has just forked holds the lock
// of our journal until it is the program that it shall become, and a journal that is locked is that
// of a daemon that runs.
func TestRestoreWaitsForTheManager(t *testing.T) {
	_, server := managertest.StartOn(t, nil)
	state := t.TempDir()
	j, err := store.OpenJournal(state)
	if err != nil {
		t.Fatal(err)
	}
	owed := store.Debt{Interface: "wlan7", Claims: []store.Claim{{Manager: networkmanager.Name,
		Debt: json.RawMessage(`{"autoconnect":true}`)}}}
	if err := errors.Join(j.Put(owed), j.Close()); err != nil {
		t.Fatal(err)
	}
	over := make(chan error, 1)
	f := flags{driver: "none", interfaces: []string{"wlan7"}, stateDir: state, bus: server.Address}
	go func() { over <- restore(t.Context(), f, &config{}, slog.New(slog.DiscardHandler)) }()
	select {
	case err := <-over:
		t.Fatalf("it does not wait: %v", err)
	case <-time.After(500 * time.Millisecond):
	}
	const name = "org.freedesktop.NetworkManager"
	// it knows that the interface is gone
	nm := &managertest.Manager{Methods: map[string]managertest.Method{
		name + ".GetDeviceByIpIface": func(godbus.ObjectPath, []any) ([]any, error) {
			return nil, managertest.Fail(name + ".UnknownDevice")
		},
	}}
	nm.Put("/org/freedesktop/NetworkManager", name, "Startup", false)
	nm.Play(t, server, name)
	if err := <-over; err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(state, "owed", "*.json")); len(left) > 0 {
		t.Errorf("still owed: %v", left)
	}
}

// fakeManager has nothing, and takes nothing.
type fakeManager struct {
	lending.Holder
	lending.Sink
}

func (fakeManager) Name() string { return "novel" }

// TestManagerIsOneLine: with its line in wired a manager is known to the configuration, to D-Bus and
// to the service.
func TestManagerIsOneLine(t *testing.T) {
	before := wired
	defer func() { wired = before }()
	wired = append(slices.Clone(wired), wiredManager{"novel",
		func(*managerbus.Bus, *config) lending.Manager { return fakeManager{} }})
	var c config
	if err := setApply(&c, "novel"); err != nil || c.Apply != "novel" {
		t.Errorf("configuration: %q, %v", c.Apply, err)
	}
	if err := setApply(&c, "none such"); !strings.Contains(err.Error(), "novel") {
		t.Errorf("configuration: %v", err)
	}
	if !slices.Contains(managerNames(wired), "novel") { // dbus.Options.Managers
		t.Error("D-Bus does not know it")
	}
	made, err := newManagers(flags{stateDir: t.TempDir()}, &c, wired, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = made.journal.Close() }()
	if last := len(wired) - 1; made.holders[last].Name() != "novel" ||
		made.sinks[last].Name() != "novel" {
		t.Error("the service does not know it")
	}
	for i, name := range managerNames(wired) { // the table has the names that they give themselves
		if made.sinks[i].Name() != name {
			t.Errorf("%s calls itself %s", name, made.sinks[i].Name())
		}
	}
}

// TestManagersAreInTheManual: whoever reads wpsd.conf finds the name of each manager that is wired.
func TestManagersAreInTheManual(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../packaging/wpsd.conf")
	if err != nil {
		t.Fatal(err)
	}
	_, about, _ := strings.Cut(string(text), "# Who gets the networks")
	about, _, found := strings.Cut(about, "#apply=")
	if !found {
		t.Fatal("wpsd.conf has nothing about apply")
	}
	for _, name := range managerNames(wired) {
		if !strings.Contains(about, name) {
			t.Errorf("wpsd.conf does not name %s for apply", name)
		}
	}
}
