package service

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/drivers/sim"
	"wpsd/engine/wsc"
	"wpsd/service/agents"
	"wpsd/service/session"
	"wpsd/service/state"
)

// program is an Agent that does as told, and remembers what it got.
type program struct {
	take func(ctx context.Context, d agents.Delivery) error // nil: takes all

	mu       sync.Mutex
	got      []string // SSIDs
	raw      [][]byte
	calls    int
	released int
}

func (p *program) Take(ctx context.Context, d agents.Delivery) error {
	p.mu.Lock()
	p.calls++
	p.mu.Unlock()
	if p.take != nil {
		if err := p.take(ctx, d); err != nil {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got = append(p.got, string(d.Network.SSID))
	p.raw = append(p.raw, bytes.Clone(d.Network.Raw.Bytes()))
	return nil
}

func (p *program) Release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.released++
}

// want checks what an agent got so far, and how often it was released.
func (p *program) want(h *house, released int, ssids ...string) {
	h.Helper()
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if fmt.Sprint(p.got) != fmt.Sprint(ssids) || p.released != released {
		h.Errorf("the agent got %q and was released %d times, want %q and %d", p.got, p.released,
			ssids, released)
	}
}

func (p *program) called(h *house, n int) {
	h.Helper()
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.calls != n {
		h.Errorf("the agent was called %d times, want %d", p.calls, n)
	}
}

func hangs(ctx context.Context, _ agents.Delivery) error {
	<-ctx.Done()
	return ctx.Err()
}

func refuses(context.Context, agents.Delivery) error { return errors.New("not now") }

func (h *house) agent(owner string, take func(context.Context, agents.Delivery) error) *program {
	h.Helper()
	p := &program{take: take}
	if err := h.svc.Agents().RegisterAgent(h.Context(), owner, "/agent", p); err != nil {
		h.Fatal(err)
	}
	return p
}

// waiting checks how many credentials wait for an agent, and that subscribers were told.
func (h *house) waiting(n int) {
	h.Helper()
	h.drain()
	snap, sub := h.svc.Published().Subscribe()
	sub.Close()
	told := 0
	for _, e := range h.events {
		if m, ok := e.(state.ManagerChanged); ok {
			told = m.Manager.Waiting
		}
	}
	if snap.Manager.Waiting != n || told != n {
		h.Errorf("%d credentials wait (told: %d), want %d", snap.Manager.Waiting, told, n)
	}
}

// enrol receives the network of an access point of that name.
func (h *house) enrol(ap *sim.AP) state.Session {
	h.Helper()
	h.press(ap)
	return h.end(h.pbc(nil))
}

// enrolAll receives several networks, one after the other, each from an access point of its own.
func (h *house) enrolAll(ssids ...string) {
	h.Helper()
	for i, ssid := range ssids {
		bssid := wsc.MAC{2, 0, 0, 0, 9, byte(i)}
		ap := h.ap(func(o *sim.APOptions) {
			o.SSID, o.BSSs = ssid, []sim.BSS{{BSSID: bssid, Frequency: 2437}}
		})
		h.press(ap)
		if e := h.end(h.pbc(func(r *session.StartRequest) {
			r.BSSID = bssid
		})); e.State != state.StateSucceeded {
			h.Fatalf("%+v", e)
		}
	}
}

func (h *house) process(p state.Processing) {
	h.Helper()
	if err := h.svc.Settings().SetProcessing(h.Context(), p); err != nil {
		h.Fatal(err)
	}
}

// wps_cred_processing of wpa_supplicant.conf: "0 = process received credentials internally … 1 = do
// not process … just pass them over ctrl_iface to external program(s) … 2 = process internally and
// pass".
func TestAgents(t *testing.T) {
	t.Parallel()
	play(t, []scene{
		{"internally processed, a credential is stored and no agent's business", func(h *house) {
			p := h.agent(":1.9", nil)
			h.wantNetwork(h.enrol(h.ap(nil)), "home", passphrase)
			p.want(h, 0)
			h.waiting(0)
		}},
		{"externally processed, it goes to the agent and the owner and nowhere else",
			func(h *house) {
				h.process(state.ProcessingExternal)
				p := h.agent(":1.9", nil)
				e := h.enrol(h.ap(nil))
				if e.State != state.StateSucceeded || len(e.Networks) != 0 ||
					len(h.store.Networks()) != 0 || e.Detail.NotStored {
					h.Errorf("%+v, stored %v", e, h.store.Networks())
				}
				if got, err := h.svc.Credentials(e.ID); err != nil || len(got) != 1 ||
					string(got[0].Key.Bytes()) != passphrase {
					h.Errorf("the owner gets %v, %v", got, err)
				}
				p.want(h, 0, "home")
				h.waiting(0)
			}},
		{"processed both ways, it is stored and goes to the agent", func(h *house) {
			h.process(state.ProcessingBoth)
			p := h.agent(":1.9", nil)
			h.wantNetwork(h.enrol(h.ap(nil)), "home", passphrase)
			p.want(h, 0, "home")
		}},
		{"several agents get each credential, and a slow one delays no other", func(h *house) {
			h.process(state.ProcessingExternal)
			slow := h.agent(":1.8", func(context.Context, agents.Delivery) error {
				time.Sleep(20 * time.Second)
				return nil
			})
			quick := h.agent(":1.9", nil)
			h.enrol(h.ap(nil))
			quick.want(h, 0, "home")
			slow.want(h, 0)
			time.Sleep(21 * time.Second)
			slow.want(h, 0, "home")
			quick.want(h, 0, "home")
		}},
		{"without an agent a credential is kept for the next one, in order", func(h *house) {
			h.process(state.ProcessingExternal)
			h.enrolAll("a", "b", "c")
			h.waiting(3)
			h.agent(":1.8", nil).want(h, 0, "a", "b", "c")
			h.waiting(0)
			h.agent(":1.9", nil).want(h, 0) // somebody has them
		}},
		{"an agent that refuses is asked again, once a minute", func(h *house) {
			h.process(state.ProcessingExternal)
			var n atomic.Int32
			p := h.agent(":1.9", func(context.Context, agents.Delivery) error {
				if n.Add(1) < 4 {
					return errors.New("not now")
				}
				return nil
			})
			h.enrol(h.ap(nil))
			time.Sleep(2*time.Minute + time.Second)
			if n.Load() != 3 {
				h.Errorf("%d calls", n.Load())
			}
			h.waiting(1)
			time.Sleep(time.Minute)
			p.want(h, 0, "home")
			h.waiting(0)
		}},
		{"what one agent refuses does not hold up what comes next", func(h *house) {
			h.process(state.ProcessingExternal)
			p := h.agent(":1.9", func(_ context.Context, d agents.Delivery) error {
				if string(d.Network.SSID) == "a" {
					return errors.New("not this one")
				}
				return nil
			})
			h.enrolAll("a", "b")
			p.want(h, 0, "b")
			h.waiting(1)
		}},
		{"an agent that refused is not asked again once another has taken it", func(h *house) {
			h.process(state.ProcessingExternal)
			p := h.agent(":1.8", refuses)
			h.enrol(h.ap(nil))
			synctest.Wait()
			h.agent(":1.9", nil).want(h, 0, "home")
			time.Sleep(5 * time.Minute)
			p.called(h, 1)
		}},
		{"an agent that hangs is unregistered, and the credential goes to the next",
			func(h *house) {
				h.process(state.ProcessingExternal)
				p := h.agent(":1.8", hangs)
				h.enrol(h.ap(nil))
				time.Sleep(agents.CallTime + time.Second)
				p.want(h, 1)
				if h.svc.Agents().HasAgent(":1.8") {
					h.Error("it is still registered")
				}
				h.waiting(1)
				h.agent(":1.8", nil).want(h, 0, "home") // the same one may come back
			}},
		{"an agent that dies in the middle leaves the credential to the next", func(h *house) {
			h.process(state.ProcessingExternal)
			p := h.agent(":1.8", hangs)
			h.enrol(h.ap(nil))
			synctest.Wait()
			h.svc.ReleaseOwner(":1.8")
			p.want(h, 0) // nobody is there to be told
			p.called(h, 1)
			h.waiting(1)
			h.agent(":1.9", nil).want(h, 0, "home")
		}},
		{"an agent that unregisters while it takes one has it, and is released after",
			func(h *house) {
				h.process(state.ProcessingExternal)
				p := h.agent(":1.8", func(context.Context, agents.Delivery) error {
					time.Sleep(time.Second)
					return nil
				})
				h.enrol(h.ap(nil))
				if err := h.svc.Agents().UnregisterAgent(":1.8", "/agent"); err != nil {
					h.Fatal(err)
				}
				p.want(h, 0)
				time.Sleep(2 * time.Second)
				p.want(h, 1, "home")
				h.agent(":1.9", nil).want(h, 0)
				h.waiting(0)
			}},
		{"a credential waits for a day", func(h *house) {
			h.process(state.ProcessingExternal)
			h.enrol(h.ap(nil))
			time.Sleep(agents.KeepTime - time.Minute)
			h.waiting(1)
			time.Sleep(2 * time.Minute)
			h.waiting(0)
			h.agent(":1.9", nil).want(h, 0)
			if !strings.Contains(h.log.String(), "it is gone") {
				h.Error("the log does not say so")
			}
		}},
		{"an access point's settings that were learned go to the agent as well, as a Credential",
			func(h *house) {
				h.process(state.ProcessingExternal)
				p := h.agent(":1.9", nil)
				h.ap(withPIN)
				if e := h.end(h.learn(labelPIN)); e.State != state.StateSucceeded ||
					len(h.store.Networks()) != 0 {
					h.Errorf("%+v, stored %v", e, h.store.Networks())
				}
				p.want(h, 0, "home")
				if !bytes.HasPrefix(p.raw[0], []byte{0x10, 0x0e}) {
					h.Errorf("raw is %x", p.raw[0])
				}
			}},
		{"a mode that is set back keeps what waits", func(h *house) {
			h.process(state.ProcessingExternal)
			h.enrol(h.ap(nil))
			h.process(state.ProcessingInternal)
			h.agent(":1.9", nil).want(h, 0, "home")
		}},
		{"agents are bounded, and each object is registered once", func(h *house) {
			for i := range agents.Max {
				h.agent(fmt.Sprintf(":1.%d", i), nil)
			}
			if err := h.svc.Agents().RegisterAgent(h.Context(), ":1.99", "/agent",
				&program{}); !errors.Is(err, agents.ErrTooMany) {
				h.Error(err)
			}
			if err := h.svc.Agents().RegisterAgent(h.Context(), ":1.0", "/agent",
				&program{}); !errors.Is(err, agents.ErrExists) {
				h.Error(err)
			}
			h.svc.ReleaseOwner(":1.0")
			synctest.Wait()
			h.agent(":1.0", nil)
			if err := h.svc.Agents().UnregisterAgent(":1.0", "/other"); !errors.Is(err,
				agents.ErrUnknown) {
				h.Error(err)
			}
			if h.svc.Agents().HasAgent(":1.99") {
				h.Error("an agent that was refused is there")
			}
		}},
		{"what came at the very end still reaches an agent, for a moment", func(h *house) {
			h.process(state.ProcessingExternal)
			p := h.agent(":1.8", func(context.Context, agents.Delivery) error {
				time.Sleep(time.Second)
				return nil
			})
			stuck := h.agent(":1.9", hangs)
			h.enrol(h.ap(nil))
			began := time.Now()
			h.svc.shutDown(func(error) {})
			if took := time.Since(began); took != agents.LastTime {
				h.Errorf("it took %v", took)
			}
			p.want(h, 1, "home")
			stuck.want(h, 1)
			if strings.Contains(h.log.String(), "are gone") {
				h.Error("the log says that it is gone")
			}
		}},
		{"what nobody took is gone with the daemon, which says so", func(h *house) {
			h.process(state.ProcessingExternal)
			h.enrol(h.ap(nil))
			h.svc.shutDown(func(error) {})
			if !strings.Contains(h.log.String(), "credentials that no agent took are gone") {
				h.Error("it does not")
			}
			if err := h.svc.Agents().RegisterAgent(h.Context(), ":1.9", "/agent",
				&program{}); !errors.Is(err, state.ErrShutdown) {
				h.Error(err)
			}
		}},
	})
}
