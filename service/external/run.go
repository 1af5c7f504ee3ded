package external

import (
	"sync"
	"time"

	"wpsd/engine/devpass"
	"wpsd/engine/er"
	"wpsd/service/session"
	"wpsd/service/tags"
)

// erRun is a run of the engine and its session.
type erRun struct {
	session  *session.Running
	deadline time.Time
	cause    error // why we ended it; nil: we have not
}

// fail notes why we end a run. The first cause counts.
func (r *erRun) fail(cause error) {
	if r.cause == nil {
		r.cause = cause
	}
}

// canceledRun is a run that is to end.
type canceledRun struct {
	run   er.RunID
	cause error
}

// cancellations are the runs that somebody wants to end, for the loop to end them: who cancels holds
// locks that the loop may wait for.
type cancellations struct {
	mu   sync.Mutex
	list []canceledRun
}

func (c *cancellations) add(run canceledRun) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, run)
}

// take empties the list.
func (c *cancellations) take() []canceledRun {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := c.list
	c.list = nil
	return list
}

// erProof is by what an access point lets itself be managed: its PIN, or its tag.
type erProof struct {
	pin devpass.Password
	tag *tags.Use
}
