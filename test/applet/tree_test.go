//go:build applet

package applet

import (
	"fmt"
	"strings"
	"testing"
	"time"

	godbus "github.com/godbus/dbus/v5"
)

// Names of AT-SPI (at-spi2-core, xml/*.xml).
const (
	accessibleIface = "org.a11y.atspi.Accessible"
	actionIface     = "org.a11y.atspi.Action"
	editableIface   = "org.a11y.atspi.EditableText"
	textIface       = "org.a11y.atspi.Text"
	selectionIface  = "org.a11y.atspi.Selection"
	registryName    = "org.a11y.atspi.Registry"
	rootObject      = godbus.ObjectPath("/org/a11y/atspi/accessible/root")
	getProperty     = "org.freedesktop.DBus.Properties.Get"
)

// Bits of the states that we ask for (AtspiStateType).
const (
	stateChecked   = 4
	stateEnabled   = 8
	stateFocused   = 12
	stateSensitive = 24
	stateVisible   = 30
)

// patience is how long anything may take. It is for a busy machine; nothing waits that long
// otherwise.
const patience = 60 * time.Second

// node is an object of the tree, as it was when it was looked at.
type node struct {
	bus      string
	path     godbus.ObjectPath
	role     string
	name     string
	states   uint64
	depth    int
	children []*node
}

func (n *node) is(state uint) bool { return n.states>>state&1 == 1 }

// reference is how AT-SPI names an object: who has it, and its path.
type reference struct {
	Name string
	Path godbus.ObjectPath
}

// tree is the accessibility bus.
type tree struct {
	t    *testing.T
	conn *godbus.Conn
}

// openTree connects to the accessibility bus of a session.
func openTree(t *testing.T, session string) *tree {
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
	return &tree{t: t, conn: a11y}
}

// get reads a property; what is gone meanwhile is the zero value.
func get[T any](tr *tree, r reference, iface, name string) (v T) {
	var variant godbus.Variant
	if err := tr.conn.Object(r.Name, r.Path).Call(getProperty, 0, iface,
		name).Store(&variant); err == nil {
		v, _ = variant.Value().(T)
	}
	return v
}

// look reads an object and what is below it. Objects come and go while it looks: what cannot be read
// is left out.
func (tr *tree) look(r reference, depth int) *node {
	o := tr.conn.Object(r.Name, r.Path)
	n := &node{bus: r.Name, path: r.Path, depth: depth}
	if o.Call(accessibleIface+".GetRoleName", 0).Store(&n.role) != nil {
		return nil
	}
	n.name = get[string](tr, r, accessibleIface, "Name")
	var states []uint32
	_ = o.Call(accessibleIface+".GetState", 0).Store(&states)
	for i, s := range states {
		n.states |= uint64(s) << (32 * i)
	}
	if depth > 2 && !n.is(stateVisible) {
		return n // nobody sees what is below
	}
	var children []reference
	_ = o.Call(accessibleIface+".GetChildren", 0).Store(&children)
	for _, c := range children {
		if child := tr.look(c, depth+1); child != nil {
			n.children = append(n.children, child)
		}
	}
	return n
}

// nodes are all that is shown now, top down.
func (tr *tree) nodes() (list []*node) {
	root := tr.look(reference{registryName, rootObject}, 0)
	if root == nil {
		return nil
	}
	var walk func(*node)
	walk = func(n *node) {
		if n.depth < 3 || n.is(stateVisible) {
			list = append(list, n)
		}
		for _, c := range n.children {
			walk(c)
		}
	}
	walk(root)
	return list
}

// dump is the tree as text, for who reads why a test failed.
func (tr *tree) dump() string {
	var b strings.Builder
	for _, n := range tr.nodes() {
		fmt.Fprintf(&b, "%s%s %q\n", strings.Repeat("  ", n.depth), n.role, n.name)
	}
	return b.String()
}

// until waits for a condition on what is shown.
func (tr *tree) until(what string, f func([]*node) bool) {
	tr.t.Helper()
	for end := time.Now().Add(patience); ; {
		if f(tr.nodes()) {
			return
		}
		if time.Now().After(end) {
			tr.t.Fatalf("waited in vain: %s; there is\n%s", what, tr.dump())
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// find finds the node with this role and name, or one whose name goes on with that of its row; a
// role of "" is any.
func find(list []*node, role, name string) (found *node) {
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

// see waits until a text is shown.
func (tr *tree) see(text string) {
	tr.t.Helper()
	tr.until("to see "+text, func(list []*node) bool {
		for _, n := range list {
			if n.depth > 1 && strings.Contains(n.name, text) {
				return true
			}
		}
		return false
	})
}

// gone waits until a text is not shown any more.
func (tr *tree) gone(text string) {
	tr.t.Helper()
	tr.until("until it is gone: "+text, func(list []*node) bool {
		for _, n := range list {
			if n.depth > 1 && strings.Contains(n.name, text) {
				return false
			}
		}
		return true
	})
}

// click does the first action of a button, as a screen reader's user does.
func (tr *tree) click(name string) {
	tr.t.Helper()
	tr.act(tr.waitAny(name, "push button", "toggle button", "button"))
}

// waitAny waits for a node with one of these roles.
func (tr *tree) waitAny(name string, roles ...string) (found *node) {
	tr.t.Helper()
	tr.until(fmt.Sprintf("for the %s %q", roles[0], name), func(list []*node) bool {
		for _, role := range roles {
			if found = find(list, role, name); found != nil && found.is(stateSensitive) {
				return true
			}
		}
		return false
	})
	return found
}

// act does a node's first action.
func (tr *tree) act(n *node) {
	tr.t.Helper()
	var done bool
	err := tr.conn.Object(n.bus, n.path).Call(actionIface+".DoAction", 0, int32(0)).Store(&done)
	if err != nil || !done {
		tr.t.Fatalf("%s %q does nothing: %v", n.role, n.name, err)
	}
}

// write puts a text into an entry.
func (tr *tree) write(name, text string) {
	tr.t.Helper()
	var entry *node
	tr.until("for the entry "+name, func(list []*node) bool {
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
		tr.t.Fatalf("%q takes no text: %v", name, err)
	}
}

// turn turns to a page by its name in the list of pages. GTK leaves hidden rows out of the children
// that it lists, and counts them where it is told to select one: so it takes the next one until the
// page is the one that was meant.
func (tr *tree) turn(name string) {
	tr.t.Helper()
	skip := 0
	tr.until("for the page "+name, func(list []*node) bool {
		for _, n := range list {
			if n.role == "widget" && n.name == "AdwWindowTitle" && n.shows(name) {
				return true
			}
		}
		for _, n := range list {
			if n.name != "Pages" && n.name != "Seiten" || n.role != "list" {
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
func (n *node) shows(text string) bool {
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

// clickIn clicks a button of the dialog with this heading.
func (tr *tree) clickIn(heading, name string) {
	tr.t.Helper()
	var button *node
	tr.until("for "+name+" of the dialog "+heading, func(list []*node) bool {
		for _, n := range list {
			if n.depth != 2 || !n.shows(heading) {
				continue
			}
			button = nil
			n.each(func(m *node) {
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
	tr.act(button)
}

// each visits a node and what is below it.
func (n *node) each(f func(*node)) {
	f(n)
	for _, c := range n.children {
		c.each(f)
	}
}
