// Package radio lets one of us use a network interface at a time, and gives it back as it was. Who
// else of the machine uses it is lending's business.
package radio

import (
	"context"
	"log/slog"
	"sync"

	"wpsd/drivers"
)

// Turn is taken by whoever has an interface's Station: a value is in it meanwhile.
type Turn chan struct{}

// With waits for whoever is just giving the interface back, and runs use: nobody else of us has it
// then. An error of its own is why ctx ended.
func (t Turn) With(ctx context.Context, use func() error) error {
	select {
	case t <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-t }()
	return use()
}

// Turns are those of all interfaces, also while one goes and comes back under the same name. The
// zero value is ready to use, and its methods are safe for concurrent use.
type Turns struct {
	mu    sync.Mutex
	named map[string]Turn
}

// Of gives the turn of an interface.
func (t *Turns) Of(ifname string) Turn {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.named == nil {
		t.named = make(map[string]Turn)
	}
	turn := t.named[ifname]
	if turn == nil {
		turn = make(Turn, 1)
		t.named[ifname] = turn
	}
	return turn
}

// Use opens an interface, or one of our own beside it, and runs use. It is closed before Use
// returns, whatever happened. The caller has the turn.
func Use(ctx context.Context, log *slog.Logger, d drivers.Driver, ifname string, apart bool,
	use func(drivers.Station) error) error {
	open := d.Station
	if apart {
		open = d.StationApart
	}
	station, err := open(ctx, ifname)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := station.Close(); closeErr != nil {
			log.Warn("the interface could not be given back as it was", "interface", ifname,
				"err", closeErr)
		}
	}()
	return use(station)
}
