package service

import (
	"context"
	"log/slog"
	"sync"

	"wpsd/service/fence"
	"wpsd/service/state"
)

// life is from when to when a Service runs, and what runs meanwhile. Service.mu guards what changes.
type life struct {
	ready   chan struct{}   // closed once the interfaces were listed for the first time
	ctx     context.Context // of Run; nil before
	closing bool
	tasks   sync.WaitGroup
	rest    rest // how it lets the machine sleep
}

// over says why nothing may begin; nil: it may.
func (l *life) over() error {
	if l.closing || l.ctx == nil {
		return state.ErrShutdown
	}
	return nil
}

// begin starts a task that shutDown waits for.
func (l *life) begin(log *slog.Logger, task func()) error {
	if err := l.over(); err != nil {
		return err
	}
	l.tasks.Go(fence.Func(log, "a task of the service", task, nil))
	return nil
}
