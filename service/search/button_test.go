package search

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

// TestTwoButtons holds the overlap check: of two buttons the search answers one only while the
// other was not pressed yet, as of the last look before the answer. Pressed at the same moment they
// are an overlap, always.
func TestTwoButtons(t *testing.T) {
	t.Parallel()
	// the look that showed the button, and the last one before the answer
	const slack = 800 * time.Millisecond
	for _, channels := range []struct {
		name      string
		one, two  int
		alsoThere []int // other access points with WPS, which nobody presses
	}{
		{"the same channel", 2437, 2437, nil},
		{"neighbouring channels", 2437, 2442, nil},
		{"far channels", 2412, 2462, nil},
		{"another band", 2437, 5180, nil},
		{"a channel for listening at the end", 2437, 5700, nil},
		{"many others there", 5180, 5700, []int{2412, 2417, 2437, 2462, 5500, 5520}},
	} {
		for _, apart := range []time.Duration{0, time.Second, 3 * time.Second, 6 * time.Second} {
			for _, order := range []string{"one first", "two first"} {
				t.Run(fmt.Sprintf("%s, %v apart, %s", channels.name, apart, order),
					func(t *testing.T) {
						t.Parallel()
						for phase := range 24 {
							first := 14*time.Second + time.Duration(phase)*167*time.Millisecond
							at := []time.Duration{first, first + apart}
							if order == "two first" {
								slices.Reverse(at)
							}
							m := newModel(router(1, channels.one, at[0]),
								router(2, channels.two, at[1]))
							for i, f := range channels.alsoThere {
								m.air = append(m.air, router(byte(10+i), f, -1))
							}
							step, when := m.run(m.search(), 60*time.Second)
							checkOverlap(t, step, when, first, first+apart, apart == 0, slack)
						}
					})
			}
		}
	}
}

// checkOverlap fails unless a search ended with session overlap, or tried somebody before the
// second button was pressed.
func checkOverlap(t *testing.T, step Step, when, first, second time.Duration, always bool,
	slack time.Duration) {
	t.Helper()
	_, overlap := errors.AsType[*discovery.OverlapError](step.Err)
	switch {
	case overlap && when >= second:
	case overlap:
		t.Errorf("an overlap at %v, before the second was pressed at %v", when, second)
	case step.Try == nil:
		t.Errorf("pressed at %v: nobody was tried until %v: %v", first, when, step.Err)
	case always || when > second+slack:
		t.Errorf("pressed at %v and %v: %s was tried at %v", first, second, step.Try.BSSID, when)
	}
}

// TestPressToAnswer holds what a person waits for who calls, walks to the router and presses, and
// what the radio does meanwhile. wpa_supplicant scans everything each time: 3 s here.
func TestPressToAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		air        []int // other access points with WPS
		mean, most time.Duration
	}{
		{"one access point", nil, 350 * time.Millisecond, 800 * time.Millisecond},
		{"five access points", []int{2412, 2462, 5180, 5500}, 1050 * time.Millisecond,
			1600 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var sum, most time.Duration
			const runs = 60
			for n := range runs {
				pressed := 14*time.Second + time.Duration(n)*53*time.Millisecond
				m := newModel(router(1, 2437, pressed))
				for i, f := range c.air {
					m.air = append(m.air, router(byte(10+i), f, -1))
				}
				step, when := m.run(m.search(), 60*time.Second)
				if step.Try == nil {
					t.Fatalf("%v", step.Err)
				}
				sum, most = sum+when-pressed, max(most, when-pressed)
			}
			t.Logf("mean %v, most %v", sum/runs, most)
			if sum/runs > c.mean || most > c.most {
				t.Errorf("mean %v, most %v", sum/runs, most)
			}
		})
	}
}

