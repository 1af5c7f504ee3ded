package listening

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/drivers"
)

// room has the states of a radio that two interfaces share, and of the service, which begins with
// the first.
type room struct {
	heard chan drivers.HeardScan

	mu       sync.Mutex
	listens  []bool // as it was told
	broken   error  // of Listen
	deaf     error  // of Air
	busy     bool   // the service wants nothing now
	handedOn []string
	looked   map[int]time.Time // as handed on the last time
	crowd    int               // how many more BSSs there are
}

// radio is the room as its driver.
type radio struct{ *room }

func (r radio) Listen(on bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.broken == nil {
		r.listens = append(r.listens, on)
	}
	return r.broken
}

func (r radio) Heard() <-chan drivers.HeardScan { return r.heard }

func (r radio) Air(_ context.Context, ifname string, age time.Duration) ([]drivers.BSS, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]drivers.BSS{{Frequency: int(age / time.Second)}},
		make([]drivers.BSS, r.crowd)...), r.deaf
}

// hub is the room as the service.
type hub struct{ *room }

func (h hub) Stations() []string { return []string{"wlan0"} }

func (h hub) Wants(ifname string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return ifname != "gone" && !h.busy
}

func (h hub) Heard(ifname string, list []drivers.BSS, looked map[int]time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.looked = looked
	if list[0].Frequency == 60 { // what is a minute old at most
		h.handedOn = append(h.handedOn, ifname)
	}
}

// scanned says that a scan has ended.
func (r *room) scanned(ifname string) { r.heard <- drivers.HeardScan{Interface: ifname} }

// change changes the room.
func (r *room) change(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

// inRoom runs f with Scans of a room.
func inRoom(t *testing.T, f func(r *room, s *Scans, want func(when string, names ...string))) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := &room{heard: make(chan drivers.HeardScan)}
		s := New(hub{r}, time.Minute, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		var wait sync.WaitGroup
		wait.Go(func() { s.Run(ctx, radio{r}) })
		f(r, s, func(when string, names ...string) {
			t.Helper()
			synctest.Wait()
			r.change(func() {
				if !slices.Equal(r.handedOn, names) {
					t.Errorf("%s: %v was handed on, not %v", when, r.handedOn, names)
				}
				r.handedOn = nil
			})
		})
		cancel()
		wait.Wait()
		if n := len(r.listens); n > 0 && r.listens[n-1] {
			t.Error("it listens after its end")
		}
	})
}

func TestPace(t *testing.T) {
	inRoom(t, func(r *room, s *Scans, want func(string, ...string)) {
		r.scanned("wlan0")
		want("nobody follows")
		s.Follow(true)
		s.Follow(true)
		want("what was heard before", "wlan0")
		for range 100 {
			r.scanned("wlan0")
			r.scanned("wlan1")
		}
		want("each interface has a pace of its own", "wlan1")
		time.Sleep(pace - time.Nanosecond)
		want("too early")
		time.Sleep(pace)
		r.change(func() { slices.Sort(r.handedOn) })
		want("both are due", "wlan0", "wlan1")
		time.Sleep(time.Hour)
		want("no news")
		r.scanned("wlan1")
		r.scanned("wlan1")
		want("news after long", "wlan1")
		s.Follow(false)
		time.Sleep(time.Hour)
		r.scanned("wlan1")
		want("nobody follows any more")
		s.Follow(true)
		want("somebody comes again", "wlan0")
	})
}

func TestNotWanted(t *testing.T) {
	inRoom(t, func(r *room, s *Scans, want func(string, ...string)) {
		s.Follow(true)
		want("the beginning", "wlan0")
		r.change(func() { r.busy = true })
		time.Sleep(time.Minute)
		r.scanned("wlan0")
		want("during a session")
		r.change(func() { r.busy = false })
		r.scanned("gone")
		want("an interface that is gone")
		r.scanned("wlan0")
		want("afterwards there is no wait", "wlan0")
		r.change(func() { r.deaf = errors.New("no such device") })
		time.Sleep(time.Minute)
		r.scanned("wlan0")
		want("the list cannot be read")
	})
}

func TestCannotListen(t *testing.T) {
	inRoom(t, func(r *room, s *Scans, want func(string, ...string)) {
		r.change(func() { r.broken = errors.New("no memory") })
		s.Follow(true)
		want("it cannot")
		r.change(func() { r.broken = nil })
		s.Follow(false)
		want("it need not")
		s.Follow(true)
		want("the next one who follows is told", "wlan0")
	})
}

// TestLooked: where others have looked is told with what they heard, if it is known when they began,
// and if the list can have all that they heard.
func TestLooked(t *testing.T) {
	inRoom(t, func(r *room, s *Scans, want func(string, ...string)) {
		var began time.Time
		scan := func(took time.Duration, frequencies ...int) drivers.HeardScan {
			began = time.Now()
			time.Sleep(took)
			return drivers.HeardScan{Interface: "wlan0", Began: began, Ended: time.Now(),
				Frequencies: frequencies}
		}
		looked := func(when string, at map[int]time.Time) {
			t.Helper()
			want(when, "wlan0")
			r.change(func() {
				if !maps.EqualFunc(r.looked, at, time.Time.Equal) {
					t.Errorf("%s: %v, not %v", when, r.looked, at)
				}
			})
			time.Sleep(pace)
		}
		s.Follow(true)
		looked("what was heard before", nil)
		r.heard <- scan(134*time.Millisecond, 2412, 2437)
		looked("a scan", map[int]time.Time{2412: began, 2437: began})
		r.scanned("wlan0")
		looked("one that tells nothing", nil)
		missed := scan(time.Second, 2412)
		missed.Began = time.Time{}
		r.heard <- missed
		looked("one that began before we listened", nil)
		r.heard <- scan(39*time.Millisecond, 2412, 2437)
		looked("one whose events had waited for us", nil)
		r.change(func() { r.crowd = crowded })
		r.heard <- scan(time.Second, 2412)
		looked("so many are there that some may have been dropped", nil)
		r.change(func() { r.crowd = 0 })

		r.scanned("wlan0")
		want("the list is read", "wlan0")
		r.heard <- scan(100*time.Millisecond, 2412)
		first := began
		r.heard <- scan(200*time.Millisecond, 2437)
		time.Sleep(pace)
		looked("two since then", map[int]time.Time{2412: first, 2437: began})

		r.change(func() { r.busy = true })
		r.heard <- scan(time.Second, 2412)
		want("during a session")
		r.change(func() { r.busy = false })
		r.scanned("wlan0")
		looked("after it", nil)
	})
}
