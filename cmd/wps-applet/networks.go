package main

import (
	_ "embed"
	"fmt"

	"wpsd/cmd/wps-applet/gtk"
	"wpsd/cmd/wps-applet/model"
)

//go:embed ui/delete.ui
var deleteXML string

// networks is the page of what is stored.
type networks struct {
	*deck
	list   *rowList
	empty  *notice
	chosen model.Path
	head   *heading
	more   *rowList
	place  gtk.Object // where the card goes
	card   *card
}

func newNetworks(a *applet) *networks {
	n := &networks{}
	all, one := newColumn(), newColumn()
	n.list = newGroup(all.box, T("Stored Networks"), "")
	n.head = newHeading(one.box)
	n.place = one.box
	n.more = newGroup(one.box, "", "")
	n.empty = newNotice()
	n.deck = newDeck(a, "list", map[string]gtk.Object{"list": all.root, "network": one.root,
		"empty": n.empty.root})
	return n
}

func (n *networks) name() string              { return "networks" }
func (n *networks) title() string             { return T("Networks") }
func (n *networks) icon() string              { return "network-wireless-encrypted-symbolic" }
func (n *networks) root() gtk.Object          { return n.view }
func (n *networks) visible(*model.State) bool { return true }
func (n *networks) enter()                    {}
func (n *networks) leave()                    { n.hide() }
func (n *networks) deeper() bool              { return n.where == "network" }

func (n *networks) back() {
	n.hide()
	n.chosen = ""
	n.to("list")
	n.render(&n.a.state)
}

// sourceText says how a network came.
func sourceText(source string) string {
	switch source {
	case "pbc":
		return T("Received by button")
	case "pin":
		return T("Received by PIN")
	case "nfc":
		return T("Received by tag")
	case "learn":
		return T("Read from the router")
	case "configure":
		return T("Given to the router")
	}
	return T("Added by hand")
}

func networkText(n model.Network) string {
	text := authText(n.Auth) + " · " + sourceText(n.Source)
	if !n.Created.IsZero() {
		text += " · " + n.Created.Local().Format("2006-01-02 15:04")
	}
	return text
}

func (n *networks) render(s *model.State) {
	var rows []row
	for _, one := range s.Networks {
		rows = append(rows, row{key: string(one.Path), title: ssidText(one.SSID),
			subtitle: networkText(one), icon: "network-wireless-encrypted-symbolic",
			do: func() { n.open(one.Path) }})
	}
	n.list.show(rows)
	if n.chosen != "" {
		if _, there := s.Network(n.chosen); !there && s.Service == model.Ready {
			n.hide()
			n.chosen = ""
			n.where = "list"
		}
	}
	if n.where == "list" || n.where == "empty" {
		n.where = "list"
		if len(rows) == 0 {
			n.where = "empty"
			n.empty.show(message{icon: "network-wireless-encrypted-symbolic",
				title:   T("No Network Is Stored"),
				body:    T("Networks that this computer joins by WPS are kept here."),
				primary: &button{T("Join a Network"), func() { n.a.open("join") }}})
		}
		n.view.Page(n.where)
	}
	n.renderOne(s)
}

func (n *networks) open(at model.Path) {
	n.hide()
	n.chosen = at
	n.renderOne(&n.a.state)
	n.to("network")
}

func (n *networks) renderOne(s *model.State) {
	one, ok := s.Network(n.chosen)
	if !ok {
		return
	}
	n.head.show(ssidText(one.SSID), networkText(one),
		&button{T("Connect"), func() { n.connect(one) }}, nil)
	secrets := row{key: "show", title: T("Password and QR Code"),
		subtitle: T("You may be asked for a password."), icon: "dialog-password-symbolic",
		button: T("Show"), do: func() { n.reveal(one) }}
	if n.card != nil {
		secrets.button, secrets.do = T("Hide"), n.hideAndRender
	}
	n.more.show([]row{secrets,
		{key: "delete", title: T("Delete This Network"), icon: "user-trash-symbolic",
			subtitle: T("Its password is forgotten here."), button: T("Delete"),
			do: func() { n.remove(one) }}})
}

// hide forgets the password that is shown.
func (n *networks) hide() {
	if n.card != nil {
		n.card.remove(n.place)
		n.card = nil
	}
}

func (n *networks) hideAndRender() {
	n.hide()
	n.render(&n.a.state)
}

// reveal shows the password; polkit may ask for another one first.
func (n *networks) reveal(one model.Network) {
	n.a.in("reading a password", func() func() {
		secrets, err := n.a.model.Secrets(one.Path)
		return func() {
			if err != nil {
				n.a.failed(explainError(err))
				return
			}
			if n.chosen != one.Path || n.card != nil {
				secrets.Key.Wipe()
				return
			}
			n.card = newCard(n.a, secrets)
			n.place.Append(n.card.root)
			n.card.root.Unref()
			n.render(&n.a.state)
		}
	})
}

// connect has the network manager connect.
func (n *networks) connect(one model.Network) {
	n.a.toast(fmt.Sprintf(T("Connecting to %s"), ssidText(one.SSID)))
	n.a.in("connecting", func() func() {
		err := n.a.model.Activate(one.Path)
		return func() {
			if err != nil {
				n.a.failed(explainConnect(err))
				return
			}
			n.a.toast(fmt.Sprintf(T("Connected to %s"), ssidText(one.SSID)))
		}
	})
}

// remove asks, and deletes.
func (n *networks) remove(one model.Network) {
	b := gtk.Build(deleteXML)
	defer b.Done()
	dialog := b.Get("dialog")
	dialog.Set("heading", fmt.Sprintf(T("Delete %s?"), ssidText(one.SSID)))
	dialog.Set("transient-for", n.a.window)
	dialog.OnText("response", func(answer string) {
		if answer != "delete" {
			return
		}
		n.a.in("deleting a network", func() func() {
			err := n.a.model.Delete(one.Path)
			return func() {
				if err != nil {
					n.a.failed(explainError(err))
					return
				}
				n.a.toast(T("The network was deleted."))
			}
		})
	})
	dialog.Present()
}
