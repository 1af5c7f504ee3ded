package introspection

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
)

// Names of annotations that code generators read: gdbus-codegen makes comments in C, and pages in
// reStructuredText and DocBook of them.
const (
	docString   = "org.gtk.GDBus.DocString"
	sinceString = "org.gtk.GDBus.Since"
)

// Documented is the file of an interface for those who generate code of it: what it says stands in
// annotations, since generators know nothing of comments like ours.
func (i *Interface) Documented() []byte {
	var out bytes.Buffer
	out.WriteString(`<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">
<node>
`)
	fmt.Fprintf(&out, "  <interface name=\"%s\">\n", escape(i.Name))
	annotate(&out, "    ", i.Doc)
	for _, m := range i.members {
		m.write(&out, m.kind, &m.doc)
	}
	out.WriteString("  </interface>\n</node>\n")
	return out.Bytes()
}

// annotate writes what a comment says of an element.
func annotate(w *bytes.Buffer, indent string, d Doc) {
	text := d.Text
	if d.Access != "" {
		text += "\n\nAccess: " + d.Access
	}
	if len(d.Errors) > 0 {
		text += "\n\nErrors: " + strings.Join(d.Errors, ", ")
	}
	annotation(w, indent, docString, text)
	if d.Since != "" {
		annotation(w, indent, sinceString, d.Since)
	}
}

func annotation(w *bytes.Buffer, indent, name, value string) {
	fmt.Fprintf(w, "%s<annotation name=\"%s\" value=\"%s\"/>\n", indent, name, escape(value))
}

// ofArg is what a comment says of an argument: with the keys that it may have.
func (d *Doc) ofArg(name string) string {
	var text []string
	for _, a := range d.Args {
		switch {
		case a.Name != name:
		case a.Key == "":
			text = append(text, a.Text)
		default:
			text = append(text, fmt.Sprintf("\"%s\" (%s): %s", a.Key, a.Type, a.Text))
		}
	}
	return strings.Join(text, "\n\n")
}

// escape makes text fit for an attribute.
func escape(text string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(text)); err != nil {
		return "" // a strings.Builder takes everything
	}
	return b.String()
}
