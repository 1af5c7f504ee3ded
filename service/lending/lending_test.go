package lending

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/drivers"
	"wpsd/engine/credential"
	"wpsd/service/ending"
	"wpsd/service/session"
	"wpsd/service/state"
	"wpsd/service/store"
)

// desk is a machine with one radio, whose managers note what they are told.
type desk struct {
	*testing.T
	drivers.UnsupportedDriver
	*Managers
	journal  *store.Journal
	up       bool
	room     bool
	stations []string
	altered  bool // a setting is
	given    bool // LinkGiven was called

	mu    sync.Mutex // debts are paid in a goroutine of their own: it guards these, and all restore
	told  []string
	holds []string
	is    map[string]string // who has which interface, as the hub was told
}

// Name, Interfaces, Changed, Station and Close are a Driver's.
func (d *desk) Name() string                                                { return "desk" }
func (d *desk) Interfaces(context.Context) ([]drivers.Interface, error)     { return nil, nil }
func (d *desk) Changed() <-chan struct{}                                    { return nil }
func (d *desk) Close() error                                                { return nil }
func (d *desk) RoomApart(context.Context, string) (bool, error)             { return d.room, nil }
func (d *desk) Idle() []string                                              { return d.stations }
func (d *desk) WithRadio(_ context.Context, _ string, f func() error) error { return f() }
func (d *desk) LinkGiven(context.Context, string)                           { d.given = true }

// LinkUp is asked after whoever let go of the interface is known to be done with its link.
func (d *desk) LinkUp(context.Context, string) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if i := len(d.told) - 1; i >= 0 && strings.HasSuffix(d.told[i], " releases") && !d.given {
		d.Errorf("after %q the driver was not told whose the link is", d.told[i])
	}
	return d.up, nil
}

func (d *desk) LinkDown(context.Context, string) error {
	return d.tell("link down")
}

func (d *desk) Altered()                               { d.altered = true }
func (d *desk) Begin(task func(context.Context)) error { task(d.Context()); return nil }

// Network is one that is stored, as 7.
func (d *desk) Network(id state.NetworkID) (credential.Network, error) {
	if id != 7 {
		return credential.Network{}, state.ErrNoNetwork
	}
	return credential.CloneAll([]credential.Network{home.Network})[0], nil
}

// Receiver is wlan0, which is the first.
func (d *desk) Receiver(ifname string) string {
	if !slices.Contains(d.stations, cmp.Or(ifname, "wlan0")) {
		return ""
	}
	return cmp.Or(ifname, "wlan0")
}

func (d *desk) ManagerIs(ifname, manager string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.is[ifname] = manager
}

func (d *desk) Station(context.Context, string) (drivers.Station, error) {
	return nil, drivers.ErrBusy
}

func (d *desk) WithStation(context.Context, string, func(drivers.Station) error) error {
	return drivers.ErrBusy
}

func (d *desk) Stations(ifname string) ([]string, error) {
	if ifname != "" {
		return []string{ifname}, nil
	}
	return d.stations, nil
}

func (d *desk) Offers(_ string, networks []credential.Network) (list []credential.Offer) {
	for _, n := range networks {
		list = append(list, credential.Offer{Network: n})
	}
	return list
}

func (d *desk) Hold(why string) func() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.holds = append(d.holds, why)
	return func() { // also more than once
		d.mu.Lock()
		defer d.mu.Unlock()
		d.holds = nil
	}
}

// heldBy is why the daemon may not end.
func (d *desk) heldBy() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.holds)
}

func (d *desk) tell(what string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.told = append(d.told, what)
	return nil
}

// takeTold is what the managers were told since the last time.
func (d *desk) takeTold() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	told := d.told
	d.told = nil
	return told
}

// manager has the interfaces that it is given, and fails as it is told.
type manager struct {
	d                         *desk
	name                      string
	has                       []string
	claim, release, restore   error
	deliver, disconnect, know error
	shares, apart             bool
}

func (m *manager) Name() string { return m.name }
func (m *manager) Shares() bool { return m.shares }

