package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/drivers"
	"wpsd/engine/credential"
	"wpsd/engine/secret"
	"wpsd/engine/wsc"
	"wpsd/service/lending"
	"wpsd/service/outcome"
	"wpsd/service/session"
	"wpsd/service/state"
	"wpsd/service/store"
)

// fakeManager has wlan0 and is in the network "before", and notes what it is told. One goroutine
// uses it at a time; mu is for tests that change it meanwhile.
type fakeManager struct {
	mu       sync.Mutex
	name     string
	absent   bool
	released bool
	network  string // that it is in
	told     []string
	owed     func() bool // whether the journal has something when it lets go

	claimErr, releaseErr, restoreErr, deliverErr error
	hang                                         bool // Deliver waits for the end of its context
}

func (m *fakeManager) Name() string { return m.name }

func (m *fakeManager) Claim(_ context.Context, ifname string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.absent || m.claimErr != nil || ifname != "wlan0" {
		return nil, m.claimErr
	}
	return json.Marshal(map[string]string{"network": m.network})
}

func (m *fakeManager) Release(context.Context, string, []byte) (bool, error) {
	if !m.owed() {
		m.told = append(m.told, "release before the journal")
	}
	m.told = append(m.told, "release")
	m.mu.Lock()
	defer m.mu.Unlock()
	m.released, m.network = true, ""
	return false, m.releaseErr
}

func (m *fakeManager) Restore(_ context.Context, _ string, debt []byte, reconnect bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.restoreErr != nil {
		return m.restoreErr
	}
	m.told = append(m.told, fmt.Sprintf("restore %v", reconnect))
	m.released = false
	var d struct{ Network string }
	if err := json.Unmarshal(debt, &d); err != nil {
		return err
	}
	if reconnect {
		m.network = d.Network
	}
	return nil
}

func (*fakeManager) Shares() bool { return false }

func (*fakeManager) Disconnect(context.Context, string) error { return drivers.ErrNotSupported }

func (*fakeManager) Changes(context.Context, string, credential.Network) (bool, error) {
	return false, drivers.ErrNotSupported
}

func (m *fakeManager) Deliver(ctx context.Context, _ string,
	offers []credential.Offer) (made credential.Connection, err error) {
	for _, n := range offers {
		text := "deliver " + string(n.SSID) + " " + string(n.Key.Bytes())
		if n.Priority != 0 || n.NoSAE {
			text += fmt.Sprint(" ", n.Priority, n.NoSAE)
		}
		m.told = append(m.told, text)
	}
	if m.hang {
		<-ctx.Done()
		m.mu.Lock()
		defer m.mu.Unlock()
		if errors.Is(context.Cause(ctx), credential.ErrKeep) {
			m.network = string(offers[0].SSID)
		}
		return made, context.Cause(ctx)
	}
	if m.deliverErr != nil {
		return made, m.deliverErr
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.network = string(offers[0].SSID)
	return credential.Connection{Path: "/" + m.network, UUID: "of " + m.network}, nil
}

// inManagedHouse is inHouse with a manager that has wlan0, and another one that has nothing.
func inManagedHouse(t *testing.T, change func(*Config),
	run func(*house, *fakeManager, *store.Journal)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		journal, err := store.OpenJournal(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer journal.Close()
		owed := func() bool { _, err := journal.Debt("wlan0"); return err == nil }
		m, other := &fakeManager{name: "first", network: "before", owed: owed},
			&fakeManager{name: "second", absent: true, owed: owed}
		inHouse(t, func(c *Config) {
			c.Managers = lending.Config{Holders: []lending.Holder{m, other},
				Sinks: []lending.Sink{m, other}, Journal: journal}
			if change != nil {
				change(c)
			}
		}, func(h *house) { run(h, m, journal) })
	})
}

