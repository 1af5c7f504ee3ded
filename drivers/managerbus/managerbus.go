// Package managerbus is the little that NetworkManager, ConnMan, wpa_supplicant and iwd have in
// common: calls over D-Bus to a service that may not be there, and is never started for our sake.
package managerbus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/dbus/bus"
	"wpsd/drivers"
	"wpsd/service/fence"
)

// ErrAbsent means that the manager is not on the bus.
var ErrAbsent = drivers.ErrNoManager

// What no signal tells in time is looked at again and again: at first after firstPause, then less
// and less often, and every longPause in the end.
const (
	firstPause = 5 * time.Millisecond
	longPause  = 100 * time.Millisecond
)

// names are those that managers have on the bus. They are followed together, so that it costs one
// question to know them all, and nothing afterwards.
var names = []string{"org.freedesktop.NetworkManager", "net.connman", "fi.w1.wpa_supplicant1",
	"net.connman.iwd"}

// signals are those that tell that a manager got or lost an interface, by name. iwd has none that
// would not come with each scan as well: it has what it found when it was started.
var signals = map[string][]bus.Signals{
	"org.freedesktop.NetworkManager": {{
		Path: "/org/freedesktop/NetworkManager/Devices", Below: true,
		Interface: "org.freedesktop.NetworkManager.Device", Member: "StateChanged",
	}},
	"fi.w1.wpa_supplicant1": {
		{Path: "/fi/w1/wpa_supplicant1", Interface: "fi.w1.wpa_supplicant1",
			Member: "InterfaceAdded"},
		{Path: "/fi/w1/wpa_supplicant1", Interface: "fi.w1.wpa_supplicant1",
			Member: "InterfaceRemoved"},
	},
}

// followTime is how long the bus may take to say who is there.
const followTime = 10 * time.Second

// Bus is where managers are found. Its methods are safe for concurrent use. It has one connection
// for all conversations, and nothing comes over it but their answers, and word that a manager comes
// or goes: it wakes nobody up.
type Bus struct {
	// Address is a D-Bus address; "system" and "" stand for the system bus, "session" for the
	// session's.
	Address string
	// Shared is a connection that is there already, and is used as long as it lasts. nil: there is
	// none.
	Shared *bus.Conn

	mu      sync.Mutex
	conn    *bus.Conn // the one in use; nil: none yet
	came    chan struct{}
	changed chan struct{}
}

// Conn is one conversation with a manager, for one procedure. It is used by one goroutine.
type Conn struct {
	bus   *bus.Conn
	owner string // its unique name: who takes its place is another one
	alone *Bus   // what made the connection for this conversation; nil: it is the Bus's
}

// Dial begins a conversation with the manager with this name on the bus. ErrAbsent: nobody owns it.
func (b *Bus) Dial(ctx context.Context, name string) (*Conn, error) {
	c, err := b.connection(ctx)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(names, name) {
		if err := c.Follow(ctx, bus.Name{Name: name}); err != nil {
			return nil, err
		}
	}
	owner := c.Owner(name)
	if owner == "" {
		return nil, ErrAbsent
	}
	return &Conn{bus: c, owner: owner}, nil
}

// Connect makes the connection, if it is not there yet, and learns which managers are. Dial does so
// as well.
func (b *Bus) Connect(ctx context.Context) error {
	_, err := b.connection(ctx)
	return err
}

// Came receives a value when a manager may be there that was not before.
func (b *Bus) Came() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	came, _ := b.news()
	return came
}

// Changed receives a value when a manager may have got or lost an interface: it came or went, or
// says so.
func (b *Bus) Changed() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, changed := b.news()
	return changed
}

// news are the channels of Came and Changed. The caller holds b.mu.
func (b *Bus) news() (came, changed chan struct{}) {
	if b.came == nil {
		b.came, b.changed = make(chan struct{}, 1), make(chan struct{}, 1)
	}
	return b.came, b.changed
}

// tell puts a value into a channel, unless one is there.
func tell(news chan struct{}) {
	select {
	case news <- struct{}{}:
	default:
	}
}

// connection gives a connection that works and follows the managers.
func (b *Bus) connection(ctx context.Context) (*bus.Conn, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.conn != nil && b.conn.Err() == nil {
		return b.conn, nil
	}
	c := b.Shared
	if c == nil || c.Err() != nil {
		var err error
		if c, err = bus.Dial(cmp.Or(b.Address, "system"), bus.Options{}); err != nil {
			return nil, err
		}
	}
	if err := b.follow(ctx, c); err != nil {
		if c != b.Shared {
			_ = c.Close()
		}
		return nil, err
	}
	b.conn = c
	return c, nil
}

