// Package managertest plays a network manager on a bus of the test's own: objects with properties,
// and methods that the test says.
package managertest

import (
	"fmt"
	"sync"
	"testing"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/drivers/managerbus"
	"wpsd/test/testbus"
)

// Method answers a call: with an error, or with values to return.
type Method func(path godbus.ObjectPath, args []any) ([]any, error)

// Manager is what is played. Its zero methods answer UnknownMethod. A test may change it under
// Lock.
type Manager struct {
	sync.Mutex
	// Objects have properties, by interface and name.
	Objects map[godbus.ObjectPath]map[string]map[string]any
	// Methods by interface and name, joined with a dot; for all objects.
	Methods map[string]Method
	// Calls are on record, with Set of a property as "Set Name=value".
	Calls []string
	// OnSet is called when a property was set.
	OnSet func(path godbus.ObjectPath, iface, name string, value any)
	// Sender made the newest call.
	Sender string
	conn   *godbus.Conn
}

// Start makes a bus and plays managers on it by name; all end with the test. It skips without
// dbus-daemon.
func Start(t *testing.T, managers map[string]*Manager) *managerbus.Bus {
	t.Helper()
	b, _ := StartOn(t, managers)
	return b
}

// StartOn is Start for a test that does something with the bus itself.
func StartOn(t *testing.T, managers map[string]*Manager) (*managerbus.Bus, *testbus.Bus) {
	t.Helper()
	server := testbus.For(t)
	for name, m := range managers {
		m.Play(t, server, name)
	}
	b := &managerbus.Bus{Address: server.Address}
	t.Cleanup(func() { _ = b.Close() })
	return b, server
}

// Play plays a manager with this name on a bus.
func (m *Manager) Play(t *testing.T, on *testbus.Bus, name string) {
	t.Helper()
	conn, err := godbus.Connect(on.Address, godbus.WithHandler(handler{m}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	m.conn = conn
	if reply, err := conn.RequestName(name, godbus.NameFlagDoNotQueue); err != nil ||
		reply != godbus.RequestNameReplyPrimaryOwner {
		t.Fatalf("%s: %v, %v", name, reply, err)
	}
}

// Conn is the manager's own connection, to call back.
func (m *Manager) Conn() *godbus.Conn { return m.conn }

// Fail is a D-Bus error with this name.
func Fail(name string) error { return godbus.NewError(name, []any{name}) }

// Put sets a property, and makes its object if need be. The caller has the lock, or nobody calls
// yet.
func (m *Manager) Put(path godbus.ObjectPath, iface, name string, value any) {
	if m.Objects == nil {
		m.Objects = map[godbus.ObjectPath]map[string]map[string]any{}
	}
	if m.Objects[path] == nil {
		m.Objects[path] = map[string]map[string]any{}
	}
	if m.Objects[path][iface] == nil {
		m.Objects[path][iface] = map[string]any{}
	}
	m.Objects[path][iface][name] = value
}

// Answer has a method do something else from now on.
func (m *Manager) Answer(name string, method Method) {
	m.Lock()
	defer m.Unlock()
	m.Methods[name] = method
}

// Told returns the record of calls and forgets it.
func (m *Manager) Told() []string {
	m.Lock()
	defer m.Unlock()
	told := m.Calls
	m.Calls = nil
	return told
}

// call answers one call.
func (m *Manager) call(path godbus.ObjectPath, name string, args []any) ([]any, error) {
	m.Lock()
	defer m.Unlock()
	switch name {
	case "org.freedesktop.DBus.Properties.Get":
		value, ok := m.Objects[path][args[0].(string)][args[1].(string)]
		if !ok {
			return nil, Fail("org.freedesktop.DBus.Error.InvalidArgs")
		}
		return []any{godbus.MakeVariant(value)}, nil
	case "org.freedesktop.DBus.Properties.Set":
		iface, property, value := args[0].(string), args[1].(string),
			args[2].(godbus.Variant).Value()
		m.Calls = append(m.Calls, fmt.Sprintf("Set %s=%v", property, value))
		m.Put(path, iface, property, value)
		if m.OnSet != nil {
			m.OnSet(path, iface, property, value)
		}
		return nil, nil
	case "org.freedesktop.DBus.ObjectManager.GetManagedObjects":
		return []any{m.managed()}, nil
	}
	method := m.Methods[name]
	if method == nil {
		return nil, Fail("org.freedesktop.DBus.Error.UnknownMethod")
	}
	return method(path, args)
}

func (m *Manager) managed() map[godbus.ObjectPath]map[string]map[string]godbus.Variant {
	all := map[godbus.ObjectPath]map[string]map[string]godbus.Variant{}
	for path, interfaces := range m.Objects {
		all[path] = map[string]map[string]godbus.Variant{}
		for iface, properties := range interfaces {
			all[path][iface] = map[string]godbus.Variant{}
			for name, value := range properties {
				all[path][iface][name] = godbus.MakeVariant(value)
			}
		}
	}
	return all
}

// handler, object, face and member are godbus's way to take calls of any name.
type (
	handler struct{ m *Manager }
	object  struct {
		m    *Manager
		path godbus.ObjectPath
	}
	face struct {
		object
		iface string
	}
	member struct {
		face
		name string
	}
)

func (h handler) LookupObject(path godbus.ObjectPath) (godbus.ServerObject, bool) {
	return object{h.m, path}, true
}
func (o object) LookupInterface(name string) (godbus.Interface, bool) { return face{o, name}, true }
func (f face) LookupMethod(name string) (godbus.Method, bool) {
	return member{f, name}, true
}

func (m member) Call(args ...any) ([]any, error) {
	return m.m.call(m.path, m.iface+"."+m.name, args)
}
func (member) NumArguments() int     { return 0 }
func (member) NumReturns() int       { return 0 }
func (member) ArgumentValue(int) any { return nil }
func (member) ReturnValue(int) any   { return nil }

// DecodeArguments hands over the arguments as they came.
func (m member) DecodeArguments(_ *godbus.Conn, sender string, msg *godbus.Message,
	_ []any) ([]any, error) {
	m.m.Lock()
	defer m.m.Unlock()
	m.m.Sender = sender
	return msg.Body, nil
}
