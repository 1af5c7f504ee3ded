package service

import (
	"context"
	"errors"
	"time"

	"wpsd/drivers"
	"wpsd/service/store"
)

// payAgain is when what could not be given back is tried again, after it failed or a manager came:
// one that is restarted, for an update say, is there again soon, and takes a while until it knows
// its interfaces. The last goes on for ever, unless only managers are missing that do not run: then
// nobody tries before one comes.
var payAgain = []time.Duration{2 * time.Second, 5 * time.Second, 15 * time.Second, time.Minute,
	10 * time.Minute}

// debtor pays what could not be given back at once, however long that takes. It sleeps while
// nothing is owed.
type debtor struct {
	s     *Service
	owing chan struct{} // gets a value when something is owed
	// gets a value when a manager may be there that was not; nil: nobody tells
	came <-chan struct{}
}

// owe tells it that something is owed.
func (d *debtor) owe() {
	select {
	case d.owing <- struct{}{}:
	default:
	}
}

// run pays until ctx ends. What is owed then stays in the journal.
func (d *debtor) run(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	defer timer.Stop()
	owes := func() {} // tells that nothing is owed any more
	defer func() { owes() }()
	tries, waits := 0, false // waits: something is owed
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.owing:
			if !waits {
				owes = d.s.Hold("an interface that could not be given back")
			}
			tries, waits = 0, true
		case <-d.came:
			tries = 0
		case <-timer.C:
			left, absent := d.pay(ctx)
			if !left {
				waits = false
				owes()
				continue
			}
			if tries++; absent && tries >= len(payAgain)-1 && d.came != nil {
				continue
			}
		}
		if waits {
			timer.Reset(payAgain[min(tries, len(payAgain)-1)])
		}
	}
}

// pay tries to pay all there is, and reports whether something is left; absent: just to managers
// that do not run.
func (d *debtor) pay(ctx context.Context) (left, absent bool) {
	debts, err := d.s.journal.Debts()
	if err != nil {
		d.s.log.Warn("a part of the journal of taken interfaces cannot be used", "err", err)
	}
	absent = true
	for _, debt := range debts {
		radio := locked(&d.s.mu, func() chan struct{} { return d.s.radio(debt.Interface) })
		select {
		case radio <- struct{}{}: // a session tries by itself
		case <-ctx.Done():
			return true, false
		}
		err := d.s.settleInterface(ctx, debt.Interface)
		<-radio
		left = left || err != nil
		absent = absent && onlyAbsent(err)
	}
	return left, absent
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

// settleInterface pays what is owed to an interface; an error says what is left. A session has it
// still: the caller holds its radio.
func (s *Service) settleInterface(ctx context.Context, ifname string) error {
	d, err := s.journal.Debt(ifname)
	if err != nil {
		return nil // none; one that cannot be read was told at the start
	}
	left, err := repay(ctx, d, s.holders, s.linkDown, true, s.log)
	if noteErr := noteLeft(s.journal, left); noteErr != nil {
		s.log.Error("the journal of taken interfaces cannot be written", "interface", ifname,
			"err", noteErr)
	}
	return err
}

// linkDown has whoever drives an interface take its link down; of one that is not known yet, the
// first driver that can.
func (s *Service) linkDown(ctx context.Context, ifname string) error {
	asked := s.drivers
	if i := s.interfaceOf(ifname); i != nil {
		asked = []drivers.Driver{i.driver}
	}
	for _, d := range asked {
		if err := d.LinkDown(ctx, ifname); !errors.Is(err, drivers.ErrNotSupported) {
			return err
		}
	}
	return drivers.ErrNotSupported
}

// noteLeft writes what is still owed, or that nothing is.
func noteLeft(journal *store.Journal, left store.Debt) error {
	if left.LinkDown || len(left.Claims) > 0 {
		return journal.Put(left)
	}
	return journal.Clear(left.Interface)
}
