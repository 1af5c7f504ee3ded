package main

import (
	_ "embed"
	"fmt"
	"strings"

	"wpsd/cmd/wps-applet/gtk"
	"wpsd/cmd/wps-applet/model"
	"wpsd/engine/secret"
)

//go:embed ui/configure.ui
var configureXML string

// routers is the page of the routers in range: one row each, what there is to do with one behind it.
type routers struct {
	*deck
	list    *rowList
	empty   *notice
	chosen  string // key of the router that is looked at
	head    *heading
	setup   *rowList
	about   *rowList
	change  *change
	confirm *confirmation
}

func newRouters(a *applet) *routers {
	r := &routers{}
	all, one := newColumn(), newColumn()
	r.list = newGroup(all.box, T("Routers in Range"), "")
	r.head = newHeading(one.box)
	r.setup = newGroup(one.box, T("Settings of the Router"),
		T("These need the router's own PIN, from its label or its settings page."))
	r.about = newGroup(one.box, T("About"), "")
	r.empty = newNotice()
	r.change = newChange(r)
	r.confirm = newConfirmation()
	r.deck = newDeck(a, "list", map[string]gtk.Object{"list": all.root, "router": one.root,
		"empty": r.empty.root, "change": r.change.root, "confirm": r.confirm.root})
	r.run.leave = func() { r.to("list"); r.render(&a.state) }
	return r
}

func (r *routers) name() string              { return "routers" }
func (r *routers) title() string             { return T("Routers") }
func (r *routers) icon() string              { return "network-wireless-symbolic" }
func (r *routers) root() gtk.Object          { return r.view }
func (r *routers) visible(*model.State) bool { return true }
func (r *routers) enter()                    {}
func (r *routers) leave()                    {}
func (r *routers) deeper() bool              { return r.where != "list" && r.where != "empty" }

func (r *routers) back() {
	switch {
	case r.run.active():
		r.run.back()
	case r.where == "confirm":
		r.to("change")
	case r.where == "entry" || r.where == "change":
		r.to("router")
	default:
		r.to("list")
	}
	r.render(&r.a.state)
}

// routerText describes a router in a line.
func routerText(r model.Router) string {
	var parts []string
	if s := securityText(r.Security); s != "" {
		parts = append(parts, s)
	}
	if bands := r.Bands(); len(bands) > 0 {
		parts = append(parts, strings.Join(bands, " + ")+" GHz")
	}
	parts = append(parts, signalText(r.Signal))
	switch {
	case r.Why == "wpa3-only":
		parts = append(parts, T("WPA3 only"))
	case r.Why == "hidden":
		parts = append(parts, T("Hides its name"))
	case !r.Usable:
		parts = append(parts, T("WPS cannot join it"))
	case r.Locked:
		parts = append(parts, T("Takes no PIN of its own now"))
	}
	if !r.Configured && r.Usable {
		parts = append(parts, T("Not set up yet"))
	}
	return strings.Join(parts, " · ")
}

func (r *routers) render(s *model.State) {
	r.run.render(s)
	station, ok := r.a.station()
	var rows []row
	for _, one := range s.Routers {
		if one.Interface != station.Path {
			continue
		}
		key := one.Key()
		line := row{key: key, title: ssidText(one.SSID), subtitle: routerText(one),
			icon: signalIcon(one.Signal), do: func() { r.open(key) }}
		if one.Pressed {
			line.badge = T("Button pressed")
		} else if one.Expects {
			line.badge = T("Expects this device")
		}
		rows = append(rows, line)
	}
	r.list.show(rows)
	if r.where == "list" || r.where == "empty" {
		r.where = "list"
		if len(rows) == 0 {
			r.where = "empty"
			m := message{icon: "network-wireless-symbolic", title: T("No Router in Range"),
				body: T("No router with WPS is heard. Go nearer to one, and see whether WPS is switched on in its settings.")}
			if !ok {
				m = noStation()
			} else if r.a.scans.blocked {
				m = radioOff(r.a)
			} else if !s.May("scan") {
				m = notAllowedHere(r.a)
			}
			r.empty.show(m)
		}
		r.view.Page(r.where)
	}
	if r.chosen != "" {
		r.renderOne(s)
	}
}