func TestManagedInterface(t *testing.T) {
	key := passphrase
	for _, c := range []struct {
		name     string
		prepare  func(*fakeManager)
		config   func(*Config)
		start    func(*session.StartRequest)
		state    state.State
		reason   outcome.Reason
		told     []string
		network  string
		sentence string
		manager  string
		owed     bool
	}{
		{
			name: "who has the interface gets the network", state: state.StateSucceeded,
			told: []string{"release", "restore false", "deliver home " + key}, network: "home",
			manager: "first",
		},
		{
			name: "with apply none the manager is back in its network", state: state.StateSucceeded,
			start: func(r *session.StartRequest) { r.Apply = session.ApplyNone },
			told:  []string{"release", "restore true"}, network: "before",
		},
		{
			name: "with apply none in the configuration, too", state: state.StateSucceeded,
			config: func(c *Config) { c.Managers.Apply = session.ApplyNone },
			told:   []string{"release", "restore true"}, network: "before",
		},
		{
			name: "a session's apply comes before the configuration's", state: state.StateSucceeded,
			config: func(c *Config) { c.Managers.Apply = session.ApplyNone },
			start: func(r *session.StartRequest) {
				r.Apply = "first"
			},
			told: []string{"release", "restore false", "deliver home " + key}, network: "home",
			manager: "first",
		},
		{
			name:   "credentials that are for other programs are handed to nobody",
			state:  state.StateSucceeded,
			config: func(c *Config) { c.Processing = state.ProcessingExternal },
			told:   []string{"release", "restore true"}, network: "before",
		},
		{
			name: "a manager that does not connect gets its network back", state: state.StateFailed,
			reason:  outcome.ReasonHandoverFailed,
			prepare: func(m *fakeManager) { m.deliverErr = errors.New("no such luck") },
			told:    []string{"release", "restore false", "deliver home " + key, "restore true"},
			network: "before", manager: "first",
		},
		{
			name: "a manager that hangs does, too", state: state.StateFailed,
			reason:  outcome.ReasonHandoverFailed,
			prepare: func(m *fakeManager) { m.hang = true },
			told:    []string{"release", "restore false", "deliver home " + key, "restore true"},
			network: "before", manager: "first",
		},
		{
			name:    "a manager that cannot take the interface back stays owed",
			state:   state.StateSucceeded,
			prepare: func(m *fakeManager) { m.restoreErr = errors.New("it does not run") },
			start:   func(r *session.StartRequest) { r.Apply = session.ApplyNone },
			told:    []string{"release"}, owed: true,
		},
		{
			name:  "a manager that does not let go ends the session, and has its network",
			state: state.StateFailed, reason: outcome.ReasonInterfaceBusy,
			prepare: func(m *fakeManager) { m.releaseErr = errors.New("never") },
			told:    []string{"release", "restore true"}, network: "before",
		},
		{
			name: "a manager that does not answer ends the session", state: state.StateFailed,
			reason:  outcome.ReasonInterfaceBusy,
			prepare: func(m *fakeManager) { m.claimErr = errors.New("timeout") }, network: "before",
		},
		{
			name: "a manager that knows what a person can do says so", state: state.StateFailed,
			reason: outcome.ReasonInterfaceBusy,
			prepare: func(m *fakeManager) {
				m.claimErr = fmt.Errorf("it is held: %w", &drivers.HeldError{
					Interface: "wlan7", Err: drivers.ErrHeldLinkDown})
			}, network: "before", sentence: "wpa_supplicant has wlan7, whose link is down: switch it on (ip link set wlan7 up), or stop wpa_supplicant.",
		},
		{
			name: "an interface that nobody has is used as it is", state: state.StateSucceeded,
			prepare: func(m *fakeManager) { m.absent = true }, network: "before",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			inManagedHouse(t, c.config, func(h *house, m *fakeManager, journal *store.Journal) {
				if c.prepare != nil {
					c.prepare(m)
				}
				h.press(h.ap(nil))
				s := h.end(h.pbc(c.start))
				made := ""
				if c.manager != "" && c.state == state.StateSucceeded {
					made = "home"
				}
				if s.Detail.Connection != strings.TrimSuffix("/"+made, "/") ||
					s.Detail.ConnectionUUID != strings.TrimSuffix("of "+made, "of ") {
					h.Errorf("it made %q, %q", s.Detail.Connection, s.Detail.ConnectionUUID)
				}
				if s.State != c.state || s.Reason != c.reason || s.Detail.Manager != c.manager {
					h.Errorf("it ended %s, %s with manager %q: %s", s.State, s.Reason,
						s.Detail.Manager, s.Sentence)
				}
				if !slices.Equal(m.told, c.told) || m.network != c.network {
					h.Errorf("the manager is in %q and was told %q", m.network, m.told)
				}
				if c.reason == outcome.ReasonHandoverFailed &&
					(len(s.Networks) != 1 || !strings.Contains(s.Sentence, "stored")) {
					h.Errorf("the network is not stored: %+v", s)
				}
				if c.sentence != "" && s.Sentence != c.sentence {
					h.Errorf("it says %q", s.Sentence)
				}
				if _, err := journal.Debt("wlan0"); (err == nil) != c.owed {
					h.Errorf("the journal: %v", err)
				}
			})
		})
	}
}

