package main

import (
	"wpsd/cmd/wps-applet/gtk"
	"wpsd/cmd/wps-applet/model"
)

// trouble says what keeps all pages from being of use; nil: nothing does. Each goes away by itself
// when its cause does: the model follows the bus.
func (a *applet) trouble() *message {
	retry := &button{T("Try Again"), a.model.Retry}
	switch a.state.Service {
	case model.NoBus:
		return &message{icon: "network-offline-symbolic", title: T("No System Bus"),
			body: T("The Wi-Fi setup service is reached over D-Bus, and the system bus does not answer. This window comes back by itself when it does.")}
	case model.Starting:
		return &message{icon: "content-loading-symbolic", title: T("Starting…"),
			body: T("The Wi-Fi setup service is being started.")}
	case model.NotInstalled:
		return &message{icon: "dialog-warning-symbolic", title: T("The Service Is Not Installed"),
			body:    T("This window needs the service wpsd. Install the package wpsd, or start the service."),
			primary: retry}
	case model.Away:
		return &message{icon: "dialog-warning-symbolic", title: T("The Service Is Not Running"),
			body: T("The Wi-Fi setup service ended, or could not be started. What it stored is safe. Start it again to go on."),
			fine: a.state.Why, primary: &button{T("Start the Service"), a.model.Retry}}
	}
	if len(a.state.Interfaces) == 0 {
		return &message{icon: "network-wireless-offline-symbolic", title: T("No Wi-Fi Adapter"),
			body: T("This computer has no Wi-Fi adapter, or its driver is not loaded. Plug one in: this window notices.")}
	}
	return nil
}

// noStation is what a page says that needs a station where there is none.
func noStation() message {
	return message{icon: "network-wireless-offline-symbolic", title: T("No Wi-Fi Adapter to Join With"),
		body: T("The Wi-Fi adapter of this computer is an access point at the moment, or has no radio.")}
}

// notAllowedIcon stands beside what nobody may do here, before it is tried and after.
const notAllowedIcon = "changes-prevent-symbolic"

// notAllowed is what a page says whose actions are refused, and not even for a password. It goes away
// when that changes: the model hears of it.
func notAllowed(a *applet, body string) message {
	return message{icon: notAllowedIcon, title: T("Not Allowed"), body: body,
		fine:    T("This page comes back by itself when it is allowed."),
		primary: &button{T("Try Again"), a.model.AskPermissions}}
}

// notAllowedHere is notAllowed for a page that says nothing special.
func notAllowedHere(a *applet) message {
	return notAllowed(a, T("You may not do this on this computer. Ask who administers it."))
}

// radioOff is what a page says while the radio is off.
func radioOff(a *applet) message {
	return message{icon: "network-wireless-disabled-symbolic", title: T("Wi-Fi Is Switched Off"),
		body:    T("The radio is off, by airplane mode or by a switch of this computer."),
		primary: &button{T("Switch Wi-Fi On"), func() { a.switchOn(nil) }}}
}

// scanInterval is how often the air is listened to while a page shows it, in seconds, and how often
// it is tried whether a radio that was off is on again.
const (
	scanInterval  = 15
	radioInterval = 4
)

// scanner looks for routers while somebody looks at a page that shows them: when it is opened, and
// every now and then.
type scanner struct {
	a       *applet
	timer   *gtk.Timer
	every   uint32
	under   bool // a scan is under way
	blocked bool // the radio is off
}

// wants tells whether the page that is in front shows what is heard.
func (s *scanner) wants() bool {
	a := s.a
	if a.window == 0 || a.state.Service != model.Ready {
		return false
	}
	name := a.pages[a.current].name()
	if name != "join" && name != "routers" {
		return false
	}
	station, ok := a.station()
	return ok && station.Session == ""
}

// render starts or stops it.
func (s *scanner) render() {
	every := uint32(scanInterval)
	if s.blocked {
		every = radioInterval
	}
	switch {
	case !s.wants():
		s.stop()
	case s.timer == nil || s.every != every:
		s.timer.Stop()
		s.every = every
		s.timer = gtk.EverySecond(every, func() bool { s.now(); return true })
		if !s.blocked {
			s.now()
		}
	}
}

// now scans once.
func (s *scanner) now() {
	station, ok := s.a.station()
	if s.under || !ok || !s.a.state.May("scan") {
		return
	}
	s.under = true
	a := s.a
	a.in("looking for routers", func() func() {
		err := a.model.Scan(station.Path)
		return func() {
			s.under = false
			// That it is busy, say, is no news: what is heard shows all the same.
			blocked := errorName(err) == "RadioBlocked"
			if blocked != s.blocked {
				s.blocked = blocked
				a.render()
			}
		}
	})
}

func (s *scanner) stop() {
	s.timer.Stop()
	s.timer = nil
}

// station is the interface that joins networks.
func (a *applet) station() (model.Interface, bool) {
	if i, ok := a.state.Station(a.adapter); ok {
		return i, true
	}
	return a.state.Station("")
}
