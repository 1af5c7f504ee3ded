package logind

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"

	"wpsd/test/hostile"
	"wpsd/test/testbus"
)

// fakeLogind is a logind on a bus of the test's own. A lock is a pipe, of which it keeps the end to
// read from.
type fakeLogind struct {
	t     *testing.T
	conn  *godbus.Conn
	props *prop.Properties

	mu    sync.Mutex
	taken []string
	locks chan *os.File
}

func startLogind(t *testing.T, bus *testbus.Bus, preparing bool) *fakeLogind {
	t.Helper()
	conn, err := godbus.Connect(bus.Address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	f := &fakeLogind{t: t, conn: conn, locks: make(chan *os.File, 8)}
	if err := conn.ExportMethodTable(map[string]any{"Inhibit": f.inhibit}, path,
		manager); err != nil {
		t.Fatal(err)
	}
	f.props, err = prop.Export(conn, path, prop.Map{manager: {
		"PreparingForSleep":   {Value: preparing},
		"InhibitDelayMaxUSec": {Value: uint64(2_000_000)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := conn.RequestName(name, godbus.NameFlagDoNotQueue); err != nil ||
		got != godbus.RequestNameReplyPrimaryOwner {
		t.Fatal(got, err)
	}
	return f
}

// closeTime is after how long the fake closes its own copy of a lock. Nothing tells when the answer
// is sent.
const closeTime = time.Second

func (f *fakeLogind) inhibit(what, who, why, mode string) (godbus.UnixFD, *godbus.Error) {
	r, w, err := os.Pipe()
	if err != nil {
		return 0, godbus.MakeFailedError(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.taken = append(f.taken, strings.Join([]string{what, who, mode}, " "))
	f.locks <- r
	fd := godbus.UnixFD(w.Fd())
	// our copy; the other's is sent once this function has returned
	time.AfterFunc(closeTime, func() { _ = w.Close() })
	return fd, nil
}

// prepare tells everybody that sleep begins or is over.
func (f *fakeLogind) prepare(begins bool) {
	f.t.Helper()
	if err := f.conn.Emit(path, manager+".PrepareForSleep", begins); err != nil {
		f.t.Fatal(err)
	}
}

// lock waits until somebody takes one.
func (f *fakeLogind) lock() *os.File {
	f.t.Helper()
	select {
	case l := <-f.locks:
		f.t.Cleanup(func() { _ = l.Close() })
		return l
	case <-time.After(time.Minute):
		f.t.Fatal("nobody takes a lock")
	}
	return nil
}

// sleeper is a Sleeper whose calls are on record.
type sleeper struct {
	did     chan string
	suspend func(ctx context.Context) error
}

func (s *sleeper) Suspend(ctx context.Context) error {
	s.did <- "suspend"
	return s.suspend(ctx)
}

func (s *sleeper) Resume() { s.did <- "resume" }

func (s *sleeper) expect(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-s.did:
		if got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	case <-time.After(time.Minute):
		t.Fatalf("no %s", want)
	}
}

// released waits until a lock is given back, and says how long that took.
func released(t *testing.T, lock *os.File) time.Duration {
	t.Helper()
	began := time.Now()
	if err := lock.SetReadDeadline(began.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := lock.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Fatalf("the lock is not given back: %v", err)
	}
	return time.Since(began)
}

// held checks that a lock is not given back.
func held(t *testing.T, lock *os.File) {
	t.Helper()
	if err := lock.SetReadDeadline(time.Now().Add(closeTime + 100*time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := lock.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("the lock was given back: %v", err)
	}
}

// atOnce comes to rest without delay.
func atOnce(context.Context) error { return nil }

// lockedBuffer is written by one goroutine while another reads.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String returns what was written so far.
func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// play runs a test with a bus and a guard.
func play(t *testing.T, suspend func(context.Context) error, before func(*testbus.Bus),
	test func(bus *testbus.Bus, s *sleeper, log *lockedBuffer)) {
	t.Helper()
	t.Parallel()
	bus := testbus.For(t)
	if before != nil {
		before(bus)
	}
	log := &lockedBuffer{}
	s := &sleeper{did: make(chan string, 8), suspend: suspend}
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan error, 1)
	go func() { over <- Run(ctx, bus.Address, s, slog.New(slog.NewTextHandler(log, nil))) }()
	test(bus, s, log)
	cancel()
	if err := <-over; !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v", err)
	}
}

func TestLockIsGivenBackWhenEverythingIsAtRest(t *testing.T) {
	var logind *fakeLogind
	rest := make(chan struct{})
	slow := func(context.Context) error { <-rest; return nil }
	play(t, slow, func(bus *testbus.Bus) { logind = startLogind(t, bus, false) },
		func(_ *testbus.Bus, s *sleeper, _ *lockedBuffer) {
			lock := logind.lock()
			held(t, lock)
			logind.prepare(true)
			s.expect(t, "suspend")
			held(t, lock)
			close(rest)
			released(t, lock)
			logind.prepare(false)
			again := logind.lock()
			s.expect(t, "resume")
			held(t, again)
			logind.prepare(false) // of somebody who did not sleep
			held(t, again)
			logind.prepare(true)
			s.expect(t, "suspend")
			released(t, again)
			logind.mu.Lock()
			defer logind.mu.Unlock()
			if logind.taken[0] != "sleep wpsd delay" || len(logind.taken) != 2 {
				t.Errorf("locks %q", logind.taken)
			}
		})
}

// TestSleepIsNotDelayedForLong: logind waits for two seconds here, so the lock is back in 1.5.
func TestSleepIsNotDelayedForLong(t *testing.T) {
	var logind *fakeLogind
	endless := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	play(t, endless, func(bus *testbus.Bus) { logind = startLogind(t, bus, false) },
		func(_ *testbus.Bus, s *sleeper, log *lockedBuffer) {
			lock := logind.lock()
			logind.prepare(true)
			s.expect(t, "suspend")
			if took := released(t, lock); took < time.Second || took > 30*time.Second {
				t.Errorf("after %v", took)
			}
			logind.prepare(false)
			s.expect(t, "resume")
			if !strings.Contains(log.String(), "WARN") {
				t.Errorf("log: %s", log)
			}
		})
}

// TestWithoutLogindNothingIsDifferent, until it comes; it may go, too, while the machine is about
// to sleep.
func TestWithoutLogindNothingIsDifferent(t *testing.T) {
	play(t, atOnce, nil, func(bus *testbus.Bus, s *sleeper, log *lockedBuffer) {
		logind := startLogind(t, bus, false)
		lock := logind.lock()
		logind.prepare(true)
		s.expect(t, "suspend")
		released(t, lock)
		_ = logind.conn.Close() // killed
		s.expect(t, "resume")
		logind = startLogind(t, bus, true) // it knows that the machine is about to sleep
		lock = logind.lock()
		s.expect(t, "suspend")
		released(t, lock)
		logind.prepare(false)
		s.expect(t, "resume")
		held(t, logind.lock())
		if strings.Contains(log.String(), "WARN") {
			t.Errorf("log: %s", log)
		}
	})
}

// TestOthersCannotSendUsToSleep: anybody may send us a signal that looks like logind's.
func TestOthersCannotSendUsToSleep(t *testing.T) {
	var logind *fakeLogind
	play(t, atOnce, func(bus *testbus.Bus) { logind = startLogind(t, bus, false) },
		func(bus *testbus.Bus, s *sleeper, _ *lockedBuffer) {
			lock := logind.lock()
			mallory, err := godbus.Connect(bus.Address)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = mallory.Close() }()
			var names []string
			if err := mallory.BusObject().Call("org.freedesktop.DBus.ListNames",
				0).Store(&names); err != nil {
				t.Fatal(err)
			}
			for _, to := range names {
				if strings.HasPrefix(to, ":") {
					send(t, mallory, to, manager, "PrepareForSleep", true)
					send(t, mallory, to, "org.freedesktop.DBus", "NameOwnerChanged", name,
						logind.conn.Names()[0], "")
				}
			}
			send(t, mallory, "", manager, "PrepareForSleep", true)
			time.Sleep(100 * time.Millisecond)
			held(t, lock)
			select {
			case did := <-s.did:
				t.Errorf("somebody made us %s", did)
			default:
			}
			logind.prepare(true)
			s.expect(t, "suspend")
			released(t, lock)
		})
}

// TestHostileBus: whatever others send, the machine sleeps when logind says so, and not else.
func TestHostileBus(t *testing.T) {
	var logind *fakeLogind
	play(t, atOnce, func(bus *testbus.Bus) { logind = startLogind(t, bus, false) },
		func(bus *testbus.Bus, s *sleeper, log *lockedBuffer) {
			lock := logind.lock()
			ctx, cancel := context.WithCancel(t.Context())
			attacker, over := &hostile.Attacker{Huge: 1 << 20, HugeTimes: 10, Names: []string{name},
				Spare: logind.conn.Names()}, make(chan error, 1)
			go func() {
				_, _, err := attacker.Run(ctx, bus.Address)
				over <- err
			}()
			held(t, lock)
			logind.prepare(true)
			s.expect(t, "suspend")
			released(t, lock)
			logind.prepare(false)
			again := logind.lock()
			s.expect(t, "resume")
			held(t, again)
			cancel()
			if err := <-over; err != nil {
				t.Error(err)
			}
			if strings.Contains(log.String(), "WARN") {
				t.Errorf("log: %s", log)
			}
		})
}

// TestBusIsStartedAnew: so are the connection and the lock.
func TestBusIsStartedAnew(t *testing.T) {
	play(t, atOnce, nil, func(bus *testbus.Bus, s *sleeper, log *lockedBuffer) {
		logind := startLogind(t, bus, false)
		lock := logind.lock()
		logind.prepare(true)
		s.expect(t, "suspend")
		released(t, lock)
		if err := bus.Restart(); err != nil {
			t.Fatal(err)
		}
		s.expect(t, "resume")
		logind = startLogind(t, bus, false)
		lock = logind.lock()
		logind.prepare(true)
		s.expect(t, "suspend")
		released(t, lock)
		logind.prepare(false)
		s.expect(t, "resume")
	})
}

// send sends a signal, to one connection or to all.
func send(t *testing.T, conn *godbus.Conn, to, iface, member string, body ...any) {
	t.Helper()
	m := &godbus.Message{Type: godbus.TypeSignal, Body: body,
		Headers: map[godbus.HeaderField]godbus.Variant{
			godbus.FieldPath:      godbus.MakeVariant(path),
			godbus.FieldInterface: godbus.MakeVariant(iface),
			godbus.FieldMember:    godbus.MakeVariant(member),
			godbus.FieldSignature: godbus.MakeVariant(godbus.SignatureOf(body...)),
		}}
	if to != "" {
		m.Headers[godbus.FieldDestination] = godbus.MakeVariant(to)
	}
	if call := conn.Send(m, nil); call.Err != nil {
		t.Fatal(call.Err)
	}
}
