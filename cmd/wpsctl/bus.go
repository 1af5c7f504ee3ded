package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	godbus "github.com/godbus/dbus/v5"
)

// Names of the D-Bus API.
const (
	busName          = "fi.w1.wps"
	rootPath         = godbus.ObjectPath("/fi/w1/wps")
	managerIface     = "fi.w1.wps.Manager"
	interfaceIface   = "fi.w1.wps.Interface"
	accessPointIface = "fi.w1.wps.AccessPoint"
	sessionIface     = "fi.w1.wps.Session"
	networkIface     = "fi.w1.wps.Network"
	propertiesIface  = "org.freedesktop.DBus.Properties"
	objectManager    = "org.freedesktop.DBus.ObjectManager"
)

// callTimeout bounds every call: nothing in the API blocks for long. It leaves time to start wpsd on demand.
const callTimeout = 25 * time.Second

// client is a connection to wpsd.
type client struct {
	conn *godbus.Conn
}

// options is the a{sv} that methods take last.
type options map[string]godbus.Variant

// dial connects to the bus that --bus names. It does not yet need wpsd to be there.
func (a *app) dial(ctx context.Context) (*client, error) {
	// Signals must come in order: progress would run backwards otherwise.
	opts := []godbus.ConnOption{godbus.WithSignalHandler(godbus.NewSequentialSignalHandler())}
	var conn *godbus.Conn
	var err error
	switch {
	case a.bus == "system":
		conn, err = godbus.ConnectSystemBus(opts...)
	case a.bus == "session" && os.Getenv("DBUS_SESSION_BUS_ADDRESS") == "":
		// godbus would start a bus of its own, on which nobody is.
		err = errors.New("DBUS_SESSION_BUS_ADDRESS is not set")
	case a.bus == "session":
		conn, err = godbus.ConnectSessionBus(opts...)
	case strings.Contains(a.bus, ":"):
		conn, err = godbus.Connect(a.bus, opts...)
	default:
		return nil, usagef(`--bus %s: neither "system" nor "session" nor an address such as unix:path=/run/dbus/system_bus_socket`, printable(a.bus))
	}
	if err != nil {
		return nil, &failure{Exit: exitNoService, Text: "cannot connect to D-Bus: " + printable(err.Error()),
			Hint: "Is dbus-daemon running? Look at --bus, and at DBUS_SYSTEM_BUS_ADDRESS."}
	}
	if err := ctx.Err(); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return &client{conn: conn}, nil
}

// close ends the connection; wpsd then cancels what we started and did not detach.
func (c *client) close() { _ = c.conn.Close() }

// call calls a method given with its interface and stores the answer in results. It allows authorization to ask the
// user for a password.
func (c *client) call(ctx context.Context, path godbus.ObjectPath, method string, results []any, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	call := c.conn.Object(busName, path).CallWithContext(ctx, method, godbus.FlagAllowInteractiveAuthorization, args...)
	if call.Err != nil {
		if errors.Is(call.Err, context.DeadlineExceeded) {
			return &failure{Exit: exitNoService, Text: "wpsd did not answer " + method, Hint: "See its log."}
		}
		return fromBus(call.Err)
	}
	return fromBus(call.Store(results...))
}

// properties reads all properties of one interface of an object.
func (c *client) properties(ctx context.Context, path godbus.ObjectPath, iface string) (props, error) {
	var p props
	err := c.call(ctx, path, propertiesIface+".GetAll", []any{&p}, iface)
	return p, err
}

// watch subscribes to all signals of wpsd, and to its coming and going, from now on.
func (c *client) watch(ctx context.Context) (<-chan *godbus.Signal, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	ch := make(chan *godbus.Signal, 64)
	c.conn.Signal(ch)
	err := c.conn.AddMatchSignalContext(ctx, godbus.WithMatchSender(busName), godbus.WithMatchPathNamespace(rootPath))
	if err == nil {
		err = c.conn.AddMatchSignalContext(ctx, godbus.WithMatchSender("org.freedesktop.DBus"),
			godbus.WithMatchInterface("org.freedesktop.DBus"), godbus.WithMatchMember("NameOwnerChanged"), godbus.WithMatchArg(0, busName))
	}
	return ch, fromBus(err)
}

// serviceOwner looks at a signal: whether it tells that wpsd came (owner set) or left (owner empty).
func serviceOwner(s *godbus.Signal) (owner string, ok bool) {
	if s.Name != "org.freedesktop.DBus.NameOwnerChanged" || len(s.Body) != 3 || s.Body[0] != busName {
		return "", false
	}
	owner, ok = s.Body[2].(string)
	return owner, ok
}

// errServiceLeft is how a command ends whose service went away.
func errServiceLeft() error {
	return &failure{Exit: exitNoService, Text: "wpsd stopped", Hint: startHint}
}
