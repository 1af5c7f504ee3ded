package search

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"wpsd/drivers"
	"wpsd/engine/discovery"
	"wpsd/engine/wsc"
)

// When the button of any access point is answered, and where to look until then.
//
// A person calls, walks to the router and presses: what they wait for from then on is our next look
// at the router's channel. wpa_supplicant scans everything again and again, 4 to 8 s. We know where
// the access points with WPS are once all channels were looked at, and look there several times a
// second (watch), and between at a slice of all channels, so that each is looked at once in 8 s or
// a little more.
//
// A pressed button is answered when it is known to be the only one:
//
//   - All channels were looked at within the last 10 s (Fresh), by any scan of ours, or by one of
//     others before this session that would have heard a pressed button (package listening).
//   - Each channel with an access point of another router that has WPS was looked at once more, after the
//     button was seen. A button is pressed at an access point that was there before, so this finds
//     whatever was pressed until a moment ago, and costs 0.07 s a channel rather than 4 s.
//
// The limits: a second button at an access point that was not heard before (it was switched on, or
// came into reach, within 10 s), or that shows its WSC element while its button is pressed only, is
// missed if it was pressed after its channel was looked at. And a button that is pressed after we
// have answered another is none of ours any more; with wpa_supplicant, which takes 4 to 8 s to
// answer, that is an overlap. The access points' own overlap check, which counts stations, is not
// affected by any of this.
//
// Battery: the watch slows down, its pause is 250 ms, 500 ms after half a minute, 1 s after a
// minute. All looks together, fewer than 300 in two minutes, keep the radio busy for three quarters
// of the time in the beginning, and half of it after a minute; scans of everything without end did
// for nine tenths.
const (
	watchPause  = 250 * time.Millisecond
	slicePeriod = 8 * time.Second
	sliceTime   = 400 * time.Millisecond // at most, so that the watch is not kept waiting
	// checkTime is how long the last look before a button is answered may take. All looks counted
	// then when it began.
	checkTime = 5 * time.Second
	// goneTime is when an access point that was not heard again is gone: its channel was looked at
	// three times by then.
	goneTime = 3 * Fresh
)

// watch is the state of looking for a pressed button.
type watch struct {
	next     time.Time        // when the watch is due
	slice    time.Time        // when a slice is due
	swept    time.Time        // everything was looked at after that
	covered  time.Time        // the newest moment at which all looks counted
	answered map[wsc.MAC]bool // whose buttons were answered: they were the only ones
}

// pace is the time between two looks at the same channel.
func (s *Search) pace(now time.Time) time.Duration {
	switch waited := now.Sub(s.began); {
	case waited < 30*time.Second:
		return watchPause
	case waited < 60*time.Second:
		return 2 * watchPause
	}
	return 4 * watchPause
}

// nextButton is Next for push button.
func (s *Search) nextButton(now time.Time) Step {
	active, err := discovery.PickPBC(s.present(now), s.goal.BSSID)
	if err != nil && !errors.Is(err, discovery.ErrNone) {
		return Step{Err: err}
	}
	if step, ok := s.answer(now, active); ok {
		return step
	}
	if !s.goal.BSSID.IsZero() {
		return s.nextLook(now)
	}
	return s.nextWatch(now, active)
}

// present leaves out who was not heard again in several looks at its channel: a router that lost
// power while its button was pressed is no overlap with the one that is pressed next.
func (s *Search) present(now time.Time) []discovery.Candidate {
	return slices.DeleteFunc(s.list(), func(c discovery.Candidate) bool {
		return now.Sub(s.heard[c.BSSID].look) > goneTime
	})
}

// answer finds which BSS of the router whose button is pressed to try now, or where to look before.
func (s *Search) answer(now time.Time, active []discovery.Candidate) (Step, bool) {
	ready := s.ready(now, active)
	if len(ready) == 0 {
		return Step{}, false
	}
	if s.goal.BSSID.IsZero() && !s.answered(active) {
		if owed, complete := s.owed(now, active); !complete {
			return Step{Look: Look{Frequencies: owed, Check: true}}, true
		}
	}
	for _, m := range ready {
		ask, hides := s.hides(m)
		switch {
		case ask != nil:
			return *ask, true
		case !hides:
			for _, c := range active {
				s.button.answered[c.BSSID] = true
			}
			return s.try(m), true
		}
	}
	if len(ready) == len(active) {
		return Step{Err: ErrHidden}, true
	}
	return Step{}, false
}

// answered reports whether the router's button was answered before: then it was the only one.
func (s *Search) answered(active []discovery.Candidate) bool {
	return slices.ContainsFunc(active, func(c discovery.Candidate) bool {
		return s.button.answered[c.BSSID]
	})
}

// ready are the BSSs with a pressed button that may be tried now: those that failed least, then the
// strongest. Where one of the router has been silent, those of the 2.4 GHz band come before the
// other ones: a multi-link access point answers a station without links on one of its links only
// (hostapd's development branch of 2026: the first), which is mostly there.
func (s *Search) ready(now time.Time, active []discovery.Candidate) []wsc.MAC {
	var list []wsc.MAC
	for _, c := range active {
		k := s.heard[c.BSSID]
		if s.due(now, &k) && now.Sub(k.look) <= Fresh && !s.otherNetwork(&c) {
			list = append(list, c.BSSID)
		}
	}
	slices.SortStableFunc(list, func(a, b wsc.MAC) int {
		return cmp.Or(cmp.Compare(s.tries.pauses[a].count, s.tries.pauses[b].count),
			cmp.Compare(s.afterSilence(a), s.afterSilence(b)))
	})
	return list
}

