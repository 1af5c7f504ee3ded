// Package search decides where a station looks next and whom it tries: it is told what was heard,
// how attempts ended and what time it is, and answers with the next step. It does no I/O and starts
// nothing.
//
//	channels.go  which channels to look at first, and how they are cut into looks
//	button.go    push button: watch, overlap, what is owed before a button is answered
//	password.go  PIN, NFC, and whatever names its access point: in what order, and when everybody is tried
//	attempts.go  what a failed attempt means, and when the same one may be tried again
//	hidden.go    access points that do not tell their name
//	band.go      an access point that was named, and is where there is no WPS
package search

import (
	"bytes"
	"errors"
	"time"

	"wpsd/drivers"
	"wpsd/engine/discovery"
	"wpsd/engine/wsc"
)

// What ends a search, found with errors.Is. *discovery.OverlapError is another end.
var (
	// ErrNoWPS: the access point that was named was heard, and has no WSC element.
	ErrNoWPS = errors.New("search: the access point that was named has no WPS")
	// ErrWPA3Only: the same, and it takes WPA3 only, so it cannot have any.
	ErrWPA3Only = errors.New("search: the access point takes WPA3 only")
	// ErrHidden: the access point does not tell its name, which has to be known to associate with
	// it.
	ErrHidden = errors.New("search: the access point hides its name")
)

const (
	// Fresh is how long a look counts.
	Fresh = 10 * time.Second
	// seenSlack: kernels tell in milliseconds or jiffies when a frame was heard, so one of the
	// first moment of a look may seem older than the look.
	seenSlack = 100 * time.Millisecond
	// rescanPause is how long to wait after looks in vain (wpa_supplicant waits as long).
	rescanPause = 500 * time.Millisecond
	// openSweeps and openAfter: after so many looks at everything and so long, a password is
	// offered also to access points that do not say that they wait for one. Some never say it (an
	// External Registrar may not set Selected Registrar), and others learn of us that way
	// (wpa_supplicant's rule).
	openSweeps = 3
	openAfter  = 5 * time.Second
	// narrowLooks is how often only the channel of a named access point is looked at, when it was
	// not heard there, before looking everywhere again.
	narrowLooks = 3
	// maxHeard bounds what is kept: anybody can send beacons with any BSSID.
	maxHeard = 2048
)

// Goal is what a search is for.
type Goal struct {
	// a push button is to be answered; otherwise a PIN or another password is offered
	Button    bool
	Registrar bool    // the access point is to be learned or configured, with a password of its own
	BSSID     wsc.MAC // of the access point that was named; zero: any
	SSID      []byte  // of the network that a handover named: another one is not tried; nil: any
	Hint      int     // where a handover says that it is, MHz; 0: unknown
}

// Candidate is a discovery.Candidate with what an association needs besides.
type Candidate struct {
	discovery.Candidate
	Privacy bool // the capability bit
}

// Step is what to do now: the first of these that is set.
type Step struct {
	Err  error         // it is over
	Try  *Candidate    // run the protocol with this one, and tell Failed unless it gave a network
	Wait time.Duration // do nothing for so long
	Look Look          // otherwise: scan, and tell Looked
}

// Look is one scan.
type Look struct {
	Frequencies []int   // MHz; nil: all, for a driver that does not say which there are
	SSID        []byte  // to ask for; nil: the wildcard
	Passive     bool    // listen only: it is for somebody who is in a band without WPS
	Check       bool    // a button is pressed, and this makes sure that no other is
	asked       wsc.MAC // who is asked for its name
	slice       bool    // it is one of those that keep all looks fresh
}

