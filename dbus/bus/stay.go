package bus

import (
	"context"
	"log/slog"
	"time"
)

// again is how long to wait before a connection that was lost is made again: the first times, and
// then for ever.
var again = []time.Duration{time.Second, 2 * time.Second, 5 * time.Second, 15 * time.Second,
	time.Minute}

// settled is how long a connection has to last to count as one that works.
const settled = time.Minute

// Stay has a conversation on a connection of its own, and begins anew on another one whenever that
// is lost, also if the bus is started anew, until ctx ends. talk ends with ctx, or when the
// connection is Done; what else it fails with is tried again as well.
func Stay(ctx context.Context, address string, o Options, log *slog.Logger,
	talk func(ctx context.Context, c *Conn) error) error {
	for tries := 0; ; tries++ {
		began := time.Now()
		c, err := Dial(address, o)
		if err == nil {
			err = talk(ctx, c)
			_ = c.Close()
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if time.Since(began) > settled {
			tries = 0
		}
		wait := again[min(tries, len(again)-1)]
		log.Warn("a connection to the bus is made anew", "in", wait, "err", err)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
