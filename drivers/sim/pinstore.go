package sim

import (
	"slices"
	"time"

	"wpsd/engine/secret"
	"wpsd/engine/wsc"
)

// PINGrant lets the Enrollee with this PIN in.
type PINGrant struct {
	PIN     secret.Value
	UUID    wsc.UUID      // of the Enrollee; zero: any (a wildcard PIN)
	MAC     wsc.MAC       // what AuthorizedMACs says; zero: anybody (the broadcast address)
	Timeout time.Duration // 0: for ever
}

// pinEntry is a PIN in the store.
type pinEntry struct {
	pin      secret.Value
	uuid     wsc.UUID
	wildcard bool
	uses     int // runs that a wildcard PIN was given to
	mac      wsc.MAC
	expires  time.Time // zero: never
	locked   bool      // a run uses it
}

// maxWildcardUses is how many runs a wildcard PIN is good for (hostap behaviour): a typing error of
// one run costs one.
const maxWildcardUses = 2

// pinStore are the PINs that a Registrar knows, with hostap's rules of use. They make guessing a
// PIN half by half impossible: once a run has shown that the first half is right, the PIN is spent.
type pinStore struct {
	entries []*pinEntry
}

// add puts a PIN in. Only one wildcard PIN that was not used yet can wait: a newer one replaces it.
func (s *pinStore) add(now time.Time, g PINGrant) *pinEntry {
	s.expire(now)
	e := &pinEntry{pin: g.PIN.Clone(), uuid: g.UUID, wildcard: g.UUID == wsc.UUID{}, mac: g.MAC}
	if e.mac.IsZero() {
		e.mac = wsc.Broadcast
	}
	if g.Timeout > 0 {
		e.expires = now.Add(g.Timeout)
	}
	if e.wildcard {
		s.entries = slices.DeleteFunc(s.entries, func(o *pinEntry) bool {
			return o.wildcard && o.uses == 0
		})
	} else {
		s.entries = slices.DeleteFunc(s.entries, func(o *pinEntry) bool {
			return !o.wildcard && o.uuid == e.uuid
		})
	}
	s.entries = append(s.entries, e)
	return e
}

// take finds the PIN for an Enrollee and locks it for the run: one of its own first, else a
// wildcard.
func (s *pinStore) take(now time.Time, uuid wsc.UUID) *pinEntry {
	s.expire(now)
	found := s.find(func(e *pinEntry) bool { return !e.wildcard && e.uuid == uuid })
	if found == nil {
		found = s.find(func(e *pinEntry) bool { return e.wildcard && e.uses < maxWildcardUses })
	}
	if found == nil || found.locked {
		return nil
	}
	found.locked = true
	if found.wildcard {
		found.uses++
		found.uuid = uuid
	}
	return found
}

func (s *pinStore) find(ok func(*pinEntry) bool) *pinEntry {
	if i := slices.IndexFunc(s.entries, ok); i >= 0 {
		return s.entries[i]
	}
	return nil
}

// release ends the use of a PIN by a run. A run that came as far as M6 has shown both halves of the
// PIN's proof, or told which half is wrong: whether it succeeded or not, the PIN is spent. It
// reports whether the PIN is gone.
func (s *pinStore) release(e *pinEntry, success, revealed bool) bool {
	e.locked = false
	if !success && !revealed && (!e.wildcard || e.uses < maxWildcardUses) {
		return false
	}
	s.entries = slices.DeleteFunc(s.entries, func(o *pinEntry) bool { return o == e })
	return true
}

// clear empties the store but for PINs in use.
func (s *pinStore) clear() {
	s.entries = slices.DeleteFunc(s.entries, func(e *pinEntry) bool { return !e.locked })
}

func (s *pinStore) expire(now time.Time) {
	s.entries = slices.DeleteFunc(s.entries, func(e *pinEntry) bool {
		return !e.locked && !e.expires.IsZero() && !now.Before(e.expires)
	})
}