func (m *manager) Claim(_ context.Context, ifname string) ([]byte, error) {
	if m.claim != nil || !slices.Contains(m.has, ifname) {
		return nil, m.claim
	}
	return json.Marshal(m.name + " had " + ifname)
}

func (m *manager) Release(_ context.Context, ifname string, _ []byte) (bool, error) {
	debt, err := m.d.journal.Debt(ifname)
	noted := err == nil && slices.ContainsFunc(debt.Claims, func(c store.Claim) bool {
		return c.Manager == m.name
	})
	if !noted {
		m.d.Errorf("%s lets go of what the journal does not have", m.name)
	}
	_ = m.d.tell(m.name + " releases")
	return m.apart, m.release
}

// failToRestore has it not take back what it had, nil: take it back.
func (m *manager) failToRestore(err error) {
	m.d.mu.Lock()
	defer m.d.mu.Unlock()
	m.restore = err
}

func (m *manager) Restore(_ context.Context, ifname string, debt []byte, reconnect bool) error {
	m.d.mu.Lock()
	err := m.restore
	m.d.mu.Unlock()
	if err != nil {
		return err
	}
	if text, _ := json.Marshal(m.name + " had " + ifname); string(text) != string(debt) {
		m.d.Errorf("%s is given back %s", m.name, debt)
	}
	if reconnect {
		return m.d.tell(m.name + " reconnects")
	}
	return m.d.tell(m.name + " restores")
}

func (m *manager) Disconnect(context.Context, string) error {
	if m.disconnect != nil {
		return m.disconnect
	}
	return m.d.tell(m.name + " disconnects")
}

func (m *manager) Deliver(ctx context.Context, _ string, offers []credential.Offer) (
	credential.Connection, error) {
	_ = m.d.tell(m.name + " gets " + string(offers[0].SSID))
	if errors.Is(m.deliver, context.Canceled) { // it goes on until it is told to end
		<-ctx.Done()
	}
	return credential.Connection{Path: "/" + m.name, UUID: m.name}, m.deliver
}

func (m *manager) Changes(context.Context, string, credential.Network) (bool, error) {
	return false, m.know
}

// atDesk makes a desk with a manager on top of another one, which both have wlan0.
func atDesk(t *testing.T, run func(d *desk, top, below *manager)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		journal, err := store.OpenJournal(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer journal.Close()
		d := &desk{T: t, journal: journal, up: true, stations: []string{"wlan0", "wlan1"},
			is: make(map[string]string)}
		top := &manager{d: d, name: "top", has: []string{"wlan0"}}
		below := &manager{d: d, name: "below", has: []string{"wlan0"}}
		d.Managers = New(Config{Hub: d, Holders: []Holder{top, below}, Sinks: []Sink{top, below},
			Journal: journal, Log: slog.New(slog.DiscardHandler)})
		run(d, top, below)
	})
}

// wantTold checks, and forgets, what the managers were told.
func (d *desk) wantTold(want ...string) {
	d.Helper()
	if told := d.takeTold(); !slices.Equal(told, want) {
		d.Errorf("the managers were told %q, not %q", told, want)
	}
}

func (d *desk) wantOwed(want bool) {
	d.Helper()
	if _, err := d.journal.Debt("wlan0"); (err == nil) != want {
		d.Errorf("the journal has a debt: %t (%v)", err == nil, err)
	}
}

// borrow is Borrow that succeeds.
func (d *desk) borrow(beside Beside) *Loan {
	d.Helper()
	l, err := d.Borrow(d.Context(), "wlan0", d, beside)
	if err != nil {
		d.Fatal(err)
	}
	return l
}

var home = credential.Offer{Network: credential.Network{SSID: []byte("home")}}

