package search

import (
	"errors"
	"slices"
	"testing"
	"time"

	"wpsd/engine/discovery"
	"wpsd/engine/wsc"
)

// TestOffer: whom a password is offered to, by what was heard and where was looked.
func TestOffer(t *testing.T) {
	t.Parallel()
	air := slices.Concat(active(2412, 2437), passive(5500))
	const s = time.Second
	at := func(n byte, class discovery.Class, authorized int, age time.Duration) Candidate {
		c := sighted(n, 2412, class, authorized)
		c.Seen = noon.Add(-age)
		return c
	}
	for _, c := range []struct {
		name   string
		want   byte // last byte of the BSSID that was named; 0: any
		heard  []Candidate
		looked []time.Duration // how long ago, by channel
		sweeps int
		closed bool
		skip   func(*Search)
		picked byte // 0: nobody yet
	}{
		{name: "one that lists us is taken at once",
			heard: []Candidate{at(1, discovery.Auth, 2, s)}, picked: 1},
		{name: "one that lists anybody waits for the likely channels",
			heard: []Candidate{at(1, discovery.Auth, 1, s)}, looked: []time.Duration{s}},
		{name: "and is taken after them", heard: []Candidate{at(1, discovery.Auth, 1, s)},
			looked: []time.Duration{s, s}, picked: 1},
		{name: "a look of eleven seconds ago no longer counts",
			heard: []Candidate{at(1, discovery.Auth, 1, s)}, looked: []time.Duration{s, 11 * s}},
		{name: "nor one in the future, after the clock was set back",
			heard: []Candidate{at(1, discovery.Auth, 1, s)}, looked: []time.Duration{s, -s}},
		{name: "one that lists nobody is not taken", heard: []Candidate{at(1, discovery.PIN, 0, s)},
			closed: true},
		{name: "unless it is time to try everybody",
			heard: []Candidate{at(1, discovery.Plain, 0, s)}, closed: true, sweeps: 3, picked: 1},
		{name: "everybody is tried after all channels only",
			heard:  []Candidate{at(1, discovery.Plain, 0, s)},
			looked: []time.Duration{s, s}, sweeps: 3},
		{name: "one that was not heard lately is a hint",
			heard: []Candidate{at(1, discovery.Auth, 2, 40*s)}},
		{name: "a named one is taken where it is heard, ready or not", want: 1,
			heard: []Candidate{at(1, discovery.Plain, 0, s)}, picked: 1},
		{name: "one with another password is skipped for the next",
			heard: []Candidate{at(1, discovery.Auth, 2, s), at(7, discovery.Auth, 2, s)},
			skip:  func(s *Search) { s.tries.wrong[wsc.MAC{2, 0, 0, 0, 9, 1}] = true }, picked: 7},
		{name: "so is one that has none for us",
			heard: []Candidate{at(1, discovery.Auth, 2, s), at(7, discovery.Auth, 2, s)},
			skip: func(s *Search) {
				s.tries.ignored.Fail(noon, wsc.MAC{2, 0, 0, 0, 9, 1})
			}, picked: 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			goal := Goal{}
			if c.want != 0 {
				goal.BSSID = wsc.MAC{2, 0, 0, 0, 9, c.want}
			}
			s := New(goal, noon.Add(-10*time.Second), nil, nil)
			s.SetChannels(air)
			s.sweep, s.sweeps = noon, c.sweeps
			for _, k := range c.heard {
				s.hear(k, k.Seen, k.Seen)
			}
			for i, age := range c.looked {
				s.looked[air[i].Frequency] = noon.Add(-age)
			}
			s.closed = c.closed
			if c.skip != nil {
				c.skip(s)
			}
			step, ok := s.offer(noon)
			if ok != (c.picked != 0) || ok && (step.Try == nil || step.Try.BSSID[5] != c.picked) {
				t.Errorf("%+v, %v", step, ok)
			}
		})
	}
}

