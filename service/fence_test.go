package service

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/drivers"
	"wpsd/engine/credential"
	"wpsd/engine/upnp"
	"wpsd/service/agents"
	"wpsd/service/external"
	"wpsd/service/hotspot/hotspottest"
	"wpsd/service/outcome"
	"wpsd/service/session"
	"wpsd/service/state"
	"wpsd/service/store"
)

// faults makes what it wraps panic where armed says, once.
type faults struct {
	mu    sync.Mutex
	armed string
}

func (f *faults) arm(where string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.armed = where
}

// waits reports whether what was armed has not happened yet.
func (f *faults) waits() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.armed != ""
}

// taken reports whether it shall happen here and now.
func (f *faults) taken(where string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.armed != where {
		return false
	}
	f.armed = ""
	return true
}

func (f *faults) at(where string) {
	if f.taken(where) {
		var none *strings.Builder
		none.WriteString("a mistake of ours") // a nil dereference, as most mistakes are
	}
}

type faultyDriver struct {
	drivers.Driver
	*faults
	changed chan struct{}
}

func (d *faultyDriver) Changed() <-chan struct{} {
	if d.changed == nil {
		return d.Driver.Changed()
	}
	return d.changed
}

func (d *faultyDriver) Interfaces(ctx context.Context) ([]drivers.Interface, error) {
	d.at("interfaces")
	return d.Driver.Interfaces(ctx)
}

func (d *faultyDriver) Station(ctx context.Context, ifname string) (drivers.Station, error) {
	d.at("station")
	s, err := d.Driver.Station(ctx, ifname)
	return &faultyStation{s, d.faults}, err
}

type faultyStation struct {
	drivers.Station
	*faults
}

func (s *faultyStation) Scan(ctx context.Context, r drivers.ScanRequest) ([]drivers.BSS, error) {
	s.at("scan")
	return s.Station.Scan(ctx, r)
}

func (s *faultyStation) Associate(ctx context.Context,
	r drivers.AssociateRequest) (drivers.Link, error) {
	s.at("associate")
	l, err := s.Station.Associate(ctx, r)
	if err != nil {
		return nil, err
	}
	return &faultyLink{l, s.faults}, nil
}

func (s *faultyStation) Close() error {
	err := s.Station.Close()
	s.at("station close")
	return err
}

type faultyLink struct {
	drivers.Link
	*faults
}

func (l *faultyLink) Send(ctx context.Context, frame []byte) error {
	l.at("send")
	return l.Link.Send(ctx, frame)
}

func (l *faultyLink) Receive(ctx context.Context) ([]byte, error) {
	l.at("receive")
	return l.Link.Receive(ctx)
}

func (l *faultyLink) Close() error {
	err := l.Link.Close()
	l.at("link close")
	return err
}

// faultyManager is a fakeManager with faults.
type faultyManager struct {
	*fakeManager
	*faults
}

func (m *faultyManager) Claim(ctx context.Context, ifname string) ([]byte, error) {
	m.at("claim")
	return m.fakeManager.Claim(ctx, ifname)
}

func (m *faultyManager) Release(ctx context.Context, ifname string, debt []byte) (bool, error) {
	apart, err := m.fakeManager.Release(ctx, ifname, debt)
	m.at("release")
	return apart, err
}

func (m *faultyManager) Restore(ctx context.Context, ifname string, debt []byte,
	reconnect bool) error {
	m.at("restore")
	return m.fakeManager.Restore(ctx, ifname, debt, reconnect)
}

func (m *faultyManager) Deliver(ctx context.Context, ifname string,
	n []credential.Offer) (credential.Connection, error) {
	m.at("deliver")
	return m.fakeManager.Deliver(ctx, ifname, n)
}

// faultySource is a source of randomness: what draws from it is in the middle of the protocol, or
// holds a lock.
type faultySource struct {
	*faults
	n byte
}

func (s *faultySource) Read(b []byte) (int, error) {
	s.at("rand")
	for i := range b {
		s.n = s.n*5 + 1
		b[i] = s.n
	}
	return len(b), nil
}

// well checks that nothing of the service hangs, and that what went wrong was logged with its
// stack.
func (h *house) well(stacks int) {
	h.Helper()
	synctest.Wait()
	if !h.svc.mu.TryLock() {
		h.Fatal("the service's lock is held")
	}
	h.svc.mu.Unlock()
	log := h.log.String()
	if got := strings.Count(log, "something went wrong inside wpsd"); got != stacks || stacks > 0 &&
		!strings.Contains(log, "_test.go") && !strings.Contains(log, "hotspottest/") {
		h.Errorf("logged %d mistakes, not %d, or without their stacks", got, stacks)
	}
}