func TestAManagedInterfaceIsGivenBackAfterACancel(t *testing.T) {
	inManagedHouse(t, nil, func(h *house, m *fakeManager, _ *store.Journal) {
		s := h.pbc(nil)
		synctest.Wait()
		if !m.released {
			h.Error("the manager still has the interface")
		}
		time.Sleep(10 * time.Second)
		if err := h.svc.Cancel(h.Context(), s.ID); err != nil {
			h.Fatal(err)
		}
		h.wantEnd(h.end(s), state.StateCanceled, outcome.ReasonCanceled, 0)
		if m.network != "before" || m.released {
			h.Errorf("the manager is in %q", m.network)
		}
	})
}

func TestACancelDuringTheHandOver(t *testing.T) {
	inManagedHouse(t, nil, func(h *house, m *fakeManager, _ *store.Journal) {
		m.hang = true
		h.press(h.ap(nil))
		s := h.pbc(nil)
		h.wait(func(e state.Event) bool {
			c, ok := e.(state.SessionChanged)
			return ok && c.Session.State == state.StateHandingOver
		})
		if err := h.svc.Cancel(h.Context(), s.ID); err != nil {
			h.Fatal(err)
		}
		s = h.end(s)
		h.wantEnd(s, state.StateCanceled, outcome.ReasonCanceled, 0)
		if m.network != "before" || len(s.Networks) != 1 {
			h.Errorf("the manager is in %q, stored are %v", m.network, s.Networks)
		}
	})
}

// TestANewSessionDuringTheHandOver: a person whose connection does not come presses again. The
// manager keeps the network that it has; if nothing comes of the new session it goes on with that.
func TestANewSessionDuringTheHandOver(t *testing.T) {
	inManagedHouse(t, nil, func(h *house, m *fakeManager, journal *store.Journal) {
		m.hang = true
		h.press(h.ap(nil))
		first := h.pbc(nil)
		h.wait(func(e state.Event) bool {
			c, ok := e.(state.SessionChanged)
			return ok && c.Session.State == state.StateHandingOver
		})
		began := time.Now()
		second := h.pbc(nil)
		if _, err := h.svc.StartPBC(h.Context(),
			session.StartRequest{Interface: "wlan0"}); !errors.Is(err, state.ErrBusy) {
			h.Errorf("a third one: %v", err)
		}
		first = h.end(first)
		h.wantEnd(first, state.StateCanceled, outcome.ReasonCanceled, 0)
		if !first.Replaced || len(first.Networks) != 1 ||
			!strings.Contains(first.Sentence, "before first was connected") {
			h.Errorf("%+v", first)
		}
		if took := time.Since(began); took < lending.KeepTime ||
			took > lending.KeepTime+time.Second {
			h.Errorf("the manager had %v", took)
		}
		time.Sleep(time.Second)
		if err := h.svc.Cancel(h.Context(), second.ID); err != nil {
			h.Fatal(err)
		}
		h.wantEnd(h.end(second), state.StateCanceled, outcome.ReasonCanceled, 0)
		want := []string{"release", "restore false", "deliver home " + passphrase, "release",
			"restore true"}
		if !slices.Equal(m.told, want) || m.network != "home" || m.released {
			h.Errorf("the manager is in %q, told %q", m.network, m.told)
		}
		if _, err := journal.Debt("wlan0"); err == nil {
			h.Error("something is owed")
		}
	})
}

