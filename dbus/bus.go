package dbus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/dbus/bus"
	"wpsd/service/outcome"
)

// answerTime is how long the bus may take to answer a question.
const answerTime = 25 * time.Second

// Errors of a Bus and its Server.
var (
	// ErrBusLost ends Run when the connection to the bus breaks.
	ErrBusLost = errors.New("dbus: the connection to the bus is lost")
	// ErrNameTaken ends Run when the name has another owner: another wpsd runs.
	ErrNameTaken = errors.New("dbus: the name " + BusName +
		" is owned by another process: is wpsd running already?")
	// ErrNameRefused ends Run when the bus does not let this user own the name.
	ErrNameRefused = errors.New("dbus: the bus does not let us own the name " + BusName +
		": run as root, and put fi.w1.wps.conf into /usr/share/dbus-1/system.d")
	// ErrNameLost ends Run when somebody takes the name away.
	ErrNameLost = errors.New("dbus: the name " + BusName + " was taken away from us")
)

// Bus is a connection to a message bus, for one Server. Calls that arrive before the Server runs
// wait.
type Bus struct {
	conn    *bus.Conn
	out     func(*godbus.Message) error // sends a message
	queue   *queue
	left    chan string   // names of callers that left the bus
	lost    chan struct{} // gets a value when our name is taken away
	leaving atomic.Bool   // we give our name back ourselves
}

// Dial connects to a bus, named as for bus.Dial.
func Dial(address string) (*Bus, error) {
	return connect(func(o bus.Options) (*bus.Conn, error) { return bus.Dial(address, o) })
}

// Connect makes a Bus of a connection to one. On failure rwc is closed.
func Connect(rwc io.ReadWriteCloser) (*Bus, error) {
	return connect(func(o bus.Options) (*bus.Conn, error) { return bus.New(rwc, o) })
}

func connect(dial func(bus.Options) (*bus.Conn, error)) (*Bus, error) {
	b := &Bus{queue: newQueue(), left: make(chan string, maxPeers), lost: make(chan struct{}, 1)}
	ready := make(chan struct{}) // what comes before conn is set waits
	conn, err := dial(bus.Options{
		OnCall:     func(m *bus.Message) { <-ready; b.enqueue(&call{m}) },
		OnLongCall: func(h bus.Header) { <-ready; b.refuseLong(h) },
		OnSignal:   func(m *bus.Message) { <-ready; b.takeSignal(m) },
	})
	if err != nil {
		return nil, err
	}
	b.conn, b.out = conn, conn.Send
	close(ready)
	return b, nil
}

// Conn is the connection itself, for calls to others. It ends with the Bus.
func (b *Bus) Conn() *bus.Conn { return b.conn }

// Close ends the connection. A Server that runs on it ends with ErrBusLost.
func (b *Bus) Close() error { return b.conn.Close() }

// refuseLong refuses a call that is too long.
func (b *Bus) refuseLong(h bus.Header) {
	b.reply(&call{&bus.Message{Header: h}}, nil,
		outcome.MessageTooLong.Of(bus.MaxCall))
}

// enqueue takes a call from the gate.
func (b *Bus) enqueue(c *call) {
	if refused := b.queue.put(c); refused != nil {
		clear(refused.Frame)
		b.reply(refused, nil, outcome.TooManyCalls.Of())
	}
}

// takeSignal takes a signal of the bus itself, in the goroutine that reads, in order. Nobody else's
// is listened to.
func (b *Bus) takeSignal(m *bus.Message) {
	body, err := m.Body()
	if err != nil || m.Interface != bus.Driver || len(body) == 0 {
		return
	}
	name, _ := body[0].(string)
	switch m.Member {
	case "NameOwnerChanged":
		if owner, ok := body[len(body)-1].(string); !ok || owner != "" {
			return
		}
		select {
		case b.left <- name:
		case <-b.conn.Done():
		}
	case "NameLost":
		if name == BusName && !b.leaving.Load() {
			select {
			case b.lost <- struct{}{}:
			default:
			}
		}
	}
}

// ask calls a method of the bus itself and stores its answer.
func (b *Bus) ask(ctx context.Context, member string, result any, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	if result == nil {
		return b.conn.Ask(ctx, member, args)
	}
	return b.conn.Ask(ctx, member, args, result)
}

// tell is ask without an answer.
func (b *Bus) tell(member string, args ...any) { b.conn.TellDriver(member, args...) }

// ownName asks for our name on the bus.
func (b *Bus) ownName(ctx context.Context) error {
	var got uint32
	err := b.ask(ctx, "RequestName", &got, BusName, uint32(godbus.NameFlagDoNotQueue))
	var e godbus.Error
	switch {
	case errors.As(err, &e) && e.Name == "org.freedesktop.DBus.Error.AccessDenied":
		return fmt.Errorf("%w (%s)", ErrNameRefused, e.Error())
	case err != nil:
		return fmt.Errorf("dbus: asking for the name %s: %w", BusName, err)
	case godbus.RequestNameReply(got) != godbus.RequestNameReplyPrimaryOwner:
		return ErrNameTaken
	}
	return nil
}

// reply answers a call, with an error if there is one. A caller who wants no answer gets none. The
// secrets in the body are wiped.
func (b *Bus) reply(c *call, body []any, err error) {
	defer bus.WipeBody(body)
	if !c.WantsReply() {
		return
	}
	m := &godbus.Message{
		Type: godbus.TypeMethodReply, Flags: godbus.FlagNoReplyExpected, Body: body,
		Headers: map[godbus.HeaderField]godbus.Variant{
			godbus.FieldReplySerial: variant(c.Serial),
			godbus.FieldDestination: variant(c.Sender),
		},
	}
	if err != nil {
		name, text := errorReply(err)
		if encodable(text) != nil {
			text = printable(text) // somebody's own words are in it
		}
		m.Type, m.Body = godbus.TypeError, []any{text}
		m.Headers[godbus.FieldErrorName] = variant(name)
	}
	b.send(m)
}

// emit sends a signal: to everybody, or to one connection alone. The latter needs no match rule at
// the other side. The secrets in the body are wiped.
func (b *Bus) emit(to string, path godbus.ObjectPath, iface, member string, body ...any) {
	defer bus.WipeBody(body)
	for n := range body {
		body[n] = cleaned(body[n])
	}
	m := &godbus.Message{
		Type: godbus.TypeSignal, Flags: godbus.FlagNoReplyExpected, Body: body,
		Headers: map[godbus.HeaderField]godbus.Variant{
			godbus.FieldPath:      variant(path),
			godbus.FieldInterface: variant(iface),
			godbus.FieldMember:    variant(member),
		},
	}
	if to != "" {
		m.Headers[godbus.FieldDestination] = variant(to)
	}
	b.send(m)
	if to != "" {
		b.conn.Flush() // somebody waits for it
	}
}

// send sends a message that nobody answers. A reply that cannot be encoded becomes an error.
func (b *Bus) send(m *godbus.Message) {
	if len(m.Body) > 0 {
		// in less time than by reflection
		m.Headers[godbus.FieldSignature] = variant(signatureOf(m.Body))
	}
	if b.out(m) == nil || m.Type != godbus.TypeMethodReply {
		return
	}
	m.Type, m.Body = godbus.TypeError, []any{outcome.BadAnswer.Of().Error()}
	m.Headers[godbus.FieldErrorName] = variant(outcome.NameFailed)
	m.Headers[godbus.FieldSignature] = variant(signatureOf(m.Body))
	_ = b.out(m)
}
