package external

import (
	"sync"
	"time"

	"wpsd/engine/devpass"
	"wpsd/engine/er"
	"wpsd/engine/registration"
	"wpsd/engine/wsc"
	"wpsd/service/session"
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
	tag *erTag
}

// erTag is the tag of an access point in a run with it. The goroutine of the External Registrar
// owns it.
type erTag struct {
	room *Registrars
	used devpass.Password // a copy: a tag that is read meanwhile may take the kept one's place
}

// find implements er.TagFinder.
func (t *erTag) find(_ time.Time, id wsc.DevicePasswordID, _ [20]byte) (registration.Token, bool) {
	password, hash, ok := t.room.tags.TokenOf(id)
	if !ok {
		return registration.Token{}, false
	}
	t.used.Wipe()
	t.used = password
	return registration.Token{Password: password, EnrolleeKeyHash: &hash}, true
}

// over ends the use of the tag. A tag's password is for one run that succeeds.
func (t *erTag) over(succeeded bool) {
	if succeeded && t.used.ID != 0 {
		t.room.tags.UsedUp(t.used.ID)
	}
	t.used.Wipe()
}
