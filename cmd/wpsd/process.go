package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"wpsd/service"
	"wpsd/service/state"
)

// keepSecrets sees to it that keys do not reach the disk in a core dump, nor another process of the
// same user by way of ptrace or /proc/PID/mem.
func keepSecrets() error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("switching core dumps off: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("switching core dumps off: %w", err)
	}
	return nil
}

// smallPages keeps the kernel from giving us memory in pages of 2 MiB, as Debian's does to
// everybody (transparent_hugepage/enabled is "always"). Of a heap of half a MiB 4 were resident,
// and stayed: khugepaged puts together again what releaseMemory gives back. A kernel that refuses
// has none. The heap's first page is there before main; for that one the units have
// GODEBUG=disablethp=1, which without a unit is nobody's: 2 MiB more.
func smallPages() { _ = unix.Prctl(unix.PR_SET_THP_DISABLE, 1, 0, 0, 0) }

// releaseMemory gives back to the system what a session has left behind. Not what starting has: that
// is less than what a first collection takes for itself, and without one Go makes none every two
// minutes.
func releaseMemory() { debug.FreeOSMemory() }

// releaseAfter is how long after the last session its memory is given back. The next one is often
// days away; but where devices are let in one after the other, to take it back in between costs as
// much as a third of a run.
const releaseAfter = time.Minute

// followSessions keeps systemd informed until ctx ends, and calls releaseMemory after sessions.
func followSessions(ctx context.Context, svc *service.Service, line *statusLine) {
	release := time.AfterFunc(time.Hour, releaseMemory)
	release.Stop() // until the first session has ended
	defer release.Stop()
	for ctx.Err() == nil {
		first, sub := svc.Published().Subscribe()
		err := takeEvents(ctx, sub, newStatus(first, line), release)
		sub.Close()
		if !errors.Is(err, state.ErrSubscriberTooSlow) {
			return
		}
	}
}

const (
	// erSettled is for how long an External Registrar has to be quiet before what finding access
	// points, or a flood of events, has left behind is given back.
	erSettled = 10 * time.Second
	// erFlood is how many events of devices make a flood: a few now and then are usual, and leave
	// nothing behind.
	erFlood = 256
)

// takeEvents takes events until there is an error.
func takeEvents(ctx context.Context, sub *state.Subscription, st *status,
	release *time.Timer) error {
	var events atomic.Int32 // of devices, since memory was given back
	settled := time.AfterFunc(time.Hour, func() {
		events.Store(0)
		releaseMemory()
	})
	settled.Stop()
	defer settled.Stop()
	for {
		event, err := sub.Next(ctx)
		if err != nil {
			return err
		}
		st.apply(event)
		switch event.(type) {
		case state.SessionEnded:
			release.Reset(releaseAfter)
		case state.ERAPAdded, state.ERAPRemoved:
			settled.Reset(erSettled)
		case state.ERAPChanged, state.EREnrolleeAdded, state.EREnrolleeChanged,
			state.EREnrolleeRemoved:
			if events.Add(1) >= erFlood {
				settled.Reset(erSettled)
			}
		}
	}
}