// TestFencedSessions: whatever goes wrong in a session ends that session as internal, with the
// interface given back, and the next one succeeds.
func TestFencedSessions(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"rand", "station", "scan", "associate", "send", "receive",
		"link close", "station close", "claim", "release", "restore", "deliver"} {
		for _, kind := range []string{"push button", "learn"} {
			t.Run(kind+", "+where, func(t *testing.T) {
				f := &faults{}
				inManagedHouse(t, func(c *Config) {
					m := &faultyManager{c.Managers.Holders[0].(*fakeManager), f}
					c.Managers.Holders[0], c.Managers.Sinks[0] = m, m
					c.Drivers[0] = &faultyDriver{c.Drivers[0], f, nil}
					c.Rand = &faultySource{faults: f}
				}, func(h *house, m *fakeManager, journal *store.Journal) {
					ap := h.ap(withPIN)
					f.arm(where)
					try := func() state.Session {
						if kind == "learn" {
							return h.end(h.learn(labelPIN))
						}
						h.press(ap)
						return h.end(h.pbc(nil))
					}
					s := try()
					if s.State != state.StateFailed || s.Reason != outcome.ReasonInternal ||
						s.Sentence == "" {
						h.Errorf("it ended %s, %s: %s", s.State, s.Reason, s.Sentence)
					}
					if where == "rand" || where == "receive" {
						h.well(0) // they are logged where the program logs
					} else {
						h.well(1)
					}
					time.Sleep(3 * time.Second) // a debt that could not be paid is paid again soon
					if m.released || m.network == "" {
						h.Errorf("the manager has not got its interface back: in %q, %q",
							m.network, m.told)
					}
					if debts, err := journal.Debts(); err != nil || len(debts) != 0 {
						h.Errorf("owed still: %v, %v", debts, err)
					}
					if f.waits() {
						h.Fatalf("%s never happened", where)
					}
					h.wantNetwork(try(), "home", passphrase)
				})
			})
		}
	}
}

// TestFencedOthers: what goes wrong in one session leaves another one, which runs at the same time,
// alone.
func TestFencedOthers(t *testing.T) {
	t.Parallel()
	f := &faults{}
	synctest.Test(t, func(t *testing.T) {
		inHouse(t, func(c *Config) { c.Drivers[0] = &faultyDriver{c.Drivers[0], f, nil} },
			func(h *house) {
				h.plug("wlan1", nextBSSID)
				ap := h.ap(nil)
				one, other := h.pbc(nil),
					h.pbc(func(r *session.StartRequest) { r.Interface = "wlan1" })
				time.Sleep(5 * time.Second)
				f.arm("scan") // of whichever looks next
				ended := h.wait(func(e state.Event) bool {
					_, ok := e.(state.SessionEnded)
					return ok
				}).(state.SessionEnded).Session
				h.wantEnd(ended, state.StateFailed, outcome.ReasonInternal, 0)
				h.well(1)
				h.press(ap)
				if ended.ID == one.ID {
					one = other
				}
				h.wantNetwork(h.end(one), "home", passphrase)
			})
	})
}

// TestFencedScansAndDrivers: a scan, and the loop that follows a driver.
func TestFencedScansAndDrivers(t *testing.T) {
	t.Parallel()
	f := &faults{}
	d := &faultyDriver{faults: f}
	synctest.Test(t, func(t *testing.T) {
		d.changed = make(chan struct{})
		inHouse(t, func(c *Config) { d.Driver = c.Drivers[0]; c.Drivers[0] = d }, func(h *house) {
			f.arm("scan")
			if err := h.svc.Scan(h.Context(), "wlan0"); err != nil {
				h.Fatal(err)
			}
			h.wait(func(e state.Event) bool { return e == state.ScanDone{Interface: "wlan0"} })
			h.well(1)
			f.arm("interfaces")
			d.changed <- struct{}{}
			h.well(2)
			d.changed <- struct{}{} // it follows still
			if err := h.svc.Scan(h.Context(), "wlan0"); err != nil {
				h.Fatal(err)
			}
			h.wait(func(e state.Event) bool {
				return e == state.ScanDone{Interface: "wlan0", Success: true}
			})
		})
	})
}

