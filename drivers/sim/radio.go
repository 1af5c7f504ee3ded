package sim

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"wpsd/drivers"
	"wpsd/engine/wsc"
)

// Times of the air at Speed 1. A passive channel takes a beacon interval and some, an active one a
// probe request and the time for the answers (mac80211's software scan).
const (
	passiveDwell = 110 * time.Millisecond
	activeDwell  = 30 * time.Millisecond
	// linkUpTime is what bringing an interface up takes.
	linkUpTime = 20 * time.Millisecond
	// frameTime is one frame with its way through both drivers.
	frameTime = time.Millisecond
	// authTimeout is three unanswered attempts to authenticate, 200 ms each.
	authTimeout = 600 * time.Millisecond
	// beaconLoss is after what time a station notices that its access point is gone.
	beaconLoss = 2 * time.Second
	// resultExpiry is how long the kernel knows a BSS that was not heard again.
	resultExpiry = 30 * time.Second
)

// radio is an interface in the World. The World's lock guards it.
type radio struct {
	Radio
	index   int
	heard   map[wsc.MAC]drivers.BSS
	off     chan struct{} // closed while the radio is blocked
	station *station      // whoever took it
	link    *link         // its newest association, which may be over
	// occupied is the access point that another program has associated the radio with.
	occupied wsc.MAC
	apart    *radio // an interface of ours beside it; nil: none
}

// lose ends the radio's association because of something that happened to the radio.
func (r *radio) lose(why error) {
	if r.link != nil {
		r.link.sever(fmt.Errorf("%w: %w", why, &drivers.LostError{Err: drivers.ErrLinkLost}))
	}
}

// associated is the BSSID of the access point that the radio is associated with.
func (r *radio) associated() wsc.MAC {
	if r.link == nil || r.link.isLost() {
		return r.occupied
	}
	return r.link.bss.BSSID
}

// remember keeps what was heard, for Cached.
func (r *radio) remember(b drivers.BSS) {
	if old, ok := r.heard[b.BSSID]; ok && b.BeaconIEs == nil {
		b.BeaconIEs = old.BeaconIEs
	}
	r.heard[b.BSSID] = b
}

// known lists copies of what was heard within a time, by address.
func (r *radio) known(now time.Time, maxAge time.Duration) []drivers.BSS {
	r.forget(now)
	var all []drivers.BSS
	for _, b := range r.heard {
		if now.Sub(b.Seen) <= maxAge {
			all = append(all, r.copyBSS(b))
		}
	}
	slices.SortFunc(all, func(a, b drivers.BSS) int {
		return bytes.Compare(a.BSSID[:], b.BSSID[:])
	})
	return all
}

// copyBSS gives a BSS away: its elements become the caller's.
func (r *radio) copyBSS(b drivers.BSS) drivers.BSS {
	b.IEs = bytes.Clone(b.IEs)
	b.BeaconIEs = bytes.Clone(b.BeaconIEs)
	b.Associated = wsc.MAC(b.BSSID) == r.associated()
	return b
}

// forget drops what was not heard for long.
func (r *radio) forget(now time.Time) {
	for bssid, b := range r.heard {
		if now.Sub(b.Seen) > resultExpiry {
			delete(r.heard, bssid)
		}
	}
}

// defaultChannels are those of the 2.4 and 5 GHz bands as in Europe: 12 and 13, and those with
// radar, are for listening only.
func defaultChannels() []drivers.Channel {
	var all []drivers.Channel
	for f := 2412; f <= 2472; f += 5 {
		all = append(all, drivers.Channel{Frequency: f, Passive: f >= 2467})
	}
	for f := 5180; f <= 5320; f += 20 {
		all = append(all, drivers.Channel{Frequency: f, Passive: f >= 5260})
	}
	for f := 5500; f <= 5700; f += 20 {
		all = append(all, drivers.Channel{Frequency: f, Passive: true})
	}
	return all
}

// beaconIn reports whether a beacon of the BSS falls into the time after start. Each BSS beacons in
// a rhythm of its own.
func (b *bss) beaconIn(start time.Time, dwell time.Duration) bool {
	phase := int64(0)
	for _, x := range b.BSSID {
		phase = phase*31 + int64(x)
	}
	interval := int64(beaconInterval)
	from := start.UnixNano() - phase*int64(time.Millisecond)
	return (from+int64(dwell))/interval > from/interval
}

// answer lets all access points on a frequency hear a probe request and returns what they answer.
func (w *World) answer(now time.Time, r *radio, frequency int,
	req drivers.ScanRequest) []drivers.BSS {
	w.mu.Lock()
	var all []drivers.BSS
	for _, ap := range w.aps {
		for _, b := range ap.bsss {
			if b.Frequency != frequency {
				continue
			}
			ap.hearProbe(now, r.MAC, req.IEs)
			if len(req.SSID) > 0 && string(req.SSID) != string(ap.ssid(b)) {
				continue
			}
			all = append(all, ap.describe(b, now, false, len(req.SSID) > 0))
		}
	}
	w.mu.Unlock()
	w.trace(Frame{At: now, Kind: ProbeRequest, From: r.MAC, To: wsc.Broadcast, Frequency: frequency,
		Body: req.IEs})
	for _, b := range all {
		w.trace(Frame{At: now, Kind: ProbeResponse, From: b.BSSID, To: r.MAC, Frequency: frequency,
			Body: b.IEs})
	}
	return all
}

// beacons returns the beacons on a frequency since start.
func (w *World) beacons(start, now time.Time, dwell time.Duration, frequency int) []drivers.BSS {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []drivers.BSS
	for _, ap := range w.aps {
		for _, b := range ap.bsss {
			if b.Frequency == frequency && b.beaconIn(start, dwell) {
				all = append(all, ap.describe(b, now, true, false))
			}
		}
	}
	return all
}

// describe is a BSS as a station hears it. The lock is held.
func (ap *AP) describe(b *bss, now time.Time, beacon, byName bool) drivers.BSS {
	d := drivers.BSS{
		BSSID: b.BSSID, Frequency: b.Frequency, Signal: b.Signal,
		IEs: ap.elements(b, now, beacon, byName), Privacy: ap.net.security.privacy(), Seen: now,
		Capability: 0x0401, Interval: 100, TSF: uint64(max(now.UnixMicro(), 0)), // ESS, short slots
	}
	if d.Privacy {
		d.Capability |= 0x0010
	}
	if beacon {
		d.BeaconIEs = d.IEs
	}
	return d
}
