// Package background is the applet without a window: an icon where a panel has room for one
// (StatusNotifierItem), and a notification when the button of a router nearby is pressed while this
// computer is offline. It loads nothing of GTK, and has no timer: it sleeps until a bus says
// something.
//
//	system bus ──▶ model ──changed──▶ Agent ──▶ org.freedesktop.Notifications
//	session bus ◀── one name, one instance; the panel's clicks; Quit
package background

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	godbus "github.com/godbus/dbus/v5"

	"wpsd/cmd/wps-applet/model"
	"wpsd/dbus/bus"
	"wpsd/service/fence"
)

// Names on the session bus.
const (
	ownName  = "fi.w1.wps.Applet.Background"
	ownPath  = godbus.ObjectPath("/fi/w1/wps/Applet/Background")
	ownIface = ownName

	itemPath  = godbus.ObjectPath("/StatusNotifierItem")
	itemIface = "org.kde.StatusNotifierItem"

	watcherName = "org.kde.StatusNotifierWatcher"
	watcherPath = godbus.ObjectPath("/StatusNotifierWatcher")

	notifyName = "org.freedesktop.Notifications"
	notifyPath = godbus.ObjectPath("/org/freedesktop/Notifications")

	propsIface = "org.freedesktop.DBus.Properties"
)

// ErrRuns means that another instance runs in this session.
var ErrRuns = errors.New("background: it runs already")

// errQuit ends Run when it is switched off.
var errQuit = errors.New("background: switched off")

// Words are what it says, in the user's language.
type Words struct {
	Title       string                   // of the icon
	Pressed     func(name string) string // title of the notification about a router
	PressedBody string
	Join        string // what its button says
	Name        func(ssid []byte) string

	Key              func(name string) string // title of the notification about a missing key
	KeyBody          string
	Password, Cancel string // what its buttons say
}

// Agent is the applet in the background.
type Agent struct {
	// Model is that of the system bus. Changed has to be called when it changes.
	Model *model.Model
	// Bus is the one where NetworkManager is, "system" or an address, whose questions for missing
	// keys are answered; empty: they are not.
	Bus   string
	Words Words
	// Open opens the window; Join opens it and joins this router, whose button is pressed.
	Open func()
	Join func(bssid string)
	Icon string
	// Icons is the directory of the theme that has it, for a panel that does not know it by itself.
	Icons string
	Log   *slog.Logger

	mu    sync.Mutex
	told  map[string]uint32 // notifications about routers, by their keys; 0: it is under way
	bssid map[uint32]string // whom a notification is about
	wake  chan struct{}
}

// Changed says that the Model has changed. It does not wait.
func (a *Agent) Changed() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.wake == nil {
		a.wake = make(chan struct{}, 1)
	}
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

// Run runs until ctx ends, or it is switched off, or another instance runs.
func (a *Agent) Run(ctx context.Context) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	a.mu.Lock()
	a.told, a.bssid = map[string]uint32{}, map[uint32]string{}
	if a.wake == nil {
		a.wake = make(chan struct{}, 1)
	}
	a.mu.Unlock()
	calls := make(chan *bus.Message, 16)
	o := bus.Options{Log: a.Log, OnCall: func(m *bus.Message) {
		select {
		case calls <- m:
		default: // nobody clicks that fast
		}
	}}
	err := bus.Stay(ctx, "session", o, a.Log, func(ctx context.Context, c *bus.Conn) error {
		err := a.talk(ctx, c, calls)
		if errors.Is(err, ErrRuns) || errors.Is(err, errQuit) {
			end(err)
		}
		return err
	})
	if errors.Is(err, errQuit) {
		return nil
	}
	return err
}

