package er

import (
	"errors"
	"slices"
	"testing"
	"time"

	"wpsd/engine/registration"
	"wpsd/engine/upnp"
)

func (w *world) wantLocked(want bool) {
	w.t.Helper()
	if got := w.r.APs()[0].SetupLocked; got != want {
		w.t.Errorf("SetupLocked is %v", got)
	}
}

// status has an access point tell its status.
func (p *fakeAP) status(s uint8) {
	p.w.do(p.w.r.Notified(p.w.now, upnp.Notification{From: p.addr, SID: p.sid, Seq: 1,
		APStatus: &s}))
}

func TestSetupLockedByEvents(t *testing.T) {
	t.Parallel()
	w, aps := start(t, 1)
	w.told()
	for _, s := range []uint8{0x11, 0x11, 0x01} {
		aps[0].status(s)
	}
	w.wantTold("AP 10.0.0.1 changed", "AP 10.0.0.1 changed")
	w.wantLocked(false)
}

func TestSetupLockedByItsAnswers(t *testing.T) {
	t.Parallel()
	w, aps := start(t, 1)
	p := aps[0]
	run := func(text string, want error) {
		t.Helper()
		if e := w.mustEnd(w.learn(p, text)); !errors.Is(e.Err, want) {
			t.Errorf("%v, not %v", e.Err, want)
		}
	}
	run("99995670", registration.ErrPassword)
	w.wantLocked(false)
	p.locked = true
	run("99995670", registration.ErrLocked)
	w.wantLocked(true)
	p.status(1) // as in every event of hostapd
	w.wantLocked(true)

	// It takes a PIN again, whether it is the right one or not.
	p.locked = false
	w.told()
	run("99995670", registration.ErrPassword)
	w.wantLocked(false)
	if told := w.told(); !slices.Contains(told, "AP 10.0.0.1 changed") {
		t.Errorf("told %q", told)
	}
	run("12345670", nil)
}

func TestSetupLockedEndsWithARestart(t *testing.T) {
	t.Parallel()
	w, aps := start(t, 1)
	aps[0].locked = true
	w.mustEnd(w.learn(aps[0], "12345670"))
	w.wantLocked(true)
	aps[0].sid, aps[0].locked = "", false // without a goodbye
	w.wait(time.Hour)
	w.wantLocked(false)
}
