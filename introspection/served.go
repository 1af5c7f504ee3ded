package introspection

import (
	"bytes"
	"fmt"
	"strings"
)

// Served returns what All does without the documentation, which nobody asks a running daemon for.
// It reads tags only: encoding/xml, and the comments, took an eighth of the daemon's start. That it
// reads our own files right is held by a test.
func Served() ([]Interface, error) { return readFiles(readServed) }

// entities are those that our files have: in annotations that name types of C++.
var entities = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")

// served is the state of reading one file.
type served struct {
	list []Interface
	out  bytes.Buffer // the XML of the newest interface
	kind string       // of the member that is read; "": none
	m    member
}

// readServed reads one of our files.
func readServed(file []byte) ([]Interface, error) {
	var s served
	text := string(file)
	for {
		_, rest, found := strings.Cut(text, "<")
		if !found {
			return s.list, nil
		}
		end := ">"
		if strings.HasPrefix(rest, "!--") {
			end = "-->"
		}
		tag, after, found := strings.Cut(rest, end)
		if !found {
			return nil, fmt.Errorf("%.20q has no end", rest)
		}
		text = after
		if strings.HasPrefix(tag, "!") || strings.HasPrefix(tag, "?") {
			continue
		}
		if err := s.tag(tag); err != nil {
			return nil, err
		}
	}
}

// tag takes what stands between < and >.
func (s *served) tag(tag string) error {
	alone := strings.HasSuffix(tag, "/")
	tag = strings.TrimSuffix(tag, "/")
	name, attrs, _ := strings.Cut(tag, " ")
	value := func(key string) string {
		_, rest, _ := strings.Cut(" "+attrs, " "+key+`="`)
		text, _, _ := strings.Cut(rest, `"`)
		return text
	}
	switch name {
	case "node", "/node", "/arg", "/annotation":
	case "interface":
		s.list = append(s.list, Interface{Name: value("name")})
		s.out.Reset()
		fmt.Fprintf(&s.out, "  <interface name=%q>\n", value("name"))
	case "/interface":
		s.out.WriteString("  </interface>\n")
		s.list[len(s.list)-1].XML = bytes.Clone(s.out.Bytes())
	case "method", "signal", "property":
		s.kind = name
		s.m = member{Name: value("name"), Type: value("type"), Access: value("access")}
		if alone {
			return s.member()
		}
	case "/method", "/signal", "/property":
		return s.member()
	case "arg":
		s.m.Args = append(s.m.Args,
			memberArg{Name: value("name"), Type: value("type"), Direction: value("direction")})
	case "annotation":
		s.m.Annotations = append(s.m.Annotations,
			memberAnnotation{Name: value("name"), Value: entities.Replace(value("value"))})
	default:
		return fmt.Errorf("unknown element <%s>", name)
	}
	return nil
}

// member puts the member that was read into its interface.
func (s *served) member() error {
	s.m.write(&s.out, s.kind, nil)
	return s.list[len(s.list)-1].put(s.kind, s.m, Doc{})
}
