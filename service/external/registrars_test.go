package external

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/engine/credential"
	"wpsd/engine/er"
	"wpsd/engine/secret"
	"wpsd/engine/upnp"
	"wpsd/engine/wsc"
	"wpsd/service/arrival"
	"wpsd/service/session"
	"wpsd/service/state"
	"wpsd/service/store"
	"wpsd/service/tags"
)

// hub is what stands for the service: one interface, eth0.
type hub struct {
	rand   zeros
	tasks  sync.WaitGroup
	asleep bool
	gone   bool
}

// zeros is no randomness: nothing here is secret.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(i + 1)
	}
	return len(b), nil
}

func (h *hub) Interface(ifname string) (wsc.MAC, error) {
	if ifname != "eth0" || h.gone {
		return wsc.MAC{}, state.ErrNoInterface
	}
	return wsc.MAC{2, 0, 0, 0, 0, 1}, nil
}

func (h *hub) Device(ifname string) (wsc.Device, error) {
	mac, err := h.Interface(ifname)
	return wsc.Device{MAC: mac, UUID: wsc.UUIDFromMAC(mac)}, err
}

func (h *hub) Begin(ifname string, task func()) error {
	if _, err := h.Interface(ifname); err != nil {
		return err
	}
	h.tasks.Go(task)
	return nil
}

func (h *hub) Asleep() bool { return h.asleep }

// point is a ControlPoint on a network where nobody is.
type point struct {
	heard    chan upnp.Announcement
	notified chan upnp.Notification
	changed  chan struct{}
	search   func() error
	mu       sync.Mutex
	searches int
	closed   bool
}

func (p *point) Heard() <-chan upnp.Announcement    { return p.heard }
func (p *point) Notified() <-chan upnp.Notification { return p.notified }
func (p *point) Changed() <-chan struct{}           { return p.changed }

func (p *point) Search(context.Context) error {
	p.mu.Lock()
	p.searches++
	p.mu.Unlock()
	return p.search()
}

func (p *point) Do(context.Context, upnp.Request) (upnp.Response, error) {
	return upnp.Response{}, errors.New("nobody is there")
}

func (p *point) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	return nil
}

// room is a Registrars with nothing around it.
type room struct {
	*testing.T
	*Registrars
	hub   *hub
	point *point
	p     *state.Published
}

func inRoom(t *testing.T, run func(r *room)) {
	synctest.Test(t, func(t *testing.T) {
		r := &room{T: t, hub: &hub{}, p: state.New(state.Manager{}),
			point: &point{search: func() error { return nil }}}
		log := slog.New(slog.DiscardHandler)
		over := func(_ *session.Running, finish func() bool) { finish() }
		kept := store.Memory()
		if _, _, err := kept.Put(store.Network{Network: credential.Network{SSID: []byte("home"),
			Auth: wsc.AuthWPA2PSK, Encryption: wsc.EncrAES,
			Key: secret.FromString("correct horse"), KeyKind: credential.KeyPassphrase}}); err != nil {
			t.Fatal(err)
		}
		r.Registrars = New(Config{Hub: r.hub, Published: r.p, Tags: tags.New(log, func() {}),
			Arrivals: arrival.New(arrival.Config{Store: kept, Published: r.p, Log: log}),
			Rand:     r.hub.rand, Log: log, Sessions: session.New(r.p, log, over),
			ControlPoint: func(string) (ControlPoint, error) { return r.point, nil }})
		run(r)
		r.EndAll(state.ErrShutdown)
		r.hub.tasks.Wait()
		if r.point.searches > 0 && !r.point.closed {
			t.Error("the sockets are open still")
		}
		time.Sleep(session.KeepEnded)
	})
}

func (r *room) start(owner string, detach bool) {
	r.Helper()
	if err := r.StartER(r.Context(), Start{Interface: "eth0", Owner: owner, User: "user",
		Detach: detach}); err != nil {
		r.Fatal(err)
	}
	synctest.Wait()
}

// TestWhoKeepsItRunning: it runs as long as somebody wants it.
func TestWhoKeepsItRunning(t *testing.T) {
	t.Parallel()
	inRoom(t, func(r *room) {
		r.start(":1.1", false)
		r.start(":1.2", false)
		if r.First() != "eth0" || !r.Runs("eth0") || !r.WantsER(":1.2") || r.point.searches != 2 {
			r.Errorf("%q, %d searches", r.First(), r.point.searches)
		}
		r.ReleaseOwner(":1.1")
		if !r.Runs("eth0") || len(r.p.Snapshot().ERs) != 1 {
			r.Error("it ended with the first that left")
		}
		r.ReleaseOwner(":1.2")
		if r.Runs("eth0") || len(r.p.Snapshot().ERs) != 0 {
			r.Error("it runs for nobody")
		}
		if err := r.StopER(r.Context(), "eth0"); !errors.Is(err, state.ErrERStopped) {
			r.Error(err)
		}
	})
	inRoom(t, func(r *room) {
		r.start(":1.1", true)
		r.ReleaseOwner(":1.1")
		if !r.Runs("eth0") || !r.OwnsER("eth0", "user") || r.OwnsER("eth0", "another") {
			r.Error("it was to run for good, for one user")
		}
		if err := r.StopOwnER(r.Context(), "eth0", "another"); !errors.Is(err, state.ErrChanged) {
			r.Error(err)
		}
		r.InterfaceGone("eth0")
		if r.Runs("eth0") {
			r.Error("it runs on an interface that is gone")
		}
	})
}

