package service

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"wpsd/engine/discovery"
	"wpsd/engine/wsc"
)

// find looks until there is somebody to try; scanpolicy.go says where to look and when that is.
func (e *enrolment) find(ctx context.Context) (candidate, error) {
	if c, err := e.choose(time.Now(), false); err == nil { // after a failed attempt: the next one is known already
		return c, nil
	}
	known := e.scan.known(ctx)
	e.pressed = pressedLately(known, time.Now())
	for {
		c, err := e.sweep(ctx, known)
		switch {
		case err == nil || !isNone(err):
			return c, err
		case e.lastPIN != nil && e.afterPIN > 0 && !e.generated:
			return candidate{}, e.lastPIN // everybody had a look at it, and nobody else is left
		}
		if err := pause(ctx, rescanPause); err != nil {
			return candidate{}, err
		}
		known = e.scan.candidates()
		if err := e.scan.readChannels(ctx); err != nil {
			return candidate{}, err
		}
	}
}

// sweep looks slice by slice and ends as soon as there is somebody to try.
func (e *enrolment) sweep(ctx context.Context, known []discovery.Candidate) (candidate, error) {
	start := time.Now()
	looks, all := e.looks(start, known)
	for n, look := range looks {
		complete := all && n == len(looks)-1
		if err := e.scan.look(ctx, look); err != nil {
			if errors.Is(err, errScanAgain) {
				return candidate{}, discovery.ErrNone
			}
			return candidate{}, err
		}
		for _, m := range e.scan.armed() {
			e.ignored.Forget(m)
		}
		if complete {
			e.swept()
		}
		c, err := e.choose(start, complete)
		if err == nil || !isNone(err) {
			return c, err
		}
	}
	e.narrowed(all)
	return candidate{}, discovery.ErrNone
}

// looks cuts this sweep into slices; all reports whether they cover everything.
func (e *enrolment) looks(now time.Time, known []discovery.Candidate) (looks [][]int, all bool) {
	channels := e.scan.channels
	if len(channels) == 0 {
		return [][]int{nil}, true // the driver does not say: everything at once
	}
	frequencies := open(channels, e.hinted(knownFrequencies(known, e.method, e.want)))
	_, heard := e.scan.heard[e.want]
	if len(frequencies) > 0 && e.narrow < narrowLooks && (heard || !e.want.IsZero() && e.sweeps > 0) {
		return [][]int{frequencies[:1]}, false // we wait for it on its channel
	}
	v := view{now: now, channels: channels, looked: e.scan.looked}
	if e.method == MethodPBC && e.want.IsZero() && (severalPressed(known) || !v.coveredAll()) {
		// All channels are owed to the overlap check, and one scan is quicker than several.
		clear(e.scan.looked)
		var whole []int
		for _, look := range slicesOf(channels, frequencies) {
			whole = append(whole, look...)
		}
		return [][]int{whole}, true
	}
	return slicesOf(channels, frequencies), true
}

// hinted puts the frequency that a handover told before those that are known otherwise.
func (e *enrolment) hinted(frequencies []int) []int {
	if e.hint == 0 {
		return frequencies
	}
	return append([]int{e.hint}, slices.DeleteFunc(frequencies, func(f int) bool { return f == e.hint })...)
}

// otherNetwork reports whether a handover named another network than the one that this access point has.
func (e *enrolment) otherNetwork(m wsc.MAC) bool {
	return len(e.ssid) > 0 && !bytes.Equal(e.scan.heard[m].SSID, e.ssid)
}

// swept notes that everything was looked at.
func (e *enrolment) swept() {
	e.sweeps++
	e.afterPIN++
	s := e.service
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := e.session.iface; s.interfaces[i.Name] == i {
		s.emit(ScanDone{Interface: i.Name, Success: true})
	}
}

// narrowed counts looks at one channel in vain; after a look at everything it begins anew.
func (e *enrolment) narrowed(all bool) {
	switch c, heard := e.scan.heard[e.want]; {
	case all, heard && time.Since(c.Seen) < time.Second:
		e.narrow = 0
	default:
		e.narrow++
	}
}

// choose asks the policy whom to try now.
func (e *enrolment) choose(sweepStart time.Time, complete bool) (candidate, error) {
	now := time.Now()
	recent := sweepStart.Add(-fresh)
	if recent.Before(e.began) {
		recent = e.began
	}
	v := view{
		method: e.method, want: e.want, now: now, recent: recent.Add(-seenSlack),
		channels: e.scan.channels, looked: e.scan.looked, heard: e.scan.candidates(), complete: complete, pressed: e.pressed,
		openToAll: e.sweeps >= openSweeps && now.Sub(e.began) >= openAfter,
		skip:      func(m wsc.MAC) bool { return e.wrongPIN[m] != nil || e.ignored.Blocked(now, m) || e.otherNetwork(m) },
	}
	c, err := v.choose()
	switch {
	case err == nil:
		return e.scan.heard[c.BSSID], nil
	case isNone(err) && e.scan.wpa3Only[e.want]:
		return candidate{}, errWPA3Only // the one that was named; it has no WPS, and cannot have any
	}
	return candidate{}, err
}
