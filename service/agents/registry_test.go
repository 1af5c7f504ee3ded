package agents

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/engine/credential"
	"wpsd/engine/secret"
	"wpsd/service/state"
)

const passphrase = "correct horse battery"

func network(ssid string) credential.Network {
	return credential.Network{SSID: []byte(ssid), Key: secret.FromString(passphrase)}
}

// hub remembers what the registry told it.
type hub struct {
	mu      sync.Mutex
	waiting []int
	ended   int
}

func (h *hub) CredentialsWaiting(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.waiting = append(h.waiting, n)
}

func (h *hub) AgentEnded() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended++
}

func (h *hub) want(t *testing.T, ended int, waiting ...int) {
	t.Helper()
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	if fmt.Sprint(h.waiting) != fmt.Sprint(waiting) || h.ended != ended {
		t.Errorf("waiting was told as %v, and %d agents ended; want %v and %d", h.waiting, h.ended,
			waiting, ended)
	}
}

// program is an Agent that does as told, and remembers what it got.
type program struct {
	take func(context.Context, Delivery) error // nil: takes all

	mu       sync.Mutex
	got      []string // SSIDs, and what the keys were at that moment
	released int
}

func (p *program) Take(ctx context.Context, d Delivery) error {
	if p.take != nil {
		if err := p.take(ctx, d); err != nil {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got = append(p.got, string(d.Network.SSID)+" "+string(d.Network.Key.Bytes()))
	return nil
}

func (p *program) Release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.released++
}

func (p *program) want(t *testing.T, released int, ssids ...string) {
	t.Helper()
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	var got []string
	for _, ssid := range ssids {
		got = append(got, ssid+" "+passphrase)
	}
	if fmt.Sprint(p.got) != fmt.Sprint(got) || p.released != released {
		t.Errorf("the agent got %q and was released %d times, want %q and %d", p.got, p.released,
			got, released)
	}
}

func register(t *testing.T, r *Registry, owner string,
	take func(context.Context, Delivery) error) *program {
	t.Helper()
	p := &program{take: take}
	if err := r.RegisterAgent(t.Context(), owner, "/agent", p); err != nil {
		t.Fatal(err)
	}
	return p
}

var errEnd = errors.New("the end")

// TestRegistry: what becomes of credentials, without a service and without a session.
func TestRegistry(t *testing.T) {
	t.Parallel()
	for _, scene := range []struct {
		name string
		run  func(t *testing.T, r *Registry, h *hub)
	}{
		{"each agent gets a credential, with a key of its own", func(t *testing.T, r *Registry,
			h *hub) {
			wipes := func(_ context.Context, d Delivery) error {
				if string(d.Network.Key.Bytes()) != passphrase {
					t.Error("its key was wiped by another")
				}
				d.Network.Wipe()
				return nil
			}
			register(t, r, ":1.1", wipes)
			register(t, r, ":1.2", wipes)
			n := network("home")
			r.Offer(1, []credential.Network{n})
			h.want(t, 0, 1, 0)
			if !bytes.Equal(n.Key.Bytes(), make([]byte, len(passphrase))) {
				t.Error("the registry's own is not wiped after all had it")
			}
		}},
		{"what nobody took is the first that a new agent gets", func(t *testing.T, r *Registry,
			h *hub) {
			r.Offer(1, []credential.Network{network("first"), network("second")})
			h.want(t, 0, 2)
			register(t, r, ":1.1", nil).want(t, 0, "first", "second")
			if h.want(t, 0, 2, 1, 0); r.Waiting() != 0 || r.Count() != 1 {
				t.Errorf("%d wait, %d agents", r.Waiting(), r.Count())
			}
		}},
		{"an agent that refuses is asked again after a while", func(t *testing.T, r *Registry,
			h *hub) {
			var takes atomic.Bool
			p := register(t, r, ":1.1", func(context.Context, Delivery) error {
				if !takes.Load() {
					return errors.New("not now")
				}
				return nil
			})
			r.Offer(1, []credential.Network{network("home")})
			p.want(t, 0)
			takes.Store(true)
			time.Sleep(Pause)
			p.want(t, 0, "home")
		}},
		{"an agent that hangs is unregistered, and what it did not take waits", func(t *testing.T,
			r *Registry, h *hub) {
			p := register(t, r, ":1.1", func(ctx context.Context, _ Delivery) error {
				<-ctx.Done()
				return ctx.Err()
			})
			r.Offer(1, []credential.Network{network("home")})
			time.Sleep(CallTime + time.Second)
			p.want(t, 1)
			if h.want(t, 1, 1); r.HasAgent(":1.1") || r.Waiting() != 1 {
				t.Error("it is registered still, or the credential is gone")
			}
		}},
		{"an agent that panics costs nobody else anything", func(t *testing.T, r *Registry,
			h *hub) {
			register(t, r, ":1.1", func(context.Context, Delivery) error { panic("at once") })
			p := register(t, r, ":1.2", nil)
			r.Offer(1, []credential.Network{network("home")})
			p.want(t, 0, "home")
		}},
		{"an owner that left is not called again, nor told", func(t *testing.T, r *Registry,
			h *hub) {
			p := register(t, r, ":1.1", nil)
			r.ReleaseOwner(":1.1")
			r.Offer(1, []credential.Network{network("home")})
			p.want(t, 0)
			h.want(t, 1, 1)
		}},
		{"names are taken once, and agents are bounded", func(t *testing.T, r *Registry, h *hub) {
			for i := range Max {
				register(t, r, fmt.Sprint(":1.", i), nil)
			}
			err := r.RegisterAgent(t.Context(), ":1.0", "/agent", &program{})
			if !errors.Is(err, ErrExists) {
				t.Error(err)
			}
			err = r.RegisterAgent(t.Context(), ":1.99", "/agent", &program{})
			if !errors.Is(err, ErrTooMany) {
				t.Error(err)
			}
			if err := r.UnregisterAgent(":1.99", "/agent"); !errors.Is(err, ErrUnknown) {
				t.Error(err)
			}
		}},
		{"nobody took it for a day", func(t *testing.T, r *Registry, h *hub) {
			r.Offer(1, []credential.Network{network("home")})
			time.Sleep(KeepTime)
			h.want(t, 0, 1, 0)
		}},
	} {
		t.Run(scene.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &hub{}
				r := New(h, slog.New(slog.DiscardHandler))
				scene.run(t, r, h)
				r.Close(errEnd)
				if r.Waiting() != 0 || r.Count() != 0 {
					t.Errorf("after the end %d wait, and there are %d agents", r.Waiting(),
						r.Count())
				}
				err := r.RegisterAgent(t.Context(), ":1.1", "/late", &program{})
				if !errors.Is(err, errEnd) {
					t.Errorf("an agent that comes after the end: %v", err)
				}
			})
		})
	}
}

