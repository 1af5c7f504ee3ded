package introspection_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"html"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"wpsd/introspection"
)

func load(t *testing.T) []introspection.Interface {
	t.Helper()
	all, err := introspection.All()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestEveryInterfaceOfTheAPIIsThere(t *testing.T) {
	t.Parallel()
	var names []string
	for _, i := range load(t) {
		names = append(names, i.Name)
	}
	want := []string{
		"fi.w1.wps.AccessPoint", "fi.w1.wps.CredentialAgent", "fi.w1.wps.ER",
		"fi.w1.wps.ER.AccessPoint", "fi.w1.wps.ER.Enrollee", "fi.w1.wps.Enrollee",
		"fi.w1.wps.Interface",
		"fi.w1.wps.Manager", "fi.w1.wps.Network", "fi.w1.wps.Session",
		"org.freedesktop.DBus.Introspectable", "org.freedesktop.DBus.ObjectManager",
		"org.freedesktop.DBus.Peer",
		"org.freedesktop.DBus.Properties",
	}
	if !slices.Equal(names, want) {
		t.Errorf("got %v", names)
	}
}

// TestOneFilePerInterface: a file of ours is named after the interface in it.
func TestOneFilePerInterface(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("fi.w1.wps.*.xml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		list, err := introspection.Parse(text)
		if err != nil || len(list) != 1 || list[0].Name+".xml" != name {
			t.Errorf("%s holds %d interfaces (%v)", name, len(list), err)
		}
	}
}

// TestDocumentation holds what the manual is made of to its form: every argument is described under
// its name, and every sentence ends.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	sentence := regexp.MustCompile(`(?s)^[A-Z@].*[.:]$`)
	for _, i := range load(t) {
		check := func(member string, d introspection.Doc, args ...introspection.Arg) {
			t.Helper()
			for paragraph := range strings.SplitSeq(d.Text, "\n\n") {
				if !sentence.MatchString(paragraph) {
					t.Errorf("%s.%s: %q is not made of sentences", i.Name, member, paragraph)
				}
			}
			described := slices.DeleteFunc(slices.Clone(d.Args), func(a introspection.DocArg) bool {
				return a.Key != ""
			})
			for n, a := range args {
				if n >= len(described) || described[n].Name != a.Name {
					t.Errorf("%s.%s: no @%s in its place", i.Name, member, a.Name)
				}
			}
			if len(described) != len(args) {
				t.Errorf("%s.%s: describes %d arguments, has %d", i.Name, member,
					len(described), len(args))
			}
			for _, a := range d.Args {
				if a.Text == "" || a.Key != "" && a.Type == "" {
					t.Errorf("%s.%s: @%s.%s says nothing", i.Name, member, a.Name, a.Key)
				}
			}
			if !slices.IsSorted(d.Errors) {
				t.Errorf("%s.%s: errors are not sorted: %v", i.Name, member, d.Errors)
			}
		}
		check("", i.Doc)
		for _, m := range i.Methods {
			check(m.Name, m.Doc, slices.Concat(m.In, m.Out)...)
			if strings.HasPrefix(i.Name, "fi.w1.") && m.Doc.Access == "" {
				t.Errorf("%s.%s: does not say who may call it", i.Name, m.Name)
			}
		}
		for _, s := range i.Signals {
			check(s.Name, s.Doc, s.Args...)
		}
		for _, p := range i.Properties {
			check(p.Name, p.Doc)
			if p.Writable != (p.Doc.Access != "") {
				t.Errorf("%s.%s: access is described for what can be written, and only that",
					i.Name, p.Name)
			}
		}
	}
}

