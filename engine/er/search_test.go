package er

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"wpsd/engine/upnp"
)

// slowly carries out requests to a dead access point the way a ControlPoint does: each fails after
// its time is over.
func (w *world) slowly(until time.Time, requestTime time.Duration) {
	w.t.Helper()
	failAt := map[uint64]time.Time{}
	for w.now.Before(until) {
		for _, d := range w.held {
			if failAt[d.ID].IsZero() {
				failAt[d.ID] = w.now.Add(requestTime)
			}
		}
		held := w.held
		w.held = nil
		for _, d := range held {
			if w.now.Before(failAt[d.ID]) {
				w.held = append(w.held, d)
			} else {
				w.do(w.r.Replied(w.now, d.ID, upnp.Response{},
					errors.New("no complete answer in time")))
			}
		}
		w.wait(100 * time.Millisecond)
	}
}

func TestOneThatIsOffIsNoticedWithinTwoMinutes(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 150} {
		for after := time.Duration(0); after < 5*time.Minute; after += 41 * time.Second {
			w, aps := start(t, n)
			w.wait(after)
			w.told()
			dead := aps[n/2]
			dead.up = false
			off := w.now
			w.silent = func(a netip.Addr) bool { return a == dead.addr }
			w.slowly(off.Add(2*time.Minute), 15*time.Second)
			w.wantTold("AP " + dead.addr.String() + " removed: unreachable")
		}
	}
}

func TestWatchingCostsLittle(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name              string
		aps               int
		least, most       int // searches in an hour
		requests, wakeups int // of all access points, but for renewals; of the timer
	}{
		{"one access point", 1, 40, 53, 0, 60},
		{"a thousand", 1000, 7, 9, 0, 400},
		{"nobody", 0, 3, 5, 0, 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w, _ := start(t, c.aps)
			w.wait(10 * time.Minute) // nobody: the searches become rare
			w.did()
			w.searches = 0
			wakeups := 0
			for end := w.now.Add(time.Hour); ; wakeups++ {
				next := w.r.NextTick()
				if next.IsZero() || next.After(end) {
					break
				}
				w.now = next
				w.do(w.r.Tick(w.now))
			}
			if w.searches < c.least || w.searches > c.most || wakeups > c.wakeups {
				t.Errorf("%d searches, %d wake-ups", w.searches, wakeups)
			}
			n := 0
			for _, did := range w.did() {
				if !strings.HasSuffix(did, " renew") {
					n++
				}
			}
			if n > c.requests {
				t.Errorf("%d requests", n)
			}
			t.Logf("%d searches, %d wake-ups", w.searches, wakeups)
		})
	}
}

func TestOneThatNeverAnswersASearchIsNotAskedEveryTime(t *testing.T) {
	t.Parallel()
	w, aps := start(t, 1)
	w.did()
	w.told()
	aps[0].announces = false
	w.wait(time.Hour)
	if n := count(w.did(), "10.0.0.1 renew"); n < 6 || n > 12 {
		t.Errorf("%d renewals in an hour", n)
	}
	w.wantTold()

	// It is forgiven once it was heard.
	aps[0].announces = true
	w.wait(20 * time.Minute)
	aps[0].up = false
	w.wait(2 * time.Minute)
	w.wantTold("AP 10.0.0.1 removed: unreachable")
}

func TestOneThatForgotUsIsSubscribedToAgain(t *testing.T) {
	t.Parallel()
	w, aps := start(t, 1)
	w.wait(time.Minute)
	w.did()
	w.told()
	aps[0].announces, aps[0].sid = false, ""
	w.wait(watchEvery + watchAnswer)
	w.wantDid("10.0.0.1 renew", "10.0.0.1 GetDeviceInfo", "10.0.0.1 SUBSCRIBE")
	w.wantTold("AP 10.0.0.1 changed")
}

func TestAfterAFailureOfTheNetworkAllAreFoundAgain(t *testing.T) {
	t.Parallel()
	w, aps := start(t, 20)
	for _, p := range aps {
		p.up = false
	}
	w.wait(10 * time.Minute)
	if n := len(w.r.APs()); n != 0 {
		t.Fatalf("%d are left", n)
	}
	for _, p := range aps {
		p.up, p.sid = true, ""
	}
	w.wait(watchNobody) // none announces himself
	if n := len(w.r.APs()); n != 20 {
		t.Errorf("%d are back", n)
	}
}

// A message of a run that cannot be delivered is a reason to ask.
func TestOneThatTakesNoMessageOfAStationIsAsked(t *testing.T) {
	t.Parallel()
	w, aps := giving(t, 1)
	w.allow(PINGrant{PIN: pin("12345670").Value})
	w.did()
	w.told()
	aps[0].up = false
	aps[0].join(phone, pin("12345670"))
	if told := w.told(); !slices.Contains(told, "AP 10.0.0.1 removed: unreachable") {
		t.Errorf("told %q", told)
	}
}