func TestLoans(t *testing.T) {
	t.Parallel()
	for name, story := range map[string]func(d *desk, top, below *manager){
		"the last that let go has it back first": func(d *desk, _, _ *manager) {
			l := d.borrow(BesideNobody)
			d.wantTold("top releases", "below releases")
			d.wantOwed(true)
			if l.Owner() != "top" || l.Apart() {
				d.Errorf("%q had it, apart: %t", l.Owner(), l.Apart())
			}
			l.Return(d.Context())
			d.wantTold("below reconnects", "top reconnects")
			d.wantOwed(false)
		},
		"also after the end of the caller's context": func(d *desk, _, _ *manager) {
			ctx, cancel := context.WithCancel(d.Context())
			l := d.borrow(BesideNobody)
			cancel()
			d.takeTold()
			l.Return(ctx)
			d.wantTold("below reconnects", "top reconnects")
		},
		"one that does not let go ends it": func(d *desk, _, below *manager) {
			below.release = errors.New("never")
			_, err := d.Borrow(d.Context(), "wlan0", d, BesideNobody)
			if !errors.Is(err, drivers.ErrBusy) || !errors.Is(err, below.release) {
				d.Error(err)
			}
			d.wantTold("top releases", "below releases", "below reconnects", "top reconnects")
			d.wantOwed(false)
		},
		"so does one that cannot say": func(d *desk, _, below *manager) {
			below.claim = errors.New("it hangs")
			_, err := d.Borrow(d.Context(), "wlan0", d, BesideNobody)
			if !errors.Is(err, drivers.ErrBusy) {
				d.Error(err)
			}
			d.wantTold("top releases", "top reconnects")
		},
		"that a link was down is owed until it is returned": func(d *desk, top, below *manager) {
			d.up, top.has, below.has = false, nil, nil
			l := d.borrow(BesideNobody)
			d.wantOwed(true)
			l.Return(d.Context())
			d.wantTold() // its Station has taken it down, unless it is somebody's by now
			d.wantOwed(false)
		},
		"also for who only looks around": func(d *desk, _, _ *manager) {
			d.up = false
			l, err := d.BorrowLink(d.Context(), "wlan0", d)
			if err != nil {
				d.Fatal(err)
			}
			d.wantOwed(true)
			l.Return(d.Context())
			d.wantTold()
			d.wantOwed(false)
		},
		"a process that was killed has not, so the next one takes the link down": func(d *desk,
			top, below *manager) {
			d.up, top.has, below.has = false, nil, nil
			d.borrow(BesideNobody)
			if err := d.PayDebt(d.Context(), "wlan0"); err != nil {
				d.Error(err)
			}
			d.wantTold("link down")
			d.wantOwed(false)
		},
		"with room for two nobody lets go": func(d *desk, top, below *manager) {
			d.room, top.shares, below.shares = true, true, true
			l := d.borrow(BesideOrNot)
			if !l.Apart() || l.Owner() != "top" {
				d.Errorf("%q has it, apart: %t", l.Owner(), l.Apart())
			}
			l.Return(d.Context())
			d.wantTold()
		},
		"without it that is an error for who must not ask": func(d *desk, top, _ *manager) {
			top.shares = true
			var none *ending.NoRoomError
			if _, err := d.Borrow(d.Context(), "wlan0", d, BesideOrNot); !errors.As(err, &none) {
				d.Error(err)
			}
			d.wantTold()
		},
		"one whose link cannot be ended is left alone": func(d *desk, _, below *manager) {
			below.apart = true
			if l := d.borrow(BesideNobody); !l.Apart() {
				d.Error("it is used all the same")
			}
		},
	} {
		t.Run(name, func(t *testing.T) { atDesk(t, story) })
	}
}

