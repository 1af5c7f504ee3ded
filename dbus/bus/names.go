package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	godbus "github.com/godbus/dbus/v5"
)

// errNoOwner is the bus's answer to who owns a name that nobody has.
const errNoOwner = Driver + ".Error.NameHasNoOwner"

// Name is one to follow on the bus: who owns it now.
type Name struct {
	Name string
	// Signals of its owner that are listened to.
	Signals []Signals
	// Changed, if set, is called when it has another owner than before, "" for none. It runs in the
	// goroutine that reads, so it must not wait for an answer.
	Changed func(owner string)
}

// Signals are those that fit all that is said here.
type Signals struct {
	Path      godbus.ObjectPath
	Below     bool // also of the objects below Path
	Interface string
	Member    string
	// Heard, if set, is told of each, and nobody else is. It runs in the goroutine that reads, so it
	// must not wait for an answer.
	Heard func()
}

// followed is a name that is followed.
type followed struct {
	Name
	owner string // empty: nobody
}

// Follow asks the bus to tell from now on who owns these names, and for the signals that are
// listened to. It returns once it is known who owns each now; of one that is followed already only
// the signals are new. A change of owner comes as a signal of the bus, NameOwnerChanged, too.
func (c *Conn) Follow(ctx context.Context, names ...Name) error {
	type step struct {
		p    *pending
		name string // whose owner is asked for
	}
	var steps []step
	c.Hold() // all of it in one go
	err := func() error {
		defer c.Release()
		for _, n := range names {
			fresh := c.begin(n)
			var rules []string
			if fresh {
				rules = append(rules, fmt.Sprintf(
					"type='signal',sender='%s',interface='%s',member='NameOwnerChanged',arg0='%s'",
					Driver, Driver, n.Name))
			}
			for _, s := range n.Signals {
				rules = append(rules, s.rule(n.Name))
			}
			for _, rule := range rules {
				p, err := c.start(c.toDriver("AddMatch", rule), false)
				if err != nil {
					return err
				}
				steps = append(steps, step{p: p})
			}
			if !fresh {
				continue
			}
			p, err := c.start(c.toDriver("GetNameOwner", n.Name), false)
			if err != nil {
				return err
			}
			steps = append(steps, step{p, n.Name})
		}
		return nil
	}()
	for _, s := range steps {
		_, e := c.wait(ctx, s.p)
		var refused godbus.Error
		if s.name != "" && errors.As(e, &refused) && refused.Name == errNoOwner {
			continue
		}
		err = errors.Join(err, e)
	}
	if err != nil {
		c.unfollow(names)
		return fmt.Errorf("bus: following names: %w", err)
	}
	return nil
}

// Owner is the unique name of who owns a followed name; empty: nobody, or it is not followed.
func (c *Conn) Owner(name string) string {
	owner, _ := c.follows(name)
	return owner
}

func (c *Conn) follows(name string) (owner string, is bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.names[name]
	if f == nil {
		return "", false
	}
	return f.owner, true
}

// begin notes that a name is followed, or more signals of its owner; false: it was already.
func (c *Conn) begin(n Name) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f := c.names[n.Name]; f != nil {
		f.Signals = append(slices.Clip(f.Signals), n.Signals...)
		return false
	}
	c.names[n.Name] = &followed{Name: n}
	return true
}

// unfollow forgets names after a failure. Rules that are left at the bus do no harm: the signals
// are not listened to.
func (c *Conn) unfollow(names []Name) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range names {
		delete(c.names, n.Name)
	}
}

// ownerAnswer takes the answer to GetNameOwner, in the goroutine that reads: what the bus says next
// comes after it.
func (c *Conn) ownerAnswer(name string, m *Message) {
	owner := ""
	if m.Type == godbus.TypeMethodReply && m.Store(&owner) != nil {
		return
	}
	c.ownerIs(name, owner)
}

// ownerIs notes who owns a name.
func (c *Conn) ownerIs(name, owner string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.names[name]
	if f == nil {
		return
	}
	f.owner = owner
	if owner == "" {
		return
	}
	for _, p := range c.pending {
		if p.to == name && len(p.owners) < maxOwners {
			p.owners = append(p.owners, owner)
		}
	}
}

// changed tells whoever wants to know that a name has another owner; false: it is not followed.
func (c *Conn) changed(name, owner string) bool {
	c.ownerIs(name, owner)
	c.mu.Lock()
	f := c.names[name]
	c.mu.Unlock()
	if f != nil && f.Changed != nil {
		f.Changed(owner)
	}
	return f != nil
}

// listens reports whether a signal is one that is listened to.
func (c *Conn) listens(h *Header) bool {
	if h.Sender == Driver {
		return h.Interface == Driver
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range c.names {
		if h.Sender != "" && h.Sender == f.owner &&
			slices.ContainsFunc(f.Signals, func(s Signals) bool { return s.fit(h) }) {
			return true
		}
	}
	return false
}

// heardBy is who is told of a signal, and nobody else; nil: it goes the usual way.
func (c *Conn) heardBy(h *Header) func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range c.names {
		if h.Sender == "" || h.Sender != f.owner {
			continue
		}
		for _, s := range f.Signals {
			if s.Heard != nil && s.fit(h) {
				return s.Heard
			}
		}
	}
	return nil
}

// signal takes a signal that is listened to.
func (c *Conn) signal(m *Message) {
	if heard := c.heardBy(&m.Header); heard != nil {
		heard()
		return
	}
	followed := m.Sender != Driver
	if m.Sender == Driver && m.Member == "NameOwnerChanged" {
		var name, before, now string
		if m.Store(&name, &before, &now) == nil {
			followed = c.changed(name, now)
		}
	}
	switch {
	case c.o.OnSignal != nil:
		c.o.OnSignal(m)
	case followed && !c.inbox.put(m):
		_ = c.fail(ErrTooMany)
	}
}

// fit reports whether a signal is one of these.
func (s *Signals) fit(h *Header) bool {
	switch {
	case s.Interface != "" && s.Interface != h.Interface, s.Member != "" && s.Member != h.Member:
		return false
	case s.Path == "" || h.Path == s.Path:
		return true
	}
	return s.Below && strings.HasPrefix(string(h.Path), strings.TrimSuffix(string(s.Path), "/")+"/")
}

// rule is the match rule for them (D-Bus specification, "Match Rules").
func (s *Signals) rule(sender string) string {
	rule := "type='signal',sender='" + sender + "'"
	for key, value := range map[string]string{"interface": s.Interface, "member": s.Member} {
		if value != "" {
			rule += "," + key + "='" + value + "'"
		}
	}
	switch {
	case s.Path != "" && s.Below:
		rule += ",path_namespace='" + string(s.Path) + "'"
	case s.Path != "":
		rule += ",path='" + string(s.Path) + "'"
	}
	return rule
}
