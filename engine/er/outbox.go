package er

import (
	"math/bits"
	"slices"
	"time"

	"wpsd/engine/admission"
	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
)

// work is what is to be asked of an access point when it is its turn. The lowest bit goes first.
type work uint8

// isThere is what an access point answers only if it is there: the second and the third if it is
// not subscribed to.
const isThere = wantRenew | wantInfo | wantSubscribe

// bringUp is all that a new access point is asked.
const bringUp = wantDescription | wantInfo | wantSubscribe

// outbox is what is to be asked of an access point, and what is under way. Messages of runs go
// first.
type outbox struct {
	want     work       // background requests
	messages []outgoing // of runs
	busy     *call      // the request under way; nil: none is
	queued   bool       // waits for its turn
	retryAt  time.Time  // background requests not before
	failures int        // of them, in a row
}

// call is a request under way.
type call struct {
	ap         *ap
	what       work // of a background request; 0: a message of a run
	background bool
	suspect    bool // the address was
	message    outgoing
	request    bool // GetDeviceInfo of a run
	run        *apRun
}

// outgoing is a message of the Registration Protocol that waits for an access point.
type outgoing struct {
	action  upnp.Action
	station *station // whose run it belongs to; nil: the access point's
	run     *apRun
}

// queue holds access points in the order in which their turn comes.
type queue struct {
	all  []*ap
	head int
}

func (q *queue) push(a *ap) { q.all = append(q.all, a) }

func (q *queue) pop() *ap {
	if q.head == len(q.all) {
		return nil
	}
	a := q.all[q.head]
	q.all[q.head] = nil
	if q.head++; q.head == len(q.all) {
		q.all, q.head = q.all[:0], 0
	} else if q.head > 1024 && q.head > len(q.all)/2 {
		q.all = append(q.all[:0:0], q.all[q.head:]...)
		q.head = 0
	}
	return a
}

// dispatcher decides whose request goes next: one under way for each access point, and bounds on
// those of all.
type dispatcher struct {
	registry
	device     wsc.Device // us, as Registrar
	requests   uint64     // so far
	calls      map[uint64]*call
	waiting    queue // access points with background requests
	suspects   queue // the same, whose address did not answer the latest one
	background int   // under way
	suspected  int   // of these to such addresses

	settings settings
	list     admission.List // whom users allowed
}

// post queues a message. When an access point is so slow that there are too many, the oldest is of
// no use any more.
func (r *dispatcher) post(a *ap, o outgoing) {
	if len(a.messages) >= maxOutbox {
		a.messages = a.messages[1:]
	}
	a.messages = append(a.messages, o)
}

// pump gives an access point its next request, if it has none under way. Messages of runs go at
// once; what else there is to ask waits for its turn.
func (r *dispatcher) pump(now time.Time, a *ap) {
	defer r.arm(a)
	if a.busy != nil {
		return
	}
	switch {
	case len(a.messages) > 0:
		next := a.messages[0]
		a.messages = slices.Delete(a.messages, 0, 1)
		r.send(a, &call{message: next, run: next.run}, next.action.Request(a.Description.Control))
	case a.run != nil && a.run.ask:
		a.run.ask = false
		r.send(a, &call{request: true, run: a.run},
			upnp.Action{Name: upnp.GetDeviceInfo}.Request(a.Description.Control))
	case a.want == 0:
		delete(r.leaving, a)
	case !a.queued && !now.Before(a.retryAt):
		a.queued, a.retryAt = true, time.Time{}
		r.enqueue(a)
	}
}

// enqueue puts an access point where it has its turn: addresses that did not answer wait for each
// other.
func (r *dispatcher) enqueue(a *ap) {
	if a.host.suspect {
		r.suspects.push(a)
	} else {
		r.waiting.push(a)
	}
}

// serve lets background requests go out as long as there is room for them.
func (r *dispatcher) serve(now time.Time) {
	for r.background < maxBackground && r.turn(now, &r.waiting) {
	}
	for r.background < maxBackground && r.suspected < maxSuspects && r.turn(now, &r.suspects) {
	}
}

// turn lets the first one of a queue have its turn, if there is one.
func (r *dispatcher) turn(now time.Time, q *queue) bool {
	a := q.pop()
	switch {
	case a == nil:
		return false
	case a.busy != nil || a.want == 0:
		a.queued = false // comes again when that is done
		r.pump(now, a)
	case a.host.busy >= maxHostRequests, a.host.busy > 0 && a.rank != proven:
		// Who has shown nothing yet takes nothing away from an access point of the same address:
		// announcements can be forged.
		a.host.blocked = append(a.host.blocked, a)
	default:
		a.queued = false
		r.ask(now, a)
	}
	return true
}

// ask sends the background request that goes first.
func (r *dispatcher) ask(now time.Time, a *ap) {
	what := work(1) << bits.TrailingZeros8(uint8(a.want))
	if a.sid != "" && a.want&wantUnsubscribe != 0 {
		what = wantUnsubscribe
		if a.want&wantSelect != 0 {
			what = wantSelect // it listens to subscribers only
		}
	}
	a.want &^= what
	var q upnp.Request
	switch what {
	case wantDescription:
		q = upnp.GetDescription(a.Location)
	case wantInfo:
		q = upnp.Action{Name: upnp.GetDeviceInfo}.Request(a.Description.Control)
	case wantSubscribe:
		q = upnp.Subscribe(a.Description.Event)
	case wantSelect:
		m := r.selection(now, a)
		a.selected, a.selectAgain = m.bytes(), false
		q = upnp.Action{Name: upnp.SetSelectedRegistrar,
			Message: r.selectionMessage(m)}.Request(a.Description.Control)
		if r.aps[a.ID] == a {
			r.publish(m.asked(a))
		}
	case wantRenew:
		q = upnp.Renew(a.Description.Event, a.sid)
	case wantUnsubscribe:
		q = upnp.Unsubscribe(a.Description.Event, a.sid)
		a.sid = ""
	}
	r.background++
	a.host.busy++
	c := &call{what: what, background: true, suspect: a.host.suspect}
	if c.suspect {
		r.suspected++
	}
	r.send(a, c, q)
	r.arm(a)
}

func (r *dispatcher) send(a *ap, c *call, q upnp.Request) {
	r.requests++
	c.ap, a.busy = a, c
	r.calls[r.requests] = c
	r.actions = append(r.actions, Do{r.requests, q})
}

// unblock lets the next one of an address have its turn.
func (r *dispatcher) unblock(h *host) {
	h.busy--
	for _, a := range h.blocked {
		r.enqueue(a)
	}
	h.blocked = nil
	r.releaseHost(h)
}