func TestHandOvers(t *testing.T) {
	t.Parallel()
	for name, story := range map[string]func(d *desk, l *Loan, top *manager){
		"who takes the network has no connection back": func(d *desk, l *Loan, top *manager) {
			made, err := l.Deliver(d.Context(), top, []credential.Offer{home})
			if err != nil || made != (credential.Connection{Path: "/top", UUID: "top"}) {
				d.Errorf("%+v, %v", made, err)
			}
			d.wantTold("below restores", "top restores", "top gets home")
			d.wantOwed(false)
		},
		"who does not take it has the old one back": func(d *desk, l *Loan, top *manager) {
			top.deliver = errors.New("no such luck")
			var failed *ending.HandoverError
			_, err := l.Deliver(d.Context(), top, []credential.Offer{home})
			if !errors.As(err, &failed) || failed.Manager != "top" || !errors.Is(err, top.deliver) {
				d.Error(err)
			}
			d.wantTold("below restores", "top restores", "top gets home", "below reconnects",
				"top reconnects")
			d.wantOwed(false)
		},
		"whose session gives way keeps what it has got": func(d *desk, l *Loan, top *manager) {
			ctx, cancel := context.WithCancelCause(d.Context())
			cancel(ending.ErrSuperseded)
			top.deliver = context.Canceled
			if _, err := l.Deliver(ctx, top, []credential.Offer{home}); !errors.Is(err,
				ending.ErrSuperseded) {
				d.Error(err)
			}
			d.wantTold("below restores", "top restores", "top gets home")
			d.wantOwed(false)
		},
		"a network without a name is handed to nobody": func(d *desk, l *Loan, top *manager) {
			if _, err := l.Deliver(d.Context(), top, nil); !errors.Is(err, state.ErrHandover) {
				d.Error(err)
			}
			d.wantTold("below restores", "top restores", "below reconnects", "top reconnects")
		},
	} {
		t.Run(name, func(t *testing.T) {
			atDesk(t, func(d *desk, top, _ *manager) {
				l := d.borrow(BesideNobody)
				d.takeTold()
				story(d, l, top)
			})
		})
	}
}

// TestOwner: one function asks. Those below the owner do not matter, unless they are to let go.
func TestOwner(t *testing.T) {
	t.Parallel()
	trouble := errors.New("it hangs")
	for _, c := range []struct {
		name       string
		top, below manager
		owner      string
		unsure     bool   // who has it
		borrow     string // the owner as MayBorrow has it
		mayNot     bool
	}{
		{name: "both have it", top: manager{has: []string{"wlan0"}},
			below: manager{has: []string{"wlan0"}}, owner: "top", borrow: "top"},
		{name: "one below has it", below: manager{has: []string{"wlan0"}}, owner: "below",
			borrow: "below"},
		{name: "nobody has it"},
		{name: "one above cannot say", top: manager{claim: trouble},
			below: manager{has: []string{"wlan0"}}, unsure: true, mayNot: true},
		{name: "one below cannot say", top: manager{has: []string{"wlan0"}},
			below: manager{claim: trouble}, owner: "top", mayNot: true},
	} {
		atDesk(t, func(d *desk, top, below *manager) {
			top.has, top.claim = c.top.has, c.top.claim
			below.has, below.claim = c.below.has, c.below.claim
			owner, err := d.Owner(d.Context(), "wlan0")
			if owner != c.owner || (err != nil) != c.unsure {
				d.Errorf("%s: Owner: %q, %v", c.name, owner, err)
			}
			owner, err = d.MayBorrow(d.Context(), "wlan0")
			if owner != c.borrow || (err != nil) != c.mayNot {
				d.Errorf("%s: MayBorrow: %q, %v", c.name, owner, err)
			}
			d.is["wlan0"] = "before"
			d.AskNow(d.Context())
			want := c.owner
			if c.unsure {
				want = "before"
			}
			if d.is["wlan0"] != want {
				d.Errorf("%s: the hub was told %q", c.name, d.is["wlan0"])
			}
		})
	}
}

func TestDisconnect(t *testing.T) {
	t.Parallel()
	atDesk(t, func(d *desk, top, below *manager) {
		if err := d.Disconnect(d.Context(), "wlan0"); err != nil {
			d.Error(err)
		}
		d.wantTold("top disconnects")
		top.disconnect = drivers.ErrNotSupported
		if err := d.Disconnect(d.Context(), "wlan0"); err != nil {
			d.Error(err)
		}
		d.wantTold("below disconnects")
		below.disconnect = errors.New("not for you")
		if err := d.Disconnect(d.Context(), "wlan0"); !errors.Is(err, below.disconnect) {
			d.Error(err)
		}
		if err := d.Disconnect(d.Context(), "wlan1"); err != nil {
			d.Error(err)
		}
		d.wantTold()
	})
}

