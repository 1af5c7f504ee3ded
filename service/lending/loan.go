package lending

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"wpsd/drivers"
	"wpsd/engine/credential"
	"wpsd/service/ending"
	"wpsd/service/store"
)

// releaseTime and restoreTime bound what one manager may take. NetworkManager needs three seconds
// to have an interface ready again.
const (
	releaseTime = 10 * time.Second
	restoreTime = 20 * time.Second
)

// Beside says whether who borrows an interface uses one of its own beside the one that a manager
// has. That has another address, and a key may be tied to one: nobody gets it who has not asked for
// it.
type Beside uint8

const (
	BesideNobody Beside = iota // the manager lets go
	BesideIfRoom               // where there is room, the manager lets go elsewhere
	BesideOrNot                // where there is room, it is an error elsewhere
)

// Loan is an interface that was borrowed from its managers, perhaps from none. One goroutine owns
// it.
type Loan struct {
	managers *Managers
	ifname   string
	driver   drivers.Driver
	debt     store.Debt
	failed   store.Debt // what could not be given back yet
	linkDown bool       // the link was down when it was borrowed, and nobody owed that
	beside   Beside     // whether the manager need not let go, or must not be asked to
	owner    string     // the manager that has the interface; empty: nobody
	apart    bool       // it could not let go: use an interface beside this one
}

// Borrow asks whoever manages an interface to let go of it. What is owed then is on disk before
// anything changes. With beside it need not, where the radio has room for an interface of our own.
// The caller has the radio.
func (m *Managers) Borrow(ctx context.Context, ifname string, driver drivers.Driver,
	beside Beside) (*Loan, error) {
	_ = m.PayDebt(ctx, ifname) // what is left stays in the journal
	l := m.loan(ifname, driver)
	l.beside = beside
	if old, err := m.journal.Debt(ifname); err == nil {
		l.debt = old // somebody who is not there to get it back now
	}
	for _, h := range m.holders {
		if err := l.borrowFrom(ctx, h); err != nil {
			l.Return(ctx)
			return nil, err
		}
	}
	if l.apart {
		return l, nil
	}
	if err := l.noteLink(ctx); err != nil {
		l.Return(ctx)
		return nil, err
	}
	return l, nil
}

// BorrowLink is Borrow for who only looks around: nobody has to let go for that, but a link that is
// down comes up. The caller has the radio.
func (m *Managers) BorrowLink(ctx context.Context, ifname string,
	driver drivers.Driver) (*Loan, error) {
	l := m.loan(ifname, driver)
	if err := l.noteLink(ctx); err != nil {
		return nil, err
	}
	return l, nil
}

func (m *Managers) loan(ifname string, driver drivers.Driver) *Loan {
	return &Loan{managers: m, ifname: ifname, driver: driver, debt: store.Debt{Interface: ifname}}
}

// Owner is the manager that had the interface; empty: nobody.
func (l *Loan) Owner() string { return l.owner }

// Apart reports whether an interface of our own is to be used, beside the one that was borrowed.
func (l *Loan) Apart() bool { return l.apart }

func (l *Loan) borrowFrom(ctx context.Context, h Holder) error {
	a := ask(ctx, h, l.ifname)
	if a.err != nil || !a.has() {
		return a.err
	}
	if l.owner == "" {
		l.owner = h.Name()
	}
	ctx, cancel := context.WithTimeout(ctx, releaseTime)
	defer cancel()
	switch {
	case h.Shares() && l.beside != BesideNobody && l.room(ctx):
		l.apart = true
		return nil
	case l.beside == BesideOrNot:
		return &ending.NoRoomError{Manager: h.Name()}
	}
	if !slices.ContainsFunc(l.debt.Claims, func(c store.Claim) bool {
		return c.Manager == h.Name()
	}) {
		l.debt.Claims = append(l.debt.Claims, store.Claim{Manager: h.Name(), Debt: a.debt})
	}
	if err := l.managers.journal.Put(l.debt); err != nil {
		return fmt.Errorf("lending: noting that %s is taken from %s: %w", l.ifname, h.Name(), err)
	}
	apart, err := h.Release(ctx, l.ifname, a.debt)
	if err != nil {
		return fmt.Errorf("lending: %s does not let go of %s: %w: %w", h.Name(), l.ifname,
			drivers.ErrBusy, err)
	}
	l.driver.LinkGiven(ctx, l.ifname)
	l.apart = l.apart || apart
	l.managers.log.Debug("a manager has let go", "interface", l.ifname, "manager", h.Name(),
		"apart", apart)
	return nil
}

// room reports whether there is room for an interface of our own beside this one.
func (l *Loan) room(ctx context.Context) bool {
	room, err := l.driver.RoomApart(ctx, l.ifname)
	return err == nil && room
}

// noteLink notes a link that is down: the driver's Station brings it up, and takes it down again if
// it is still nobody's; a process that is killed cannot.
func (l *Loan) noteLink(ctx context.Context) error {
	up, err := l.driver.LinkUp(ctx, l.ifname)
	if err != nil || up || l.debt.LinkDown {
		return nil // what is wrong with it the Station will say
	}
	l.debt.LinkDown, l.linkDown = true, true
	if err := l.managers.journal.Put(l.debt); err != nil {
		return fmt.Errorf("lending: noting that the link of %s was down: %w", l.ifname, err)
	}
	return nil
}

// owes reports whether anything is to be given back.
func (l *Loan) owes() bool { return owes(l.debt) }

// Return makes the interface as it was, even if ctx has ended.
func (l *Loan) Return(ctx context.Context) { l.giveBack(ctx, true) }

// Deliver gives the interface back without the connection that was there, and hands networks over
// in its place. If that fails the connection that was there comes back, unless ctx ended with
// credential.ErrKeep.
func (l *Loan) Deliver(ctx context.Context, sink Sink,
	offers []credential.Offer) (credential.Connection, error) {
	l.giveBack(ctx, false)
	l.managers.refresh(ctx, l.ifname, offers) // gives way to the next session at once
	within, cancel := keeping(ctx)
	defer cancel()
	made, err := l.managers.deliver(within, sink, l.ifname, offers)
	// then what the manager does now is what the next session gives back
	if err == nil || errors.Is(err, ending.ErrSuperseded) {
		l.settled()
	} else {
		l.Return(ctx) // the connection that was there is better than none
	}
	return made, err
}

// giveBack makes the interface as it was. Without reconnect the managers get it back without the
// connection that they had, and the journal keeps what is owed until settled says that there is a
// new one.
func (l *Loan) giveBack(ctx context.Context, reconnect bool) {
	if !l.owes() {
		return
	}
	m := l.managers
	due := l.debt
	if l.linkDown { // the Station has seen to that, and knows better whose the link is now
		due.LinkDown = false
	}
	l.failed, _ = repay(context.WithoutCancel(ctx), due, RestoreConfig{Holders: m.holders,
		LinkDown: l.driver.LinkDown, Log: m.log}, reconnect)
	if reconnect {
		l.settled()
	}
}

// settled notes that nothing is owed any more but what could not be given back.
func (l *Loan) settled() {
	l.debt = l.failed
	l.managers.noteLeft(l.debt)
	if l.owes() {
		l.managers.owe()
	}
}
