package main

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"wpsd/cmd/wps-applet/gtk"
	"wpsd/cmd/wps-applet/model"
	"wpsd/engine/secret"
)

//go:embed ui/address.ui
var addressXML string

// devices is the page of the External Registrar: routers that were found over the network, and the
// devices that want in there. It looks for them while it is in front, unless it is told to go on.
type devices struct {
	*deck
	head    *heading
	waiting *rowList
	found   *rowList
	keep    gtk.Object
	address gtk.Object
	only    string // the address that the search is for; empty: all
	front   bool
	started []model.Path // interfaces whose search is ours
	asked   []model.Path // those that were asked already, since the page came to the front
}

func newDevices(a *applet) *devices {
	d := &devices{}
	all := newColumn()
	d.head = newHeading(all.box)
	d.waiting = newGroup(all.box, T("Devices That Want In"), "")
	d.found = newGroup(all.box, T("Routers in This Network"), "")
	b := gtk.Build(addressXML)
	defer b.Done()
	all.box.Append(b.Get("group"))
	d.keep, d.address = b.Get("keep"), b.Get("address")
	d.address.On("apply", d.lookAt)
	d.address.On("entry-activated", d.lookAt)
	d.keep.OnObject("notify::active", func(gtk.Object) { d.kept(d.keep.Bool("active")) })
	d.deck = newDeck(a, "list", map[string]gtk.Object{"list": all.root})
	return d
}

func (d *devices) name() string     { return "devices" }
func (d *devices) title() string    { return T("Devices") }
func (d *devices) icon() string     { return "phone-symbolic" }
func (d *devices) root() gtk.Object { return d.view }
func (d *devices) deeper() bool     { return d.where != "list" }

func (d *devices) visible(s *model.State) bool {
	return slices.ContainsFunc(s.Interfaces, func(i model.Interface) bool { return i.HasER })
}

func (d *devices) back() {
	if d.run.active() {
		d.run.back()
		return
	}
	d.to("list")
}

func (d *devices) enter() {
	d.front = true
	d.asked = nil
	d.search()
}

func (d *devices) leave() {
	d.front = false
	if d.keep.Bool("active") {
		return
	}
	d.stop()
}

// stop ends the searches that are ours.
func (d *devices) stop() {
	started := d.started
	d.started = nil
	d.a.in("ending the search", func() func() {
		for _, i := range started {
			_ = d.a.model.StopER(i) // it has ended, or ends with us
		}
		return nil
	})
}

// search starts the External Registrar where it does not run.
func (d *devices) search() {
	if !d.front || d.refused {
		return
	}
	for _, i := range d.a.state.Interfaces {
		if i.HasER && !i.ER && i.Mode != "ap" && !slices.Contains(d.asked, i.Path) {
			d.asked = append(d.asked, i.Path)
			d.startAt(i.Path, d.keep.Bool("active"), "")
		}
	}
}

func (d *devices) startAt(at model.Path, keep bool, address string) {
	d.a.in("looking for routers over the network", func() func() {
		err := d.a.model.StartER(at, keep, address)
		return func() {
			if err == nil && !slices.Contains(d.started, at) {
				d.started = append(d.started, at)
			}
			switch {
			case err == nil && !d.front && !keep:
				d.stop()
			case err == nil:
			case address != "", errorName(err) == "NotAuthorized",
				errorName(err) == "AuthorizationDismissed":
				s, fine := explainError(err)
				d.a.failed(s, fine)
			}
		}
	})
}

// kept says whether the search goes on without this page. One that runs is told so, and knows still
// what it had learned; one that was told so can only begin anew.
func (d *devices) kept(keep bool) {
	if !keep {
		d.restart(false, "")
		return
	}
	for _, i := range d.places() {
		d.startAt(i, true, d.only)
	}
}

// places are the interfaces where there can be a search.
func (d *devices) places() (at []model.Path) {
	for _, i := range d.a.state.Interfaces {
		if i.HasER && i.Mode != "ap" {
			at = append(at, i.Path)
		}
	}
	return at
}

// restart begins anew: kept or not, or at one address only.
func (d *devices) restart(keep bool, address string) {
	d.only = address
	at := d.places()
	running := d.started
	d.started = nil
	d.a.in("looking anew", func() func() {
		for _, i := range running {
			_ = d.a.model.StopER(i)
		}
		return func() {
			for _, i := range at {
				d.startAt(i, keep, address)
			}
		}
	})
}

// lookAt looks at the address that was typed, and at all again if none was.
func (d *devices) lookAt() {
	d.restart(d.keep.Bool("active"), strings.TrimSpace(d.address.Text("text")))
}

func (d *devices) render(s *model.State) {
	d.run.render(s)
	d.refuse(!s.May("scan") || !s.May("register"))
	d.search()
	title, body := T("Let a Device In"), T("Routers in this network are looked for. A device that asks one of them to be let in is shown here.")
	if !slices.ContainsFunc(s.Interfaces, func(i model.Interface) bool { return i.ER }) {
		body = T("The search has not begun: this computer is in no network with routers that can be asked.")
	}
	d.head.show(title, body, nil, nil)
	var waiting, found []row
	told := map[string]bool{} // each router in reach tells of a device
	for _, one := range s.Devices {
		if !strings.Contains(string(one.Path), "/er/") || told[one.MAC] {
			continue
		}
		told[one.MAC] = true
		line := deviceRow(one)
		line.do = func() { d.admit(one) }
		waiting = append(waiting, line)
	}
	d.waiting.show(waiting)
	for _, one := range s.Found {
		found = append(found, d.foundRow(one))
	}
	d.found.show(found)
}