func TestActivate(t *testing.T) {
	t.Parallel()
	trouble := errors.New("it hangs")
	for _, c := range []struct {
		name    string
		prepare func(top, below *manager)
		request ActivateRequest
		told    []string
		err     error
	}{
		{name: "of several interfaces the one that a manager has", told: []string{"top gets home"}},
		{name: "who is named", request: ActivateRequest{Interface: "wlan1", Apply: "below"},
			told: []string{"below gets home"}},
		{name: "who is named, whoever cannot say", request: ActivateRequest{Interface: "wlan0",
			Apply: "below"}, prepare: func(top, _ *manager) { top.claim = trouble },
			told: []string{"below gets home"}},
		{name: "one that cannot say is not nobody", request: ActivateRequest{Interface: "wlan0"},
			prepare: func(top, _ *manager) { top.claim = trouble }, err: trouble},
		{name: "also of several interfaces",
			prepare: func(top, _ *manager) { top.claim = trouble }, err: trouble},
		{name: "two of them are managed", prepare: func(top, _ *manager) {
			top.has = []string{"wlan0", "wlan1"}
		}, err: state.ErrInvalid},
		{name: "none is", prepare: func(top, below *manager) { top.has, below.has = nil, nil },
			err: state.ErrInvalid},
		{name: "nobody has the one", request: ActivateRequest{Interface: "wlan1"},
			err: state.ErrNotSupported},
		{name: "who does not connect has the old connection",
			prepare: func(top, _ *manager) { top.deliver = trouble },
			told:    []string{"top gets home", "top reconnects"}, err: trouble},
	} {
		atDesk(t, func(d *desk, top, below *manager) {
			if c.prepare != nil {
				c.prepare(top, below)
			}
			if err := d.Activate(d.Context(), 7, c.request); !errors.Is(err, c.err) {
				d.Errorf("%s: %v, not %v", c.name, err, c.err)
			}
			if told := d.takeTold(); !slices.Equal(told, c.told) {
				d.Errorf("%s: the managers were told %q", c.name, told)
			}
		})
	}
}

// TestDebts: what a manager does not take back is tried again until it does, and keeps the daemon.
func TestDebts(t *testing.T) {
	t.Parallel()
	atDesk(t, func(d *desk, top, below *manager) {
		ctx, cancel := context.WithCancel(d.Context())
		defer cancel()
		go d.Pay(ctx)
		below.failToRestore(errors.New("it is restarted"))
		d.borrow(BesideNobody).Return(d.Context())
		synctest.Wait()
		if why := d.heldBy(); len(why) != 1 || !strings.Contains(why[0], "given back") {
			d.Errorf("held by %q", why)
		}
		d.wantTold("top releases", "below releases", "top reconnects")
		d.wantOwed(true)
		time.Sleep(payAgain[0] / 2)
		below.failToRestore(nil)
		time.Sleep(payAgain[0])
		synctest.Wait()
		d.wantTold("below reconnects")
		d.wantOwed(false)
		if why := d.heldBy(); len(why) != 0 {
			d.Errorf("held by %q", why)
		}
	})
}

// TestRestore: what a killed process has taken is given back by the next.
func TestRestore(t *testing.T) {
	t.Parallel()
	atDesk(t, func(d *desk, top, below *manager) {
		d.up = false
		d.borrow(BesideNobody) // and no Return
		d.takeTold()
		top.failToRestore(drivers.ErrNoManager)
		config := RestoreConfig{Journal: d.journal, Holders: d.holders, LinkDown: d.LinkDown,
			Log: d.log}
		if err := Restore(d.Context(), config); !errors.Is(err, drivers.ErrNoManager) {
			d.Error(err)
		}
		d.wantTold("link down", "below reconnects")
		d.wantOwed(true)
		top.failToRestore(nil)
		if err := Restore(d.Context(), config); err != nil {
			d.Error(err)
		}
		d.wantTold("top reconnects")
		d.wantOwed(false)
	})
}

