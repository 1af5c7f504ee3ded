package service

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"wpsd/drivers"
	"wpsd/drivers/none"
	"wpsd/service/state"
)

func TestAddInterface(t *testing.T) {
	t.Parallel()
	t.Run("interfaces without a radio come and go", func(t *testing.T) {
		wired := none.New([]string{"wired0"})
		synctest.Test(t, func(t *testing.T) {
			inHouse(t, func(c *Config) {
				c.Drivers = append(c.Drivers, wired)
				c.Interfaces = []string{"wlan0", "wired0"} // what is added need not be among those
			}, func(h *house) {
				add := func(name, driver string, want error) {
					h.Helper()
					if err := h.svc.AddInterface(h.Context(), name, driver); !errors.Is(err, want) {
						h.Errorf("adding %q: %v, not %v", name, err, want)
					}
				}
				add("wired1", "none", nil)
				add("wired1", "none", state.ErrInterfaceExists)
				add("wlan0", "none", state.ErrInterfaceExists)
				add("wired2", "sim", state.ErrNotSupported)
				add("wired2", "nonsense", state.ErrNotSupported)
				for _, name := range []string{"", ".", "..", "a/b", "sixteen bytes is",
					"with space", "new\nline"} {
					add(name, "none", state.ErrInvalid)
				}
				e := h.wait(func(e state.Event) bool {
					_, ok := e.(state.InterfaceAdded)
					return ok && e.(state.InterfaceAdded).Interface.Name == "wired1"
				})
				if i := e.(state.InterfaceAdded).Interface; i.Driver != "none" ||
					i.Mode != drivers.ModeNone {
					h.Errorf("%+v", i)
				}
				// that one was named at the start
				for _, name := range []string{"wired1", "wired0"} {
					if err := h.svc.RemoveInterface(h.Context(), name); err != nil {
						h.Error(err)
					}
					if e := h.wait(func(e state.Event) bool {
						_, ok := e.(state.InterfaceRemoved)
						return ok
					}); e != (state.InterfaceRemoved{Name: name}) {
						h.Errorf("%+v", e)
					}
				}
				for name, want := range map[string]error{"wired1": state.ErrNoInterface,
					"wlan0": state.ErrNotSupported} {
					if err := h.svc.RemoveInterface(h.Context(), name); !errors.Is(err, want) {
						h.Errorf("removing %s: %v", name, err)
					}
				}
				add("wired1", "none", nil)
			})
		})
	})
}

// TestAbsentInterfacesAreTold: also by a driver that takes any name.
func TestAbsentInterfacesAreTold(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s, err := New(Config{
		Drivers:    []drivers.Driver{none.New([]string{"lo", "absent0"})},
		Interfaces: []string{"lo", "absent0"},
		Log:        slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	<-s.Ready() // nothing else is logged from here on, but by what we call
	for text, want := range map[string]bool{"no such network interface": true,
		"interface=absent0": true, "interface=lo": false, "interface=absent1": false} {
		if got := strings.Contains(log.String(), text); got != want {
			t.Errorf("%q is in the log: %v\n%s", text, got, log.String())
		}
	}
	if err := s.AddInterface(ctx, "absent1", "none"); err != nil ||
		!strings.Contains(log.String(), "interface=absent1") {
		t.Errorf("an interface that is added: %v\n%s", err, log.String())
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
