// Package hostile is a program of some user who does to everybody on a D-Bus bus what the bus lets
// him: it sends what nobody asked for, in particular what D-Bus libraries fail at. Our programs
// must go on as if it was not there.
package hostile

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/dbus/bus"
)

// Attacker sends to each connection of a bus, as soon as it is there, and again and again.
type Attacker struct {
	// Spare are unique names that are left alone: those of a test's own fakes, which could not
	// stand it. SpareProcess is a process whose connections are; 0: none.
	Spare        []string
	SpareProcess int
	// Names are well-known names whose coming and going it lies about.
	Names []string
	// Huge is how long the longest signals are, in bytes; 0: none are. Each connection gets
	// HugeTimes of them, or, with HugeTo, only the owner of that name: where copying costs, none
	// is made for the programs of others.
	Huge, HugeTimes int
	HugeTo          string
	// Pause is between attacks on connections that are known already; 0: a millisecond.
	Pause time.Duration

	conn  *bus.Conn
	sent  int
	there map[string]int // connections that are attacked, and how many huge signals they got
	huge  string
}

// hugeEvery attacks on connections that are known already end with a huge signal.
const hugeEvery = 20

// Run attacks until ctx ends, and says how many messages it sent to how many connections.
func (a *Attacker) Run(ctx context.Context, address string) (sent, victims int, err error) {
	fresh := make(chan string, 4096)
	// godbus takes much longer to send bytes than text
	a.there, a.huge = map[string]int{}, strings.Repeat("x", a.Huge)
	a.conn, err = bus.Dial(address, bus.Options{OnSignal: func(m *bus.Message) {
		var name, before, now string
		if m.Member == "NameOwnerChanged" && m.Store(&name, &before, &now) == nil && now != "" &&
			strings.HasPrefix(name, ":") {
			select {
			case fresh <- name:
			default:
			}
		}
	}})
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = a.conn.Close() }()
	rule := fmt.Sprintf("type='signal',sender='%s',member='NameOwnerChanged'", bus.Driver)
	if err := a.conn.Ask(ctx, "AddMatch", []any{rule}); err != nil {
		return 0, 0, err
	}
	var list []string
	if err := a.conn.Ask(ctx, "ListNames", nil, &list); err != nil {
		return 0, 0, err
	}
	for _, name := range list {
		a.meet(ctx, name)
	}
	for round := 1; ctx.Err() == nil && a.conn.Err() == nil; round++ {
		select {
		case name := <-fresh:
			a.meet(ctx, name)
		case <-time.After(max(a.Pause, time.Millisecond)):
			for name := range a.there { // any
				a.attack(name)
				if round%hugeEvery == 0 {
					a.sendHuge(ctx, name)
				}
				break
			}
		case <-ctx.Done():
		}
	}
	if ctx.Err() == nil {
		return a.sent, len(a.there), a.conn.Err()
	}
	return a.sent, len(a.there), nil
}

// sendHuge sends a huge signal to a connection, or to the one that gets them all, if it has not had
// its number of them.
func (a *Attacker) sendHuge(ctx context.Context, to string) {
	if a.HugeTo != "" {
		if a.conn.Ask(ctx, "GetNameOwner", []any{a.HugeTo}, &to) != nil {
			return // not there yet
		}
	}
	if count, known := a.there[to]; known && a.huge != "" && count < a.HugeTimes {
		a.there[to]++
		a.signal(to, "a.B", "C", a.huge)
	}
}

// meet attacks a connection for the first time.
func (a *Attacker) meet(ctx context.Context, name string) {
	if name == a.conn.Name() || !strings.HasPrefix(name, ":") || slices.Contains(a.Spare, name) {
		return
	}
	if a.SpareProcess != 0 {
		var pid uint32
		if a.conn.Ask(ctx, "GetConnectionUnixProcessID", []any{name}, &pid) != nil ||
			int(pid) == a.SpareProcess {
			return
		}
	}
	a.there[name] = 0
	a.attack(name)
}

// attack sends one connection all that there is.
func (a *Attacker) attack(to string) {
	keys := []entry{{godbus.ParseSignatureMust("s"), "x"}}
	a.signal(to, "a.B", "C", keys)
	a.signal(to, "org.freedesktop.login1.Manager", "PrepareForSleep", true)
	a.signal(to, "fi.w1.wps.Session", "Failed", "internal", map[string]godbus.Variant{}, "a lie")
	for _, name := range a.Names {
		a.signal(to, bus.Driver, "NameOwnerChanged", name, ":1.1", "")
		a.signal(to, bus.Driver, "NameOwnerChanged", name, "", a.conn.Name())
	}
	for serial := range uint32(20) { // the answers to its first calls
		a.reply(to, serial+1, keys)
		a.reply(to, serial+1, a.conn.Name())
	}
	a.call(to, "/fi/w1/wps/neard", "org.neard.NDEFAgent.GetNDEF", keys)
	a.call(to, "/fi/w1/wps/iwd", "net.connman.iwd.Agent.RequestPassphrase", godbus.ObjectPath("/"))
}

func (a *Attacker) signal(to, iface, member string, body ...any) {
	a.send(&godbus.Message{Type: godbus.TypeSignal, Body: body,
		Headers: map[godbus.HeaderField]godbus.Variant{
			godbus.FieldDestination: godbus.MakeVariant(to),
			godbus.FieldPath:        godbus.MakeVariant(godbus.ObjectPath("/org/freedesktop/DBus")),
			godbus.FieldInterface:   godbus.MakeVariant(iface),
			godbus.FieldMember:      godbus.MakeVariant(member),
		}})
}

func (a *Attacker) reply(to string, serial uint32, body ...any) {
	a.send(&godbus.Message{Type: godbus.TypeMethodReply, Flags: godbus.FlagNoReplyExpected,
		Body: body, Headers: map[godbus.HeaderField]godbus.Variant{
			godbus.FieldDestination: godbus.MakeVariant(to),
			godbus.FieldReplySerial: godbus.MakeVariant(serial),
		}})
}

func (a *Attacker) call(to string, path godbus.ObjectPath, method string, args ...any) {
	dot := strings.LastIndexByte(method, '.')
	a.send(&godbus.Message{Type: godbus.TypeMethodCall, Flags: godbus.FlagNoReplyExpected,
		Body: args, Headers: map[godbus.HeaderField]godbus.Variant{
			godbus.FieldDestination: godbus.MakeVariant(to),
			godbus.FieldPath:        godbus.MakeVariant(path),
			godbus.FieldInterface:   godbus.MakeVariant(method[:dot]),
			godbus.FieldMember:      godbus.MakeVariant(method[dot+1:]),
		}})
}

// entry is one of an a{gs}: godbus neither makes nor reads one, but an array of structures is the
// same on the wire.
type entry struct {
	Key   godbus.Signature
	Value string
}

func (a *Attacker) send(m *godbus.Message) {
	if len(m.Body) == 1 {
		if _, ok := m.Body[0].([]entry); ok {
			m.Headers[godbus.FieldSignature] = godbus.MakeVariant(
				godbus.ParseSignatureMust("a{gs}"))
		}
	}
	if err := a.conn.Send(m); err != nil {
		panic(err) // of this package
	}
	a.sent++
}
