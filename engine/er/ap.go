package er

import (
	"container/heap"
	"container/list"
	"net/netip"
	"slices"
	"strings"
	"time"

	"wpsd/engine/admission"
	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
)

// rank says in which list an access point is.
type rank uint8

const (
	stranger rank = iota // announced, and did not answer yet
	proven               // answered
	dropped              // misbehaves
)

var bounds = [...]int{stranger: maxStrangers, proven: maxAPs, dropped: maxDropped}

// work is what is to be asked of an access point when it is its turn. The lowest bit goes first.
type work uint8

const (
	wantDescription work = 1 << iota
	wantInfo             // GetDeviceInfo
	wantSubscribe
	wantSelect // SetSelectedRegistrar
	wantRenew
	wantUnsubscribe
)

// isThere is what an access point answers only if it is there: the second and the third if it is
// not subscribed to.
const isThere = wantRenew | wantInfo | wantSubscribe

// bringUp is all that a new access point is asked.
const bringUp = wantDescription | wantInfo | wantSubscribe

// ap is an access point, and all that goes on with it.
type ap struct {
	AP
	host  *host
	rank  rank
	place *list.Element // in the list of its rank
	index int           // in the heap; -1: not there
	wake  time.Time
	told  bool
	// the access points that have to answer before this one is subscribed to; see verify
	holds []*ap
	// names are the UUIDs of its announcements; the description may have another one.
	names []wsc.UUID

	// Requests.
	want     work
	busy     *call
	queued   bool      // waits for its turn
	retryAt  time.Time // background requests not before
	failures int       // in a row
	outbox   []outgoing

	// Announcements.
	maxAge time.Duration
	doubt  Reason             // why we ask whether it is still there; see question
	again  *upnp.Announcement // what was announced meanwhile
	calm   time.Time          // until then it is not asked again

	// Searches.
	awaited  bool      // its answer to the latest one
	mutes    int       // in a row that it did not answer and was there all the same
	patience time.Time // until then no answer is awaited

	// Subscription.
	sid         string
	renewAt     time.Time
	confirmed   time.Time           // when it last knew our subscription
	noInfo      string              // why it gives no M1
	noEvents    string              // why it does not let us subscribe
	refusals    int                 // of subscriptions in a row
	nonsense    int                 // events in a row that could not be read
	early       []upnp.Notification // that came before the answer to SUBSCRIBE
	selected    []byte              // what SetSelectedRegistrar told last; nil: nobody is selected
	stale       bool                // it is to be told again
	selectAt    time.Time           // when
	selectFails int

	run       *apRun
	enrollees map[wsc.MAC]*enrollee
	stations  map[wsc.MAC]*station
	monitor   *admission.Monitor

	// What is told of it and of what it hears is bounded, since somebody has to listen.
	newcomers  allowance // devices that look for access points
	beginners  allowance // devices that begin to enrol
	changes    allowance // of its status
	toldLocked bool      // SetupLocked as it was told last
	saysLocked bool      // its APStatus has the bit
}

// host is an address. What one does is bounded together.
type host struct {
	addr    netip.Addr
	suspect bool // it did not answer its latest request
	aps     []*ap
	busy    int   // background requests under way
	blocked []*ap // that wait for them
}

// subscriber names a subscription: different devices can give the same SID.
type subscriber struct {
	from netip.Addr
	sid  string
}

