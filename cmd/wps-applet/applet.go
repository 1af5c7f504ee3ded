package main

import (
	"context"
	_ "embed"
	"log/slog"
	"strings"
	"sync"

	"wpsd/cmd/wps-applet/gtk"
	"wpsd/cmd/wps-applet/model"
	"wpsd/service/fence"
)

// What is seen, as GtkBuilder has it.
var (
	//go:embed ui/window.ui
	windowXML string
	//go:embed ui/navrow.ui
	navRowXML string
	//go:embed ui/about.ui
	aboutXML string
	//go:embed ui/failure.ui
	failureXML string
	//go:embed ui/style.css
	styleSheet string
)

// T translates a text. The program that collects the texts looks for its name.
func T(text string) string { return gtk.T(text) }

// N translates a text that depends on a number.
func N(one, many string, n int) string { return gtk.N(one, many, n) }

// page is one of the window's pages.
type page interface {
	// name is what --page calls it.
	name() string
	// title and icon are for the list of pages.
	title() string
	icon() string
	root() gtk.Object
	// visible tells whether the page has anything to show on this machine.
	visible(*model.State) bool
	// render shows what is known now. It is called when that changes, also while another page is
	// in front.
	render(*model.State)
	// enter and leave are called when the page comes to the front and goes.
	enter()
	leave()
	// deeper tells whether there is something to go back from, and back goes.
	deeper() bool
	back()
}

// applet is the program. Whatever is in it belongs to GTK's thread, but the model.
type applet struct {
	app   gtk.Application
	o     options
	log   *slog.Logger
	model *model.Model
	state model.State

	window  gtk.Object // 0: none is open
	views   views
	pages   []page
	current int
	scans   scanner
	stays   bool       // whether it is in the background without its window
	said    gtk.Object // the last toast; 0: none, or taken away
	wanted  string     // a router to join as soon as the service is there
	adapter string     // the interface that was chosen; empty: the first

	rendering sync.Mutex
	pending   bool // whether a render is under way already

	run  context.Context
	end  context.CancelFunc
	work sync.WaitGroup
}

// views are the window's own objects.
type views struct {
	title, pages, navigation, back, toasts, flap gtk.Object
	rows, badges                                 []gtk.Object
	problem                                      *notice
}

func newApplet(app gtk.Application, o options, log *slog.Logger) *applet {
	a := &applet{app: app, o: o, log: log}
	a.run, a.end = context.WithCancel(context.Background())
	a.model = model.New(o.bus, log, a.changed)
	a.scans.a = a
	a.model.Start()
	return a
}

// activate shows the window: when the program starts, and when it is started once more.
func (a *applet) activate() {
	if a.window == 0 {
		a.build()
	}
	a.window.Present()
}

// close ends what runs. Sessions that were started here end with the connection.
func (a *applet) close() {
	a.end()
	a.model.Close()
	a.work.Wait()
}

// changed is called by the model's goroutines.
func (a *applet) changed() {
	a.rendering.Lock()
	defer a.rendering.Unlock()
	if a.pending {
		return
	}
	a.pending = true
	gtk.Do(a.render)
}

// render shows what is known now.
func (a *applet) render() {
	a.rendering.Lock()
	a.pending = false
	a.rendering.Unlock()
	a.state = a.model.State()
	if a.window == 0 {
		return
	}
	for i, p := range a.pages {
		a.views.rows[i].Show(p.visible(&a.state))
		p.render(&a.state)
	}
	if !a.pages[a.current].visible(&a.state) {
		a.views.navigation.Select(a.views.rows[0])
	}
	a.front()
	a.scans.render()
	a.joinWanted()
}

// joinNow joins a router whose button is pressed: a notification was clicked.
func (a *applet) joinNow(bssid string) {
	a.activate()
	a.wanted = bssid
	a.joinWanted()
}

// joinWanted begins what joinNow was asked for, once there is a service.
func (a *applet) joinWanted() {
	if a.wanted == "" || a.window == 0 || a.state.Service != model.Ready {
		return
	}
	bssid := a.wanted
	a.wanted = ""
	a.open("join")
	if j, ok := a.pages[0].(*join); ok && !j.run.busy() {
		j.push(bssid)
	}
}

// about shows what this is.
func (a *applet) about() {
	b := gtk.Build(aboutXML)
	defer b.Done()
	w := b.Get("about")
	w.Set("version", version)
	w.Set("transient-for", a.window)
	w.Present()
}

// in does work that waits, off GTK's thread. What it returns is run on that thread, if the program
// still runs.
func (a *applet) in(what string, work func() func()) {
	a.work.Go(fence.Func(a.log, what, func() {
		if then := work(); then != nil && a.run.Err() == nil {
			gtk.Do(then)
		}
	}, nil))
}

