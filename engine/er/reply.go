package er

import (
	"time"

	"wpsd/engine/upnp"
)

// Replied takes what came of a request: an answer or an error.
func (r *Registrar) Replied(now time.Time, id uint64, resp upnp.Response, err error) []Action {
	c := r.calls[id]
	if c == nil {
		return r.done(now)
	}
	delete(r.calls, id)
	a := c.ap
	a.busy = nil
	a.host.suspect = err != nil
	if c.background {
		r.background--
		if c.suspect {
			r.suspected--
		}
		r.unblock(a.host)
	}
	switch {
	case r.isLeaving(a): // whatever it says
	case r.aps[a.ID] != a:
		return r.done(now)
	case c.what != 0:
		r.onReply(now, a, c.what, resp, err)
	case c.message.station != nil:
		if r.onStationReply(now, a, c.message.station, resp, err); err != nil {
			r.doubt(now, a, Unreachable)
		}
	case a.run == nil || a.run != c.run: // what was sent was the last word
	case err != nil:
		if r.onRunFailed(now, a, err) {
			r.doubt(now, a, Unreachable)
		}
	case c.request:
		r.onRunInfo(now, a, c.run, resp)
	default:
		r.onRunReply(now, a, c.run, resp)
	}
	r.pump(now, a)
	return r.done(now)
}

// onReply takes what came of a background request.
func (r *Registrar) onReply(now time.Time, a *ap, what work, resp upnp.Response, err error) {
	if a.doubt != 0 && what&isThere != 0 {
		there := err == nil
		if what == wantRenew {
			there = there && knowsSubscription(resp)
		}
		if r.endDoubt(now, a, there); !there {
			return
		}
	}
	if err != nil {
		if what == wantSelect {
			r.publishAnswer(a, err)
		}
		r.onUnanswered(now, a, what, err)
		return
	}
	a.failures = 0
	switch what {
	case wantDescription:
		r.onDescription(now, a, resp)
	case wantInfo:
		r.onDeviceInfo(now, a, resp)
	case wantSubscribe:
		r.onSubscribed(now, a, resp)
	case wantRenew:
		r.onRenewed(now, a, resp)
	case wantSelect:
		r.onSelected(now, a, resp)
	case wantUnsubscribe:
	}
}

// onUnanswered sends a request that got no answer again, and gives up after some times.
func (r *Registrar) onUnanswered(now time.Time, a *ap, what work, err error) {
	tries := maxTries
	if a.unanswered > 0 {
		tries-- // it did not answer a search either
	}
	if a.failures++; a.failures < tries {
		a.want |= what
		a.retryAt = now.Add(backoff(retryFirst, a.failures, time.Minute))
		return
	}
	if a.rank == proven {
		r.remove(now, a, Unreachable)
		return
	}
	r.drop(now, a, "does not answer: "+err.Error())
}
