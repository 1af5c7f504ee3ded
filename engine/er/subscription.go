package er

import (
	"strings"
	"time"

	"wpsd/engine/upnp"
)

// subscription is whether and how we hear what an access point hears.
type subscription struct {
	sid        string // empty: there is none
	renewAt    time.Time
	confirmed  time.Time           // when the access point last knew it
	noEvents   string              // why the access point refuses one; empty: it does not
	refusals   int                 // in a row
	unreadable int                 // events in a row that could not be read
	early      []upnp.Notification // that came before the answer to SUBSCRIBE
}

const (
	// subscribeAgain is when a refused subscription is tried again, and twice that the next time.
	subscribeAgain = 15 * time.Second
	// renewLeast keeps a device that grants seconds from having us renew all the time.
	renewLeast = 20 * time.Second
	// maxEarly bounds the events that come before the answer to SUBSCRIBE.
	maxEarly = 4
)

// onSubscribed takes the answer to SUBSCRIBE. Whether it is good or not: the access point is ready
// for what else there is.
func (r *Registrar) onSubscribed(now time.Time, a *ap, resp upnp.Response) {
	s, err := upnp.ParseSubscription(resp)
	early := a.early
	a.early = nil
	a.Dropped, a.Problem = false, ""
	if r.compare(now, a.UUID, a); len(a.Also) == 0 {
		r.settings.adopt(&a.AP)
	}
	a.HasSettings = r.settings.of(&a.AP) != nil
	if err != nil {
		a.noEvents = "does not tell us what it hears: " + err.Error()
		a.refusals++
		a.want |= wantSubscribe
		a.retryAt = now.Add(backoff(subscribeAgain, a.refusals, 15*time.Minute))
		if a.rank != proven {
			r.rerank(now, a, proven)
			r.publishAP(a)
		} else if a.refusals == 1 {
			r.publishChange(a)
		}
		return
	}
	a.noEvents, a.refusals, a.unreadable = "", 0, 0
	a.sid, a.Subscribed = strings.Clone(s.SID), true
	r.bySID[subscriber{a.Addr, a.sid}] = a
	a.renewAt, a.confirmed = now.Add(renewal(a.ID, s.Timeout)), now
	if a.rank != proven {
		r.rerank(now, a, proven)
	}
	r.publishAP(a)
	a.selected = nil
	r.reselect(now, a)
	for _, n := range early {
		if n.SID == a.sid {
			r.onEvent(now, a, n)
		}
	}
}

// renewal is when to renew a subscription: about half way, spread so that those of a thousand
// access points that were found together do not come together.
func renewal(id APID, timeout time.Duration) time.Duration {
	const parts = 64
	return max(timeout/2-timeout/4*time.Duration(id%parts)/parts, renewLeast)
}

// onRenewed takes the answer to a renewal. Who does not know our subscription was restarted: it may
// have another configuration, too.
func (r *Registrar) onRenewed(now time.Time, a *ap, resp upnp.Response) {
	s, err := upnp.ParseSubscription(resp)
	if err != nil || s.SID != a.sid {
		r.unsubscribed(a)
		// hostapd comes back unlocked; whether this one did is seen when somebody uses its PIN
		r.setLocked(a, false)
		a.want |= wantSubscribe | wantInfo
		return
	}
	a.renewAt, a.confirmed = now.Add(renewal(a.ID, s.Timeout)), now
	// it is there, whatever became of its announcements
	a.Expires = now.Add(max(a.maxAge, time.Minute))
	r.reselect(now, a)
}

// keepEarly keeps an event that overtook the answer to SUBSCRIBE.
func (r *Registrar) keepEarly(n upnp.Notification) {
	h := r.hosts[n.From]
	if h == nil {
		return
	}
	for _, a := range h.aps {
		if a.busy != nil && a.busy.what == wantSubscribe && len(a.early) < maxEarly {
			a.early = append(a.early, n)
		}
	}
}

// knowsSubscription reports whether a renewal was granted.
func knowsSubscription(resp upnp.Response) bool {
	_, err := upnp.ParseSubscription(resp)
	return err == nil
}
