package station

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/drivers"
	"wpsd/engine"
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
