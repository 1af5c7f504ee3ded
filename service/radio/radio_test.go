package radio

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/drivers"
)

var errGaveUp = errors.New("gave up")

// TestTurns: one at a time has an interface, two interfaces have nothing to do with each other, and
// who is told to end while he waits says why.
func TestTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var turns Turns
		var mu sync.Mutex // guards order: those of two interfaces have it at once
		var order []string
		use := func(who string, d time.Duration) func() error {
			return func() error {
				mu.Lock()
				order = append(order, who)
				mu.Unlock()
				time.Sleep(d)
				return nil
			}
		}
		ended := make(chan error, 2)
		go func() { ended <- turns.Of("wlan0").With(t.Context(), use("first", time.Minute)) }()
		synctest.Wait()
		go func() { ended <- turns.Of("wlan0").With(t.Context(), use("second", time.Minute)) }()
		synctest.Wait()
		if err := turns.Of("wlan1").With(t.Context(), use("beside", time.Second)); err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(errGaveUp) })
		if err := turns.Of("wlan0").With(ctx, use("never", 0)); !errors.Is(err, errGaveUp) {
			t.Error(err)
		}
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		mu.Lock()
		order = slices.Clone(order)
		mu.Unlock()
		if want := []string{"first", "beside", "second"}; !slices.Equal(order, want) {
			t.Errorf("%q, not %q", order, want)
		}
		func() {
			defer func() { _ = recover() }()
			_ = turns.Of("wlan0").With(t.Context(), func() error { panic("a mistake") })
		}()
		if err := turns.Of("wlan0").With(t.Context(), use("after a panic", 0)); err != nil {
			t.Error(err)
		}
	})
}

// errBroken is how opening or closing goes wrong.
var errBroken = errors.New("broken")

// fakeDriver opens itself as a Station.
type fakeDriver struct {
	drivers.Unsupported
	drivers.UnsupportedDriver
	did              []string
	opening, closing error
}

func (d *fakeDriver) Name() string             { return "fake" }
func (d *fakeDriver) Changed() <-chan struct{} { return nil }
func (d *fakeDriver) Interfaces(context.Context) ([]drivers.Interface, error) {
	return nil, nil
}

func (d *fakeDriver) Station(_ context.Context, ifname string) (drivers.Station, error) {
	d.did = append(d.did, "open "+ifname)
	return d, d.opening
}

func (d *fakeDriver) StationApart(_ context.Context, ifname string) (drivers.Station, error) {
	d.did = append(d.did, "open beside "+ifname)
	return d, d.opening
}

func (d *fakeDriver) Close() error {
	d.did = append(d.did, "close")
	return d.closing
}

// TestUse: whatever happens, what was opened is closed, and what goes wrong with that is logged.
func TestUse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		driver fakeDriver
		apart  bool
		use    func() error
		err    error
		did    []string
		logged bool
	}{
		{name: "an interface", use: func() error { return nil },
			did: []string{"open wlan0", "close"}},
		{name: "one of our own beside it", apart: true, use: func() error { return errGaveUp },
			err: errGaveUp, did: []string{"open beside wlan0", "close"}},
		{name: "one that cannot be opened", driver: fakeDriver{opening: errBroken},
			use: func() error { panic("used") }, err: errBroken, did: []string{"open wlan0"}},
		{name: "one that cannot be given back", driver: fakeDriver{closing: errBroken},
			use: func() error { return nil }, did: []string{"open wlan0", "close"}, logged: true},
		{name: "a mistake", use: func() error { panic(errGaveUp) }, err: errGaveUp,
			did: []string{"open wlan0", "close"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			err := func() (err error) {
				defer func() {
					if value, ok := recover().(error); ok {
						err = value
					}
				}()
				return Use(t.Context(), slog.New(slog.NewTextHandler(&log, nil)), &c.driver, "wlan0",
					c.apart, func(drivers.Station) error { return c.use() })
			}()
			if !errors.Is(err, c.err) || !slices.Equal(c.driver.did, c.did) ||
				strings.Contains(log.String(), "given back") != c.logged {
				t.Errorf("%v, %q\n%s", err, c.driver.did, log.String())
			}
		})
	}
}
