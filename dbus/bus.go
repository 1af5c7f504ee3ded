package dbus

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	godbus "github.com/godbus/dbus/v5"
)

// How long the bus may take to let us in, and to answer a question.
const (
	connectTime = 10 * time.Second
	answerTime  = 25 * time.Second
)

// Errors of a Bus and its Server.
var (
	// ErrAddress means that an address is none that Dial understands.
	ErrAddress = errors.New(`dbus: not "system", "session" or an address like unix:path=/run/dbus/system_bus_socket`)
	// ErrBusLost ends Run when the connection to the bus breaks.
	ErrBusLost = errors.New("dbus: the connection to the bus is lost")
	// ErrNameTaken ends Run when the name has another owner: another wpsd runs.
	ErrNameTaken = errors.New("dbus: the name " + BusName + " is owned by another process: is wpsd running already?")
	// ErrNameRefused ends Run when the bus does not let this user own the name.
	ErrNameRefused = errors.New("dbus: the bus does not let us own the name " + BusName +
		": run as root, and put fi.w1.wps.conf into /usr/share/dbus-1/system.d")
	// ErrNameLost ends Run when somebody takes the name away.
	ErrNameLost = errors.New("dbus: the name " + BusName + " was taken away from us")
)

// Bus is a connection to a message bus, for one Server. Calls that arrive before the Server runs wait.
type Bus struct {
	conn    *godbus.Conn
	out     func(*godbus.Message) // sends a message
	hold    func()                // keeps messages back to send them together, until flush or release
	flush   func()
	release func()
	queue   *queue
	left    chan string   // names of callers that left the bus
	lost    chan struct{} // gets a value when our name is taken away
	leaving atomic.Bool   // we give our name back ourselves
}

// Dial connects to a bus: "system" (DBUS_SYSTEM_BUS_ADDRESS says where, if it is set), "session", or an address. A bus
// that is not on a local socket is not for us: only the kernel can tell who is at the other end.
func Dial(address string) (*Bus, error) {
	list, err := Address(address)
	if err != nil {
		return nil, err
	}
	var errs []error
	for one := range strings.SplitSeq(list, ";") {
		conn, err := dialUnix(one)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if err := conn.SetDeadline(time.Now().Add(connectTime)); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		b, err := Connect(conn)
		if err != nil {
			return nil, fmt.Errorf("dbus: %s: %w", one, err)
		}
		if err := conn.SetDeadline(time.Time{}); err != nil {
			return nil, errors.Join(err, b.Close())
		}
		return b, nil
	}
	return nil, errors.Join(errs...)
}

// Address gives the address of a bus that may be named: "system", "session", or an address. It may be a list with
// semicolons, of which the first that works counts.
func Address(address string) (string, error) {
	switch {
	case address == "system":
		if a := os.Getenv("DBUS_SYSTEM_BUS_ADDRESS"); a != "" {
			return a, nil
		}
		return "unix:path=/run/dbus/system_bus_socket;unix:path=/var/run/dbus/system_bus_socket", nil
	case address == "session":
		if a := os.Getenv("DBUS_SESSION_BUS_ADDRESS"); a != "" {
			return a, nil
		}
		if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
			return "unix:path=" + godbus.EscapeBusAddressValue(dir+"/bus"), nil
		}
		return "", fmt.Errorf("%w: there is no session (neither DBUS_SESSION_BUS_ADDRESS nor XDG_RUNTIME_DIR is set)", ErrAddress)
	case !strings.Contains(address, ":"):
		return "", fmt.Errorf("%w: %q", ErrAddress, address)
	}
	return address, nil
}

// dialUnix connects to one address.
func dialUnix(address string) (net.Conn, error) {
	text, ok := strings.CutPrefix(address, "unix:")
	if !ok {
		return nil, fmt.Errorf("%w: %q", ErrAddress, address)
	}
	for pair := range strings.SplitSeq(text, ",") {
		key, value, _ := strings.Cut(pair, "=")
		value, err := godbus.UnescapeBusAddressValue(value)
		if err != nil {
			return nil, fmt.Errorf("%w: %q", ErrAddress, address)
		}
		switch key {
		case "path":
			return net.DialTimeout("unix", value, connectTime)
		case "abstract":
			return net.DialTimeout("unix", "@"+value, connectTime)
		}
	}
	return nil, fmt.Errorf("%w: %q", ErrAddress, address)
}

