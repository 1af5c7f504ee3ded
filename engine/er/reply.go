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
	_, leaves := r.leaving[a]
	switch {
	case leaves: // whatever it says
	case r.aps[a.ID] != a:
		return r.done(now)
	case c.request:
		r.apRunInfo(now, a, c.run, resp, err)
	case c.message.station != nil:
		r.stationReply(now, c.message.station, resp, err)
	case c.run != nil:
		r.apRunReply(now, a, c.run, resp, err)
	case c.what != 0:
		r.answered(now, a, c.what, resp, err)
	}
	r.pump(now, a)
	return r.done(now)
}

// answered takes what came of a background request.
func (r *Registrar) answered(now time.Time, a *ap, what work, resp upnp.Response, err error) {
	if a.doubt != 0 && what&isThere != 0 {
		there := err == nil
		if what == wantRenew {
			_, err := subscription(resp, err)
			there = err == nil
		}
		if r.settle(now, a, there); !there {
			return
		}
	}
	if err != nil {
		if what == wantSelect {
			r.tellAnswer(a, err)
		}
		r.failed(now, a, what, err)
		return
	}
	a.failures = 0
	switch what {
	case wantDescription:
		r.described(now, a, resp)
	case wantInfo:
		r.informed(now, a, resp)
	case wantSubscribe:
		r.subscribed(now, a, resp)
	case wantRenew:
		r.renewed(now, a, resp)
	case wantSelect:
		r.invited(now, a, resp)
	case wantUnsubscribe:
	}
}

// failed sends a request that got no answer again, and gives up after some times.
func (r *Registrar) failed(now time.Time, a *ap, what work, err error) {
	tries := maxTries
	if a.mutes > 0 {
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
