package search

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"wpsd/drivers"
	"wpsd/engine/discovery"
	"wpsd/engine/wsc"
)

func active(f ...int) []drivers.Channel  { return channels(false, f) }
func passive(f ...int) []drivers.Channel { return channels(true, f) }

func channels(listen bool, frequencies []int) []drivers.Channel {
	var list []drivers.Channel
	for _, f := range frequencies {
		list = append(list, drivers.Channel{Frequency: f, Passive: listen})
	}
	return list
}

func TestSlices(t *testing.T) {
	t.Parallel()
	europe := slices.Concat(active(2412, 2417, 2422, 2437, 2462), passive(2467, 2472),
		active(5180, 5200), passive(5260, 5500, 5745, 5955, 902, 904, 904))
	for _, c := range []struct {
		name     string
		channels []drivers.Channel
		known    []int
		want     [][]int
	}{
		{
			"without knowledge 1, 6, 11 come first and radar channels last; 6 GHz and 900 MHz never", europe, nil,
			[][]int{{2412, 2437, 2462}, {2417, 2422}, {5180, 5200}, {2467, 2472}, {5745},
				{5260, 5500}},
		},
		{
			"the best known channel comes alone, the other known ones second", europe,
			[]int{5500, 2437, 2417},
			[][]int{{5500}, {2437, 2417}, {2412, 2462}, {2422}, {5180, 5200}, {2467, 2472},
				{5745}, {5260}},
		},
		{
			"a channel that the radio may no longer use is left out", europe, []int{5955, 7},
			[][]int{{2412, 2437, 2462}, {2417, 2422}, {5180, 5200}, {2467, 2472}, {5745},
				{5260, 5500}},
		},
		{
			"a radio with 5 GHz only", slices.Concat(passive(5500), active(5180)), nil,
			[][]int{{5180}, {5500}},
		},
		{"no channels, no slices", nil, []int{2412}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := slicesOf(usable(c.channels), c.known); fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
			var once, all []int
			for _, look := range slicesOf(usable(c.channels), c.known) {
				once = append(once, look...)
			}
			for _, ch := range usable(c.channels) {
				all = append(all, ch.Frequency)
			}
			slices.Sort(once)
			slices.Sort(all)
			if !slices.Equal(once, all) {
				t.Errorf("not each channel once: %v", once)
			}
		})
	}
}

// ap is a candidate on a channel, heard age ago.
func ap(n byte, frequency int, class discovery.Class, authorized int,
	age time.Duration) discovery.Candidate {
	return discovery.Candidate{
		BSSID: wsc.MAC{2, 0, 0, 0, 9, n}, Frequency: frequency, Signal: -50 - int(n), Class: class,
		Authorized: authorized,
		Ad:         &wsc.Advertisement{SelectedRegistrar: class > discovery.Plain},
		Seen:       noon.Add(-age),
	}
}

func TestKnownFrequencies(t *testing.T) {
	t.Parallel()
	all := []discovery.Candidate{
		ap(1, 2412, discovery.Plain, 0, 0), ap(2, 2437, discovery.PBC, 0, 0),
		ap(3, 5180, discovery.Auth, 2, 0),
		ap(4, 5180, discovery.Plain, 0, 0), ap(5, 5500, discovery.Plain, 0, 0),
		ap(6, 5520, discovery.Plain, 0, 0),
	}
	for _, c := range []struct {
		name   string
		button bool
		want   wsc.MAC
		list   []int
	}{
		{"with a PIN those that know us come first, each channel once, four at most", false,
			wsc.MAC{}, []int{5180, 2437, 2412, 5500}},
		{"with a push button the pressed ones come first", true, wsc.MAC{},
			[]int{2437, 5180, 2412, 5500}},
		{"of a named access point its channel only", false, wsc.MAC{2, 0, 0, 0, 9, 5}, []int{5500}},
		{"a named one that was never heard has none", true, wsc.MAC{2, 0, 0, 0, 9, 99}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := knownFrequencies(all, c.button, c.want); !slices.Equal(got, c.list) {
				t.Errorf("%v", got)
			}
		})
	}
}
