package er

import (
	"errors"
	"strings"
	"time"

	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
)

const (
	// maxTries is how often a background request is sent before we give up on a device.
	maxTries = 3
	// retryFirst is how long after a failure it is sent again, and twice that the next time.
	retryFirst = 500 * time.Millisecond
	// subscribeAgain is when a refused subscription is tried again, and twice that the next time.
	subscribeAgain = 15 * time.Second
	// renewLeast keeps a device that grants seconds from having us renew all the time.
	renewLeast = 20 * time.Second
	// selectAgain is when SetSelectedRegistrar is said again: access points forget it after 120 s
	// (hostap behaviour).
	selectAgain = 100 * time.Second
	// maxNonsense is how many events in a row may be of no use.
	maxNonsense = 16
)

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

func subscription(resp upnp.Response, err error) (upnp.Subscription, error) {
	if err != nil {
		return upnp.Subscription{}, err
	}
	return upnp.ParseSubscription(resp)
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

// described takes the description. The UUID in it counts more than the announcement's (hostap
// behaviour).
func (r *Registrar) described(now time.Time, a *ap, resp upnp.Response) {
	if resp.Status != 200 {
		r.drop(now, a, "does not give its description: "+
			(&upnp.Refused{Status: resp.Status}).Error())
		return
	}
	d, err := upnp.ParseDescription(a.Location, resp.Body)
	if err != nil {
		r.drop(now, a, "its description is of no use: "+err.Error())
		return
	}
	uuid := a.names[0]
	if d.HasUDN {
		uuid = d.UDN
	}
	for _, b := range a.host.aps {
		if b != a && b.UUID == uuid && b.rank == proven {
			if len(b.names) < maxNames {
				b.names = append(b.names, a.names[0])
			}
			// one device that announces itself in two ways; nothing was told of this one
			r.remove(now, a, Replaced)
			return
		}
	}
	before := a.UUID
	r.unindex(now, a)
	a.UUID, a.Description = uuid, *d
	a.Description.Control, a.Description.Event, a.Description.SCPD = copyURL(d.Control),
		copyURL(d.Event), copyURL(d.SCPD)
	r.byUUID[uuid] = append(r.byUUID[uuid], a)
	if a.counts() {
		r.compare(now, before, nil)
		r.compare(now, uuid, nil)
	}
}

// informed takes the answer to GetDeviceInfo. An access point without it can still let devices in.
func (r *Registrar) informed(now time.Time, a *ap, resp upnp.Response) {
	before, problem := a.Device, a.noInfo
	message, err := upnp.GetDeviceInfo.ParseReply(resp)
	if err == nil {
		err = r.introduced(now, a, message)
	}
	a.noInfo = ""
	if err != nil {
		a.noInfo = "does not introduce itself, so that it cannot be configured: " + err.Error()
	}
	if a.told && (before.MAC != a.Device.MAC || before.State != a.Device.State ||
		problem != a.noInfo) {
		r.changed(a)
	}
	if !a.told && a.want&wantSubscribe != 0 {
		r.verify(now, a)
	}
}

// introduced takes the M1 of an access point.
func (r *Registrar) introduced(now time.Time, a *ap, message []byte) error {
	m1, err := wsc.ParseM1(message)
	if err != nil {
		return err
	}
	a.Device, a.HasDevice = slim(m1.Device), true
	if a.BSSID != m1.MAC {
		a.BSSID = m1.MAC
		if a.counts() {
			r.compare(now, a.UUID, a)
		}
	}
	return nil
}

// slim leaves out what can be long and nobody asks for.
func slim(d wsc.Device) wsc.Device {
	d.VendorExtensions, d.SecondaryDeviceTypes = nil, nil
	return d
}

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

// tellAnswer tells what an access point said to SetSelectedRegistrar.
func (r *Registrar) tellAnswer(a *ap, err error) {
	e := APAsked{AP: a.snapshot(), State: AskTaken}
	if err != nil {
		e.State = AskRefused
	}
	r.tell(e)
}

// invited takes the answer to SetSelectedRegistrar. hostapd refuses it when it does not know our
// subscription.
func (r *Registrar) invited(now time.Time, a *ap, resp upnp.Response) {
	_, err := upnp.SetSelectedRegistrar.ParseReply(resp)
	r.tellAnswer(a, err)
	if err == nil {
		a.selectFails = 0
		if a.selected != nil {
			a.selectAt = now.Add(selectAgain)
		}
		return
	}
	fault := (*upnp.Fault)(nil)
	if a.selectFails++; a.selectFails == 1 && errors.As(err, &fault) {
		a.want |= wantRenew // which finds out; then it is told again
		a.stale = true
	}
	if a.selected != nil {
		a.selectAt = now.Add(backoff(time.Second, a.selectFails, selectAgain))
	}
}
