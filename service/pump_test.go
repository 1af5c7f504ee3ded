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
	"wpsd/engine"
	"wpsd/service/outcome"
	"wpsd/service/session"
	"wpsd/service/state"
)

// wire is a drivers.Link whose other end is the test. It writes down what happens.
type wire struct {
	in      chan []byte
	lost    chan struct{}
	sendErr error
	story   *[]string
}

func (w *wire) Send(ctx context.Context, frame []byte) error {
	if w.sendErr != nil {
		return w.sendErr
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	*w.story = append(*w.story, "send "+string(frame))
	return nil
}

func (w *wire) Receive(ctx context.Context) ([]byte, error) {
	select {
	case f := <-w.in:
		return f, nil
	case <-w.lost:
		return nil, &drivers.LostError{Err: drivers.ErrLinkLost}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (w *wire) Close() error { return nil }

// parrot is a Machine that answers each frame with it, gives up 5 s after the last, and ends with
// "end".
type parrot struct{ story *[]string }

func (p parrot) say(now time.Time, what string) engine.Step {
	*p.story = append(*p.story, "step "+what)
	return engine.Step{Send: [][]byte{[]byte(what)}, Deadline: now.Add(5 * time.Second),
		Done: what == "end"}
}

func (p parrot) Start(now time.Time) engine.Step                { return p.say(now, "start") }
func (p parrot) Handle(now time.Time, frame []byte) engine.Step { return p.say(now, string(frame)) }
func (p parrot) Timeout(now time.Time) engine.Step              { return p.say(now, "end") }
func (p parrot) Abort(time.Time) engine.Step {
	*p.story = append(*p.story, "abort")
	return engine.Step{Send: [][]byte{[]byte("nack")}, Done: true}
}

func TestPump(t *testing.T) {
	t.Parallel()
	errEnough := errors.New("enough")
	for _, c := range []struct {
		name  string
		steer func(w *wire, cancel context.CancelCauseFunc)
		story []string
		took  time.Duration
		err   error
	}{
		{
			"each step is told before its frames go out", func(w *wire, _ context.CancelCauseFunc) {
				w.in <- []byte("a")
				w.in <- []byte("end")
			},
			[]string{"step start", "progress", "send start", "step a", "progress", "send a",
				"step end", "progress", "send end"}, 0, nil,
		},
		{
			"a deadline is kept, counted from the last step",
			func(w *wire, _ context.CancelCauseFunc) {
				time.Sleep(4 * time.Second)
				w.in <- []byte("a")
			},
			[]string{"step start", "progress", "send start", "step a", "progress", "send a",
				"step end", "progress", "send end"}, 9 * time.Second, nil,
		},
		{
			"a lost link aborts the machine, whose last words are for nobody",
			func(w *wire, _ context.CancelCauseFunc) { close(w.lost) },
			[]string{"step start", "progress", "send start", "abort"}, 0, drivers.ErrLinkLost,
		},
		{
			"a cancel lets the last words out and waits a moment",
			func(_ *wire, cancel context.CancelCauseFunc) {
				time.Sleep(time.Second)
				cancel(errEnough)
			},
			[]string{"step start", "progress", "send start", "abort", "send nack"},
			time.Second + lastWord, errEnough,
		},
		{
			"or until there is an answer", func(w *wire, cancel context.CancelCauseFunc) {
				cancel(errEnough)
				time.Sleep(10 * time.Millisecond)
				w.in <- []byte("x")
			},
			[]string{"step start", "progress", "send start", "abort", "send nack"},
			10 * time.Millisecond, errEnough,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var story []string
				w := &wire{in: make(chan []byte), lost: make(chan struct{}), story: &story}
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				go func() { synctest.Wait(); c.steer(w, cancel) }()
				start := time.Now()
				err := pump(ctx, w, parrot{&story}, func() { story = append(story, "progress") })
				if !errors.Is(err, c.err) || time.Since(start) != c.took ||
					!slices.Equal(story, c.story) {
					t.Errorf("%v after %v: %q", err, time.Since(start), story)
				}
			})
		})
	}
	t.Run("a link that cannot send is told as what it is", func(t *testing.T) {
		t.Parallel()
		var story []string
		w := &wire{in: make(chan []byte), lost: make(chan struct{}), story: &story,
			sendErr: drivers.ErrRadioBlocked}
		if err := pump(t.Context(), w, parrot{&story}, func() {}); !errors.Is(err,
			drivers.ErrRadioBlocked) || story[len(story)-1] != "abort" {
			t.Errorf("%v, %q", err, story)
		}
	})
}

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
	if err := pause(ctx, time.Second); err != nil {
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