// faultyPoint is a ControlPoint with faults.
type faultyPoint struct {
	external.ControlPoint
	*faults
}

func (p *faultyPoint) Search(ctx context.Context) error {
	p.at("search")
	return p.ControlPoint.Search(ctx)
}

func (p *faultyPoint) Do(ctx context.Context, r upnp.Request) (upnp.Response, error) {
	p.at("do")
	return p.ControlPoint.Do(ctx, r)
}

// TestFencedExternalRegistrars: its loop, its requests, and what callers ask of it.
func TestFencedExternalRegistrars(t *testing.T) {
	t.Parallel()
	in := func(t *testing.T, run func(h *erHouse, f *faults)) {
		synctest.Test(t, func(t *testing.T) {
			f, l := &faults{}, newLAN(t)
			inHouse(t, func(c *Config) {
				c.ControlPoint = func(ifname string) (external.ControlPoint, error) {
					p, err := l.Open(ifname)
					return &faultyPoint{p, f}, err
				}
			}, func(h *house) {
				e := &erHouse{h, l}
				e.start(external.Start{})
				e.wait(func(e state.Event) bool { _, ok := e.(state.ERAPAdded); return ok })
				run(e, f)
				e.start(external.Start{}) // and another one runs
				e.wait(func(e state.Event) bool { _, ok := e.(state.ERAPAdded); return ok })
				h.wantNetwork(h.end(e.learn(labelPIN)), "home", passphrase)
			})
			if l.open != l.closed {
				t.Errorf("sockets were opened %d times, closed %d times", l.open, l.closed)
			}
		})
	}
	t.Run("in its loop", func(t *testing.T) {
		in(t, func(h *erHouse, f *faults) {
			h.end(h.learn(labelPIN)) // so that it has something to give
			s := h.admit(nil)
			f.arm("search")
			// searches again
			if err := h.svc.Registrars().StartER(h.Context(),
				external.Start{Interface: "wlan0", Owner: ":1.1"}); !errors.Is(err,
				external.ErrBroken) {
				h.Errorf("the caller is told %v", err)
			}
			e := h.end(s)
			h.wantEnd(e, state.StateFailed, outcome.ReasonInternal, 0)
			if h.running() {
				h.Error("it runs still")
			}
			h.well(1)
		})
	})
	t.Run("in a request", func(t *testing.T) {
		in(t, func(h *erHouse, f *faults) {
			f.arm("do")
			if s := h.end(h.learn(labelPIN)); s.State == state.StateSucceeded && f.waits() {
				h.Error("nothing went wrong")
			}
			h.well(1)
			if err := h.svc.Registrars().StopER(h.Context(), "wlan0"); err != nil {
				h.Fatal(err)
			}
		})
	})
}

// TestFencedAccessPoints: a session at an access point of this machine withdraws what it granted.
func TestFencedAccessPoints(t *testing.T) {
	t.Parallel()
	inHotspot(t, func(u *hotspottest.Software) { u.Panics = "pin" },
		func(h *house, u *hotspottest.Software) {
			s := h.end(h.admit(0))
			if s.Reason != outcome.ReasonInternal {
				h.Errorf("%+v", s)
			}
			if !strings.HasSuffix(u.Commands(), "withdraw") {
				h.Errorf("not withdrawn: %s", u.Commands())
			}
			h.well(1)
			second := h.admit(0)
			if err := h.svc.Cancel(h.Context(), second.ID); err != nil {
				h.Error(err)
			}
			h.wantEnd(h.end(second), state.StateCanceled, outcome.ReasonCanceled, 0)
		})
}

// TestFencedAgents: an agent's goroutine goes on, and the credential stays.
func TestFencedAgents(t *testing.T) {
	t.Parallel()
	play(t, []scene{{"a call to an agent", func(h *house) {
		h.process(state.ProcessingBoth)
		var asked atomic.Int32
		h.agent(":1.9", func(context.Context, agents.Delivery) error {
			if n := asked.Add(1); n == 1 {
				panic(fmt.Sprintf("mistake number %d", n))
			}
			return nil
		})
		h.wantNetwork(h.enrol(h.ap(nil)), "home", passphrase)
		h.well(1)
		time.Sleep(2 * agents.Pause)
		h.waiting(0)
		if n := asked.Load(); n != 2 {
			h.Errorf("asked %d times", n)
		}
	}}})
}