// add makes an entry for a device that nothing is known about but an announcement.
func (r *Registrar) add(now time.Time, n upnp.Announcement) *ap {
	if r.flaps(now, n.From) {
		return nil
	}
	h := r.hosts[n.From]
	if h == nil {
		h = &host{addr: n.From}
		r.hosts[n.From] = h
	}
	if len(h.aps) >= maxPerHost && !r.makeRoom(now, h) {
		return nil
	}
	r.lastAP++
	a := &ap{host: h, index: -1, want: bringUp, names: []wsc.UUID{n.UUID},
		AP: AP{ID: r.lastAP, UUID: n.UUID, Addr: n.From, LastSeen: now}}
	r.announced(now, a, n)
	h.aps = append(h.aps, a)
	r.aps[a.ID] = a
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

// announced takes over where the description is and how long that holds. The path is copied: it is
// part of a datagram.
func (r *Registrar) announced(now time.Time, a *ap, n upnp.Announcement) {
	a.Location = copyURL(n.Location)
	a.maxAge = n.MaxAge
	a.Expires = now.Add(n.MaxAge)
}

func copyURL(u upnp.URL) upnp.URL {
	u.Path = strings.Clone(u.Path)
	return u
}

// rerank moves an access point to the list it belongs into now. If that is full, the one that was
// silent the longest goes.
func (r *Registrar) rerank(now time.Time, a *ap, to rank) {
	if a.place != nil {
		r.lists[a.rank].Remove(a.place)
	}
	a.rank = to
	a.place = r.lists[to].PushBack(a)
	if r.lists[to].Len() <= bounds[to] {
		return
	}
	oldest := r.lists[to].Front().Value.(*ap)
	for e := r.lists[to].Front(); e != nil && oldest.run != nil; e = e.Next() {
		oldest = e.Value.(*ap) // one that is being learned is not silent, merely not heard
	}
	if oldest != a {
		r.remove(now, oldest, Evicted)
	}
}

// seen notes that an access point was heard.
func (r *Registrar) seen(now time.Time, a *ap) {
	a.LastSeen = now
	r.answeredSearch(a)
	r.lists[a.rank].MoveToBack(a.place)
}

// remove ends what is left of an access point. One that may still be there is told.
func (r *Registrar) remove(now time.Time, a *ap, why Reason) {
	if r.aps[a.ID] != a {
		return
	}
	r.endAPRun(now, a, ErrAPGone)
	for _, s := range a.stationsInOrder() {
		r.endStation(now, s, ErrAPGone)
	}
	for _, e := range a.enrolleesInOrder() {
		r.removeEnrollee(e)
	}
	delete(r.aps, a.ID)
	r.forgo(a)
	r.lists[a.rank].Remove(a.place)
	if a.index >= 0 {
		heap.Remove(&r.timers, a.index)
	}
	a.host.aps = slices.DeleteFunc(a.host.aps, func(o *ap) bool { return o == a })
	if len(a.host.aps) == 0 && a.host.busy == 0 {
		delete(r.hosts, a.host.addr)
	}
	sid := a.sid
	r.unsubscribed(a)
	told := a.told
	if told || why == Byebye || why == Evicted || why == Expired || why == Unreachable {
		r.gone(now, a.Addr)
	}
	if told {
		a.told = false
		r.tell(APRemoved{a.snapshot(), why})
	}
	r.unindex(now, a)
	if told {
		r.compare(now, a.UUID, nil)
	}
	for _, id := range r.grantsInOrder() {
		if g := r.grants[id]; g.scope == a.ID {
			r.endGrant(now, g, ended{ap: a.ID, err: ErrAPGone})
		}
	}
	a.want, a.retryAt = 0, time.Time{}
	if why == Byebye || why == Expired || why == Unreachable || why == Replaced || sid == "" {
		a.outbox = nil
		return
	}
	a.sid = sid
	a.want = wantUnsubscribe
	if a.selected != nil {
		a.want |= wantSelect
	}
	r.leaving[a] = struct{}{}
	r.pump(now, a)
}

// unindex takes an access point off the list of those with its UUID.
func (r *Registrar) unindex(now time.Time, a *ap) {
	same := slices.DeleteFunc(r.byUUID[a.UUID], func(o *ap) bool { return o == a })
	if len(same) == 0 {
		delete(r.byUUID, a.UUID)
	} else {
		r.byUUID[a.UUID] = same
	}
	a.Also, a.holds = nil, nil
	r.answers(now, a)
}

// drop stops using a device that misbehaves, and keeps it to say why. It has another chance when it
// announces itself some time later.
func (r *Registrar) drop(now time.Time, a *ap, problem string) {
	if !a.told && !r.droppings.take(now, 64, 1) {
		// somebody announces ever new devices that misbehave: enough is told of them
		r.remove(now, a, Evicted)
		return
	}
	r.endAPRun(now, a, ErrDropped)
	for _, s := range a.stationsInOrder() {
		r.endStation(now, s, ErrDropped)
	}
	a.want = 0
	if a.sid != "" {
		sid := a.sid
		r.unsubscribed(a)
		a.sid, a.want = sid, wantUnsubscribe
	}
	a.refusals++
	a.calm = now.Add(backoff(time.Minute, a.refusals, 15*time.Minute))
	a.Dropped, a.Problem, a.failures = true, problem, 0
	a.doubt, a.again = 0, nil // nothing is asked any more
	r.rerank(now, a, dropped)
	r.say(a)
	r.compare(now, a.UUID, nil)
	r.answers(now, a)
}

// backoff doubles a time with every failure after the first.
func backoff(first time.Duration, failures int, most time.Duration) time.Duration {
	for ; failures > 1 && first < most; failures-- {
		first *= 2
	}
	return min(first, most)
}

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

// snapshot is what others may have of an access point.
func (a *ap) snapshot() AP {
	s := a.AP
	s.Also = slices.Clone(a.Also)
	if !s.Dropped {
		problems := []string{a.contested(), a.noInfo, a.noEvents}
		s.Problem = strings.Join(slices.DeleteFunc(problems, func(p string) bool {
			return p == ""
		}), "; ")
	}
	return s
}
