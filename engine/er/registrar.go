package er

import (
	"container/list"
	"net/netip"
	"time"

	"wpsd/engine/admission"
	"wpsd/engine/wsc"
)

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
