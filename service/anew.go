package service

import (
	"context"
	"errors"
	"time"

	"wpsd/engine/credential"
)

// giveWay ends the session that runs on an interface for another one, if it may: a hand-over goes
// on without it, everything else only if that was asked for. The caller holds Service.mu.
func (i *iface) giveWay(anew bool) error {
	if i.session == nil {
		return nil
	}
	return i.session.GiveWay(anew)
}

// keepTime is how long a manager has at least to take a network, also if another session wants the
// interface already.
const keepTime = 2 * time.Second

// keeping gives a context for a hand-over, which ends as ctx does. If the next session ends it, the
// manager keeps the network; it has keepTime for taking it.
func keeping(ctx context.Context) (context.Context, context.CancelFunc) {
	within, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	began := time.Now()
	stop := context.AfterFunc(ctx, func() {
		if errors.Is(context.Cause(ctx), credential.ErrKeep) {
			_ = pause(within, keepTime-time.Since(began))
		}
		cancel(context.Cause(ctx))
	})
	return within, func() {
		stop()
		cancel(nil)
	}
}