func TestDocIsTakenApart(t *testing.T) {
	t.Parallel()
	list, err := introspection.Parse([]byte(`<node><!-- An
		interface.

		More. --><interface name="a.B"><!--
		Does it.

		@options: how.
		@options.key: (s) which one
		  of them.
		@o: what.
		Access: anyone
		Errors: A, B,
		  C
		Since: 12
		--><method name="M"><arg name="options" type="a{sv}" direction="in"/><arg name="o" type="o" direction="out"/></method></interface></node>`))
	if err != nil || len(list) != 1 || len(list[0].Methods) != 1 {
		t.Fatal(list, err)
	}
	if got := list[0].Doc.Text; got != "An interface.\n\nMore." {
		t.Errorf("text %q", got)
	}
	m := list[0].Methods[0]
	if introspection.Signature(m.In) != "a{sv}" || introspection.Signature(m.Out) != "o" ||
		m.Doc.Text != "Does it." {
		t.Errorf("%+v", m)
	}
	want := []introspection.DocArg{{Name: "options", Text: "how."},
		{Name: "options", Key: "key", Type: "s", Text: "which one of them."},
		{Name: "o", Text: "what."}}
	if !slices.Equal(m.Doc.Args, want) || m.Doc.Access != "anyone" ||
		!slices.Equal(m.Doc.Errors, []string{"A", "B", "C"}) || m.Doc.Since != "12" {
		t.Errorf("%+v", m.Doc)
	}
}

// TestServedXML: what Introspect serves says the same as the file, without the comments.
func TestServedXML(t *testing.T) {
	t.Parallel()
	for _, i := range load(t) {
		if bytes.Contains(i.XML, []byte("<!--")) {
			t.Errorf("%s is served with comments", i.Name)
		}
		var got struct {
			Methods    []struct{} `xml:"method"`
			Signals    []struct{} `xml:"signal"`
			Properties []struct {
				Name   string `xml:"name,attr"`
				Type   string `xml:"type,attr"`
				Access string `xml:"access,attr"`
			} `xml:"property"`
		}
		if err := xml.Unmarshal(i.XML, &got); err != nil {
			t.Errorf("%s: %v", i.Name, err)
		}
		if len(got.Methods) != len(i.Methods) || len(got.Signals) != len(i.Signals) ||
			len(got.Properties) != len(i.Properties) {
			t.Errorf("%s: served %+v", i.Name, got)
		}
		for n, p := range got.Properties {
			if p.Name != i.Properties[n].Name || p.Type != i.Properties[n].Type ||
				(p.Access == "readwrite") != i.Properties[n].Writable {
				t.Errorf("%s: served %+v for %+v", i.Name, p, i.Properties[n])
			}
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"a member without a comment": `<node><!-- x. --><interface name="a.B"><method name="M"/></interface></node>`,
		"a member without a name":    `<node><interface name="a.B"><!-- x. --><method/></interface></node>`,
		"an unknown element":         `<node><interface name="a.B"><!-- x. --><methud name="M"/></interface></node>`,
		"broken XML":                 `<node><interface name="a.B">`,
	} {
		if list, err := introspection.Parse([]byte(text)); err == nil {
			t.Errorf("%s is accepted: %+v", name, list)
		}
	}
}

// TestServedIsAllWithoutDocumentation: the two ways to read our files agree.
func TestServedIsAllWithoutDocumentation(t *testing.T) {
	t.Parallel()
	all := load(t)
	for n, i := range all { // without what Documented writes
		all[n] = introspection.Interface{Name: i.Name, Methods: i.Methods, Signals: i.Signals,
			Properties: i.Properties, XML: i.XML}
	}
	for i := range all {
		for n := range all[i].Methods {
			all[i].Methods[n].Doc = introspection.Doc{}
		}
		for n := range all[i].Signals {
			all[i].Signals[n].Doc = introspection.Doc{}
		}
		for n := range all[i].Properties {
			all[i].Properties[n].Doc = introspection.Doc{}
		}
	}
	served, err := introspection.Served()
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		if !reflect.DeepEqual(all[i], served[i]) {
			t.Errorf("%s is read as\n%s\nrather than\n%s", all[i].Name, served[i].XML, all[i].XML)
		}
	}
	if len(served) != len(all) {
		t.Errorf("%d interfaces, not %d", len(served), len(all))
	}
}

