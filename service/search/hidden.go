package search

import (
	"bytes"

	"wpsd/engine/wsc"
)

// maxAsked is how often an access point that hides its name is asked for one by a name that it may
// have.
const maxAsked = 2

// names are what is known of access points that hide theirs. The kernel associates by name only, so
// one that does not tell it has to be asked by it: a Probe Request with the name is answered with
// it (IEEE 802.11, "Active scanning").
type names struct {
	known map[wsc.MAC][]byte
	tried map[wsc.MAC]int
}

func newNames() names {
	return names{known: make(map[wsc.MAC][]byte), tried: make(map[wsc.MAC]int)}
}

// is reports whether a name hides another: it is empty, or zeros as long as the other (both are
// seen).
func (*names) is(ssid []byte) bool { return len(bytes.Trim(ssid, "\x00")) == 0 }

// Name tells what an access point is called, in case it does not tell itself.
func (s *Search) Name(m wsc.MAC, ssid []byte) {
	if !s.hidden.is(ssid) && len(s.hidden.known) < maxHeard {
		s.hidden.known[m] = bytes.Clone(ssid)
	}
}

// Hidden is ErrHidden if an access point with WPS that was heard hides its name, and nobody knows
// it; else nil.
func (s *Search) Hidden() error {
	for m := range s.heard {
		if ask, hides := s.hides(m); hides && ask == nil &&
			(s.goal.BSSID.IsZero() || s.goal.BSSID == m) {
			return ErrHidden
		}
	}
	return nil
}

// name is what an access point may be called; nil: nobody knows, or it does not answer to that.
func (s *Search) name(m wsc.MAC) []byte {
	if s.hidden.tried[m] >= maxAsked {
		return nil
	}
	if name, ok := s.hidden.known[m]; ok {
		return name
	}
	return s.goal.SSID
}

// asked counts questions in vain.
func (n *names) asked(look Look, heard map[wsc.MAC]sighting) {
	if k, ok := heard[look.asked]; ok && n.is(k.SSID) {
		n.tried[look.asked]++
	}
}

// hides reports whether an access point does not tell its name. If it may be called something that
// we know, ask is how to ask it.
func (s *Search) hides(m wsc.MAC) (ask *Step, hides bool) {
	k := s.heard[m]
	if !s.hidden.is(k.SSID) {
		return nil, false
	}
	if name := s.name(m); len(name) > 0 {
		return &Step{Look: Look{Frequencies: []int{k.Frequency}, SSID: name, asked: m}}, true
	}
	return nil, true
}