// TestTermsOfReceivedNetworks: what wps_priority and wps_cred_add_sae say reaches the manager.
func TestTermsOfReceivedNetworks(t *testing.T) {
	inManagedHouse(t, nil, func(h *house, m *fakeManager, _ *store.Journal) {
		h.svc.Managers().SetPriority(7)
		h.svc.Managers().SetAddSAE(false)
		h.press(h.ap(nil))
		h.wantEnd(h.end(h.pbc(nil)), state.StateSucceeded, "", 0)
		if want := "deliver home " + passphrase + " 7 true"; !slices.Contains(m.told, want) {
			h.Errorf("told %q", m.told)
		}
		if h.svc.Busy() == "" {
			h.Error("the daemon may end, and forget them")
		}
	})
}

func TestAnUnknownManagerIsRefused(t *testing.T) {
	inManagedHouse(t, nil, func(h *house, m *fakeManager, _ *store.Journal) {
		_, err := h.svc.StartPBC(h.Context(),
			session.StartRequest{Interface: "wlan0", Apply: "connman"})
		if !errors.Is(err, state.ErrNotSupported) || len(m.told) > 0 {
			h.Errorf("%v, %q", err, m.told)
		}
	})
}

// keptLink is a driver whose interface was brought up by a process that was killed.
type keptLink struct {
	drivers.Driver
	up   bool
	down []string
}

func (k *keptLink) LinkUp(context.Context, string) (bool, error) { return k.up, nil }
func (k *keptLink) LinkDown(_ context.Context, ifname string) error {
	k.down = append(k.down, ifname)
	k.up = false
	return nil
}

func TestWhatAKilledProcessOwesIsPaidAtTheStart(t *testing.T) {
	for _, absent := range []bool{false, true} {
		t.Run(fmt.Sprintf("the manager is absent: %v", absent), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				journal, err := store.OpenJournal(t.TempDir())
				if err != nil {
					t.Fatal(err)
				}
				defer journal.Close()
				debt := store.Debt{Interface: "wlan0", LinkDown: true,
					Claims: []store.Claim{{Manager: "first",
						Debt: json.RawMessage(`{"network":"before"}`)}}}
				if err := journal.Put(debt); err != nil {
					t.Fatal(err)
				}
				m := &fakeManager{name: "first", released: true}
				if absent {
					m.restoreErr = errors.New("it does not run")
				}
				link := &keptLink{up: true}
				inHouse(t, func(c *Config) {
					link.Driver = c.Drivers[0]
					c.Drivers = []drivers.Driver{link}
					c.Managers = lending.Config{Holders: []lending.Holder{m}, Journal: journal}
				}, func(h *house) {
					if link.up || !slices.Equal(link.down, []string{"wlan0"}) {
						h.Errorf("the link is not down: %v", link.down)
					}
					left, err := journal.Debt("wlan0")
					switch {
					case absent && (err != nil || len(left.Claims) != 1 || left.LinkDown):
						h.Errorf("what is left is not owed any more: %+v, %v", left, err)
					case !absent && (m.network != "before" || !errors.Is(err, store.ErrNotFound)):
						h.Errorf("the manager is in %q; owed: %+v, %v", m.network, left, err)
					}
				})
			})
		})
	}
}

func TestALinkThatWasDownIsNotedWhileItIsUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		journal, err := store.OpenJournal(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer journal.Close()
		inHouse(t, func(c *Config) {
			c.Drivers, c.Managers.Journal = []drivers.Driver{&keptLink{Driver: c.Drivers[0]}}, journal
		}, func(h *house) {
			s := h.pbc(nil)
			synctest.Wait()
			if d, err := journal.Debt("wlan0"); err != nil || !d.LinkDown {
				h.Errorf("during a session: %+v, %v", d, err)
			}
			if err := h.svc.Cancel(h.Context(), s.ID); err != nil {
				h.Fatal(err)
			}
			h.end(s)
			if d, err := journal.Debt("wlan0"); err == nil {
				h.Errorf("after it: %+v", d)
			}
		})
	})
}

