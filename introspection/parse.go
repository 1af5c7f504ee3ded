package introspection

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
)

// Interface is one D-Bus interface.
type Interface struct {
	Name       string
	Doc        Doc
	Methods    []Method
	Signals    []Signal
	Properties []Property
	// XML is the <interface> element without comments, as Introspect gives it.
	XML []byte

	members []member // in their order, for Documented
}

// Method is a method of an interface.
type Method struct {
	Name    string
	Doc     Doc
	In, Out []Arg
}

// Signal is a signal of an interface.
type Signal struct {
	Name string
	Doc  Doc
	Args []Arg
}

// Property is a property of an interface.
type Property struct {
	Name, Type string
	Doc        Doc
	Writable   bool
	Emits      Emits
}

// Arg is an argument of a method or signal.
type Arg struct{ Name, Type string }

// Emits says what PropertiesChanged tells of a property (annotation EmitsChangedSignal).
type Emits string

// The values of the annotation; EmitsValue is what no annotation means.
const (
	EmitsValue       Emits = "true"
	EmitsInvalidates Emits = "invalidates"
	EmitsConst       Emits = "const"
	EmitsNothing     Emits = "false"
)

// Doc is the comment before an element, taken apart. A comment has paragraphs of text, then lines
// that begin with "@name:" for an argument or "@name.key: (type)" for a key of an argument that is
// a dictionary, then lines with "Access:", "Errors:" and "Since:". A line that begins further to
// the right goes on the one before.
type Doc struct {
	Text   string   // paragraphs separated by an empty line
	Args   []DocArg // in their order
	Access string   // who may call it: "anyone", or a polkit action and exceptions
	Errors []string // names without fi.w1.wps.Error.
	Since  string   // the Manager.ApiVersion that had it first; empty: it is older
}

// DocArg describes an argument, or one key of it.
type DocArg struct{ Name, Key, Type, Text string }

// All returns our interfaces and the standard ones, sorted by name.
func All() ([]Interface, error) { return readFiles(Parse) }

// readFiles has each of our files read, and sorts what comes by name.
func readFiles(read func(text []byte) ([]Interface, error)) ([]Interface, error) {
	names, err := fs.Glob(files, "*.xml")
	if err != nil {
		return nil, err
	}
	var all []Interface
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		list, err := read(text)
		if err != nil {
			return nil, fmt.Errorf("introspection: %s: %w", name, err)
		}
		all = append(all, list...)
	}
	slices.SortFunc(all, func(a, b Interface) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// Signature joins the types of args.
func Signature(args []Arg) string {
	var s strings.Builder
	for _, a := range args {
		s.WriteString(a.Type)
	}
	return s.String()
}

// parser walks through one file.
type parser struct {
	d       *xml.Decoder
	comment string // the last one, until an element takes it
}

// Parse reads the interfaces of one file.
func Parse(text []byte) ([]Interface, error) {
	p := parser{d: xml.NewDecoder(bytes.NewReader(text))}
	var list []Interface
	for {
		t, err := p.d.Token()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.Comment:
			p.comment = string(t)
		case xml.StartElement:
			if t.Name.Local != "interface" {
				continue // <node>
			}
			i, err := p.iface(t)
			if err != nil {
				return nil, err
			}
			list = append(list, i)
		}
	}
}

// doc takes the comment that stands before an element.
func (p *parser) doc() Doc {
	d := parseDoc(p.comment)
	p.comment = ""
	return d
}

// attr finds an attribute of an element.
func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// member is what methods, signals and properties have in common in XML.
type member struct {
	Name        string             `xml:"name,attr"`
	Type        string             `xml:"type,attr"`
	Access      string             `xml:"access,attr"`
	Args        []memberArg        `xml:"arg"`
	Annotations []memberAnnotation `xml:"annotation"`
	kind        string             // of the element
	doc         Doc
}

type memberArg struct {
	Name      string `xml:"name,attr"`
	Type      string `xml:"type,attr"`
	Direction string `xml:"direction,attr"`
}

type memberAnnotation struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

// iface reads an <interface> element to its end.
func (p *parser) iface(start xml.StartElement) (Interface, error) {
	i := Interface{Name: attr(start, "name"), Doc: p.doc()}
	var out bytes.Buffer
	fmt.Fprintf(&out, "  <interface name=%q>\n", i.Name)
	for {
		t, err := p.d.Token()
		if err != nil {
			return Interface{}, err
		}
		switch t := t.(type) {
		case xml.Comment:
			p.comment = string(t)
		case xml.EndElement:
			out.WriteString("  </interface>\n")
			i.XML = out.Bytes()
			return i, nil
		case xml.StartElement:
			var m member
			if err := p.d.DecodeElement(&m, &t); err != nil {
				return Interface{}, err
			}
			m.kind, m.doc = t.Name.Local, p.doc()
			if err := i.add(m.kind, m, m.doc); err != nil {
				return Interface{}, fmt.Errorf("%s.%s: %w", i.Name, m.Name, err)
			}
			i.members = append(i.members, m)
			m.write(&out, m.kind, nil)
		}
	}
}

// add puts a member where it belongs.
func (i *Interface) add(kind string, m member, doc Doc) error {
	if m.Name == "" || doc.Text == "" {
		return fmt.Errorf("a %s without a name or a comment before it", kind)
	}
	return i.put(kind, m, doc)
}

// put is add of a member that is complete.
func (i *Interface) put(kind string, m member, doc Doc) error {
	var in, out []Arg
	for _, a := range m.Args {
		arg := Arg{Name: a.Name, Type: a.Type}
		if a.Direction == "in" {
			in = append(in, arg)
		} else { // the default of signals, and we always say it for methods
			out = append(out, arg)
		}
	}
	switch kind {
	case "method":
		i.Methods = append(i.Methods, Method{Name: m.Name, Doc: doc, In: in, Out: out})
	case "signal":
		i.Signals = append(i.Signals, Signal{Name: m.Name, Doc: doc, Args: out})
	case "property":
		emits := EmitsValue
		for _, a := range m.Annotations {
			if a.Name == "org.freedesktop.DBus.Property.EmitsChangedSignal" {
				emits = Emits(a.Value)
			}
		}
		i.Properties = append(i.Properties, Property{Name: m.Name, Type: m.Type, Doc: doc,
			Writable: m.Access == "readwrite", Emits: emits})
	default:
		return fmt.Errorf("unknown element <%s>", kind)
	}
	return nil
}

// write writes a member: without comments, or with what they say in annotations.
func (m member) write(w *bytes.Buffer, kind string, doc *Doc) {
	fmt.Fprintf(w, "    <%s name=%q", kind, m.Name)
	if kind == "property" {
		fmt.Fprintf(w, " type=%q access=%q", m.Type, m.Access)
	}
	if len(m.Args)+len(m.Annotations) == 0 && doc == nil {
		w.WriteString("/>\n")
		return
	}
	w.WriteString(">\n")
	if doc != nil {
		annotate(w, "      ", *doc)
	}
	for _, a := range m.Args {
		fmt.Fprintf(w, "      <arg name=%q type=%q", a.Name, a.Type)
		if kind == "method" {
			fmt.Fprintf(w, " direction=%q", a.Direction)
		}
		if doc == nil {
			w.WriteString("/>\n")
			continue
		}
		w.WriteString(">\n")
		annotation(w, "        ", docString, doc.ofArg(a.Name))
		w.WriteString("      </arg>\n")
	}
	for _, a := range m.Annotations {
		annotation(w, "      ", a.Name, a.Value)
	}
	fmt.Fprintf(w, "    </%s>\n", kind)
}