// follow learns which managers are there, and will come. The caller holds b.mu.
func (b *Bus) follow(ctx context.Context, c *bus.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, followTime)
	defer cancel()
	came, changed := b.news()
	all := make([]bus.Name, len(names))
	for i, name := range names {
		all[i] = bus.Name{Name: name, Changed: func(owner string) {
			tell(changed)
			if owner != "" {
				tell(came)
			}
		}}
		for _, s := range signals[name] {
			s.Heard = func() { tell(changed) }
			all[i].Signals = append(all[i].Signals, s)
		}
	}
	if err := c.Follow(ctx, all...); err != nil {
		return err
	}
	go fence.Func(nil, "the end of a connection", func() { // ends with the connection
		<-c.Done()
		tell(came) // who comes now is heard of on another one only
		tell(changed)
	}, nil)()
	return nil
}

// Close ends the connection, if it is the Bus's own.
func (b *Bus) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.conn == nil || b.conn == b.Shared {
		return nil
	}
	return b.conn.Close()
}

// Close ends the conversation.
func (c *Conn) Close() {
	if c.alone != nil {
		_ = c.alone.Close()
	}
}

// Alone begins a conversation with the manager with this name on a connection of its own, on which
// the manager can call an object: what it does for one connection, and whom it calls, is then not
// mixed up with another conversation.
func (b *Bus) Alone(ctx context.Context, name string) (*Conn, error) {
	alone := &Bus{Address: b.Address}
	c, err := alone.Dial(ctx, name)
	if err != nil {
		return nil, errors.Join(err, alone.Close())
	}
	c.alone = alone
	return c, nil
}

// Serve lets the manager, and nobody else, call an object until stop is called.
func (c *Conn) Serve(path godbus.ObjectPath, iface string,
	methods map[string]bus.Method) (stop func()) {
	return c.bus.Serve(bus.Object{Path: path, Interface: iface, Caller: c.owner, Methods: methods})
}

// Call calls a method, named with its interface, of one of the manager's objects and stores what it
// returns in out.
func (c *Conn) Call(ctx context.Context, path godbus.ObjectPath, method string, args []any,
	out ...any) error {
	err := c.bus.Call(ctx, bus.Request{To: c.owner, Path: path, Method: method, Args: args,
		Flags: godbus.FlagNoAutoStart}, out...)
	if gone(err) {
		return fmt.Errorf("%w: %w", ErrAbsent, err)
	}
	return err
}

// gone tells that the manager has ended meanwhile. NoReply is what the bus answers for who had the
// call already when it ended (dbus-daemon 1.14).
func gone(err error) bool {
	return Is(err, "org.freedesktop.DBus.Error.ServiceUnknown") ||
		Is(err, "org.freedesktop.DBus.Error.NameHasNoOwner") ||
		Is(err, "org.freedesktop.DBus.Error.NoReply")
}

// Is reports whether err is the D-Bus error of this name.
func Is(err error, name string) bool {
	var e godbus.Error
	return errors.As(err, &e) && e.Name == name
}

// Get reads a property into out, a pointer to its type.
func (c *Conn) Get(ctx context.Context, path godbus.ObjectPath, iface, name string, out any) error {
	var v godbus.Variant
	if err := c.Call(ctx, path, "org.freedesktop.DBus.Properties.Get", []any{iface, name},
		&v); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := v.Store(out); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// Set writes a property.
func (c *Conn) Set(ctx context.Context, path godbus.ObjectPath, iface, name string,
	value any) error {
	if err := c.Call(ctx, path, "org.freedesktop.DBus.Properties.Set",
		[]any{iface, name, godbus.MakeVariant(value)}); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// Until looks again and again until met says so, or fails, or ctx ends.
func Until(ctx context.Context, met func() (bool, error)) error {
	for pause := firstPause; ; pause = min(pause*3/2, longPause) {
		ok, err := met()
		if ok || err != nil {
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// Part gives one of so many attempts its part of the time that ctx leaves for all.
func Part(ctx context.Context, attempts int) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok || attempts < 2 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(end)/time.Duration(attempts))
}
