package gtk

import (
	"fmt"
	"html"
	"runtime"
	"unsafe"
)

// Object is a GObject: a widget, an action, a dialog. The zero Object is NULL.
type Object uintptr

// value is a GValue: the type, and room for two words. Only GObject looks into it.
type value struct {
	_ uintptr
	_ [2]uint64
}

// Fundamental types of GObject: the number, shifted by G_TYPE_FUNDAMENTAL_SHIFT.
const (
	typeBoolean = 5 << 2
	typeInt     = 6 << 2
	typeUint    = 7 << 2
	typeDouble  = 15 << 2
	typeString  = 16 << 2
	typeObject  = 20 << 2
)

// set sets a property to a value of this type. GObject converts between numbers by itself.
func (o Object) set(name string, kind uintptr, fill func(*value)) {
	var v value
	c.valueInit(&v, kind)
	fill(&v)
	c.objectSetProperty(o, name, &v)
	c.valueUnset(&v)
}

// get reads a property.
func (o Object) get(name string, kind uintptr, read func(*value)) {
	var v value
	c.valueInit(&v, kind)
	c.objectGetProperty(o, name, &v)
	read(&v)
	c.valueUnset(&v)
}

// Set sets a property to a string, bool, int, float64 or Object.
func (o Object) Set(name string, to any) {
	switch to := to.(type) {
	case string:
		o.set(name, typeString, func(v *value) { c.valueSetString(v, to) })
	case bool:
		o.set(name, typeBoolean, func(v *value) { c.valueSetBoolean(v, to) })
	case int:
		o.set(name, typeInt, func(v *value) { c.valueSetInt(v, int32(to)) })
	case uint32:
		o.set(name, typeUint, func(v *value) { c.valueSetUint(v, to) })
	case float64:
		o.set(name, typeDouble, func(v *value) { c.valueSetDouble(v, to) })
	case Object:
		o.set(name, typeObject, func(v *value) { c.valueSetObject(v, to) })
	default:
		panic(fmt.Sprintf("gtk: property %s: no type for %T", name, to))
	}
}

// Text reads a property that is a string.
func (o Object) Text(name string) (s string) {
	o.get(name, typeString, func(v *value) { s = c.valueGetString(v) })
	return s
}

// Bool reads a property that is a boolean.
func (o Object) Bool(name string) (b bool) {
	o.get(name, typeBoolean, func(v *value) { b = c.valueGetBoolean(v) })
	return b
}

// Uint reads a property that is an unsigned number.
func (o Object) Uint(name string) (n uint32) {
	o.get(name, typeUint, func(v *value) { n = c.valueGetUint(v) })
	return n
}

// Show makes a widget visible or not, and leaves it alone if it is so already.
func (o Object) Show(visible bool) {
	if o.Bool("visible") != visible {
		o.Set("visible", visible)
	}
}

// Say sets a text property, unless it says that already: a screen reader reads what changes.
func (o Object) Say(name, text string) {
	if o.Text(name) != text {
		o.Set(name, text)
	}
}

// Class adds a style class or takes it away.
func (o Object) Class(name string, has bool) {
	if has {
		c.widgetAddClass(o, name)
	} else {
		c.widgetRemoveClass(o, name)
	}
}

// On runs f at each signal that has no arguments, for as long as the object lives.
func (o Object) On(signal string, f func()) {
	o.connect(signal, trampolines.signal0, func(uintptr) uintptr { f(); return 0 })
}

// OnClose runs f when a window is to be closed; it stays if f returns true.
func (o Object) OnClose(f func() (stay bool)) {
	o.connect("close-request", trampolines.signal0, func(uintptr) uintptr {
		if f() {
			return 1
		}
		return 0
	})
}

// OnObject runs f at each signal that has one argument, an object; or at each change of a property
// ("notify::..."), whose argument is of no use.
func (o Object) OnObject(signal string, f func(Object)) {
	o.connect(signal, trampolines.signal1, func(a uintptr) uintptr { f(Object(a)); return 0 })
}

// OnText is OnObject for a string.
func (o Object) OnText(signal string, f func(string)) {
	o.connect(signal, trampolines.signal1, func(a uintptr) uintptr { f(goString(a)); return 0 })
}

// OnNumber is OnObject for an int.
func (o Object) OnNumber(signal string, f func(int)) {
	o.connect(signal, trampolines.signal1, func(a uintptr) uintptr { f(int(int32(a))); return 0 })
}

func (o Object) connect(signal string, trampoline uintptr, f func(uintptr) uintptr) {
	handlers.next++
	n := handlers.next
	handlers.plain[n] = f
	c.signalConnectData(o, signal, trampoline, n, trampolines.gone, 0)
}

// OnDraw draws a drawing area whenever that is needed.
func (o Object) OnDraw(f func(Drawing)) {
	handlers.next++
	handlers.draw[handlers.next] = f
	c.drawingAreaSetDraw(o, trampolines.draw, handlers.next, 0)
}

// Redraw has a widget drawn anew.
func (o Object) Redraw() { c.widgetQueueDraw(o) }

// Focus gives a widget the keyboard.
func (o Object) Focus() { c.widgetGrabFocus(o) }

// FocusFirst gives the keyboard to the first thing in a container that takes it.
func (o Object) FocusFirst() {
	const tabForward = 0 // GTK_DIR_TAB_FORWARD
	c.widgetChildFocus(o, tabForward)
}