// deviceRow describes a device that wants in.
func deviceRow(one model.Device) row {
	name := printable(one.Name)
	if name == "" {
		name = printable(one.MAC)
	}
	how := T("With its PIN")
	if one.Pressed {
		how = T("Its button is pressed")
	}
	about := strings.TrimSpace(printable(one.Manufacturer) + " " + printable(one.Model))
	if about != "" {
		how = about + " · " + how
	}
	return row{key: string(one.Path), title: name, subtitle: how + " · " + printable(one.MAC),
		icon: deviceIcon(one.DeviceType), button: T("Let In")}
}

// deviceIcon is a picture for a primary device type (WSC 2.0.8, table 41: its category).
func deviceIcon(kind string) string {
	category, _, _ := strings.Cut(kind, "-")
	switch category {
	case "1":
		return "computer-symbolic"
	case "3":
		return "printer-symbolic"
	case "4":
		return "camera-photo-symbolic"
	case "7", "8":
		return "video-display-symbolic"
	case "9":
		return "applications-games-symbolic"
	case "11":
		return "audio-speakers-symbolic"
	}
	return "phone-symbolic"
}

func (d *devices) foundRow(one model.FoundRouter) row {
	name := printable(one.Name)
	if name == "" {
		name = printable(one.Address)
	}
	about := []string{printable(one.Address)}
	if m := strings.TrimSpace(printable(one.Manufacturer) + " " + printable(one.Model)); m != "" {
		about = append([]string{m}, about...)
	}
	line := row{key: string(one.Path), title: name, icon: "network-server-symbolic"}
	switch {
	case one.Dropped:
		about = append(about, printable(one.Problem))
	case one.HasSettings:
		about = append(about, T("Devices can be let in"))
		line.button, line.do = T("Let a Device In"), func() { d.any(one) }
	default:
		if one.Locked {
			about = append(about, T("Takes no PIN of its own now"))
		}
		about = append(about, T("Its PIN is needed first"))
		line.button, line.do = T("Enter Its PIN"), func() { d.learn(one) }
	}
	line.subtitle = strings.Join(about, " · ")
	return line
}

// routerID names a router in calls: its address is its own even where others say to have its UUID.
func routerID(one model.FoundRouter) string {
	if one.Address != "" {
		return one.Address
	}
	return one.UUID
}

// learn reads a router's settings, so that devices can be let in there.
func (d *devices) learn(one model.FoundRouter) {
	d.ask(T("The PIN of the Router"),
		fmt.Sprintf(T("Type the PIN from the label of %s, or from its settings page. It is the router's own PIN, not one of this computer."), d.foundRow(one).title),
		func(pin string) {
			d.begin(order{title: T("Reading the Settings"), body: T("This takes a few seconds."),
				retype: func() { d.learn(one) },
				done: func(model.Session) (string, string) {
					return T("Devices Can Be Let In"), T("The settings of the router are known now. The router stays as it is.")
				},
				begin: func() (model.Path, secret.Value, error) {
					session, err := d.a.model.LearnER(one.Interface, routerID(one), pin,
						model.Options{})
					return session, secret.Value{}, err
				}})
		})
}

// admitted is what is said about a device that was let in.
func admitted(s model.Session) (title, body string) {
	return T("The Device Is In"), fmt.Sprintf(T("It has the network now.\nIts address is %s."),
		printable(s.Peer))
}

// any lets the next device in that presses its button at a router.
func (d *devices) any(one model.FoundRouter) {
	d.begin(order{title: T("Press the Button of the Device"), keyless: true, done: admitted,
		body: T("Press its WPS button, or start WPS in its settings. You have two minutes."),
		begin: func() (model.Path, secret.Value, error) {
			session, err := d.a.model.AdmitPBC(one.Interface, routerID(one))
			return session, secret.Value{}, err
		}})
}

// admit lets a device in that asks.
func (d *devices) admit(one model.Device) {
	if one.Pressed {
		d.begin(order{title: T("Letting the Device In"), keyless: true, done: admitted,
			body: T("This takes a few seconds."),
			begin: func() (model.Path, secret.Value, error) {
				session, err := d.a.model.AdmitPBC(one.Interface, one.MAC)
				return session, secret.Value{}, err
			}})
		return
	}
	d.ask(T("The PIN of the Device"), fmt.Sprintf(T("Type the PIN that %s shows or has on its label."), deviceRow(one).title),
		func(pin string) {
			d.begin(order{title: T("Waiting for the Device"), keyless: true, done: admitted,
				body:   T("It is let in when it comes with this PIN."),
				retype: func() { d.admit(one) },
				begin: func() (model.Path, secret.Value, error) {
					session, err := d.a.model.AdmitPIN(one.Interface, one.MAC, pin)
					return session, secret.Value{}, err
				}})
		})
}
