package service

import (
	"slices"
	"time"
)

const (
	// keepUntaken is how long a credential waits for an agent that takes it. It waits in memory:
	// with external processing nothing is written to a disk, so the end of the daemon is its end,
	// too.
	keepUntaken = 24 * time.Hour
	// maxKept bounds how many wait; for one more the oldest goes.
	maxKept = 64
)

// keptCredential is a credential for agents.
type keptCredential struct {
	Delivery
	taken bool // by one agent at least
	// agents that are to get it, and when; zero: at once and for the first time
	due    map[*agent]time.Time
	expire *time.Timer
}

// keptCredentials are those that not all agents have got, or none has taken, oldest first.
// Service.mu guards them.
type keptCredentials struct{ list []*keptCredential }

// add keeps one more and returns the one that it had to drop for it.
func (l *keptCredentials) add(k *keptCredential) (dropped *keptCredential) {
	if len(l.list) >= maxKept {
		dropped = l.list[0]
		// Rather one that somebody has already.
		if i := slices.IndexFunc(l.list, func(k *keptCredential) bool { return k.taken }); i >= 0 {
			dropped = l.list[i]
		}
		l.remove(dropped)
	}
	l.list = append(l.list, k)
	return dropped
}

// remove forgets one and overwrites its secrets. It reports whether it was there.
func (l *keptCredentials) remove(k *keptCredential) bool {
	i := slices.Index(l.list, k)
	if i < 0 {
		return false
	}
	l.list = slices.Delete(l.list, i, i+1)
	if k.expire != nil {
		k.expire.Stop()
	}
	wipeNetwork(k.Network)
	return true
}

// offerAll lets a new agent have what nobody took.
func (l *keptCredentials) offerAll(a *agent) {
	for _, k := range l.list {
		if !k.taken {
			k.due[a] = time.Time{}
		}
	}
}

// next returns the first that is due for an agent by now, or else when the next one will be; zero:
// none.
func (l *keptCredentials) next(a *agent, now time.Time) (k *keptCredential, later time.Time) {
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
func (l *keptCredentials) took(a *agent, k *keptCredential) {
	k.taken = true
	delete(k.due, a)
	for other, at := range k.due {
		if !at.IsZero() {
			delete(k.due, other)
		}
	}
	l.settle(k)
}

// refused notes that an agent could not take it, and reports whether it will be asked again: until
// somebody has it.
func (l *keptCredentials) refused(a *agent, k *keptCredential, again time.Time) bool {
	if k.taken {
		delete(k.due, a)
		l.settle(k)
		return false
	}
	k.due[a] = again
	return true
}

// forgetAgent forgets what an agent would have got.
func (l *keptCredentials) forgetAgent(a *agent) {
	for _, k := range slices.Clone(l.list) {
		delete(k.due, a)
		l.settle(k)
	}
}

// settle forgets one that was taken and offered to all.
func (l *keptCredentials) settle(k *keptCredential) {
	if k.taken && len(k.due) == 0 {
		l.remove(k)
	}
}

// untaken counts those that nobody took.
func (l *keptCredentials) untaken() int {
	n := 0
	for _, k := range l.list {
		if !k.taken {
			n++
		}
	}
	return n
}

// wipe forgets all.
func (l *keptCredentials) wipe() {
	for _, k := range slices.Clone(l.list) {
		l.remove(k)
	}
}
