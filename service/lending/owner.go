package lending

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"wpsd/drivers"
)

// askTime bounds what one manager may take to say whether it has an interface.
const askTime = 5 * time.Second

// answer is what a manager says of an interface.
type answer struct {
	manager Holder
	debt    []byte // what it would be owed; nil: it does not have the interface
	err     error  // it cannot say
}

// has reports whether the manager has the interface.
func (a *answer) has() bool { return a.debt != nil }

// answers asks one manager after the other, the topmost first, whether it has an interface, and
// changes nothing.
func (m *Managers) answers(ctx context.Context, ifname string) iter.Seq[answer] {
	return func(yield func(answer) bool) {
		for _, h := range m.holders {
			if !yield(ask(ctx, h, ifname)) {
				return
			}
		}
	}
}

// ask asks one manager.
func ask(ctx context.Context, h Holder, ifname string) answer {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	debt, err := h.Claim(ctx, ifname)
	if err != nil {
		return answer{manager: h, err: fmt.Errorf("lending: %s: whether it has %s: %w: %w",
			h.Name(), ifname, drivers.ErrBusy, err)}
	}
	return answer{manager: h, debt: debt}
}

// owner finds the topmost manager that has an interface; one without a manager: nobody has it.
// Those below have it on its behalf, and are not asked. Nobody knows who has it if one above cannot
// say.
func (m *Managers) owner(ctx context.Context, ifname string) (answer, error) {
	for a := range m.answers(ctx, ifname) {
		if a.err != nil || a.has() {
			return a, a.err
		}
	}
	return answer{}, nil
}

// Owner names the manager that has an interface; empty: nobody has it. A manager that cannot say is
// an error.
func (m *Managers) Owner(ctx context.Context, ifname string) (string, error) {
	a, err := m.owner(ctx, ifname)
	if err != nil || !a.has() {
		return "", err
	}
	return a.manager.Name(), nil
}

// MayBorrow is Owner for who wants to borrow the interface later: also one below that cannot say
// now, and would not let go then, is an error.
func (m *Managers) MayBorrow(ctx context.Context, ifname string) (owner string, err error) {
	for a := range m.answers(ctx, ifname) {
		if a.err != nil {
			return "", a.err
		}
		if owner == "" && a.has() {
			owner = a.manager.Name()
		}
	}
	return owner, nil
}

// Disconnect has the network manager that has an interface end its connection. Without one it does
// nothing.
func (m *Managers) Disconnect(ctx context.Context, ifname string) error {
	for a := range m.answers(ctx, ifname) {
		if !a.has() {
			continue
		}
		err := a.manager.Disconnect(ctx, ifname)
		switch {
		case errors.Is(err, drivers.ErrNotSupported):
			continue
		case err != nil:
			return fmt.Errorf("lending: %s does not disconnect %s: %w", a.manager.Name(), ifname,
				err)
		}
		return nil // one below it has the interface on its behalf
	}
	return nil
}
