// Package listening hears what the scans of others hear: whenever anybody's scan has ended, what
// the kernel's list has then is handed on, and where it looked. That costs no time of the radio, and
// shows pressed buttons as scans of ours do, as the Beacons do (WSC 2.0.8, 8.2.1). Without anybody
// who follows, nothing wakes us up.
package listening

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"wpsd/drivers"
)

// pace is how often what others have heard is read at most, for each interface: who has a menu open
// scans every few seconds, and whoever scans channel by channel several times a second.
const pace = time.Second

const (
	// leastTime is the shortest that a radio stays on a channel to hear all who are there. If the
	// events of a scan came closer together than that, they had waited for us, and nobody knows
	// when it began.
	leastTime = 20 * time.Millisecond
	// crowded is how many BSSs are so many that the kernel may have dropped some to make room: it
	// keeps 1,000 (cfg80211's bss_entries_limit).
	crowded = 900
)

// Hub is what there is to be known of the service.
type Hub interface {
	// Stations names the interfaces on which what others hear is news.
	Stations() []string
	// Wants reports whether it is news on that one, now.
	Wants(ifname string) bool
	// Heard takes in what was heard on an interface, and when the scans began that looked at
	// channels (by frequency, MHz). What they heard there is in the list, unless it is older than
	// maxAge.
	Heard(ifname string, list []drivers.BSS, looked map[int]time.Time)
}

// Scans are the scans of others. It is safe for concurrent use.
type Scans struct {
	hub     Hub
	maxAge  time.Duration // of what is handed on
	log     *slog.Logger
	changed chan struct{} // holds a value after followed has changed

	mu       sync.Mutex
	followed bool
}

// New makes Scans that nobody follows, which hand on what was heard within maxAge.
func New(hub Hub, maxAge time.Duration, log *slog.Logger) *Scans {
	return &Scans{hub: hub, maxAge: maxAge, log: log, changed: make(chan struct{}, 1)}
}

// Follow says whether somebody wants to know what is in the air.
func (s *Scans) Follow(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.followed == on {
		return
	}
	s.followed = on
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// wanted reports whether somebody follows.
func (s *Scans) wanted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.followed
}

// Run listens with the radios of a driver while somebody follows, until ctx ends. It runs once.
func (s *Scans) Run(ctx context.Context, driver drivers.Listener) {
	defer func() { _ = driver.Listen(false) }()
	r := reader{scans: s, driver: driver, read: make(map[string]time.Time),
		due: make(map[string]bool), looked: make(map[string]map[int]time.Time),
		timer: time.NewTimer(time.Hour)}
	r.timer.Stop()
	defer r.timer.Stop()
	for {
		select {
		case <-s.changed:
			r.follow(ctx, s.wanted())
		case scan := <-driver.Heard():
			if r.listens {
				r.note(scan)
				r.hear(ctx, scan.Interface)
			}
		case <-r.timer.C:
			for name := range r.due {
				r.take(ctx, name)
			}
		case <-ctx.Done():
			return
		}
	}
}

// reader reads lists at a pace. Run's goroutine owns it.
type reader struct {
	scans   *Scans
	driver  drivers.Listener
	listens bool
	read    map[string]time.Time         // when the list of each interface was read
	due     map[string]bool              // those to read when the timer runs out
	looked  map[string]map[int]time.Time // what is to be said of looks when the list is read
	timer   *time.Timer
}

// follow begins to listen or ends it. What was heard before is news to whoever comes.
func (r *reader) follow(ctx context.Context, on bool) {
	if on == r.listens {
		return
	}
	if err := r.driver.Listen(on); err != nil {
		r.scans.log.Debug("the scans of others", "err", err)
		return
	}
	r.listens = on
	if !on {
		r.timer.Stop()
		clear(r.due)
		clear(r.read)
		clear(r.looked)
		return
	}
	for _, name := range r.scans.hub.Stations() {
		r.hear(ctx, name)
	}
}

// note keeps where a scan has looked.
func (r *reader) note(scan drivers.HeardScan) {
	took := scan.Ended.Sub(scan.Began)
	if scan.Began.IsZero() || took < time.Duration(len(scan.Frequencies))*leastTime {
		return
	}
	looked := r.looked[scan.Interface]
	if looked == nil {
		looked = make(map[int]time.Time)
		r.looked[scan.Interface] = looked
	}
	for _, f := range scan.Frequencies {
		looked[f] = scan.Began
	}
}

// hear takes what is in the list of an interface, now or when it is time.
func (r *reader) hear(ctx context.Context, name string) {
	wait := pace - time.Since(r.read[name])
	if wait <= 0 {
		r.take(ctx, name)
		return
	}
	if len(r.due) == 0 {
		r.timer.Reset(wait)
	}
	r.due[name] = true
}

// take reads the list of an interface and hands it on.
func (r *reader) take(ctx context.Context, name string) {
	looked := r.looked[name]
	delete(r.due, name)
	delete(r.looked, name)
	if !r.scans.hub.Wants(name) {
		delete(r.read, name) // it may be gone
		return
	}
	r.read[name] = time.Now()
	list, err := r.driver.Air(ctx, name, r.scans.maxAge)
	if err != nil {
		r.scans.log.Debug("what others have heard", "interface", name, "err", err)
		return
	}
	if len(list) >= crowded {
		looked = nil
	}
	r.scans.hub.Heard(name, list, looked)
}
