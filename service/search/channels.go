package search

import (
	"cmp"
	"slices"
	"time"

	"wpsd/drivers"
	"wpsd/engine/discovery"
	"wpsd/engine/wsc"
)

// maxKnown bounds the channels that are looked at first, or again and again, because access points
// are known there.
const maxKnown = 4

// What a look at one channel takes: on an active one a question and the time for the answers, on a
// passive one a beacon interval and some (mac80211's software scan; other radios are of the same
// order).
const (
	activeTime  = 67 * time.Millisecond
	passiveTime = 110 * time.Millisecond
)

// lookTime is about what a look at a channel takes.
func lookTime(c drivers.Channel) time.Duration {
	if c.Passive {
		return passiveTime
	}
	return activeTime
}

// usable leaves out where no WPS can be: 6 GHz, and whatever else radios list (the kernel's
// simulated ones list 900 MHz, and refuse to scan there by frequency).
func usable(channels []drivers.Channel) []drivers.Channel {
	return slices.DeleteFunc(slices.Clone(channels), func(c drivers.Channel) bool {
		return wsc.WithoutWPS(c.Frequency)
	})
}

// sixGHz are the channels of the 6 GHz band.
func sixGHz(channels []drivers.Channel) []int {
	var list []int
	for _, c := range channels {
		if wsc.In6GHz(c.Frequency) {
			list = append(list, c.Frequency)
		}
	}
	return list
}

// Frequencies are those of the channels where WPS can be; nil if there are none.
func Frequencies(channels []drivers.Channel) []int {
	var list []int
	for _, c := range usable(channels) {
		list = append(list, c.Frequency)
	}
	return list
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
		return 3 // listening takes longer; 36 to 48 need no radar detection
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
		return !slices.ContainsFunc(channels, func(c drivers.Channel) bool {
			return c.Frequency == f
		})
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
	rest := slices.DeleteFunc(slices.Clone(channels), func(c drivers.Channel) bool {
		return slices.Contains(known, c.Frequency)
	})
	slices.SortStableFunc(rest, func(a, b drivers.Channel) int {
		return cmp.Compare(likelihood(a), likelihood(b))
	})
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

// knownFrequencies are those worth a look before all others, by what was heard before.
func knownFrequencies(known []discovery.Candidate, button bool, want wsc.MAC) []int {
	order := discovery.OrderPIN(known, want, true)
	if button {
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
