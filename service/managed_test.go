package service

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/drivers"
	"wpsd/service/lending"
	"wpsd/service/state"
	"wpsd/service/store"
)

// TestWhoHasTheInterfaceIsKnown: from the start, and whenever a manager says that something
// changed, and also if it knows its interfaces only a moment later. A session changes nothing.
func TestWhoHasTheInterfaceIsKnown(t *testing.T) {
	t.Parallel()
	var changed chan struct{} // of the bubble
	config := func(c *Config) {
		changed = make(chan struct{}, 1)
		c.Managers.Changed = changed
	}
	inManagedHouse(t, config, func(h *house, m *fakeManager, _ *store.Journal) {
		manager := func() string { return h.svc.Published().Snapshot().Interfaces[0].Manager }
		if manager() != "first" {
			h.Errorf("at the start it is %q", manager())
		}
		set := func(absent bool, err error) {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.absent, m.claimErr = absent, err
		}
		set(false, errors.New("it is busy"))
		changed <- struct{}{}
		time.Sleep(time.Minute)
		if manager() != "first" {
			h.Errorf("nobody knows, and it is %q", manager())
		}
		set(true, nil)
		changed <- struct{}{}
		h.wait(func(e state.Event) bool {
			i, ok := e.(state.InterfaceChanged)
			return ok && i.Interface.Manager == ""
		})
		changed <- struct{}{}
		time.Sleep(2 * lending.Settles)
		set(false, nil) // after it was asked for the first time
		h.wait(func(e state.Event) bool {
			i, ok := e.(state.InterfaceChanged)
			return ok && i.Interface.Manager == "first"
		})
		h.press(h.ap(nil))
		s := h.pbc(nil)
		for range 100 {
			time.Sleep(100 * time.Millisecond)
			if manager() != "first" {
				h.Fatalf("during a session it is %q", manager())
			}
			if now, _ := h.svc.Published().Session(s.ID); now.State.Ended() {
				break
			}
			select {
			case changed <- struct{}{}:
			default:
			}
		}
		synctest.Wait()
		if manager() != "first" {
			h.Errorf("after a session it is %q", manager())
		}
	})
}

// hangingManager never says whether it has an interface.
type hangingManager struct{ *fakeManager }

func (hangingManager) Claim(ctx context.Context, _ string) ([]byte, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestAManagerThatHangsDelaysTheStart by a second, and no longer.
func TestAManagerThatHangsDelaysTheStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		inHouse(t, func(c *Config) {
			c.Managers.Holders = []lending.Holder{hangingManager{&fakeManager{}}}
		},
			func(h *house) {
				if took := time.Since(began); took > firstLook {
					h.Errorf("it took %v", took)
				}
			})
	})
}

func TestWhatASessionDisconnects(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		i    state.Interface
		want bool
	}{
		{"a station that is connected",
			state.Interface{Mode: drivers.ModeStation, Connected: true}, true},
		{"a station that is not", state.Interface{Mode: drivers.ModeStation}, false},
		{"an access point", state.Interface{Mode: drivers.ModeAP, Connected: true}, false},
	} {
		if c.i.Disconnects() != c.want {
			t.Errorf("%s: %v", c.name, !c.want)
		}
	}
}
