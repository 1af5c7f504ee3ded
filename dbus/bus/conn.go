package bus

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/service/fence"
)

// Driver is the name of the bus itself.
const (
	Driver     = "org.freedesktop.DBus"
	driverPath = godbus.ObjectPath("/org/freedesktop/DBus")
)

// How long a message may be. The bus takes 32 MiB and more, and decoded it takes many times the
// room.
const (
	// MaxCall bounds calls. The longest of ours is a few KiB.
	MaxCall = 64 << 10
	// maxReply bounds answers, unless Options say otherwise. They come from those we asked.
	maxReply = 1 << 20
	// maxSignal bounds signals of those whom we follow.
	maxSignal = 256 << 10
	// maxHead bounds a header: what a message is we need to know before we take it or leave it.
	maxHead = MaxCall
	// maxMessage is the specification's limit. A longer one means that we lost our place in the
	// stream.
	maxMessage = 1 << 27
	// readAhead is what one read takes at most.
	readAhead = 16 << 10
)

// Errors of a connection.
var (
	// ErrLost means that the connection has ended, and not by Close.
	ErrLost = errors.New("the connection to the bus is lost")
	// ErrClosed means that it was closed here.
	ErrClosed = errors.New("the connection to the bus was closed")
)

// Options say what a connection takes beside answers to its calls. The functions run in the
// goroutine that reads: they must not wait for an answer.
type Options struct {
	// OnCall gets calls of anybody for what Serve does not serve; nil: they are refused.
	OnCall func(*Message)
	// OnLongCall gets the headers of those that are longer than MaxCall.
	OnLongCall func(Header)
	// OnSignal gets the signals, and all that are the bus's; nil: they wait for Signals, with those
	// of the bus about followed names.
	OnSignal func(*Message)
	// MaxReply is how long an answer may be; 0: 1 MiB.
	MaxReply int
	// Files lets CallFile work: the bus may pass file descriptors.
	Files bool
	// Log gets mistakes of ours in what Serve serves; nil: nowhere.
	Log *slog.Logger
}

// Conn is a connection to a bus. It is safe for concurrent use.
type Conn struct {
	o      Options
	rwc    io.ReadWriteCloser
	r      *bufio.Reader
	files  *fileReader // nil: none are passed
	out    writer
	name   string
	ctx    context.Context // ends with the connection, and says why
	end    context.CancelCauseFunc
	closed sync.Once
	work   sync.WaitGroup // the reader, what Serve runs, and Signals
	inbox  inbox

	mu      sync.Mutex
	pending map[uint32]*pending // calls of ours, by serial number
	names   map[string]*followed
	objects []*Object
	running int // calls of others that are worked on
}

// New makes a Conn of a connection to a bus: it authenticates and says hello. On failure rwc is
// closed.
func New(rwc io.ReadWriteCloser, o Options) (*Conn, error) {
	if o.MaxReply == 0 {
		o.MaxReply = maxReply
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c := &Conn{o: o, rwc: rwc, out: writer{w: rwc}, pending: map[uint32]*pending{},
		names: map[string]*followed{}}
	c.ctx, c.end = context.WithCancelCause(context.Background())
	c.inbox.ready = make(chan struct{}, 1)
	var in io.Reader = rwc
	if o.Files {
		var err error
		if c.files, err = newFileReader(rwc); err != nil {
			return nil, errors.Join(err, rwc.Close())
		}
		in = c.files
	}
	c.r = bufio.NewReaderSize(wiper{in}, readAhead)
	if err := authenticate(rwc, c.r, o.Files); err != nil {
		return nil, errors.Join(err, rwc.Close())
	}
	c.work.Go(fence.Func(nil, "a connection to the bus", c.read, func(err error) {
		_ = c.fail(err)
	}))
	ctx, cancel := context.WithTimeout(context.Background(), connectTime)
	defer cancel()
	if err := c.Ask(ctx, "Hello", nil, &c.name); err != nil {
		return nil, errors.Join(fmt.Errorf("bus: hello: %w", err), c.Close())
	}
	return c, nil
}

// Name is our unique name.
func (c *Conn) Name() string { return c.name }

// Done is closed when the connection has ended.
func (c *Conn) Done() <-chan struct{} { return c.ctx.Done() }

// Err says why the connection has ended; nil: it has not.
func (c *Conn) Err() error {
	if c.ctx.Err() == nil {
		return nil
	}
	return context.Cause(c.ctx)
}

// Close sends what is held, ends the connection, and waits for whatever runs on it. It must not be
// called by that.
func (c *Conn) Close() error {
	c.out.flush()
	err := c.fail(ErrClosed)
	c.work.Wait()
	return err
}

// fail ends the connection. Only the first reason counts.
func (c *Conn) fail(why error) (err error) {
	c.end(why)
	c.closed.Do(func() { err = c.rwc.Close() })
	return err
}

// Hold keeps what is said from now on for Release, which sends it in one piece.
func (c *Conn) Hold() { c.out.hold() }

// Release ends a Hold.
func (c *Conn) Release() { c.out.release() }

// Flush sends what is held so far.
func (c *Conn) Flush() { c.out.flush() }

// Send sends a message of ours that nobody answers, a signal or an answer. An error says that it
// cannot be encoded; that the connection has ended is for whoever waits for Done.
func (c *Conn) Send(m *godbus.Message) error {
	frame, err := encode(m)
	if err != nil {
		return err
	}
	_ = c.out.send(frame, nil)
	return nil
}

// Reply answers a call, if its caller wants to know. What cannot be encoded becomes an error.
func (c *Conn) Reply(call *Header, body ...any) {
	if !call.WantsReply() {
		return
	}
	if err := c.Send(answer(godbus.TypeMethodReply, call, body)); err != nil {
		c.Refuse(call, "org.freedesktop.DBus.Error.Failed", "The answer cannot be encoded.")
	}
}

// Refuse answers a call with an error of this name and a sentence.
func (c *Conn) Refuse(call *Header, name, text string) {
	if !call.WantsReply() {
		return
	}
	m := answer(godbus.TypeError, call, []any{text})
	m.Headers[godbus.FieldErrorName] = godbus.MakeVariant(name)
	_ = c.Send(m) // the sentences are ours
}

func answer(kind godbus.Type, call *Header, body []any) *godbus.Message {
	return &godbus.Message{Type: kind, Flags: godbus.FlagNoReplyExpected, Body: body,
		Headers: map[godbus.HeaderField]godbus.Variant{
			godbus.FieldReplySerial: godbus.MakeVariant(call.Serial),
			godbus.FieldDestination: godbus.MakeVariant(call.Sender),
		}}
}
