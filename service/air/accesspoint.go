package air

import (
	"bytes"
	"reflect"
	"time"

	"wpsd/engine/discovery"
	"wpsd/engine/wsc"
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
	// StaleAfter: one that was not heard for that long is gone whatever was looked at.
	StaleAfter = 180 * time.Second
	// quietFor and quietSignal: less news than that is not told, except together with other news.
	quietFor    = 10 * time.Second
	quietSignal = 5 // dB
)

// accessPoint is an AccessPoint that is kept up to date. Air.mu guards it.
type accessPoint struct {
	state.AccessPoint
	candidate discovery.Candidate
	privacy   bool
	misses    int
	told      time.Time // LastSeen as last told
	signal    int       // Signal as last told
}

// heardAccessPoints brings the access points up to date after a look at some frequencies that began
// at start. The caller holds mu.
func (a *Air) heardAccessPoints(frequencies []int, start time.Time, found []search.Candidate) {
	now := time.Now()
	for _, f := range frequencies {
		a.looked[f] = start
	}
	for _, c := range found {
		a.heardOne(c)
	}
	covered := make(map[int]bool, len(frequencies))
	for _, f := range frequencies {
		covered[f] = true
	}
	for bssid, ap := range a.accessPoints {
		if ap.LastSeen.Before(start) && covered[ap.Frequency] {
			ap.misses++
		}
		unseen := now.Sub(ap.LastSeen)
		if unseen > StaleAfter || ap.misses >= missesToForget && unseen > forgetAfter {
			a.removeAccessPoint(bssid)
		}
	}
}

// removeAccessPoint tells that an access point is gone. The caller holds mu.
func (a *Air) removeAccessPoint(bssid wsc.MAC) {
	delete(a.accessPoints, bssid)
	a.published.Publish(state.AccessPointRemoved{Interface: a.ifname, BSSID: bssid})
}

// heardOne adds an access point or tells what changed of it. The caller holds mu.
func (a *Air) heardOne(c search.Candidate) {
	next := state.AccessPoint{
		Interface: a.ifname, BSSID: c.BSSID, SSID: c.SSID, Frequency: c.Frequency, Signal: c.Signal,
		Class: c.Class,
		Ad:    *c.Ad, LastSeen: c.Seen, WPA3Only: c.WPA3Only, Security: c.Security,
	}
	ap, known := a.accessPoints[c.BSSID]
	if !known {
		if len(a.accessPoints) >= maxAccessPoints {
			return
		}
		a.accessPoints[c.BSSID] = &accessPoint{
			AccessPoint: next, candidate: c.Candidate, privacy: c.Privacy, told: c.Seen,
			signal: c.Signal,
		}
		a.published.Publish(state.AccessPointAdded{AccessPoint: next})
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
		a.published.Publish(state.AccessPointChanged{AccessPoint: next, FlagsChanged: flags})
		return
	}
	a.published.NoteAccessPoint(next)
}

// Known are the access points with WPS that were heard at or after since.
func (a *Air) Known(since time.Time) []search.Candidate {
	a.mu.Lock()
	defer a.mu.Unlock()
	var list []search.Candidate
	for _, ap := range a.accessPoints {
		if !ap.LastSeen.Before(since) {
			list = append(list, search.Candidate{Candidate: ap.candidate, Privacy: ap.privacy})
		}
	}
	return list
}