// open looks at one router.
func (r *routers) open(key string) {
	r.chosen = key
	r.renderOne(&r.a.state)
	r.to("router")
}

// one is the router that is looked at.
func (r *routers) one(s *model.State) (model.Router, bool) {
	for _, one := range s.Routers {
		if one.Key() == r.chosen {
			return one, true
		}
	}
	return model.Router{}, false
}

// renderOne shows the router that is looked at. One that is not heard now stays as it was.
func (r *routers) renderOne(s *model.State) {
	one, ok := r.one(s)
	if !ok {
		return
	}
	bssid := ""
	if len(one.BSSs) == 1 || one.UUID != "" {
		bssid = one.BSSID()
	}
	byButton := &button{T("Join by Button"), func() {
		r.begin(r.a.pushOrder(one.Interface, bssid))
	}}
	byPIN := &button{T("Join by PIN"), func() {
		o := r.a.pinOrder(one.Interface, bssid, "")
		r.begin(o)
	}}
	if !one.Usable || !s.May("enroll") {
		byButton, byPIN = nil, nil
	}
	r.head.show(ssidText(one.SSID), routerText(one), byButton, byPIN)
	r.setup.show([]row{
		{key: "learn", title: T("Read Its Settings"), subtitle: T("Get the network's name and password with the router's PIN. The router stays as it is."),
			icon: "document-open-symbolic", do: func() { r.learn(one) }},
		{key: "configure", title: T("Change Its Settings"), subtitle: T("Give it another name and password. What changes is shown before it is written."),
			icon: "document-edit-symbolic", do: func() { r.change.open(one) }},
	})
	about := []row{}
	maker := strings.TrimSpace(printable(one.Manufacturer) + " " + printable(one.Model))
	if name := printable(one.Name); name != "" {
		about = append(about, row{key: "name", title: T("Calls itself"), subtitle: name})
	}
	if maker != "" {
		about = append(about, row{key: "maker", title: T("Model"), subtitle: maker})
	}
	for _, b := range one.BSSs {
		about = append(about, row{key: b.BSSID, title: fmt.Sprintf(T("Radio at %s GHz, channel %d"),
			b.Band, b.Channel), subtitle: b.BSSID})
	}
	r.about.show(about)
}

// learn reads a router's settings.
func (r *routers) learn(one model.Router) {
	r.ask(T("The PIN of the Router"),
		fmt.Sprintf(T("Type the PIN from the label of %s, or from its settings page. It is the router's own PIN, not one of this computer."), ssidText(one.SSID)),
		func(pin string) {
			o := order{title: T("Reading the Settings"), body: T("This takes a few seconds."),
				retype: func() { r.learn(one) },
				done: func(model.Session) (string, string) {
					return T("These Are Its Settings"), T("They are stored among the networks. The router stays as it is.")
				},
				begin: func() (model.Path, secret.Value, error) {
					session, err := r.a.model.Learn(one.Interface, one.BSSID(), pin,
						model.Options{"apply": "none"})
					return session, secret.Value{}, err
				}}
			r.begin(o)
		})
}

// change is the form for new settings.
type change struct {
	r                              *routers
	root                           gtk.Object
	head                           *heading
	nameRow, securityRow, password gtk.Object
	router                         model.Router
}

// securities are what a router can be set to: how it is called, and in the words of D-Bus.
var securities = []struct{ label, auth, encryption string }{
	{text("WPA2"), "WPA2PSK", "CCMP"},
	{text("WPA/WPA2, for old devices"), "WPAPSK|WPA2PSK", "TKIP|CCMP"},
	{text("Open: anybody can join and listen"), "OPEN", "NONE"},
}

