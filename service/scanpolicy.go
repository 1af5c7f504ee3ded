package service

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"wpsd/drivers"
	"wpsd/engine/discovery"
	"wpsd/engine/wsc"
)

// Where to look first, and when to stop looking.
//
// A scan of all channels takes 4 to 8 s, of which a run of M1 to M8 takes 0.1 s: what a user waits for is
// the scan. So we look in slices, the most likely channels first, and stop when what was asked for
// was found:
//
//   - With a BSSID named, at the slice that shows it (PIN), or shows its button pressed (PBC). The user
//     made the choice, there is nothing to compare it with.
//   - PIN with any: at the slice that shows an access point which lists our own address: its Registrar
//     was told of us. One that lists anybody (hostapd's wps_pin any, and every 1.0 access point with
//     a selected Registrar) is a weaker hint, since it may be a neighbour's that waits for somebody
//     else: it is taken once all likely channels were looked at, so that one nearby that knows us is
//     preferred. The limit: one that knows us on an unlikely channel comes second then. That costs an
//     attempt which ends before we prove anything (M2D, or a wrong first half).
//   - PBC with any: the overlap check is owed all channels. They count as looked at if that was done
//     within the last 10 s (fresh), by any scan of ours, and if that showed the button pressed that we
//     are about to answer: then a look at its one channel is enough. A button that was pressed since
//     then may not be the only one, so everything is looked at once more. The limit: a second button
//     that is pressed within these 10 s, after its channel was looked at, is missed. wpa_supplicant has the same gap of the length
//     of a scan (4 to 8 s), and the access points' own overlap check, which counts stations, is not
//     affected at all. Scans of others do not count: the kernel's cache tells what they heard, but
//     not where they listened in vain.
//
// What the cache knows is only ever a hint where to look first: whom we try was heard in this
// operation, answering a request of ours.
const fresh = 10 * time.Second

// maxKnown bounds the channels that are looked at first because access points are known there.
const maxKnown = 4

// usable leaves out where no WPS can be: 6 GHz, which has WPA3 only, and whatever else radios list (the
// kernel's simulated ones list 900 MHz, and refuse to scan there by frequency).
func usable(channels []drivers.Channel) []drivers.Channel {
	return slices.DeleteFunc(slices.Clone(channels), func(c drivers.Channel) bool { return wsc.BandOf(c.Frequency) == 0 })
}

// likelihood ranks a channel: which slice it belongs to when nothing is known.
func likelihood(c drivers.Channel) int {
	twoGHz := wsc.BandOf(c.Frequency) == wsc.Band24GHz
	switch {
	case c.Frequency == 2412 || c.Frequency == 2437 || c.Frequency == 2462:
		return 0 // 1, 6, 11: what access points choose on their own
	case twoGHz && !c.Passive:
		return 1
	case !c.Passive:
		return 2
	case twoGHz, c.Frequency >= 5170 && c.Frequency <= 5250:
		return 3 // listening takes three times as long; 36 to 48 need no radar detection
	case c.Frequency >= 5735:
		return 4
	}
	return 5 // where access points must give way to radar
}

// likely reports whether a channel is looked at before one that lists anybody is taken.
func likely(c drivers.Channel, channels []drivers.Channel) bool {
	is := func(c drivers.Channel) bool { return likelihood(c) <= 1 }
	if !slices.ContainsFunc(channels, is) {
		return !c.Passive // a radio without 2.4 GHz
	}
	return is(c)
}

// open returns those frequencies that are among the channels.
func open(channels []drivers.Channel, frequencies []int) []int {
	return slices.DeleteFunc(slices.Clone(frequencies), func(f int) bool {
		return !slices.ContainsFunc(channels, func(c drivers.Channel) bool { return c.Frequency == f })
	})
}

// slicesOf cuts the channels into looks, known frequencies first, the best of them alone.
func slicesOf(channels []drivers.Channel, known []int) [][]int {
	var looks [][]int
	known = open(channels, known)
	if len(known) > 0 {
		looks = append(looks, known[:1])
	}
	if len(known) > 1 {
		looks = append(looks, known[1:])
	}
	rest := slices.DeleteFunc(slices.Clone(channels), func(c drivers.Channel) bool { return slices.Contains(known, c.Frequency) })
	slices.SortStableFunc(rest, func(a, b drivers.Channel) int { return cmp.Compare(likelihood(a), likelihood(b)) })
	last := -1
	for _, c := range rest {
		if rank := likelihood(c); rank != last {
			last = rank
			looks = append(looks, nil)
		}
		looks[len(looks)-1] = append(looks[len(looks)-1], c.Frequency)
	}
	return looks
}