// build makes the window.
func (a *applet) build() {
	gtk.Icons(shared("icons"))
	gtk.Style(styleSheet)
	b := gtk.Build(windowXML)
	defer b.Done()
	a.window = b.Get("window")
	v := &a.views
	*v = views{title: b.Get("title"), pages: b.Get("pages"), navigation: b.Get("navigation"),
		back: b.Get("back"), toasts: b.Get("toasts"), flap: b.Get("flap")}
	a.pages = []page{newJoin(a), newRouters(a), newDevices(a), newHotspot(a), newNFC(a),
		newNetworks(a)}
	v.problem = newNotice()
	v.pages.AddPage("problem", v.problem.root)
	v.problem.root.Unref()
	for _, p := range a.pages {
		v.pages.AddPage(p.name(), p.root())
		p.root().Unref()
		row := gtk.Build(navRowXML)
		row.Get("label").Set("label", p.title())
		row.Get("icon").Set("icon-name", p.icon())
		v.rows, v.badges = append(v.rows, row.Get("row")), append(v.badges, row.Get("badge"))
		v.navigation.AppendRow(row.Get("row"))
		row.Done()
	}
	a.actions()
	if a.o.width > 0 {
		a.window.Size(a.o.width, a.o.height)
	}
	v.navigation.OnObject("row-selected", func(row gtk.Object) {
		if row != 0 {
			a.turn(row.Index())
		}
	})
	v.navigation.OnObject("row-activated", func(gtk.Object) {
		if v.flap.Bool("folded") {
			v.flap.Set("reveal-flap", false)
		}
		// Tab goes on through the rows, each of which shows its page, so Enter is the way into one.
		v.pages.FocusFirst()
	})
	v.back.On("clicked", func() { a.pages[a.current].back(); a.front() })
	a.window.OnClose(a.closed)
	a.app.Own(a.window)
	a.open(a.o.page)
	a.render()
}

// actions are what keys and menus do.
func (a *applet) actions() {
	gtk.Action(a.window, "close", func() { a.window.Close() })
	gtk.Action(a.window, "back", func() {
		if p := a.pages[a.current]; p.deeper() {
			p.back()
			a.front()
		}
	})
	gtk.Action(a.app.Object, "quit", a.app.Quit)
	gtk.Action(a.app.Object, "about", a.about)
	gtk.TextAction(a.app.Object, "join", a.joinNow)
	gtk.Switch(a.app.Object, "background", a.stays, a.switchBackground)
	a.app.Keys("app.quit", "<Control>q")
	a.app.Keys("win.close", "<Control>w")
	a.app.Keys("win.back", "Escape", "<Alt>Left")
	for i := range a.pages {
		n := string(rune('1' + i))
		gtk.Action(a.window, "page"+n, func() {
			if a.views.rows[i].Bool("visible") {
				a.views.navigation.Select(a.views.rows[i])
			}
		})
		a.app.Keys("win.page"+n, "<Alt>"+n)
	}
}

// open turns to a page by its name.
func (a *applet) open(name string) {
	for i, p := range a.pages {
		if p.name() == name {
			a.views.navigation.Select(a.views.rows[i])
			return
		}
	}
	a.views.navigation.Select(a.views.rows[0])
}

// turn brings a page to the front.
func (a *applet) turn(to int) {
	if to == a.current && a.views.title.Text("title") != "" {
		return
	}
	a.pages[a.current].leave()
	a.current = to
	a.pages[to].enter()
	a.front()
	a.scans.render()
}

// front shows the page that is in front, or what keeps all of them from being of use.
func (a *applet) front() {
	p := a.pages[a.current]
	a.views.title.Say("title", p.title())
	trouble := a.trouble()
	if trouble == nil {
		a.views.pages.Page(p.name())
	} else {
		a.views.problem.show(*trouble)
		a.views.pages.Page("problem")
	}
	a.views.back.Show(trouble == nil && p.deeper())
}

// closed is called when the window is to be closed: what runs is canceled, as nobody sees it.
func (a *applet) closed() (stay bool) {
	a.pages[a.current].leave()
	for _, p := range a.pages {
		for p.deeper() {
			p.back()
		}
	}
	a.untoast()
	a.window, a.pages, a.views = 0, nil, views{}
	a.current = 0
	a.scans.stop()
	return false
}

// failed says why something failed that has no page of its own, for as long as it takes to read:
// a toast has room for a line, and the second half says what helps.
func (a *applet) failed(s sentence, fine string) {
	if a.window == 0 {
		return
	}
	a.untoast()
	b := gtk.Build(failureXML)
	defer b.Done()
	dialog := b.Get("dialog")
	dialog.Set("heading", s.title)
	dialog.Set("body", strings.TrimSpace(s.body+"\n\n"+fine))
	dialog.Set("transient-for", a.window)
	dialog.Present()
}

// toast says something short that needs no answer, in place of what was said so before, which may
// be true no more.
func (a *applet) toast(text string) {
	if a.window != 0 {
		a.untoast()
		a.said = a.views.toasts.Toast(text)
	}
}

// untoast takes away what toast has said.
func (a *applet) untoast() {
	if a.said != 0 {
		a.said.Dismiss()
		a.said = 0
	}
}