// TestWatchSlowsDown: nobody presses. The looks become fewer, each channel is looked at once in
// Fresh all the same, and the radio rests for about half of the time.
func TestWatchSlowsDown(t *testing.T) {
	t.Parallel()
	m := newModel(router(1, 2437, -1), router(2, 5180, -1))
	s := m.search()
	scans, busy := 0, time.Duration(0)
	for i, c := range []struct {
		scans int
		share float64
	}{{90, 0.80}, {70, 0.60}, {60, 0.55}, {60, 0.55}} {
		m.run(s, time.Duration(i+1)*30*time.Second)
		share := float64(m.busy-busy) / float64(30*time.Second)
		t.Logf("%d s: %d scans, busy %.2f", 30*i, m.scans-scans, share)
		if m.scans-scans > c.scans || share > c.share {
			t.Errorf("%d s: %d scans, busy %.2f", 30*i, m.scans-scans, share)
		}
		scans, busy = m.scans, m.busy
		if stale := s.stale(m.now); len(stale) > 0 {
			t.Errorf("%d s: no look at %v for %v", 30*i, stale, Fresh)
		}
	}
}

// TestAfterAScan: what was just looked at need not be looked at again.
func TestAfterAScan(t *testing.T) {
	t.Parallel()
	m := newModel(router(1, 2437, 5*time.Second), router(2, 5180, -1))
	looked := make(map[int]time.Time)
	for _, f := range Frequencies(m.channels) {
		looked[f] = noon
	}
	hints := m.look(Look{Frequencies: Frequencies(m.channels)})
	m.now, m.scans = noon.Add(6*time.Second), 0
	s := New(Goal{Button: true}, m.now, looked,
		[]discovery.Candidate{hints.Candidates[0].Candidate, hints.Candidates[1].Candidate})
	s.SetChannels(m.channels)
	step, when := m.run(s, 60*time.Second)
	if step.Try == nil || when > 7*time.Second || m.scans > 2 {
		t.Errorf("%+v after %v, %d scans", step, when, m.scans)
	}
}

// TestTwoButtonsAfterAScan holds the same where all channels were looked at before the call, by
// whomever: during that scan, after it, with it, with the call and after the call are buttons
// pressed.
func TestTwoButtonsAfterAScan(t *testing.T) {
	t.Parallel()
	const call, slack = 6 * time.Second, 800 * time.Millisecond
	for _, channels := range [][2]int{{2437, 2437}, {2437, 2442}, {2412, 2462}, {2437, 5180},
		{2437, 5700}} {
		for _, apart := range []time.Duration{0, time.Second, 3 * time.Second, 6 * time.Second} {
			for phase := range 40 {
				first := time.Duration(phase) * 250 * time.Millisecond
				at := []time.Duration{first, first + apart}
				if phase%2 == 1 {
					slices.Reverse(at)
				}
				m := newModel(router(1, channels[0], at[0]), router(2, channels[1], at[1]))
				looked := make(map[int]time.Time)
				for _, f := range Frequencies(m.channels) {
					looked[f] = noon
				}
				var hints []discovery.Candidate
				for _, c := range m.look(Look{Frequencies: Frequencies(m.channels)}).Candidates {
					hints = append(hints, c.Candidate)
				}
				m.now = noon.Add(call)
				s := New(Goal{Button: true}, m.now, looked, hints)
				s.SetChannels(m.channels)
				step, when := m.run(s, 60*time.Second)
				second := first + apart
				checkOverlap(t, step, when, max(first, call), max(second, call), apart == 0 ||
					second <= call, slack)
				if t.Failed() {
					t.Fatalf("%v, pressed at %v", channels, at)
				}
			}
		}
	}
}

// TestGone: a router that lost power while its button was pressed is no overlap with the one that
// is pressed later; one that is missed in a look or two is.
func TestGone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		second time.Duration // when the other button is pressed
		tried  bool
	}{{15 * time.Second, false}, {50 * time.Second, true}} {
		m := newModel(router(1, 2437, 0), router(2, 5180, c.second))
		s := m.search()
		step, _ := m.run(s, 60*time.Second)
		if step.Try == nil {
			t.Fatal(step.Err)
		}
		s.Failed(m.now, step.Try.BSSID, Broken)
		m.air = m.air[1:]
		step, when := m.run(s, 90*time.Second)
		if (step.Try != nil) != c.tried || (step.Err != nil) == c.tried || when < c.second {
			t.Errorf("pressed at %v: %+v at %v", c.second, step, when)
		}
	}
}

