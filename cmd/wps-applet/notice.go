package main

import (
	_ "embed"

	"wpsd/cmd/wps-applet/gtk"
)

var (
	//go:embed ui/notice.ui
	noticeXML string
	//go:embed ui/choice.ui
	choiceXML string
)

// message is one thing to say, and what to do about it.
type message struct {
	icon, title, body string
	fine              string // in small: what the service says itself
	primary           *button
	secondary         *button
	choices           []choice
}

// button is something to do.
type button struct {
	label string
	do    func()
}

// choice is one of several things to choose from.
type choice struct {
	title, subtitle string
	do              func()
}

// notice shows messages.
type notice struct {
	root, icon, title, body, fine, list, first, second gtk.Object
	shown                                              message
	rows                                               []gtk.Object
}

func newNotice() *notice {
	b := gtk.Build(noticeXML)
	defer b.Done()
	n := &notice{root: b.Get("root").Keep(), icon: b.Get("icon"), title: b.Get("title"),
		body: b.Get("body"), fine: b.Get("fine"), list: b.Get("choices"), first: b.Get("primary"),
		second: b.Get("secondary")}
	n.first.On("clicked", func() { n.shown.primary.press() })
	n.second.On("clicked", func() { n.shown.secondary.press() })
	return n
}

func (b *button) press() {
	if b != nil {
		b.do()
	}
}

// same tells whether two messages look the same.
func (m message) same(o message) bool {
	label := func(b *button) string {
		if b == nil {
			return ""
		}
		return b.label
	}
	if m.icon != o.icon || m.title != o.title || m.body != o.body || m.fine != o.fine ||
		label(m.primary) != label(o.primary) || label(m.secondary) != label(o.secondary) ||
		len(m.choices) != len(o.choices) {
		return false
	}
	for i := range m.choices {
		if m.choices[i].title != o.choices[i].title ||
			m.choices[i].subtitle != o.choices[i].subtitle {
			return false
		}
	}
	return true
}

// show shows a message.
func (n *notice) show(m message) {
	same := n.shown.same(m)
	n.shown = m
	if same {
		return
	}
	n.icon.Set("icon-name", m.icon)
	n.title.Say("label", m.title)
	n.body.Say("label", m.body)
	n.body.Show(m.body != "")
	n.fine.Say("label", m.fine)
	n.fine.Show(m.fine != "")
	for _, b := range []struct {
		o gtk.Object
		b *button
	}{{n.first, m.primary}, {n.second, m.secondary}} {
		b.o.Show(b.b != nil)
		if b.b != nil {
			b.o.Say("label", b.b.label)
		}
	}
	for _, row := range n.rows {
		n.list.RemoveRow(row)
	}
	n.rows = nil
	for i, ch := range m.choices {
		b := gtk.Build(choiceXML)
		row, go_ := b.Get("row"), b.Get("go")
		row.Set("title", ch.title)
		row.Set("subtitle", ch.subtitle)
		go_.On("clicked", func() {
			if i < len(n.shown.choices) {
				n.shown.choices[i].do()
			}
		})
		n.list.AppendRow(row)
		n.rows = append(n.rows, row)
		b.Done()
	}
	n.list.Show(len(m.choices) > 0)
}
