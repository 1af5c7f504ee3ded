package hotspot

import (
	"context"
	"fmt"
	"sync"
	"time"

	"wpsd/drivers"
	"wpsd/engine/wsc"
	"wpsd/service/fence"
	"wpsd/service/state"
)

const (
	// firstRetry doubles up to lastRetry: how soon to look again for the software of an access
	// point whose interface has just become one. After that nobody looks until it is needed, or an
	// interface changes.
	firstRetry = 250 * time.Millisecond
	lastRetry  = 16 * time.Second
)

// Steering is the connection to the software of one interface that is an access point. It is there
// as long as the interface is, so that devices that ask to be let in are heard; between events it
// sleeps. Its goroutine owns what is not said to be others'.
type Steering struct {
	room   *Hotspots
	ifname string
	cancel context.CancelFunc
	ended  chan struct{} // closed when no more wants are taken
	wake   chan struct{} // holds at most one: try again
	wants  chan want

	users     sync.WaitGroup // who uses the connection
	listeners []listener
	seen      sightings
	asking    asking
}

// want asks for the connection. Events from then on go to the listener, if there is one.
type want struct {
	listener listener
	answer   chan<- connection
}

type connection struct {
	ap  drivers.AccessPoint
	err error
}

// listener gets the events that are of interest to a session, until done is closed.
type listener struct {
	events chan<- drivers.APEvent
	done   <-chan struct{}
}

// Steer makes the connection to the software of an interface, which run keeps until ctx ends.
func (h *Hotspots) Steer(ctx context.Context, ifname string) (k *Steering, run func()) {
	ctx, cancel := context.WithCancel(ctx)
	k = &Steering{
		room: h, ifname: ifname, cancel: cancel, ended: make(chan struct{}),
		wake: make(chan struct{}, 1), wants: make(chan want),
	}
	return k, func() { k.run(ctx) }
}

// Interface names the interface.
func (k *Steering) Interface() string { return k.ifname }

// End lets the connection end.
func (k *Steering) End() { k.cancel() }

// TryAgain is called when something changed that may have brought the software back.
func (k *Steering) TryAgain() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// run keeps the connection until ctx ends.
func (k *Steering) run(ctx context.Context) {
	defer close(k.ended)
	defer k.cancel()
	for wait := time.Duration(0); ctx.Err() == nil; wait = firstRetry {
		ap := k.connect(ctx, wait)
		if ap == nil {
			return
		}
		if err := fence.Do(k.room.log, "the connection to an access point", func() error {
			k.serve(ctx, ap)
			return nil
		}); err != nil {
			// whoever waits for it ends; the next connection is another one
			k.tell(drivers.APEvent{Kind: drivers.APGone})
		}
		if err := ap.Close(); err != nil {
			k.room.log.Debug("closing the connection to the access point", "interface",
				k.ifname, "err", err)
		}
	}
}

// connect returns a connection, after wait at the earliest unless somebody wants it now, or nil
// when ctx ends.
func (k *Steering) connect(ctx context.Context, wait time.Duration) drivers.AccessPoint {
	delay := firstRetry
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		var asked *want
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		case <-k.wake:
			delay = firstRetry
		case w := <-k.wants:
			asked = &w
		}
		ap, err := k.room.software.AccessPoint(ctx, k.ifname)
		switch {
		case err == nil && asked != nil:
			k.give(*asked, ap)
			return ap
		case err == nil:
			k.room.log.Debug("the access point is steered", "interface", k.ifname)
			return ap
		case asked != nil:
			asked.answer <- connection{err: err}
		case delay <= lastRetry:
			timer.Reset(delay)
			delay *= 2
		case ctx.Err() == nil:
			k.room.log.Info("the access point cannot be steered", "interface",
				k.ifname, "err", err)
		}
	}
}

// serve passes events on until the software's end, or that of ctx: then it waits for those that use
// the connection, since they have grants to withdraw.
func (k *Steering) serve(ctx context.Context, ap drivers.AccessPoint) {
	defer k.room.hub.SetupLocked(k, false)
	defer k.forgetAll()
	for {
		select {
		case <-ctx.Done():
			k.users.Wait()
			return
		case e, open := <-ap.Events():
			if !open {
				k.tell(drivers.APEvent{Kind: drivers.APGone})
				return
			}
			k.apply(e)
		case <-k.asking.expires():
			k.expire()
		case w := <-k.wants:
			k.applyWaiting(ap) // what happened before is none of this one's business
			k.give(w, ap)
		}
	}
}

// applyWaiting takes the events that are there already.
func (k *Steering) applyWaiting(ap drivers.AccessPoint) {
	for {
		select {
		case e, open := <-ap.Events():
			if !open {
				return // serve will see it
			}
			k.apply(e)
		default:
			return
		}
	}
}

