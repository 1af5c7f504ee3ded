package er

import (
	"fmt"
	"net/netip"
	"slices"

	"wpsd/engine/wsc"
)

// ledger checks what is told against what was told before.
type ledger struct {
	aps       map[APID]bool
	enrollees map[string]bool
	runs      map[RunID]bool // ended
}

func newLedger() *ledger {
	return &ledger{aps: map[APID]bool{}, enrollees: map[string]bool{}, runs: map[RunID]bool{}}
}

// note takes one event. again: Start was called while running, which tells everything once more.
func (l *ledger) note(e Event, again bool) error {
	enrollee := func(e Enrollee) string { return fmt.Sprint(e.AP, e.MAC) }
	switch e := e.(type) {
	case APAdded:
		if l.aps[e.AP.ID] && !again {
			return fmt.Errorf("access point %d is added twice", e.AP.ID)
		}
		l.aps[e.AP.ID] = true
	case APChanged:
		if !l.aps[e.AP.ID] {
			return fmt.Errorf("access point %d changes before it is added", e.AP.ID)
		}
	case APAsked:
		if !l.aps[e.AP.ID] {
			return fmt.Errorf("access point %d is asked and was not told of", e.AP.ID)
		}
	case APRemoved:
		if !l.aps[e.AP.ID] {
			return fmt.Errorf("access point %d is removed and was not there", e.AP.ID)
		}
		delete(l.aps, e.AP.ID)
		for key := range l.enrollees {
			var id APID
			if _, err := fmt.Sscan(key, &id); err == nil && id == e.AP.ID {
				return fmt.Errorf("Enrollee %s outlives its access point", key)
			}
		}
	case EnrolleeAdded:
		if l.enrollees[enrollee(e.Enrollee)] && !again {
			return fmt.Errorf("Enrollee %v is added twice", e.Enrollee.MAC)
		}
		l.enrollees[enrollee(e.Enrollee)] = true
	case EnrolleeChanged:
		if !l.enrollees[enrollee(e.Enrollee)] {
			return fmt.Errorf("Enrollee %v changes before it is added", e.Enrollee.MAC)
		}
	case EnrolleeRemoved:
		if !l.enrollees[enrollee(e.Enrollee)] {
			return fmt.Errorf("Enrollee %v is removed and was not there", e.Enrollee.MAC)
		}
		delete(l.enrollees, enrollee(e.Enrollee))
	case RunChanged:
		if l.runs[e.Run] {
			return fmt.Errorf("run %d goes on after its end", e.Run)
		}
	case RunEnded:
		if l.runs[e.Run] {
			return fmt.Errorf("run %d ends twice", e.Run)
		}
		l.runs[e.Run] = true
	}
	return nil
}

// check holds the books of a Registrar against each other and against the bounds.
func (r *Registrar) check() error {
	inLists := 0
	for i, l := range r.lists {
		if inLists += l.Len(); l.Len() > bounds[i] {
			return fmt.Errorf("%d access points of rank %d", l.Len(), i)
		}
	}
	onHosts, enrollees := 0, 0
	for addr, h := range r.hosts {
		if onHosts += len(h.aps); len(h.aps) > maxPerHost || h.busy > maxHostRequests ||
			len(h.aps) == 0 && h.busy == 0 {
			return fmt.Errorf("%v: %d access points, %d requests", addr, len(h.aps), h.busy)
		}
	}
	if inLists != len(r.aps) || onHosts != len(r.aps) {
		return fmt.Errorf("%d access points, %d in lists, %d on hosts", len(r.aps),
			inLists, onHosts)
	}
	for _, a := range r.aps {
		if err := r.checkAP(a); err != nil {
			return fmt.Errorf("%v: %w", a.Addr, err)
		}
		enrollees += len(a.enrollees)
	}
	for key, a := range r.bySID {
		if r.aps[a.ID] != a || a.sid != key.sid || a.Addr != key.from {
			return fmt.Errorf("subscription %v leads nowhere", key)
		}
	}
	for uuid, all := range r.byUUID {
		for _, a := range all {
			if r.aps[a.ID] != a || a.UUID != uuid {
				return fmt.Errorf("UUID %v leads to %v", uuid, a.Addr)
			}
		}
	}
	if err := r.checkClaims(); err != nil {
		return err
	}
	if enrollees != r.enrollees.Len() || enrollees > maxEnrollees {
		return fmt.Errorf("%d Enrollees, %d in the list", enrollees, r.enrollees.Len())
	}
	return r.checkCalls()
}

