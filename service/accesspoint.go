package service

import (
	"bytes"
	"reflect"
	"time"

	"wpsd/engine/discovery"
	"wpsd/service/search"
	"wpsd/service/state"
)

const (
	// maxAccessPoints bounds what is kept of one interface's surroundings: anybody can send beacons
	// with any BSSID. The kernel keeps 1,000 BSSs.
	maxAccessPoints = 2048
	// missesToForget and forgetAfter: an access point is gone when its channel was looked at that
	// often without hearing it, and it was not heard for that long: single frames get lost.
	missesToForget = 2
	forgetAfter    = 15 * time.Second
	// staleAfter: one that was not heard for that long is gone whatever was looked at.
	staleAfter = 180 * time.Second
	// quietFor and quietSignal: less news than that is not told, except together with other news.
	quietFor    = 10 * time.Second
	quietSignal = 5 // dB
)

// accessPoint is an AccessPoint that is kept up to date. Service.mu guards it.
type accessPoint struct {
	state.AccessPoint
	candidate discovery.Candidate
	privacy   bool
	misses    int
	told      time.Time // LastSeen as last told
	signal    int       // Signal as last told
}

// heard brings the access points of i up to date after a look at some frequencies that began at
// start. The caller holds mu.
func (s *Service) heard(i *iface, frequencies []int, start time.Time, found []search.Candidate) {
	now := time.Now()
	for _, f := range frequencies {
		i.looked[f] = start
	}
	for _, c := range found {
		s.heardOne(i, c)
	}
	covered := make(map[int]bool, len(frequencies))
	for _, f := range frequencies {
		covered[f] = true
	}
	for bssid, ap := range i.accessPoints {
		if ap.LastSeen.Before(start) && covered[ap.Frequency] {
			ap.misses++
		}
		unseen := now.Sub(ap.LastSeen)
		if unseen > staleAfter || ap.misses >= missesToForget && unseen > forgetAfter {
			delete(i.accessPoints, bssid)
			s.emit(state.AccessPointRemoved{Interface: i.Name, BSSID: bssid})
		}
	}
}

// heardOne adds an access point or tells what changed of it.
func (s *Service) heardOne(i *iface, c search.Candidate) {
	if s.interfaces[i.Name] != i { // gone while its session was still looking
		return
	}
	next := state.AccessPoint{
		Interface: i.Name, BSSID: c.BSSID, SSID: c.SSID, Frequency: c.Frequency, Signal: c.Signal,
		Class: c.Class,
		Ad:    *c.Ad, LastSeen: c.Seen, WPA3Only: c.WPA3Only, Security: c.Security,
	}
	ap, known := i.accessPoints[c.BSSID]
	if !known {
		if len(i.accessPoints) >= maxAccessPoints {
			return
		}
		i.accessPoints[c.BSSID] = &accessPoint{
			AccessPoint: next, candidate: c.Candidate, privacy: c.Privacy, told: c.Seen,
			signal: c.Signal,
		}
		s.emit(state.AccessPointAdded{AccessPoint: next})
		return
	}
	if !c.Seen.After(ap.LastSeen) {
		return
	}
	last := ap.AccessPoint
	ap.AccessPoint, ap.candidate, ap.privacy, ap.misses = next, c.Candidate, c.Privacy, 0
	flags := last.Class != next.Class
	news := flags || !bytes.Equal(last.SSID, next.SSID) || last.Frequency != next.Frequency ||
		last.Security != next.Security ||
		!reflect.DeepEqual(last.Ad, next.Ad)
	moved := next.Signal - ap.signal
	if news || moved >= quietSignal || -moved >= quietSignal ||
		next.LastSeen.Sub(ap.told) >= quietFor {
		ap.told, ap.signal = next.LastSeen, next.Signal
		s.emit(state.AccessPointChanged{AccessPoint: next, FlagsChanged: flags})
		return
	}
	s.published.NoteAccessPoint(next)
}

// knownCandidates are the access points that were heard at or after since. The caller holds mu.
func (i *iface) knownCandidates(since time.Time) []search.Candidate {
	var list []search.Candidate
	for _, ap := range i.accessPoints {
		if !ap.LastSeen.Before(since) {
			list = append(list, search.Candidate{Candidate: ap.candidate, Privacy: ap.privacy})
		}
	}
	return list
}
