package bus

import (
	"context"
	"errors"
	"runtime/debug"
	"slices"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/service/fence"
)

// maxRunning is how many calls of others are worked on at once, of objects that Serve serves.
const maxRunning = 16

// Names of errors.
const (
	errAccessDenied  = Driver + ".Error.AccessDenied"
	errFailed        = Driver + ".Error.Failed"
	errUnknownMethod = Driver + ".Error.UnknownMethod"
	errInvalidArgs   = Driver + ".Error.InvalidArgs"
)

// Object is what one other program may call here.
type Object struct {
	Path      godbus.ObjectPath
	Interface string
	// Caller is who may: a unique name, or the owner of a followed name. Nobody else's call is
	// decoded.
	Caller string
	// Methods by name. Each call runs in a goroutine of its own; ctx ends with the connection. A
	// godbus.Error is passed on, of other errors the caller is told nothing.
	Methods map[string]Method
}

// Method answers a call whose arguments have these types.
type Method struct {
	In string // signature
	// Hides names the arguments that are secret: they come as HiddenBody has them, and are wiped
	// when Do returns. nil: none are.
	Hides func(Place) bool
	// Do answers. Secrets in what it returns are wiped once they are sent.
	Do func(ctx context.Context, args []any) ([]any, error)
}

// Serve serves an object until stop is called, or the connection ends.
func (c *Conn) Serve(o Object) (stop func()) {
	served := &o
	c.mu.Lock()
	defer c.mu.Unlock()
	c.objects = append(c.objects, served)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.objects = slices.DeleteFunc(c.objects, func(other *Object) bool {
			return other == served
		})
	}
}

// callTaker says who takes a call; nil: nobody, and the caller is told so. Who may not call is not
// listened to.
func (c *Conn) callTaker(h *Header) func(*Message) {
	here, may := c.find(h)
	switch {
	case here != nil && may:
		return func(m *Message) { c.serve(here, m) }
	case here != nil:
		c.Refuse(h, errAccessDenied, "This object is for another program.")
	case c.o.OnCall != nil:
		return c.o.OnCall
	default:
		c.Refuse(h, errUnknownMethod, "There is nothing to call here.")
	}
	return nil
}

// find finds the object that a call is for, and tells whether the sender may call it.
func (c *Conn) find(h *Header) (here *Object, may bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, o := range c.objects {
		if o.Path == h.Path && o.Interface == h.Interface {
			return o, c.isCaller(o.Caller, h.Sender)
		}
	}
	return nil, false
}

// isCaller reports whether a sender is who may call. The caller holds c.mu.
func (c *Conn) isCaller(caller, sender string) bool {
	if f := c.names[caller]; f != nil {
		return f.owner != "" && f.owner == sender
	}
	return caller != "" && caller == sender
}

// serve has a call answered.
func (c *Conn) serve(o *Object, m *Message) {
	method, ok := o.Methods[m.Member]
	switch {
	case !ok:
		c.Refuse(&m.Header, errUnknownMethod, "There is no such method.")
		return
	case m.Signature != method.In:
		c.Refuse(&m.Header, errInvalidArgs, "The arguments have other types.")
		return
	case !c.enter():
		c.Refuse(&m.Header, errLimits, "Too many calls are worked on.")
		return
	}
	c.work.Go(fence.Func(nil, "a call of "+m.Member, func() {
		defer c.leave()
		defer clear(m.Frame) // a key may be in there
		defer c.survive(m)
		hides := method.Hides
		if hides == nil {
			hides = func(Place) bool { return false }
		}
		args, err := m.HiddenBody(hides)
		if err != nil {
			c.Refuse(&m.Header, errInvalidArgs, "The arguments cannot be decoded.")
			return
		}
		defer WipeBody(args)
		body, err := method.Do(c.ctx, args)
		defer WipeBody(body)
		if err == nil {
			c.Reply(&m.Header, body...)
			return
		}
		name, text := errFailed, ""
		if e, ok := errors.AsType[godbus.Error](err); ok {
			name, text = e.Name, e.Error()
		}
		c.Refuse(&m.Header, name, text)
	}, func(error) { c.Refuse(&m.Header, errFailed, "") }))
}

// survive keeps a mistake of ours in one call from ending everything.
func (c *Conn) survive(m *Message) {
	if p := recover(); p != nil {
		c.o.Log.Error("panic", "call", m.Interface+"."+m.Member, "panic", p, "stack",
			string(debug.Stack()))
		c.Refuse(&m.Header, errFailed, "This should not have happened.")
	}
}

// enter counts a call that is worked on, if there is room.
func (c *Conn) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running >= maxRunning {
		return false
	}
	c.running++
	return true
}

func (c *Conn) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running--
}
