package service

import (
	"errors"
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
	europe := slices.Concat(active(2412, 2417, 2422, 2437, 2462), passive(2467, 2472), active(5180, 5200), passive(5260, 5500, 5745, 5955, 902, 904, 904))
	for _, c := range []struct {
		name     string
		channels []drivers.Channel
		known    []int
		want     [][]int
	}{
		{
			"without knowledge 1, 6, 11 come first and radar channels last; 6 GHz and 900 MHz never", europe, nil,
			[][]int{{2412, 2437, 2462}, {2417, 2422}, {5180, 5200}, {2467, 2472}, {5745}, {5260, 5500}},
		},
		{
			"the best known channel comes alone, the other known ones second", europe, []int{5500, 2437, 2417},
			[][]int{{5500}, {2437, 2417}, {2412, 2462}, {2422}, {5180, 5200}, {2467, 2472}, {5745}, {5260}},
		},
		{
			"a channel that the radio may no longer use is left out", europe, []int{5955, 7},
			[][]int{{2412, 2437, 2462}, {2417, 2422}, {5180, 5200}, {2467, 2472}, {5745}, {5260, 5500}},
		},
		{
			"a radio with 5 GHz only", slices.Concat(passive(5500), active(5180)), nil, [][]int{{5180}, {5500}},
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
func ap(n byte, frequency int, class discovery.Class, authorized int, age time.Duration) discovery.Candidate {
	return discovery.Candidate{
		BSSID: wsc.MAC{2, 0, 0, 0, 9, n}, Frequency: frequency, Signal: -50 - int(n), Class: class, Authorized: authorized,
		Ad: &wsc.Advertisement{SelectedRegistrar: class > discovery.Plain}, Seen: noon.Add(-age),
	}
}

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func TestKnownFrequencies(t *testing.T) {
	t.Parallel()
	all := []discovery.Candidate{
		ap(1, 2412, discovery.Plain, 0, 0), ap(2, 2437, discovery.PBC, 0, 0), ap(3, 5180, discovery.Auth, 2, 0),
		ap(4, 5180, discovery.Plain, 0, 0), ap(5, 5500, discovery.Plain, 0, 0), ap(6, 5520, discovery.Plain, 0, 0),
	}
	for _, c := range []struct {
		name   string
		method Method
		want   wsc.MAC
		list   []int
	}{
		{"with a PIN those that know us come first, each channel once, four at most", MethodPIN, wsc.MAC{}, []int{5180, 2437, 2412, 5500}},
		{"with a push button the pressed ones come first", MethodPBC, wsc.MAC{}, []int{2437, 5180, 2412, 5500}},
		{"of a named access point its channel only", MethodPIN, wsc.MAC{2, 0, 0, 0, 9, 5}, []int{5500}},
		{"a named one that was never heard has none", MethodPBC, wsc.MAC{2, 0, 0, 0, 9, 99}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := knownFrequencies(all, c.method, c.want); !slices.Equal(got, c.list) {
				t.Errorf("%v", got)
			}
		})
	}
}

func TestChoose(t *testing.T) {
	t.Parallel()
	air := slices.Concat(active(2412, 2437), passive(5500))
	looked := func(ages ...time.Duration) map[int]time.Time {
		m := make(map[int]time.Time)
		for i, age := range ages {
			m[air[i].Frequency] = noon.Add(-age)
		}
		return m
	}
	const s = time.Second
	one, two := ap(1, 2412, discovery.PBC, 1, s), ap(2, 2437, discovery.PBC, 1, s)
	pressed := map[wsc.MAC]bool{one.BSSID: true}
	for _, c := range []struct {
		name    string
		v       view
		want    byte // last byte of the BSSID; 0: nobody yet
		overlap bool
	}{
		{"PBC: a pressed button counts when all channels were looked at and it was pressed then", view{method: MethodPBC, pressed: pressed, heard: []discovery.Candidate{one}, looked: looked(s, s, 9*s)}, 1, false},
		{"PBC: one pressed since all channels were looked at may not be the only one", view{method: MethodPBC, heard: []discovery.Candidate{one}, looked: looked(s, s, 9*s)}, 0, false},
		{"PBC: not before", view{method: MethodPBC, pressed: pressed, heard: []discovery.Candidate{one}, looked: looked(s, s)}, 0, false},
		{"PBC: a look of eleven seconds ago no longer counts", view{method: MethodPBC, pressed: pressed, heard: []discovery.Candidate{one}, looked: looked(s, s, 11*s)}, 0, false},
		{"PBC: nor one in the future, after the clock was set back", view{method: MethodPBC, pressed: pressed, heard: []discovery.Candidate{one}, looked: looked(s, s, -s)}, 0, false},
		{"PBC: at the end of a slow scan all channels were looked at", view{method: MethodPBC, heard: []discovery.Candidate{one}, looked: looked(s, s, 20*s), complete: true}, 1, false},
		{"PBC: an access point not heard lately is only a hint", view{method: MethodPBC, heard: []discovery.Candidate{ap(1, 2412, discovery.PBC, 1, 40*s)}, looked: looked(s, s, s)}, 0, false},
		{"PBC: two are an overlap, whatever was looked at", view{method: MethodPBC, heard: []discovery.Candidate{one, two}}, 0, true},
		{"PBC: a named one needs no other channel", view{method: MethodPBC, want: two.BSSID, heard: []discovery.Candidate{one, two}}, 2, false},
		{"PBC: one without a pressed button is nobody", view{method: MethodPBC, heard: []discovery.Candidate{ap(1, 2412, discovery.Plain, 0, s)}, complete: true}, 0, false},
		{"PIN: one that lists us is taken at once", view{heard: []discovery.Candidate{ap(1, 5500, discovery.Auth, 2, s)}}, 1, false},
		{"PIN: one that lists anybody waits for the likely channels", view{heard: []discovery.Candidate{ap(1, 2412, discovery.Auth, 1, s)}, looked: looked(s)}, 0, false},
		{"PIN: and is taken after them", view{heard: []discovery.Candidate{ap(1, 2412, discovery.Auth, 1, s)}, looked: looked(s, s)}, 1, false},
		{"PIN: one that lists nobody is not taken", view{heard: []discovery.Candidate{ap(1, 2412, discovery.PIN, 0, s)}, complete: true}, 0, false},
		{"PIN: unless it is time to try everybody", view{heard: []discovery.Candidate{ap(1, 2412, discovery.Plain, 0, s)}, complete: true, openToAll: true}, 1, false},
		{"PIN: everybody is tried after all channels only", view{heard: []discovery.Candidate{ap(1, 2412, discovery.Plain, 0, s)}, looked: looked(s, s), openToAll: true}, 0, false},
		{"PIN: a named one is taken where it is heard, ready or not", view{want: wsc.MAC{2, 0, 0, 0, 9, 1}, heard: []discovery.Candidate{ap(1, 5500, discovery.Plain, 0, s)}}, 1, false},
		{"PIN: one to be left alone is skipped for the next", view{heard: []discovery.Candidate{ap(7, 2412, discovery.Auth, 2, s), ap(1, 2412, discovery.Auth, 2, s), ap(8, 2412, discovery.Auth, 2, s)}, skip: func(m wsc.MAC) bool { return m[5] == 1 }}, 7, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := c.v
			v.now, v.channels, v.recent = noon, air, noon.Add(-10*time.Second)
			if v.method == "" {
				v.method = MethodPIN
			}
			if v.skip == nil {
				v.skip = func(wsc.MAC) bool { return false }
			}
			got, err := v.choose()
			_, overlap := errors.AsType[*discovery.OverlapError](err)
			if overlap != c.overlap || got.BSSID[5] != c.want || (err == nil) != (c.want != 0) {
				t.Errorf("%v, %v", got.BSSID, err)
			}
		})
	}
}
