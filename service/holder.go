package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"wpsd/drivers"
	"wpsd/service/ending"
	"wpsd/service/store"
)

// Holder is a manager that may have the interface that a session needs: it lets go for the
// session's time. Two Holders can have the same interface, one on top of the other.
type Holder interface {
	// Name is the one by which the configuration and D-Bus know it.
	Name() string
	// Claim looks whether the manager has the interface, and changes nothing. What it returns,
	// JSON, is all that Restore needs to make it as it was; nil: it does not have it.
	Claim(ctx context.Context, ifname string) (debt []byte, err error)
	// Release makes the manager let go. apart means that it cannot do that entirely: the session
	// then uses a virtual interface of its own. Whatever it returns, Restore makes good.
	Release(ctx context.Context, ifname string, debt []byte) (apart bool, err error)
	// Restore gives the interface back as debt says: also twice, also if Release was never called,
	// or not by this process. With reconnect the connection that was there comes back, too.
	// drivers.ErrNoManager: nobody is there to take it.
	Restore(ctx context.Context, ifname string, debt []byte, reconnect bool) error
	// Shares reports whether the manager leaves alone what others make on its radio. Where somebody
	// asks for that, and the radio has room for two, it need not let go, and its connection stays.
	Shares() bool
	// Disconnect ends the connection of an interface, and leaves it at that: the manager does not
	// connect by itself again until somebody asks it to. It returns when the connection is over.
	// That there is none is no error. drivers.ErrNotSupported: the manager cannot.
	Disconnect(ctx context.Context, ifname string) error
}

const (
	// releaseTime and restoreTime bound what one manager may take. NetworkManager needs three
	// seconds to have an interface ready again.
	releaseTime = 10 * time.Second
	restoreTime = 20 * time.Second
)

// beside says whether a session uses an interface of its own beside the one that a manager has.
type beside uint8

const (
	besideNobody beside = iota // the manager lets go
	besideIfRoom               // where there is room, the manager lets go elsewhere
	besideOrNot                // where there is room, the session fails elsewhere
)

func besideOf(r StartRequest) beside {
	switch {
	case r.BesideOnly:
		return besideOrNot
	case r.Beside:
		return besideIfRoom
	}
	return besideNobody
}

// holding is an interface that was taken from its managers, perhaps from none. The session's
// goroutine owns it.
type holding struct {
	service *Service
	iface   *iface
	debt    store.Debt
	failed  store.Debt // what could not be given back yet
	beside  beside     // whether the manager need not let go, or must not be asked to
	owner   string     // the manager that has the interface; empty: nobody
	apart   bool       // it could not let go: use an interface beside this one
}

// take asks whoever manages an interface to let go of it. What is owed then is on disk before
// anything changes. With beside it need not, where the radio has room for an interface of our own.
// That has another address, and a key may be tied to one: nobody gets it who has not asked for it.
func (s *Service) take(ctx context.Context, i *iface, beside beside) (*holding, error) {
	_ = s.settleInterface(ctx, i.Name) // what is left stays in the journal
	h := &holding{service: s, iface: i, beside: beside, debt: store.Debt{Interface: i.Name}}
	if old, err := s.journal.Debt(i.Name); err == nil {
		h.debt = old // somebody who is not there to get it back now
	}
	for _, m := range s.holders {
		if err := h.takeFrom(ctx, m); err != nil {
			h.giveBack(ctx, true)
			return nil, err
		}
	}
	if h.apart {
		return h, nil
	}
	if err := h.noteLink(ctx); err != nil {
		h.giveBack(ctx, true)
		return nil, err
	}
	return h, nil
}

func (h *holding) takeFrom(ctx context.Context, m Holder) error {
	ctx, cancel := context.WithTimeout(ctx, releaseTime)
	defer cancel()
	debt, err := claimOf(ctx, m, h.iface.Name)
	if err != nil || debt == nil {
		return err
	}
	if h.owner == "" {
		h.owner = m.Name()
	}
	switch {
	case m.Shares() && h.beside != besideNobody && h.room(ctx):
		h.apart = true
		return nil
	case h.beside == besideOrNot:
		return &ending.NoRoomError{Manager: m.Name()}
	}
	if !slices.ContainsFunc(h.debt.Claims, func(c store.Claim) bool {
		return c.Manager == m.Name()
	}) {
		h.debt.Claims = append(h.debt.Claims, store.Claim{Manager: m.Name(), Debt: debt})
	}
	if err := h.service.journal.Put(h.debt); err != nil {
		return fmt.Errorf("service: noting that %s is taken from %s: %w", h.iface.Name,
			m.Name(), err)
	}
	apart, err := m.Release(ctx, h.iface.Name, debt)
	if err != nil {
		return fmt.Errorf("service: %s does not let go of %s: %w: %w", m.Name(), h.iface.Name,
			drivers.ErrBusy, err)
	}
	h.apart = h.apart || apart
	h.service.log.Debug("a manager has let go", "interface", h.iface.Name, "manager", m.Name(),
		"apart", apart)
	return nil
}

// claimOf asks a manager whether it has an interface; nil: it does not.
func claimOf(ctx context.Context, m Holder, ifname string) ([]byte, error) {
	debt, err := m.Claim(ctx, ifname)
	if err != nil {
		return nil, fmt.Errorf("service: %s: whether it has %s: %w: %w", m.Name(), ifname,
			drivers.ErrBusy, err)
	}
	return debt, nil
}

