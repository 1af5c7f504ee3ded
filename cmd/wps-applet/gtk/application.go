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

// Flush waits until what another instance is asked for is on its way. Who ends before that has asked
// for nothing.
func (a Application) Flush() {
	if conn := c.applicationBus(a.Object); conn != 0 {
		c.busFlush(conn, 0, 0)
	}
}

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

// TextAction is Action with a text that whoever activates it gives along.
func TextAction(to Object, name string, f func(string)) {
	action := c.simpleActionNew(name, c.variantTypeNew("s"))
	action.OnObject("activate", func(v Object) { f(c.variantGetString(uintptr(v), 0)) })
	c.actionMapAdd(to, action)
	action.Unref()
}

// ActivateText activates an action of the application, which may be that of another instance.
func (a Application) ActivateText(name, text string) {
	c.actionGroupActivate(a.Object, name, c.variantNewString(text))
}

// Switch adds an action that is on or off, as a menu shows it with a mark. f is told what the user
// wants; the Switch is so from then on.
func Switch(to Object, name string, on bool, f func(on bool)) {
	action := c.simpleActionNewStateful(name, 0, c.variantNewBoolean(on))
	action.OnObject("activate", func(Object) {
		on = !on
		c.simpleActionSetState(action, c.variantNewBoolean(on))
		f(on)
	})
	c.actionMapAdd(to, action)
	action.Unref()
}

// Size sets the size that a window has at first.
func (o Object) Size(width, height int) {
	c.windowSetDefaultSize(o, int32(width), int32(height))
}

// Keys says which keys activate an action ("win.close", "<Control>w").
func (a Application) Keys(action string, keys ...string) {
	array, keep := cStrings(keys)
	defer runtime.KeepAlive(keep)
	c.setAccels(a.Object, action, array)
}