func (k *Steering) give(w want, ap drivers.AccessPoint) {
	k.users.Add(1)
	if w.listener.events != nil {
		k.listeners = append(k.listeners, w.listener)
	}
	w.answer <- connection{ap: ap}
}

// use gets the connection, and events from then on, until release.
func (k *Steering) use(ctx context.Context, events chan<- drivers.APEvent) (ap drivers.AccessPoint,
	release func(), err error) {
	done, answer := make(chan struct{}), make(chan connection, 1)
	select {
	case k.wants <- want{listener{events, done}, answer}:
	case <-k.ended:
		return nil, nil, drivers.ErrInterfaceGone
	case <-ctx.Done():
		return nil, nil, context.Cause(ctx)
	}
	c := <-answer // the driver bounds how long it takes
	if c.err != nil {
		return nil, nil, fmt.Errorf("hotspot: %w", c.err)
	}
	return c.ap, func() {
		close(done)
		k.users.Done()
	}, nil
}

// apply takes one event.
func (k *Steering) apply(e drivers.APEvent) {
	switch e.Kind {
	case drivers.APEnrolleeSeen, drivers.APPINNeeded:
		k.sighted(e)
		return
	case drivers.APSetupLocked:
		k.room.log.Warn("the access point has locked its setup after wrong PINs",
			"interface", k.ifname)
		k.room.hub.SetupLocked(k, true)
	case drivers.APSetupUnlocked, drivers.APBack:
		k.room.hub.SetupLocked(k, false)
	case drivers.APGone:
		k.room.log.Info("the access point's software is gone", "interface", k.ifname)
		k.room.hub.SetupLocked(k, false)
	case drivers.APNewSettings:
		k.room.log.Info("a Registrar gave the access point new settings", "interface", k.ifname)
	default:
	}
	k.letIn(e)
	k.tell(e)
}

// tell passes an event on to sessions. One that is busy makes the others wait, for as long as one
// command takes.
func (k *Steering) tell(e drivers.APEvent) {
	left := k.listeners[:0]
	for _, l := range k.listeners {
		select {
		case <-l.done:
			continue
		default:
		}
		select {
		case l.events <- e:
			left = append(left, l)
		case <-l.done:
		}
	}
	clear(k.listeners[len(left):])
	k.listeners = left
}

// sighted tells of a device that asks to be let in, unless it was told lately.
func (k *Steering) sighted(e drivers.APEvent) {
	d := state.Enrollee{
		Interface: k.ifname, MAC: wsc.MAC(e.MAC), UUID: e.UUID,
		Name: e.Device.Name, Manufacturer: e.Device.Manufacturer, ModelName: e.Device.ModelName,
		ModelNumber:  e.Device.ModelNumber,
		SerialNumber: e.Device.SerialNumber, DeviceType: e.Device.DeviceType,
		ConfigMethods: wsc.ConfigMethods(e.Device.ConfigMethods),
		PasswordID:    wsc.DevicePasswordID(e.Device.DevicePasswordID),
	}
	needed := e.Kind == drivers.APPINNeeded
	d.PasswordIDKnown = !needed
	if !k.seen.admit(time.Now(), d, needed) {
		return
	}
	k.heard(d, needed)
	if needed {
		k.room.hub.Sighted(k, state.PINNeeded{Enrollee: d})
		return
	}
	k.room.hub.Sighted(k, state.EnrolleeSeen{Enrollee: d})
}

const (
	// sightingPause is how long the same device, saying the same, is not told again.
	sightingPause = 10 * time.Second
	// sightingBurst sightings of each kind may come at once, one more every sightingRefill: anybody
	// near can make up as many devices as they like, and nobody reads more.
	sightingBurst  = 20
	sightingRefill = 500 * time.Millisecond
	maxSightings   = 256
)

// sightings bounds what is told of devices in the air.
type sightings struct {
	told  map[sighting]time.Time
	spent [2]float64 // of the burst, by kind
	when  [2]time.Time
}

// sighting is what is told once in a while.
type sighting struct {
	enrollee state.Enrollee
	needed   bool
}

// admit reports whether a sighting is to be told, and remembers it.
func (s *sightings) admit(now time.Time, d state.Enrollee, needed bool) bool {
	key, kind := sighting{d, needed}, 0
	if needed {
		kind = 1
	}
	if last, known := s.told[key]; known && now.Sub(last) < sightingPause {
		return false
	}
	s.spent[kind] = max(0, s.spent[kind]-now.Sub(s.when[kind]).Seconds()/sightingRefill.Seconds())
	s.when[kind] = now
	if s.spent[kind]+1 > sightingBurst {
		return false
	}
	s.spent[kind]++
	if s.told == nil {
		s.told = make(map[sighting]time.Time)
	}
	if len(s.told) >= maxSightings { // never with these numbers, if nobody holds the clock
		clear(s.told)
	}
	for other, last := range s.told {
		if now.Sub(last) >= sightingPause {
			delete(s.told, other)
		}
	}
	s.told[key] = now
	return true
}