// ownerOf asks which manager has an interface, and changes nothing; empty: nobody has it. A manager
// that cannot say, and would not let go later, is an error now.
func (s *Service) ownerOf(ctx context.Context, ifname string) (owner string, err error) {
	for _, m := range s.holders {
		within, cancel := context.WithTimeout(ctx, releaseTime)
		debt, err := claimOf(within, m, ifname)
		cancel()
		if err != nil {
			return "", err
		}
		if debt != nil && owner == "" {
			owner = m.Name()
		}
	}
	return owner, nil
}

// room reports whether there is room for an interface of our own beside this one.
func (h *holding) room(ctx context.Context) bool {
	room, err := h.iface.driver.RoomApart(ctx, h.iface.Name)
	return err == nil && room
}

// noteLink notes a link that is down: the driver brings it up, and only the driver's own process
// takes it down again.
func (h *holding) noteLink(ctx context.Context) error {
	up, err := h.iface.driver.LinkUp(ctx, h.iface.Name)
	if err != nil || up || h.debt.LinkDown {
		return nil // what is wrong with it the Station will say
	}
	h.debt.LinkDown = true
	if err := h.service.journal.Put(h.debt); err != nil {
		return fmt.Errorf("service: noting that the link of %s was down: %w", h.iface.Name, err)
	}
	return nil
}

// owes reports whether anything is to be given back.
func (h *holding) owes() bool { return h.debt.LinkDown || len(h.debt.Claims) > 0 }

// giveBack makes the interface as it was, even if ctx has ended. Without reconnect the managers get
// it back without the connection that they had, and the journal keeps what is owed until settled
// says that there is a new one.
func (h *holding) giveBack(ctx context.Context, reconnect bool) {
	if !h.owes() {
		return
	}
	s := h.service
	h.failed, _ = repay(context.WithoutCancel(ctx), h.debt, s.holders, h.iface.driver.LinkDown,
		reconnect, s.log)
	if reconnect {
		h.settled()
	}
}

// settled notes that nothing is owed any more but what could not be given back.
func (h *holding) settled() {
	h.debt = h.failed
	if err := noteLeft(h.service.journal, h.debt); err != nil {
		h.service.log.Error("the journal of taken interfaces cannot be written", "interface",
			h.iface.Name, "err", err)
	}
	if h.owes() {
		h.service.debtor.owe()
	}
}

// linkDown takes the link of an interface down, as drivers.LinkKeeper has it.
type linkDown func(ctx context.Context, ifname string) error

// repay pays a debt: last taken, first given back. It returns what could not be paid, and why: an
// unpaid.
func repay(ctx context.Context, d store.Debt, holders []Holder, linkDown linkDown,
	reconnect bool, log *slog.Logger) (left store.Debt, err error) {
	left = store.Debt{Interface: d.Interface, Taken: d.Taken}
	var why unpaid
	if d.LinkDown && linkDown != nil {
		err := linkDown(ctx, d.Interface)
		if err != nil && !errors.Is(err, drivers.ErrNoInterface) &&
			!errors.Is(err, drivers.ErrNotSupported) {
			log.Warn("the link cannot be taken down again", "interface", d.Interface, "err", err)
			left.LinkDown, why = true, append(why, err)
		}
	}
	for _, c := range slices.Backward(d.Claims) {
		if err := repayOne(ctx, d.Interface, c, holders, reconnect); err != nil {
			log.Warn("the interface cannot be given back now; wpsd goes on trying while it runs",
				"interface", d.Interface, "manager", c.Manager, "err", err)
			left.Claims, why = slices.Insert(left.Claims, 0, c), append(why, err)
			continue
		}
		log.Debug("the interface was given back", "interface", d.Interface, "manager", c.Manager,
			"reconnect", reconnect)
	}
	if why == nil {
		return left, nil
	}
	return left, why
}

func repayOne(ctx context.Context, ifname string, c store.Claim, holders []Holder,
	reconnect bool) error {
	ctx, cancel := context.WithTimeout(ctx, restoreTime)
	defer cancel()
	i := slices.IndexFunc(holders, func(m Holder) bool { return m.Name() == c.Manager })
	if i < 0 {
		return fmt.Errorf("service: nobody here speaks with %q", c.Manager)
	}
	return holders[i].Restore(ctx, ifname, c.Debt, reconnect)
}

// RestoreConfig is what Restore works with.
type RestoreConfig struct {
	Journal *store.Journal
	Holders []Holder
	// LinkDown takes a link down, as drivers.LinkKeeper has it.
	LinkDown func(ctx context.Context, ifname string) error
	Log      *slog.Logger
}

// Restore gives back all interfaces that a process that was killed has taken. An error says that
// something is still owed, and stands in the journal.
func Restore(ctx context.Context, c RestoreConfig) error {
	debts, err := c.Journal.Debts()
	if err != nil {
		c.Log.Warn("a part of the journal of taken interfaces cannot be used", "err", err)
	}
	err = nil
	for _, d := range debts {
		c.Log.Info("giving an interface back that was taken by a process that was killed",
			"interface", d.Interface)
		left, why := repay(ctx, d, c.Holders, c.LinkDown, true, c.Log)
		if why != nil {
			why = fmt.Errorf("service: %s could not be given back: %w", d.Interface, why)
		}
		err = errors.Join(err, noteLeft(c.Journal, left), why)
	}
	return err
}

// settle pays what an earlier process owes, before anybody can start a session.
func (s *Service) settle(ctx context.Context) {
	if s.journal == nil {
		return
	}
	if err := Restore(ctx, RestoreConfig{Journal: s.journal, Holders: s.holders,
		LinkDown: s.linkDown, Log: s.log}); err != nil {
		s.log.Warn("not everything that was taken could be given back", "err", err)
		s.debtor.owe()
	}
}
