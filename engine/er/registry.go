package er

import (
	"slices"
	"time"

	"wpsd/engine/upnp"
)

func (r *Registrar) tell(e Event) { r.out = append(r.out, Tell{e}) }

// say tells of an access point: that it is there, or that it changed.
func (r *Registrar) say(a *ap) {
	if a.told {
		r.changed(a)
		return
	}
	a.told = true
	r.tell(APAdded{a.snapshot()})
}

func (r *Registrar) changed(a *ap) {
	if a.told {
		r.tell(APChanged{a.snapshot()})
	}
}

// sorted gives all access points in the order in which they came.
func (r *Registrar) sorted() []*ap {
	all := make([]*ap, 0, len(r.aps))
	for _, a := range r.aps {
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b *ap) int { return int(int64(a.ID) - int64(b.ID)) })
	return all
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

// seen notes that an access point was heard.
func (r *Registrar) seen(now time.Time, a *ap) {
	a.LastSeen = now
	r.answeredSearch(a)
	r.lists[a.rank].MoveToBack(a.place)
}
