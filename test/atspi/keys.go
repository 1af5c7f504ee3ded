package atspi

import (
	"fmt"
	"slices"
	"strings"
	"time"

	godbus "github.com/godbus/dbus/v5"
)

// Keysyms of X (keysymdef.h); those of Latin letters, digits and the space are the characters.
const (
	KeySpace = ' '
	KeyTab   = 0xff09
	KeyEnter = 0xff0d
	KeyUp    = 0xff52
	KeyDown  = 0xff54
)

// maxKeys bounds the keys that it takes to get somewhere.
const maxKeys = 80

// TakeKeys moves the mouse to a place of the screen: without a window manager the window there gets
// what is typed.
func (tr *Tree) TakeKeys(x, y int) {
	tr.T.Helper()
	tr.generate("Mouse", int32(x), int32(y), "abs")
}

// Key presses and releases a key.
func (tr *Tree) Key(keysym int) {
	tr.T.Helper()
	const bySymbol = 3 // ATSPI_KEY_SYM
	tr.generate("Keyboard", int32(keysym), "", uint32(bySymbol))
}

// Type types ASCII text.
func (tr *Tree) Type(text string) {
	tr.T.Helper()
	for _, c := range text {
		tr.Key(int(c))
	}
}

// generate has the X server believe in an event.
func (tr *Tree) generate(what string, args ...any) {
	tr.T.Helper()
	if err := tr.conn.Object(registryName, mouseObject).Call(mouseIface+".Generate"+what+"Event", 0,
		args...).Err; err != nil {
		tr.T.Fatalf("%s: %v", what, err)
	}
}

// focused is what has the keyboard, the innermost if those around it say so, too; nil: nothing.
func focused(list []*Node) *Node {
	for _, n := range slices.Backward(list) {
		if n.is(stateFocused) {
			return n
		}
	}
	return nil
}

// next presses a key, and gives what has the keyboard once that is something else, or cannot be.
func (tr *Tree) next(keysym int) *Node {
	tr.T.Helper()
	before := focused(tr.nodes())
	tr.Key(keysym)
	for end := time.Now().Add(time.Second); ; time.Sleep(tr.Settle) {
		now := focused(tr.nodes())
		if now != nil && (before == nil || now.path != before.path) || time.Now().After(end) {
			return now
		}
	}
}

// Reach presses Tab until what has this name has the keyboard.
func (tr *Tree) Reach(name string) {
	tr.T.Helper()
	tr.See(name)
	var passed []string
	n := focused(tr.nodes())
	for i := 0; i < maxKeys; i, n = i+1, tr.next(KeyTab) {
		if n == nil {
			continue
		}
		if n.name == name {
			return
		}
		passed = append(passed, fmt.Sprintf("%s %q", n.role, n.name))
	}
	tr.T.Fatalf("Tab never comes to %q, but to %s", name, strings.Join(passed, ", "))
}

// maxEntries bounds those of a row that offers several.
const maxEntries = 4

// Choose takes the nth entry, from 0, of a row that offers several: the list behind it has its
// entries' names in labels, which take no click.
func (tr *Tree) Choose(name, entry string, n int) {
	tr.T.Helper()
	tr.ClickOn(name, "combo box")
	tr.See(entry)
	for range maxEntries {
		tr.Key(KeyUp)
	}
	for range n {
		tr.Key(KeyDown)
	}
	tr.Key(KeyEnter)
}

// Enter types a text into an entry in place of what is there, and ends with Enter.
func (tr *Tree) Enter(name, text string) {
	tr.T.Helper()
	tr.Write(name, "")
	tr.ClickOn(name, "text box", "text", "entry")
	tr.Type(text)
	tr.Key(KeyEnter)
}

// Row reaches a row of a list: the list by Tab, the row by the arrow keys.
func (tr *Tree) Row(name string) {
	tr.T.Helper()
	tr.See(name)
	for range maxKeys {
		if n := tr.next(KeyTab); n != nil && n.role == "list item" &&
			(tr.along(KeyUp, n, name) || tr.along(KeyDown, focused(tr.nodes()), name)) {
			return
		}
	}
	tr.T.Fatalf("no arrow key comes to the row %q", name)
}

// along goes from a row to the one that shows a text, with an arrow key.
func (tr *Tree) along(keysym int, from *Node, name string) bool {
	tr.T.Helper()
	for range maxKeys {
		if from == nil || from.shows(name) {
			return from != nil
		}
		to := tr.next(keysym)
		if to == nil || to.path == from.path || to.role != "list item" {
			return false
		}
		from = to
	}
	return false
}

// Press reaches a button by Tab, and presses it by the space bar.
func (tr *Tree) Press(name string) {
	tr.T.Helper()
	tr.Reach(name)
	tr.Key(KeySpace)
	pressed(name)
}

// notByTab is what the window manager's keys are for.
var notByTab = []string{"Minimize", "Maximize", "Close"}

// EverythingByKeys fails where Tab never comes to something that a mouse could use, text boxes left
// out, of which GTK 4.8 does not say that they have the keyboard (a test types into them), and the
// list of pages, where arrow keys lead (Row). It leaves the
// page where the last of it is: a row of the list of pages shows its page as soon as it is reached.
func (tr *Tree) EverythingByKeys() {
	tr.T.Helper()
	left := map[godbus.ObjectPath]*Node{}
	for _, n := range tr.nodes() {
		row := n.role == "list item" && n.name == "" // of the pages, whose labels have the names
		if n.is(stateFocusable) && n.is(stateSensitive) && n.depth > 2 && !row &&
			!slices.Contains([]string{"group", "list", "text box"}, n.role) &&
			!slices.Contains(notByTab, n.name) {
			left[n.path] = n
		}
	}
	if len(left) == 0 {
		tr.T.Error("nothing can have the keyboard")
	}
	for range maxKeys {
		if n := tr.next(KeyTab); n != nil {
			delete(left, n.path)
		}
		if len(left) == 0 {
			return
		}
	}
	for _, n := range tr.nodes() {
		if left[n.path] == nil {
			continue // it was reached, or is not there any more: what is heard comes and goes
		}
		tr.T.Errorf("Tab never comes to %s %q", n.role, n.name)
	}
}
