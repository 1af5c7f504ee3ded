package main

import (
	_ "embed"
	"fmt"

	"wpsd/cmd/wps-applet/gtk"
	"wpsd/cmd/wps-applet/model"
	"wpsd/engine/secret"
)

//go:embed ui/join.ui
var joinXML string

// join is the first page: one large button, and what comes of it.
type join struct {
	a                                   *applet
	view, hint, start, usePIN, useLabel gtk.Object
	adapters, adapter, cost             gtk.Object
	names                               []string // of the adapters, as the list shows them
	where                               string   // which child of view is shown
	run                                 *runView
	entry                               *pinEntry
	none                                *notice
}

func newJoin(a *applet) *join {
	b := gtk.Build(joinXML)
	defer b.Done()
	j := &join{a: a, view: b.Get("root").Keep(), hint: b.Get("hint"), start: b.Get("start"),
		usePIN: b.Get("use-pin"), useLabel: b.Get("use-label"), adapters: b.Get("adapters"),
		adapter: b.Get("adapter"), cost: b.Get("cost"), where: "start"}
	j.run = newRun(a, func() { j.show("start") })
	j.entry = newPINEntry(a)
	j.none = newNotice()
	for name, child := range map[string]gtk.Object{"run": j.run.root, "entry": j.entry.root,
		"none": j.none.root} {
		j.view.AddPage(name, child)
		child.Unref()
	}
	j.view.Page("start")
	j.start.On("clicked", func() { j.push("") })
	j.usePIN.On("clicked", func() { j.pin("", "") })
	j.useLabel.On("clicked", func() { j.label("") })
	j.adapter.OnObject("notify::selected", func(gtk.Object) {
		if n := int(j.adapter.Uint("selected")); n < len(j.names) {
			a.adapter = j.names[n]
		}
	})
	return j
}

func (j *join) name() string              { return "join" }
func (j *join) title() string             { return T("Join") }
func (j *join) icon() string              { return "fi.w1.wps.Applet-symbolic" }
func (j *join) root() gtk.Object          { return j.view }
func (j *join) visible(*model.State) bool { return true }
func (j *join) enter()                    {}
func (j *join) leave()                    {}
func (j *join) deeper() bool              { return j.where == "entry" || j.run.active() }

func (j *join) back() {
	if j.run.active() {
		j.run.back()
		return
	}
	j.show("start")
}

// show turns to a child of the page.
func (j *join) show(where string) {
	j.where = where
	j.view.Page(where)
	j.render(&j.a.state)
}

func (j *join) render(s *model.State) {
	j.run.render(s)
	j.choose(s)
	station, ok := j.a.station()
	if j.where == "start" || j.where == "none" {
		j.where = "start"
		if trouble := j.trouble(ok); trouble != nil {
			j.where = "none"
			j.none.show(*trouble)
		}
		j.view.Page(j.where)
	}
	hint := T("Press Start, then the WPS button on your router. No password has to be typed.")
	for _, r := range s.Routers {
		if r.Pressed && r.Interface == station.Path {
			hint = fmt.Sprintf(T("The button of %s is pressed: press Start to join."), ssidText(r.SSID))
			break
		}
	}
	j.hint.Say("label", hint)
	j.cost.Show(station.Disconnects)
	if station.Disconnects {
		j.cost.Say("label", T("The connection that is there is interrupted for the setup, and comes back."))
	}
}

// trouble says what keeps one from joining; nil: nothing does.
func (j *join) trouble(station bool) *message {
	switch {
	case !station:
		m := noStation()
		return &m
	case j.a.scans.blocked:
		m := radioOff(j.a)
		return &m
	case !j.a.state.May("enroll"):
		m := notAllowed(j.a,
			T("You may not join networks on this computer. Ask who administers it."))
		return &m
	}
	return nil
}

// choose lists the adapters where there are several.
func (j *join) choose(s *model.State) {
	var names []string
	for _, i := range s.Interfaces {
		if i.Mode == "station" {
			names = append(names, i.Name)
		}
	}
	if fmt.Sprint(names) == fmt.Sprint(j.names) {
		return
	}
	chosen := j.a.adapter
	j.names = nil // what is selected while the list changes is nobody's choice
	list := gtk.Strings(names)
	j.adapter.Set("model", list)
	list.Unref()
	for n, name := range names {
		if name == chosen {
			j.adapter.Set("selected", uint32(n))
		}
	}
	j.names = names
	j.adapters.Show(len(names) > 1)
}

// begin starts an order on this page.
func (j *join) begin(o order) {
	j.where = "run"
	j.run.start(o)
	j.view.Page("run")
	j.a.front()
}

// push joins by push button, with any router or with this one.
func (j *join) push(bssid string) {
	if station, ok := j.a.station(); ok {
		j.begin(j.a.pushOrder(station.Path, bssid))
	}
}

// pin joins by PIN: one that is made, or the one of our label.
func (j *join) pin(bssid, pin string) {
	if station, ok := j.a.station(); ok {
		o := j.a.pinOrder(station.Path, bssid, pin)
		o.retype = func() { j.label(bssid) }
		j.begin(o)
	}
}

// label asks for the PIN of our label.
func (j *join) label(bssid string) {
	j.entry.ask(T("The PIN of This Device"),
		T("Type the PIN from the label of this computer, which was typed into the router as well."),
		func(pin string) { j.pin(bssid, pin) })
	j.show("entry")
	j.entry.focus()
	j.a.front()
}

// pushOrder is an order to join by push button.
func (a *applet) pushOrder(station model.Path, bssid string) order {
	o := order{title: T("Press the Button on Your Router"),
		body: T("It is often marked WPS. You have two minutes."),
		begin: func() (model.Path, secret.Value, error) {
			options := model.Options{}
			if bssid != "" {
				options["bssid"] = bssid
			}
			session, err := a.model.StartPBC(station, options)
			return session, secret.Value{}, err
		}}
	o.named = func(bssid string) order { return a.pushOrder(station, bssid) }
	return o
}

// pinOrder is an order to join by PIN.
func (a *applet) pinOrder(station model.Path, bssid, pin string) order {
	return order{title: T("Type This PIN Into Your Router"),
		body: T("Its settings have a page for WPS, where the PIN of a device is entered. You have two minutes."),
		begin: func() (model.Path, secret.Value, error) {
			options := model.Options{}
			if bssid != "" {
				options["bssid"] = bssid
			}
			if pin != "" {
				options["pin"] = pin
			}
			return a.model.StartPIN(station, options)
		}}
}
