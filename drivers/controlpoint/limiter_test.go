package controlpoint

import (
	"net/netip"
	"testing"
	"time"
)

func TestLimiter(t *testing.T) {
	t.Parallel()
	l := newLimiter(rate{burst: 3, perSecond: 1, allBurst: 100, allPerSecond: 10, sources: 4})
	now := time.Unix(1000, 0)
	a, b := newAddress(), newAddress()
	take := func(from netip.Addr, n int) (got int) {
		for range n {
			if l.allow(now, from) {
				got++
			}
		}
		return got
	}
	if n := take(a, 10); n != 3 {
		t.Errorf("%d at once", n)
	}
	if n := take(b, 2); n != 2 {
		t.Errorf("the other one got %d", n)
	}
	now = now.Add(2 * time.Second)
	if n := take(a, 10); n != 2 {
		t.Errorf("%d after two seconds", n)
	}
	take(b, 3)
	if l.allow(now.Add(-time.Hour), a) {
		t.Error("a clock that goes back gives more")
	}

	// Two more addresses fill the table; the next ones are refused, those known already are not.
	take(newAddress(), 1)
	take(newAddress(), 1)
	if n := take(newAddress(), 5); n != 0 || len(l.sources) > 4 {
		t.Errorf("%d of a fifth source, %d kept", n, len(l.sources))
	}
	now = now.Add(time.Second)
	if !l.allow(now, a) {
		t.Error("a known source was refused")
	}
	now = now.Add(10 * time.Second)
	if n := take(newAddress(), 1); n != 1 || len(l.sources) != 1 {
		t.Errorf("%d after the others were silent, %d kept", n, len(l.sources))
	}
}

func TestLimiterInAll(t *testing.T) {
	t.Parallel()
	l := newLimiter(rate{burst: 3, perSecond: 1, allBurst: 20, allPerSecond: 10, sources: 1000})
	now, got := time.Unix(1000, 0), 0
	for range 500 {
		if l.allow(now, newAddress()) {
			got++
		}
	}
	if got != 20 || len(l.sources) != 20 {
		t.Errorf("%d at once, %d kept", got, len(l.sources))
	}
}
