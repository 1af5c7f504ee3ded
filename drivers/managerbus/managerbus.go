// Package managerbus is the little that NetworkManager, wpa_supplicant and iwd have in common: calls over D-Bus to a
// service that may not be there, and is never started for our sake.
package managerbus

import (
	"context"
	"errors"
	"fmt"
	"time"

	godbus "github.com/godbus/dbus/v5"
)

// ErrAbsent means that the manager does not run: nobody is there to ask, or to give anything to.
var ErrAbsent = errors.New("the manager does not run")

// pause is between two looks at something that no signal tells in time.
const pause = 100 * time.Millisecond

// Bus is where managers are found. Its methods are safe for concurrent use. It holds no connection: what we ask of
// managers is seldom, and a connection would wake us up for every signal on it.
type Bus struct {
	// Address is a D-Bus address; "system" and "" stand for the system bus, "session" for the session's.
	Address string
}

// Conn is one conversation with a manager, for one procedure. It is used by one goroutine.
type Conn struct {
	bus  *godbus.Conn
	name string
}

// Dial connects to the manager with this name on the bus. ErrAbsent: nobody owns it.
func (b Bus) Dial(ctx context.Context, name string) (*Conn, error) {
	bus, err := b.connect(ctx)
	if err != nil {
		return nil, err
	}
	c := &Conn{bus, name}
	var owned bool
	err = bus.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.NameHasOwner", 0, name).Store(&owned)
	if err == nil && !owned {
		err = ErrAbsent
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (b Bus) connect(ctx context.Context) (*godbus.Conn, error) {
	// The connection's own context is not the caller's: the procedure may have to tidy up after that has ended.
	option := godbus.WithContext(context.WithoutCancel(ctx))
	switch b.Address {
	case "", "system":
		return godbus.ConnectSystemBus(option)
	case "session":
		return godbus.ConnectSessionBus(option)
	}
	return godbus.Connect(b.Address, option)
}

// Close ends the conversation.
func (c *Conn) Close() { _ = c.bus.Close() }

// Bus is the connection itself, for what is not a call.
func (c *Conn) Bus() *godbus.Conn { return c.bus }

// Call calls a method, named with its interface, of one of the manager's objects and stores what it returns in out.
func (c *Conn) Call(ctx context.Context, path godbus.ObjectPath, method string, args []any, out ...any) error {
	call := c.bus.Object(c.name, path).CallWithContext(ctx, method, godbus.FlagNoAutoStart, args...)
	if call.Err != nil {
		if gone(call.Err) {
			return fmt.Errorf("%w: %w", ErrAbsent, call.Err)
		}
		return call.Err
	}
	if len(out) == 0 {
		return nil
	}
	return call.Store(out...)
}

// gone tells that the manager has ended meanwhile.
func gone(err error) bool {
	return Is(err, "org.freedesktop.DBus.Error.ServiceUnknown") || Is(err, "org.freedesktop.DBus.Error.NameHasNoOwner")
}

// Is reports whether err is the D-Bus error of this name.
func Is(err error, name string) bool {
	var e godbus.Error
	return errors.As(err, &e) && e.Name == name
}

// Get reads a property into out, a pointer to its type.
func (c *Conn) Get(ctx context.Context, path godbus.ObjectPath, iface, name string, out any) error {
	var v godbus.Variant
	if err := c.Call(ctx, path, "org.freedesktop.DBus.Properties.Get", []any{iface, name}, &v); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := v.Store(out); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// Set writes a property.
func (c *Conn) Set(ctx context.Context, path godbus.ObjectPath, iface, name string, value any) error {
	if err := c.Call(ctx, path, "org.freedesktop.DBus.Properties.Set", []any{iface, name, godbus.MakeVariant(value)}); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// Until looks again and again until met says so, or fails, or ctx ends.
func Until(ctx context.Context, met func() (bool, error)) error {
	for {
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
