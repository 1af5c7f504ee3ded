package wfadevice

import (
	"bytes"
	"context"
	"crypto/rand"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"wpsd/engine/upnp"
)

// Bounds of subscriptions, which are hostapd's.
const (
	subscriptionTime = 1801 * time.Second
	maxSubscriptions = 4  // the oldest goes
	maxQueue         = 20 // events that wait for a subscriber
	maxFailures      = 10 // deliveries in a row, then the subscription ends
)

// subscription is one subscriber. Its goroutine, serve, delivers the events in order.
type subscription struct {
	d        *Device
	sid      string
	from     netip.Addr
	callback upnp.URL
	wake     chan struct{}
	granted  chan struct{} // closed when the first event may go out
	ctx      context.Context
	cancel   context.CancelFunc

	// Guarded by the device's mu.
	expires time.Time
	queue   []delivery
}

// delivery is one event on its way.
type delivery struct {
	upnp.Notification
	done chan<- Delivered // nil: nobody waits for it
}

// Delivered is what a subscriber made of an event.
type Delivered struct {
	Status int
	Err    error // there was no answer
}

// subscribe takes a new subscription, or prolongs one.
func (d *Device) subscribe(w http.ResponseWriter, r *http.Request, from netip.Addr) {
	var h upnp.Header
	for name, values := range r.Header {
		h = append(h, upnp.Field{Name: name, Value: values[0]})
	}
	call, err := upnp.ParseSubscribe(h)
	if refused, ok := err.(*upnp.Refused); ok {
		w.WriteHeader(refused.Status)
		return
	}
	if call.SID != "" {
		if d.config.Forgets || !d.prolong(call.SID, from) {
			w.WriteHeader(http.StatusPreconditionFailed)
			return
		}
		grant(w, call.SID)
		return
	}
	// Nobody can have us send events to a third party.
	i := slices.IndexFunc(call.Callbacks, func(u upnp.URL) bool { return u.Host.Addr() == from })
	if i < 0 {
		w.WriteHeader(http.StatusInternalServerError) // as hostapd answers
		return
	}
	s := d.add(from, call.Callbacks[i])
	if s == nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if d.config.EventBeforeAnswer {
		close(s.granted)
		time.Sleep(50 * time.Millisecond) // so that it most likely is there before the answer
		grant(w, s.sid)
		return
	}
	grant(w, s.sid)
	close(s.granted)
}

// first is what a new subscriber is told: everything.
func (d *Device) first() upnp.Notification {
	one := uint8(1)
	n := upnp.Notification{APStatus: &one, STAStatus: &one}
	if d.config.First != nil {
		n.Event = d.config.First()
	}
	if n.Event == nil { // a WSC_ACK, as hostapd's dummy
		n.Event = &upnp.WLANEvent{Type: upnp.EventMessage,
			Message: []byte{0x10, 0x4a, 0, 1, 0x10, 0x10, 0x22, 0, 1, 0x0d}}
	}
	return n
}

func grant(w http.ResponseWriter, sid string) {
	for _, f := range (upnp.Subscription{SID: sid, Timeout: subscriptionTime}).Response().Header {
		w.Header().Set(f.Name, f.Value)
	}
	w.WriteHeader(http.StatusOK)
	_ = http.NewResponseController(w).Flush() // the answer is out before the first event
}

// add makes a subscription; nil: the device is closed.
func (d *Device) add(from netip.Addr, callback upnp.URL) *subscription {
	var uuid [16]byte
	_, _ = rand.Read(uuid[:]) // does not fail
	s := &subscription{
		d: d, sid: upnp.FormatUDN(uuid), from: from, callback: callback,
		wake: make(chan struct{}, 1), granted: make(chan struct{}),
		expires: time.Now().Add(subscriptionTime),
	}
	s.ctx, s.cancel = context.WithCancel(d.ctx)
	var left []netip.Addr
	d.mu.Lock()
	left = d.sweep()
	if len(d.subscriptions) >= maxSubscriptions {
		left = append(left, d.drop(d.subscriptions[0])...)
	}
	closed := d.closed
	if !closed {
		d.subscriptions = append(d.subscriptions, s)
		d.wait.Go(s.serve)
	}
	d.mu.Unlock()
	d.tellLeft(left)
	if closed {
		s.cancel()
		return nil
	}
	return s
}

// sweep drops what has expired; d.mu is held.
func (d *Device) sweep() (left []netip.Addr) {
	now := time.Now()
	for _, s := range slices.Clone(d.subscriptions) {
		if now.After(s.expires) {
			left = append(left, d.drop(s)...)
		}
	}
	return left
}

// drop ends a subscription and gives its address if that has no other; d.mu is held.
func (d *Device) drop(s *subscription) (left []netip.Addr) {
	s.cancel() // serve ends what waits
	d.subscriptions = slices.DeleteFunc(slices.Clone(d.subscriptions), func(o *subscription) bool {
		return o == s
	})
	if slices.ContainsFunc(d.subscriptions, func(o *subscription) bool {
		return o.from == s.from
	}) {
		return nil
	}
	return []netip.Addr{s.from}
}

