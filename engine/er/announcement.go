package er

import (
	"slices"
	"time"

	"wpsd/engine/upnp"
)

// Heard takes an announcement.
func (r *Registrar) Heard(now time.Time, n upnp.Announcement) []Action {
	if !r.running || !n.From.IsValid() || r.only.IsValid() && n.From != r.only {
		return nil
	}
	r.onAnnouncement(now, n)
	return r.done(now)
}

func (r *Registrar) onAnnouncement(now time.Time, n upnp.Announcement) {
	a := r.announcer(n)
	switch {
	case n.Kind == upnp.Byebye:
		r.onByebye(now, n)
	case n.Kind != upnp.Alive && n.Kind != upnp.Answer || n.Location.IsZero() || n.MaxAge <= 0:
	case a == nil:
		if a = r.add(now, n); a != nil {
			r.pump(now, a)
		}
	default:
		r.onAlive(now, a, n)
	}
}

// add makes an entry for a device that was not known; nil: there is no room for it.
func (r *Registrar) add(now time.Time, n upnp.Announcement) *ap {
	if r.returnsTooOften(now, n.From) {
		return nil
	}
	h := r.hostAt(n.From)
	if len(h.aps) >= maxPerHost && !r.makeRoom(now, h) {
		return nil
	}
	a := r.enter(now, h, n)
	r.rerank(now, a, stranger)
	return a
}

// makeRoom takes one entry away from an address that announces ever new ones: never one that
// answered.
func (r *Registrar) makeRoom(now time.Time, h *host) bool {
	for _, a := range h.aps {
		if a.rank != proven {
			r.remove(now, a, Evicted)
			return true
		}
	}
	return false
}

// onAlive takes that an access point is still there, or has another description.
func (r *Registrar) onAlive(now time.Time, a *ap, n upnp.Announcement) {
	r.seen(now, a)
	switch {
	case a.doubt != 0:
		n.Location = copyURL(n.Location)
		a.meanwhile = &n
		return
	case a.Dropped && !now.Before(a.askAgainAt) && a.busy == nil:
		// Once more from the start. It stays Dropped until it is known to be well.
		a.askAgainAt = now.Add(backoff(time.Minute, a.refusals+1, 15*time.Minute))
		a.announced(now, n)
		a.want |= bringUp
	case a.Location == n.Location || a.Dropped || a.rank == stranger:
	case now.Before(a.askAgainAt):
		return
	default:
		n.Location = copyURL(n.Location)
		a.meanwhile = &n
		r.doubt(now, a, Replaced)
		r.pump(now, a)
		return
	}
	a.maxAge, a.Expires = n.MaxAge, now.Add(n.MaxAge)
	if n.Kind == upnp.Alive && a.sid != "" && !a.Dropped &&
		now.Sub(a.confirmed) >= max(a.maxAge/4, time.Minute) {
		// Not all say goodbye first when they are switched on again. A device announces itself
		// about twice within its maximum age, so this takes the place of the renewal that would be
		// due soon.
		a.want |= wantRenew
	}
	r.pump(now, a)
}

// onByebye asks whether an access point really goes. Without a UUID all of its address are meant
// (hostap goes by the address alone).
func (r *Registrar) onByebye(now time.Time, n upnp.Announcement) {
	h := r.hosts[n.From]
	if h == nil {
		return
	}
	for _, a := range slices.Clone(h.aps) {
		if n.HasUUID && !a.isNamed(n.UUID) || now.Before(a.askAgainAt) && !a.Dropped {
			continue
		}
		if a.rank == stranger && a.busy != nil {
			continue // just announced: hostapd says goodbye for the time before its start first
		}
		r.doubt(now, a, Byebye)
		r.pump(now, a)
	}
}
