package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/drivers"
	"wpsd/service/outcome"
	"wpsd/service/session"
	"wpsd/service/state"
)

// deaf is a driver with one interface whose scans fail as told, and hear nobody.
type deaf struct {
	drivers.Unsupported
	drivers.UnsupportedDriver
	scans   []error // one for each scan; nil after the last
	count   int
	station error
	bss     []drivers.BSS
}

func (d *deaf) Name() string             { return "deaf" }
func (d *deaf) Changed() <-chan struct{} { return nil }
func (d *deaf) Interfaces(context.Context) ([]drivers.Interface, error) {
	return []drivers.Interface{{Name: "wlan0", HardwareAddr: laptop, Mode: drivers.ModeStation},
		{Name: "uap0", HardwareAddr: homeBSSID, Mode: drivers.ModeAP}}, nil
}

func (d *deaf) Station(context.Context, string) (drivers.Station, error) { return d, d.station }

func (d *deaf) Scan(ctx context.Context, r drivers.ScanRequest) ([]drivers.BSS, error) {
	if r.Frequencies != nil {
		return nil, fmt.Errorf("frequencies %v out of nowhere", r.Frequencies)
	}
	d.count++
	if d.count <= len(d.scans) {
		return nil, d.scans[d.count-1]
	}
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	now := time.Now()
	for i := range d.bss {
		d.bss[i].Seen = now
	}
	return d.bss, nil
}

func TestDriverErrors(t *testing.T) {
	t.Parallel()
	errOdd := errors.New("odd")
	const maxBusy = 20 // scans of others in a row, in package station
	for _, c := range []struct {
		name   string
		driver *deaf
		reason outcome.Reason
		scans  int // at least
	}{
		{"a driver that lists no channels is asked for all of them", &deaf{},
			outcome.ReasonNoAccessPoint, 60},
		{"a scan that others are in the way of is tried again",
			&deaf{scans: slices.Repeat([]error{drivers.ErrBusy}, maxBusy-1)},
			outcome.ReasonNoAccessPoint, 60},
		{"but not for ever", &deaf{scans: slices.Repeat([]error{drivers.ErrBusy}, maxBusy)},
			outcome.ReasonInterfaceBusy, maxBusy},
		{"an odd error is tolerated twice", &deaf{scans: []error{errOdd, errOdd}},
			outcome.ReasonNoAccessPoint, 60},
		{"but not three times in a row", &deaf{scans: []error{errOdd, errOdd, errOdd}},
			outcome.ReasonInternal, 3},
		{"rfkill ends the session at once", &deaf{scans: []error{drivers.ErrRadioBlocked}},
			outcome.ReasonRadioBlocked, 1},
		{"an interface that cannot be taken ends it before", &deaf{station: drivers.ErrBusy},
			outcome.ReasonInterfaceBusy, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				inHouse(t, func(conf *Config) { conf.Drivers = []drivers.Driver{c.driver} },
					func(h *house) {
						s := h.end(h.pbc(nil))
						if s.State != state.StateFailed || s.Reason != c.reason ||
							c.driver.count < c.scans {
							t.Errorf("%s after %d scans: %s", s.Reason, c.driver.count, s.Sentence)
						}
						if _, err := h.svc.StartPBC(h.Context(),
							session.StartRequest{Interface: "uap0"}); !errors.Is(err,
							state.ErrNotSupported) {
							t.Errorf("an access point's interface: %v", err)
						}
					})
			})
		})
	}
}

// fickle is a deaf driver whose radio loses channels while it is in use.
type fickle struct {
	deaf
	channels []drivers.Channel
}

func (f *fickle) Station(context.Context, string) (drivers.Station, error) { return f, nil }

func (f *fickle) Channels(context.Context) ([]drivers.Channel, error) {
	return slices.Clone(f.channels), nil
}

func (f *fickle) Scan(ctx context.Context, r drivers.ScanRequest) ([]drivers.BSS, error) {
	if f.count == 3 {
		f.channels = f.channels[:1]
	}
	for _, frequency := range r.Frequencies {
		if !slices.ContainsFunc(f.channels, func(c drivers.Channel) bool {
			return c.Frequency == frequency
		}) {
			f.count++
			return nil, errors.New("invalid argument")
		}
	}
	r.Frequencies = nil
	return f.deaf.Scan(ctx, r)
}

func TestChannelsThatAreClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fickle{channels: []drivers.Channel{{Frequency: 2412}, {Frequency: 5180}}}
		inHouse(t, func(c *Config) { c.Drivers = []drivers.Driver{f} }, func(h *house) {
			if s := h.end(h.pbc(nil)); s.Reason != outcome.ReasonNoAccessPoint {
				t.Errorf("%s", s.Reason)
			}
		})
	})
}

// reluctant is a radio that lists a channel in 6 GHz and does not scan there.
type reluctant struct {
	fickle
	err   error
	asked int
}

func (r *reluctant) Station(context.Context, string) (drivers.Station, error) { return r, nil }

func (r *reluctant) Scan(ctx context.Context, q drivers.ScanRequest) ([]drivers.BSS, error) {
	if !q.Passive {
		return r.fickle.Scan(ctx, q)
	}
	r.asked++
	return nil, r.err
}

// TestRadioThatDoesNotScan6GHz: a session does not fail with the look at 6 GHz, which only finds
// out why somebody is not heard; but for what is the end of each look.
func TestRadioThatDoesNotScan6GHz(t *testing.T) {
	t.Parallel()
	for err, reason := range map[error]outcome.Reason{
		errors.New("invalid argument"): outcome.ReasonNoAccessPoint,
		drivers.ErrNotSupported:        outcome.ReasonNoAccessPoint,
		drivers.ErrBusy:                outcome.ReasonNoAccessPoint,
		drivers.ErrRadioBlocked:        outcome.ReasonRadioBlocked,
	} {
		t.Run(err.Error(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := &reluctant{err: err}
				d.channels = []drivers.Channel{{Frequency: 2412}, {Frequency: 6135}}
				inHouse(t, func(c *Config) { c.Drivers = []drivers.Driver{d} }, func(h *house) {
					d.count = 10 // it keeps its channels
					s := h.end(h.pbc(func(r *session.StartRequest) { r.BSSID = homeBSSID }))
					if s.Reason != reason || d.asked != 1 {
						t.Errorf("%s, asked %d times", s.Reason, d.asked)
					}
				})
			})
		})
	}
}
