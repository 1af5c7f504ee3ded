package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/test/hostile"
	"wpsd/test/testbus"
)

// TestCallsAllowAQuestion: wpsd may have the user asked for a password, which the flag of each call
// says; and its refusals are told apart.
func TestCallsAllowAQuestion(t *testing.T) {
	t.Parallel()
	bus := testbus.For(t)
	service, err := godbus.Connect(bus.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = service.Close() }()
	var mu sync.Mutex // the service answers on goroutines of its own
	var answer string
	var flags []godbus.Flags
	scan := func(m godbus.Message, _ map[string]godbus.Variant) *godbus.Error {
		mu.Lock()
		defer mu.Unlock()
		flags = append(flags, m.Flags)
		if answer == "" {
			return nil
		}
		return godbus.NewError(errorPrefix+answer, []any{"A sentence."})
	}
	if err := service.ExportMethodTable(map[string]any{"Scan": scan}, "/i",
		interfaceIface); err != nil {
		t.Fatal(err)
	}
	if _, err := service.RequestName(busName, godbus.NameFlagDoNotQueue); err != nil {
		t.Fatal(err)
	}
	a := &app{bus: bus.Address, errOut: io.Discard}
	c, err := a.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	call := func(ctx context.Context) error {
		return c.call(ctx, "/i", interfaceIface+".Scan", nil, options{})
	}
	set := func(name string) {
		mu.Lock()
		defer mu.Unlock()
		answer = name
	}
	for _, name := range []string{"AuthorizationDismissed", "NotAuthorized"} {
		set(name)
		var f *failure
		if err := call(t.Context()); !errors.As(err, &f) || f.Exit != exitNotAuthorized ||
			f.Name != errorPrefix+name || f.Text != "A sentence." {
			t.Errorf("%s: %+v", name, err)
		}
	}
	set("")
	if err := call(t.Context()); err != nil {
		t.Error(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := call(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("after Ctrl-C: %v", err)
	}
	mu.Lock()
	defer mu.Unlock()
	for n, f := range flags {
		if f&godbus.FlagAllowInteractiveAuthorization == 0 {
			t.Errorf("call %d has the flags %d", n, f)
		}
	}
	if len(flags) < 3 {
		t.Errorf("%d calls", len(flags))
	}
}

// TestHostileBus: whatever others on the bus send, calls are answered by wpsd, and its signals
// come, and no others.
func TestHostileBus(t *testing.T) {
	t.Parallel()
	server := testbus.For(t)
	service, err := godbus.Connect(server.Address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = service.Close() }()
	scan := func(godbus.Message, map[string]godbus.Variant) *godbus.Error {
		if err := service.Emit(rootPath+"/i", interfaceIface+".ScanDone", true); err != nil {
			return godbus.MakeFailedError(err)
		}
		return nil
	}
	if err := service.ExportMethodTable(map[string]any{"Scan": scan}, "/i",
		interfaceIface); err != nil {
		t.Fatal(err)
	}
	if _, err := service.RequestName(busName, godbus.NameFlagDoNotQueue); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	attacker, over := &hostile.Attacker{Huge: 1 << 20, HugeTimes: 10, Names: []string{busName},
		Spare: service.Names()}, make(chan error, 1)
	go func() {
		_, _, err := attacker.Run(ctx, server.Address)
		over <- err
	}()
	a := &app{bus: server.Address, errOut: io.Discard}
	for range 20 {
		c, err := a.dial(ctx)
		if err != nil {
			t.Fatal(err)
		}
		signals, err := c.watch(ctx)
		if err == nil {
			err = c.call(ctx, "/i", interfaceIface+".Scan", nil, options{})
		}
		if err != nil {
			t.Fatal(err)
		}
		s := <-signals
		for s != nil && s.Sender == "org.freedesktop.DBus" &&
			!strings.HasSuffix(s.Name, "NameOwnerChanged") {
			s = <-signals // that we have our own name
		}
		if s == nil || s.Name != interfaceIface+".ScanDone" || s.Sender != service.Names()[0] {
			t.Errorf("a signal %+v", s)
		}
		c.close()
	}
	cancel()
	if err := <-over; err != nil {
		t.Error(err)
	}
}

// TestTheFormerOneLeft: a wpsd that ended because nobody needed it, after we began to listen and
// before our call started the next one, is not the one that we follow.
func TestTheFormerOneLeft(t *testing.T) {
	t.Parallel()
	daemon := testbus.For(t)
	start := func() *godbus.Conn {
		service, err := godbus.Connect(daemon.Address)
		if err != nil {
			t.Fatal(err)
		}
		scan := func(map[string]godbus.Variant) *godbus.Error { return nil }
		if err := service.ExportMethodTable(map[string]any{"Scan": scan}, "/i",
			interfaceIface); err != nil {
			t.Fatal(err)
		}
		if _, err := service.RequestName(busName, godbus.NameFlagDoNotQueue); err != nil {
			t.Fatal(err)
		}
		return service
	}
	former := start()
	a := &app{bus: daemon.Address, errOut: io.Discard}
	c, err := a.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	signals, err := c.watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	leaving := func() *godbus.Signal {
		for s := range signals {
			if owner, about := serviceOwner(s); about && owner == "" {
				return s
			}
		}
		t.Fatal("the bus told of nobody who left")
		return nil
	}
	_ = former.Close()
	unanswered := leaving()
	if !c.left(unanswered) {
		t.Error("wpsd left before it answered anything: not noticed")
	}
	next := start()
	if err := c.call(t.Context(), "/i", interfaceIface+".Scan", nil, options{}); err != nil {
		t.Fatal(err)
	}
	if c.left(unanswered) {
		t.Error("the end of the former wpsd counts for the one that answered")
	}
	if _, err := next.ReleaseName(busName); err != nil {
		t.Fatal(err)
	}
	if _, err := next.RequestName(busName, godbus.NameFlagDoNotQueue); err != nil {
		t.Fatal(err)
	}
	gaveBack := leaving()
	if err := c.call(t.Context(), "/i", interfaceIface+".Scan", nil, options{}); err != nil {
		t.Fatal(err)
	}
	if c.left(gaveBack) {
		t.Error("the wpsd that answered has its name again, and has left all the same")
	}
	_ = next.Close()
	if !c.left(leaving()) {
		t.Error("the wpsd that answered left: not noticed")
	}
}
