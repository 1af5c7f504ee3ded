package main

import (
	_ "embed"
	"strings"

	"wpsd/cmd/wps-applet/gtk"
)

//go:embed ui/pinentry.ui
var pinEntryXML string

// pinEntry asks for a PIN. Whose it is, is said by who asks.
type pinEntry struct {
	a                                      *applet
	root, title, body, entry, problem, go_ gtk.Object
	then                                   func(pin string)
}

func newPINEntry(a *applet) *pinEntry {
	b := gtk.Build(pinEntryXML)
	defer b.Done()
	p := &pinEntry{a: a, root: b.Get("root").Keep(), title: b.Get("title"), body: b.Get("body"),
		entry: b.Get("entry"), problem: b.Get("problem"), go_: b.Get("go")}
	p.entry.On("changed", func() {
		p.problem.Show(false)
		n := digits(p.entry.Text("text"))
		p.go_.Set("sensitive", n == 4 || n == 8)
	})
	p.entry.On("entry-activated", p.check)
	p.go_.On("clicked", p.check)
	return p
}

// ask sets the question. then gets a PIN that has been checked.
func (p *pinEntry) ask(title, body string, then func(pin string)) {
	p.title.Say("label", title)
	p.body.Say("label", body)
	p.entry.Set("text", "")
	p.problem.Show(false)
	p.then = then
}

func (p *pinEntry) focus() { p.entry.Focus() }

// check has the service look at the PIN: its last digit fits the others.
func (p *pinEntry) check() {
	typed, then := p.entry.Text("text"), p.then
	if n := digits(typed); n != 4 && n != 8 {
		return
	}
	p.a.in("checking a PIN", func() func() {
		pin, err := p.a.model.CheckPIN(typed)
		return func() {
			if err == nil {
				// Without digits the button is of no use, and would lose the keyboard to whatever
				// comes after it.
				p.entry.Focus()
				p.entry.Set("text", "")
				then(pin)
				return
			}
			s, fine := explainError(err)
			p.problem.Say("label", strings.TrimSpace(s.body+" "+fine))
			p.problem.Show(true)
			p.entry.Focus()
		}
	})
}

// digits counts them.
func digits(s string) (n int) {
	for _, r := range s {
		if r >= '0' && r <= '9' {
			n++
		}
	}
	return n
}