func TestActivate(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(*house, *fakeManager)
		request lending.ActivateRequest
		want    error
		told    []string
		network string
	}{
		{name: "who has the interface connects to it", told: []string{"deliver home " + passphrase},
			network: "home"},
		{name: "on the named interface", request: lending.ActivateRequest{Interface: "wlan0"},
			told: []string{"deliver home " + passphrase}, network: "home"},
		{
			name:    "who is named, too, whoever has the interface",
			request: lending.ActivateRequest{Interface: "wlan1", Apply: "first"},
			prepare: func(h *house, _ *fakeManager) { h.plug("wlan1", farBSSID) },
			told:    []string{"deliver home " + passphrase}, network: "home",
		},
		{
			name:    "of several interfaces the one that a manager has",
			prepare: func(h *house, _ *fakeManager) { h.plug("wlan1", farBSSID) },
			told:    []string{"deliver home " + passphrase}, network: "home",
		},
		{
			name:    "who does not connect is back in its network",
			prepare: func(_ *house, m *fakeManager) { m.deliverErr = errors.New("no such luck") },
			want:    state.ErrHandover,
			told:    []string{"deliver home " + passphrase, "restore true"},
			network: "before",
		},
		{
			name:    "who hangs, too",
			prepare: func(_ *house, m *fakeManager) { m.hang = true },
			want:    state.ErrHandover,
			told:    []string{"deliver home " + passphrase, "restore true"},
			network: "before",
		},
		{name: "nobody has the interface", prepare: func(_ *house, m *fakeManager) {
			m.absent = true
		}, want: state.ErrNotSupported, network: "before"},
		{name: "no such interface", request: lending.ActivateRequest{Interface: "wlan7"},
			want: state.ErrNoInterface, network: "before"},
		{name: "nobody is called so", request: lending.ActivateRequest{Apply: "connman"},
			want: state.ErrNotSupported, network: "before"},
		{
			name: "a session runs there", request: lending.ActivateRequest{Interface: "wlan0"},
			prepare: func(h *house, m *fakeManager) {
				h.pbc(nil)
				synctest.Wait()
				m.told, m.network = nil, "before"
			},
			want: state.ErrBusy, network: "before",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			inManagedHouse(t, nil, func(h *house, m *fakeManager, _ *store.Journal) {
				n, err := h.svc.AddNetwork(h.Context(),
					session.Settings{SSID: []byte("home"), Auth: wsc.AuthWPA2PSK,
						Encryption: wsc.EncrAES,
						Key:        secret.FromString(passphrase)}, wsc.MAC{})
				if err != nil {
					h.Fatal(err)
				}
				if c.prepare != nil {
					c.prepare(h, m)
				}
				if err := h.svc.Managers().Activate(h.Context(), n.ID, c.request); !errors.Is(err, c.want) {
					h.Errorf("Activate: %v, not %v", err, c.want)
				}
				if !slices.Equal(m.told, c.told) || m.network != c.network {
					h.Errorf("the manager is in %q and was told %q", m.network, m.told)
				}
			})
		})
	}
	inManagedHouse(t, nil, func(h *house, _ *fakeManager, _ *store.Journal) {
		if err := h.svc.Managers().Activate(h.Context(), 4711, lending.ActivateRequest{}); !errors.Is(err,
			state.ErrNoNetwork) {
			h.Errorf("a network that is not stored: %v", err)
		}
	})
}

// sharingManager leaves alone what others make on its radio.
type sharingManager struct{ *fakeManager }

func (sharingManager) Shares() bool { return true }

// roomyDriver can make an interface beside another one, perhaps.
type roomyDriver struct {
	drivers.Driver
	room   bool
	beside int // how often one was made
}

func (d *roomyDriver) RoomApart(context.Context, string) (bool, error) { return d.room, nil }
func (d *roomyDriver) StationApart(ctx context.Context, ifname string) (drivers.Station, error) {
	d.beside++
	return d.Driver.Station(ctx, ifname)
}

