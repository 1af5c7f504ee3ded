package service

import (
	"context"
	"testing"
	"time"

	"wpsd/drivers"
	"wpsd/drivers/none"
	"wpsd/engine/wsc"
	"wpsd/service/state"
)

// linked is a driver of one interface that a manager connects.
type linked struct {
	*none.Driver
	links chan string
	to    chan wsc.MAC // holds what the interface is connected to
}

func (d *linked) Links() <-chan string { return d.links }

func (d *linked) Connection(context.Context, string) (drivers.BSS, bool, error) {
	to := <-d.to
	d.to <- to
	return drivers.BSS{BSSID: to}, !to.IsZero(), nil
}

// TestConnectionsAreTold: each change once, and not what there was at the start.
func TestConnectionsAreTold(t *testing.T) {
	t.Parallel()
	a, b := wsc.MAC{2, 0, 0, 0, 1, 0}, wsc.MAC{2, 0, 0, 0, 2, 0}
	d := &linked{none.New([]string{"wlan0"}), make(chan string), make(chan wsc.MAC, 1)}
	d.to <- a
	s, err := New(Config{Drivers: []drivers.Driver{d}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	<-s.Ready()
	start, sub := s.Published().Subscribe()
	defer sub.Close()
	if len(start.Interfaces) != 1 || !start.Interfaces[0].Connected {
		t.Errorf("at the start: %+v", start.Interfaces)
	}
	d.links <- "nonsense" // it reads: it has looked at the start by now
	before := a
	for _, to := range []wsc.MAC{a, b, b, {}, {}, a} {
		<-d.to
		d.to <- to
		d.links <- "wlan0"
		d.links <- "nonsense"
		wait, stop := context.WithTimeout(ctx, time.Minute)
		if to == before {
			stop()
			continue
		}
		e, err := sub.Next(wait)
		if now, ok := e.(state.InterfaceChanged); ok { // comes before, where there was or is none
			if now.Interface.Connected == to.IsZero() || !to.IsZero() && !before.IsZero() {
				t.Errorf("told %+v", now)
			}
			e, err = sub.Next(wait)
		} else if to.IsZero() || before.IsZero() {
			t.Errorf("%s after %s: the interface is the same", to, before)
		}
		if want := (state.ConnectionChanged{Interface: "wlan0", BSSID: to,
			Before: before}); err != nil || e != want {
			t.Errorf("told %+v, not %+v (%v)", e, want, err)
		}
		before = to
		stop()
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
