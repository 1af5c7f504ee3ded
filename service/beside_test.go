package service

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/drivers"
	"wpsd/drivers/sim"
	"wpsd/engine/wsc"
	"wpsd/service/lending"
	"wpsd/service/outcome"
	"wpsd/service/state"
	"wpsd/service/store"
)

// connectedDriver has the connection that a fakeManager has made.
type connectedDriver struct {
	drivers.Driver
	manager *fakeManager
	refuses error // what a scan beside the connection fails with
	newest  drivers.ScanRequest
}

func (d *connectedDriver) Connection(context.Context, string) (drivers.BSS, bool, error) {
	d.manager.mu.Lock()
	defer d.manager.mu.Unlock()
	return drivers.BSS{BSSID: farBSSID}, d.manager.network != "", nil
}

func (d *connectedDriver) Station(ctx context.Context, ifname string) (drivers.Station, error) {
	s, err := d.Driver.Station(ctx, ifname)
	return &connectedStation{s, d}, err
}

// connectedStation refuses to scan while its interface is connected, if its driver does.
type connectedStation struct {
	drivers.Station
	driver *connectedDriver
}

func (s *connectedStation) Scan(ctx context.Context, r drivers.ScanRequest) ([]drivers.BSS, error) {
	s.driver.newest = r
	_, connected, _ := s.driver.Connection(ctx, "")
	if connected && s.driver.refuses != nil {
		return nil, s.driver.refuses
	}
	return s.Station.Scan(ctx, r)
}

// inConnectedHouse is inManagedHouse where the manager's network shows on the interface.
func inConnectedHouse(t *testing.T, run func(*house, *fakeManager, *connectedDriver,
	*store.Journal)) {
	t.Helper()
	d := &connectedDriver{}
	inManagedHouse(t, func(c *Config) {
		d.Driver, d.manager = c.Drivers[0], c.Managers.Holders[0].(*fakeManager)
		c.Drivers[0] = d
	}, func(h *house, m *fakeManager, j *store.Journal) { run(h, m, d, j) })
}

// untouched fails if the manager has noticed anything.
func (h *house) untouched(m *fakeManager, j *store.Journal) {
	h.Helper()
	synctest.Wait()
	if _, err := j.Debt("wlan0"); len(m.told) > 0 || m.network != "before" ||
		!errors.Is(err, store.ErrNotFound) {
		h.Errorf("the manager is in %q, told %q, owed: %v", m.network, m.told, err)
	}
}

// TestAConnectionIsKeptUntilSomebodyIsToBeTried holds what a person who uses the network notices of
// a session: nothing, until it has somebody to try.
func TestAConnectionIsKeptUntilSomebodyIsToBeTried(t *testing.T) {
	all := []string{"release", "restore false", "deliver home " + passphrase}
	var home *sim.AP
	waits := func(h *house) state.Session { home = h.ap(nil); return h.pbc(nil) }
	for _, c := range []struct {
		name    string
		start   func(h *house) state.Session
		come    func(h *house)
		after   time.Duration
		told    []string
		network string
		reason  outcome.Reason
	}{
		{
			name:  "a button is pressed after a while",
			start: waits,
			come:  func(h *house) { h.press(home) },
			after: 100 * time.Second, told: all, network: "home",
		},
		{
			name:  "nobody presses",
			start: waits,
			come:  func(*house) {}, after: 110 * time.Second, network: "before",
			reason: outcome.ReasonWalkTime,
		},
		{
			name:  "the access point that was named comes into reach",
			start: func(h *house) state.Session { return h.pin(labelPIN, homeBSSID) },
			come:  func(h *house) { h.enter(h.ap(nil), labelPIN) },
			after: 50 * time.Second, told: all, network: "home",
		},
		{
			name:  "it does not",
			start: func(h *house) state.Session { return h.pin(labelPIN, homeBSSID) },
			come:  func(*house) {}, after: 110 * time.Second, network: "before",
			reason: outcome.ReasonNoAccessPoint,
		},
		{
			name: "two buttons are pressed",
			start: func(h *house) state.Session {
				h.press(h.ap(nil))
				h.press(h.next(nil))
				return h.pbc(nil)
			},
			come: func(*house) {}, network: "before", reason: outcome.ReasonOverlap,
		},
		{
			name:  "somebody cancels",
			start: waits,
			come: func(h *house) {
				if err := h.svc.CancelInterface(h.Context(), "wlan0"); err != nil {
					h.Error(err)
				}
			},
			after: 20 * time.Second, network: "before", reason: outcome.ReasonCanceled,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			inConnectedHouse(t, func(h *house, m *fakeManager, _ *connectedDriver,
				j *store.Journal) {
				s := c.start(h)
				time.Sleep(c.after)
				if c.after > 0 {
					h.untouched(m, j)
				}
				c.come(h)
				s = h.end(s)
				if s.Reason != c.reason || m.network != c.network ||
					!slices.Equal(m.told, c.told) {
					h.Errorf("it ended %s: %s; the manager is in %q, told %q", s.Reason,
						s.Sentence, m.network, m.told)
				}
				if _, err := j.Debt("wlan0"); !errors.Is(err, store.ErrNotFound) {
					h.Errorf("owed: %v", err)
				}
			})
		})
	}
}

