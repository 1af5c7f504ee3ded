package managerbus_test

import (
	"context"
	"errors"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/dbus/bus"
	"wpsd/drivers/managerbus"
	"wpsd/drivers/managerbus/managertest"
	"wpsd/test/hostile"
)

const (
	name  = "org.freedesktop.NetworkManager"
	root  = godbus.ObjectPath("/org/freedesktop/NetworkManager")
	iface = name + ".Test"
)

// manager has a property, and a method that returns what no D-Bus library should be sent.
func manager() *managertest.Manager {
	m := &managertest.Manager{Methods: map[string]managertest.Method{
		iface + ".Odd": func(godbus.ObjectPath, []any) ([]any, error) {
			return []any{uint32(7)}, nil
		},
	}}
	m.Put(root, iface, "State", uint32(7))
	return m
}

func state(ctx context.Context, b *managerbus.Bus) (uint32, error) {
	c, err := b.Dial(ctx, name)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	var n uint32
	return n, c.Get(ctx, root, iface, "State", &n)
}

// TestManagerComesAndGoes: who is there is known without asking, and Came tells when to try again.
func TestManagerComesAndGoes(t *testing.T) {
	t.Parallel()
	b, server := managertest.StartOn(t, nil)
	if _, err := state(t.Context(), b); !errors.Is(err, managerbus.ErrAbsent) {
		t.Fatalf("nobody is there: %v", err)
	}
	for range 2 {
		m := manager()
		m.Play(t, server, name)
		came(t, b)
		if n, err := state(t.Context(), b); err != nil || n != 7 {
			t.Fatal(n, err)
		}
		c, err := b.Dial(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		_ = m.Conn().Close()
		if err := c.Call(t.Context(), root, iface+".Odd", nil); !errors.Is(err,
			managerbus.ErrAbsent) {
			t.Errorf("it has left in the middle: %v", err)
		}
		until(t, func() bool {
			_, err := b.Dial(t.Context(), name)
			return errors.Is(err,
				managerbus.ErrAbsent)
		})
	}
	if _, err := b.Dial(t.Context(), "a.B"); !errors.Is(err, managerbus.ErrAbsent) {
		t.Errorf("a name of another kind: %v", err)
	}
	manager().Play(t, server, "a.B")
	until(t, func() bool { _, err := b.Dial(t.Context(), "a.B"); return err == nil })
}

// TestManagerEndsInACall: one that has the call already is as absent as one that was gone before.
func TestManagerEndsInACall(t *testing.T) {
	t.Parallel()
	m := manager()
	m.Methods[iface+".End"] = func(godbus.ObjectPath, []any) ([]any, error) {
		return nil, m.Conn().Close()
	}
	b, _ := managertest.StartOn(t, map[string]*managertest.Manager{name: m})
	c, err := b.Dial(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Call(t.Context(), root, iface+".End", nil); !errors.Is(err,
		managerbus.ErrAbsent) {
		t.Errorf("it has ended in the call: %v", err)
	}
}

// TestChangedTells: who has an interface is worth another look when a manager comes, says so, or
// goes, and not when somebody else says so.
func TestChangedTells(t *testing.T) {
	t.Parallel()
	b, server := managertest.StartOn(t, nil)
	if err := b.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	changed := func() {
		t.Helper()
		select {
		case <-b.Changed():
		case <-time.After(10 * time.Second):
			t.Fatal("nobody was told")
		}
	}
	m := manager()
	m.Play(t, server, name)
	changed()
	const device = name + ".Device"
	stranger := manager()
	stranger.Play(t, server, "a.B")
	say := func(who *managertest.Manager, path godbus.ObjectPath, member string) {
		t.Helper()
		err := who.Conn().Emit(path, member, uint32(30), uint32(10), uint32(0))
		if err != nil {
			t.Fatal(err)
		}
	}
	say(stranger, root+"/Devices/1", device+".StateChanged")
	say(m, root+"/ActiveConnection/1", device+".StateChanged")
	say(m, root+"/Devices/1", device+".Other")
	if n, err := state(t.Context(), b); err != nil || n != 7 { // all of it was read by then
		t.Fatal(n, err)
	}
	select {
	case <-b.Changed():
		t.Error("told by what is no news of an interface")
	default:
	}
	say(m, root+"/Devices/1", device+".StateChanged")
	changed()
	_ = m.Conn().Close()
	changed()
}

// TestBusIsStartedAnew: the conversation fails, and the next one has another connection.
func TestBusIsStartedAnew(t *testing.T) {
	t.Parallel()
	b, server := managertest.StartOn(t, map[string]*managertest.Manager{name: manager()})
	if n, err := state(t.Context(), b); err != nil || n != 7 {
		t.Fatal(n, err)
	}
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	came(t, b) // that nobody would be heard of
	manager().Play(t, server, name)
	if n, err := state(t.Context(), b); err != nil || n != 7 {
		t.Error(n, err)
	}
}

// TestSharedConnection: one that is there is used, until it ends.
func TestSharedConnection(t *testing.T) {
	t.Parallel()
	b, server := managertest.StartOn(t, map[string]*managertest.Manager{name: manager()})
	shared, err := bus.Dial(server.Address, bus.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b.Shared = shared
	if n, err := state(t.Context(), b); err != nil || n != 7 || shared.Owner(name) == "" {
		t.Fatal(n, err)
	}
	if err := b.Close(); err != nil || shared.Err() != nil {
		t.Errorf("a shared connection is not the Bus's to close: %v, %v", err, shared.Err())
	}
	_ = shared.Close()
	if n, err := state(t.Context(), b); err != nil || n != 7 {
		t.Error(n, err)
	}
}

// TestHostileBus: whatever others send, each conversation goes its way.
func TestHostileBus(t *testing.T) {
	t.Parallel()
	m := manager()
	b, server := managertest.StartOn(t, map[string]*managertest.Manager{name: m})
	ctx, cancel := context.WithCancel(t.Context())
	attacker, over := &hostile.Attacker{Huge: 1 << 20, HugeTimes: 10, Names: []string{name},
		Spare: m.Conn().Names()}, make(chan error, 1)
	go func() {
		_, _, err := attacker.Run(ctx, server.Address)
		over <- err
	}()
	for range 20 {
		if n, err := state(ctx, b); err != nil || n != 7 {
			t.Fatal(n, err)
		}
		alone, err := b.Alone(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		if err := alone.Call(ctx, root, iface+".Odd", nil); err != nil {
			t.Error(err)
		}
		alone.Close()
		time.Sleep(10 * time.Millisecond)
	}
	cancel()
	if err := <-over; err != nil {
		t.Error(err)
	}
}

func came(t *testing.T, b *managerbus.Bus) {
	t.Helper()
	select {
	case <-b.Came():
	case <-time.After(time.Minute):
		t.Fatal("nobody says that a manager came")
	}
}

func until(t *testing.T, met func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !met(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not happen")
		}
	}
}
