// Package er is an External Registrar: it finds access points over UPnP, learns and configures
// them, hears through them what devices want in, and lets in those that users allowed.
//
// It does no I/O: it is told what arrived and what time it is, and answers with Actions: search,
// send a request, tell somebody. drivers/controlpoint carries them out. Each access point has at
// most one request under way, so that messages of a run cannot overtake each other; none waits for
// another one.
//
// An access point from the first announcement on:
//
//	Heard ── description ── GetDeviceInfo ── SUBSCRIBE ──▶ APAdded ── renewals, events, runs ──▶ APRemoved
//	              └───────────────┴── of no use ──▶ APAdded (Dropped, with the Problem)
//
// Everybody in the network can send announcements in everybody's name. So what an announcement says
// about an access point that we are subscribed to (it goes, it moved, it is silent) is only a
// reason to ask it: it is gone if it does not answer or does not know our subscription.
//
// Sources: WFAWLANConfig:1 and UPnP Device Architecture 1.0 (UDA below), and the behaviour of
// hostap's External Registrar.
package er

import (
	"container/heap"
	"container/list"
	"io"
	"net/netip"
	"slices"
	"time"

	"wpsd/engine"
	"wpsd/engine/admission"
	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
	"wpsd/engine/wsccrypto"
)

// Bounds. Whatever is above them, the oldest silent one goes first.
const (
	maxAPs          = 4096 // that are ready; controlpoint has as many subscriptions
	maxStrangers    = 2048 // that were announced and did not answer yet
	maxDropped      = 256  // that are kept only to say why they are not used
	maxPerHost      = 8    // of one address
	maxEnrollees    = 2048 // in all
	maxAPEnrollees  = 32   // of one access point
	maxStations     = 8    // runs with Enrollees of one access point at a time
	maxOutbox       = 16   // messages that wait for one access point
	maxSettings     = 1024 // access points whose settings are kept, here or not
	maxBackground   = 192  // requests under way besides those of runs; controlpoint has 256
	maxSuspects     = 96   // of these to addresses that did not answer before
	maxHostRequests = 2    // of these to one address; controlpoint lets the others wait
)

// Config says who we are.
type Config struct {
	// Device is what we say as Registrar.
	Device wsc.Device
	// KeyPair gives a key pair that was made ahead of time; nil, or if it returns nil: made in the
	// run.
	KeyPair func() *wsccrypto.KeyPair
	// Rand is where randomness comes from; nil: crypto/rand.
	Rand io.Reader
}

// Action is something to do. The order of the Actions of one call counts for Tell only.
type Action interface{ action() }

// The Actions.
type (
	// Search asks everybody to announce himself.
	Search struct{}
	// Do sends a request. Replied is called once with what came of it. It must not wait for other
	// requests, nor they for it.
	Do struct {
		ID      uint64
		Request upnp.Request
	}
	// Tell passes an event on.
	Tell struct{ Event Event }
)

func (Search) action() {}
func (Do) action()     {}
func (Tell) action()   {}

// Registrar is the External Registrar on one interface. It is not safe for concurrent use.
type Registrar struct {
	c       Config
	running bool
	only    netip.Addr
	out     []Action

	requests uint64
	lastAP   APID
	lastRun  RunID

	aps     map[APID]*ap
	hosts   map[netip.Addr]*host
	bySID   map[subscriber]*ap
	byUUID  map[wsc.UUID][]*ap // those whose description was read
	lists   [3]*list.List      // of *ap by rank: the longest silent first
	leaving map[*ap]struct{}   // no longer ours, but there is something to say to them
	timers  timers

	calls      map[uint64]*call
	waiting    queue // access points with background requests
	suspects   queue // the same, whose address did not answer the latest one
	background int   // under way
	suspected  int   // of these to such addresses

	enrollees *list.List               // of *enrollee, the longest silent first
	newcomers allowance                // Enrollees
	beginners allowance                // those that begin to enrol
	moves     allowance                // of our address
	movedAt   time.Time                // a move that waits; zero: none does
	droppings allowance                // devices that misbehave from the start
	flappers  map[netip.Addr]allowance // addresses that went
	grants    map[RunID]*grant
	list      admission.List
	settings  map[settingsKey][]*kept
	kept      int // of these, in all

	searches int
	searchAt time.Time

	// searches that watch; those in a row with nobody there; whose answers are missing
	rounds, alone, awaited int
	watchAt                time.Time // when these are missed
}

// New makes a Registrar that does nothing yet.
func New(c Config) *Registrar {
	r := &Registrar{c: c, settings: make(map[settingsKey][]*kept)}
	r.reset()
	return r
}

// reset forgets everything but the settings.
func (r *Registrar) reset() {
	r.aps = make(map[APID]*ap)
	r.hosts = make(map[netip.Addr]*host)
	r.bySID = make(map[subscriber]*ap)
	r.byUUID = make(map[wsc.UUID][]*ap)
	r.flappers = make(map[netip.Addr]allowance)
	for i := range r.lists {
		r.lists[i] = list.New()
	}
	r.timers = nil
	r.enrollees = list.New()
	r.grants = make(map[RunID]*grant)
	if r.leaving == nil {
		r.leaving = make(map[*ap]struct{})
		r.calls = make(map[uint64]*call)
	}
}