// TestAConnectionComesBackWhileNobodyIsToBeTried: after an attempt that failed the manager has its
// network again, though the session goes on, and lets go once more for the next one.
func TestAConnectionComesBackWhileNobodyIsToBeTried(t *testing.T) {
	inConnectedHouse(t, func(h *house, m *fakeManager, _ *connectedDriver, j *store.Journal) {
		const pin = "12345670"
		h.enter(h.ap(nil), "37542168") // another one
		s := h.pin(pin, wsc.MAC{})
		h.wait(func(e state.Event) bool {
			f, ok := e.(state.RunFailed)
			return ok && f.Session == s.ID
		})
		time.Sleep(6 * time.Second) // somebody may come for five
		synctest.Wait()
		if want := []string{"release", "restore true"}; !slices.Equal(m.told, want) ||
			m.network != "before" {
			h.Errorf("the manager is in %q, told %q", m.network, m.told)
		}
		if _, err := j.Debt("wlan0"); !errors.Is(err, store.ErrNotFound) {
			h.Errorf("owed: %v", err)
		}
		h.enter(h.next(nil), pin)
		h.wantNetwork(h.end(s), "next door", passphrase)
		if want := []string{"release", "restore true", "release", "restore false",
			"deliver next door " + passphrase}; !slices.Equal(m.told, want) {
			h.Errorf("told %q", m.told)
		}
	})
}

// TestARadioThatCannotScanBesideItsConnection is taken at once, as the user wants a network.
func TestARadioThatCannotScanBesideItsConnection(t *testing.T) {
	for _, refuses := range []error{drivers.ErrBusy, drivers.ErrNotSupported, errors.New("EIO")} {
		inConnectedHouse(t, func(h *house, m *fakeManager, d *connectedDriver, _ *store.Journal) {
			d.refuses = refuses
			h.press(h.ap(nil))
			h.wantNetwork(h.end(h.pbc(nil)), "home", passphrase)
			if !slices.Equal(m.told,
				[]string{"release", "restore false", "deliver home " + passphrase}) {
				h.Errorf("%v: told %q", refuses, m.told)
			}
		})
	}
}

// TestAManagerThatWillNotLetGoSaysSoAtOnce, not when somebody has walked to the router.
func TestAManagerThatWillNotLetGoSaysSoAtOnce(t *testing.T) {
	inConnectedHouse(t, func(h *house, m *fakeManager, _ *connectedDriver, j *store.Journal) {
		h.ap(nil)
		m.claimErr = &drivers.HeldError{Interface: "wlan0", Err: drivers.ErrHeldLinkDown}
		began := time.Now()
		s := h.end(h.pbc(nil))
		if took := time.Since(began); s.Reason != outcome.ReasonInterfaceBusy ||
			!strings.Contains(s.Sentence, "switch it on") || took > time.Second {
			h.Errorf("after %v: %s: %s", took, s.Reason, s.Sentence)
		}
		h.untouched(m, j)
	})
}

// TestAManagerHearsTheNetworkBeforeItGetsIt: its channel is looked at while the manager has the
// interface; an access point that is off the air for a moment is waited for, and no longer.
func TestAManagerHearsTheNetworkBeforeItGetsIt(t *testing.T) {
	for _, c := range []struct {
		name        string
		off         time.Duration // from the credential on
		least, most time.Duration
	}{
		{"it is there", 0, 0, 300 * time.Millisecond},
		{"it is restarted", 2 * time.Second, 2 * time.Second, 3 * time.Second},
		// the end of the run is waited for as well
		{"it stays away", time.Hour, lending.RefreshTime, lending.RefreshTime + 3*time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			inConnectedHouse(t, func(h *house, m *fakeManager, d *connectedDriver,
				_ *store.Journal) {
				ap := h.ap(nil)
				h.press(ap)
				s := h.pbc(nil)
				h.received(s)
				began := time.Now()
				if c.off > 0 {
					h.world.RemoveAP(ap)
					time.AfterFunc(c.off, func() { h.ap(nil) })
				}
				h.wantNetwork(h.end(s), "home", passphrase)
				if took := time.Since(began); took < c.least || took > c.most {
					h.Errorf("handed over after %v", took)
				}
				want := drivers.ScanRequest{Frequencies: []int{2437}, SSID: []byte("home"),
					Urgent: true}
				if !reflect.DeepEqual(d.newest, want) {
					h.Errorf("the newest look is %+v", d.newest)
				}
			})
		})
	}
}

// TestAManagerThatDoesNotHearTheNetworkKeepsIt: the access point is off the air when a person
// presses again, and the manager has the network all the same.
func TestAManagerThatDoesNotHearTheNetworkKeepsIt(t *testing.T) {
	inConnectedHouse(t, func(h *house, m *fakeManager, _ *connectedDriver, _ *store.Journal) {
		ap := h.ap(nil)
		h.press(ap)
		first := h.pbc(nil)
		h.received(first)
		h.world.RemoveAP(ap)
		h.wait(func(e state.Event) bool {
			c, ok := e.(state.SessionChanged)
			return ok && c.Session.State == state.StateHandingOver
		})
		second := h.pbc(nil)
		h.end(first)
		if err := h.svc.Cancel(h.Context(), second.ID); err != nil {
			h.Fatal(err)
		}
		h.end(second)
		if !slices.Contains(m.told, "deliver home "+passphrase) || m.network != "home" {
			h.Errorf("the manager is in %q, told %q", m.network, m.told)
		}
	})
}