func (d *Device) tellLeft(left []netip.Addr) {
	for _, a := range left {
		if d.config.Left != nil {
			d.config.Left(a)
		}
	}
}

func (d *Device) prolong(sid string, from netip.Addr) bool {
	d.mu.Lock()
	left := d.sweep()
	known := false
	for _, s := range d.subscriptions {
		if s.sid == sid && s.from == from {
			s.expires, known = time.Now().Add(subscriptionTime), true
		}
	}
	d.mu.Unlock()
	d.tellLeft(left)
	return known
}

// forget ends a subscription by its SID.
func (d *Device) forget(sid string) bool {
	d.mu.Lock()
	i := slices.IndexFunc(d.subscriptions, func(s *subscription) bool { return s.sid == sid })
	var left []netip.Addr
	if i >= 0 {
		left = d.drop(d.subscriptions[i])
	}
	d.mu.Unlock()
	d.tellLeft(left)
	return i >= 0
}

// Subscriber is one who subscribed.
type Subscriber struct {
	SID      string
	From     netip.Addr
	Callback upnp.URL
}

// Subscribers lists the subscriptions that hold, the oldest first.
func (d *Device) Subscribers() []Subscriber {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	var all []Subscriber
	for _, s := range d.subscriptions {
		if now.Before(s.expires) {
			all = append(all, Subscriber{s.sid, s.from, s.callback})
		}
	}
	return all
}

// Notify sends an event to all subscribers, and does not wait for that. Of too many events for one
// subscriber a Probe Request gives way (hostapd).
func (d *Device) Notify(e *upnp.WLANEvent) {
	d.mu.Lock()
	all := slices.Clone(d.subscriptions)
	d.mu.Unlock()
	for _, s := range all {
		s.put(delivery{Notification: upnp.Notification{Event: e}})
	}
}

// Deliver is Notify that waits, and tells what each subscriber answered.
func (d *Device) Deliver(e *upnp.WLANEvent) []Delivered {
	d.mu.Lock()
	all := slices.Clone(d.subscriptions)
	d.mu.Unlock()
	done := make(chan Delivered, len(all))
	for _, s := range all {
		s.put(delivery{upnp.Notification{Event: e}, done})
	}
	answers := make([]Delivered, len(all))
	for i := range answers {
		answers[i] = <-done
	}
	return answers
}

// put adds an event to the queue.
func (s *subscription) put(n delivery) {
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	if s.ctx.Err() != nil {
		n.end(Delivered{Err: ErrClosed})
		return
	}
	if len(s.queue) >= maxQueue {
		if n.Event.Type == upnp.EventProbe {
			n.end(Delivered{Err: ErrClosed})
			return
		}
		s.queue[0].end(Delivered{Err: ErrClosed})
		s.queue = slices.Delete(s.queue, 0, 1)
	}
	s.queue = append(s.queue, n)
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (n *delivery) end(how Delivered) {
	if n.done != nil {
		n.done <- how
	}
}

// serve delivers events until the subscription ends. The first tells everything (UDA 4.2.1); what
// was queued while it waited for the answer comes after it.
func (s *subscription) serve() {
	defer s.end()
	select {
	case <-s.granted:
	case <-s.ctx.Done():
		return
	}
	failures := 0
	next := delivery{Notification: s.d.first()}
	for seq, ok := uint32(0), true; ok; next, ok = s.next() {
		next.SID, next.Seq = s.sid, seq
		if seq++; seq == 0 {
			seq = 1 // UDA 4.2.1
		}
		how := s.deliver(&next.Notification)
		next.end(how)
		if failures++; how.Err == nil && how.Status == http.StatusOK {
			failures = 0
		}
		if failures >= maxFailures {
			s.d.forget(s.sid)
			return
		}
	}
}

// next waits for an event; not ok: the subscription ended.
func (s *subscription) next() (next delivery, ok bool) {
	for {
		if next, ok = s.take(); ok {
			return next, true
		}
		select {
		case <-s.wake:
		case <-s.ctx.Done():
			return delivery{}, false
		}
	}
}

// take takes the next event off the queue.
func (s *subscription) take() (next delivery, ok bool) {
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	if len(s.queue) == 0 {
		return delivery{}, false
	}
	next = s.queue[0]
	s.queue = slices.Delete(s.queue, 0, 1)
	return next, true
}

// end tells those who wait that nothing more is delivered. The context is over: nothing is added.
func (s *subscription) end() {
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	for _, waiting := range s.queue {
		waiting.end(Delivered{Err: ErrClosed})
	}
	s.queue = nil
}

func (s *subscription) deliver(n *upnp.Notification) Delivered {
	r, err := http.NewRequestWithContext(s.ctx, "NOTIFY", s.callback.String(),
		bytes.NewReader(n.AppendBody(nil)))
	if err != nil {
		return Delivered{Err: err}
	}
	for _, f := range n.Header() {
		r.Header[f.Name] = []string{f.Value}
	}
	resp, err := s.d.client.Do(r)
	if err != nil {
		return Delivered{Err: err}
	}
	_ = resp.Body.Close()
	return Delivered{Status: resp.StatusCode}
}
