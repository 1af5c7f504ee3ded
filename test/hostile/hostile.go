// Package hostile is a program of some user who does to everybody on a D-Bus bus what the bus lets him: it sends what nobody asked
// for, in particular what D-Bus libraries fail at. Our programs must go on as if it was not there.
package hostile

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/bus"
)

// Attacker sends to each connection of a bus, as soon as it is there.
type Attacker struct {
	// Huge is how long the longest signals are, in bytes; 0: none are.
	Huge int
	// Spare are unique names that are left alone: those of a test's own fakes, which could not stand it.
	Spare []string
	// Names are well-known names whose owner's part it plays, and whose signals.
	Names []string

	conn *bus.Conn
	sent int
	hit  map[string]bool
}

// Run attacks until ctx ends, and says how many messages it sent to how many connections.
func (a *Attacker) Run(ctx context.Context, address string) (sent, victims int, err error) {
	fresh := make(chan string, 4096)
	a.hit = map[string]bool{}
	a.conn, err = bus.Dial(address, bus.Options{OnSignal: func(m *bus.Message) {
		var name, before, now string
		if m.Member == "NameOwnerChanged" && m.Store(&name, &before, &now) == nil && now != "" && strings.HasPrefix(name, ":") {
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
	var there []string
	if err := a.conn.Ask(ctx, "ListNames", nil, &there); err != nil {
		return 0, 0, err
	}
	for round := 0; ctx.Err() == nil && a.conn.Err() == nil; round++ {
		select {
		case name := <-fresh:
			a.attack(name, false)
			there = append(there, name)
			continue
		default:
		}
		if n := rand.IntN(len(there)); strings.HasPrefix(there[n], ":") {
			a.attack(there[n], round%50 == 0)
		}
	}
	if ctx.Err() == nil {
		return a.sent, len(a.hit), a.conn.Err()
	}
	return a.sent, len(a.hit), nil
}

// attack sends one connection all that there is.
func (a *Attacker) attack(to string, huge bool) {
	if to == a.conn.Name() || slices.Contains(a.Spare, to) {
		return
	}
	a.hit[to] = true
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
	if huge && a.Huge > 0 {
		a.signal(to, "a.B", "C", make([]byte, a.Huge))
	}
}

func (a *Attacker) signal(to, iface, member string, body ...any) {
	a.send(&godbus.Message{Type: godbus.TypeSignal, Body: body, Headers: map[godbus.HeaderField]godbus.Variant{
		godbus.FieldDestination: godbus.MakeVariant(to), godbus.FieldPath: godbus.MakeVariant(godbus.ObjectPath("/org/freedesktop/DBus")),
		godbus.FieldInterface: godbus.MakeVariant(iface), godbus.FieldMember: godbus.MakeVariant(member),
	}})
}

func (a *Attacker) reply(to string, serial uint32, body ...any) {
	a.send(&godbus.Message{Type: godbus.TypeMethodReply, Flags: godbus.FlagNoReplyExpected, Body: body, Headers: map[godbus.HeaderField]godbus.Variant{
		godbus.FieldDestination: godbus.MakeVariant(to), godbus.FieldReplySerial: godbus.MakeVariant(serial),
	}})
}

func (a *Attacker) call(to string, path godbus.ObjectPath, method string, args ...any) {
	dot := strings.LastIndexByte(method, '.')
	a.send(&godbus.Message{Type: godbus.TypeMethodCall, Flags: godbus.FlagNoReplyExpected, Body: args, Headers: map[godbus.HeaderField]godbus.Variant{
		godbus.FieldDestination: godbus.MakeVariant(to), godbus.FieldPath: godbus.MakeVariant(path),
		godbus.FieldInterface: godbus.MakeVariant(method[:dot]), godbus.FieldMember: godbus.MakeVariant(method[dot+1:]),
	}})
}

// entry is one of an a{gs}: godbus neither makes nor reads one, but an array of structures is the same on the wire.
type entry struct {
	Key   godbus.Signature
	Value string
}

func (a *Attacker) send(m *godbus.Message) {
	if len(m.Body) == 1 {
		if _, ok := m.Body[0].([]entry); ok {
			m.Headers[godbus.FieldSignature] = godbus.MakeVariant(godbus.ParseSignatureMust("a{gs}"))
		}
	}
	if err := a.conn.Send(m); err != nil {
		panic(err) // of this package
	}
	a.sent++
}