// afterSilence ranks a BSS of a router of which one was silent.
func (s *Search) afterSilence(m wsc.MAC) int {
	if s.tries.silent && wsc.BandOf(s.heard[m].Frequency) != wsc.Band24GHz {
		return 1
	}
	return 0
}

// owed are the channels to look at before a button is answered; complete: none.
func (s *Search) owed(now time.Time, active []discovery.Candidate) (frequencies []int,
	complete bool) {
	if len(s.channels) == 0 { // the driver does not say which there are
		return nil, s.closed
	}
	var shown time.Time // when it was first known
	router := make(map[wsc.MAC]bool)
	for _, c := range active {
		router[c.BSSID] = true
		if k := s.heard[c.BSSID]; shown.IsZero() || k.shown.Before(shown) {
			shown = k.shown
		}
	}
	others := make(map[int]bool)
	for _, list := range [][]discovery.Candidate{s.hints, s.list()} {
		for _, c := range list {
			if !router[c.BSSID] && !discovery.SameAP(&c, &active[0]) {
				others[c.Frequency] = true
			}
		}
	}
	covered := now.Sub(s.button.covered) <= checkTime
	for _, c := range s.channels {
		f := c.Frequency
		if !covered && !s.isFresh(now, f) || others[f] && s.looked[f].Before(shown) {
			frequencies = append(frequencies, f)
		}
	}
	return frequencies, len(frequencies) == 0
}

// nextWatch looks everywhere once, and from then on at the channels where a button may be pressed,
// and at slices of all.
func (s *Search) nextWatch(now time.Time, active []discovery.Candidate) Step {
	if now.Before(s.rest) {
		return Step{Wait: s.rest.Sub(now)}
	}
	stale := s.stale(now)
	switch {
	case len(s.channels) == 0:
		return Step{Look: Look{}}
	case len(active) == 0 && !s.closed && 2*len(stale) > len(s.channels): // one scan is quicker than several
		return Step{Look: Look{Frequencies: stale}}
	}
	if s.button.slice.IsZero() {
		s.button.slice = now.Add(s.pace(now))
	}
	due := s.button.next
	for _, c := range active {
		if p := s.tries.pauses[c.BSSID]; p.until.After(now) && p.until.Before(due) {
			due = p.until
		}
	}
	switch {
	case !now.Before(due):
		return Step{Look: Look{Frequencies: s.watching(active)}}
	case !now.Before(s.button.slice):
		return Step{Look: Look{Frequencies: s.oldest(now), slice: true}}
	case s.button.slice.Before(due):
		due = s.button.slice
	}
	return Step{Wait: due.Sub(now)}
}

// stale are the channels whose newest look no longer counts.
func (s *Search) stale(now time.Time) []int {
	var list []int
	for _, c := range s.channels {
		if !s.isFresh(now, c.Frequency) {
			list = append(list, c.Frequency)
		}
	}
	return list
}

// watching are the channels where a button may be pressed next: of the router whose button is, else
// of access points with WPS, the strongest, else the likely ones.
func (s *Search) watching(active []discovery.Candidate) []int {
	known := active
	if len(known) == 0 {
		known = s.known()
	}
	list := open(s.channels, knownFrequencies(known, true, wsc.MAC{}))
	if len(list) > 0 {
		return list
	}
	for _, c := range s.channels {
		if len(list) < maxKnown && likely(c, s.channels) {
			list = append(list, c.Frequency)
		}
	}
	if len(list) == 0 {
		list = append(list, s.channels[0].Frequency)
	}
	return list
}

// oldest are the channels that were not looked at for longest, as many as fit into a slice.
func (s *Search) oldest(now time.Time) []int {
	order := slices.Clone(s.channels)
	age := func(c drivers.Channel) time.Duration {
		if t, ok := s.looked[c.Frequency]; ok {
			return now.Round(0).Sub(t.Round(0))
		}
		return time.Hour
	}
	slices.SortStableFunc(order, func(a, b drivers.Channel) int {
		return cmp.Compare(age(b), age(a))
	})
	return firstSlice(order)
}

// firstSlice is as many of the channels as fit into a slice, at least one.
func firstSlice(channels []drivers.Channel) []int {
	var list []int
	var takes time.Duration
	for _, c := range channels {
		if takes += lookTime(c); takes > sliceTime && len(list) > 0 {
			break
		}
		list = append(list, c.Frequency)
	}
	return list
}

// watched takes in a look of the watch, and reports whether everything was looked at since it last
// said so.
func (s *Search) watched(began, now time.Time, look Look) (swept bool) {
	// at the end of a slow scan, too, everything was looked at
	s.closed = len(look.Frequencies) >= len(s.channels)
	if s.closed || len(s.stale(now)) == 0 {
		s.button.covered = now
	}
	if len(look.SSID) > 0 {
		return false
	}
	if look.slice {
		s.button.slice = began.Add(s.sliceEvery())
	} else {
		s.button.next = now.Add(s.pace(now))
	}
	if len(s.channels) == 0 {
		s.rest = now.Add(rescanPause)
	}
	for _, c := range s.channels {
		if t, ok := s.looked[c.Frequency]; !ok || !t.After(s.button.swept) {
			return false
		}
	}
	s.sweeps++
	s.button.swept = now
	return true
}

// sliceEvery is the time between two slices, so that all of them take slicePeriod.
func (s *Search) sliceEvery() time.Duration {
	count := time.Duration(0)
	for rest := s.channels; len(rest) > 0; count++ {
		rest = rest[len(firstSlice(rest)):]
	}
	return slicePeriod / max(count, 1)
}
