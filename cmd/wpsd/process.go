package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"golang.org/x/sys/unix"

	"wpsd/service"
)

// keepSecrets sees to it that keys do not reach the disk in a core dump, nor another process of the same user by way
// of ptrace or /proc/PID/mem.
func keepSecrets() error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("switching core dumps off: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("switching core dumps off: %w", err)
	}
	return nil
}

// releaseMemory gives back to the system what starting, or a session, has left behind.
func releaseMemory() { debug.FreeOSMemory() }

// releaseAfterSessions calls releaseMemory whenever a session has ended, until ctx ends: the next one is often days away.
func releaseAfterSessions(ctx context.Context, svc *service.Service) {
	for ctx.Err() == nil {
		_, sub := svc.Subscribe()
		err := followSessions(ctx, sub)
		sub.Close()
		if !errors.Is(err, service.ErrSubscriberTooSlow) {
			return
		}
	}
}

// followSessions takes events until there is an error.
func followSessions(ctx context.Context, sub *service.Subscription) error {
	for {
		event, err := sub.Next(ctx)
		if err != nil {
			return err
		}
		if _, ended := event.(service.SessionEnded); ended {
			releaseMemory()
		}
	}
}