// Quit ends the instance that runs in this session; that there is none is no error.
func Quit(ctx context.Context) error {
	c, err := bus.Dial("session", bus.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	if err := c.Follow(ctx, bus.Name{Name: ownName}); err != nil {
		return err
	}
	if c.Owner(ownName) == "" {
		return nil
	}
	return c.Call(ctx, bus.Request{To: ownName, Path: ownPath, Method: ownIface + ".Quit",
		Flags: godbus.FlagNoAutoStart})
}

// Runs tells whether an instance runs in this session.
func Runs(ctx context.Context) bool {
	c, err := bus.Dial("session", bus.Options{})
	if err != nil {
		return false
	}
	defer func() { _ = c.Close() }()
	return c.Follow(ctx, bus.Name{Name: ownName}) == nil && c.Owner(ownName) != ""
}

// talk is one connection to the session bus.
func (a *Agent) talk(ctx context.Context, c *bus.Conn, calls <-chan *bus.Message) error {
	const doNotQueue, primaryOwner = 4, 1
	var got uint32
	if err := c.Ask(ctx, "RequestName", []any{ownName, uint32(doNotQueue)}, &got); err != nil {
		return err
	}
	if got != primaryOwner {
		return ErrRuns
	}
	signals := c.Signals()
	register := make(chan struct{}, 1)
	err := c.Follow(ctx, bus.Name{Name: watcherName, Changed: func(owner string) {
		if owner != "" {
			select {
			case register <- struct{}{}:
			default:
			}
		}
	}}, bus.Name{Name: notifyName, Signals: []bus.Signals{{Path: notifyPath,
		Interface: notifyName}}})
	if err != nil {
		return err
	}
	if c.Owner(watcherName) != "" {
		a.register(c)
	}
	var work sync.WaitGroup
	defer work.Wait()
	ctx, end := context.WithCancel(ctx)
	defer end()
	k := a.answerKeys(ctx, c, &work)
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-c.Done():
			return c.Err()
		case <-register:
			a.register(c)
		case m := <-calls:
			if err := a.serve(c, m); err != nil {
				c.Flush()
				return err
			}
		case s, ok := <-signals:
			if !ok {
				return bus.ErrLost
			}
			a.signal(s, k)
		case <-a.wake:
			work.Go(fence.Func(a.Log, "a notification", func() { a.look(ctx, c) }, nil))
		}
	}
}

// register tells the panel of our icon.
func (a *Agent) register(c *bus.Conn) {
	c.Tell(bus.Request{To: watcherName, Path: watcherPath,
		Method: watcherName + ".RegisterStatusNotifierItem", Args: []any{c.Name()}})
}

// pixmap is a picture of StatusNotifierItem's, which we have none of.
type pixmap struct {
	Width, Height int32
	Bytes         []byte
}

// item has the properties of the icon.
func (a *Agent) item() map[string]godbus.Variant {
	return map[string]godbus.Variant{
		"Category": godbus.MakeVariant("Hardware"), "Id": godbus.MakeVariant("wps-applet"),
		"Title": godbus.MakeVariant(a.Words.Title), "Status": godbus.MakeVariant("Active"),
		"IconName":      godbus.MakeVariant(a.Icon),
		"IconThemePath": godbus.MakeVariant(a.Icons),
		"ItemIsMenu":    godbus.MakeVariant(false),
		// A screen reader reads the text of the tooltip in a panel of GTK's: icon, picture, title, text.
		"ToolTip": godbus.MakeVariant(struct {
			Icon        string
			Pixmaps     []pixmap
			Title, Text string
		}{"", []pixmap{}, a.Words.Title, ""}),
	}
}

