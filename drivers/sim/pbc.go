package sim

import (
	"time"

	"wpsd/engine/wsc"
)

// Times of push button configuration (WSC: walk time, PBC monitor time; hostap behaviour).
const (
	walkTime = 120 * time.Second
	// pbcIgnore is how long probe requests of an Enrollee that was just let in do not count: it
	// may have a scan in flight.
	pbcIgnore = 5 * time.Second
	// maxPBCSessions bounds the list against somebody who invents UUIDs.
	maxPBCSessions = 64
)

// pbcMonitor notes who pressed a button within the last two minutes: two Enrollees are an overlap,
// since nobody could tell whose network each would get.
type pbcMonitor struct {
	sessions []pbcSession
	forced   bool // an overlap was seen; it sticks until the next button press
	let      wsc.UUID
	letUntil time.Time
}

type pbcSession struct {
	uuid wsc.UUID
	mac  wsc.MAC
	at   time.Time
}

// heard notes a probe request or M1 of push button mode and reports whether there is an overlap
// now. One Enrollee with several addresses is one.
func (p *pbcMonitor) heard(now time.Time, uuid wsc.UUID, mac wsc.MAC) (overlap bool) {
	if uuid == p.let && now.Before(p.letUntil) {
		return false
	}
	p.expire(now)
	kept := p.sessions[:0]
	for _, s := range p.sessions {
		if s.uuid != uuid || s.mac != mac {
			kept = append(kept, s)
		}
	}
	p.sessions = kept
	if len(p.sessions) == maxPBCSessions {
		p.sessions = p.sessions[1:]
	}
	p.sessions = append(p.sessions, pbcSession{uuid, mac, now})
	return p.overlap(now)
}

// overlap reports whether more than one Enrollee pressed its button.
func (p *pbcMonitor) overlap(now time.Time) bool {
	p.expire(now)
	for _, s := range p.sessions {
		if s.uuid != p.sessions[0].uuid {
			return true
		}
	}
	return false
}

// completed forgets an Enrollee that was let in.
func (p *pbcMonitor) completed(now time.Time, uuid wsc.UUID) {
	kept := p.sessions[:0]
	for _, s := range p.sessions {
		if s.uuid != uuid {
			kept = append(kept, s)
		}
	}
	p.sessions = kept
	p.let, p.letUntil = uuid, now.Add(pbcIgnore)
}

func (p *pbcMonitor) expire(now time.Time) {
	kept := p.sessions[:0]
	for _, s := range p.sessions {
		if now.Sub(s.at) < walkTime {
			kept = append(kept, s)
		}
	}
	p.sessions = kept
}