// TestFailed: which failure is the end, and when the same access point is tried again otherwise.
func TestFailed(t *testing.T) {
	t.Parallel()
	m := wsc.MAC{2, 0, 0, 0, 9, 1}
	button, pin, named, learn := Goal{Button: true}, Goal{}, Goal{BSSID: m},
		Goal{BSSID: m, Registrar: true}
	const never = -1
	ms := func(list ...time.Duration) []time.Duration {
		for i := range list {
			if list[i] > 0 {
				list[i] *= time.Millisecond
			}
		}
		return list
	}
	for _, c := range []struct {
		name   string
		goal   Goal
		o      Outcome
		pauses []time.Duration // after each failure; never: it is over
	}{
		{"a refused association, push button", button, Refused,
			ms(200, 500, 1000, 2000, 2000, 2000)},
		{"a refused association, PIN", pin, Refused, ms(200, 500, 1000, 2000, 2000)},
		{"a refused association, learn", learn, Refused, ms(200, 500, 1000, 2000, 2000)},
		{"no run begins", button, Silent, ms(200, 500, 1000)},
		{"a lost link, push button", button, Broken, ms(200, 500, 1000, 2000)},
		{"a lost link, PIN: it can be tried twice at hostapd", named, Broken,
			ms(3000, 10000, 10000)},
		{"a lost link, learn: the access point may count it as a guess", learn, Broken,
			ms(3000, 10000, never)},
		{"no without a reason, push button", button, Dismissed, ms(200, 500, never)},
		{"no without a reason, PIN", pin, Dismissed, ms(10000, 10000, 60000)},
		{"no with a reason, push button", button, Declined, ms(never)},
		{"no password for us, PIN", named, Declined, ms(10000, 10000, 60000, 120000)},
		{"no with a reason, learn", learn, Declined, ms(never)},
		{"a wrong second half", pin, WrongSecond, ms(never)},
		{"a wrong first half where the access point was named", named, WrongFirst, ms(never)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := New(c.goal, noon, nil, nil)
			now := noon
			k := sighted(1, 2412, discovery.PBC, discovery.AnyAuthorized)
			for i, want := range c.pauses {
				k.Seen = now
				s.hear(k, now, now)
				if over := s.Failed(now, m, c.o); over != (want == never) {
					t.Fatalf("failure %d: over %v", i+1, over)
				}
				if want == never {
					return
				}
				heard := sighting{Candidate: k, look: now.Add(want)}
				if s.due(now.Add(want-1), &heard) || !s.due(now.Add(want), &heard) {
					t.Errorf("failure %d: not after %v", i+1, want)
				}
				if heard.look = now.Add(-1); s.tries.pauses[m].count > 0 &&
					s.due(now.Add(want), &heard) {
					t.Errorf("failure %d: tried again without a look", i+1)
				}
				now = now.Add(want)
			}
		})
	}
}

// TestStrangers: three routers may prove themselves wrong about a PIN, whatever number of BSSs each
// has; after them only those that list our address are tried, and three of these.
func TestStrangers(t *testing.T) {
	t.Parallel()
	s := New(Goal{}, noon, nil, nil)
	hear := func(n, router byte, authorized int) *discovery.Candidate {
		k := sighted(n, 2412, discovery.Auth, authorized)
		k.Ad.UUIDE = wsc.UUID{router}
		s.hear(k, noon, noon)
		return &k.Candidate
	}
	for n := byte(1); n <= 3; n++ {
		if s.Failed(noon, hear(n, n, 1).BSSID, WrongFirst) {
			t.Fatal("over")
		}
		if s.tries.allowed(hear(10+n, n, 1)) {
			t.Errorf("another BSS of router %d may have our PIN", n)
		}
		if !s.tries.allowed(hear(10+n, n, 2)) {
			t.Errorf("one that lists us may not, since somebody used its UUID")
		}
	}
	if s.tries.allowed(hear(40, 40, 1)) || !s.tries.allowed(hear(41, 41, 2)) {
		t.Error("after three only those that list us")
	}
	over := 0
	for n := byte(50); n < 60 && over == 0; n++ {
		if s.Failed(noon, hear(n, n, 2).BSSID, WrongFirst) {
			over = int(n)
		}
	}
	if over != 52 {
		t.Errorf("over with %d", over)
	}
}