// Connect makes a Bus of a connection to one: it authenticates and says hello. On failure rwc is closed.
func Connect(rwc io.ReadWriteCloser) (*Bus, error) {
	b := &Bus{queue: newQueue(), left: make(chan string, maxPeers), lost: make(chan struct{}, 1)}
	gate := newGate(rwc, b.enqueue, func(h header) {
		b.reply(&call{header: h}, nil, &busError{errLimits, fmt.Sprintf("The message is longer than %d bytes.", maxCall)})
	})
	conn, err := godbus.NewConn(gate, godbus.WithSignalHandler(b))
	if err != nil {
		return nil, errors.Join(err, rwc.Close())
	}
	b.conn = conn
	b.out = func(m *godbus.Message) {
		f := frame(m)
		gate.send(f)
		clear(f) // a key may be in there
	}
	b.hold, b.flush, b.release = gate.hold, gate.flush, gate.release
	err = conn.Auth([]godbus.Auth{godbus.AuthExternal(strconv.Itoa(os.Geteuid()))})
	if err == nil {
		err = conn.Hello()
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return b, nil
}

// Close ends the connection. A Server that runs on it ends with ErrBusLost.
func (b *Bus) Close() error {
	b.release()
	return b.conn.Close()
}

// enqueue takes a call from the gate.
func (b *Bus) enqueue(c *call) {
	if refused := b.queue.put(c); refused != nil {
		b.reply(refused, nil, &busError{errLimits, "Too many calls are waiting: wait for the answers to some before making more."})
	}
}

// DeliverSignal implements godbus.SignalHandler. The gate lets signals of the bus itself through, nobody else's. It
// runs in the reading goroutine, in order.
func (b *Bus) DeliverSignal(iface, member string, s *godbus.Signal) {
	if iface != busDriver || len(s.Body) == 0 {
		return
	}
	name, _ := s.Body[0].(string)
	switch member {
	case "NameOwnerChanged":
		if owner, ok := s.Body[len(s.Body)-1].(string); !ok || owner != "" {
			return
		}
		select {
		case b.left <- name:
		case <-b.conn.Context().Done():
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
	call := b.conn.BusObject().CallWithContext(ctx, busDriver+"."+member, 0, args...)
	if result == nil {
		return call.Err
	}
	return call.Store(result)
}

// tell is ask without an answer.
func (b *Bus) tell(member string, args ...any) {
	b.conn.BusObject().Go(busDriver+"."+member, godbus.FlagNoReplyExpected, nil, args...)
}

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

// reply answers a call, with an error if there is one. A caller who wants no answer gets none.
func (b *Bus) reply(c *call, body []any, err error) {
	if !c.wantsReply() {
		return
	}
	m := &godbus.Message{
		Type: godbus.TypeMethodReply, Flags: godbus.FlagNoReplyExpected, Body: body,
		Headers: map[godbus.HeaderField]godbus.Variant{
			godbus.FieldReplySerial: variant(c.serial),
			godbus.FieldDestination: variant(c.sender),
		},
	}
	if err != nil {
		name, text := errorReply(err)
		m.Type, m.Body = godbus.TypeError, []any{text}
		m.Headers[godbus.FieldErrorName] = variant(name)
	}
	b.send(m)
}

// emit sends a signal: to everybody, or to one connection alone. The latter needs no match rule at the other side.
func (b *Bus) emit(to string, path godbus.ObjectPath, iface, member string, body ...any) {
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
		b.flush() // somebody waits for it
	}
}

// frame encodes a message of ours that nobody answers. godbus's Conn.Send would encode its body twice, to see that there are
// no file descriptors in it. A reply that cannot be encoded becomes an error.
func frame(m *godbus.Message) []byte {
	var b bytes.Buffer
	err := m.EncodeTo(&b, binary.LittleEndian)
	if err != nil && m.Type == godbus.TypeMethodReply {
		m.Type, m.Body = godbus.TypeError, []any{"The answer cannot be encoded."}
		m.Headers[godbus.FieldErrorName] = variant("org.freedesktop.DBus.Error.Failed")
		m.Headers[godbus.FieldSignature] = variant(signatureOf(m.Body))
		b.Reset()
		err = m.EncodeTo(&b, binary.LittleEndian)
	}
	if err != nil {
		return nil
	}
	return b.Bytes()
}

// send sends a message. Why it fails, if it does, is that the connection is gone, which Run notices.
func (b *Bus) send(m *godbus.Message) {
	if len(m.Body) > 0 {
		// godbus does this only for messages that it builds itself.
		m.Headers[godbus.FieldSignature] = variant(signatureOf(m.Body))
	}
	b.out(m)
}