// BenchmarkAll and BenchmarkServed are what a reader of the manual and the daemon's start pay.
func BenchmarkAll(b *testing.B) {
	for b.Loop() {
		if _, err := introspection.All(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkServed(b *testing.B) {
	for b.Loop() {
		if _, err := introspection.Served(); err != nil {
			b.Fatal(err)
		}
	}
}

// TestDocumented: what code generators get is the same interface, and each part of it says what it
// is.
func TestDocumented(t *testing.T) {
	t.Parallel()
	type annotated struct {
		Name        string `xml:"name,attr"`
		Annotations []struct {
			Name  string `xml:"name,attr"`
			Value string `xml:"value,attr"`
		} `xml:"annotation"`
	}
	says := func(a annotated, annotation string) string {
		for _, one := range a.Annotations {
			if one.Name == annotation {
				return one.Value
			}
		}
		return ""
	}
	for _, i := range load(t) {
		var got struct {
			Interface struct {
				annotated
				Methods []struct {
					annotated
					Args []annotated `xml:"arg"`
				} `xml:"method"`
				Signals []struct {
					annotated
					Args []annotated `xml:"arg"`
				} `xml:"signal"`
				Properties []annotated `xml:"property"`
			} `xml:"interface"`
		}
		if err := xml.Unmarshal(i.Documented(), &got); err != nil {
			t.Errorf("%s: %v", i.Name, err)
			continue
		}
		const doc, since = "org.gtk.GDBus.DocString", "org.gtk.GDBus.Since"
		all := []annotated{got.Interface.annotated}
		for n, m := range got.Interface.Methods {
			all = append(append(all, m.annotated), m.Args...)
			if m.Name != i.Methods[n].Name || len(m.Args) != len(i.Methods[n].In)+
				len(i.Methods[n].Out) || says(m.annotated, since) != i.Methods[n].Doc.Since {
				t.Errorf("%s.%s is %+v", i.Name, i.Methods[n].Name, m)
			}
		}
		for n, s := range got.Interface.Signals {
			all = append(append(all, s.annotated), s.Args...)
			if s.Name != i.Signals[n].Name || len(s.Args) != len(i.Signals[n].Args) {
				t.Errorf("%s.%s is %+v", i.Name, i.Signals[n].Name, s)
			}
		}
		for n, p := range got.Interface.Properties {
			all = append(all, p)
			if p.Name != i.Properties[n].Name || says(p, since) != i.Properties[n].Doc.Since ||
				!strings.HasPrefix(says(p, doc), i.Properties[n].Doc.Text) {
				t.Errorf("%s.%s is %+v", i.Name, i.Properties[n].Name, p)
			}
		}
		if len(got.Interface.Methods) != len(i.Methods) ||
			len(got.Interface.Properties) != len(i.Properties) {
			t.Errorf("%s has other members", i.Name)
		}
		for _, a := range all {
			if says(a, doc) == "" {
				t.Errorf("%s: %s says nothing", i.Name, a.Name)
			}
		}
	}
}

// TestTypesOfQt: qdbusxml2cpp refuses a type that Qt has several names for, unless it is told which
// to take.
func TestTypesOfQt(t *testing.T) {
	t.Parallel()
	names := map[string]string{"a{sv}": "QVariantMap", "aa{sv}": "QList<QVariantMap>",
		"a{ss}": "QMap<QString,QString>"}
	for _, i := range load(t) {
		if !strings.HasPrefix(i.Name, "fi.w1.") {
			continue
		}
		want := map[string]int{}
		count := func(where string, args []introspection.Arg) {
			for n, a := range args {
				if name := names[a.Type]; name != "" {
					want[fmt.Sprintf("QtTypeName.%s%d %s", where, n, name)]++
				} else if strings.ContainsAny(a.Type, "({") {
					t.Errorf("%s: what is %s in Qt?", i.Name, a.Type)
				}
			}
		}
		for _, m := range i.Methods {
			count("In", m.In)
			count("Out", m.Out)
		}
		for _, s := range i.Signals {
			count("Out", s.Args)
		}
		for _, p := range i.Properties {
			if name := names[p.Type]; name != "" {
				want["QtTypeName "+name]++
			}
		}
		got := map[string]int{}
		for _, m := range regexp.MustCompile(`org\.qtproject\.QtDBus\.(QtTypeName\S*)" value="([^"]*)"`).
			FindAllStringSubmatch(string(i.XML), -1) {
			got[m[1]+" "+html.UnescapeString(m[2])]++
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s has %v, not %v", i.Name, got, want)
		}
	}
}
