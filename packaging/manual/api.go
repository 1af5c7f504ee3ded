package main

import (
	"fmt"
	"strings"

	"wpsd/introspection"
	"wpsd/packaging/roff"
)

// apiManual is a page about an API.
type apiManual struct{ *roff.Page }

// apiPage turns the introspection data into a manual page.
func apiPage(all []introspection.Interface) string {
	p := &apiManual{roff.NewPage("fi.w1.wps", "7",
		"the D-Bus API of wpsd, the Wi-Fi Protected Setup service", "wpsd")}
	p.Section("DESCRIPTION")
	p.Text("wpsd is on the system bus as fi.w1.wps. Its root is the object /fi/w1/wps, which has the interfaces fi.w1.wps.Manager and " +
		"org.freedesktop.DBus.ObjectManager; all other objects are below it. Each object has Properties, Introspectable and Peer of " +
		"org.freedesktop.DBus. Names of errors have fi.w1.wps.Error. in front of them. Values of type ay are bytes without any encoding.\n\n" +
		"What a method says of access is the action that polkit is asked for.")
	for _, i := range all {
		if !strings.HasPrefix(i.Name, "fi.w1.wps.") {
			continue // the standard ones have manuals of their own
		}
		p.Section("Interface " + i.Name)
		p.Text(i.Doc.Text)
		p.methods(i.Methods)
		p.signals(i.Signals)
		p.properties(i.Properties)
	}
	p.Section("LIFETIME")
	p.Text("A call starts wpsd, and wpsd ends when nobody needs it: no session runs, no call is under way, and no client is there that has asked " +
		"for all objects. A client that follows NameOwnerChanged does not take each departure for the end of its session: a wpsd that nobody needed " +
		"may have left just before a call started the next one, and that may be read after the answer to this call. The session is gone if the name " +
		"has another owner now than who answered StartPbc or StartPin, the sender of the reply. Without looking at that, ask for Session.State: the error " +
		"UnknownObject says that the session is gone. A wpsd that is called in the moment in which it gives its name back has the name again before it answers.")
	p.Section("STABILITY")
	p.Text("Names of objects, interfaces, methods, signals, properties and errors, their types and what they mean stay as they are here. " +
		"Manager.ApiVersion counts the versions of the API; what says \"Since\" is there from that version on, and all else was there before. " +
		"A change that a client would have to follow would be another API, with another name on the bus.\n\n" +
		"What may come at any time, and a client passes over if it does not know it: objects, interfaces, methods, signals, properties, keys of " +
		"dictionaries, and words where this page says that words may be added. An option that wpsd does not know is an error, " +
		"InvalidArguments: look at ApiVersion before. Sentences are for people, and may be others tomorrow; programs go by reasons and names of errors.\n\n" +
		"wpsd itself has semantic versions (semver.org): Manager.Version.")
	p.Section("FILES")
	p.Markup(roff.Italic("/usr/share/dbus-1/interfaces/fi.w1.wps.*.xml"))
	p.Also("wpsd(8)", "wpsctl(1)", "busctl(1)", "polkit(8)")
	return p.String()
}

func (p *apiManual) methods(list []introspection.Method) {
	if len(list) == 0 {
		return
	}
	p.Subsection("Methods")
	for _, m := range list {
		title := fmt.Sprintf("%s(%s)", m.Name, args(m.In))
		if len(m.Out) > 0 {
			title += " -> " + args(m.Out)
		}
		p.Item(title)
		p.doc(m.Doc)
	}
}

func (p *apiManual) signals(list []introspection.Signal) {
	if len(list) == 0 {
		return
	}
	p.Subsection("Signals")
	for _, s := range list {
		p.Item(fmt.Sprintf("%s(%s)", s.Name, args(s.Args)))
		p.doc(s.Doc)
	}
}

func (p *apiManual) properties(list []introspection.Property) {
	if len(list) == 0 {
		return
	}
	p.Subsection("Properties")
	for _, one := range list {
		title := one.Type + " " + one.Name
		var notes []string
		if one.Writable {
			notes = append(notes, "can be written")
		}
		switch one.Emits {
		case introspection.EmitsConst:
			notes = append(notes, "never changes")
		case introspection.EmitsInvalidates:
			notes = append(notes, "PropertiesChanged invalidates it")
		case introspection.EmitsNothing:
			notes = append(notes, "changes are not told")
		case introspection.EmitsValue:
		}
		if len(notes) > 0 {
			title += " (" + strings.Join(notes, ", ") + ")"
		}
		p.Item(title)
		p.doc(one.Doc)
	}
}

// args lists arguments with their types.
func args(list []introspection.Arg) string {
	var text []string
	for _, a := range list {
		text = append(text, a.Type+" "+a.Name)
	}
	return strings.Join(text, ", ")
}

// doc writes what a comment says.
func (p *apiManual) doc(d introspection.Doc) {
	p.Below(d.Text)
	for _, a := range d.Args {
		name := a.Name
		if a.Key != "" {
			name += fmt.Sprintf("[\"%s\"] (%s)", a.Key, a.Type)
		}
		p.BelowMarkup(roff.Italic(name) + ": " + roff.Escape(a.Text))
	}
	if d.Access != "" {
		p.BelowMarkup("Access: " + roff.Escape(d.Access))
	}
	if len(d.Errors) > 0 {
		p.BelowMarkup("Errors: " + roff.Escape(strings.Join(d.Errors, ", ")))
	}
	if d.Since != "" {
		p.BelowMarkup("Since: " + roff.Escape(d.Since))
	}
}
