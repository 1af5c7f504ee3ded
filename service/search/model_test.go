package search

import (
	"slices"
	"time"

	"wpsd/drivers"
	"wpsd/engine/discovery"
	"wpsd/engine/wsc"
)

// noon is when the tests begin.
var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// transmitter is an access point of the model: a router's BSS on a channel, whose button is pressed
// for a time.
type transmitter struct {
	bssid     wsc.MAC
	frequency int
	signal    int
	uuid      wsc.UUID
	from      time.Duration // when its button is pressed, after the start; negative: never
	off       time.Duration // when it is switched on; 0: it is there
}

// model is the air and the clock of a search: a look takes as long as on mac80211's simulated
// radios.
type model struct {
	now, start time.Time
	channels   []drivers.Channel
	air        []transmitter
	scans      int
	busy       time.Duration // of the radio
}

// newModel is the air with these access points.
func newModel(air ...transmitter) *model {
	return &model{now: noon, start: noon, channels: world(), air: air}
}

// search begins in the model, for the button of any access point.
func (m *model) search() *Search {
	s := New(Goal{Button: true}, m.now, nil, nil)
	s.SetChannels(m.channels)
	return s
}

// router is an access point of its own with one BSS.
func router(n byte, frequency int, pressed time.Duration) transmitter {
	return transmitter{bssid: wsc.MAC{2, 0, 0, 0, 8, n}, uuid: wsc.UUID{n}, frequency: frequency,
		signal: -50 - int(n), from: pressed}
}

// world is what a radio may use that knows no country: 11 channels to ask on, 21 to listen.
func world() []drivers.Channel {
	return append(append(active(2412, 2417, 2422, 2427, 2432, 2437, 2442, 2447, 2452, 2457, 2462),
		passive(2467, 2472)...),
		passive(5180, 5200, 5220, 5240, 5260, 5280, 5300, 5320, 5500, 5520, 5540, 5560, 5580, 5600,
			5620, 5640, 5660, 5680, 5700)...)
}

// look is a scan: each channel is heard at its own time.
func (m *model) look(look Look) Found {
	var found Found
	m.scans++
	for _, c := range m.channels {
		if !slices.Contains(look.Frequencies, c.Frequency) {
			continue
		}
		m.now = m.now.Add(lookTime(c))
		m.busy += lookTime(c)
		at := m.now.Sub(m.start)
		for _, t := range m.air {
			if t.frequency != c.Frequency || t.off > at {
				continue
			}
			class := discovery.Plain
			if t.from >= 0 && at >= t.from && at < t.from+120*time.Second {
				class = discovery.PBC
			}
			ad := &wsc.Advertisement{SelectedRegistrar: class == discovery.PBC, UUIDE: t.uuid,
				HasUUIDE: true}
			found.Candidates = append(found.Candidates, Candidate{Candidate: discovery.Candidate{
				BSSID: t.bssid, SSID: []byte("x"), Frequency: t.frequency, Signal: t.signal,
				Class: class, Ad: ad, Seen: m.now,
			}})
		}
	}
	return found
}

// run plays a search until it wants to try somebody, or ends, and returns what and when.
func (m *model) run(s *Search, until time.Duration) (Step, time.Duration) {
	for m.now.Sub(m.start) < until {
		step := s.Next(m.now)
		switch {
		case step.Err != nil, step.Try != nil:
			return step, m.now.Sub(m.start)
		case step.Wait > 0:
			m.now = m.now.Add(step.Wait)
		default:
			began := m.now
			found := m.look(step.Look)
			s.Looked(began, m.now, step.Look, found)
		}
	}
	return Step{}, until
}
