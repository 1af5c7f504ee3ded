package agents

import (
	"slices"
	"time"
)

const (
	// KeepTime is how long a credential waits for an agent that takes it. It waits in memory:
	// with external processing nothing is written to a disk, so the end of the daemon is its end,
	// too.
	KeepTime = 24 * time.Hour
	// MaxWaiting bounds how many wait; for one more the oldest goes.
	MaxWaiting = 64
)

// pendingCredential is a credential for agents.
type pendingCredential struct {
	Delivery
	taken bool // by one agent at least
	// agents that are to get it, and when; zero: at once and for the first time
	due    map[*agent]time.Time
	expire *time.Timer
}

// pendingCredentials are those that not all agents have got, or none has taken, oldest first.
// Registry.mu guards them.
type pendingCredentials struct{ list []*pendingCredential }

// add keeps one more and returns the one that it had to drop for it.
func (l *pendingCredentials) add(k *pendingCredential) (dropped *pendingCredential) {
	if len(l.list) >= MaxWaiting {
		dropped = l.list[0]
		// Rather one that somebody has already.
		if i := slices.IndexFunc(l.list, func(k *pendingCredential) bool { return k.taken }); i >= 0 {
			dropped = l.list[i]
		}
		l.remove(dropped)
	}
	l.list = append(l.list, k)
	return dropped
}

// remove removes one and overwrites its secrets. It reports whether it was there.
func (l *pendingCredentials) remove(k *pendingCredential) bool {
	i := slices.Index(l.list, k)
	if i < 0 {
		return false
	}
	l.list = slices.Delete(l.list, i, i+1)
	if k.expire != nil {
		k.expire.Stop()
	}
	k.Network.Wipe()
	return true
}

// offerAll lets a new agent have what nobody took.
func (l *pendingCredentials) offerAll(a *agent) {
	for _, k := range l.list {
		if !k.taken {
			k.due[a] = time.Time{}
		}
	}
}

// next returns the first that is due for an agent by now, or else when the next one will be; zero:
// none.
func (l *pendingCredentials) next(a *agent, now time.Time) (k *pendingCredential, later time.Time) {
	for _, k := range l.list {
		at, ok := k.due[a]
		switch {
		case !ok:
		case !at.After(now):
			return k, time.Time{}
		case later.IsZero() || at.Before(later):
			later = at
		}
	}
	return nil, later
}

// took notes that an agent has it. Those that refused it before need not be asked again.
func (l *pendingCredentials) took(a *agent, k *pendingCredential) {
	k.taken = true
	delete(k.due, a)
	for other, at := range k.due {
		if !at.IsZero() {
			delete(k.due, other)
		}
	}
	l.removeIfDone(k)
}

// refused notes that an agent could not take it, and reports whether it will be asked again: until
// somebody has it.
func (l *pendingCredentials) refused(a *agent, k *pendingCredential, again time.Time) bool {
	if k.taken {
		delete(k.due, a)
		l.removeIfDone(k)
		return false
	}
	k.due[a] = again
	return true
}

// removeAgent removes what an agent would have got.
func (l *pendingCredentials) removeAgent(a *agent) {
	for _, k := range slices.Clone(l.list) {
		delete(k.due, a)
		l.removeIfDone(k)
	}
}

// removeIfDone removes one that was taken and offered to all.
func (l *pendingCredentials) removeIfDone(k *pendingCredential) {
	if k.taken && len(k.due) == 0 {
		l.remove(k)
	}
}

// untaken counts those that nobody took.
func (l *pendingCredentials) untaken() int {
	n := 0
	for _, k := range l.list {
		if !k.taken {
			n++
		}
	}
	return n
}

// wipe removes all.
func (l *pendingCredentials) wipe() {
	for _, k := range slices.Clone(l.list) {
		l.remove(k)
	}
}
