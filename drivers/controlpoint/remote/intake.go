package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"wpsd/engine/upnp"
)

// What the other process may say: so many bytes at once, and each second. A thousand access points
// that answer one search are 4 MB of frames. What is short counts as leastFrame: to read it costs
// as much.
const (
	frameBurst = 32 << 20
	frameRate  = 16 << 20
	leastFrame = 2 << 10
)

// errSpeaks means that the other process does not speak as agreed. The connection ends.
var errSpeaks = errors.New("remote: the process that speaks UPnP does not speak as agreed")

// intake reads what the other process says, as if anybody in the network had said it: it lets
// nothing through that could not have come from there, no more than one event at a time, and all of
// it at a pace. It is for one goroutine, but for taken.
type intake struct {
	from    *counter
	left    float64 // bytes that may be read now
	at      time.Time
	waiting atomic.Bool // an event waits to be taken
}

func newIntake(r io.Reader) *intake {
	return &intake{from: &counter{Reader: r}, left: frameBurst, at: time.Now()}
}

// taken says that the event that was there has been taken.
func (i *intake) taken() { i.waiting.Store(false) }

// next gives the next frame that counts. Announcements that could not have come from the network
// are left out, as they would be there.
func (i *intake) next(ctx context.Context) (frame, error) {
	for {
		before := i.from.n
		f, err := read(i.from)
		if err != nil {
			return frame{}, err
		}
		if err := i.pace(ctx, max(i.from.n-before, leastFrame)); err != nil {
			return frame{}, err
		}
		switch counts, err := i.check(&f); {
		case err != nil:
			return frame{}, err
		case counts:
			return f, nil
		}
	}
}

// check looks at a frame, and replaces what it says by what would have been read in the network.
func (i *intake) check(f *frame) (counts bool, err error) {
	switch {
	case f.Kind == reply, f.Kind == changed:
		return true, nil
	case f.Kind == heard && f.Heard != nil:
		a, err := f.Heard.Recheck()
		*f.Heard = a
		return err == nil, nil
	case f.Kind == notified && f.Notified != nil:
		if i.waiting.Swap(true) {
			return false, fmt.Errorf("%w: a second event before the first was taken", errSpeaks)
		}
		n, err := f.Notified.unpack().Recheck()
		if err != nil { // it would wait for its turn to be over, and there is nobody to take it
			return false, fmt.Errorf("%w: %w", errSpeaks, err)
		}
		f.Notified = pack(n)
		return true, nil
	}
	return false, fmt.Errorf("%w: a frame %q", errSpeaks, upnp.Text(string(f.Kind)))
}

// pace waits until so many bytes may have come.
func (i *intake) pace(ctx context.Context, n int) error {
	now := time.Now()
	i.left, i.at = min(frameBurst, i.left+now.Sub(i.at).Seconds()*frameRate), now
	if i.left -= float64(n); i.left >= 0 {
		return nil
	}
	select {
	case <-time.After(time.Duration(-i.left / frameRate * float64(time.Second))):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// counter counts what is read.
type counter struct {
	io.Reader
	n int
}

// Read implements io.Reader.
func (c *counter) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.n += n
	return n, err
}