func TestWhoGetsTheNetwork(t *testing.T) {
	t.Parallel()
	atDesk(t, func(d *desk, top, below *manager) {
		for _, c := range []struct {
			apply, configured, owner string
			want                     Sink
		}{
			{"", "", "top", top}, {"auto", "auto", "below", below}, {"", "", "", nil},
			{"below", "top", "top", below}, {"", "below", "top", below},
			{"none", "top", "top", nil}, {"auto", "none", "top", nil}, {"novel", "", "top", nil},
		} {
			d.apply = c.configured
			if got := d.SinkFor(c.apply, c.owner); got != c.want {
				d.Errorf("%+v: %v", c, got)
			}
		}
		for apply, want := range map[string]error{"": nil, "auto": nil, "none": nil, "top": nil,
			"novel": state.ErrNotSupported} {
			if err := d.CheckApply(apply); !errors.Is(err, want) {
				d.Errorf("%q: %v", apply, err)
			}
		}
		list := []credential.Network{{}, home.Network}
		if d.Changes(d.Context(), top, "wlan0", list) {
			d.Error("it knows, and there is nothing to change")
		}
		top.know = drivers.ErrNotSupported
		if !d.Changes(d.Context(), top, "wlan0", list) || d.Changes(d.Context(), top, "wlan0",
			list[:1]) {
			d.Error("one that cannot tell would change it, unless it has no name")
		}
		d.SetPriority(3)
		d.SetAddSAE(false)
		if o := d.OnTerms([]credential.Offer{home})[0]; o.Priority != 3 || !o.NoSAE || !d.altered {
			d.Errorf("on terms %d, %t", o.Priority, o.NoSAE)
		}
	})
}

// TestHandOver: what a tag brought goes to whoever has the interface, in the background, unless that
// would change what he has and nobody was allowed to.
func TestHandOver(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		touch   Touch
		prepare func(top *manager)
		others  bool
		told    []string
	}{
		{name: "of no interface in particular the first", told: []string{"top gets home"}},
		{name: "of an interface", touch: Touch{Interface: "wlan0"},
			told: []string{"top gets home"}},
		{name: "to the one that is named", touch: Touch{Apply: "below"},
			told: []string{"below gets home"}},
		{name: "nobody is to have it", touch: Touch{Apply: session.ApplyNone}},
		{name: "an interface that is no station", touch: Touch{Interface: "uap0"}},
		{name: "agents have it", touch: Touch{Processing: state.ProcessingExternal}},
		{name: "agents have it, and a manager that is named",
			touch: Touch{Processing: state.ProcessingExternal, Apply: "top"},
			told:  []string{"top gets home"}},
		{name: "he has another one", touch: Touch{AddsOnly: true}, others: true,
			prepare: func(top *manager) { top.know = drivers.ErrNotSupported }},
		{name: "he has another one, and may get this", others: true,
			prepare: func(top *manager) { top.know = drivers.ErrNotSupported },
			told:    []string{"top gets home"}},
	} {
		atDesk(t, func(d *desk, top, below *manager) {
			if c.prepare != nil {
				c.prepare(top)
			}
			networks := credential.CloneAll([]credential.Network{home.Network})
			if got := d.HasOthers(d.Context(), c.touch, networks); got != c.others {
				d.Errorf("%s: he has others: %v", c.name, got)
			}
			d.HandOver(c.touch, networks)
			if told := d.takeTold(); !slices.Equal(told, c.told) {
				d.Errorf("%s: the managers were told %q", c.name, told)
			}
			if !networks[0].Key.IsZero() && strings.Trim(string(networks[0].Key.Bytes()),
				"\x00") != "" {
				d.Errorf("%s: the key is still there", c.name)
			}
		})
	}
}
