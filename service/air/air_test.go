package air

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"wpsd/drivers"
	"wpsd/engine/wsc"
	"wpsd/service/search"
	"wpsd/service/state"
)

func TestAir(t *testing.T) {
	t.Parallel()
	now := time.Unix(1000, 0)
	bss := func(last byte, seen time.Time) drivers.BSS {
		return drivers.BSS{BSSID: [6]byte{5: last}, Seen: seen}
	}
	a := New(state.New(state.Manager{}), "wlan0")
	a.heardAll([]drivers.BSS{bss(1, now), bss(2, now.Add(-time.Second)),
		bss(3, now.Add(-time.Hour))}, now)
	if len(a.bsss) != 2 || a.bsss[[6]byte{5: 2}].ID != 1 {
		t.Fatalf("after the first scan: %+v", a.bsss)
	}
	newer := bss(2, now)
	newer.Signal = -40
	a.heardAll([]drivers.BSS{newer, bss(1, now.Add(-time.Minute))}, now)
	if b := a.bsss[[6]byte{5: 2}]; b.ID != 1 || b.Signal != -40 {
		t.Errorf("heard again: %+v", b)
	}
	if b := a.bsss[[6]byte{5: 1}]; !b.Seen.Equal(now) {
		t.Errorf("an older look counts: %+v", b)
	}
	later := now.Add(StaleAfter + time.Second)
	a.heardAll([]drivers.BSS{bss(1, later)}, later)
	if len(a.bsss) != 1 {
		t.Errorf("what is gone is kept: %+v", a.bsss)
	}
	for n := range 2 * maxBSSs {
		a.heardAll([]drivers.BSS{{BSSID: [6]byte{2, 0, 0, 0, byte(n >> 8), byte(n)},
			Seen: later}}, later)
	}
	if len(a.bsss) != maxBSSs {
		t.Errorf("%d BSSs are kept", len(a.bsss))
	}
}

// TestManyAccessPoints: more access points than anybody has are bounded.
func TestManyAccessPoints(t *testing.T) {
	t.Parallel()
	a := New(state.New(state.Manager{}), "wlan0")
	for n := range 2 * maxAccessPoints {
		c := search.Candidate{}
		c.BSSID, c.Ad, c.Seen = wsc.MAC{2, 1, 1, 1, byte(n >> 8), byte(n)},
			new(wsc.Advertisement), time.Now()
		a.Heard(nil, nil, time.Now(), []search.Candidate{c})
	}
	if n := len(a.accessPoints); n != maxAccessPoints {
		t.Errorf("%d", n)
	}
}

// TestAnInterfaceThatIsGone: the access points of an interface that is gone go with it, once, and
// what a session still hears there is not told.
func TestAnInterfaceThatIsGone(t *testing.T) {
	t.Parallel()
	p := state.New(state.Manager{})
	_, sub := p.Subscribe()
	a := New(p, "wlan0")
	c := search.Candidate{}
	c.BSSID, c.Ad, c.Seen = wsc.MAC{2, 0, 0, 0, 1, 0}, new(wsc.Advertisement), time.Now()
	a.Heard(nil, nil, time.Now(), []search.Candidate{c})
	a.ScanDone(true)
	a.End()
	a.Heard(nil, []int{2412}, time.Now().Add(time.Hour), []search.Candidate{c})
	a.ScanDone(true)
	a.End()
	var told []string
	for e, ok := sub.TryNext(); ok; e, ok = sub.TryNext() {
		told = append(told, fmt.Sprintf("%T", e))
	}
	if want := []string{"state.AccessPointAdded", "state.ScanDone",
		"state.AccessPointRemoved"}; !slices.Equal(told, want) {
		t.Errorf("told %q, not %q", told, want)
	}
}