// checkClaims compares everybody with everybody.
func (r *Registrar) checkClaims() error {
	for _, a := range r.aps {
		var also []netip.Addr
		for _, b := range r.aps {
			if a.counts() && b.counts() && a.isRival(b) && !slices.Contains(also, b.Addr) {
				also = append(also, b.Addr)
			}
		}
		for _, at := range a.Also {
			if !slices.Contains(also, at) {
				return fmt.Errorf("%v is marked because of %v, which is no rival", a.Addr, at)
			}
		}
		if len(a.Also) != min(len(also), maxRivals) {
			return fmt.Errorf("%v has the rivals %v and not %v", a.Addr, a.Also, also)
		}
		for _, b := range a.waitsFor {
			if r.aps[b.ID] != b || b.doubt == 0 {
				return fmt.Errorf("%v waits for %v, which is asked nothing", a.Addr, b.Addr)
			}
		}
	}
	n := 0
	for key, list := range r.settings.byKey {
		for _, k := range list {
			if n++; k.key != key {
				return fmt.Errorf("settings of %v under %v", k.key, key)
			}
		}
	}
	if n != r.settings.count || n > maxSettings {
		return fmt.Errorf("%d settings, counted %d", n, r.settings.count)
	}
	return nil
}

func (r *Registrar) checkAP(a *ap) error {
	switch {
	case len(a.enrollees) > maxAPEnrollees, len(a.stations) > maxStations,
		len(a.messages) > maxOutbox, len(a.early) > maxEarly, len(a.names) > maxNames:
		return fmt.Errorf("%d Enrollees, %d runs, %d messages, %d early events, %d names",
			len(a.enrollees), len(a.stations), len(a.messages), len(a.early), len(a.names))
	case a.index >= 0 && r.timers[a.index] != a:
		return fmt.Errorf("not at %d in the heap", a.index)
	case !a.nextWake().IsZero() && a.index < 0:
		return fmt.Errorf("waits for %v and is not in the heap", a.nextWake())
	case a.index >= 0 && !a.nextWake().IsZero() && a.wake.After(a.nextWake()):
		return fmt.Errorf("waits for %v, but wakes at %v", a.nextWake(), a.wake)
	case a.busy != nil && a.busy.ap != a:
		return fmt.Errorf("waits for somebody else's request")
	case len(a.Also) > maxRivals, len(a.waitsFor) > maxRivals, len(a.waitsFor) > 0 &&
		a.want&wantSubscribe != 0:
		return fmt.Errorf("has rivals %v, waits for %d and wants %b", a.Also,
			len(a.waitsFor), a.want)
	case a.HasSettings && r.settings.of(&a.AP) == nil:
		return fmt.Errorf("says to have settings and has none")
	case a.busy == nil && !a.queued && a.want != 0 && a.retryAt.IsZero():
		return fmt.Errorf("wants %b, and nothing brings it on", a.want)
	case a.busy == nil && len(a.messages) > 0:
		return fmt.Errorf("has messages and sends none")
	}
	for mac, s := range a.stations {
		if s.mac != mac || s.ap != a || r.grants[s.grant.id] != s.grant || s.deadline.IsZero() {
			return fmt.Errorf("run with %v: grant over %v, deadline %v", mac,
				s.grant.over, s.deadline)
		}
	}
	return nil
}

func (r *Registrar) checkCalls() error {
	background, suspected := 0, 0
	busy := map[*ap]int{}
	for id, c := range r.calls {
		if c.background {
			background++
		}
		if c.suspect {
			suspected++
		}
		if busy[c.ap]++; busy[c.ap] > 1 {
			return fmt.Errorf("two requests under way to %v", c.ap.Addr)
		}
		if c.ap.busy != c {
			return fmt.Errorf("request %d to %v is forgotten", id, c.ap.Addr)
		}
	}
	if suspected != r.suspected || suspected > maxSuspects {
		return fmt.Errorf("%d requests to those who did not answer, counted %d", suspected,
			r.suspected)
	}
	if background != r.background || background > maxBackground {
		return fmt.Errorf("%d background requests, counted %d", background, r.background)
	}
	for id, g := range r.grants {
		if g.over || g.id != id {
			return fmt.Errorf("grant %d is over and there", id)
		}
	}
	return nil
}

// address is one of the addresses of the fuzzed network.
func address(n byte) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, 0, n}) }

// macOf is a station of the fuzzed network.
func macOf(n byte) wsc.MAC { return wsc.MAC{2, 0, 0, 1, 0, n} }
