package listening

import (
	"context"
	"errors"
	"log/slog"
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
	heard chan string

	mu       sync.Mutex
	listens  []bool // as it was told
	broken   error  // of Listen
	deaf     error  // of Air
	busy     bool   // the service wants nothing now
	handedOn []string
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

func (r radio) Heard() <-chan string { return r.heard }

func (r radio) Air(_ context.Context, ifname string, age time.Duration) ([]drivers.BSS, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return []drivers.BSS{{Frequency: int(age / time.Second)}}, r.deaf
}

// hub is the room as the service.
type hub struct{ *room }

func (h hub) Stations() []string { return []string{"wlan0"} }

func (h hub) Wants(ifname string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return ifname != "gone" && !h.busy
}

func (h hub) Heard(ifname string, list []drivers.BSS) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(list) == 1 && list[0].Frequency == 60 { // what is a minute old at most
		h.handedOn = append(h.handedOn, ifname)
	}
}

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
		r := &room{heard: make(chan string)}
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
		r.heard <- "wlan0"
		want("nobody follows")
		s.Follow(true)
		s.Follow(true)
		want("what was heard before", "wlan0")
		for range 100 {
			r.heard <- "wlan0"
			r.heard <- "wlan1"
		}
		want("each interface has a pace of its own", "wlan1")
		time.Sleep(pace - time.Nanosecond)
		want("too early")
		time.Sleep(pace)
		r.change(func() { slices.Sort(r.handedOn) })
		want("both are due", "wlan0", "wlan1")
		time.Sleep(time.Hour)
		want("no news")
		r.heard <- "wlan1"
		r.heard <- "wlan1"
		want("news after long", "wlan1")
		s.Follow(false)
		time.Sleep(time.Hour)
		r.heard <- "wlan1"
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
		r.heard <- "wlan0"
		want("during a session")
		r.change(func() { r.busy = false })
		r.heard <- "gone"
		want("an interface that is gone")
		r.heard <- "wlan0"
		want("afterwards there is no wait", "wlan0")
		r.change(func() { r.deaf = errors.New("no such device") })
		time.Sleep(time.Minute)
		r.heard <- "wlan0"
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