func newChange(r *routers) *change {
	col := newColumn()
	ch := &change{r: r, root: col.root}
	ch.head = newHeading(col.box)
	b := gtk.Build(configureXML)
	defer b.Done()
	col.box.Append(b.Get("group"))
	ch.nameRow, ch.securityRow, ch.password = b.Get("name"), b.Get("security"), b.Get("password")
	var labels []string
	for _, s := range securities {
		labels = append(labels, T(s.label))
	}
	list := gtk.Strings(labels)
	ch.securityRow.Set("model", list)
	list.Unref()
	ch.securityRow.OnObject("notify::selected", func(gtk.Object) { ch.check() })
	ch.nameRow.On("changed", ch.check)
	ch.password.On("changed", ch.check)
	return ch
}

func (ch *change) open(router model.Router) {
	ch.router = router
	ch.nameRow.Set("text", "")
	if len(router.SSID) > 0 {
		ch.nameRow.Set("text", ssidText(router.SSID))
	}
	ch.password.Set("text", "")
	ch.securityRow.Set("selected", uint32(0))
	ch.check()
	ch.r.to("change")
}

func (ch *change) isOpen() bool { return ch.securityRow.Uint("selected") == 2 }

// check allows to go on with what makes a network.
func (ch *change) check() {
	ch.password.Show(!ch.isOpen())
	n, p := len(ch.nameRow.Text("text")), len(ch.password.Text("text"))
	fine := n >= 1 && n <= 32 && (ch.isOpen() || p >= 8 && p <= 64)
	var next *button
	if fine {
		next = &button{T("Look at the Changes"), ch.review}
	}
	ch.head.show(fmt.Sprintf(T("Change %s"), ssidText(ch.router.SSID)), "", next, nil)
}

// review shows what will be written, and asks for the PIN.
func (ch *change) review() {
	s := securities[min(int(ch.securityRow.Uint("selected")), len(securities)-1)]
	name, key := ch.nameRow.Text("text"), ch.password.Text("text")
	settings := model.Options{"ssid": []byte(name), "auth": s.auth, "encryption": s.encryption,
		"apply": "none"}
	if s.auth != "OPEN" {
		settings["key"] = []byte(key)
	} else {
		key = T("None: the network is open")
	}
	router := ch.router
	was := securityText(router.Security)
	ch.r.confirm.show(router, []row{
		{key: "name", title: T("Network name"), subtitle: arrow(ssidText(router.SSID), name)},
		{key: "security", title: T("Security"), subtitle: arrow(was, T(s.label))},
		{key: "password", title: T("New password"), subtitle: key},
	}, func() { ch.r.configure(router, settings) })
	ch.r.to("confirm")
}

// arrow tells old from new.
func arrow(old, new string) string {
	if old == new || old == "" {
		return fmt.Sprintf(T("%s (unchanged)"), new)
	}
	return fmt.Sprintf(T("%s, so far %s"), new, old)
}

// confirmation shows what changes before it is written.
type confirmation struct {
	root gtk.Object
	head *heading
	rows *rowList
}

func newConfirmation() *confirmation {
	col := newColumn()
	c := &confirmation{root: col.root, head: newHeading(col.box)}
	c.rows = newGroup(col.box, T("This Will Be Written"), "")
	return c
}

func (c *confirmation) show(router model.Router, rows []row, then func()) {
	c.head.show(fmt.Sprintf(T("Change %s?"), ssidText(router.SSID)),
		T("Every device that is in the network now has to join it anew."),
		&button{T("Enter the Router's PIN"), then}, nil)
	c.rows.show(rows)
}

// configure gives a router new settings.
func (r *routers) configure(one model.Router, settings model.Options) {
	r.ask(T("The PIN of the Router"),
		fmt.Sprintf(T("Type the PIN from the label of %s, or from its settings page. It is the router's own PIN, not one of this computer."), ssidText(one.SSID)),
		func(pin string) {
			r.begin(order{title: T("Writing the Settings"), body: T("This takes a few seconds."),
				retype: func() { r.configure(one, settings) },
				done: func(model.Session) (string, string) {
					return T("The Router Has Its New Settings"), T("They are stored among the networks. Join your devices anew.")
				},
				begin: func() (model.Path, secret.Value, error) {
					session, err := r.a.model.Configure(one.Interface, one.BSSID(), pin, settings)
					return session, secret.Value{}, err
				}})
		})
}
