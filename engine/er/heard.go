package er

import (
	"slices"
	"time"

	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
)

// calmTime is for how long an access point that said it is there is not asked again, whatever is
// announced of it.
const calmTime = 10 * time.Second

// Heard takes an announcement.
func (r *Registrar) Heard(now time.Time, n upnp.Announcement) []Action {
	if !r.running || !n.From.IsValid() || r.only.IsValid() && n.From != r.only {
		return nil
	}
	r.heard(now, n)
	return r.done(now)
}

func (r *Registrar) heard(now time.Time, n upnp.Announcement) {
	a := r.announcer(n)
	switch {
	case n.Kind == upnp.Byebye:
		r.byebye(now, n)
	case n.Kind != upnp.Alive && n.Kind != upnp.Answer || n.Location.IsZero() || n.MaxAge <= 0:
	case a == nil:
		if a = r.add(now, n); a != nil {
			r.pump(now, a)
		}
	default:
		r.alive(now, a, n)
	}
}

// announcer finds who announces himself: by UUID, else by where the description is.
func (r *Registrar) announcer(n upnp.Announcement) *ap {
	h := r.hosts[n.From]
	if h == nil {
		return nil
	}
	for _, a := range h.aps {
		if n.HasUUID && a.isNamed(n.UUID) || !n.HasUUID && a.Location == n.Location {
			return a
		}
	}
	return nil
}

// isNamed reports whether an announcement with this UUID is an access point's.
func (a *ap) isNamed(u wsc.UUID) bool { return a.UUID == u || slices.Contains(a.names, u) }

// maxNames is how many UUIDs one description may be announced under: a router's root device has
// one, its WFADevice another.
const maxNames = 4

// alive takes that an access point is still there, or has another description.
func (r *Registrar) alive(now time.Time, a *ap, n upnp.Announcement) {
	r.seen(now, a)
	switch {
	case a.doubt != 0:
		n.Location = copyURL(n.Location)
		a.again = &n
		return
	case a.Dropped && !now.Before(a.calm) && a.busy == nil:
		// Once more from the start. It stays Dropped until it is known to be well.
		a.calm = now.Add(backoff(time.Minute, a.refusals+1, 15*time.Minute))
		r.announced(now, a, n)
		a.want |= bringUp
	case a.Location == n.Location || a.Dropped || a.rank == stranger:
	case now.Before(a.calm):
		return
	default:
		n.Location = copyURL(n.Location)
		a.again = &n
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

// byebye asks whether an access point really goes. Without a UUID all of its address are meant
// (hostap goes by the address alone).
func (r *Registrar) byebye(now time.Time, n upnp.Announcement) {
	h := r.hosts[n.From]
	if h == nil {
		return
	}
	for _, a := range append([]*ap(nil), h.aps...) {
		if n.HasUUID && !a.isNamed(n.UUID) || now.Before(a.calm) && !a.Dropped {
			continue
		}
		if a.rank == stranger && a.busy != nil {
			continue // just announced: hostapd says goodbye for the time before its start first
		}
		r.doubt(now, a, Byebye)
		r.pump(now, a)
	}
}

// doubt asks an access point whether it is still there. One that was not told yet, or is not used,
// is believed to be gone.
func (r *Registrar) doubt(now time.Time, a *ap, why Reason) {
	switch {
	case a.doubt != 0:
		a.Expires = now.Add(time.Minute) // it still waits for its turn
	case !a.told || a.Dropped:
		again := a.again
		r.remove(now, a, why)
		if again != nil {
			r.heard(now, *again)
		}
	default:
		a.doubt = why
		if a.want |= wantRenew; a.sid == "" {
			a.want = a.want&^wantRenew | wantInfo
		}
		a.Expires = now.Add(time.Minute) // it will be known by then
		a.retryAt = time.Time{}
		r.arm(a)
	}
}

// settle ends a doubt.
func (r *Registrar) settle(now time.Time, a *ap, there bool) {
	why, again := a.doubt, a.again
	a.doubt, a.again = 0, nil
	if !there {
		r.remove(now, a, why)
		if again != nil {
			r.heard(now, *again)
		}
		return
	}
	a.calm = now.Add(calmTime)
	r.answers(now, a)
	if again != nil {
		a.maxAge = again.MaxAge
	}
	a.Expires = now.Add(max(a.maxAge, time.Minute))
}
