package lending

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"wpsd/drivers"
	"wpsd/service/store"
)

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
		left, why := repay(ctx, d, c, true)
		if why != nil {
			why = fmt.Errorf("lending: %s could not be given back: %w", d.Interface, why)
		}
		err = errors.Join(err, noteLeft(c.Journal, left), why)
	}
	return err
}

// repay pays a debt: last taken, first given back. It returns what could not be paid, and why: an
// unpaid.
func repay(ctx context.Context, d store.Debt, c RestoreConfig,
	reconnect bool) (left store.Debt, err error) {
	left = store.Debt{Interface: d.Interface, Taken: d.Taken}
	var why unpaid
	if d.LinkDown {
		err := c.LinkDown(ctx, d.Interface)
		if err != nil && !errors.Is(err, drivers.ErrNoInterface) &&
			!errors.Is(err, drivers.ErrNotSupported) {
			c.Log.Warn("the link cannot be taken down again", "interface", d.Interface, "err", err)
			left.LinkDown, why = true, append(why, err)
		}
	}
	for _, claim := range slices.Backward(d.Claims) {
		if err := repayOne(ctx, d.Interface, claim, c.Holders, reconnect); err != nil {
			c.Log.Warn("the interface cannot be given back now; wpsd goes on trying while it runs",
				"interface", d.Interface, "manager", claim.Manager, "err", err)
			left.Claims, why = slices.Insert(left.Claims, 0, claim), append(why, err)
			continue
		}
		c.Log.Debug("the interface was given back", "interface", d.Interface, "manager",
			claim.Manager, "reconnect", reconnect)
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
	i := slices.IndexFunc(holders, func(h Holder) bool { return h.Name() == c.Manager })
	if i < 0 {
		return fmt.Errorf("lending: nobody here speaks with %q", c.Manager)
	}
	return holders[i].Restore(ctx, ifname, c.Debt, reconnect)
}

// owes reports whether anything is to be given back.
func owes(d store.Debt) bool { return d.LinkDown || len(d.Claims) > 0 }

// noteLeft writes what is still owed, or that nothing is.
func noteLeft(journal *store.Journal, left store.Debt) error {
	if owes(left) {
		return journal.Put(left)
	}
	return journal.Clear(left.Interface)
}

// noteLeft is noteLeft for whose caller cannot help it.
func (m *Managers) noteLeft(left store.Debt) {
	if err := noteLeft(m.journal, left); err != nil {
		m.log.Error("the journal of taken interfaces cannot be written", "interface",
			left.Interface, "err", err)
	}
}

// unpaid are the reasons why parts of a debt could not be paid.
type unpaid []error

// Error implements error.
func (u unpaid) Error() string { return errors.Join(u...).Error() }

// Unwrap lets errors.Is find each.
func (u unpaid) Unwrap() []error { return u }

// onlyAbsent reports whether a debt, if it is not paid, is owed to managers that do not run.
func onlyAbsent(err error) bool {
	var all unpaid
	if !errors.As(err, &all) {
		return err == nil
	}
	for _, e := range all {
		if !errors.Is(e, drivers.ErrNoManager) {
			return false
		}
	}
	return true
}

// PayAll pays what an earlier process owes, before anybody can start a session.
func (m *Managers) PayAll(ctx context.Context) {
	if m.journal == nil {
		return
	}
	if err := Restore(ctx, RestoreConfig{Journal: m.journal, Holders: m.holders,
		LinkDown: m.hub.LinkDown, Log: m.log}); err != nil {
		m.log.Warn("not everything that was taken could be given back", "err", err)
		m.owe()
	}
}

// PayDebt pays what is owed to an interface; an error says what is left. The caller has the radio.
func (m *Managers) PayDebt(ctx context.Context, ifname string) error {
	d, err := m.journal.Debt(ifname)
	if err != nil {
		return nil // none; one that cannot be read was told at the start
	}
	left, err := repay(ctx, d, RestoreConfig{Holders: m.holders, LinkDown: m.hub.LinkDown,
		Log: m.log}, true)
	m.noteLeft(left)
	return err
}

// payAgain is when what could not be given back is tried again, after it failed or a manager came:
// one that is restarted, for an update say, is there again soon, and takes a while until it knows
// its interfaces. The last goes on for ever, unless only managers are missing that do not run: then
// nobody tries before one comes.
var payAgain = []time.Duration{2 * time.Second, 5 * time.Second, 15 * time.Second, time.Minute,
	10 * time.Minute}

// owe tells Pay that something is owed.
func (m *Managers) owe() {
	select {
	case m.owing <- struct{}{}:
	default:
	}
}

// Pay pays what could not be given back at once, however long that takes, until ctx ends; what is
// owed then stays in the journal. It sleeps while nothing is owed.
func (m *Managers) Pay(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	defer timer.Stop()
	paid := func() {} // tells that nothing is owed any more
	defer func() { paid() }()
	tries, waits := 0, false // waits: something is owed
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.owing:
			if !waits {
				paid = m.hub.Hold("an interface that could not be given back")
			}
			tries, waits = 0, true
		case <-m.came:
			tries = 0
		case <-timer.C:
			left, absent := m.payOnce(ctx)
			if !left {
				waits = false
				paid()
				continue
			}
			if tries++; absent && tries >= len(payAgain)-1 && m.came != nil {
				continue
			}
		}
		if waits {
			timer.Reset(payAgain[min(tries, len(payAgain)-1)])
		}
	}
}

// payOnce tries to pay all there is, and reports whether something is left; absent: just to
// managers that do not run.
func (m *Managers) payOnce(ctx context.Context) (left, absent bool) {
	debts, err := m.journal.Debts()
	if err != nil {
		m.log.Warn("a part of the journal of taken interfaces cannot be used", "err", err)
	}
	absent = true
	for _, debt := range debts {
		asked := false // a session that has the interface tries by itself
		err := m.hub.WithRadio(ctx, debt.Interface, func() error {
			asked = true
			return m.PayDebt(ctx, debt.Interface)
		})
		if !asked {
			return true, false
		}
		left = left || err != nil
		absent = absent && onlyAbsent(err)
	}
	return left, absent
}