// knownFrequencies are those worth a look before all others, by what was heard before this operation.
func knownFrequencies(known []discovery.Candidate, method Method, want wsc.MAC) []int {
	order := discovery.OrderPIN(known, want, true)
	if method == MethodPBC {
		slices.SortStableFunc(order, func(a, b discovery.Candidate) int {
			return cmp.Compare(pressed(&b), pressed(&a))
		})
	}
	var list []int
	for _, c := range order {
		if len(list) < maxKnown && !slices.Contains(list, c.Frequency) {
			list = append(list, c.Frequency)
		}
	}
	return list
}

func pressed(c *discovery.Candidate) int {
	if c.Class == discovery.PBC {
		return 1
	}
	return 0
}

// view is all that the choice of an access point goes by.
type view struct {
	method    Method
	want      wsc.MAC // zero: any
	now       time.Time
	recent    time.Time // what was heard before that is a hint, not a choice
	channels  []drivers.Channel
	looked    map[int]time.Time // by frequency: when the newest look began
	heard     []discovery.Candidate
	pressed   map[wsc.MAC]bool // PBC: whose button a look before this operation showed pressed
	complete  bool             // all channels were looked at in one go, just now
	openToAll bool             // PIN: nobody waits for us; try everybody
	skip      func(wsc.MAC) bool
}

// covered reports whether all the channels that count were looked at not long ago.
func (v *view) covered(count func(drivers.Channel) bool) bool {
	if v.complete {
		return true
	}
	for _, c := range v.channels {
		t, ok := v.looked[c.Frequency]
		// By the wall clock: the monotonic one stands still while the computer sleeps.
		age := v.now.Round(0).Sub(t.Round(0))
		if count(c) && (!ok || age > fresh || age < 0) {
			return false
		}
	}
	return len(v.channels) > 0
}

func (v *view) coveredAll() bool { return v.covered(func(drivers.Channel) bool { return true }) }

func (v *view) coveredLikely() bool {
	return v.covered(func(c drivers.Channel) bool { return likely(c, v.channels) })
}

// choose picks whom to try now: discovery.ErrNone if nobody yet, *discovery.OverlapError.
func (v *view) choose() (discovery.Candidate, error) {
	if v.method == MethodPBC {
		return v.choosePBC()
	}
	for _, c := range discovery.OrderPIN(v.heard, v.want, v.openToAll) {
		switch {
		case c.Seen.Before(v.recent), v.skip(c.BSSID):
			continue
		case !v.want.IsZero(), c.Authorized == discovery.SelfAuthorized:
			return c, nil
		case c.Authorized == discovery.AnyAuthorized && v.coveredLikely(), v.coveredAll():
			return c, nil
		}
		break // a weaker one than this is not taken before it either
	}
	return discovery.Candidate{}, discovery.ErrNone
}

func (v *view) choosePBC() (discovery.Candidate, error) {
	c, err := discovery.PickPBC(v.heard, v.want)
	switch {
	case err != nil:
		return discovery.Candidate{}, err
	case c.Seen.Before(v.recent):
		return discovery.Candidate{}, discovery.ErrNone // a hint so far
	case v.want.IsZero() && !v.complete && (!v.pressed[c.BSSID] || !v.coveredAll()):
		return discovery.Candidate{}, discovery.ErrNone
	}
	return c, nil
}

// pressedLately is whose buttons known shows as pressed, not longer ago than a look counts.
func pressedLately(known []discovery.Candidate, now time.Time) map[wsc.MAC]bool {
	list := make(map[wsc.MAC]bool)
	for _, c := range known {
		if c.Class == discovery.PBC && now.Sub(c.Seen) <= fresh {
			list[c.BSSID] = true
		}
	}
	return list
}

// severalPressed reports whether known shows session overlap. That was before this operation: it may be
// over, so it does not end the session, but all channels are looked at anew.
func severalPressed(known []discovery.Candidate) bool {
	_, err := discovery.PickPBC(known, wsc.MAC{})
	return err != nil && !isNone(err)
}

// isNone separates what to wait out from what ends a session.
func isNone(err error) bool { return errors.Is(err, discovery.ErrNone) }
