package main

import (
	"fmt"
	"strings"

	"wpsd/cmd/wps-applet/gtk"
	"wpsd/cmd/wps-applet/model"
	"wpsd/engine/secret"
)

// hotspot is the page of an access point of this machine. It is there where there is one.
type hotspot struct {
	*deck
	head    *heading
	waiting *rowList
	ways    *rowList
	own     *rowList
	at      model.Interface
	pin     secret.Value // the access point's own, while it is shown
	pinAt   model.Path
}

func newHotspot(a *applet) *hotspot {
	h := &hotspot{}
	all := newColumn()
	h.head = newHeading(all.box)
	h.waiting = newGroup(all.box, T("Devices That Want In"), "")
	h.ways = newGroup(all.box, T("Other Ways"), "")
	h.own = newGroup(all.box, T("The Hotspot's Own PIN"),
		T("Whoever has it can read and change the settings of this hotspot from another computer."))
	h.deck = newDeck(a, "list", map[string]gtk.Object{"list": all.root})
	return h
}

func (h *hotspot) name() string     { return "hotspot" }
func (h *hotspot) title() string    { return T("Hotspot") }
func (h *hotspot) icon() string     { return "network-wireless-hotspot-symbolic" }
func (h *hotspot) root() gtk.Object { return h.view }
func (h *hotspot) enter()           {}
func (h *hotspot) leave()           { h.forget() }
func (h *hotspot) deeper() bool     { return h.where != "list" }

func (h *hotspot) visible(s *model.State) bool {
	_, ok := s.AccessPoint()
	return ok
}

func (h *hotspot) back() {
	if h.run.active() {
		h.run.back()
		return
	}
	h.to("list")
}

func (h *hotspot) forget() {
	h.pin.Wipe()
	h.pin, h.pinAt = secret.Value{}, ""
}

func (h *hotspot) render(s *model.State) {
	h.run.render(s)
	h.refuse(!s.May("register"))
	at, ok := s.AccessPoint()
	if !ok {
		return
	}
	h.at = at
	h.head.show(T("Let a Device In"), fmt.Sprintf(T("This computer is an access point (%s). Press its button here, then the one of the device."), printable(at.Name)),
		&button{T("Press the Hotspot's Button"), h.push},
		&button{T("Enter the Device's PIN"), func() { h.devicePIN("") }})
	var waiting []row
	for _, one := range s.Devices {
		if one.Interface != at.Path || strings.Contains(string(one.Path), "/er/") {
			continue
		}
		line := deviceRow(one)
		line.do = func() {
			if one.Pressed {
				h.push()
				return
			}
			h.devicePIN(one.MAC)
		}
		waiting = append(waiting, line)
	}
	h.waiting.show(waiting)
	h.ways.show([]row{{key: "made", title: T("Make a PIN for the Device"),
		subtitle: T("For a device where a PIN is typed in."), icon: "dialog-password-symbolic",
		button: T("Make"), do: h.makePIN}})
	var own []row
	if at.Can("ap-pin") || len(at.Capabilities) == 0 {
		own = h.ownRows(at)
	}
	h.own.show(own)
}

func (h *hotspot) ownRows(at model.Interface) []row {
	shown := T("Not shown")
	if h.pinAt == at.Path {
		shown = T("There is none")
		if !h.pin.IsZero() {
			shown = pinText(string(h.pin.Bytes()))
		}
	}
	if at.Locked {
		shown += " · " + T("Locked after wrong PINs: make a new one")
	}
	return []row{
		{key: "get", title: T("Own PIN"), subtitle: shown, button: T("Show"),
			do: func() { h.own1("get") }},
		{key: "random", title: T("New PIN"), subtitle: T("The old one is good no more."),
			button: T("Make"), do: func() { h.own1("random") }},
		{key: "disable", title: T("No PIN"), subtitle: T("Nobody can change the settings by WPS."),
			button: T("Remove"), do: func() { h.own1("disable") }},
	}
}

// own1 does something with the hotspot's own PIN.
func (h *hotspot) own1(command string) {
	at := h.at.Path
	h.a.in("the hotspot's PIN", func() func() {
		pin, err := h.a.model.APPIN(at, command)
		return func() {
			if err != nil {
				s, fine := explainError(err)
				h.a.failed(s, fine)
				return
			}
			h.forget()
			h.pin, h.pinAt = pin, at
			h.render(&h.a.state)
		}
	})
}

func (h *hotspot) push() {
	at := h.at.Path
	h.begin(order{title: T("Press the Button of the Device"), keyless: true, done: admitted,
		body: T("Press its WPS button, or start WPS in its settings. You have two minutes."),
		begin: func() (model.Path, secret.Value, error) {
			session, err := h.a.model.StartPBC(at, model.Options{})
			return session, secret.Value{}, err
		}})
}

// makePIN makes a PIN, which is typed in at the device.
func (h *hotspot) makePIN() {
	at := h.at.Path
	h.begin(order{title: T("Type This PIN Into the Device"), keyless: true, done: admitted,
		body: T("It is good for two minutes, and for one device."),
		begin: func() (model.Path, secret.Value, error) {
			return h.a.model.StartPIN(at, model.Options{})
		}})
}

// devicePIN lets the device in whose PIN it is.
func (h *hotspot) devicePIN(mac string) {
	at := h.at.Path
	h.ask(T("The PIN of the Device"), T("Type the PIN that the device shows or has on its label."),
		func(pin string) {
			h.begin(order{title: T("Waiting for the Device"), keyless: true, done: admitted,
				body:   T("It is let in when it comes with this PIN."),
				retype: func() { h.devicePIN(mac) },
				begin: func() (model.Path, secret.Value, error) {
					o := model.Options{"pin": pin}
					if mac != "" {
						o["mac"] = mac
					}
					session, _, err := h.a.model.StartPIN(at, o)
					return session, secret.Value{}, err
				}})
		})
}