// TestRouter: the BSSs of the router whose button is pressed are tried one after the other, the
// strongest first, and those again that failed least.
func TestRouter(t *testing.T) {
	t.Parallel()
	m := newModel(router(1, 2437, 0), router(2, 5180, 0), router(3, 2437, 0))
	for i := range m.air {
		m.air[i].uuid = wsc.UUID{1}
	}
	s := m.search()
	var order []byte
	for range 7 {
		step, _ := m.run(s, time.Minute)
		if step.Try == nil {
			t.Fatalf("%v after %v", step.Err, order)
		}
		order = append(order, step.Try.BSSID[5])
		s.Failed(m.now, step.Try.BSSID, Refused)
	}
	if !slices.Equal(order[:3], []byte{1, 2, 3}) || slices.Contains(order[3:6], order[6]) == false {
		t.Errorf("%v", order)
	}
	for n := byte(1); n <= 3; n++ {
		if i := slices.Index(order[3:], n); i < 0 || i > 2 {
			t.Errorf("%v: %d is left out of the second round", order, n)
		}
	}
}

// TestNamed: what can be told of an access point that was named is told after the first look.
func TestNamed(t *testing.T) {
	t.Parallel()
	m := wsc.MAC{2, 0, 0, 0, 9, 1}
	for _, c := range []struct {
		name  string
		found Found
		err   error
	}{
		{"it has no WPS", Found{Others: map[wsc.MAC]Other{m: {Frequency: 2412}}}, ErrNoWPS},
		{"it has no WPS at a frequency that nobody told", Found{Others: map[wsc.MAC]Other{m: {}}},
			ErrNoWPS},
		{"it takes WPA3 only", Found{Others: map[wsc.MAC]Other{m: {WPA3Only: true}}}, ErrWPA3Only},
		{"it is in 6 GHz", Found{Others: map[wsc.MAC]Other{m: {Frequency: 6135, WPA3Only: true}}},
			ErrBand},
		{"it is in 6 GHz, and says that it has WPS", Found{Candidates: []Candidate{
			sighted(1, 6135, discovery.PBC, 0)}}, ErrBand},
		{"it is in a band of which we know nothing",
			Found{Others: map[wsc.MAC]Other{m: {Frequency: 906}}}, ErrBand},
		{"another one has no WPS", Found{Others: map[wsc.MAC]Other{{2}: {}}}, nil},
		{"another one is in 6 GHz", Found{Others: map[wsc.MAC]Other{{2}: {Frequency: 6135}}}, nil},
		{"it has WPS", Found{Candidates: []Candidate{sighted(1, 2412, discovery.Plain, 0)}}, nil},
	} {
		for _, goal := range []Goal{{BSSID: m}, {BSSID: m, Button: true},
			{BSSID: m, Registrar: true}} {
			s := New(goal, noon, nil, nil)
			s.SetChannels(active(2412, 2437))
			step := s.Next(noon)
			s.Looked(noon, noon.Add(time.Second), step.Look, c.found)
			if step = s.Next(noon.Add(time.Second)); !errors.Is(step.Err, c.err) ||
				(step.Err == nil) != (c.err == nil) {
				t.Errorf("%s: %v", c.name, step.Err)
			}
		}
	}
}

// TestFlood: an air full of BSSIDs, each heard once, does not grow what a search keeps, and what is
// heard later has room again.
func TestFlood(t *testing.T) {
	t.Parallel()
	s := New(Goal{}, noon, nil, nil)
	hear := func(n int, at time.Time) {
		k := sighted(1, 2412, discovery.Plain, 0)
		k.BSSID = wsc.MAC{2, 1, 1, byte(n >> 16), byte(n >> 8), byte(n)}
		s.hear(k, at, at)
		s.Failed(at, k.BSSID, Refused)
	}
	for n := range 3 * maxHeard {
		hear(n, noon)
	}
	if len(s.heard) != maxHeard || len(s.tries.pauses) > maxPauses {
		t.Errorf("%d and %d are kept", len(s.heard), len(s.tries.pauses))
	}
	hear(1<<20, noon.Add(Fresh+time.Second))
	if len(s.heard) != 1 {
		t.Errorf("%d are kept later", len(s.heard))
	}
}
