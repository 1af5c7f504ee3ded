package search

import (
	"errors"
	"slices"
	"testing"
	"time"

	"wpsd/drivers"
	"wpsd/engine/discovery"
	"wpsd/engine/wsc"
)

// sixGHzWorld is the air of a radio with three channels in 6 GHz, and one in a band that it cannot
// be asked to look at.
func sixGHzWorld() []drivers.Channel {
	return append(world(), append(passive(5955, 6135), active(6215, 906)...)...)
}

// TestNamedIn6GHz: who names an access point in 6 GHz is told after one sweep of the bands with WPS
// and one look that listens in 6 GHz; if it is not there either, there is no second one.
func TestNamedIn6GHz(t *testing.T) {
	t.Parallel()
	wanted := wsc.MAC{2, 0, 0, 0, 8, 6}
	six := Other{Frequency: 6135, SSID: []byte("x"), WPA3Only: true}
	for _, c := range []struct {
		name     string
		goal     Goal
		channels []drivers.Channel
		air      []transmitter
		there    bool // in 6 GHz
		hints    []discovery.Candidate
		looks    int  // at 6 GHz in a minute
		is       bool // told
		instead  byte
	}{
		{"by button, beside a BSS of its name", Goal{Button: true}, sixGHzWorld(),
			[]transmitter{router(1, 5180, -1), router(2, 2437, -1)}, true, nil, 1, true, 1},
		{"by PIN, and nobody else is there", Goal{}, sixGHzWorld(), nil, true, nil, 1, true, 0},
		{"to read its settings", Goal{Registrar: true}, sixGHzWorld(), nil, true, nil, 1, true, 0},
		{"it is nowhere", Goal{Button: true}, sixGHzWorld(), nil, false, nil, 1, false, 0},
		{"the radio has no 6 GHz", Goal{Button: true}, world(), nil, true, nil, 0, false, 0},
		{"it is in 5 GHz", Goal{Button: true}, sixGHzWorld(), []transmitter{router(6, 5180, -1)},
			false, nil, 0, false, 0},
		{"it was in 5 GHz a minute ago", Goal{Button: true}, sixGHzWorld(), nil, false,
			[]discovery.Candidate{{BSSID: wanted, Frequency: 5180, Ad: &wsc.Advertisement{}}}, 0,
			false, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := newModel(c.air...)
			m.channels = c.channels
			c.goal.BSSID = wanted
			s := New(c.goal, m.now, nil, c.hints)
			s.SetChannels(c.channels)
			looks := 0
			var end error
			for end == nil && m.now.Sub(m.start) < time.Minute {
				step := s.Next(m.now)
				switch {
				case step.Err != nil:
					end = step.Err
				case step.Try != nil:
					m.now = m.start.Add(time.Hour) // found: that is all
				case step.Wait > 0:
					m.now = m.now.Add(step.Wait)
				default:
					began := m.now
					found := m.look(step.Look)
					isSix := slices.ContainsFunc(step.Look.Frequencies, wsc.WithoutWPS)
					switch {
					case isSix != step.Look.Passive,
						isSix && !slices.Equal(step.Look.Frequencies, []int{5955, 6135, 6215}):
						t.Fatalf("%+v", step.Look)
					case isSix:
						looks++
						if c.there {
							found.Others = map[wsc.MAC]Other{wanted: six}
						}
					}
					s.Looked(began, m.now, step.Look, found)
				}
			}
			if looks != c.looks || (end != nil) != c.is || c.is && !errors.Is(end, ErrBand) {
				t.Errorf("%d looks, %v", looks, end)
			}
			told, ok := errors.AsType[*BandError](end)
			switch {
			case !ok:
			case string(told.SSID) != "x" || told.Frequency != 6135 ||
				(told.Instead != nil) != (c.instead != 0):
				t.Errorf("%+v", told)
			case told.Instead != nil && told.Instead.BSSID[5] != c.instead:
				t.Errorf("%+v", told.Instead)
			}
		})
	}
}

// TestKnownIn6GHz: where it was heard there before, it is told before any look; what was heard in
// another band says nothing of now.
func TestKnownIn6GHz(t *testing.T) {
	t.Parallel()
	m := wsc.MAC{2, 0, 0, 0, 9, 1}
	home := sighted(2, 2437, discovery.Plain, 0).Candidate
	home.SSID = []byte("home")
	neighbor := home
	neighbor.BSSID, neighbor.Signal, neighbor.SSID = wsc.MAC{2, 9}, -20, []byte("next door")
	for _, c := range []struct {
		name    string
		known   Other
		is      bool
		instead bool
	}{
		{"in 6 GHz", Other{Frequency: 6135, SSID: []byte("home")}, true, true},
		{"in 6 GHz with a name of its own", Other{Frequency: 6135, SSID: []byte("six")}, true, false},
		{"in 6 GHz without a name", Other{Frequency: 6135}, true, false},
		{"at 900 MHz", Other{Frequency: 906, SSID: []byte("home")}, true, true},
		{"in 60 GHz", Other{Frequency: 60480}, false, false},
		{"in 5 GHz without WPS", Other{Frequency: 5180}, false, false},
		{"nobody knows where", Other{WPA3Only: true}, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := New(Goal{BSSID: m, Button: true}, noon, nil, []discovery.Candidate{neighbor, home})
			s.SetChannels(sixGHzWorld())
			s.Known(c.known)
			told, ok := errors.AsType[*BandError](s.Next(noon).Err)
			if ok != c.is || ok && (told.Instead != nil) != c.instead ||
				ok && c.instead && told.Instead.BSSID != home.BSSID {
				t.Errorf("%v, %+v", ok, told)
			}
		})
	}
}

// TestFailedLookAt6GHz: no session depends on it, so it is not tried again; and an air full of BSSs
// without WPS does not hide the one that was named.
func TestFailedLookAt6GHz(t *testing.T) {
	t.Parallel()
	m := newModel()
	m.channels = sixGHzWorld()
	s := New(Goal{BSSID: wsc.MAC{2, 1}}, m.now, nil, nil)
	s.SetChannels(m.channels)
	for range maxHeard + 10 {
		s.other(wsc.MAC{2, 2, byte(len(s.others) >> 8), byte(len(s.others))}, Other{Frequency: 2412})
	}
	failed := 0
	for m.now.Sub(m.start) < time.Minute {
		step := s.Next(m.now)
		switch {
		case step.Wait > 0:
			m.now = m.now.Add(step.Wait)
		case step.Look.Passive:
			failed++
			s.Aborted(m.now, step.Look)
		default:
			began := m.now
			s.Looked(began, m.now.Add(time.Second), step.Look, m.look(step.Look))
		}
	}
	if failed != 1 {
		t.Errorf("tried %d times", failed)
	}
	s.Looked(m.now, m.now, Look{}, Found{Others: map[wsc.MAC]Other{{2, 1}: {Frequency: 6135}}})
	if err := s.Next(m.now).Err; !errors.Is(err, ErrBand) || len(s.others) > maxHeard+1 {
		t.Errorf("%v, %d are kept", err, len(s.others))
	}
}
