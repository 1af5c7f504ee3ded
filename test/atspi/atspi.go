// Package atspi uses a program as its users do who cannot see it: by the tree of accessible objects
// that it offers on D-Bus (AT-SPI). It finds by role and name, does actions, and waits; nothing is
// looked for by its place or its color. It is for tests.
package atspi

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"
)

// Names of AT-SPI (at-spi2-core, xml/*.xml).
const (
	accessibleIface = "org.a11y.atspi.Accessible"
	actionIface     = "org.a11y.atspi.Action"
	componentIface  = "org.a11y.atspi.Component"
	editableIface   = "org.a11y.atspi.EditableText"
	textIface       = "org.a11y.atspi.Text"
	selectionIface  = "org.a11y.atspi.Selection"
	registryName    = "org.a11y.atspi.Registry"
	mouseObject     = godbus.ObjectPath("/org/a11y/atspi/registry/deviceeventcontroller")
	mouseIface      = "org.a11y.atspi.DeviceEventController"
	rootObject      = godbus.ObjectPath("/org/a11y/atspi/accessible/root")
	getProperty     = "org.freedesktop.DBus.Properties.Get"
)

// Bits of the states that we ask for (AtspiStateType).
const (
	stateChecked   = 4
	stateEnabled   = 8
	stateFocusable = 11
	stateFocused   = 12
	stateSensitive = 24
	stateVisible   = 30
)

// Patience is how long anything may take. It is for a busy machine; nothing waits that long
// otherwise.
const Patience = 60 * time.Second

// Node is an object of the tree, as it was when it was looked at.
type Node struct {
	bus      string
	path     godbus.ObjectPath
	role     string
	name     string
	states   uint64
	depth    int
	children []*Node
}

func (n *Node) is(state uint) bool { return n.states>>state&1 == 1 }

// reference is how AT-SPI names an object: who has it, and its path.
type reference struct {
	Name string
	Path godbus.ObjectPath
}

// Tree is what all programs on an accessibility bus show. It belongs to a test.
type Tree struct {
	T *testing.T
	// Settle is how long something that changes is given to change on before it is looked at.
	Settle time.Duration
	// PagesName is what the list of pages is called.
	PagesName string
	conn      *godbus.Conn
	changed   chan struct{} // something has been since it was last empty
}

// Open connects to the accessibility bus of a session.
func Open(t *testing.T, session string) *Tree {
	t.Helper()
	conn, err := godbus.Connect(session)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	var address string
	// The bus starts the launcher of the accessibility bus for this call.
	if err := conn.Object("org.a11y.Bus", "/org/a11y/bus").Call("org.a11y.Bus.GetAddress",
		0).Store(&address); err != nil {
		t.Fatal("accessibility bus:", err)
	}
	a11y, err := godbus.Connect(address)
	if err != nil {
		t.Fatal("accessibility bus:", err)
	}
	t.Cleanup(func() { _ = a11y.Close() })
	tr := &Tree{T: t, Settle: 20 * time.Millisecond, PagesName: "Pages", conn: a11y,
		changed: make(chan struct{}, 1)}
	for _, iface := range []string{"Event.Object", "Event.Window", "Cache"} {
		if err := a11y.AddMatchSignal(godbus.WithMatchInterface("org.a11y.atspi." + iface)); err != nil {
			t.Fatal("accessibility bus:", err)
		}
	}
	signals := make(chan *godbus.Signal, 64) // the bus closes it when it is closed
	a11y.Signal(signals)
	go func() {
		for range signals {
			select {
			case tr.changed <- struct{}{}:
			default:
			}
		}
	}()
	return tr
}

// look reads an object and what is below it. Objects come and go while it looks: what cannot be read
// is left out. All that is asked of an object and of its children is under way at once: to ask one
// after the other takes most of a test's time.
func (tr *Tree) look(r reference, depth int) *Node {
	o := tr.conn.Object(r.Name, r.Path)
	n := &Node{bus: r.Name, path: r.Path, depth: depth}
	role := o.Go(accessibleIface+".GetRoleName", 0, nil)
	name := o.Go(getProperty, 0, nil, accessibleIface, "Name")
	state := o.Go(accessibleIface+".GetState", 0, nil)
	if (<-role.Done).Store(&n.role) != nil {
		return nil
	}
	var text godbus.Variant
	if (<-name.Done).Store(&text) == nil {
		n.name, _ = text.Value().(string)
	}
	var states []uint32
	_ = (<-state.Done).Store(&states)
	for i, s := range states {
		n.states |= uint64(s) << (32 * i)
	}
	if depth > 2 && !n.is(stateVisible) {
		return n // nobody sees what is below
	}
	var children []reference
	_ = o.Call(accessibleIface+".GetChildren", 0).Store(&children)
	n.children = make([]*Node, len(children))
	var work sync.WaitGroup
	for i, c := range children {
		work.Go(func() { n.children[i] = tr.look(c, depth+1) })
	}
	work.Wait()
	n.children = slices.DeleteFunc(n.children, func(c *Node) bool { return c == nil })
	return n
}

