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
	erIface          = "fi.w1.wps.ER"
	networkIface     = "fi.w1.wps.Network"
	propertiesIface  = "org.freedesktop.DBus.Properties"
	objectManager    = "org.freedesktop.DBus.ObjectManager"

	interactionRequired = "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"

	erAccessPointIface = "fi.w1.wps.ER.AccessPoint"
	erEnrolleeIface    = "fi.w1.wps.ER.Enrollee"
)

// callTimeout bounds every call: nothing in the API blocks for long. It leaves time to start wpsd on demand.
const callTimeout = 25 * time.Second

// authTimeout bounds a call for which somebody may have to type a password. wpsd gives up before.
const authTimeout = 6 * time.Minute

// client is a connection to wpsd.
type client struct {
	conn *godbus.Conn
	tty  *ttyAgent // asks for passwords on our terminal; nil: nobody needed it so far
	app  *app
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
	return &client{conn: conn, app: a}, nil
}

// close ends the connection; wpsd then cancels what we started and did not detach.
func (c *client) close() {
	c.tty.end()
	_ = c.conn.Close()
}

// call calls a method given with its interface and stores the answer in results. It allows authorization to ask the
// user for a password: by the agent of his desktop, or, if there is none, on this terminal.
func (c *client) call(ctx context.Context, path godbus.ObjectPath, method string, results []any, args ...any) error {
	call := c.try(ctx, path, method, args)
	var e godbus.Error
	if errors.As(call.Err, &e) && e.Name == interactionRequired && c.tty == nil && c.app.canAsk() {
		var err error
		if c.tty, err = startTTYAgent(); err != nil {
			return &failure{Exit: exitNotAuthorized, Name: e.Name, Text: printable(e.Error()), Hint: printable(err.Error())}
		}
		call = c.try(ctx, path, method, args)
	}
	if call.Err != nil {
		if errors.Is(call.Err, context.DeadlineExceeded) {
			return &failure{Exit: exitNoService, Text: "wpsd did not answer " + method, Hint: "See its log."}
		}
		return fromBus(call.Err)
	}
	return fromBus(call.Store(results...))
}

// try makes one call. godbus's own calls cannot have the flag for interactive authorization.
func (c *client) try(ctx context.Context, path godbus.ObjectPath, method string, args []any) *godbus.Call {
	dot := strings.LastIndexByte(method, '.')
	m := &godbus.Message{
		Type: godbus.TypeMethodCall, Flags: godbus.FlagAllowInteractiveAuthorization, Body: args,
		Headers: map[godbus.HeaderField]godbus.Variant{
			godbus.FieldDestination: godbus.MakeVariant(busName),
			godbus.FieldPath:        godbus.MakeVariant(path),
			godbus.FieldInterface:   godbus.MakeVariant(method[:dot]),
			godbus.FieldMember:      godbus.MakeVariant(method[dot+1:]),
		},
	}
	if len(args) > 0 {
		m.Headers[godbus.FieldSignature] = godbus.MakeVariant(godbus.SignatureOf(args...))
	}
	limit := authTimeout
	if iface := method[:dot]; iface == propertiesIface && method[dot+1:] != "Set" || iface == objectManager {
		limit = callTimeout // these need no authorization
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	call := c.conn.SendWithContext(ctx, m, nil)
	select {
	case <-call.Done:
		return call
	case <-time.After(waitTime):
		c.app.explainWait()
	}
	<-call.Done // which ctx ends
	return call
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
