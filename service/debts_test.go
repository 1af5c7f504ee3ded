package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"wpsd/drivers"
	"wpsd/service/lending"
	"wpsd/service/session"
	"wpsd/service/store"
)

// countingManager counts how often it is asked to take an interface back.
type countingManager struct {
	*fakeManager
	asked int
}

func (m *countingManager) Restore(ctx context.Context, ifname string, debt []byte,
	reconnect bool) error {
	m.mu.Lock()
	m.asked++
	m.mu.Unlock()
	return m.fakeManager.Restore(ctx, ifname, debt, reconnect)
}

func (m *countingManager) set(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.restoreErr = err
}

func (m *countingManager) times() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.asked
}

// inDebt is a house whose manager did not take its interface back after a session, or after a
// start.
func inDebt(t *testing.T, atStart bool, why error,
	run func(h *house, m *countingManager, came chan struct{}, owed func() bool)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		journal, err := store.OpenJournal(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer journal.Close()
		owed := func() bool { _, err := journal.Debt("wlan0"); return err == nil }
		m := &countingManager{fakeManager: &fakeManager{name: "first", network: "before",
			owed: owed, restoreErr: why}}
		came := make(chan struct{}, 1)
		if atStart {
			m.released, m.network = true, ""
			if err := journal.Put(store.Debt{Interface: "wlan0",
				Claims: []store.Claim{{Manager: "first",
					Debt: json.RawMessage(`{"network":"before"}`)}}}); err != nil {
				t.Fatal(err)
			}
		}
		inHouse(t, func(c *Config) {
			c.Managers.Holders, c.Managers.Journal, c.Managers.Came = []lending.Holder{m},
				journal, came
		}, func(h *house) {
			if !atStart {
				s := h.pbc(func(r *session.StartRequest) { r.Apply = session.ApplyNone })
				synctest.Wait()
				if err := h.svc.Cancel(h.Context(), s.ID); err != nil {
					h.Fatal(err)
				}
				h.end(s)
			}
			synctest.Wait()
			if !owed() {
				h.Fatal("nothing is owed")
			}
			run(h, m, came, owed)
		})
	})
}

// TestADebtIsPaidHoweverLongThatTakes: a manager that does not run is not looked for until it
// comes, one that fails is tried rarely, and wpsd does not end before.
func TestADebtIsPaidHoweverLongThatTakes(t *testing.T) {
	gone := fmt.Errorf("first: %w", drivers.ErrNoManager)
	for _, c := range []struct {
		name  string
		why   error
		least int // tries in a week
		most  int
	}{
		{"the manager does not run", gone, 0, 0},
		{"the manager fails", errors.New("it has other worries"), 6 * 24 * 7 * 9 / 10, 6 * 24 * 7},
	} {
		for _, atStart := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, at the start %v", c.name, atStart), func(t *testing.T) {
				inDebt(t, atStart, c.why,
					func(h *house, m *countingManager, came chan struct{}, owed func() bool) {
						time.Sleep(5 * time.Minute)
						before := m.times()
						if before < 3 {
							h.Errorf("%d tries at first", before)
						}
						time.Sleep(7 * 24 * time.Hour)
						if n := m.times() - before; n < c.least || n > c.most {
							h.Errorf("%d tries in a week", n)
						}
						if why := h.svc.Busy(); !strings.Contains(why, "given back") || !owed() {
							h.Errorf("busy with %q", why)
						}
						m.set(nil)
						came <- struct{}{}
						time.Sleep(10 * time.Second)
						synctest.Wait()
						if owed() || m.network != "before" || m.released {
							h.Errorf("owed: %v; it is in %q", owed(), m.network)
						}
						if why := h.svc.Busy(); why != "" && why != "a session" {
							h.Errorf("busy with %q", why)
						}
						after := m.times()
						came <- struct{}{} // another manager
						time.Sleep(24 * time.Hour)
						if m.times() != after {
							h.Error("what is paid is paid again")
						}
					})
			})
		}
	}
}

// TestAManagerThatComesTakesAWhile until it knows its interfaces.
func TestAManagerThatComesTakesAWhile(t *testing.T) {
	inDebt(t, false, drivers.ErrNoManager,
		func(h *house, m *countingManager, came chan struct{}, owed func() bool) {
			time.Sleep(time.Hour)
			m.set(errors.New("it is being started"))
			came <- struct{}{}
			time.Sleep(20 * time.Second)
			m.set(nil)
			time.Sleep(time.Minute)
			synctest.Wait()
			if owed() || m.network != "before" {
				h.Errorf("owed: %v; it is in %q", owed(), m.network)
			}
		})
}
