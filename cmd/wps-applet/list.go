package main

import (
	_ "embed"
	"slices"

	"wpsd/cmd/wps-applet/gtk"
)

var (
	//go:embed ui/row.ui
	rowXML string
	//go:embed ui/list.ui
	listXML string
	//go:embed ui/group.ui
	groupXML string
	//go:embed ui/heading.ui
	headingXML string
	//go:embed ui/pages.ui
	pagesXML string
)

// row is a line of a list, with something to do.
type row struct {
	key             string // tells it from the others, for as long as it is there
	title, subtitle string
	icon, badge     string
	button          string // what its button says; empty: an arrow
	do              func() // nil: there is nothing to do
}

// rowList shows rows in a group.
type rowList struct {
	group gtk.Object
	shown []*shownRow
}

// shownRow is a row on the screen.
type shownRow struct {
	row
	o, icon, badge, go_ gtk.Object
}

// newGroup makes a group of rows in a box.
func newGroup(box gtk.Object, title, description string) *rowList {
	b := gtk.Build(groupXML)
	defer b.Done()
	g := b.Get("group")
	g.Set("title", title)
	if description != "" {
		g.Set("description", description)
	}
	box.Append(g)
	return &rowList{group: g}
}

// show shows rows. Those that are there already stay, so that what has the keyboard keeps it.
func (l *rowList) show(rows []row) {
	l.group.Show(len(rows) > 0)
	same := slices.EqualFunc(rows, l.shown, func(r row, s *shownRow) bool { return r.key == s.key })
	if !same {
		for _, s := range l.shown {
			l.group.RemoveFromGroup(s.o)
		}
		l.shown = nil
		for _, r := range rows {
			l.shown = append(l.shown, l.add(r.key))
		}
	}
	for i, r := range rows {
		l.shown[i].update(r)
	}
}

func (l *rowList) add(key string) *shownRow {
	b := gtk.Build(rowXML)
	defer b.Done()
	s := &shownRow{row: row{key: key}, o: b.Get("row"), icon: b.Get("icon"), badge: b.Get("badge"),
		go_: b.Get("go")}
	s.go_.On("clicked", func() {
		if s.do != nil {
			s.do()
		}
	})
	l.group.AddToGroup(s.o)
	return s
}

func (s *shownRow) update(r row) {
	s.row = r
	s.o.Say("title", r.title)
	s.o.Say("subtitle", r.subtitle)
	s.icon.Show(r.icon != "")
	if r.icon != "" {
		s.icon.Say("icon-name", r.icon)
	}
	s.badge.Show(r.badge != "")
	s.badge.Say("label", r.badge)
	s.go_.Show(r.do != nil)
	if r.button != "" {
		s.go_.Say("label", r.button)
	} else if s.go_.Text("icon-name") != "go-next-symbolic" {
		s.go_.Set("icon-name", "go-next-symbolic")
		s.go_.Class("flat", true)
	}
	if r.button == "" {
		s.go_.Label(r.title)
	}
}

// column is a page that scrolls, with groups below each other.
type column struct{ root, box gtk.Object }

func newColumn() column {
	b := gtk.Build(listXML)
	defer b.Done()
	return column{b.Get("root").Keep(), b.Get("box")}
}

// heading is a title with a sentence and at most two buttons.
type heading struct {
	root, title, body, first, second gtk.Object
	primary, secondary               *button
}

func newHeading(box gtk.Object) *heading {
	b := gtk.Build(headingXML)
	defer b.Done()
	h := &heading{root: b.Get("root"), title: b.Get("title"), body: b.Get("body"),
		first: b.Get("primary"), second: b.Get("secondary")}
	h.first.On("clicked", func() { h.primary.press() })
	h.second.On("clicked", func() { h.secondary.press() })
	box.Append(h.root)
	return h
}

func (h *heading) show(title, body string, primary, secondary *button) {
	h.title.Say("label", title)
	h.body.Say("label", body)
	h.body.Show(body != "")
	h.primary, h.secondary = primary, secondary
	h.first.Show(primary != nil)
	if primary != nil {
		h.first.Say("label", primary.label)
	}
	h.second.Show(secondary != nil)
	if secondary != nil {
		h.second.Say("label", secondary.label)
	}
}

// deck is what most pages are: a stack with a first child, and others that one goes back from.
type deck struct {
	a       *applet
	view    gtk.Object
	home    string // the first child
	where   string
	run     *runView
	entry   *pinEntry
	denied  *notice
	refused bool // what the first child is for is not allowed: denied is in its place
}

func (d *deck) begin(o order) {
	d.where = "run"
	d.run.start(o)
	d.view.Page("run")
	d.a.front()
}

// newDeck makes one with the children that most have: a run, and a question for a PIN.
func newDeck(a *applet, home string, children map[string]gtk.Object) *deck {
	b := gtk.Build(pagesXML)
	defer b.Done()
	d := &deck{a: a, view: b.Get("root").Keep(), home: home, where: home, denied: newNotice()}
	d.denied.show(notAllowedHere(a))
	d.run = newRun(a, func() { d.to(home) })
	d.entry = newPINEntry(a)
	d.view.AddPage("run", d.run.root)
	d.run.root.Unref()
	d.view.AddPage("entry", d.entry.root)
	d.entry.root.Unref()
	d.view.AddPage("denied", d.denied.root)
	d.denied.root.Unref()
	for name, child := range children {
		d.view.AddPage(name, child)
		child.Unref()
	}
	d.view.Page(home)
	return d
}

// to turns to a child.
func (d *deck) to(where string) {
	d.where = where
	d.turn()
	d.a.front()
}

// turn shows where the deck is.
func (d *deck) turn() {
	if d.where == d.home && d.refused {
		d.view.Page("denied")
		return
	}
	d.view.Page(d.where)
}

// refuse says whether polkit refuses what the first child is for.
func (d *deck) refuse(refused bool) {
	if d.refused != refused {
		d.refused = refused
		d.turn()
	}
}

// ask asks for a PIN.
func (d *deck) ask(title, body string, then func(pin string)) {
	d.entry.ask(title, body, then)
	d.to("entry")
	d.entry.focus()
}
