package bus

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	godbus "github.com/godbus/dbus/v5"
)

// Errors of calls.
var (
	// ErrStranger means that a call would go to a name that is not followed: nobody could say
	// whether the answer is its owner's.
	ErrStranger = errors.New("bus: the name is neither unique nor followed")
	// ErrAnswer means that an answer is longer than it may be.
	ErrAnswer = errors.New("bus: the answer is too long")
)

// errLimits is how the bus says that there is too much of something.
const errLimits = "org.freedesktop.DBus.Error.LimitsExceeded"

// Request is a call of ours.
type Request struct {
	// To is a unique name, one that is followed, or Driver.
	To   string
	Path godbus.ObjectPath
	// Method has its interface before the last dot.
	Method string
	Args   []any
	// Flags are those of the call. FlagNoAutoStart keeps the bus from starting anybody for it.
	Flags godbus.Flags
	// Answered, if not nil, is where the unique name of who made the call succeed is stored.
	Answered *string
}

// pending is a call of ours that nobody has answered yet.
type pending struct {
	serial uint32
	to     string
	// whom the bus may have taken a followed name for, since it was made; nil: to is no such name
	owners []string
	name   string // GetNameOwner of this name; empty: another call
	file   bool   // a file descriptor is asked for
	answer chan result
}

// result is an answer, or why there is none.
type result struct {
	m   *Message
	err error
}

// maxOwners bounds the owners that a name can have while a call is under way.
const maxOwners = 16

// Call makes a call, waits for the answer, and stores its values in out, pointers to their types.
// Without out the answer's body is not looked at. An error of the other side is a godbus.Error.
func (c *Conn) Call(ctx context.Context, r Request, out ...any) error {
	m, err := c.call(ctx, r, false)
	if err != nil {
		return err
	}
	if r.Answered != nil {
		*r.Answered = m.Sender
	}
	if len(out) == 0 {
		return nil
	}
	defer clear(m.Frame) // a key may be in there
	return m.Store(out...)
}

// CallHidden is Call for an answer that has secrets, which hides names: see Message.HiddenBody. They
// are the caller's to wipe.
func (c *Conn) CallHidden(ctx context.Context, r Request, hides func(Place) bool) ([]any, error) {
	m, err := c.call(ctx, r, false)
	if err != nil {
		return nil, err
	}
	defer clear(m.Frame)
	return m.HiddenBody(hides)
}

// CallFile is Call for a method that returns a file descriptor, and nothing else of interest. The
// file is the caller's.
func (c *Conn) CallFile(ctx context.Context, r Request) (*os.File, error) {
	m, err := c.call(ctx, r, true)
	if err != nil {
		return nil, err
	}
	if m.file == nil {
		return nil, fmt.Errorf("%w: %s brought no file descriptor", ErrBody, r.Method)
	}
	return m.file, nil
}

// Ask calls a method of the bus itself.
func (c *Conn) Ask(ctx context.Context, member string, args []any, out ...any) error {
	return c.Call(ctx, c.toDriver(member, args...), out...)
}

// Tell makes a call that nobody answers.
func (c *Conn) Tell(r Request) {
	r.Flags |= godbus.FlagNoReplyExpected
	if frame, err := encode(r.message()); err == nil { // ours can be
		_ = c.out.send(frame, nil) // that the connection has ended is for whoever waits for Done
	}
}

// TellDriver is Tell to the bus itself.
func (c *Conn) TellDriver(member string, args ...any) { c.Tell(c.toDriver(member, args...)) }

func (*Conn) toDriver(member string, args ...any) Request {
	return Request{To: Driver, Path: driverPath, Method: Driver + "." + member, Args: args}
}

// call makes a call and waits for its answer, or ctx.
func (c *Conn) call(ctx context.Context, r Request, file bool) (*Message, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p, err := c.start(r, file)
	if err != nil {
		return nil, err
	}
	return c.wait(ctx, p)
}

// start sends a call.
func (c *Conn) start(r Request, file bool) (*pending, error) {
	frame, err := encode(r.message())
	if err != nil {
		return nil, err
	}
	p := &pending{to: r.To, file: file, answer: make(chan result, 1)}
	if r.To == Driver && strings.HasSuffix(r.Method, ".GetNameOwner") {
		p.name, _ = r.Args[0].(string)
	}
	if !strings.HasPrefix(r.To, ":") && r.To != Driver {
		owner, followed := c.follows(r.To)
		if !followed {
			return nil, fmt.Errorf("%w: %s", ErrStranger, r.To)
		}
		p.owners = []string{owner}
	}
	err = c.out.send(frame, func(serial uint32) {
		p.serial = serial
		c.mu.Lock()
		defer c.mu.Unlock()
		c.pending[serial] = p
	})
	if err != nil {
		c.forget(p)
		return nil, fmt.Errorf("%w: %w", ErrLost, err)
	}
	return p, nil
}

// wait waits for the answer to a call.
func (c *Conn) wait(ctx context.Context, p *pending) (*Message, error) {
	var err error
	select {
	case r := <-p.answer:
		if r.err == nil && r.m.Type == godbus.TypeError {
			r.err = r.m.failure()
		}
		return r.m, r.err
	case <-ctx.Done():
		err = ctx.Err()
	case <-c.ctx.Done():
		err = context.Cause(c.ctx)
	}
	if !c.forget(p) { // the answer came all the same
		(<-p.answer).drop()
	}
	return nil, err
}

// drop closes what came with an answer that nobody waits for.
func (r result) drop() {
	if r.m != nil && r.m.file != nil {
		_ = r.m.file.Close()
	}
}

// forget takes a call off those that wait; false: it was answered, or is just now.
func (c *Conn) forget(p *pending) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	waits := c.pending[p.serial] == p
	if waits {
		delete(c.pending, p.serial)
	}
	return waits
}

// asked finds the call that a message answers; nil: none of ours, or it is somebody else's answer.
// The bus lets nobody else answer either, if its policy says so.
func (c *Conn) asked(h *Header) *pending {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.pending[h.ReplySerial]
	switch {
	case p == nil:
		return nil
	case p.owners == nil && h.Sender == p.to, h.Sender != "" && slices.Contains(p.owners, h.Sender):
		return p
	case h.Type == godbus.TypeError && h.Sender == Driver: // about who is not there
		return p
	}
	return nil
}

// wantsFile reports whether a file descriptor that comes with a message was asked for.
func (c *Conn) wantsFile(h *Header) bool {
	if h.Type != godbus.TypeMethodReply {
		return false
	}
	p := c.asked(h)
	return p != nil && p.file
}

// answered gives an answer to whoever waits, if anybody still does.
func (c *Conn) answered(p *pending, r result) {
	if p.name != "" && r.m != nil {
		c.ownerAnswer(p.name, r.m)
	}
	if !c.forget(p) {
		r.drop()
		return
	}
	p.answer <- r
}

// message makes the call.
func (r *Request) message() *godbus.Message {
	dot := strings.LastIndexByte(r.Method, '.')
	m := &godbus.Message{Type: godbus.TypeMethodCall, Flags: r.Flags, Body: r.Args,
		Headers: map[godbus.HeaderField]godbus.Variant{
			godbus.FieldDestination: godbus.MakeVariant(r.To),
			godbus.FieldPath:        godbus.MakeVariant(r.Path),
			godbus.FieldMember:      godbus.MakeVariant(r.Method[dot+1:]),
		}}
	if dot > 0 {
		m.Headers[godbus.FieldInterface] = godbus.MakeVariant(r.Method[:dot])
	}
	return m
}