func TestAManagerThatSharesTheRadio(t *testing.T) {
	for _, c := range []struct {
		name                string
		room, shares, asked bool
		beside              int
		told                []string
		only                bool // beside or not at all
	}{
		{"where there is room it keeps its connection, for who asks, until it has a new one", true,
			true, true, 1, []string{"deliver home " + passphrase}, false},
		{"it keeps its connection where it must not be asked to let go", true, true, false, 1,
			[]string{"deliver home " + passphrase}, true},
		{"without room the session fails where it must not be asked", false, true, false, 0, nil,
			true},
		{"one that would take our interface is not asked, either", true, false, false, 0, nil,
			true},
		{"it lets go where nobody asks: another address is not for everybody", true, true, false, 0,
			[]string{"release", "restore false", "deliver home " + passphrase}, false},
		{"without room it lets go", false, true, true, 0,
			[]string{"release", "restore false", "deliver home " + passphrase}, false},
		{"one that would take our interface lets go", true, false, true, 0,
			[]string{"release", "restore false", "deliver home " + passphrase}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			driver := &roomyDriver{room: c.room}
			inManagedHouse(t, func(config *Config) {
				driver.Driver = config.Drivers[0]
				config.Drivers = []drivers.Driver{driver}
				if c.shares {
					config.Managers.Holders[0] = sharingManager{config.Managers.Holders[0].(*fakeManager)}
				}
			}, func(h *house, m *fakeManager, _ *store.Journal) {
				h.press(h.ap(nil))
				s := h.end(h.pbc(func(r *session.StartRequest) { r.Beside, r.BesideOnly = c.asked, c.only }))
				if c.told == nil {
					if s.Reason != outcome.ReasonNotSupported || !strings.Contains(s.Sentence, "no room") {
						h.Errorf("it ended with %s: %s", s.Reason, s.Sentence)
					}
				} else {
					h.wantNetwork(s, "home", passphrase)
				}
				if driver.beside != c.beside || !slices.Equal(m.told, c.told) {
					h.Errorf("%d interfaces beside it; told %q", driver.beside, m.told)
				}
			})
		})
	}
}

// The key that an access point gives may be good for the address only that it was given to.
func TestAKeyThatDoesNotWorkMayBeTiedToAnAddress(t *testing.T) {
	for _, beside := range []bool{true, false} {
		driver := &roomyDriver{room: true}
		inManagedHouse(t, func(config *Config) {
			driver.Driver = config.Drivers[0]
			config.Drivers = []drivers.Driver{driver}
			m := config.Managers.Holders[0].(*fakeManager)
			m.deliverErr = errors.New("it could not connect in time")
			config.Managers.Holders[0] = sharingManager{m}
		}, func(h *house, _ *fakeManager, _ *store.Journal) {
			h.press(h.ap(nil))
			s := h.end(h.pbc(func(r *session.StartRequest) { r.Beside = beside }))
			if s.Reason != outcome.ReasonHandoverFailed ||
				strings.Contains(s.Sentence, "tied to the address") != beside {
				h.Errorf("beside %v: %s: %s", beside, s.Reason, s.Sentence)
			}
		})
	}
}

func TestAManagerThatIsRestartedGetsItsInterfaceBack(t *testing.T) {
	inManagedHouse(t, nil, func(h *house, m *fakeManager, journal *store.Journal) {
		s := h.pbc(func(r *session.StartRequest) { r.Apply = session.ApplyNone })
		synctest.Wait()
		m.mu.Lock()
		m.restoreErr = errors.New("it does not run")
		m.mu.Unlock()
		if err := h.svc.Cancel(h.Context(), s.ID); err != nil {
			h.Fatal(err)
		}
		h.end(s)
		if _, err := journal.Debt("wlan0"); err != nil || m.network != "" {
			h.Fatalf("nothing is owed: %v", err)
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		m.mu.Lock()
		m.restoreErr = nil
		m.mu.Unlock()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		m.mu.Lock()
		defer m.mu.Unlock()
		if _, err := journal.Debt("wlan0"); !errors.Is(err, store.ErrNotFound) ||
			m.network != "before" || m.released {
			h.Errorf("it is in %q; owed: %v", m.network, err)
		}
	})
}