// Present shows a window, in front.
func (o Object) Present() { c.windowPresent(o) }

// Close closes a window as its user would.
func (o Object) Close() { c.windowClose(o) }

// Append puts a child at the end of a box.
func (o Object) Append(child Object) { c.boxAppend(o, child) }

// AppendRow puts a row at the end of a list box, RemoveRow takes it out.
func (o Object) AppendRow(row Object) { c.listBoxAppend(o, row) }

// RemoveRow takes a row out of a list box.
func (o Object) RemoveRow(row Object) { c.listBoxRemove(o, row) }

// AddToGroup puts a row at the end of a preferences group, RemoveFromGroup takes it out.
func (o Object) AddToGroup(row Object) { c.groupAdd(o, row) }

// RemoveFromGroup takes a row out of a preferences group.
func (o Object) RemoveFromGroup(row Object) { c.groupRemove(o, row) }

// Select selects a row of a list box.
func (o Object) Select(row Object) { c.listBoxSelectRow(o, row) }

// Index is where a row is in its list box.
func (o Object) Index() int { return int(c.listBoxRowIndex(o)) }

// Page shows one child of a stack, and hides the others: the accessibility tree of GTK 4.8 has them
// all otherwise, as if they were shown.
func (o Object) Page(name string) {
	to := c.stackChild(o, name)
	to.Show(true)
	c.stackSetVisible(o, name)
	for child := c.firstChild(o); child != 0; child = c.nextSibling(child) {
		if child != to {
			child.Show(false)
		}
	}
}

// Copy puts a text on the clipboard of a widget.
func (o Object) Copy(text string) { c.clipboardSetText(c.widgetGetClipboard(o), text) }

// Unref gives up a reference.
func (o Object) Unref() { c.objectUnref(o) }

// Toast shows a short text at the bottom of a toast overlay. Dismiss gives it up.
func (o Object) Toast(text string) Object {
	// Its title is markup, always (libadwaita 1.2).
	toast := c.toastNew(html.EscapeString(text)).Keep()
	c.toastOverlayAdd(o, toast)
	return toast
}

// Dismiss takes away a toast that is still there.
func (o Object) Dismiss() {
	c.toastDismiss(o)
	o.Unref()
}

// GtkAccessibleProperty, of gtkenums.h.
const (
	accessibleDescription = 1
	accessibleLabel       = 4
	accessibleValueMax    = 15
	accessibleValueMin    = 16
	accessibleValueNow    = 17
	accessibleValueText   = 18
)

// Label names a widget for who cannot see it.
func (o Object) Label(text string) {
	which := []int32{accessibleLabel}
	values := make([]value, 1)
	c.valueInit(&values[0], typeString)
	c.valueSetString(&values[0], text)
	c.accessibleUpdate(o, 1, &which[0], &values[0])
	c.valueUnset(&values[0])
	runtime.KeepAlive(values)
}

// Progress says how far something is, to who cannot see it: a fraction, and the same in words.
func (o Object) Progress(fraction float64, text string) {
	which := []int32{accessibleValueMin, accessibleValueMax, accessibleValueNow,
		accessibleValueText}
	values := make([]value, len(which))
	for i, n := range []float64{0, 1, fraction} {
		c.valueInit(&values[i], typeDouble)
		c.valueSetDouble(&values[i], n)
	}
	c.valueInit(&values[3], typeString)
	c.valueSetString(&values[3], text)
	c.accessibleUpdate(o, int32(len(which)), &which[0], &values[0])
	c.valueUnset(&values[3])
	runtime.KeepAlive(values)
}

// Picture makes a paintable of a PNG image. The caller gives up its reference with Unref.
func Picture(png []byte) (Object, error) {
	b := c.bytesNew(unsafe.SliceData(png), uint64(len(png)))
	defer c.bytesUnref(b)
	var e uintptr
	if t := c.textureFromBytes(b, &e); t != 0 {
		return t, nil
	}
	return 0, fmt.Errorf("gtk: picture: %w", errorText(e))
}

// Strings makes a model for a drop-down list. The caller gives up its reference with Unref.
func Strings(list []string) Object {
	array, keep := cStrings(list)
	defer runtime.KeepAlive(keep)
	return c.stringListNew(array)
}

// Chosen is the path of the file that was chosen in a file chooser; empty: none, or no local one.
func (o Object) Chosen() string {
	file := c.fileChooserGetFile(o)
	if file == 0 {
		return ""
	}
	defer file.Unref()
	p := c.fileGetPath(file)
	defer c.gFree(p)
	return goString(p)
}

// SuggestName says how a file that is to be saved may be called.
func (o Object) SuggestName(name string) { c.fileChooserSetName(o, name) }

// Choose says which file is chosen at first in a file chooser; of one that is gone, its folder.
func (o Object) Choose(path string) {
	file := c.fileNewForPath(path)
	defer file.Unref()
	_ = c.fileChooserSetFile(o, file, nil)
}

// ShowNative shows a dialog of the desktop's own, such as a file chooser.
func (o Object) ShowNative() { c.nativeDialogShow(o) }

// Keep takes a reference, so that a widget outlives the Builder until it is in a window.
func (o Object) Keep() Object { return c.objectRefSink(o) }

// AddPage puts a child into a stack.
func (o Object) AddPage(name string, child Object) { c.stackAddNamed(o, child, name) }

// Remove takes a child out of a box.
func (o Object) Remove(child Object) { c.boxRemove(o, child) }