// TestRegistryLogsNoKey: whatever becomes of a credential, the log does not have its key.
func TestRegistryLogsNoKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		r := New(&hub{}, slog.New(slog.NewTextHandler(&log,
			&slog.HandlerOptions{Level: slog.LevelDebug})))
		register(t, r, ":1.1", func(context.Context, Delivery) error { return errors.New("no") })
		r.Offer(1, []credential.Network{network("home")})
		synctest.Wait()
		r.Close(errEnd)
		if log.Len() == 0 || strings.Contains(log.String(), passphrase) {
			t.Errorf("the log: %s", log.String())
		}
	})
}

// TestPendingCredentialsAreBounded: of more than there is room for the oldest goes, rather one that
// somebody has.
func TestPendingCredentialsAreBounded(t *testing.T) {
	t.Parallel()
	var l pendingCredentials
	one := func(id state.SessionID) *pendingCredential {
		return &pendingCredential{Delivery: Delivery{Session: id,
			Network: network("home")}, due: map[*agent]time.Time{}}
	}
	for id := range state.SessionID(MaxWaiting) {
		if l.add(one(id)) != nil {
			t.Fatal("dropped before there are too many")
		}
	}
	slow := &agent{}
	l.list[5].taken, l.list[5].due[slow] = true, time.Time{}
	if d := l.add(one(100)); d == nil || d.Session != 5 {
		t.Errorf("dropped %v", d)
	}
	oldest := l.list[0]
	if d := l.add(one(101)); d != oldest || len(l.list) != MaxWaiting {
		t.Errorf("dropped %v of %d", d, len(l.list))
	}
	if !bytes.Equal(oldest.Network.Key.Bytes(), make([]byte, len(passphrase))) {
		t.Error("its key was not wiped")
	}
	rest := l.list[:MaxWaiting:MaxWaiting]
	last := rest[MaxWaiting-1]
	l.wipe()
	if len(l.list) != 0 || !bytes.Equal(last.Network.Key.Bytes(), make([]byte, len(passphrase))) {
		t.Error("not all were wiped")
	}
}