// TestSilentLink: of a router with three BSSs the strongest is silent, as all links of a multi-link
// access point but one are to a station without links. The one in the 2.4 GHz band is next, though
// the third is stronger, and it is tried at once.
func TestSilentLink(t *testing.T) {
	t.Parallel()
	links := []transmitter{router(1, 5180, 0), router(2, 5500, 0), router(3, 2437, 0)}
	for i := range links {
		links[i].uuid = links[0].uuid
	}
	for _, c := range []struct {
		outcome Outcome
		next    byte
	}{{Silent, 3}, {Refused, 2}} {
		m := newModel(links...)
		s := m.search()
		var tried []byte
		for range 2 {
			step, _ := m.run(s, 60*time.Second)
			if step.Try == nil {
				t.Fatal(step.Err)
			}
			tried = append(tried, step.Try.BSSID[5])
			m.now = m.now.Add(10 * time.Second) // how long the attempt took
			s.Failed(m.now, step.Try.BSSID, c.outcome)
		}
		if !slices.Equal(tried, []byte{1, c.next}) {
			t.Errorf("after %v: %v", c.outcome, tried)
		}
	}
}

// TestSlowRadio: a radio that takes longer for everything than a look counts gets there, too.
func TestSlowRadio(t *testing.T) {
	t.Parallel()
	now, scans := noon, 0
	s := New(Goal{Button: true}, now, nil, nil)
	s.SetChannels(world())
	home := sighted(1, 2437, discovery.PBC, discovery.AnyAuthorized)
	other := sighted(2, 5180, discovery.Plain, discovery.NotAuthorized)
	for scans < 20 {
		step := s.Next(now)
		if step.Try != nil {
			return
		}
		if step.Wait > 0 {
			now = now.Add(step.Wait)
			continue
		}
		began := now
		now, scans = now.Add(time.Duration(len(
			step.Look.Frequencies))*500*time.Millisecond), scans+1
		var found Found
		for _, c := range []Candidate{home, other} {
			if c.Seen = now; slices.Contains(step.Look.Frequencies, c.Frequency) {
				found.Candidates = append(found.Candidates, c)
			}
		}
		s.Looked(began, now, step.Look, found)
	}
	t.Error("nobody was tried")
}

// TestNoChannels: a driver that does not say what there is looks at everything each time.
func TestNoChannels(t *testing.T) {
	t.Parallel()
	s := New(Goal{Button: true}, noon, nil, nil)
	s.SetChannels(nil)
	c := sighted(1, 2437, discovery.PBC, discovery.AnyAuthorized)
	step := s.Next(noon)
	if step.Look.Frequencies != nil || step.Wait != 0 {
		t.Fatalf("%+v", step)
	}
	s.Looked(noon, noon.Add(4*time.Second), step.Look, Found{Candidates: []Candidate{c}})
	if step := s.Next(noon.Add(4 * time.Second)); step.Try == nil || step.Try.BSSID != c.BSSID {
		t.Errorf("%+v", step)
	}
}

// TestClockSetBack: looks in the future do not count.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	s := New(Goal{Button: true}, noon, map[int]time.Time{2412: noon.Add(time.Hour)}, nil)
	s.SetChannels([]drivers.Channel{{Frequency: 2412}})
	if stale := s.stale(noon); !slices.Equal(stale, []int{2412}) {
		t.Errorf("%v", stale)
	}
}

// sighted is an access point as a test hears it.
func sighted(n byte, frequency int, class discovery.Class, authorized int) Candidate {
	return Candidate{Candidate: discovery.Candidate{
		BSSID: wsc.MAC{2, 0, 0, 0, 9, n}, SSID: []byte("x"), Frequency: frequency,
		Signal: -50 - int(n), Class: class, Authorized: authorized,
		Ad: &wsc.Advertisement{SelectedRegistrar: class > discovery.Plain, UUIDE: wsc.UUID{n},
			HasUUIDE: true}, Seen: noon,
	}}
}