// searchAgain is after which times a search is repeated, since datagrams get lost. From then on see
// watch.
var searchAgain = []time.Duration{1500 * time.Millisecond, 4 * time.Second}

// Start searches for access points: all, or the one with a certain address only. While it runs
// already it tells everything that it knows once more.
func (r *Registrar) Start(now time.Time, only netip.Addr) []Action {
	r.only = only.Unmap()
	r.searches, r.searchAt = 0, now
	if !r.running {
		r.running = true
		return r.done(now)
	}
	for _, a := range r.sorted() {
		switch {
		case r.only.IsValid() && a.Addr != r.only:
			r.remove(now, a, Filtered)
		case a.told:
			r.tell(APAdded{a.snapshot()})
			for _, e := range a.enrolleesInOrder() {
				r.tell(EnrolleeAdded{e.Enrollee})
			}
		}
	}
	return r.done(now)
}

// Stop ends everything. Access points are told, as long as Replied is called: see Idle.
func (r *Registrar) Stop(now time.Time) []Action {
	if !r.running {
		return nil
	}
	r.running, r.searchAt, r.watchAt, r.movedAt = false, time.Time{}, time.Time{}, time.Time{}
	for _, a := range r.sorted() {
		r.endAPRun(now, a, ErrStopped)
	}
	for _, id := range r.grantsInOrder() {
		r.endGrant(now, r.grants[id], ended{err: ErrStopped})
	}
	for _, a := range r.sorted() {
		r.remove(now, a, Stopped)
	}
	r.reset()
	r.forgetSettings()
	return r.done(now)
}

// Idle reports whether nothing is left to say to anybody after Stop.
func (r *Registrar) Idle() bool { return len(r.leaving) == 0 }

// moveEvery is how often a change of our address is acted on in the long run: each has all access
// points subscribed to anew.
const moveEvery = 10 * time.Second

// Moved says that our address changed: access points do not know where we are.
func (r *Registrar) Moved(now time.Time) []Action {
	switch {
	case !r.running:
		return nil
	case !r.movedAt.IsZero(): // it will be noticed
	case !r.moves.take(now, 4, 1/moveEvery.Seconds()):
		r.movedAt = now.Add(moveEvery)
	default:
		r.moved(now)
	}
	return r.done(now)
}

// moved searches and subscribes anew.
func (r *Registrar) moved(now time.Time) {
	r.movedAt = time.Time{}
	r.searches, r.searchAt = 0, now
	for _, a := range r.sorted() {
		if r.unsubscribed(a) {
			a.want |= wantSubscribe
			a.failures, a.retryAt = 0, time.Time{}
		}
		r.pump(now, a)
	}
}

// Tick does what has become due.
func (r *Registrar) Tick(now time.Time) []Action {
	if !r.movedAt.IsZero() && !now.Before(r.movedAt) {
		r.moves.take(now, 4, 1/moveEvery.Seconds())
		r.moved(now)
	}
	for len(r.timers) > 0 && !now.Before(r.timers[0].wake) {
		a := r.timers[0]
		r.due(now, a)
		r.pump(now, a)
		if a.index >= 0 && !a.wake.After(now) {
			a.wake = now.Add(time.Second) // whatever was due was done
			heap.Fix(&r.timers, a.index)
		}
	}
	r.missed(now)
	for _, id := range r.list.Expired(now) {
		r.endGrant(now, r.grants[RunID(id)], ended{err: ErrExpired})
	}
	return r.done(now)
}

// NextTick is when to call Tick; zero: not before something arrives.
func (r *Registrar) NextTick() time.Time {
	next := engine.Earlier(r.searchAt, r.list.NextExpiry())
	next = engine.Earlier(engine.Earlier(next, r.watchAt), r.movedAt)
	if len(r.timers) > 0 {
		next = engine.Earlier(next, r.timers[0].wake)
	}
	return next
}

// done ends a call: what is due goes out, and the Actions go to the caller.
func (r *Registrar) done(now time.Time) []Action {
	if r.running && !r.searchAt.IsZero() && !now.Before(r.searchAt) {
		r.out = append(r.out, Search{})
		if r.searches < len(searchAgain) {
			r.searchAt = now.Add(searchAgain[r.searches])
			r.searches++
		} else {
			r.searchAt = r.watch(now)
		}
	}
	r.serve(now)
	out := r.out
	r.out = nil
	return out
}

func (r *Registrar) tell(e Event) { r.out = append(r.out, Tell{e}) }

// sorted gives all access points in the order in which they came.
func (r *Registrar) sorted() []*ap {
	all := make([]*ap, 0, len(r.aps))
	for _, a := range r.aps {
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b *ap) int { return int(int64(a.ID) - int64(b.ID)) })
	return all
}

// APs gives the access points that were told, in the order in which they came.
func (r *Registrar) APs() []AP {
	var all []AP
	for _, a := range r.sorted() {
		if a.told {
			all = append(all, a.snapshot())
		}
	}
	return all
}

// Enrollees gives the devices that were told, in no certain order between access points.
func (r *Registrar) Enrollees() []Enrollee {
	var all []Enrollee
	for _, a := range r.sorted() {
		for _, e := range a.enrolleesInOrder() {
			all = append(all, e.Enrollee)
		}
	}
	return all
}
