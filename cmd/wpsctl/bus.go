package main

import (
	"context"
	"errors"
	"strings"
	"time"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/dbus/bus"
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
	enrolleeIface      = "fi.w1.wps.Enrollee"
)

// callTimeout bounds every call: nothing in the API blocks for long. It leaves time to start wpsd
// on demand.
const callTimeout = 25 * time.Second

// authTimeout bounds a call for which somebody may have to type a password. wpsd gives up before.
const authTimeout = 6 * time.Minute

// maxAnswer bounds an answer of wpsd's: a list of ten thousand access points is a few MiB. It is
// what a system bus passes on.
const maxAnswer = 32 << 20

// client is a connection to wpsd.
type client struct {
	conn *bus.Conn
	// answered is the unique name of the wpsd that answered last; empty: none did yet.
	answered string
	tty      *ttyAgent // asks for passwords on our terminal; nil: nobody needed it so far
	app      *app
}

// options is the a{sv} that methods take last.
type options map[string]godbus.Variant

// dial connects to the bus that --bus names. It does not yet need wpsd to be there.
func (a *app) dial(ctx context.Context) (*client, error) {
	if a.bus != "system" && a.bus != "session" && !strings.Contains(a.bus, ":") {
		return nil, usagef(`--bus %s: neither "system" nor "session" nor an address such as unix:path=/run/dbus/system_bus_socket`, printable(a.bus))
	}
	conn, err := bus.Dial(a.bus, bus.Options{MaxReply: maxAnswer})
	if err == nil {
		// Nobody but wpsd answers for it, and it may be started by the first call.
		if err = conn.Follow(ctx, bus.Name{Name: busName}); err != nil {
			_ = conn.Close()
		}
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, &failure{Exit: exitNoService,
			Text: "cannot connect to D-Bus: " + prose(err.Error()),
			Hint: "Is dbus-daemon running? Look at --bus, and at DBUS_SYSTEM_BUS_ADDRESS."}
	}
	return &client{conn: conn, app: a}, nil
}

// close ends the connection; wpsd then cancels what we started and did not detach.
func (c *client) close() {
	c.tty.end()
	_ = c.conn.Close()
}

// call calls a method given with its interface and stores the answer in results. It allows
// authorization to ask the user for a password: by the agent of the desktop, or, if there is none,
// on this terminal.
func (c *client) call(ctx context.Context, path godbus.ObjectPath, method string, results []any,
	args ...any) error {
	err := c.try(ctx, path, method, results, args)
	var e godbus.Error
	if errors.As(err, &e) && e.Name == interactionRequired && c.tty == nil && c.app.canAsk() {
		var failed error
		if c.tty, failed = startTTYAgent(); failed != nil {
			return &failure{Exit: exitNotAuthorized, Name: e.Name, Text: prose(e.Error()),
				Hint: prose(failed.Error())}
		}
		err = c.try(ctx, path, method, results, args)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &failure{Exit: exitNoService, Text: "wpsd did not answer in time", Hint: logHint}
	}
	return fromBus(err)
}

// try makes one call.
func (c *client) try(ctx context.Context, path godbus.ObjectPath, method string, results,
	args []any) error {
	limit := authTimeout
	iface, member := method[:strings.LastIndexByte(method, '.')],
		method[strings.LastIndexByte(method, '.')+1:]
	if iface == propertiesIface && member != "Set" || iface == objectManager {
		limit = callTimeout // these need no authorization
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	explain := time.AfterFunc(waitTime, c.app.explainWait)
	defer explain.Stop()
	return c.conn.Call(ctx, bus.Request{To: busName, Path: path, Method: method, Args: args,
		Flags: godbus.FlagAllowInteractiveAuthorization, Answered: &c.answered}, results...)
}

// properties reads all properties of one interface of an object.
func (c *client) properties(ctx context.Context, path godbus.ObjectPath,
	iface string) (props, error) {
	var p props
	err := c.call(ctx, path, propertiesIface+".GetAll", []any{&p}, iface)
	return p, err
}

// watch subscribes to all signals of wpsd, and to its coming and going, from now on.
func (c *client) watch(ctx context.Context) (<-chan *godbus.Signal, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	signals := c.conn.Signals()
	return signals, fromBus(c.conn.Follow(ctx,
		bus.Name{Name: busName, Signals: []bus.Signals{{Path: rootPath, Below: true}}}))
}

// serviceOwner looks at a signal: whether it tells that wpsd came (owner set) or left (owner
// empty).
func serviceOwner(s *godbus.Signal) (owner string, ok bool) {
	if s.Sender != bus.Driver || s.Name != bus.Driver+".NameOwnerChanged" || len(s.Body) != 3 ||
		s.Body[0] != busName {
		return "", false
	}
	owner, ok = s.Body[2].(string)
	return owner, ok
}

// left looks at a signal: whether it tells that the wpsd left that answered us last. One that ended
// because nobody needed it, just before a call of ours started the next one, is another: its end
// may be read long after that call was answered. One that was called in the moment in which it gave
// its name back has that again before it answers, and stays.
func (c *client) left(s *godbus.Signal) bool {
	owner, about := serviceOwner(s)
	return about && owner == "" && (c.answered == "" ||
		s.Body[1] == c.answered && c.conn.Owner(busName) != c.answered)
}

// errServiceLeft is how a command ends whose service went away.
func errServiceLeft() error {
	return &failure{Exit: exitNoService, Text: "wpsd stopped", Hint: startHint}
}