// Search is one search. It is for one goroutine.
type Search struct {
	goal     Goal
	began    time.Time
	channels []drivers.Channel
	looked   map[int]time.Time // by frequency: when the newest look began
	heard    map[wsc.MAC]sighting
	hints    []discovery.Candidate // what was known before: where to look, not whom to try
	others   map[wsc.MAC]Other

	elsewhere elsewhere

	crowded time.Time // the newest look in which the list was full

	queue  [][]int   // what is left of this sweep
	sweep  time.Time // when it began
	whole  bool      // it covers everything
	closed bool      // everything was looked at in one go, just now
	rest   time.Time // no look before that
	sweeps int       // looks at everything
	narrow int       // looks at one channel in vain
	button watch
	tries  attempts
	hidden names
}

// sighting is a Candidate as it was heard in this search.
type sighting struct {
	Candidate
	look  time.Time // when the newest look that heard it began
	shown time.Time // when the look ended that first showed its button pressed; zero: it is not
}

// New begins a search at a time. looked tells when channels were looked at before, hints what was
// heard then.
func New(goal Goal, began time.Time, looked map[int]time.Time,
	hints []discovery.Candidate) *Search {
	if looked == nil {
		looked = make(map[int]time.Time)
	}
	return &Search{
		goal: goal, began: began, looked: looked, hints: hints, heard: make(map[wsc.MAC]sighting),
		others: make(map[wsc.MAC]Other),
		button: watch{answered: make(map[wsc.MAC]bool)}, tries: newAttempts(), hidden: newNames(),
	}
}

// SetChannels says what the radio may use now. Without any, each look is at everything.
func (s *Search) SetChannels(channels []drivers.Channel) {
	s.channels, s.elsewhere.channels = usable(channels), sixGHz(channels)
}

// Known takes in where the access point that was named was heard before. What it offers may have
// changed since; the band stays.
func (s *Search) Known(o Other) {
	if wsc.WithoutWPS(o.Frequency) {
		s.other(s.goal.BSSID, o)
	}
}

// Next says what to do now.
func (s *Search) Next(now time.Time) Step {
	if err := s.named(); err != nil {
		return Step{Err: err}
	}
	if s.goal.Button {
		return s.nextButton(now)
	}
	return s.nextPassword(now)
}

// named tells what is the end for an access point that was named, as soon as it was heard.
func (s *Search) named() error {
	if s.goal.BSSID.IsZero() {
		return nil
	}
	if _, heard := s.heard[s.goal.BSSID]; heard {
		return nil
	}
	switch other, heard := s.others[s.goal.BSSID]; {
	case !heard:
		return nil
	case wsc.WithoutWPS(other.Frequency):
		end := &BandError{Frequency: other.Frequency, SSID: other.SSID}
		if !s.hidden.is(other.SSID) {
			end.Instead = namesake(other.SSID, s.list(), s.hints)
		}
		return end
	case other.WPA3Only:
		return ErrWPA3Only
	}
	return ErrNoWPS
}

// Found is what a look has brought.
type Found struct {
	Candidates []Candidate
	Others     map[wsc.MAC]Other
}

// Other is a BSS without WPS.
type Other struct {
	Frequency int // MHz; 0: unknown
	SSID      []byte
	WPA3Only  bool
}

// Looked takes in a look that began at a time and has just ended. It reports whether everything was
// looked at since it last said so.
func (s *Search) Looked(began, now time.Time, look Look, found Found) (swept bool) {
	if look.Passive {
		s.elsewhere.listened = true
	} else {
		s.closed = false
	}
	for _, f := range look.Frequencies {
		s.looked[f] = began
	}
	for _, c := range found.Candidates {
		if wsc.WithoutWPS(c.Frequency) { // whatever its elements say
			s.other(c.BSSID, Other{Frequency: c.Frequency, SSID: c.SSID})
			continue
		}
		s.hear(c, began, now)
	}
	for m, o := range found.Others {
		s.other(m, o)
	}
	if look.Passive {
		return false
	}
	s.hidden.asked(look, s.heard)
	if s.goal.Button && s.goal.BSSID.IsZero() {
		return s.watched(began, now, look)
	}
	return s.dequeue(now, look)
}

