package er

import (
	"strings"
	"time"

	"wpsd/engine/upnp"
)

// subscribed takes the answer to SUBSCRIBE. Whether it is good or not: the access point is ready
// for what else there is.
func (r *Registrar) subscribed(now time.Time, a *ap, resp upnp.Response) {
	s, err := upnp.ParseSubscription(resp)
	early := a.early
	a.early = nil
	a.Dropped, a.Problem = false, ""
	if r.compare(now, a.UUID, a); len(a.Also) == 0 {
		r.adopt(a)
	}
	a.HasSettings = r.settingsOf(a) != nil
	if err != nil {
		a.noEvents = "does not tell us what it hears: " + err.Error()
		a.refusals++
		a.want |= wantSubscribe
		a.retryAt = now.Add(backoff(subscribeAgain, a.refusals, 15*time.Minute))
		if a.rank != proven {
			r.rerank(now, a, proven)
			r.say(a)
		} else if a.refusals == 1 {
			r.changed(a)
		}
		return
	}
	a.noEvents, a.refusals, a.nonsense = "", 0, 0
	a.sid, a.Subscribed = strings.Clone(s.SID), true
	r.bySID[subscriber{a.Addr, a.sid}] = a
	a.renewAt, a.confirmed = now.Add(renewal(a.ID, s.Timeout)), now
	if a.rank != proven {
		r.rerank(now, a, proven)
	}
	r.say(a)
	a.selected = nil
	r.reselect(now, a)
	for _, n := range early {
		if n.SID == a.sid {
			r.notified(now, a, n)
		}
	}
}

// renewal is when to renew a subscription: about half way, spread so that those of a thousand
// access points that were found together do not come together.
func renewal(id APID, timeout time.Duration) time.Duration {
	const parts = 64
	return max(timeout/2-timeout/4*time.Duration(id%parts)/parts, renewLeast)
}

// unsubscribed notes that a subscription is lost, and reports whether there was one.
func (r *Registrar) unsubscribed(a *ap) bool {
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

// renewed takes the answer to a renewal. Who does not know our subscription was restarted: it may
// have another configuration, too.
func (r *Registrar) renewed(now time.Time, a *ap, resp upnp.Response) {
	s, err := upnp.ParseSubscription(resp)
	if err != nil || s.SID != a.sid {
		r.unsubscribed(a)
		// hostapd comes back unlocked; whether this one did is seen when somebody uses its PIN
		r.locked(a, false)
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

func subscription(resp upnp.Response, err error) (upnp.Subscription, error) {
	if err != nil {
		return upnp.Subscription{}, err
	}
	return upnp.ParseSubscription(resp)
}