// nodes are all that is shown now, top down.
func (tr *Tree) nodes() (list []*Node) {
	root := tr.look(reference{registryName, rootObject}, 0)
	if root == nil {
		return nil
	}
	var walk func(*Node)
	walk = func(n *Node) {
		if n.depth < 3 || n.is(stateVisible) {
			list = append(list, n)
		}
		for _, c := range n.children {
			walk(c)
		}
	}
	walk(root)
	showing(list)
	return list
}

// Dump is the tree as text, for who reads why a test failed.
func (tr *Tree) Dump() string {
	var b strings.Builder
	for _, n := range tr.nodes() {
		fmt.Fprintf(&b, "%s%s %q\n", strings.Repeat("  ", n.depth), n.role, n.name)
	}
	return b.String()
}

// lookAgain is how often the tree is looked at where nothing says that it changes: programs do not
// tell of everything.
const lookAgain = time.Second

// Until waits for a condition on what is shown. It looks when something changes there.
func (tr *Tree) Until(what string, f func([]*Node) bool) {
	tr.T.Helper()
	for end := time.Now().Add(Patience); ; {
		select {
		case <-tr.changed:
		default:
		}
		if f(tr.nodes()) {
			return
		}
		if time.Now().After(end) {
			tr.T.Fatalf("waited in vain: %s; there is\n%s", what, tr.Dump())
		}
		select {
		case <-tr.changed:
			time.Sleep(tr.Settle)
		case <-time.After(lookAgain):
		}
	}
}

// find finds the node with this role and name, or one whose name goes on with that of its row; a
// role of "" is any.
func find(list []*Node, role, name string) (found *Node) {
	for _, n := range list {
		switch {
		case role != "" && n.role != role:
		case n.name == name:
			return n
		case found == nil && strings.HasPrefix(n.name, name+" "):
			found = n
		}
	}
	return found
}

// See waits until a text is shown.
func (tr *Tree) See(text string) {
	tr.T.Helper()
	tr.Until("to see "+text, func(list []*Node) bool { return Shows(list, text) })
}

// Shows tells whether a text is among what was found.
func Shows(list []*Node, text string) bool {
	return slices.ContainsFunc(list, func(n *Node) bool {
		return n.depth > 1 && strings.Contains(n.name, text)
	})
}

// Names are the names of all that is shown.
func (tr *Tree) Names() map[string]bool {
	names := map[string]bool{}
	for _, n := range tr.nodes() {
		names[n.name] = true
	}
	return names
}

// EveryButtonHasAName fails where a button that is shown would be read as nothing, or as the name
// of its class.
func (tr *Tree) EveryButtonHasAName() {
	tr.T.Helper()
	for _, n := range tr.nodes() {
		if strings.HasSuffix(n.role, "button") && (n.name == "" || strings.HasPrefix(n.name, "Gtk") ||
			strings.HasPrefix(n.name, "Adw")) {
			tr.T.Errorf("%s %q of %s has no name", n.role, n.name, n.path)
		}
	}
}

// ClickAt clicks with the mouse at a place of the screen, for what is in no tree.
func (tr *Tree) ClickAt(x, y int) {
	tr.T.Helper()
	if err := tr.conn.Object(registryName, mouseObject).Call(mouseIface+".GenerateMouseEvent", 0,
		int32(x), int32(y), "b1c").Err; err != nil {
		tr.T.Fatal("a click:", err)
	}
}

// ClickOn clicks with the mouse in the middle of what has a name and one of these roles, for what has
// no action. The window is at the top left of the screen.
func (tr *Tree) ClickOn(name string, roles ...string) {
	tr.T.Helper()
	n := tr.WaitAny(name, roles...)
	const inWindow = 1 // ATSPI_COORD_TYPE_WINDOW
	var place struct{ X, Y, Width, Height int32 }
	err := tr.conn.Object(n.bus, n.path).Call(componentIface+".GetExtents", 0,
		uint32(inWindow)).Store(&place)
	if err != nil || place.Width <= 0 || place.Height <= 0 {
		tr.T.Fatalf("%s %q is at %v: %v", n.role, name, place, err)
	}
	tr.ClickAt(int(place.X+place.Width/2), int(place.Y+place.Height/2))
}

// Gone waits until a text is not shown any more.
func (tr *Tree) Gone(text string) {
	tr.T.Helper()
	tr.Until("until it is gone: "+text, func(list []*Node) bool { return !Shows(list, text) })
}