// other takes in a BSS without WPS. Whoever floods the air does not hide the one that was named.
func (s *Search) other(m wsc.MAC, o Other) {
	if len(s.others) < maxHeard || m == s.goal.BSSID {
		s.others[m] = o
	}
}

// Aborted takes in that a look failed, and that another may succeed. One that no run depends on is
// not tried again.
func (s *Search) Aborted(now time.Time, look Look) {
	s.queue, s.rest = nil, now.Add(rescanPause)
	s.elsewhere.listened = s.elsewhere.listened || look.Passive
}

// hear takes in one access point. Whoever floods the air with BSSIDs only hides itself.
func (s *Search) hear(c Candidate, began, now time.Time) {
	old, there := s.heard[c.BSSID]
	if !there && len(s.heard) >= maxHeard {
		if now.Equal(s.crowded) {
			return // it was tidied in this look, and who is new in it fills the list each time
		}
		s.crowded = now
		for m, o := range s.heard {
			if now.Sub(o.look) > Fresh {
				delete(s.heard, m)
			}
		}
		if len(s.heard) >= maxHeard {
			return
		}
	}
	if there && (old.Authorized == discovery.NotAuthorized &&
		c.Authorized != discovery.NotAuthorized ||
		!old.Ad.SelectedRegistrar && c.Ad.SelectedRegistrar) {
		s.tries.ready(c.BSSID)
	}
	if there && s.hidden.is(c.SSID) && !s.hidden.is(old.SSID) {
		c.SSID = old.SSID // it has told its name before, to who asked for it
	}
	next := sighting{Candidate: c, look: began, shown: old.shown}
	switch {
	case c.Class != discovery.PBC:
		next.shown = time.Time{}
	case next.shown.IsZero():
		next.shown = now
	}
	s.heard[c.BSSID] = next
}

// Heard reports whether an access point with WPS was heard, or the one that was named.
func (s *Search) Heard() bool {
	if s.goal.BSSID.IsZero() {
		return len(s.heard) > 0
	}
	_, heard := s.heard[s.goal.BSSID]
	return heard
}

// Missing says what there was instead, if no access point with WPS was heard: ErrWPA3Only, or nil.
func (s *Search) Missing() error {
	for _, o := range s.others {
		if o.WPA3Only && !wsc.WithoutWPS(o.Frequency) && s.goal.BSSID.IsZero() &&
			len(s.heard) == 0 {
			return ErrWPA3Only
		}
	}
	return nil
}

// list is what was heard in this search.
func (s *Search) list() []discovery.Candidate {
	list := make([]discovery.Candidate, 0, len(s.heard))
	for _, k := range s.heard {
		list = append(list, k.Candidate.Candidate)
	}
	return list
}

// known is what was heard in this search, or else before.
func (s *Search) known() []discovery.Candidate {
	if len(s.heard) > 0 {
		return s.list()
	}
	return s.hints
}

// otherNetwork reports whether a handover named another network than the one that this access point
// has.
func (s *Search) otherNetwork(c *discovery.Candidate) bool {
	return len(s.goal.SSID) > 0 && !bytes.Equal(c.SSID, s.goal.SSID)
}

// covered reports whether all channels that count were looked at not long ago.
func (s *Search) covered(now time.Time, count func(drivers.Channel) bool) bool {
	if s.closed {
		return true
	}
	for _, c := range s.channels {
		if count(c) && !s.isFresh(now, c.Frequency) {
			return false
		}
	}
	return len(s.channels) > 0
}

// isFresh reports whether the newest look at a channel still counts.
func (s *Search) isFresh(now time.Time, frequency int) bool {
	t, ok := s.looked[frequency]
	// By the wall clock: the monotonic one stands still while the computer sleeps.
	age := now.Round(0).Sub(t.Round(0))
	return ok && age <= Fresh && age >= 0
}

// try is the Step that tries an access point.
func (s *Search) try(m wsc.MAC) Step {
	c := s.heard[m].Candidate
	return Step{Try: &c}
}