// serve answers a call of the panel's, or of whoever switches us off. Any program of the session may
// make these calls, as it may start us.
func (a *Agent) serve(c *bus.Conn, m *bus.Message) error {
	h := &m.Header
	body, err := m.Body()
	if err != nil {
		c.Refuse(h, "org.freedesktop.DBus.Error.InvalidArgs", "The arguments cannot be read.")
		return nil
	}
	switch {
	case h.Path == ownPath && h.Interface == ownIface && h.Member == "Quit":
		c.Reply(h)
		return errQuit
	case h.Path != itemPath:
	case h.Interface == itemIface && (h.Member == "Activate" || h.Member == "SecondaryActivate" ||
		h.Member == "ContextMenu"):
		c.Reply(h)
		a.Open()
		return nil
	case h.Interface == itemIface && h.Member == "Scroll":
		c.Reply(h)
		return nil
	case h.Interface == propsIface && h.Member == "GetAll" && len(body) == 1:
		all := map[string]godbus.Variant{}
		if body[0] == itemIface {
			all = a.item()
		}
		c.Reply(h, all)
		return nil
	case h.Interface == propsIface && h.Member == "Get" && len(body) == 2:
		name, _ := body[1].(string)
		if v, ok := a.item()[name]; ok && body[0] == itemIface {
			c.Reply(h, v)
			return nil
		}
	}
	c.Refuse(h, "org.freedesktop.DBus.Error.UnknownMethod", "There is nothing of that kind here.")
	return nil
}

// signal takes what the desktop says about our notifications.
func (a *Agent) signal(s *godbus.Signal, k *keys) {
	if len(s.Body) != 2 {
		return
	}
	id, ok := s.Body[0].(uint32)
	if !ok {
		return
	}
	if action, ok := s.Body[1].(string); ok && s.Name == notifyName+".ActionInvoked" {
		k.invoked(id, action)
	}
	a.mu.Lock()
	bssid, ours := a.bssid[id]
	if s.Name == notifyName+".NotificationClosed" {
		delete(a.bssid, id)
	}
	a.mu.Unlock()
	if ours && s.Name == notifyName+".ActionInvoked" {
		a.Join(bssid)
	}
}

// look tells of routers whose button is pressed, once each time that it is.
func (a *Agent) look(ctx context.Context, c *bus.Conn) {
	pressed := map[string]model.Router{}
	state := a.Model.State()
	for _, r := range state.Routers {
		if r.Pressed && r.Usable && state.Offline(r.Interface) {
			pressed[r.Key()] = r
		}
	}
	var tell []model.Router
	var over []uint32
	a.mu.Lock()
	for key, id := range a.told {
		if _, still := pressed[key]; !still {
			delete(a.told, key)
			over = append(over, id)
		}
	}
	for key, r := range pressed {
		if _, done := a.told[key]; !done {
			a.told[key] = 0
			tell = append(tell, r)
		}
	}
	a.mu.Unlock()
	for _, id := range over {
		if id != 0 {
			closeNotification(c, id)
		}
	}
	for _, r := range tell {
		a.notify(ctx, c, r)
	}
}

// notify asks whether to join a router.
func (a *Agent) notify(ctx context.Context, c *bus.Conn, r model.Router) {
	id, err := a.show(ctx, c, a.Words.Pressed(a.Words.Name(r.SSID)), a.Words.PressedBody,
		[]string{"default", a.Words.Join, "join", a.Words.Join})
	if err != nil {
		a.Log.Debug("no notification", "err", err)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.bssid[id] = r.BSSID()
	if _, still := a.told[r.Key()]; still {
		a.told[r.Key()] = id
	}
}

// show shows a notification, and gives its number. The desktop's service is started for it if need
// be.
func (a *Agent) show(ctx context.Context, c *bus.Conn, title, body string,
	actions []string) (id uint32, err error) {
	err = c.Call(ctx, bus.Request{To: notifyName, Path: notifyPath, Method: notifyName + ".Notify",
		Args: []any{a.Words.Title, uint32(0), a.Icon, title, body, actions,
			map[string]godbus.Variant{"category": godbus.MakeVariant("network"),
				"desktop-entry": godbus.MakeVariant("fi.w1.wps.Applet")},
			int32(-1)}}, &id)
	return id, err
}

// closeNotification takes a notification away.
func closeNotification(c *bus.Conn, id uint32) {
	if c.Owner(notifyName) != "" {
		c.Tell(bus.Request{To: notifyName, Path: notifyPath,
			Method: notifyName + ".CloseNotification", Args: []any{id}})
	}
}