// Read waits until a text is shown that the pattern matches, and gives it.
func (tr *Tree) Read(pattern *regexp.Regexp) (text string) {
	tr.T.Helper()
	tr.Until("to see "+pattern.String(), func(list []*Node) bool {
		for _, n := range list {
			if n.depth > 1 && pattern.MatchString(n.name) {
				text = n.name
				return true
			}
		}
		return false
	})
	return text
}

// Click does the first action of a button, as a screen reader's user does.
func (tr *Tree) Click(name string) {
	tr.T.Helper()
	tr.Act(tr.WaitAny(name, "push button", "toggle button", "button"))
}

// WaitAny waits for a node with one of these roles.
func (tr *Tree) WaitAny(name string, roles ...string) (found *Node) {
	tr.T.Helper()
	tr.Until(fmt.Sprintf("for the %s %q", roles[0], name), func(list []*Node) bool {
		for _, role := range roles {
			if found = find(list, role, name); found != nil && found.is(stateSensitive) {
				return true
			}
		}
		return false
	})
	return found
}

// Checked waits until something that can be on or off is on.
func (tr *Tree) Checked(name string) {
	tr.T.Helper()
	tr.Until("for "+name+" to be on", func(list []*Node) bool {
		return slices.ContainsFunc(list, func(n *Node) bool {
			return strings.HasPrefix(n.name, name) && n.is(stateChecked)
		})
	})
}

// Act does a node's first action.
func (tr *Tree) Act(n *Node) {
	tr.T.Helper()
	// A GtkMenuButton has the button that does it inside.
	for len(n.children) > 0 && n.children[0].role == n.role && n.children[0].name == n.name {
		n = n.children[0]
	}
	var done bool
	err := tr.conn.Object(n.bus, n.path).Call(actionIface+".DoAction", 0, int32(0)).Store(&done)
	if err != nil || !done {
		tr.T.Fatalf("%s %q does nothing: %v", n.role, n.name, err)
	}
	pressed(n.name)
}

// Write puts a text into an entry.
func (tr *Tree) Write(name, text string) {
	tr.T.Helper()
	var entry *Node
	tr.Until("for the entry "+name, func(list []*Node) bool {
		entry = nil
		for i, n := range list {
			if n.name != name {
				continue
			}
			// The text itself may be a child of the row that has the name.
			for _, m := range list[i:] {
				if (m.role == "text" || m.role == "text box" || m.role == "entry" || m.role == "password text") &&
					(m == n || m.depth > n.depth) {
					entry = m
					return true
				}
				if m != n && m.depth <= n.depth {
					break
				}
			}
		}
		return false
	})
	var done bool
	if err := tr.conn.Object(entry.bus, entry.path).Call(editableIface+".SetTextContents", 0,
		text).Store(&done); err != nil || !done {
		tr.T.Fatalf("%q takes no text: %v", name, err)
	}
}

// Turn turns to a page by its name in the list of pages. GTK leaves hidden rows out of the children
// that it lists, and counts them where it is told to select one: so it takes the next one until the
// page is the one that was meant.
func (tr *Tree) Turn(name string) {
	tr.T.Helper()
	skip := 0
	tr.Until("for the page "+name, func(list []*Node) bool {
		for _, n := range list {
			if n.role == "widget" && n.name == "AdwWindowTitle" && n.shows(name) {
				return true
			}
		}
		for _, n := range list {
			if n.name != tr.PagesName || n.role != "list" {
				continue
			}
			for i, row := range n.children {
				if row.shows(name) {
					var done bool
					_ = tr.conn.Object(n.bus, n.path).Call(selectionIface+".SelectChild", 0,
						int32(i+skip)).Store(&done)
					skip = (skip + 1) % 3
				}
			}
		}
		return false
	})
}

// shows tells whether a text is at or below a node.
func (n *Node) shows(text string) bool {
	if n.name == text {
		return true
	}
	for _, c := range n.children {
		if c.shows(text) {
			return true
		}
	}
	return false
}

// ClickIn clicks a button of the dialog with this heading.
func (tr *Tree) ClickIn(heading, name string) {
	tr.T.Helper()
	var button *Node
	tr.Until("for "+name+" of the dialog "+heading, func(list []*Node) bool {
		for _, n := range list {
			if n.depth != 2 || !n.shows(heading) {
				continue
			}
			button = nil
			n.each(func(m *Node) {
				// libadwaita has the buttons twice, the second time below each other and hidden.
				if button == nil && strings.HasPrefix(m.name, name) &&
					strings.HasSuffix(m.role, "button") {
					button = m
				}
			})
			return button != nil
		}
		return false
	})
	tr.Act(button)
}

// each visits a node and what is below it.
func (n *Node) each(f func(*Node)) {
	f(n)
	for _, c := range n.children {
		c.each(f)
	}
}
