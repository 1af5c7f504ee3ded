package station

import (
	"context"
	"sync"
	"time"

	"wpsd/drivers"
	"wpsd/engine"
	"wpsd/service/fence"
)

// lastWord is how long we wait, after telling the access point that we give up, before the link
// goes down: the WSC_NACK must be out by then (hostap waits as long).
const lastWord = 100 * time.Millisecond

// pump carries frames between a link and a machine until the machine is done, the link is lost, or
// ctx ends. It calls progress after each step, before the step's frames go out: what a step
// received is safe before the peer is told so. The machine knows how the run ended; the error is
// only why the pump ended before it was done.
func pump(ctx context.Context, link drivers.Link, m engine.Machine, progress func()) error {
	frames, stop := receiveFrames(ctx, link)
	defer stop()
	deadline := time.NewTimer(time.Hour)
	defer deadline.Stop()
	step := m.Start(time.Now())
	for {
		progress()
		for _, frame := range step.Send {
			if err := link.Send(ctx, frame); err != nil {
				m.Abort(time.Now()) // so that it has an outcome
				return cause(ctx, err)
			}
		}
		if step.Done {
			return nil
		}
		deadline.Stop()
		if !step.Deadline.IsZero() {
			deadline.Reset(time.Until(step.Deadline))
		}
		select {
		case f := <-frames:
			if f.err != nil {
				m.Abort(time.Now())
				return cause(ctx, f.err)
			}
			step = m.Handle(time.Now(), f.bytes)
		case <-deadline.C:
			step = m.Timeout(time.Now())
		case <-ctx.Done():
			giveUp(ctx, link, m.Abort(time.Now()), frames)
			return context.Cause(ctx)
		}
	}
}

// giveUp sends a machine's last frames although ctx is over, and lets them get out.
func giveUp(ctx context.Context, link drivers.Link, last engine.Step, frames <-chan received) {
	if len(last.Send) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWord)
	defer cancel()
	for _, frame := range last.Send {
		if link.Send(ctx, frame) != nil {
			return
		}
	}
	select {
	case <-frames: // an answer, or the access point ended the link
	case <-ctx.Done():
	}
}

// received is a frame, or why there are no more.
type received struct {
	bytes []byte
	err   error
}

// receiveFrames reads from link in a goroutine of its own, since Receive blocks, until stop, which
// waits for it.
func receiveFrames(ctx context.Context, link drivers.Link) (frames <-chan received, stop func()) {
	// The reader outlives ctx, so that giveUp hears the answer; stop ends it.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c := make(chan received)
	var reader sync.WaitGroup
	reader.Go(func() {
		for {
			var frame []byte
			err := fence.Do(nil, "reading from a link", func() (err error) {
				frame, err = link.Receive(ctx)
				return err
			})
			select {
			case c <- received{frame, err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	})
	return c, func() { cancel(); reader.Wait() }
}

// cause prefers the reason why ctx ended over the error that this led to.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