// TestRefusals: what cannot be says why.
func TestRefusals(t *testing.T) {
	t.Parallel()
	inRoom(t, func(r *room) {
		for name, c := range map[string]struct {
			err  error
			want error
		}{
			"another interface": {r.StartER(r.Context(), Start{Interface: "eth1"}),
				state.ErrNoInterface},
			"none runs": {r.ERSetConfig(r.Context(), "eth0", Peer{}, 1), state.ErrERStopped},
			"no such network": {r.ERSetConfig(r.Context(), "eth0", Peer{}, 2),
				state.ErrNoNetwork},
		} {
			if !errors.Is(c.err, c.want) {
				r.Errorf("%s: %v", name, c.err)
			}
		}
		r.start(":1.1", false)
		other := Start{Interface: "eth0", Address: netip.MustParseAddr("192.0.2.1")}
		if err := r.StartER(r.Context(), other); !errors.Is(err, state.ErrBusy) {
			r.Error(err)
		}
		peer, err := ParsePeer("02:00:00:00:01:00")
		if err != nil {
			r.Fatal(err)
		}
		if err := r.ERSetConfig(r.Context(), "eth0", peer, 1); !errors.Is(err, state.ErrNoERAP) {
			r.Error(err)
		}
		request := Request{Interface: "eth0", PIN: secret.FromString("12345670"), Apply: "iwd"}
		if _, err := r.EREnrollPIN(r.Context(), request); !errors.Is(err, state.ErrNotSupported) {
			r.Error(err)
		}
		request.Apply, r.hub.asleep = "", true
		if _, err := r.EREnrollPIN(r.Context(), request); !errors.Is(err, state.ErrSuspended) {
			r.Error(err)
		}
	})
}

// TestNothingToGive: without an access point whose settings are known nobody is let in, and what
// was tried leaves nothing behind.
func TestNothingToGive(t *testing.T) {
	t.Parallel()
	inRoom(t, func(r *room) {
		r.start(":1.1", false)
		_, err := r.EREnrollPIN(r.Context(), Request{Interface: "eth0", Owner: ":1.2",
			PIN: secret.FromString("12345670"), Timeout: time.Hour})
		if !errors.Is(err, state.ErrNoERSettings) || len(r.p.Snapshot().Sessions) != 0 {
			r.Errorf("%v, with %d sessions", err, len(r.p.Snapshot().Sessions))
		}
		_, _, err = r.NetworkOf(r.Context(), "eth0", Peer{MAC: wsc.MAC{2, 0, 0, 0, 1, 0}})
		if !errors.Is(err, state.ErrNoERAP) {
			r.Error(err)
		}
		r.LookAgain()
		synctest.Wait()
		if r.point.searches != 2 {
			r.Errorf("%d searches", r.point.searches)
		}
	})
}

// TestMistakesEndIt: what goes wrong in its goroutine ends it, and the caller is told.
func TestMistakesEndIt(t *testing.T) {
	t.Parallel()
	inRoom(t, func(r *room) {
		r.start(":1.1", false)
		err := r.askER(r.Context(), "eth0", func(*externalRegistrar, time.Time) error {
			panic("a mistake")
		})
		synctest.Wait()
		if !errors.Is(err, ErrBroken) || r.Runs("eth0") {
			r.Errorf("%v, and it runs: %v", err, r.Runs("eth0"))
		}
		r.start(":1.1", false)
		if !r.Runs("eth0") {
			r.Error("it cannot be started again")
		}
	})
}

// TestErrorsOfTheEngine: each that a caller may meet has a sentence of ours.
func TestErrorsOfTheEngine(t *testing.T) {
	t.Parallel()
	for _, err := range []error{er.ErrNotRunning, er.ErrUnknownAP, er.ErrAmbiguous, er.ErrDropped,
		er.ErrBusy, er.ErrNoSettings, er.ErrOverlap, er.ErrTooMany} {
		if got := erError(err); got == err || got == nil {
			t.Errorf("%v becomes %v", err, got)
		}
	}
}

// TestAddressOfAnAccessPoint: a session says at which address its access point is, and nothing where
// there is none.
func TestAddressOfAnAccessPoint(t *testing.T) {
	t.Parallel()
	inRoom(t, func(r *room) {
		for id, want := range map[er.APID]string{1: "", 2: "192.0.2.7"} {
			addr, _ := netip.ParseAddr(want)
			r.p.Publish(state.ERAPAdded{AccessPoint: state.ERAccessPoint{Interface: "eth0",
				AP: &er.AP{ID: id, Addr: addr}}})
			var s state.Session
			e := &externalRegistrar{room: r.Registrars, ifname: "eth0"}
			if e.at(&s, id); s.ERAP != id || s.Detail.Address != want {
				r.Errorf("%d at %q, not %q", s.ERAP, s.Detail.Address, want)
			}
		}
	})
}
