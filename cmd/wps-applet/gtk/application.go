package gtk

import (
	"fmt"
	"runtime"
)

// Application is the program on its desktop: one instance, its windows, its notifications.
type Application struct{ Object }

// NewApplication makes the Application with this id. first is false if another instance of it runs
// already in this session; then all that is left to do is Activate, which that one hears.
func NewApplication(id, name string) (a Application, first bool, err error) {
	c.setPrgname(id)
	c.setApplicationName(name)
	a = Application{c.adwApplicationNew(id, 0)}
	var e uintptr
	if !c.applicationRegister(a.Object, 0, &e) {
		return a, false, fmt.Errorf("gtk: %w", errorText(e))
	}
	return a, !c.applicationIsRemote(a.Object), nil
}

// Activate asks the first instance to show itself. The question is sent before it returns.
func (a Application) Activate() { c.applicationActivate(a.Object) }

// Run runs the main loop until there is no window and nobody holds the Application, or Quit.
func (a Application) Run() int { return int(c.applicationRun(a.Object, 0, 0)) }

// Hold keeps the Application running without a window.
func (a Application) Hold() { c.applicationHold(a.Object) }

// Quit ends Run.
func (a Application) Quit() { c.applicationQuit(a.Object) }

// Own makes a window one of the Application's.
func (a Application) Own(window Object) { c.windowSetApplication(window, a.Object) }

// Action adds an action, as menus, keys and notifications name it ("app.quit"), to the application
// or to a window.
func Action(to Object, name string, f func()) {
	action := c.simpleActionNew(name, 0)
	action.OnObject("activate", func(Object) { f() })
	c.actionMapAdd(to, action)
	action.Unref()
}

// Keys says which keys activate an action ("win.close", "<Control>w").
func (a Application) Keys(action string, keys ...string) {
	array, keep := cStrings(keys)
	defer runtime.KeepAlive(keep)
	c.setAccels(a.Object, action, array)
}

// Notification is one that the desktop shows until it is withdrawn or used.
type Notification struct {
	ID, Title, Body, Icon string
	Action                string // "app.name", when it is clicked
	Button                string // label of a button for the same action; empty: none
}

// Notify shows a notification, in place of an older one with this ID.
func (a Application) Notify(n Notification) {
	o := c.notificationNew(n.Title)
	defer o.Unref()
	c.notificationSetBody(o, n.Body)
	icon := c.themedIconNew(n.Icon)
	c.notificationSetIcon(o, icon)
	icon.Unref()
	c.notificationDefault(o, n.Action)
	if n.Button != "" {
		c.notificationAddButton(o, n.Button, n.Action)
	}
	c.sendNotification(a.Object, n.ID, o)
}

// Withdraw takes a notification back.
func (a Application) Withdraw(id string) { c.withdrawNotification(a.Object, id) }
