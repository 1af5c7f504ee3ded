package admission

import (
	"slices"
	"time"

	"wpsd/engine/wsc"
)

const (
	// pbcIgnore is how long an Enrollee that was just let in does not count: it may have a scan in
	// flight (hostap behaviour).
	pbcIgnore = 5 * time.Second
	// maxPressed bounds the memory against somebody who invents UUIDs. Two make an overlap.
	maxPressed = 8
)

// Monitor notes whose button was pressed within the last two minutes, as one access point hears it.
// Two Enrollees are a session overlap (WSC, PBC monitor time): nobody could tell whom the user
// meant. The zero Monitor has heard nothing.
type Monitor struct {
	pressed []press // the latest last
	let     wsc.UUID
	until   time.Time
}

type press struct {
	uuid wsc.UUID
	at   time.Time
}

// Heard notes a Probe Request or M1 of push button mode. An Enrollee with several addresses is one.
func (m *Monitor) Heard(now time.Time, uuid wsc.UUID) {
	if uuid == m.let && now.Before(m.until) {
		return
	}
	m.expire(now)
	m.pressed = slices.DeleteFunc(m.pressed, func(p press) bool { return p.uuid == uuid })
	if len(m.pressed) == maxPressed {
		m.pressed = m.pressed[1:]
	}
	m.pressed = append(m.pressed, press{uuid, now})
}

// Overlap reports whether more than one Enrollee pressed its button.
func (m *Monitor) Overlap(now time.Time) bool {
	m.expire(now)
	return len(m.pressed) > 1
}

// Enrolled forgets an Enrollee that was let in.
func (m *Monitor) Enrolled(now time.Time, uuid wsc.UUID) {
	m.pressed = slices.DeleteFunc(m.pressed, func(p press) bool { return p.uuid == uuid })
	m.let, m.until = uuid, now.Add(pbcIgnore)
}

// Silent reports whether there is nothing to remember.
func (m *Monitor) Silent(now time.Time) bool {
	m.expire(now)
	return len(m.pressed) == 0 && !now.Before(m.until)
}

func (m *Monitor) expire(now time.Time) {
	m.pressed = slices.DeleteFunc(m.pressed, func(p press) bool {
		return now.Sub(p.at) >= WalkTime
	})
}
