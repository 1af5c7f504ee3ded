package er

import (
	"container/heap"
	"container/list"
	"net/netip"
	"slices"
	"time"

	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
)

// registry is who is there, by all that one is found by, and what is published of that.
//
// It is the lowest of the layers that a Registrar is made of. Each embeds the one below it and
// knows none above: registry, dispatcher (whose request goes next), identities (who is who), runs
// (of the Registration Protocol), Registrar (who is still there, and what is done about what
// arrives).
type registry struct {
	running   bool
	actions   []Action // of the call under way
	lastAP    APID
	aps       map[APID]*ap
	hosts     map[netip.Addr]*host
	bySID     map[subscriber]*ap
	byUUID    map[wsc.UUID][]*ap // those whose description was read
	lists     [3]*list.List      // of *ap by rank: the longest silent first
	leaving   map[*ap]struct{}   // no longer ours, but there is something to say to them
	enrollees *list.List         // of *enrollee, the longest silent first
	timers    timers
	search    search
}

// clear forgets everybody but those that are leaving.
func (r *registry) clear() {
	r.aps = make(map[APID]*ap)
	r.hosts = make(map[netip.Addr]*host)
	r.bySID = make(map[subscriber]*ap)
	r.byUUID = make(map[wsc.UUID][]*ap)
	for i := range r.lists {
		r.lists[i] = list.New()
	}
	r.enrollees, r.timers = list.New(), nil
	if r.leaving == nil {
		r.leaving = make(map[*ap]struct{})
	}
}

// enter makes an entry for a device that nothing is known about but an announcement.
func (r *registry) enter(now time.Time, h *host, n upnp.Announcement) *ap {
	r.lastAP++
	a := &ap{host: h, alarm: alarm{index: -1}, outbox: outbox{want: bringUp},
		identity: identity{names: []wsc.UUID{n.UUID}},
		AP:       AP{ID: r.lastAP, UUID: n.UUID, Addr: n.From, LastSeen: now}}
	a.announced(now, n)
	h.aps = append(h.aps, a)
	r.aps[a.ID] = a
	return a
}

// hostAt finds or makes the entry of an address.
func (r *registry) hostAt(addr netip.Addr) *host {
	h := r.hosts[addr]
	if h == nil {
		h = &host{addr: addr}
		r.hosts[addr] = h
	}
	return h
}

// extract takes an access point out of all tables but those of its subscription and its UUID.
func (r *registry) extract(a *ap) {
	delete(r.aps, a.ID)
	r.search.stopAwaiting(&a.liveness)
	r.lists[a.rank].Remove(a.place)
	if a.index >= 0 {
		heap.Remove(&r.timers, a.index)
	}
	a.host.aps = slices.DeleteFunc(a.host.aps, func(o *ap) bool { return o == a })
	r.releaseHost(a.host)
}

// releaseHost forgets an address that has no access point and no request under way.
func (r *registry) releaseHost(h *host) {
	if len(h.aps) == 0 && h.busy == 0 && r.hosts[h.addr] == h {
		delete(r.hosts, h.addr)
	}
}

// enlist moves an access point to the list it belongs into now. If that is too full it returns the
// one that was silent the longest.
func (r *registry) enlist(a *ap, to rank) *ap {
	if a.place != nil {
		r.lists[a.rank].Remove(a.place)
	}
	a.rank = to
	a.place = r.lists[to].PushBack(a)
	if r.lists[to].Len() <= bounds[to] {
		return nil
	}
	oldest := r.lists[to].Front().Value.(*ap)
	for e := r.lists[to].Front(); e != nil && oldest.run != nil; e = e.Next() {
		oldest = e.Value.(*ap) // one that is being learned is not silent, merely not heard
	}
	return oldest
}

// isLeaving reports whether an access point is no longer ours and still has something to hear.
func (r *registry) isLeaving(a *ap) bool {
	_, leaves := r.leaving[a]
	return leaves
}

// unsubscribed notes that a subscription is lost, and reports whether there was one.
func (r *registry) unsubscribed(a *ap) bool {
	if a.sid == "" {
		return false
	}
	if key := (subscriber{a.Addr, a.sid}); r.bySID[key] == a {
		delete(r.bySID, key)
	}
	a.sid, a.Subscribed = "", false
	a.renewAt, a.selectAt = time.Time{}, time.Time{}
	a.want &^= wantRenew | wantSelect
	return true
}

// arm puts an access point where it belongs in the heap after something about it changed.
func (r *registry) arm(a *ap) {
	if r.aps[a.ID] == a {
		r.timers.set(a, a.nextWake())
	}
}

func (r *registry) publish(e Event) { r.actions = append(r.actions, Tell{e}) }

// publishAP publishes an access point: that it is there, or that it changed.
func (r *registry) publishAP(a *ap) {
	if a.published {
		r.publishChange(a)
		return
	}
	a.published = true
	r.publish(APAdded{a.snapshot()})
}

// publishChange publishes what became of an access point, if it was published itself.
func (r *registry) publishChange(a *ap) {
	if a.published {
		r.publish(APChanged{a.snapshot()})
	}
}

// watched reports whether an access point is to answer searches.
func (a *ap) watched() bool { return a.published && a.sid != "" && !a.Dropped && a.doubt == 0 }

// searchNow searches, and notes when to search again and whose answers are awaited.
func (r *registry) searchNow(now time.Time, self wsc.UUID) {
	r.actions = append(r.actions, Search{})
	s := &r.search
	if s.repeats < len(searchAgain) {
		s.at = now.Add(searchAgain[s.repeats])
		s.repeats++
		return
	}
	s.awaited = 0
	for _, a := range r.aps {
		if a.awaited = a.watched() && !now.Before(a.excusedUntil); a.awaited {
			s.awaited++
		}
	}
	s.at = s.next(now, r.lists[proven].Len(), self)
}

// sorted gives all access points in the order in which they came.
func (r *registry) sorted() []*ap {
	all := make([]*ap, 0, len(r.aps))
	for _, a := range r.aps {
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b *ap) int { return int(int64(a.ID) - int64(b.ID)) })
	return all
}

// announcer finds who announces itself: by UUID, else by where the description is.
func (r *registry) announcer(n upnp.Announcement) *ap {
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
func (r *registry) seen(now time.Time, a *ap) {
	a.LastSeen = now
	r.search.answered(&a.liveness)
	r.lists[a.rank].MoveToBack(a.place)
}
